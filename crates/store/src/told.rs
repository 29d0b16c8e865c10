//! Which alerts were told to people, so that a restart tells none of them again.

use crate::{Store, StoreError, within, words};
use model::{AlertCode, MinerId, UtcMillis};
use sqlx::{Row, query};

/// An alert that was told, and whose end wasn't yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldAlert {
    /// What it is about.
    pub code: AlertCode,
    /// Which miner, where it is about one.
    pub miner: Option<MinerId>,
    /// When it was last told.
    pub last: UtcMillis,
    /// How often it was told.
    pub times: u32,
}

impl Store {
    /// What was told by this channel. What another version told and this one doesn't know is left out.
    pub async fn told_alerts(&self, channel: &str) -> Result<Vec<ToldAlert>, StoreError> {
        within("reading which alerts were told", async {
            let sql = "SELECT code, miner, last_utc_ms, times FROM told_alerts WHERE channel = ? ORDER BY code, miner";
            let mut told = Vec::new();
            for row in query(sql).bind(channel).fetch_all(self.readers()).await? {
                let Ok(code) = words::read(&row, "code") else { continue };
                let miner: String = row.try_get("miner")?;
                told.push(ToldAlert {
                    code,
                    miner: (!miner.is_empty()).then_some(MinerId(miner)),
                    last: UtcMillis(row.try_get("last_utc_ms")?),
                    times: row.try_get("times")?,
                });
            }
            Ok(told)
        })
        .await
    }

    /// Keeps what was told by this channel, in place of what was kept: all of it, or nothing.
    pub async fn keep_told_alerts(&self, channel: &str, told: &[ToldAlert]) -> Result<(), StoreError> {
        within("keeping which alerts were told", async {
            let mut transaction = self.writer().begin().await?;
            let gone = query("DELETE FROM told_alerts WHERE channel = ?").bind(channel);
            gone.execute(&mut *transaction).await?;
            for ToldAlert { code, miner, last, times } in told {
                query("INSERT INTO told_alerts (channel, code, miner, last_utc_ms, times) VALUES (?, ?, ?, ?, ?)")
                    .bind(channel)
                    .bind(words::write(code)?)
                    .bind(miner.as_ref().map_or("", |miner| &miner.0))
                    .bind(last.0)
                    .bind(times)
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await
        })
        .await
    }
}
