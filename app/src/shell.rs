//! The document around the page.

use crate::{
    App,
    decisions::{self, Journal},
    live::Start,
};
use leptos::prelude::*;
use leptos_meta::HashedStylesheet;

/// The page's font, in the site folder.
pub const FONT: &str = "/vendor/inter-4.1.woff2";

/// The whole document. Without `site` (the program runs without its site folder) the page has neither style nor script,
/// and works.
pub fn shell(site: Option<LeptosOptions>) -> impl IntoView {
    let title = use_context::<Start>().map(|start| start.view.title).unwrap_or_default();
    let scripts = site.clone().map(|options| view! { <HydrationScripts options /> });
    document(title, site, scripts.into_any(), view! { <App /> }.into_any())
}

/// The document of the journal, as it is sent. There is no script in it, not even that with which Leptos would hand data
/// over to the browser.
pub fn journal(journal: Journal, site: Option<LeptosOptions>) -> String {
    Owner::new().with(|| {
        document(journal.title(), site, ().into_any(), decisions::page(journal).into_any()).to_html()
    })
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

/// What a browser shows in the place of a page that it can't get. The dashboard it has kept as it stood last.
pub fn out_of_reach(site: Option<LeptosOptions>) -> impl IntoView {
    let page = view! {
        <main id="main">
            <section class="card now">
                <h1>"Out of reach"</h1>
                <p>"The controller doesn't answer, and this page can't be shown without it."</p>
                <p><a href="/">"How things stood last"</a></p>
            </section>
        </main>
    };
    document("Out of reach".to_owned(), site, ().into_any(), page.into_any())
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
                {site.map(head)}
                {scripts}
            </head>
            <body>{page}</body>
        </html>
    }
}

/// What the document names of the site folder.
fn head(options: LeptosOptions) -> impl IntoView {
    view! {
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <link rel="apple-touch-icon" href="/install/apple-touch-icon.png" />
        // A proxy that asks for a password gets it for the manifest too.
        <link rel="manifest" href="/manifest.webmanifest" crossorigin="use-credentials" />
        <script src="/early.js" defer></script>
        // Without its CORS mode a preloaded font isn't the one that the style asks for.
        <link rel="preload" href=FONT r#as="font" r#type="font/woff2" crossorigin="" />
        <HashedStylesheet options id="style" />
    }
}
