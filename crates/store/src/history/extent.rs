//! How far what is kept reaches.

use super::{
    END,
    source::{BATTERY, Kind, MINER, Source, Tier},
};
use crate::{Store, StoreError, within};
use model::UtcMillis;
use sqlx::{QueryBuilder, SqliteConnection, query_scalar};

/// From the first to the last row of a tier, over all sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The first.
    pub from: UtcMillis,
    /// The last; a row of a stretch is where that begins.
    pub to: UtcMillis,
}

/// How far each tier reaches; `None` where there is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extents {
    /// Samples as they were taken.
    pub samples: Option<Extent>,
    /// Rows of a minute.
    pub minutes: Option<Extent>,
    /// Rows of a quarter of an hour.
    pub slots: Option<Extent>,
    /// Rows of six hours.
    pub parts: Option<Extent>,
}

/// The name of a tier's table, for a kind of source.
type Table = fn(&Kind) -> &'static str;

impl Store {
    /// How far what was measured reaches, in each tier.
    pub async fn history_extents(&self) -> Result<Extents, StoreError> {
        within("reading how far the history reaches", async {
            let mut connection = self.readers().acquire().await?;
            let numbers: Vec<i64> =
                query_scalar("SELECT number FROM miner_numbers").fetch_all(&mut *connection).await?;
            let mut extents = Extents::default();
            let tiers: [(&mut Option<Extent>, Table); 4] = [
                (&mut extents.samples, |kind| kind.samples),
                (&mut extents.minutes, |kind| kind.table(Tier::Minute)),
                (&mut extents.slots, |kind| kind.table(Tier::Slot)),
                (&mut extents.parts, |kind| kind.table(Tier::Part)),
            ];
            for (extent, table) in tiers {
                let miners = numbers.iter().map(|number| (table(&MINER), Source::miner(*number)));
                for (table, source) in std::iter::once((table(&BATTERY), Source::battery())).chain(miners) {
                    let from = end(&mut connection, "min", table, source).await?;
                    let to = end(&mut connection, "max", table, source).await?;
                    let Some((from, to)) = from.zip(to) else { continue };
                    *extent = Some(extent.map_or(Extent { from, to }, |known| Extent {
                        from: known.from.min(from),
                        to: known.to.max(to),
                    }));
                }
            }
            Ok(extents)
        })
        .await
    }
}

/// One end of a source's rows. Asked for both at once, SQLite would look at all of them.
async fn end(
    connection: &mut SqliteConnection,
    which: &str,
    table: &str,
    source: Source,
) -> Result<Option<UtcMillis>, sqlx::Error> {
    let mut sql = QueryBuilder::new(format!("SELECT {which}(key) FROM {table}"));
    source.push_where(&mut sql, 0, END.0);
    let key: Option<i64> = sql.build_query_scalar().fetch_one(connection).await?;
    Ok(key.map(|key| UtcMillis(source.instant(key))))
}
