//! Operations: each command to a miner and what became of it.

use crate::{MOST_ROWS, Record, Store, StoreError, within, words};
use model::{MinerId, Operation, OperationId, UtcMillis};
use sqlx::{QueryBuilder, Row, SqliteConnection, SqliteExecutor, query, query_scalar, sqlite::SqliteRow};
use std::collections::BTreeMap;

impl Store {
    /// Keeps an operation as it is now: a new one is added, a known one replaced.
    pub async fn save_operation(&self, operation: &Operation) -> Result<(), StoreError> {
        self.record(&[Record::Operation(operation)]).await
    }

    /// The last operations of a miner, newest first; at most [`MOST_ROWS`].
    pub async fn operations(&self, miner: &MinerId, limit: u32) -> Result<Vec<Operation>, StoreError> {
        within("reading the operations", async {
            query("SELECT * FROM operations WHERE miner = ? ORDER BY id DESC LIMIT ?")
                .bind(&miner.0)
                .bind(limit.min(MOST_ROWS))
                .fetch_all(self.readers())
                .await?
                .iter()
                .map(from_row)
                .collect()
        })
        .await
    }

    /// A number that no operation ever had, neither one that is kept nor one that was removed, nor one that only the
    /// journal knows. It isn't reserved: the one engine asks once, at its start, and goes on counting.
    pub async fn next_operation_id(&self) -> Result<OperationId, StoreError> {
        within("counting the operations", async {
            let last: i64 = query_scalar(
                "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'operations'), 0), \
                 coalesce((SELECT max(operation) FROM decisions WHERE operation IS NOT NULL), 0))",
            )
            .fetch_one(self.readers())
            .await?;
            Ok(OperationId(u64::try_from(last).unwrap_or(0).saturating_add(1)))
        })
        .await
    }
}

pub(crate) async fn upsert(
    executor: impl SqliteExecutor<'_>,
    operation: &Operation,
) -> Result<(), sqlx::Error> {
    let id = i64::try_from(operation.id.0).map_err(|error| sqlx::Error::Encode(error.into()))?;
    query(
        "INSERT INTO operations (id, miner, command, reason, stage, means, decided_utc_ms, sent_utc_ms, \
         acknowledged_utc_ms, ended_utc_ms, words) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (id) DO UPDATE SET miner = excluded.miner, command = excluded.command, \
         reason = excluded.reason, stage = excluded.stage, means = excluded.means, \
         decided_utc_ms = excluded.decided_utc_ms, sent_utc_ms = excluded.sent_utc_ms, \
         acknowledged_utc_ms = excluded.acknowledged_utc_ms, ended_utc_ms = excluded.ended_utc_ms, \
         words = excluded.words",
    )
    .bind(id)
    .bind(&operation.miner.0)
    .bind(words::write(&operation.command)?)
    .bind(words::write(&operation.reason)?)
    .bind(words::write(&operation.stage)?)
    .bind(words::write_optional(operation.means.as_ref())?)
    .bind(operation.decided_at.0)
    .bind(operation.sent_at.map(|at| at.0))
    .bind(operation.acknowledged_at.map(|at| at.0))
    .bind(operation.ended_at.map(|at| at.0))
    .bind(operation.words.as_deref())
    .execute(executor)
    .await?;
    Ok(())
}

/// The operations of these numbers that are kept, by number.
pub(crate) async fn by_ids(
    connection: &mut SqliteConnection,
    ids: &[OperationId],
) -> Result<BTreeMap<OperationId, Operation>, sqlx::Error> {
    let mut sql = QueryBuilder::new("SELECT * FROM operations WHERE id IN (");
    for (index, id) in ids.iter().enumerate() {
        let id = i64::try_from(id.0).map_err(|error| sqlx::Error::Encode(error.into()))?;
        sql.push(if index == 0 { "" } else { ", " }).push_bind(id);
    }
    sql.push(")");
    let rows = sql.build().persistent(false).fetch_all(connection).await?;
    rows.iter().map(|row| from_row(row).map(|operation| (operation.id, operation))).collect()
}

fn from_row(row: &SqliteRow) -> Result<Operation, sqlx::Error> {
    let instant = |column| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.map(UtcMillis));
    let id: i64 = row.try_get("id")?;
    Ok(Operation {
        id: OperationId(u64::try_from(id).map_err(|error| sqlx::Error::Decode(error.into()))?),
        miner: MinerId(row.try_get("miner")?),
        command: words::read(row, "command")?,
        reason: words::read(row, "reason")?,
        stage: words::read(row, "stage")?,
        means: words::read_optional(row, "means")?,
        decided_at: UtcMillis(row.try_get("decided_utc_ms")?),
        sent_at: instant("sent_utc_ms")?,
        acknowledged_at: instant("acknowledged_utc_ms")?,
        ended_at: instant("ended_utc_ms")?,
        words: row.try_get("words")?,
    })
}
