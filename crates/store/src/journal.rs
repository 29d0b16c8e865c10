//! The journal of decisions: what the law decided, why, and what it knew. The caller writes a decision down when it
//! differs from the last; nothing here compares.

use crate::{MOST_ROWS, Store, StoreError, within, words};
use model::{BlockedBy, Command, Explanation, MinerId, Reason, Rule, UtcMillis, Wanted, Watts};
use sqlx::{Row, query, sqlite::SqliteRow};

/// One decision about one miner, with what it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRecord {
    /// The miner.
    pub miner: MinerId,
    /// When it was made.
    pub at: UtcMillis,
    /// The rule that decided.
    pub rule: Rule,
    /// Why, for machines.
    pub reason: Reason,
    /// What the law wanted.
    pub wanted: Wanted,
    /// What was commanded with it, if anything.
    pub command: Option<Command>,
    /// What stood in the way.
    pub blocked_by: Option<BlockedBy>,
    /// When that ends, where it was known.
    pub blocked_until: Option<UtcMillis>,
    /// Why, for people.
    pub explanation: Explanation,
    /// State of charge in percent as the source gave it, possible or not. What isn't finite is kept as `None`.
    pub soc_percent: Option<f64>,
    /// When the battery said so.
    pub source_time: Option<UtcMillis>,
    /// What the miner drew.
    pub miner_power: Option<Watts>,
}

impl Store {
    /// Adds a decision to the journal.
    pub async fn record_decision(&self, record: &DecisionRecord) -> Result<(), StoreError> {
        within("writing the journal", async {
            query(
                "INSERT INTO decisions (miner, at_utc_ms, rule, reason, wanted, command, blocked_by, \
                 blocked_until_utc_ms, why, why_not_more, what_would_change, when_text, soc_percent, \
                 source_utc_ms, miner_power_w) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(&record.miner.0)
            .bind(record.at.0)
            .bind(words::write(&record.rule)?)
            .bind(words::write(&record.reason)?)
            .bind(words::write(&record.wanted)?)
            .bind(words::write_optional(record.command.as_ref())?)
            .bind(words::write_optional(record.blocked_by.as_ref())?)
            .bind(record.blocked_until.map(|at| at.0))
            .bind(&record.explanation.why)
            .bind(record.explanation.why_not_more.as_deref())
            .bind(&record.explanation.what_would_change)
            .bind(record.explanation.when.as_deref())
            .bind(record.soc_percent.filter(|percent| percent.is_finite()))
            .bind(record.source_time.map(|at| at.0))
            .bind(record.miner_power.map(Watts::get))
            .execute(self.writer())
            .await?;
            Ok(())
        })
        .await
    }

    /// A miner's decisions from `from` until before `to`, newest first: the newest `limit` of them, at most
    /// [`MOST_ROWS`].
    pub async fn decisions(
        &self,
        miner: &MinerId,
        from: UtcMillis,
        to: UtcMillis,
        limit: u32,
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        within("reading the journal", async {
            query(
                "SELECT * FROM decisions WHERE miner = ? AND at_utc_ms >= ? AND at_utc_ms < ? \
                 ORDER BY at_utc_ms DESC, id DESC LIMIT ?",
            )
            .bind(&miner.0)
            .bind(from.0)
            .bind(to.0)
            .bind(limit.min(MOST_ROWS))
            .fetch_all(self.readers())
            .await?
            .iter()
            .map(from_row)
            .collect()
        })
        .await
    }
}

fn from_row(row: &SqliteRow) -> Result<DecisionRecord, sqlx::Error> {
    let instant = |column| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.map(UtcMillis));
    Ok(DecisionRecord {
        miner: MinerId(row.try_get("miner")?),
        at: UtcMillis(row.try_get("at_utc_ms")?),
        rule: words::read(row, "rule")?,
        reason: words::read(row, "reason")?,
        wanted: words::read(row, "wanted")?,
        command: words::read_optional(row, "command")?,
        blocked_by: words::read_optional(row, "blocked_by")?,
        blocked_until: instant("blocked_until_utc_ms")?,
        explanation: Explanation {
            why: row.try_get("why")?,
            why_not_more: row.try_get("why_not_more")?,
            what_would_change: row.try_get("what_would_change")?,
            when: row.try_get("when_text")?,
        },
        soc_percent: row.try_get("soc_percent")?,
        source_time: instant("source_utc_ms")?,
        miner_power: row.try_get::<Option<f64>, _>("miner_power_w")?.and_then(Watts::new),
    })
}
