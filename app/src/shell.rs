//! The document around the page.

use crate::{
    App,
    decisions::{self, Journal},
    live::Start,
};
use leptos::prelude::*;
use leptos_meta::HashedStylesheet;

/// The whole document. Without `site` (the program runs without its site folder) the page has neither style nor script,
/// and works.
pub fn shell(site: Option<LeptosOptions>) -> impl IntoView {
    let title = use_context::<Start>().map(|start| start.view.title).unwrap_or_default();
    let scripts = site.clone().map(|options| view! { <HydrationScripts options /> });
    document(title, site, scripts.into_any(), view! { <App /> }.into_any())
}

/// The document of the journal. No script belongs to it.
pub fn journal(journal: Journal, site: Option<LeptosOptions>) -> impl IntoView {
    document(journal.title(), site, ().into_any(), decisions::page(journal).into_any())
}

/// The document at an address where there is nothing.
pub fn nothing_here(site: Option<LeptosOptions>) -> impl IntoView {
    let page = view! {
        <main id="main">
            <section class="card now">
                <h1>"There is nothing here"</h1>
                <p><a href="/">"To the page"</a></p>
            </section>
        </main>
    };
    document("Not found".to_owned(), site, ().into_any(), page.into_any())
}

fn document(title: String, site: Option<LeptosOptions>, scripts: AnyView, page: AnyView) -> impl IntoView {
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
                <link rel="icon" href="/icon.svg" type="image/svg+xml" />
                {site.map(|options| view! { <HashedStylesheet options id="style" /> })}
                {scripts}
            </head>
            <body>{page}</body>
        </html>
    }
}
