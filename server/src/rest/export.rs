//! `GET /api/history.csv`: everything that was measured, as a stream of rows, for spreadsheets and other programs.
//!
//! Rows are as fine as they are kept: readings as they were taken, and minutes where those were removed; or with `points`, as
//! `/api/battery/history` tells them. A row is an instant, or the beginning of what it stands for. What wasn't measured is empty.
//!
//! The form is that of RFC 4180. All that stands in it are numbers, instants and the names of columns, which begin with a
//! letter and hold nothing that a spreadsheet would take for a formula.

use super::{
    Api, ApiError,
    history::{BATTERY, MINER, Stretch, bad, failed, store},
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use futures::stream;
use model::{
    MinerId, UtcMillis,
    history::{Quantity, Track, Window},
};
use std::{collections::BTreeMap, fmt::Write};
use store::{HistoryRules, MOST_POINTS, Store, StoreError};

/// How much is read at once, in milliseconds: fewer rows than a track may have, however often is measured.
const PIECE: i64 = 6 * 3_600_000;

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/history.csv", get(export))
}

async fn export(State(api): State<Api>, stretch: Stretch) -> Result<Response, ApiError> {
    if stretch.id.is_some() {
        return Err(bad("id", "every miner has columns of its own"));
    }
    let store = store(&api)?.clone();
    let is_whole = stretch.points.is_some();
    let now = api.site.now().utc;
    let mut window = stretch.window(now, api.current.facts().default_days)?;
    if !is_whole {
        // Piece by piece nothing is looked for where nothing can be.
        let begins = store.history_begins().await.map_err(|error| failed(&error))?;
        window.from = window.from.max(begins.unwrap_or(now));
        window.to = window.to.min(UtcMillis(now.0 + 1));
    }
    let miners = api.site.snapshot().miners.iter().map(|miner| miner.id.clone()).collect();
    let export = Export { store, rules: api.current.rules(), miners, window, is_whole };
    let name = format!("attachment; filename=\"history-{}.csv\"", date(window.from));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(export.stream())).into_response())
}

/// The day of an instant, in UTC.
fn date(at: UtcMillis) -> String {
    at.to_string().chars().take_while(|letter| *letter != 'T').collect()
}

/// What is told.
struct Export {
    store: Store,
    rules: HistoryRules,
    miners: Vec<MinerId>,
    window: Window,
    /// The window's points are for all of it, not for each piece.
    is_whole: bool,
}

impl Export {
    /// The head, then piece after piece, each read when somebody wants it. What can't be read breaks the answer off: a file
    /// that ends too early must not look whole.
    fn stream(self) -> impl stream::Stream<Item = Result<Bytes, StoreError>> {
        stream::try_unfold((self, None), async |(export, from): (Self, Option<UtcMillis>)| {
            let Some(from) = from else {
                let head = export.head();
                let from = export.window.from;
                return Ok(Some((Bytes::from(head), (export, Some(from)))));
            };
            if from >= export.window.to {
                return Ok(None);
            }
            let (to, points) = if export.is_whole {
                (export.window.to, export.window.points)
            } else {
                let end = (from.0.div_euclid(PIECE) + 1).saturating_mul(PIECE);
                (UtcMillis(end.min(export.window.to.0)), MOST_POINTS)
            };
            let rows = export.rows(Window { from, to, points }).await?;
            Ok(Some((Bytes::from(rows), (export, Some(to)))))
        })
    }

    fn head(&self) -> String {
        let battery = BATTERY.iter().map(|(_, name)| (*name).to_owned());
        let miners =
            self.miners.iter().flat_map(|miner| MINER.map(|(_, name)| format!("{name}[{}]", miner.0)));
        let columns: Vec<_> = ["time".to_owned()].into_iter().chain(battery).chain(miners).collect();
        columns.join(",") + "\r\n"
    }

    async fn rows(&self, window: Window) -> Result<String, StoreError> {
        let mut rows: BTreeMap<UtcMillis, Vec<Option<f64>>> = BTreeMap::new();
        let width = BATTERY.len() + self.miners.len() * MINER.len();
        let mut put = |track: &Track, names: &[(Quantity, &str)], first: usize| {
            for (column, (quantity, _)) in names.iter().enumerate() {
                let Some(series) = track.series(*quantity) else { continue };
                for (at, value) in track.at.iter().zip(&series.mean) {
                    let row = rows.entry(*at).or_insert_with(|| vec![None; width]);
                    if let Some(place) = row.get_mut(first + column) {
                        *place = *value;
                    }
                }
            }
        };
        let of_battery = BATTERY.map(|(quantity, _)| quantity);
        let battery = self.store.battery_history(window, &of_battery, self.rules.battery_gap).await?;
        put(&battery, &BATTERY, 0);
        let of_miner = MINER.map(|(quantity, _)| quantity);
        for (index, miner) in self.miners.iter().enumerate() {
            let track = self.store.miner_history(miner, window, &of_miner, self.rules.miner_gap).await?;
            put(&track, &MINER, BATTERY.len() + index * MINER.len());
        }
        let mut text = String::new();
        for (at, values) in rows {
            // A String takes everything.
            let _ = write!(text, "{at}");
            for value in values {
                let _ = match value {
                    Some(value) => write!(text, ",{value}"),
                    None => write!(text, ","),
                };
            }
            text.push_str("\r\n");
        }
        Ok(text)
    }
}
