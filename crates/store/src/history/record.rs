//! Taking samples up: the samples themselves, the rows of every tier that they change, and removing old ones.

use super::{
    DAY, END, HistoryRules, LONGEST_GAP, PART, SLOT, Samples, floor, millis,
    rollup::{Figure, Known, Rollup, energies},
    source::{BATTERY, COVERED, MINER, Row, Source, Tier, column},
};
use crate::{Store, StoreError, error::is_full, within};
use model::{MinerId, UtcMillis};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, query_scalar, sqlite::SqliteRow};
use std::collections::{BTreeMap, BTreeSet};

/// How far a sample may be ahead of the controller's time, in milliseconds: clocks differ a little.
const AHEAD: i64 = 5 * 60_000;

/// The most that one call removes, in milliseconds of samples: after a long pause, or with a clock that jumped, the
/// rest is left to later calls.
const REMOVED_AT_ONCE: i64 = DAY;

/// Rows in one statement.
const ROWS_AT_ONCE: usize = 200;

impl Store {
    /// Keeps samples, and makes of them what the history is told from. All or nothing, durable on return. How many of
    /// them were taken.
    ///
    /// A sample for an instant that has one already changes nothing. Samples may come late and in any order; what is
    /// older than the rules keep, more than five minutes ahead of `now`, or from before 1970 isn't taken, which is no
    /// error. A value is rounded to the unit it is kept in (1 W, 0.1 %, 0.1 °C, 1 GH/s, 1 rpm), and what is beyond
    /// ±10¹² of it is kept as that.
    pub async fn record_samples(
        &self,
        samples: &Samples,
        rules: &HistoryRules,
        now: UtcMillis,
    ) -> Result<u64, StoreError> {
        within("writing the history", async {
            let written = self.write_samples(samples, rules, now).await;
            if !is_full(&written) {
                return written;
            }
            self.write_log_back().await;
            self.write_samples(samples, rules, now).await
        })
        .await
    }

    async fn write_samples(
        &self,
        samples: &Samples,
        rules: &HistoryRules,
        now: UtcMillis,
    ) -> Result<u64, sqlx::Error> {
        let limits = Limits::new(rules, now);
        let battery = samples.battery.iter().map(|sample| Row::of(sample, &BATTERY));
        let battery = battery.filter(|row| limits.take(row)).collect();
        let mut miners: BTreeMap<&MinerId, Vec<Row>> = BTreeMap::new();
        for sample in &samples.miners {
            let row = Row::of(sample, &MINER);
            if limits.take(&row) {
                miners.entry(&sample.miner).or_default().push(row);
            }
        }

        let mut transaction = self.writer().begin().await?;
        let mut all = record(&mut transaction, Source::battery(), battery, limits.battery_gap).await?;
        for (miner, rows) in miners {
            let source = Source::miner(number(&mut transaction, miner).await?);
            let of_miner = record(&mut transaction, source, rows, limits.miner_gap).await?;
            all.taken += of_miner.taken;
            all.begun |= of_miner.begun;
        }
        // Once in a slot is often enough, and spares the pages of a commit a minute.
        if all.begun {
            remove_old(&mut transaction, &limits).await?;
        }
        transaction.commit().await?;
        Ok(all.taken)
    }
}

/// The rules at an instant, in milliseconds.
struct Limits {
    battery_gap: i64,
    miner_gap: i64,
    earliest: i64,
    latest: i64,
}

impl Limits {
    fn new(rules: &HistoryRules, now: UtcMillis) -> Self {
        Self {
            battery_gap: millis(rules.battery_gap).min(LONGEST_GAP),
            miner_gap: millis(rules.miner_gap).min(LONGEST_GAP),
            earliest: floor(now.0.saturating_sub(millis(rules.keep_samples)).max(0), SLOT),
            latest: now.0.saturating_add(AHEAD).min(END.0 - 1),
        }
    }

    fn take(&self, row: &Row) -> bool {
        (self.earliest..=self.latest).contains(&row.at)
    }
}

/// What a sample can change, and what must be known to say how: two intervals end in it, each at most a gap long.
struct Reach {
    /// The first and the last slot that it can change.
    slots: (i64, i64),
    /// The samples and slots that must be there: whole slots, until before the second.
    needs: (i64, i64),
}

impl Reach {
    const fn new(at: i64, gap: i64) -> Self {
        let slots = (floor(at - gap, SLOT), floor(at + gap, SLOT));
        Self { slots, needs: (floor(slots.0 - gap, SLOT), floor(slots.1 + SLOT + gap, SLOT) + SLOT) }
    }

    fn slots(self) -> impl Iterator<Item = i64> {
        (self.slots.0..=self.slots.1).step_by(SLOT as usize)
    }
}

/// What became of samples.
#[derive(Debug, Default)]
struct Recorded {
    /// How many were new.
    taken: u64,
    /// Whether a slot began with them.
    begun: bool,
}

/// Takes up a source's samples.
async fn record(
    connection: &mut SqliteConnection,
    source: Source,
    mut rows: Vec<Row>,
    gap: i64,
) -> Result<Recorded, sqlx::Error> {
    // Both keep the order of equals: the first of two for the same instant counts.
    rows.sort_by_key(|row| row.at);
    rows.dedup_by_key(|row| row.at);
    if rows.is_empty() {
        return Ok(Recorded::default());
    }
    let newest = newest_slot(connection, source).await?;
    let mut changes = Changes::default();
    for (rows, needs) in neighbourhoods(rows, gap) {
        merge(connection, source, rows, needs, gap, &mut changes).await?;
    }
    make_parts(connection, source, newest, &changes.slots).await?;
    Ok(Recorded { taken: changes.taken, begun: changes.begun })
}

/// What was done to the slots of a source.
#[derive(Default)]
struct Changes {
    /// How many samples were new.
    taken: u64,
    slots: BTreeSet<i64>,
    /// Whether one of them had no sample before.
    begun: bool,
}

/// Parts samples that rise in time into groups that have nothing to do with each other, each with what it needs.
fn neighbourhoods(rows: Vec<Row>, gap: i64) -> Vec<(Vec<Row>, (i64, i64))> {
    let mut groups: Vec<(Vec<Row>, (i64, i64))> = Vec::new();
    for row in rows {
        let (from, to) = Reach::new(row.at, gap).needs;
        match groups.last_mut() {
            Some((group, needs)) if from <= needs.1 => {
                group.push(row);
                needs.1 = to;
            }
            _ => groups.push((vec![row], (from, to))),
        }
    }
    groups
}

/// Adds the samples that are new, and makes the minutes and slots that they change anew.
async fn merge(
    connection: &mut SqliteConnection,
    source: Source,
    rows: Vec<Row>,
    (from, to): (i64, i64),
    gap: i64,
    changes: &mut Changes,
) -> Result<(), sqlx::Error> {
    let mut all = samples(connection, source, from, to).await?;
    let slots = rollups(connection, source, Tier::Slot, from, to).await?;
    let incomplete = incomplete(&all, &slots);
    let fresh: BTreeMap<i64, Row> = rows
        .into_iter()
        .filter(|row| {
            let (from, to) = Reach::new(row.at, gap).needs;
            !all.contains_key(&row.at) && incomplete.range(from..to).next().is_none()
        })
        .map(|row| (row.at, row))
        .collect();
    insert_samples(connection, source, &fresh).await?;
    changes.taken += fresh.len() as u64;
    let minutes: BTreeSet<i64> = fresh.keys().map(|at| floor(*at, Tier::Minute.length())).collect();
    let touched: BTreeSet<i64> = fresh.keys().flat_map(|at| Reach::new(*at, gap).slots()).collect();
    all.extend(fresh);

    let made = |begin: i64, tier: Tier| {
        let rows = all.range(begin..begin + tier.length()).map(|(_, row)| row);
        Rollup::of_samples(source.kind, rows)
    };
    let minutes = minutes.into_iter().map(|begin| (begin, made(begin, Tier::Minute))).collect();
    write(connection, source, Tier::Minute, &minutes).await?;

    let mut energies = energies(source.kind, all.values(), &touched, gap);
    let mut changed = BTreeMap::new();
    for begin in touched {
        let energy = energies.remove(&begin).unwrap_or_default();
        let slot = Rollup { energy, ..made(begin, Tier::Slot) };
        let before = slots.get(&begin);
        changes.begun |= slot.samples > 0 && before.is_none_or(|before| before.samples == 0);
        // A slot that stays as it was costs no page.
        if before.map_or(!slot.is_empty(), |before| *before != slot) {
            changes.slots.insert(begin);
            changed.insert(begin, slot);
        }
    }
    write(connection, source, Tier::Slot, &changed).await
}

/// The slots of which samples were removed.
fn incomplete(samples: &BTreeMap<i64, Row>, slots: &BTreeMap<i64, Rollup>) -> BTreeSet<i64> {
    let mut missing: BTreeMap<i64, i64> = slots.iter().map(|(begin, slot)| (*begin, slot.samples)).collect();
    for at in samples.keys() {
        *missing.entry(floor(*at, SLOT)).or_default() -= 1;
    }
    missing.into_iter().filter(|(_, missing)| *missing != 0).map(|(begin, _)| begin).collect()
}

/// Makes the parts anew that these slots belong to, and the one that was the newest. The newest itself isn't made: it
/// would be written with every call.
async fn make_parts(
    connection: &mut SqliteConnection,
    source: Source,
    newest_before: Option<i64>,
    changed: &BTreeSet<i64>,
) -> Result<(), sqlx::Error> {
    let Some(newest) = newest_before.max(changed.last().copied()) else { return Ok(()) };
    let parts: BTreeSet<i64> = changed
        .iter()
        .copied()
        .chain(newest_before)
        .map(|slot| floor(slot, PART))
        .filter(|part| *part < floor(newest, PART))
        .collect();
    let mut made = BTreeMap::new();
    for begin in parts {
        let slots = rollups(connection, source, Tier::Slot, begin, begin + PART).await?;
        let part = Rollup::of_rollups(source.kind, slots.values());
        if !part.is_empty() {
            made.insert(begin, part);
        }
    }
    write(connection, source, Tier::Part, &made).await
}

/// The beginning of the newest slot that is kept.
pub(super) async fn newest_slot(
    connection: &mut SqliteConnection,
    source: Source,
) -> Result<Option<i64>, sqlx::Error> {
    let mut sql = QueryBuilder::new("SELECT max(key) FROM ");
    sql.push(source.kind.table(Tier::Slot));
    source.push_where(&mut sql, 0, END.0);
    let key: Option<i64> = sql.build_query_scalar().fetch_one(connection).await?;
    Ok(key.map(|key| source.instant(key)))
}

/// The number of this miner; a new one if it has none.
async fn number(connection: &mut SqliteConnection, miner: &MinerId) -> Result<i64, sqlx::Error> {
    let known = query_scalar("SELECT number FROM miner_numbers WHERE id = ?")
        .bind(&miner.0)
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(number) = known {
        return Ok(number);
    }
    query_scalar("INSERT INTO miner_numbers (id) VALUES (?) RETURNING number")
        .bind(&miner.0)
        .fetch_one(connection)
        .await
}

/// The samples from `from` until before `to`, by their instants.
async fn samples(
    connection: &mut SqliteConnection,
    source: Source,
    from: i64,
    to: i64,
) -> Result<BTreeMap<i64, Row>, sqlx::Error> {
    let mut sql = QueryBuilder::new("SELECT key");
    for quantity in source.kind.quantities {
        sql.push(", ").push(column(*quantity));
    }
    sql.push(" FROM ").push(source.kind.samples);
    source.push_where(&mut sql, from, to);
    sql.build()
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| {
            let at = source.instant(row.try_get(0)?);
            let values = (1..row.len()).map(|index| row.try_get(index)).collect::<Result<_, _>>()?;
            Ok((at, Row { at, values }))
        })
        .collect()
}

async fn insert_samples(
    connection: &mut SqliteConnection,
    source: Source,
    rows: &BTreeMap<i64, Row>,
) -> Result<(), sqlx::Error> {
    let rows: Vec<_> = rows.values().collect();
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let mut sql = QueryBuilder::new("INSERT INTO ");
        sql.push(source.kind.samples).push(" (key");
        for quantity in source.kind.quantities {
            sql.push(", ").push(column(*quantity));
        }
        sql.push(") ").push_values(rows, |mut values, row| {
            values.push_bind(source.key(row.at));
            for value in &row.values {
                values.push_bind(*value);
            }
        });
        sql.build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The rows of a tier that begin from `from` until before `to`, by their beginnings.
async fn rollups(
    connection: &mut SqliteConnection,
    source: Source,
    tier: Tier,
    from: i64,
    to: i64,
) -> Result<BTreeMap<i64, Rollup>, sqlx::Error> {
    let mut sql = QueryBuilder::new("SELECT key");
    push_contents(&mut sql, source, tier);
    sql.push(" FROM ").push(source.kind.table(tier));
    source.push_where(&mut sql, from, to);
    let rows = sql.build().fetch_all(connection).await?;
    rows.iter().map(|row| Ok((source.instant(row.try_get(0)?), rollup(row, source)?))).collect()
}

/// Adds the names of the columns that [`rollup`] reads and [`write()`] fills, after the key.
fn push_contents(sql: &mut QueryBuilder<Sqlite>, source: Source, tier: Tier) {
    sql.push(", samples");
    for quantity in source.kind.quantities {
        let name = column(*quantity);
        sql.push(format_args!(", {name}_unknown, {name}_min, {name}_mean, {name}_max"));
    }
    let meters = source.kind.meters(tier);
    for meter in meters {
        sql.push(", ").push(meter.column);
    }
    if !meters.is_empty() {
        sql.push(", ").push(COVERED);
    }
}

fn rollup(row: &SqliteRow, source: Source) -> Result<Rollup, sqlx::Error> {
    let energy_from = 2 + 4 * source.kind.quantities.len();
    let figure = |index| {
        let known = |min: Option<i64>, mean: Option<i64>, max: Option<i64>| {
            Some(Known { min: min?, mean: mean?, max: max? })
        };
        Ok::<_, sqlx::Error>(Figure {
            unknown: row.try_get(index)?,
            known: known(row.try_get(index + 1)?, row.try_get(index + 2)?, row.try_get(index + 3)?),
        })
    };
    Ok(Rollup {
        samples: row.try_get(1)?,
        figures: (2..energy_from).step_by(4).map(figure).collect::<Result<_, _>>()?,
        energy: (energy_from..row.len()).map(|index| row.try_get(index)).collect::<Result<_, _>>()?,
    })
}

/// Keeps rows of a tier, in place of the ones that are there.
async fn write(
    connection: &mut SqliteConnection,
    source: Source,
    tier: Tier,
    rows: &BTreeMap<i64, Rollup>,
) -> Result<(), sqlx::Error> {
    let rows: Vec<_> = rows.iter().collect();
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let mut sql = QueryBuilder::new("INSERT OR REPLACE INTO ");
        sql.push(source.kind.table(tier)).push(" (key");
        push_contents(&mut sql, source, tier);
        sql.push(") ").push_values(rows, |mut values, (begin, row)| {
            values.push_bind(source.key(**begin)).push_bind(row.samples);
            for figure in &row.figures {
                values.push_bind(figure.unknown);
                values.push_bind(figure.known.map(|known| known.min));
                values.push_bind(figure.known.map(|known| known.mean));
                values.push_bind(figure.known.map(|known| known.max));
            }
            for energy in &row.energy {
                values.push_bind(*energy);
            }
        });
        sql.build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Removes samples that are older than the rules keep, of every source. What the earliest sample that may still come
/// needs around it is left.
async fn remove_old(connection: &mut SqliteConnection, limits: &Limits) -> Result<(), sqlx::Error> {
    let numbers: Vec<i64> =
        query_scalar("SELECT number FROM miner_numbers").fetch_all(&mut *connection).await?;
    let battery = (Source::battery(), limits.battery_gap);
    let miners = numbers.into_iter().map(|number| (Source::miner(number), limits.miner_gap));
    for (source, gap) in std::iter::once(battery).chain(miners) {
        let (before, _) = Reach::new(limits.earliest, gap).needs;
        let mut sql = QueryBuilder::new("SELECT min(key) FROM ");
        sql.push(source.kind.samples);
        source.push_where(&mut sql, 0, before);
        let oldest: Option<i64> = sql.build_query_scalar().fetch_one(&mut *connection).await?;
        if let Some(oldest) = oldest {
            let mut sql = QueryBuilder::new("DELETE FROM ");
            sql.push(source.kind.samples);
            let until = before.min(floor(source.instant(oldest), SLOT) + REMOVED_AT_ONCE);
            source.push_where(&mut sql, 0, until);
            sql.build().execute(&mut *connection).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Now, history::BatterySample};
    use std::time::Duration;

    #[tokio::test]
    async fn a_batch_that_does_not_fit_on_the_disk_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Now::default()).await.unwrap().store;
        let gap = Duration::from_secs(60);
        let rules =
            HistoryRules { battery_gap: gap, miner_gap: gap, keep_samples: Duration::from_secs(86_400) };
        let now = UtcMillis(1_774_051_200_000);
        let sample = |count: i64| BatterySample {
            at: UtcMillis(now.0 - count * 10_000),
            soc: None,
            pv: None,
            load: None,
            grid: None,
            battery: None,
        };
        let samples = Samples { battery: (0..3600).map(sample).collect(), miners: Vec::new() };

        // SQLite answers a page limit that is reached exactly as it answers a full disk.
        let limit = |count: i64| sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {count}"));
        let pages: i64 = query_scalar("PRAGMA page_count").fetch_one(store.writer()).await.unwrap();
        sqlx::query(limit(pages + 60)).execute(store.writer()).await.unwrap();
        let error = store.record_samples(&samples, &rules, now).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        assert_eq!(store.history_begins().await.unwrap(), None);

        sqlx::query(limit(pages + 1000)).execute(store.writer()).await.unwrap();
        store.record_samples(&samples, &rules, now).await.unwrap();
        let begins = store.history_begins().await.unwrap();
        assert_eq!(begins, Some(UtcMillis(floor(now.0 - 35_990_000, 60_000))));
    }
}
