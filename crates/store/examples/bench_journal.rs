//! Measures the journal and prints what it measured as one line of JSON; `cargo xtask bench` holds it against the
//! budget.
//!
//! Five years of decisions of two miners go in at once, and questions are asked: the usual ones, and the worst.

use model::{
    MinerId, MonoTime, Now, Reason, Rule, UtcMillis,
    journal::{Cause, Place, Position, Question},
};
use sqlx::{Connection, SqliteConnection, query, sqlite::SqliteConnectOptions};
use std::{
    error::Error,
    hint::black_box,
    io::{self, Write},
    path::Path,
    time::Instant,
};
use store::{FILE_NAME, Store};

const DECISIONS: i64 = 250_000;
/// Time between two of them, in milliseconds: 50,000 a year.
const APART: i64 = 630_720;
/// 2026-01-01T00:00:00Z.
const BEGIN: i64 = 1_767_225_600_000;
const END: i64 = BEGIN + DECISIONS * APART;
const CALLS: usize = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    open(dir.path()).await?.close().await?;
    fill(&dir.path().join(FILE_NAME)).await?;
    let store = open(dir.path()).await?;

    let middle = Place { at: UtcMillis(BEGIN + DECISIONS / 2 * APART), id: 0 };
    let only = |rule, reasons| vec![Cause { rule, reasons }];
    let everything = Question {
        miner: None,
        causes: Vec::new(),
        commands_only: false,
        from: UtcMillis(i64::MIN),
        to: UtcMillis(i64::MAX),
        position: Position::Newest,
        limit: 50,
    };
    let questions = [
        everything.clone(),
        Question { position: Position::OlderThan(middle), ..everything.clone() },
        Question { position: Position::NewerThan(middle), ..everything.clone() },
        Question { commands_only: true, ..everything.clone() },
        Question { miner: Some(miner(1)), commands_only: true, ..everything.clone() },
        Question { causes: only(Rule::Emergency, Vec::new()), ..everything.clone() },
        Question { causes: only(Rule::Unstable, Vec::new()), ..everything.clone() },
        // None is for this reason: all of the rule's are looked at.
        Question { causes: only(Rule::Stopped, vec![Reason::PersonStart]), ..everything.clone() },
    ];
    let mut slowest = 0.0_f64;
    for _ in 0..CALLS {
        for question in &questions {
            let begun = Instant::now();
            black_box(store.journal(question).await?);
            slowest = slowest.max(milliseconds(begun));
        }
    }
    let mut slowest_marks = 0.0_f64;
    for _ in 0..CALLS {
        let begun = Instant::now();
        let year = (UtcMillis(END - DECISIONS / 5 * APART), UtcMillis(END));
        let marks = store.marks(&miner(0), year.0, year.1, 500).await?;
        slowest_marks = slowest_marks.max(milliseconds(begun));
        if marks.marks.len() != 500 {
            return Err(format!("{} marks", marks.marks.len()).into());
        }
    }
    let report = serde_json::json!({ "page_milliseconds": slowest, "marks_milliseconds": slowest_marks });
    writeln!(io::stdout(), "{report}")?;
    Ok(())
}

async fn open(dir: &Path) -> Result<Store, Box<dyn Error>> {
    Ok(Store::open(dir, Now { mono: MonoTime(0), utc: UtcMillis(BEGIN) }).await?.store)
}

fn miner(number: i64) -> MinerId {
    MinerId(format!("miner-{number}"))
}

/// Writes the decisions in one transaction: the store itself flushes every one.
async fn fill(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await?;
    let mut transaction = connection.begin().await?;
    for number in 0..DECISIONS {
        let (rule, reason) = match number % 1000 {
            0 => ("emergency", "emergency_soc"),
            1 => ("sunset", "sunset_start"),
            2..=40 => ("full", "battery_full"),
            41..=300 => ("stopped", "emergency_latched"),
            _ => ("ladder", "ladder_hold"),
        };
        query(
            "INSERT INTO decisions (miner, at_utc_ms, rule, reason, wanted, command, why, why_not_more, \
             what_would_change) VALUES (?, ?, ?, ?, 'hold', ?, ?, ?, ?)",
        )
        .bind(miner(number % 2).0)
        .bind(BEGIN + number * APART)
        .bind(rule)
        .bind(reason)
        .bind((number % 12 < 2).then_some(r#"{"kind":"off"}"#))
        .bind("Running at 60 % (2160 W) since the battery fell to that step at 12:12.")
        .bind("60 % is the ceiling: it may not rise until the battery is full.")
        .bind("At 50 % it goes down to 50 %. A full battery (100 %) raises it to 100 %.")
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
