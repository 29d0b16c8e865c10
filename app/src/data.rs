//! The page of what is kept: how far it reaches, what it takes on the disk, and its backups.
//!
//! It is rendered on the server and stays as it was rendered: every form works by itself.

use crate::{account::around, civil::moment, page::nav::Place, settings::Frame};
use leptos::prelude::*;
use model::UtcMillis;

/// What is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// What is around it.
    pub frame: Frame,
    /// Nobody has to know a password here.
    pub is_open: bool,
    /// What is being done with it now.
    pub doing: Option<&'static str>,
    /// What was done, or why it wasn't.
    pub outcome: Option<Result<String, String>>,
    /// What is kept in which detail.
    pub tiers: Vec<Tier>,
    /// When its rows were counted; `None`, if they weren't yet.
    pub counted: Option<UtcMillis>,
    /// What it takes on the disk: what, and how much.
    pub disk: Vec<(&'static str, String)>,
    /// What is done by itself, in a sentence.
    pub plan: String,
    /// The backups, the newest first.
    pub backups: Vec<BackupRow>,
    /// How long a restore leaves what was there before, in days.
    pub set_aside_days: i64,
}

/// What is kept in one detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    /// What it is called.
    pub name: &'static str,
    /// Since when; `None`, if there is nothing.
    pub since: Option<UtcMillis>,
    /// How many days that is.
    pub days: i64,
    /// How many rows that is, where they were counted.
    pub rows: Option<u64>,
    /// For how long it is kept.
    pub kept: String,
}

/// A backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupRow {
    /// What it goes by.
    pub name: String,
    /// When it was made.
    pub at: UtcMillis,
    /// Its size, with the unit.
    pub size: String,
    /// The version of the program that made it.
    pub program: String,
    /// Passwords are in it.
    pub with_secrets: bool,
}

pub(crate) fn page(data: Data) -> impl IntoView {
    let Data { frame, is_open, doing, outcome, tiers, counted, disk, plan, backups, set_aside_days } = data;
    let Frame { site, version, timezone, now } = frame;
    let when = move |at: UtcMillis| moment(at, now, &timezone);
    let news = outcome.map(|outcome| match outcome {
        Ok(done) => view! { <p class="fate speaks" role="status">{done}</p> }.into_any(),
        Err(why) => view! { <p class="refusal" role="alert">{why}</p> }.into_any(),
    });
    let doing = doing.map(|doing| {
        view! { <p class="fate speaks" role="status">"Now " {doing} ". This page looks again by itself."</p> }
    });
    let body = view! {
        <div class="lead">
            <h1>"Data"</h1>
            <p>"What is remembered, what it takes on the disk, and its backups."</p>
        </div>
        {news}
        {doing}
        {history(tiers, counted, when.clone())}
        {room(disk)}
        {copies(backups, plan, is_open, when)}
        {upload(is_open, set_aside_days)}
    };
    around(site, version, Place::Settings, body.into_any())
}

fn history(
    tiers: Vec<Tier>,
    counted: Option<UtcMillis>,
    when: impl Fn(UtcMillis) -> String,
) -> impl IntoView {
    let row = |tier: Tier| {
        let Tier { name, since, days, rows, kept } = tier;
        let reach = since.map_or_else(
            || "nothing yet".to_owned(),
            |since| format!("since {}, {}", when(since), several(days.unsigned_abs(), "day")),
        );
        let rows = rows.map(|rows| format!(", {}", several(rows, "row")));
        view! {
            <li>
                <strong>{name}</strong>
                <span class="what">{reach} {rows} "; kept " {kept}</span>
            </li>
        }
    };
    let counted = match counted {
        Some(at) => format!("The rows were counted at {}, which is done once an hour.", when(at)),
        None => "The rows haven't been counted yet.".to_owned(),
    };
    view! {
        <section class="card access" aria-labelledby="history">
            <header>
                <h2 id="history">"What was measured"</h2>
            </header>
            <ul>{tiers.into_iter().map(row).collect_view()}</ul>
            <p class="note">{counted}</p>
            <p class="note">
                "To take it along as a table: " <a href="/api/history.csv?days=30">"the last 30 days"</a>
                ". What was decided is on the page of " <a href="/decisions">"decisions"</a> "."
            </p>
        </section>
    }
}

/// So many of something: "1 row", "1,234,567 rows".
fn several(count: u64, what: &str) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let ending = if count == 1 { "" } else { "s" };
    format!("{grouped} {what}{ending}")
}

fn room(disk: Vec<(&'static str, String)>) -> impl IntoView {
    let row = |(what, how_much): (&'static str, String)| {
        view! {
            <li>
                <strong>{what}</strong>
                <span class="what">{how_much}</span>
            </li>
        }
    };
    view! {
        <section class="card access" aria-labelledby="disk">
            <header>
                <h2 id="disk">"On the disk"</h2>
            </header>
            <ul>{disk.into_iter().map(row).collect_view()}</ul>
        </section>
    }
}

/// The password once more, where there is one to know.
fn password(is_open: bool) -> impl IntoView {
    (!is_open).then(|| {
        view! {
            <label>
                <span>"Password"</span>
                <input type="password" name="password" required maxlength="256" autocomplete="current-password" />
            </label>
        }
    })
}

fn copies(
    backups: Vec<BackupRow>,
    plan: String,
    is_open: bool,
    when: impl Fn(UtcMillis) -> String,
) -> impl IntoView {
    let is_empty = backups.is_empty();
    let row = |backup: BackupRow| {
        let BackupRow { name, at, size, program, with_secrets } = backup;
        let secrets = if with_secrets { ", with passwords" } else { "" };
        let of_when = when(at);
        view! {
            <li>
                <strong>{of_when.clone()}</strong>
                <span class="what">{size} ", by version " {program} {secrets}</span>
                <details class="more">
                    <summary>"Download or restore" <span class="visually-hidden">" the backup of " {of_when}</span></summary>
                    <form class="make" action="/data/backups/download" method="post">
                        <input type="hidden" name="name" value=name.clone() />
                        {password(is_open)}
                        <button class="button">"Download"</button>
                    </form>
                    <form class="make" action="/data/backups/restore" method="post">
                        <input type="hidden" name="name" value=name />
                        {password(is_open)}
                        <button class="button stop">"Restore"</button>
                    </form>
                </details>
            </li>
        }
    };
    view! {
        <section class="card access" aria-labelledby="backups">
            <header>
                <h2 id="backups">"Backups"</h2>
            </header>
            <p class="note">{plan}</p>
            <ul>{backups.into_iter().map(row).collect_view()}</ul>
            {is_empty.then(|| view! { <p class="note">"None yet."</p> })}
            <form class="make" action="/data/backups/make" method="post">
                <button class="button">"Make one now"</button>
            </form>
            <details class="more">
                <summary>"With passwords"</summary>
                <p class="note">
                    "For moving to another machine. Whoever has such a backup has the passwords of your devices and of the "
                    "battery's portal: keep it where nobody else looks."
                </p>
                <form class="make" action="/data/backups/make" method="post">
                    <input type="hidden" name="secrets" value="yes" />
                    {password(is_open)}
                    <button class="button">"Make one with passwords"</button>
                </form>
            </details>
        </section>
    }
}

fn upload(is_open: bool, set_aside_days: i64) -> impl IntoView {
    view! {
        <section class="card access" aria-labelledby="restore">
            <header>
                <h2 id="restore">"Restore"</h2>
            </header>
            <p>
                "History, journal and settings become those of the backup. Nothing is switched: what the controller knows of the "
                "miners now, what you chose for them, and who may sign in stay as they are. What is there now is set aside, and "
                "removed after " {set_aside_days} " days. Passwords of devices that aren't in the backup stay where their addresses stay, and are given anew on "
                "the page of settings else."
            </p>
            // The password goes first: without it nothing of the file is taken.
            <form class="make" action="/data/restore" method="post" enctype="multipart/form-data">
                {password(is_open)}
                <label>
                    <span>"A backup that you downloaded"</span>
                    <input type="file" name="file" required accept=".db" />
                </label>
                <button class="button stop">"Restore from this file"</button>
            </form>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_counts_are_told_in_groups_of_digits() {
        for (count, told) in [
            (0, "0 rows"),
            (1, "1 row"),
            (999, "999 rows"),
            (1000, "1,000 rows"),
            (259_200, "259,200 rows"),
            (12_345_678, "12,345,678 rows"),
        ] {
            assert_eq!(several(count, "row"), told);
        }
    }
}
