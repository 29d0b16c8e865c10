//! The journal of decisions: what the law decided, why, and what it knew. The caller writes a decision down when it
//! differs from the last; nothing here compares.
//!
//! A question is answered by merging the rules' own sequences, each read from an index in its order: no more of the
//! journal is read than is told, however long it is, unless a question is about what hardly ever happened.

use crate::{MOST_ROWS, Record, Store, StoreError, operations, within, words};
use model::{
    Command, Explanation, MinerId, OperationId, Reason, Rule, UtcMillis, Watts,
    journal::{Cause, DecisionRecord, Entry, JournalPage, Mark, Marks, Place, Position, Question},
};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, SqliteExecutor, query, sqlite::SqliteRow};

/// Reasons that are marked on a chart where they begin, even if nothing was left to be commanded.
const MARKED: [(Rule, &[Reason]); 2] = [
    (Rule::Emergency, &[Reason::EmergencySoc, Reason::EmergencyUnconfirmed]),
    (Rule::Stale, &[Reason::BatteryStale]),
];

impl Store {
    /// Adds a decision to the journal.
    pub async fn record_decision(&self, record: &DecisionRecord) -> Result<(), StoreError> {
        self.record(&[Record::Decision(record)]).await
    }

    /// The decisions that `question` means, newest first, at most [`MOST_ROWS`], with what became of their commands.
    pub async fn journal(&self, question: &Question) -> Result<JournalPage, StoreError> {
        within("reading the journal", async {
            let mut transaction = self.readers().begin().await?;
            let page = page(&mut transaction, question).await?;
            transaction.commit().await?;
            Ok(page)
        })
        .await
    }

    /// What a chart marks of a miner's decisions from `from` until before `to`: those that sent a command, and where an
    /// emergency or a stop on stale data begins, though it found nothing to switch off. The newest `limit` of them, at
    /// most [`MOST_ROWS`], in the order of time; [`Marks::is_cut`] says if there are more.
    ///
    /// A year has some 4,000 of them, of which 500 are read in a few milliseconds.
    pub async fn marks(
        &self,
        miner: &MinerId,
        from: UtcMillis,
        to: UtcMillis,
        limit: u32,
    ) -> Result<Marks, StoreError> {
        within("reading the journal", async {
            let mut transaction = self.readers().begin().await?;
            let marks = marks(&mut transaction, miner, from, to, limit.min(MOST_ROWS)).await?;
            transaction.commit().await?;
            Ok(marks)
        })
        .await
    }
}

/// Adds a decision.
pub(crate) async fn insert(
    executor: impl SqliteExecutor<'_>,
    record: &DecisionRecord,
) -> Result<(), sqlx::Error> {
    let operation = record.operation.map(|id| i64::try_from(id.0)).transpose();
    query(
        "INSERT INTO decisions (miner, at_utc_ms, rule, reason, wanted, command, operation, blocked_by, \
         blocked_until_utc_ms, why, why_not_more, what_would_change, when_text, soc_percent, \
         source_utc_ms, miner_power_w, power_set_pct) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&record.miner.0)
    .bind(record.at.0)
    .bind(words::write(&record.rule)?)
    .bind(words::write(&record.reason)?)
    .bind(words::write(&record.wanted)?)
    .bind(words::write_optional(record.command.as_ref())?)
    .bind(operation.map_err(|error| sqlx::Error::Encode(error.into()))?)
    .bind(words::write_optional(record.blocked_by.as_ref())?)
    .bind(record.blocked_until.map(|at| at.0))
    .bind(&record.explanation.why)
    .bind(record.explanation.why_not_more.as_deref())
    .bind(&record.explanation.what_would_change)
    .bind(record.explanation.when.as_deref())
    .bind(record.soc_percent.filter(|percent| percent.is_finite()))
    .bind(record.source_time.map(|at| at.0))
    .bind(record.miner_power.map(Watts::get))
    .bind(record.power_set_percent.filter(|percent| percent.is_finite()))
    .execute(executor)
    .await?;
    Ok(())
}

async fn page(connection: &mut SqliteConnection, question: &Question) -> Result<JournalPage, sqlx::Error> {
    let limit = question.limit.min(MOST_ROWS);
    let Some(reach) = Reach::of(connection, question).await? else { return Ok(JournalPage::default()) };
    let mut sql = reach.select(question, limit)?;
    let mut rows = sql.build().persistent(false).fetch_all(&mut *connection).await?;
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    if reach.direction == Direction::Rising {
        rows.reverse();
    }
    let mut entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    add_operations(connection, &mut entries).await?;
    let newest = entries.first().map(|entry| entry.place);
    let oldest = entries.last().map(|entry| entry.place);
    let (older, newer) = match question.position {
        Position::Newest => (oldest.filter(|_| has_more), None),
        Position::OlderThan(_) => (oldest.filter(|_| has_more), newest),
        Position::NewerThan(_) => (oldest, newest.filter(|_| has_more)),
    };
    Ok(JournalPage { entries, older, newer })
}

/// The order in which entries are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// Oldest first.
    Rising,
    /// Newest first.
    Falling,
}

impl Direction {
    const fn sql(self) -> &'static str {
        match self {
            Self::Rising => "ASC",
            Self::Falling => "DESC",
        }
    }
}

/// From where to where the journal has to be read for a question, and which way.
#[derive(Debug, Clone, Copy)]
struct Reach {
    from: i64,
    /// Not included.
    to: i64,
    direction: Direction,
}

impl Reach {
    /// `None` where there can't be anything.
    async fn of(connection: &mut SqliteConnection, question: &Question) -> Result<Option<Self>, sqlx::Error> {
        let mut reach = Self { from: question.from.0, to: question.to.0, direction: Direction::Falling };
        match question.position {
            Position::Newest => {}
            Position::OlderThan(place) => reach.to = reach.to.min(place.at.0.saturating_add(1)),
            Position::NewerThan(place) => {
                reach.from = reach.from.max(place.at.0);
                reach.direction = Direction::Rising;
            }
        }
        if let Some(miner) = &question.miner {
            // A miner that came late or left early isn't looked for among years of the others' entries.
            let row = query(
                "SELECT (SELECT min(at_utc_ms) FROM decisions WHERE miner = ?1) AS first, \
                 (SELECT max(at_utc_ms) FROM decisions WHERE miner = ?1) AS last",
            )
            .bind(&miner.0)
            .fetch_one(connection)
            .await?;
            let bounds = row.try_get::<Option<i64>, _>("first")?.zip(row.try_get("last")?);
            let Some((first, last)) = bounds else { return Ok(None) };
            reach.from = reach.from.max(first);
            reach.to = reach.to.min(i64::saturating_add(last, 1));
        }
        Ok((reach.from < reach.to).then_some(reach))
    }

    /// One row more than `limit`, where there is one.
    fn select(self, question: &Question, limit: u32) -> Result<QueryBuilder<Sqlite>, sqlx::Error> {
        let whatever = Rule::ALL.map(|rule| Cause { rule, reasons: Vec::new() });
        let causes = if question.causes.is_empty() { &whatever[..] } else { &question.causes };
        let mut sql = begin();
        for (index, cause) in causes.iter().enumerate() {
            sql.push(if index == 0 { "" } else { " UNION ALL " });
            self.push_arm(&mut sql, cause.rule, question.miner.as_ref())?;
            if question.commands_only {
                sql.push(" AND command IS NOT NULL");
            }
            if !cause.reasons.is_empty() {
                push_reasons(&mut sql, " AND reason IN ", &cause.reasons)?;
            }
            match question.position {
                Position::Newest => {}
                Position::OlderThan(place) => push_beyond(&mut sql, "<", place),
                Position::NewerThan(place) => push_beyond(&mut sql, ">", place),
            }
        }
        end(&mut sql, self.direction, limit);
        Ok(sql)
    }

    /// What one rule decided in this time.
    fn push_arm(
        self,
        sql: &mut QueryBuilder<Sqlite>,
        rule: Rule,
        miner: Option<&MinerId>,
    ) -> Result<(), sqlx::Error> {
        sql.push("SELECT at_utc_ms, id FROM decisions AS arm WHERE rule = ").push_bind(words::write(&rule)?);
        sql.push(" AND at_utc_ms >= ").push_bind(self.from);
        sql.push(" AND at_utc_ms < ").push_bind(self.to);
        if let Some(miner) = miner {
            // The plus keeps SQLite from reading all of the miner's entries in place of the rule's.
            sql.push(" AND +miner = ").push_bind(miner.0.clone());
        }
        Ok(())
    }
}

/// The beginning of a statement that reads the entries whose places its arms tell.
fn begin() -> QueryBuilder<Sqlite> {
    QueryBuilder::new("SELECT decisions.* FROM (")
}

fn end(sql: &mut QueryBuilder<Sqlite>, direction: Direction, limit: u32) {
    let way = direction.sql();
    sql.push(format_args!(" ORDER BY at_utc_ms {way}, id {way} LIMIT "));
    sql.push_bind(i64::from(limit) + 1);
    sql.push(") AS page JOIN decisions ON decisions.id = page.id");
    sql.push(format_args!(" ORDER BY decisions.at_utc_ms {way}, decisions.id {way}"));
}

fn push_beyond(sql: &mut QueryBuilder<Sqlite>, way: &str, place: Place) {
    sql.push(format_args!(" AND (at_utc_ms, id) {way} (")).push_bind(place.at.0);
    sql.push(", ").push_bind(place.id).push(")");
}

fn push_reasons(sql: &mut QueryBuilder<Sqlite>, before: &str, reasons: &[Reason]) -> Result<(), sqlx::Error> {
    sql.push(before).push("(");
    for (index, reason) in reasons.iter().enumerate() {
        sql.push(if index == 0 { "" } else { ", " }).push_bind(words::write(reason)?);
    }
    sql.push(")");
    Ok(())
}

async fn marks(
    connection: &mut SqliteConnection,
    miner: &MinerId,
    from: UtcMillis,
    to: UtcMillis,
    limit: u32,
) -> Result<Marks, sqlx::Error> {
    let mut sql = select_marks(miner, from, to, limit)?;
    let mut rows = sql.build().persistent(false).fetch_all(connection).await?;
    let is_cut = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    rows.reverse();
    Ok(Marks { marks: rows.iter().map(mark).collect::<Result<_, _>>()?, is_cut })
}

/// One row more than `limit`, where there is one.
fn select_marks(
    miner: &MinerId,
    from: UtcMillis,
    to: UtcMillis,
    limit: u32,
) -> Result<QueryBuilder<Sqlite>, sqlx::Error> {
    let reach = Reach { from: from.0, to: to.0, direction: Direction::Falling };
    let mut sql = begin();
    for rule in Rule::ALL {
        reach.push_arm(&mut sql, rule, Some(miner))?;
        sql.push(" AND command IS NOT NULL UNION ALL ");
    }
    for (index, (rule, reasons)) in MARKED.into_iter().enumerate() {
        sql.push(if index == 0 { "" } else { " UNION ALL " });
        reach.push_arm(&mut sql, rule, Some(miner))?;
        push_reasons(&mut sql, " AND command IS NULL AND reason IN ", reasons)?;
        // It begins where the miner's decision before was for another reason, or there was none.
        sql.push(
            " AND coalesce((SELECT earlier.reason FROM decisions AS earlier WHERE earlier.miner = arm.miner \
             AND earlier.at_utc_ms <= arm.at_utc_ms \
             AND (earlier.at_utc_ms, earlier.id) < (arm.at_utc_ms, arm.id) \
             ORDER BY earlier.at_utc_ms DESC, earlier.id DESC LIMIT 1)",
        );
        push_reasons(&mut sql, " NOT IN ", reasons)?;
        sql.push(", TRUE)");
    }
    end(&mut sql, reach.direction, limit);
    Ok(sql)
}

/// Puts to each entry what became of its command.
async fn add_operations(connection: &mut SqliteConnection, entries: &mut [Entry]) -> Result<(), sqlx::Error> {
    let ids: Vec<_> = entries.iter().filter_map(|entry| entry.decision.operation).collect();
    let known = operations::by_ids(connection, &ids).await?;
    for entry in entries {
        entry.operation = entry.decision.operation.and_then(|id| known.get(&id).cloned());
    }
    Ok(())
}

fn place(row: &SqliteRow) -> Result<Place, sqlx::Error> {
    Ok(Place { at: UtcMillis(row.try_get("at_utc_ms")?), id: row.try_get("id")? })
}

fn mark(row: &SqliteRow) -> Result<Mark, sqlx::Error> {
    let command: Option<Command> = words::read_optional(row, "command")?;
    Ok(Mark {
        place: place(row)?,
        rule: words::read(row, "rule")?,
        reason: words::read(row, "reason")?,
        command,
    })
}

fn entry(row: &SqliteRow) -> Result<Entry, sqlx::Error> {
    Ok(Entry { place: place(row)?, decision: decision(row)?, operation: None })
}

fn decision(row: &SqliteRow) -> Result<DecisionRecord, sqlx::Error> {
    let instant = |column| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.map(UtcMillis));
    let operation = row.try_get::<Option<i64>, _>("operation")?.map(u64::try_from).transpose();
    Ok(DecisionRecord {
        miner: MinerId(row.try_get("miner")?),
        at: UtcMillis(row.try_get("at_utc_ms")?),
        rule: words::read(row, "rule")?,
        reason: words::read(row, "reason")?,
        wanted: words::read(row, "wanted")?,
        command: words::read_optional(row, "command")?,
        operation: operation.map_err(|error| sqlx::Error::Decode(error.into()))?.map(OperationId),
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
        power_set_percent: row.try_get("power_set_pct")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{AssertSqlSafe, Execute, SqlSafeStr};

    /// What a statement reads tables by, in SQLite's words.
    async fn plan(store: &Store, sql: &str) -> Vec<String> {
        let explained = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")).into_sql_str();
        let rows = query(explained).fetch_all(store.readers()).await.unwrap();
        rows.iter().map(|row| row.get("detail")).collect()
    }

    fn assert_quick(plan: &[String]) {
        let arms: Vec<_> = plan.iter().filter(|step| step.contains("arm")).collect();
        assert!(!arms.is_empty());
        for arm in arms {
            assert!(arm.contains("_by_rule (rule=? AND at_utc_ms>? AND at_utc_ms<?)"), "{plan:#?}");
        }
        let sorted = |step: &&String| step.contains("TEMP B-TREE");
        assert!(plan.iter().filter(sorted).count() <= 1, "only the page itself is sorted: {plan:#?}");
    }

    /// What the promise that a question's cost doesn't grow with the journal stands on.
    #[tokio::test]
    async fn every_question_is_answered_from_an_index_in_its_order() {
        let store = Store::in_memory().await.unwrap();
        let place = Place { at: UtcMillis(7), id: 7 };
        let reasons = vec![Reason::PersonStart, Reason::ResumeSoc];
        let some = vec![
            Cause { rule: Rule::Stopped, reasons },
            Cause { rule: Rule::Ladder, reasons: Vec::new() },
            Cause { rule: Rule::Full, reasons: Vec::new() },
        ];
        for causes in [Vec::new(), some] {
            for miner in [None, Some(MinerId("garage".to_owned()))] {
                for commands_only in [false, true] {
                    for position in [Position::Newest, Position::OlderThan(place), Position::NewerThan(place)]
                    {
                        let (miner, causes) = (miner.clone(), causes.clone());
                        let (from, to) = (UtcMillis(0), UtcMillis(9));
                        let question =
                            Question { miner, causes, commands_only, from, to, position, limit: 50 };
                        let direction = match position {
                            Position::NewerThan(_) => Direction::Rising,
                            _ => Direction::Falling,
                        };
                        let reach = Reach { from: 0, to: 9, direction };
                        let mut sql = reach.select(&question, 50).unwrap();
                        assert_quick(&plan(&store, sql.build().sql().as_str()).await);
                    }
                }
            }
        }
    }
    #[tokio::test]
    async fn marks_are_found_from_an_index_in_its_order() {
        let store = Store::in_memory().await.unwrap();
        let miner = MinerId("garage".to_owned());
        let mut sql = select_marks(&miner, UtcMillis(0), UtcMillis(9), 50).unwrap();
        let plan = plan(&store, sql.build().sql().as_str()).await;
        assert_quick(&plan);
        let earlier: Vec<_> = plan.iter().filter(|step| step.contains("earlier")).collect();
        assert!(!earlier.is_empty());
        for step in earlier {
            assert!(step.contains("decisions_of_a_miner (miner=? AND at_utc_ms<?)"), "{plan:#?}");
        }
    }
}
