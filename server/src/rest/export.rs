//! `GET /api/history.csv` and `.json`: what was measured, as a table for spreadsheets or programs, however long the stretch.
//!
//! The table is never whole in memory: it is made and sent piece by piece. A task of its own makes the pieces, each from
//! questions to the store that end before it is handed over: whoever reads slowly or not at all holds no connection to the
//! database, and after a while is waited for no longer. What breaks in the middle breaks the connection: a table that ends
//! is whole.

mod form;
mod waiting;

use super::{
    Api, ApiError,
    history::{BATTERY, MINER, Stretch, failed, store},
    which::{Which, ids, starting},
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use form::Form;
use futures::{Stream, StreamExt, stream};
use model::{
    MinerId, UtcMillis,
    history::{Quantity, Series, Track, Window},
};
use std::{io, pin::pin, sync::Arc, time::Duration};
use store::{Detail, HistoryRules, MOST_POINTS, Store, StoreError, Subject};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};
use waiting::Waiting;

/// How many tables may be made at once.
const AT_ONCE: usize = 2;
/// The longest a piece waits for its reader, in real time.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest a table takes, in real time: some decades of minutes, over the slowest of networks.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// About how many rows a piece has, where a row stands for a step of time.
const ROWS: i64 = 500;
/// The length of a piece where every sample is told, in milliseconds: a reading a second fits in.
const PIECE: i64 = 2 * 3_600_000;
/// How far in the future the battery's own time can lie, in milliseconds.
const AHEAD: i64 = 86_400_000;

/// Who may make a table now. Clones are the same.
#[derive(Clone)]
pub struct Exports(Arc<Semaphore>);

impl Default for Exports {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/history.csv", get(csv)).route("/history.json", get(json))
}

async fn csv(State(api): State<Api>, stretch: Stretch) -> Result<Response, ApiError> {
    table(&api, &stretch, Form::Csv).await
}

async fn json(State(api): State<Api>, stretch: Stretch) -> Result<Response, ApiError> {
    table(&api, &stretch, Form::Json).await
}

async fn table(api: &Api, stretch: &Stretch, form: Form) -> Result<Response, ApiError> {
    let miners = miners(api, stretch)?;
    let store = store(api)?;
    let now = api.site.now().utc;
    let window = stretch.window(now, api.current.facts().default_days)?;
    let rules = api.current.rules();
    let Ok(permit) = Arc::clone(&api.exports.0).try_acquire_owned() else {
        let message = "others are making tables already; try again in a minute";
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_exports", message));
    };
    let columns = std::iter::once(Columns::of_battery(rules));
    let columns = columns.chain(miners.into_iter().map(|miner| Columns::of_miner(miner, rules))).collect();
    // What fails here fails with words. Later, all that can be done is to break the connection.
    let latest = UtcMillis(now.0.saturating_add(AHEAD));
    // Before the store is asked: what is written in between is then in both.
    let waiting = Waiting::new(api.site.waiting_samples());
    let beginning = Table::begin(store.clone(), columns, window, latest, stretch.points, form, waiting);
    let table = beginning.await.map_err(|error| failed(&error))?;
    let headers = [
        (header::CONTENT_TYPE, form.content_type().to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file_name(window, form))),
    ];
    Ok((headers, Body::from_stream(sent(table.pieces(), permit, PATIENCE))).into_response())
}

/// The miners that are meant, those that are controlled first.
fn miners(api: &Api, stretch: &Stretch) -> Result<Vec<MinerId>, ApiError> {
    let snapshot = api.site.snapshot();
    if stretch.id.is_some() {
        return Ok(vec![Which(stretch.id.clone()).known(&snapshot)?.clone()]);
    }
    if snapshot.tick == 0 {
        return Err(starting());
    }
    Ok(ids(&snapshot).cloned().collect())
}

/// A name that every system takes: of digits, and of what we put between them.
fn file_name(window: Window, form: Form) -> String {
    let plain = |at: UtcMillis| at.to_string().replace(['-', ':'], "");
    format!("wm-controller-{}-{}.{}", plain(window.from), plain(window.to), form.ending())
}

/// Columns of the table that are of one source, and so from one track.
struct Columns {
    subject: Subject,
    /// What their names begin with. Never empty for a name from outside: a spreadsheet takes what begins with `=`, `+`,
    /// `-` or `@` for a formula.
    prefix: String,
    names: &'static [(Quantity, &'static str)],
    gap: Duration,
    /// How finely they are told; chosen for each piece, if `None`.
    detail: Option<Detail>,
}

impl Columns {
    fn of_battery(rules: HistoryRules) -> Self {
        let (subject, gap) = (Subject::Battery, rules.battery_gap);
        Self { subject, prefix: String::new(), names: &BATTERY, gap, detail: None }
    }

    fn of_miner(miner: MinerId, rules: HistoryRules) -> Self {
        let (prefix, gap) = (format!("miner_{miner}_"), rules.miner_gap);
        Self { subject: Subject::Miner(miner), prefix, names: &MINER, gap, detail: None }
    }

    fn step(&self) -> Option<i64> {
        self.detail.and_then(Detail::step_ms)
    }

    fn titles(&self) -> impl Iterator<Item = String> {
        self.names.iter().flat_map(move |(_, name)| {
            self.endings().iter().map(move |ending| format!("{}{name}{ending}", self.prefix))
        })
    }

    /// As the history's rows have them: a row of several samples has the least and the greatest value beside the mean.
    fn endings(&self) -> &'static [&'static str] {
        if self.step().is_some() { &["", "_min", "_max"] } else { &[""] }
    }

    /// What a track of them says at a point; nothing, where it has none.
    fn values(&self, track: &Track, point: Option<usize>) -> impl Iterator<Item = Option<f64>> {
        self.names.iter().flat_map(move |(quantity, _)| {
            let series = track.series(*quantity);
            let value =
                move |of: fn(&Series) -> &Vec<Option<f64>>| of(series?).get(point?).copied().flatten();
            let values =
                [value(|series| &series.mean), value(|series| &series.min), value(|series| &series.max)];
            values.into_iter().take(self.endings().len())
        })
    }

    async fn track(&self, store: &Store, from: UtcMillis, to: UtcMillis) -> Result<Track, StoreError> {
        let quantities: Vec<_> = self.names.iter().map(|(quantity, _)| *quantity).collect();
        let detail = match self.detail {
            Some(detail) => detail,
            None => store.history_detail(&self.subject, Window { from, to, points: MOST_POINTS }).await?,
        };
        store.history_part(&self.subject, from, to, detail, &quantities, self.gap).await
    }
}

/// A table that is being made.
struct Table {
    store: Store,
    columns: Vec<Columns>,
    waiting: Waiting,
    form: Form,
    has_titles: bool,
    has_rows: bool,
    has_ended: bool,
    /// What is told so far ends here.
    at: i64,
    to: i64,
    /// The length of a piece, in milliseconds. Pieces end at its multiples.
    piece: i64,
}

impl Table {
    /// A table over a window. With a number of points it has the rows that the histories tell for the same question; else
    /// every sample as it was taken, and where these were removed, minutes. Behind that is what waits to be written. Nothing is
    /// later than `latest`.
    async fn begin(
        store: Store,
        mut columns: Vec<Columns>,
        window: Window,
        latest: UtcMillis,
        points: Option<u32>,
        form: Form,
        waiting: Waiting,
    ) -> Result<Self, StoreError> {
        let mut piece = PIECE;
        if let Some(points) = points {
            for columns in &mut columns {
                columns.detail = Some(store.history_detail(&columns.subject, window).await?);
            }
            // The steps of several sources divide the longest of them.
            let step = columns.iter().filter_map(Columns::step).max();
            let pieces = i64::from(points) / ROWS + 1;
            piece = step
                .map_or(window.to.millis_since(window.from) / pieces + 1, |step| step.saturating_mul(ROWS));
        }
        // Nothing is looked for where nothing can be.
        let begins = store.history_begins().await?.into_iter().chain(waiting.begins()).min();
        let begins = begins.map_or(i64::MAX, |begins| begins.0);
        let at = window.from.0.max(begins.saturating_sub(begins.rem_euclid(piece)));
        let to = window.to.min(latest).0;
        let (has_titles, has_rows, has_ended) = (false, false, false);
        Ok(Self { store, columns, waiting, form, has_titles, has_rows, has_ended, at, to, piece })
    }

    /// The table, piece by piece.
    fn pieces(self) -> impl Stream<Item = io::Result<Bytes>> {
        stream::try_unfold(self, async |mut table| Ok(table.next().await?.map(|piece| (piece, table))))
    }

    /// The next piece that isn't empty; `None` after the last.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if !self.has_titles {
            self.has_titles = true;
            let time = std::iter::once("time".to_owned());
            let titles: Vec<_> = time.chain(self.columns.iter().flat_map(Columns::titles)).collect();
            return self.form.beginning(&titles).map(Some);
        }
        while self.at < self.to {
            let until = self.at.saturating_sub(self.at.rem_euclid(self.piece)).saturating_add(self.piece);
            let (from, to) = (UtcMillis(self.at), UtcMillis(until.min(self.to)));
            let mut tracks = Vec::new();
            for columns in &self.columns {
                let mut track = columns.track(&self.store, from, to).await.map_err(io::Error::other)?;
                self.waiting.go_on(&mut track, &columns.subject, from, to);
                tracks.push(track);
            }
            self.at = to.0;
            let rows = self.rows(&tracks)?;
            if !rows.is_empty() {
                self.has_rows = true;
                return Ok(Some(rows));
            }
        }
        if self.has_ended {
            return Ok(None);
        }
        self.has_ended = true;
        Ok(self.form.end())
    }

    /// A row for each instant at which anything is told.
    fn rows(&self, tracks: &[Track]) -> io::Result<Bytes> {
        let mut rows = self.form.rows(!self.has_rows);
        let mut points = vec![0; tracks.len()];
        loop {
            let ahead = tracks.iter().zip(&points).map(|(track, point)| track.at.get(*point));
            let Some(instant) = ahead.flatten().min() else { return rows.finished() };
            let mut values = Vec::new();
            for ((columns, track), point) in self.columns.iter().zip(tracks).zip(&mut points) {
                let here = track.at.get(*point).filter(|at| *at == instant).map(|_| *point);
                values.extend(columns.values(track, here));
                *point += usize::from(here.is_some());
            }
            rows.add(*instant, values.into_iter())?;
        }
    }
}

/// What is handed to the reader's side.
enum Message {
    Piece(Bytes),
    End,
}

/// Makes the pieces in a task of its own, one ahead of the reader. That task ends, and gives the permit back, when all is
/// sent, when something fails, or when the reader is gone, takes nothing for longer than `patience`, or too long altogether.
fn sent(
    pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    permit: OwnedSemaphorePermit,
    patience: Duration,
) -> impl Stream<Item = io::Result<Bytes>> {
    let (sender, receiver) = mpsc::channel(1);
    let send = async move {
        let mut pieces = pin!(pieces);
        loop {
            let message = match pieces.next().await {
                Some(Ok(piece)) => Message::Piece(piece),
                Some(Err(error)) => {
                    tracing::warn!(%error, "a table broke off");
                    return;
                }
                None => Message::End,
            };
            let is_last = matches!(message, Message::End);
            match timeout(patience, sender.send(message)).await {
                Ok(Ok(())) if !is_last => {}
                Ok(_) => return,
                Err(_) => {
                    tracing::info!("a table broke off: nobody read it any more");
                    return;
                }
            }
        }
    };
    tokio::spawn(async move {
        let _permit = permit;
        if timeout(LONGEST, send).await.is_err() {
            tracing::info!("a table broke off: it was read too slowly");
        }
    });
    let received = stream::unfold(Some(receiver), async |receiver| {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Message::Piece(piece)) => Some((Ok(piece), Some(receiver))),
            Some(Message::End) => None,
            None => Some((Err(io::Error::other("the table broke off")), None)),
        }
    });
    // Who packs it for the way asks once more after the end.
    received.fuse()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permit() -> (Arc<Semaphore>, OwnedSemaphorePermit) {
        let semaphore = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&semaphore).try_acquire_owned().unwrap();
        (semaphore, permit)
    }

    fn piece(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[tokio::test]
    async fn a_table_that_is_read_to_its_end_is_whole() {
        let (semaphore, permit) = permit();
        let pieces = stream::iter([piece("a"), piece("b"), piece("c")].map(Ok));
        let mut table = pin!(sent(pieces, permit, PATIENCE));
        let read: Vec<_> = table.as_mut().map(Result::unwrap).collect().await;
        assert_eq!(read, ["a", "b", "c"]);
        assert!(table.next().await.is_none(), "its end is told as often as it is asked for");
        assert!(semaphore.acquire().await.is_ok(), "the next can be made");
    }

    #[tokio::test]
    async fn what_breaks_in_the_middle_is_no_end() {
        let (_, permit) = permit();
        let pieces = stream::iter([Ok(piece("a")), Err(io::Error::other("the disk")), Ok(piece("b"))]);
        let read: Vec<_> = sent(pieces, permit, PATIENCE).collect().await;
        assert!(matches!(&read[..], [Ok(_), Err(_)]), "{read:?}");
    }

    #[tokio::test]
    async fn whoever_reads_nothing_is_waited_for_no_longer_than_that() {
        let (semaphore, permit) = permit();
        let mut table = pin!(sent(stream::repeat_with(|| Ok(piece("a"))), permit, Duration::ZERO));
        // One piece lies ready; the next finds nobody who takes it.
        drop(semaphore.acquire().await.unwrap());
        assert_eq!(table.next().await.unwrap().unwrap(), "a");
        assert!(table.next().await.unwrap().is_err(), "and what was read isn't taken for the whole");
    }

    #[tokio::test]
    async fn whoever_goes_away_leaves_nothing_behind() {
        let (semaphore, permit) = permit();
        drop(sent(stream::repeat_with(|| Ok(piece("a"))), permit, PATIENCE));
        drop(semaphore.acquire().await.unwrap());
    }

    #[test]
    fn no_field_is_a_formula() {
        let rules = HistoryRules {
            battery_gap: Duration::from_secs(600),
            miner_gap: Duration::from_secs(60),
            keep_samples: Duration::from_secs(86_400),
        };
        let ids = ["=1+1", "+1", "-1", "@sum(a1)", "\t=1", "\r=1", "a,b", "a\"b", "a\r\nb"];
        let mut titles = form::writer();
        for id in ids {
            titles.write_record(Columns::of_miner(MinerId(id.to_owned()), rules).titles()).unwrap();
        }
        let text = String::from_utf8(form::finished(titles).unwrap().to_vec()).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        for (record, id) in reader.records().map(Result::unwrap).zip(ids) {
            assert_eq!(record.len(), MINER.len());
            assert_eq!(&record[0], format!("miner_{id}_power_w"), "as it was written");
            assert!(record.iter().all(|field| field.starts_with("miner_")), "{record:?}");
        }
    }

    #[test]
    fn the_files_name_is_one_everywhere() {
        let window = Window { from: UtcMillis(0), to: UtcMillis(253_402_300_799_999), points: 1 };
        let name = file_name(window, Form::Csv);
        assert!(name.starts_with("wm-controller-19700101T000000"), "{name}");
        assert!(
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')),
            "{name}"
        );
    }
}
