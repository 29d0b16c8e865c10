//! The calls of `/api/backups`.

use super::{call::Call, shapes::Instant};
use utoipa::ToSchema;

pub(super) fn calls() -> Vec<Call> {
    vec![
        Call::get("/api/backups", "The backups that there are, and what the data takes on the disk")
            .reply::<Keeping>(200, "the newest first"),
        Call::post("/api/backups/make", "Make a backup now")
            .about("Passwords are left out. Taking a backup away and restoring one ask for the password, on the Data page.")
            .no_members()
            .reply::<Keeping>(202, "it is under way: `under_way` is null again when it is over, and `last` says how it went")
            .refuses(409, "something else is under way, or there is no room on the disk")
            .refuses(503, "the database can't be used"),
    ]
}

/// What is kept on the disk.
#[derive(ToSchema)]
struct Keeping {
    backups: Vec<Backup>,
    /// What is being done with it now, for people.
    under_way: Option<String>,
    last: Option<LastBackup>,
    /// What was measured: samples, and the rows that are made of them, the finest first.
    history: Vec<HistoryTier>,
    /// When its rows were counted, which is done once an hour; null, if they weren't yet.
    rows_counted_at: Option<Instant>,
    /// The size of the database.
    database_bytes: Option<u64>,
    /// The room that is left on its disk.
    free_bytes: Option<u64>,
    written: Option<Written>,
    /// What backups wrote since the start.
    written_by_backups_bytes: u64,
}

/// What was measured, in one detail.
#[derive(ToSchema)]
struct HistoryTier {
    /// "samples", as they were taken, or "1min", "15min" or "6h": how long a stretch a row stands for.
    tier: String,
    /// The first; null, if there is none.
    from: Option<Instant>,
    /// The last; a row is where its stretch begins.
    to: Option<Instant>,
    /// How many there were when they were counted, of the battery and all miners.
    rows: Option<u64>,
}

/// What became of the last that was asked for.
#[derive(ToSchema)]
struct LastBackup {
    ok: bool,
    /// For people.
    status: String,
}

/// What was written to the disk without backups, in the last day or since the start.
#[derive(ToSchema)]
pub(super) struct Written {
    bytes: u64,
    /// How long the stretch was.
    seconds: u64,
    /// What that would be in a day; null, where the stretch is too short to say.
    bytes_a_day: Option<u64>,
    /// What it may be in a day, for the sake of a memory card.
    budget_bytes_a_day: u64,
}

/// A copy of the database.
#[derive(ToSchema)]
struct Backup {
    name: String,
    made_at: Instant,
    /// The version of the program that made it.
    program: String,
    /// The version of its schema.
    schema: i64,
    bytes: u64,
    /// Of its file, as hexadecimal digits.
    sha256: String,
    /// Passwords and all else that is secret are in it.
    with_secrets: bool,
}
