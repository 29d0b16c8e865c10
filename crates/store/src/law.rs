//! The law's state: one row for each miner, written before a command leaves.

use crate::{Record, Store, StoreError, within};
use model::{MinerId, MonoTime, Now, Operation, UtcMillis};
use sqlx::{Row, SqliteExecutor, query};

/// The law's state of one miner as it was last saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedState {
    /// The miner.
    pub miner: MinerId,
    /// The state, as it was given.
    pub json: String,
    /// When it was saved, on the controller's monotonic clock.
    pub mono: MonoTime,
    /// When it was saved.
    pub utc: UtcMillis,
}

impl Store {
    /// Saves a miner's state in place of the last. Durable on return.
    pub async fn save_state(&self, miner: &MinerId, json: &str, at: Now) -> Result<(), StoreError> {
        self.record(&[Record::State { miner, json, at }]).await
    }

    /// Saves the state and the operation that follows from it, both or neither. Durable on return: only then may the
    /// command leave.
    pub async fn begin_operation(
        &self,
        json: &str,
        operation: &Operation,
        at: Now,
    ) -> Result<(), StoreError> {
        self.record(&[Record::Begun { json, operation, at }]).await
    }

    /// Every miner's state, by the miners' ids; those of miners that left the configuration too.
    pub async fn load_states(&self) -> Result<Vec<SavedState>, StoreError> {
        within("loading the state of the control law", async {
            query("SELECT miner, state, at_mono_ms, at_utc_ms FROM law_states ORDER BY miner")
                .fetch_all(self.readers())
                .await?
                .iter()
                .map(|row| {
                    Ok(SavedState {
                        miner: MinerId(row.try_get("miner")?),
                        json: row.try_get("state")?,
                        mono: MonoTime(row.try_get("at_mono_ms")?),
                        utc: UtcMillis(row.try_get("at_utc_ms")?),
                    })
                })
                .collect()
        })
        .await
    }
}

pub(crate) async fn upsert(
    executor: impl SqliteExecutor<'_>,
    miner: &MinerId,
    json: &str,
    at: Now,
) -> Result<(), sqlx::Error> {
    query(
        "INSERT INTO law_states (miner, state, at_mono_ms, at_utc_ms) VALUES (?, ?, ?, ?) \
         ON CONFLICT (miner) DO UPDATE SET \
         state = excluded.state, at_mono_ms = excluded.at_mono_ms, at_utc_ms = excluded.at_utc_ms",
    )
    .bind(&miner.0)
    .bind(json)
    .bind(at.mono.0)
    .bind(at.utc.0)
    .execute(executor)
    .await?;
    Ok(())
}
