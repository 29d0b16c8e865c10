//! The documents around the pages.
//!
//! They hold no script of their own, only the names of files: what a page that comes alive begins with stands in it as data.

use crate::{
    account::{self as access, Account, Door},
    data::{self, Data},
    decisions::{self, Journal},
    devices::{self, Devices},
    faults::{self, Faults},
    live::{Live, Start},
    page,
    reference::{self as api, Reference},
    settings::{self, Preview, Settings},
};
use leptos::prelude::*;

/// The page's font, in the site folder.
pub const FONT: &str = "/vendor/inter-4.1-latin.woff2";

/// Where the files are that documents name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The style.
    pub style: String,
    /// The script that brings a page to life.
    pub script: String,
    /// The module that it starts.
    pub module: String,
    /// The code that draws the charts alive, if it is there.
    pub charts: Option<String>,
}

/// The dashboard, or a miner's page. Without `files` (the program runs without its site folder) it has neither style nor
/// script, and works.
pub fn live_page(start: Start, files: Option<&Files>) -> String {
    // In an element of this type it is data and never run; nothing in it may end the element.
    let data =
        files.and_then(|_| serde_json::to_string(&start).ok()).map(|json| json.replace('<', "\\u003c"));
    let data =
        data.map(|json| view! { <script type="application/json" id="start" inner_html=json></script> });
    let title = start.view.title_of(start.of.as_deref()).to_owned();
    let script = files.map(|files| {
        view! { <script src="/early.js" defer data-script=files.script.clone() data-module=files.module.clone()></script> }
    });
    Owner::new().with(|| {
        let page = page::page(Live::new(start));
        document(title, files, (script, data).into_any(), page.into_any()).to_html()
    })
}

/// The journal.
pub fn journal(journal: Journal, files: Option<&Files>) -> String {
    plain(journal.title(), files, || decisions::page(journal).into_any())
}

/// The page at which somebody becomes known.
pub fn door(door: Door, files: Option<&Files>) -> String {
    plain("Sign in".to_owned(), files, || access::door(door).into_any())
}

/// Who has access.
pub fn account(account: Account, files: Option<&Files>) -> String {
    plain("Access".to_owned(), files, || access::account(account).into_any())
}

/// The API, to be read.
pub fn reference(reference: Reference, files: Option<&Files>) -> String {
    plain("API".to_owned(), files, || api::reference(reference).into_any())
}

/// What is on the network.
pub fn devices_page(of: Devices, files: Option<&Files>) -> String {
    plain("Devices".to_owned(), files, || devices::page(of).into_any())
}

/// What can be wrong with the demo house.
pub fn faults_page(of: Faults, files: Option<&Files>) -> String {
    plain("Faults".to_owned(), files, || faults::page(of).into_any())
}

/// What is kept, and its backups.
pub fn data_page(of: Data, files: Option<&Files>) -> String {
    plain("Data".to_owned(), files, || data::page(of).into_any())
}

/// All settings.
pub fn settings_page(of: Settings, files: Option<&Files>) -> String {
    plain("Settings".to_owned(), files, || settings::page(of).into_any())
}

/// What a change of settings would do.
pub fn settings_preview(preview: Preview, files: Option<&Files>) -> String {
    plain("What this does".to_owned(), files, || settings::preview(preview).into_any())
}

/// The document at an address where there is nothing.
pub fn nothing_here(files: Option<&Files>) -> String {
    let page = || {
        view! {
            <main id="main">
                <section class="card now">
                    <h1>"There is nothing here"</h1>
                    <p><a href="/">"To the page"</a></p>
                </section>
            </main>
        }
        .into_any()
    };
    plain("Not found".to_owned(), files, page)
}

/// What is shown in the place of a miner's page before any miner is known. The browser looks again by itself.
pub fn starting(files: Option<&Files>) -> String {
    let page = || {
        view! {
            <main id="main">
                <section class="card now">
                    <h1>"Starting"</h1>
                    <p>"The controller is starting. This page comes by itself."</p>
                    <p><a href="/">"To the page"</a></p>
                </section>
            </main>
        }
        .into_any()
    };
    plain("Starting".to_owned(), files, page)
}

/// What a browser shows in the place of a page that it can't get. The dashboard it has kept as it stood last.
pub fn out_of_reach(files: Option<&Files>) -> String {
    let page = || {
        view! {
            <main id="main">
                <section class="card now">
                    <h1>"Out of reach"</h1>
                    <p>"The controller doesn't answer, and this page can't be shown without it."</p>
                    <p><a href="/">"How things stood last"</a></p>
                </section>
            </main>
        }
        .into_any()
    };
    plain("Out of reach".to_owned(), files, page)
}

/// A document that stays as it is sent.
fn plain(title: String, files: Option<&Files>, page: impl FnOnce() -> AnyView) -> String {
    let script = files.map(|_| view! { <script src="/early.js" defer></script> });
    Owner::new().with(|| document(title, files, script.into_any(), page()).to_html())
}

fn document(title: String, files: Option<&Files>, scripts: AnyView, page: AnyView) -> impl IntoView + use<> {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#ffffff" />
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#141a22" />
                <meta name="description" content="What the miner does, and why" />
                <title>{title}</title>
                {files.map(head)}
                {scripts}
            </head>
            <body>{page}</body>
        </html>
    }
}

/// What the document names of the site folder.
fn head(files: &Files) -> impl IntoView + use<> {
    view! {
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <link rel="apple-touch-icon" href="/install/apple-touch-icon.png" />
        // A proxy that asks for a password gets it for the manifest too.
        <link rel="manifest" href="/manifest.webmanifest" crossorigin="use-credentials" />
        // Without its CORS mode a preloaded font isn't the one that the style asks for.
        <link rel="preload" href=FONT r#as="font" r#type="font/woff2" crossorigin="" />
        <link rel="stylesheet" href=files.style.clone() />
    }
}
