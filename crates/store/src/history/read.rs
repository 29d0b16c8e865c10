//! What the history tells: tracks of a limited number of points, energies, and where it begins.

use super::{
    END, MINUTE, PART, SLOT, floor, millis,
    record::newest_slot,
    source::{Source, Tier, column, scale},
};
use crate::{Store, StoreError, within};
use model::{
    MinerId, UtcMillis,
    history::{BatteryEnergy, MinerEnergy, Quantity, Series, Track, Window},
};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, query, query_scalar, sqlite::SqliteRow};
use std::time::Duration;

/// The most points that a track has, whatever its window allows.
pub const MOST_POINTS: u32 = 10_000;

/// Lengths of buckets that people can read a clock by, in milliseconds; beyond the last, each is twice the one before.
const STEPS: [i64; 15] = [
    10_000,
    30_000,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    60 * MINUTE,
    120 * MINUTE,
    360 * MINUTE,
    720 * MINUTE,
    1440 * MINUTE,
    2880 * MINUTE,
    10_080 * MINUTE,
];

/// Whose history is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The battery's.
    Battery,
    /// A miner's.
    Miner(MinerId),
}

/// How finely a stretch of time is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detail(Plan);

impl Detail {
    /// Length of the buckets in milliseconds; `None` if every point is a sample as it was taken.
    pub const fn step_ms(self) -> Option<i64> {
        self.0.step()
    }
}

impl Store {
    /// The battery over a stretch of time, told in at most as many points as the window allows (1 to
    /// [`MOST_POINTS`]; what is outside counts as the nearest of them). A quantity that the battery doesn't have is
    /// never known. `longest_gap` is the longest time between two snapshots that belong together.
    ///
    /// Points are the samples themselves while these are kept and not too many, else buckets: the shortest of 10 or
    /// 30 s, 1, 2, 5, 10, 15 or 30 min, 1, 2, 6 or 12 h, 1, 2, 7, 14, … days that are few enough, and no shorter than
    /// a minute where samples were removed. Buckets begin at a multiple of their length since 1970. A bucket is made
    /// of what lies in the window; at the window's edges that is rounded outwards to whole minutes, and to whole
    /// quarters of an hour where buckets are as long as that. A bucket in which there is no sample is left out.
    pub async fn battery_history(
        &self,
        window: Window,
        quantities: &[Quantity],
        longest_gap: Duration,
    ) -> Result<Track, StoreError> {
        self.history(&Subject::Battery, window, None, quantities, longest_gap).await
    }

    /// A miner over a stretch of time, as [`Store::battery_history`] tells the battery.
    pub async fn miner_history(
        &self,
        miner: &MinerId,
        window: Window,
        quantities: &[Quantity],
        longest_gap: Duration,
    ) -> Result<Track, StoreError> {
        self.history(&Subject::Miner(miner.clone()), window, None, quantities, longest_gap).await
    }

    /// How finely the histories tell this window.
    pub async fn history_detail(&self, subject: &Subject, window: Window) -> Result<Detail, StoreError> {
        within("reading the history", async {
            let mut transaction = self.readers().begin().await?;
            let plan = match (source(&mut transaction, subject).await?, Asked::new(window)) {
                (Some(source), Some(asked)) => plan(&mut transaction, source, asked).await?,
                _ => Plan::Samples,
            };
            transaction.commit().await?;
            Ok(Detail(plan))
        })
        .await
    }

    /// A part of a longer stretch of time, told as finely as the whole was found to be: parts that begin and end at a
    /// multiple of the step are together what the whole is. How many points that makes is the caller's to bound.
    pub async fn history_part(
        &self,
        subject: &Subject,
        from: UtcMillis,
        to: UtcMillis,
        detail: Detail,
        quantities: &[Quantity],
        longest_gap: Duration,
    ) -> Result<Track, StoreError> {
        let part = Window { from, to, points: MOST_POINTS };
        self.history(subject, part, Some(detail), quantities, longest_gap).await
    }

    async fn history(
        &self,
        subject: &Subject,
        window: Window,
        detail: Option<Detail>,
        quantities: &[Quantity],
        longest_gap: Duration,
    ) -> Result<Track, StoreError> {
        within("reading the history", async {
            let mut transaction = self.readers().begin().await?;
            let track = match (source(&mut transaction, subject).await?, Asked::new(window)) {
                (Some(source), Some(asked)) => {
                    let plan = match detail {
                        Some(Detail(plan)) => plan,
                        None => plan(&mut transaction, source, asked).await?,
                    };
                    track(&mut transaction, source, asked, plan, quantities, longest_gap).await?
                }
                _ => Points::default().track(None, quantities, longest_gap),
            };
            transaction.commit().await?;
            Ok(track)
        })
        .await
    }

    /// The battery's energies in the quarters of an hour that begin from `from` until before `to`: whole quarters, as
    /// UTC counts them. Covered is the time in which at least one of the powers is known.
    pub async fn battery_energy(&self, from: UtcMillis, to: UtcMillis) -> Result<BatteryEnergy, StoreError> {
        let (from, to) = (from.0.clamp(0, END.0), to.0.clamp(0, END.0));
        within("reading the energies", async {
            let row = query(
                "SELECT total(pv_mwh) AS pv, total(load_mwh) AS load, total(imported_mwh) AS imported, \
                 total(exported_mwh) AS exported, total(charged_mwh) AS charged, \
                 total(discharged_mwh) AS discharged, total(covered_ms) AS covered \
                 FROM battery_15min WHERE key >= ? AND key < ?",
            )
            .bind(from)
            .bind(to)
            .fetch_one(self.readers())
            .await?;
            Ok(BatteryEnergy {
                pv_wh: thousandth(&row, "pv")?,
                load_wh: thousandth(&row, "load")?,
                imported_wh: thousandth(&row, "imported")?,
                exported_wh: thousandth(&row, "exported")?,
                charged_wh: thousandth(&row, "charged")?,
                discharged_wh: thousandth(&row, "discharged")?,
                covered_s: thousandth(&row, "covered")?,
            })
        })
        .await
    }

    /// A miner's energy in the quarters of an hour that begin from `from` until before `to`: whole quarters, as UTC
    /// counts them.
    pub async fn miner_energy(
        &self,
        miner: &MinerId,
        from: UtcMillis,
        to: UtcMillis,
    ) -> Result<MinerEnergy, StoreError> {
        let (from, to) = (from.0.clamp(0, END.0), to.0.clamp(0, END.0));
        within("reading the energies", async {
            let row = query(
                "SELECT total(drawn_mwh) AS drawn, total(covered_ms) AS covered FROM miner_numbers \
                 JOIN miner_15min ON key >= (number << 48) + ? AND key < (number << 48) + ? WHERE id = ?",
            )
            .bind(from)
            .bind(to)
            .bind(&miner.0)
            .fetch_one(self.readers())
            .await?;
            Ok(MinerEnergy { drawn_wh: thousandth(&row, "drawn")?, covered_s: thousandth(&row, "covered")? })
        })
        .await
    }

    /// The minute of the earliest sample there ever was, of the battery or of any miner; `None` if there was none.
    pub async fn history_begins(&self) -> Result<Option<UtcMillis>, StoreError> {
        within("reading the history", async {
            // Of each miner the first row is at hand. For a miner without any it is one of a later miner, and counts
            // less than that does for its own.
            let begins: Option<i64> = query_scalar(
                "SELECT min(begin) FROM (SELECT min(key) AS begin FROM battery_1min UNION ALL \
                 SELECT (SELECT min(key) FROM miner_1min WHERE key >= number << 48) - (number << 48) \
                 FROM miner_numbers)",
            )
            .fetch_one(self.readers())
            .await?;
            Ok(begins.map(UtcMillis))
        })
        .await
    }
}

fn thousandth(row: &SqliteRow, column: &'static str) -> Result<f64, sqlx::Error> {
    Ok(row.try_get::<f64, _>(column)? / 1000.0)
}

/// A window that times and points were clamped in, not empty.
#[derive(Debug, Clone, Copy)]
struct Asked {
    from: i64,
    to: i64,
    points: i64,
}

/// What a track is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    Samples,
    /// Of samples.
    ShortBuckets(i64),
    /// Of a tier's rows.
    Buckets(Tier, i64),
}

impl Plan {
    const fn step(self) -> Option<i64> {
        match self {
            Self::Samples => None,
            Self::ShortBuckets(step) | Self::Buckets(_, step) => Some(step),
        }
    }
}

impl Asked {
    /// What of a window can be asked for; `None` if that is empty.
    fn new(window: Window) -> Option<Self> {
        let (from, to) = (window.from.0.clamp(0, END.0), window.to.0.clamp(0, END.0));
        let points = i64::from(window.points.clamp(1, MOST_POINTS));
        (from < to).then_some(Self { from, to, points })
    }
}

/// Where the samples of a subject are; `None` of a miner that has none.
async fn source(connection: &mut SqliteConnection, subject: &Subject) -> Result<Option<Source>, sqlx::Error> {
    let Subject::Miner(miner) = subject else { return Ok(Some(Source::battery())) };
    let number = query_scalar("SELECT number FROM miner_numbers WHERE id = ?");
    Ok(number.bind(&miner.0).fetch_optional(connection).await?.map(Source::miner))
}

async fn track(
    connection: &mut SqliteConnection,
    source: Source,
    asked: Asked,
    plan: Plan,
    quantities: &[Quantity],
    longest_gap: Duration,
) -> Result<Track, sqlx::Error> {
    let wanted: Vec<_> =
        source.kind.quantities.iter().copied().filter(|quantity| quantities.contains(quantity)).collect();
    let mut sql = match plan {
        Plan::Samples => select_samples(source, asked, &wanted),
        Plan::ShortBuckets(step) => select_short_buckets(source, asked, &wanted, step),
        Plan::Buckets(tier, step) => {
            let newest = newest_slot(connection, source).await?;
            select_buckets(source, asked, &wanted, tier, step, newest)
        }
    };
    let rows = sql.build().persistent(false).fetch_all(connection).await?;
    let points = match plan {
        Plan::Samples => Points::of_samples(&rows, source, &wanted)?,
        Plan::ShortBuckets(_) | Plan::Buckets(..) => Points::of_buckets(&rows, source, &wanted)?,
    };
    Ok(points.track(plan.step(), quantities, longest_gap))
}

async fn plan(connection: &mut SqliteConnection, source: Source, asked: Asked) -> Result<Plan, sqlx::Error> {
    let fit = samples_fit(connection, source, asked).await?;
    let step = step_for(asked, 0);
    if (fit || step < MINUTE) && all_samples_are_kept(connection, source, asked).await? {
        return Ok(if fit { Plan::Samples } else { Plan::ShortBuckets(step) });
    }
    let step = step_for(asked, MINUTE);
    let tier = if step % PART == 0 {
        Tier::Part
    } else if step % SLOT == 0 {
        Tier::Slot
    } else {
        Tier::Minute
    };
    Ok(Plan::Buckets(tier, step))
}

/// The smallest step, and no smaller than `least`, with few enough buckets.
fn step_for(asked: Asked, least: i64) -> i64 {
    let last = STEPS.last().copied().unwrap_or(MINUTE);
    let longer = std::iter::successors(Some(last), |step| step.checked_mul(2)).skip(1);
    let few_enough = |step: &i64| (asked.to - 1) / step - asked.from / step < asked.points;
    STEPS
        .into_iter()
        .chain(longer)
        .filter(|step| *step >= least)
        .find(few_enough)
        // One bucket for all times there are.
        .unwrap_or(END.0)
}

/// Whether the window has no more samples than points.
async fn samples_fit(
    connection: &mut SqliteConnection,
    source: Source,
    asked: Asked,
) -> Result<bool, sqlx::Error> {
    let mut sql = QueryBuilder::new("SELECT count(*) FROM (SELECT 1 FROM ");
    sql.push(source.kind.samples);
    source.push_where(&mut sql, asked.from, asked.to);
    sql.push(" LIMIT ").push_bind(asked.points + 1).push(")");
    let count: i64 = sql.build_query_scalar().fetch_one(connection).await?;
    Ok(count <= asked.points)
}

/// Whether no sample of the window was removed: there are as many as its slots counted.
async fn all_samples_are_kept(
    connection: &mut SqliteConnection,
    source: Source,
    asked: Asked,
) -> Result<bool, sqlx::Error> {
    let (from, to) = (floor(asked.from, SLOT), floor(asked.to - 1, SLOT) + SLOT);
    let mut sql = QueryBuilder::new("SELECT count(*) FROM ");
    sql.push(source.kind.samples);
    source.push_where(&mut sql, from, to);
    let kept: i64 = sql.build_query_scalar().fetch_one(&mut *connection).await?;
    // More slots than samples are enough to know: no need to read them all.
    let mut sql = QueryBuilder::new("SELECT total(samples) FROM (SELECT samples FROM ");
    sql.push(source.kind.table(Tier::Slot));
    source.push_where(&mut sql, from, to);
    sql.push(" AND samples > 0 LIMIT ").push_bind(kept + 1).push(")");
    let counted: f64 = sql.build_query_scalar().fetch_one(connection).await?;
    Ok(counted as i64 == kept)
}

fn select_samples(source: Source, asked: Asked, wanted: &[Quantity]) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT key");
    for quantity in wanted {
        sql.push(", ").push(column(*quantity));
    }
    sql.push(" FROM ").push(source.kind.samples);
    source.push_where(&mut sql, asked.from, asked.to);
    sql.push(" ORDER BY key");
    sql
}

fn select_short_buckets(
    source: Source,
    asked: Asked,
    wanted: &[Quantity],
    step: i64,
) -> QueryBuilder<Sqlite> {
    let mut sql = select_bucket(source, step);
    for quantity in wanted {
        let name = column(*quantity);
        sql.push(format_args!(", min({name}), avg({name}), max({name})"));
    }
    sql.push(" FROM ").push(source.kind.samples);
    source.push_where(&mut sql, asked.from, asked.to);
    sql.push(" GROUP BY bucket ORDER BY bucket");
    sql
}

/// The key of the bucket that a row is in.
fn select_bucket(source: Source, step: i64) -> QueryBuilder<Sqlite> {
    let zero = source.key(0);
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(format_args!("(key - {zero}) / {step} * {step} + {zero} AS bucket"));
    sql
}

fn select_buckets(
    source: Source,
    asked: Asked,
    wanted: &[Quantity],
    tier: Tier,
    step: i64,
    newest: Option<i64>,
) -> QueryBuilder<Sqlite> {
    let mut sql = select_bucket(source, step);
    for quantity in wanted {
        let name = column(*quantity);
        sql.push(format_args!(
            ", min({name}_min), \
             total({name}_mean * (samples - {name}_unknown)) / nullif(sum(samples - {name}_unknown), 0), \
             max({name}_max)"
        ));
    }
    sql.push(" FROM (");
    let stretches = stretches(asked, tier, newest);
    for (index, (tier, from, to)) in stretches.into_iter().enumerate() {
        sql.push(if index == 0 { "SELECT key, samples" } else { " UNION ALL SELECT key, samples" });
        for quantity in wanted {
            let name = column(*quantity);
            sql.push(format_args!(", {name}_unknown, {name}_min, {name}_mean, {name}_max"));
        }
        sql.push(" FROM ").push(source.kind.table(tier));
        source.push_where(&mut sql, from, to);
        sql.push(" AND samples > 0");
    }
    sql.push(") GROUP BY bucket ORDER BY bucket");
    sql
}

/// From which tier which stretch of the window is told. Parts tell from the first that is whole in the window until the
/// one before the newest that there is; slots tell what is left of the window at both sides.
fn stretches(asked: Asked, tier: Tier, newest: Option<i64>) -> Vec<(Tier, i64, i64)> {
    if tier != Tier::Part {
        return vec![(tier, floor(asked.from, tier.length()), asked.to)];
    }
    let slots = floor(asked.from, SLOT);
    let from = floor(slots + PART - 1, PART);
    let to = floor(newest.unwrap_or(0).min(asked.to), PART);
    if from >= to {
        return vec![(Tier::Slot, slots, asked.to)];
    }
    vec![(Tier::Slot, slots, from), (Tier::Part, from, to), (Tier::Slot, to, asked.to)]
}

/// The points of a track, each quantity of the source once.
#[derive(Default)]
struct Points {
    at: Vec<UtcMillis>,
    series: Vec<Series>,
}

impl Points {
    /// Each row is a key and a value for each quantity.
    fn of_samples(rows: &[SqliteRow], source: Source, quantities: &[Quantity]) -> Result<Self, sqlx::Error> {
        let mut series = Vec::new();
        for (quantity, index) in quantities.iter().zip(1..) {
            let values: Vec<_> =
                rows.iter().map(|row| whole(row, index, *quantity)).collect::<Result<_, _>>()?;
            let (min, mean, max) = (values.clone(), values.clone(), values);
            series.push(Series { quantity: *quantity, min, mean, max });
        }
        Ok(Self { at: instants(rows, source)?, series })
    }

    /// Each row is a key and, for each quantity, the least value, the mean and the greatest.
    fn of_buckets(rows: &[SqliteRow], source: Source, quantities: &[Quantity]) -> Result<Self, sqlx::Error> {
        let mut series = Vec::new();
        for (quantity, index) in quantities.iter().zip((1..).step_by(3)) {
            series.push(Series {
                quantity: *quantity,
                min: rows.iter().map(|row| whole(row, index, *quantity)).collect::<Result<_, _>>()?,
                mean: rows.iter().map(|row| real(row, index + 1, *quantity)).collect::<Result<_, _>>()?,
                max: rows.iter().map(|row| whole(row, index + 2, *quantity)).collect::<Result<_, _>>()?,
            });
        }
        Ok(Self { at: instants(rows, source)?, series })
    }

    /// As it was asked for.
    fn track(self, step: Option<i64>, quantities: &[Quantity], longest_gap: Duration) -> Track {
        let gap = millis(longest_gap);
        let unknown = vec![None; self.at.len()];
        let series = quantities
            .iter()
            .map(|asked| {
                self.series.iter().find(|series| series.quantity == *asked).cloned().unwrap_or_else(|| {
                    Series {
                        quantity: *asked,
                        min: unknown.clone(),
                        mean: unknown.clone(),
                        max: unknown.clone(),
                    }
                })
            })
            .collect();
        let gap_ms = step.map_or(gap, |step| gap.max(step.saturating_add(step / 2)));
        Track { step_ms: step, gap_ms, at: self.at, series }
    }
}

fn instants(rows: &[SqliteRow], source: Source) -> Result<Vec<UtcMillis>, sqlx::Error> {
    rows.iter().map(|row| Ok(UtcMillis(source.instant(row.try_get(0)?)))).collect()
}

fn whole(row: &SqliteRow, index: usize, quantity: Quantity) -> Result<Option<f64>, sqlx::Error> {
    let value: Option<i64> = row.try_get(index)?;
    Ok(value.map(|value| value as f64 / scale(quantity)))
}

fn real(row: &SqliteRow, index: usize, quantity: Quantity) -> Result<Option<f64>, sqlx::Error> {
    let value: Option<f64> = row.try_get(index)?;
    Ok(value.map(|value| value / scale(quantity)))
}
