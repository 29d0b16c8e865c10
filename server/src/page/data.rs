//! What is kept, what it takes, and its backups. Every form is a browser's own.
//!
//! Taking a backup away and restoring one ask for the password again: whoever finds a browser that is signed in gets neither
//! the household's history nor another one in its place.

use super::Page;
use crate::{
    access::{DATA, Done, RESTORE, Refusal, Visitor, mark},
    keeping::{BUDGET, Kept, NotBegun, SET_ASIDE_DAYS},
};
use app::{
    data::{BackupRow, Data, Tier},
    settings::Frame,
};
use axum::{
    Extension, Form, Router,
    body::Body,
    extract::{DefaultBodyLimit, Multipart, State, multipart::Field},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use futures::{Stream, stream};
use std::collections::BTreeMap;
use store::{Extent, Extents, Rows, backup::Backup};
use tokio::{fs::File, io::AsyncReadExt};

/// What a backup's file is.
pub(crate) const DATABASE: &str = "application/vnd.sqlite3";
/// The largest form that is read, in bytes.
const LARGEST_FORM: usize = 4 * 1024;
/// The bytes of a file that are sent at once.
const PIECE: usize = 64 * 1024;
/// When the page looks again while something is being done, in seconds.
const LOOK_AGAIN: &str = "2";
const DAY_MS: i64 = 86_400_000;

type Fields = BTreeMap<String, String>;

pub(super) fn routes() -> Router<Page> {
    let forms = Router::new()
        .route(DATA, get(show))
        .route("/data/backups/make", post(make))
        .route("/data/backups/download", post(download))
        .route("/data/backups/restore", post(restore))
        .layer(DefaultBodyLimit::max(LARGEST_FORM));
    // How much of a file is taken is counted where it is written.
    forms.merge(Router::new().route(RESTORE, post(receive)).layer(DefaultBodyLimit::disable()))
}

async fn show(State(page): State<Page>) -> Response {
    shown(&page, StatusCode::OK, None).await
}

async fn make(
    State(page): State<Page>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let with_secrets = fields.contains_key("secrets");
    if with_secrets && let Err(refusal) = confirm(&page, &fields, &visitor, &headers).await {
        return refused(&page, &refusal).await;
    }
    let what = if with_secrets { "made a backup with passwords" } else { "made a backup" };
    begun(&page, page.keeping.make(with_secrets), what).await
}

async fn restore(
    State(page): State<Page>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    if let Err(refusal) = confirm(&page, &fields, &visitor, &headers).await {
        return refused(&page, &refusal).await;
    }
    let name = field(&fields, "name");
    begun(&page, page.keeping.restore(name), "restored a backup").await
}

async fn download(
    State(page): State<Page>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    if let Err(refusal) = confirm(&page, &fields, &visitor, &headers).await {
        return refused(&page, &refusal).await;
    }
    let found = page.keeping.find(field(&fields, "name"));
    let Some((backup, path)) = found else {
        return not_begun(&page, &NotBegun::Unknown).await;
    };
    match File::open(path).await {
        Ok(file) => sent(&backup, file),
        Err(error) => {
            tracing::warn!(%error, "a backup can't be read");
            not_begun(&page, &NotBegun::Unknown).await
        }
    }
}

fn sent(backup: &Backup, file: File) -> Response {
    let pieces = stream::try_unfold(file, async |mut file| {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then_some((piece, file)))
    });
    // The name is one of ours, of letters, digits and dashes.
    let attachment = format!("attachment; filename=\"{}\"", backup.name);
    let headers = [
        (header::CONTENT_TYPE, DATABASE.to_owned()),
        (header::CONTENT_DISPOSITION, attachment),
        (header::CONTENT_LENGTH, backup.manifest.bytes.to_string()),
    ];
    let mut response = (headers, Body::from_stream(pieces)).into_response();
    response.extensions_mut().insert(Done(format!("downloaded the backup {}", backup.name)));
    response
}

async fn receive(
    State(page): State<Page>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    mut form: Multipart,
) -> Response {
    let mut fields = Fields::new();
    loop {
        match form.next_field().await {
            Ok(Some(field)) if field.name() == Some("file") => {
                if let Err(refusal) = confirm(&page, &fields, &visitor, &headers).await {
                    return refused(&page, &refusal).await;
                }
                return begun(&page, page.keeping.receive(pieces(field)).await, "restored a backup").await;
            }
            Ok(Some(field)) => {
                let name = field.name().unwrap_or_default().to_owned();
                match short(field).await {
                    Some(text) => drop(fields.insert(name, text)),
                    None => return not_begun(&page, &NotBegun::Broken("a field is too long".into())).await,
                }
            }
            Ok(None) => return not_begun(&page, &NotBegun::Broken("there was none".into())).await,
            Err(error) => return not_begun(&page, &NotBegun::Broken(error.body_text())).await,
        }
    }
}

fn pieces(field: Field<'_>) -> impl Stream<Item = Result<axum::body::Bytes, String>> {
    stream::try_unfold(field, async |mut field| {
        let piece = field.chunk().await.map_err(|error| error.body_text())?;
        Ok(piece.map(|piece| (piece, field)))
    })
}

/// A field that isn't a file.
async fn short(mut field: Field<'_>) -> Option<String> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.ok()? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > LARGEST_FORM {
            return None;
        }
    }
    String::from_utf8(bytes).ok()
}

async fn confirm(
    page: &Page,
    fields: &Fields,
    visitor: &Visitor,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    page.access.confirm(field(fields, "password"), visitor, mark(headers, visitor)).await
}

fn field<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map_or("", String::as_str)
}

async fn begun(page: &Page, begun: Result<(), NotBegun>, what: &'static str) -> Response {
    match begun {
        Ok(()) => {
            let mut response = Redirect::to(DATA).into_response();
            response.extensions_mut().insert(Done(what.to_owned()));
            response
        }
        Err(why) => not_begun(page, &why).await,
    }
}

async fn not_begun(page: &Page, why: &NotBegun) -> Response {
    let status = match why {
        NotBegun::Busy(_) => StatusCode::CONFLICT,
        NotBegun::Unknown => StatusCode::NOT_FOUND,
        NotBegun::NoDatabase => StatusCode::SERVICE_UNAVAILABLE,
        NotBegun::NoRoom { .. } => StatusCode::INSUFFICIENT_STORAGE,
        NotBegun::Broken(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    shown(page, status, Some(why.to_string())).await
}

async fn refused(page: &Page, refusal: &Refusal) -> Response {
    let status = match refusal {
        Refusal::Wait { .. } => StatusCode::TOO_MANY_REQUESTS,
        Refusal::NoDatabase => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::FORBIDDEN,
    };
    let mut response = shown(page, status, Some(refusal.to_string())).await;
    response.extensions_mut().insert(Done(format!("tried to reach a backup: {refusal}")));
    response
}

async fn shown(page: &Page, status: StatusCode, problem: Option<String>) -> Response {
    let overview = page.backend.overview();
    let kept = page.keeping.kept();
    let facts = page.settings.current().facts();
    let extents = page.keeping.extents().await;
    let now = overview.snapshot.at;
    let samples_kept = format!("for {} days", facts.samples_kept.as_secs() / 86_400);
    let counted = page.keeping.counted();
    let tier = |name, extent: Option<Extent>, rows: fn(&Rows) -> u64, kept: &str| Tier {
        name,
        since: extent.map(|extent| extent.from),
        days: extent.map_or(0, |extent| extent.to.millis_since(extent.from) / DAY_MS + 1),
        rows: counted.map(|counted| rows(&counted.rows)),
        kept: kept.to_owned(),
    };
    let Extents { samples, minutes, slots, parts } = extents;
    let plan = match facts.backup_every.filter(|_| !facts.demo) {
        Some(every) => format!(
            "One is made every {} days, at night, and the newest {} are kept. Passwords are left out. A backup writes as much as \
             the database is large. These lie on the same disk: download one now and then.",
            every.as_secs() / 86_400,
            facts.backups_kept
        ),
        None => "None are made by themselves.".to_owned(),
    };
    let is_busy = kept.doing.is_some();
    let data = Data {
        frame: Frame {
            site: overview.site.name,
            version: overview.site.version,
            timezone: overview.site.timezone,
            now,
        },
        is_open: page.access.door() == crate::access::Door::Open,
        doing: kept.doing,
        outcome: problem.map(Err).or(kept.last.clone()),
        tiers: vec![
            tier("Samples, as they were taken", samples, |rows| rows.samples, &samples_kept),
            tier("Rows of a minute", minutes, |rows| rows.minutes, "for good"),
            tier("Rows of 15 minutes, with energies", slots, |rows| rows.slots, "for good"),
            tier("Rows of six hours", parts, |rows| rows.parts, "for good"),
        ],
        counted: counted.map(|counted| counted.at),
        disk: disk(&kept),
        plan,
        set_aside_days: SET_ASIDE_DAYS,
        backups: kept.backups.into_iter().map(row).collect(),
    };
    let mut response = (status, Html(app::data_page(data, page.files.as_deref()))).into_response();
    if is_busy && status.is_success() {
        response.headers_mut().insert(header::REFRESH, HeaderValue::from_static(LOOK_AGAIN));
    }
    response
}

fn disk(kept: &Kept) -> Vec<(&'static str, String)> {
    let told = |bytes: Option<u64>| bytes.map_or_else(|| "unknown".to_owned(), size);
    let written = match kept.written {
        None => "unknown on this system".to_owned(),
        Some(written) => {
            let so_far = format!("{} in {}", size(written.bytes), app::view::age(written.over.as_secs_f64()));
            match written.in_a_day() {
                Some(a_day) => {
                    format!("{so_far}: {} a day, of {} that it may be", size(a_day), size(BUDGET))
                }
                None => format!("{so_far}: too short a time to say what that is a day"),
            }
        }
    };
    let mut rows = vec![("The database", told(kept.database))];
    if kept.set_aside > 0 {
        let gone = format!("{}, each removed {SET_ASIDE_DAYS} days after the restore", size(kept.set_aside));
        rows.push(("Databases from before a restore", gone));
    }
    rows.extend([
        ("Free on its disk", told(kept.free)),
        ("Written, backups left out", written),
        ("Written by backups since the start", told(Some(kept.copied))),
    ]);
    rows
}

/// Bytes in megabytes, or in gigabytes where there are many.
fn size(bytes: u64) -> String {
    let megabytes = bytes as f64 / 1e6;
    match megabytes {
        0.0..10.0 => format!("{megabytes:.1} MB"),
        10.0..1000.0 => format!("{megabytes:.0} MB"),
        _ => format!("{:.1} GB", megabytes / 1000.0),
    }
}

fn row(backup: Backup) -> BackupRow {
    let Backup { name, manifest } = backup;
    BackupRow {
        name,
        at: manifest.at,
        size: size(manifest.bytes),
        program: manifest.program,
        with_secrets: manifest.with_secrets,
    }
}
