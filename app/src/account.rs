//! The pages of who may change something: signing in, taking over a new house, and who has access.
//!
//! They are rendered on the server and stay as they were rendered: every form works by itself.

use crate::{
    civil::moment,
    page::nav::{Place, nav},
};
use leptos::prelude::*;
use model::UtcMillis;

/// The page at which somebody becomes known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// The site's name.
    pub site: String,
    /// The program's version.
    pub version: String,
    /// Nobody has taken over the house yet.
    pub is_unclaimed: bool,
    /// Where to go on to.
    pub then: String,
    /// Why the last try was refused.
    pub refusal: Option<String>,
}

/// The page of who has access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The site's name.
    pub site: String,
    /// The program's version.
    pub version: String,
    /// The site's IANA zone.
    pub timezone: String,
    /// The present.
    pub now: UtcMillis,
    /// Nobody has to sign in here.
    pub is_open: bool,
    /// Browsers that are signed in, the one used last first.
    pub sessions: Vec<SessionRow>,
    /// Programs with a token, the newest first.
    pub tokens: Vec<TokenRow>,
    /// What was changed, the newest first.
    pub audit: Vec<AuditRow>,
    /// A token that was just made, to be shown this once: its name and itself.
    pub made: Option<(String, String)>,
    /// Something was done.
    pub done: Option<&'static str>,
    /// Something was refused, and why.
    pub refusal: Option<String>,
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its number.
    pub id: i64,
    /// It is the one that looks at this page.
    pub is_own: bool,
    /// What it calls itself.
    pub browser: String,
    /// From where it signed in.
    pub address: String,
    /// When.
    pub begun: UtcMillis,
    /// When it was used last.
    pub seen: UtcMillis,
}

/// A program with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its number.
    pub id: i64,
    /// What a person calls it.
    pub name: String,
    /// What it may do.
    pub scope: String,
    /// When it was made.
    pub made: UtcMillis,
    /// When it was used last.
    pub used: Option<UtcMillis>,
}

/// Something that was changed, or was to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at: UtcMillis,
    /// By whom.
    pub who: String,
    /// From where.
    pub address: String,
    /// What.
    pub what: String,
    /// What became of it.
    pub outcome: String,
}

pub(crate) fn door(door: Door) -> impl IntoView {
    let Door { site, version, is_unclaimed, then, refusal } = door;
    let refusal = refusal.map(|why| view! { <p class="refusal" role="alert">{why}</p> });
    let then = view! {
        <input type="hidden" name="then" value=then />
        {username(site.clone())}
    };
    let form = if is_unclaimed {
        view! {
            <h1>"Take over this controller"</h1>
            <p>
                "Nobody has done so yet. It printed a code when it was started: it stands in its window, or in its log "
                "(" <code>"journalctl -u wm-controller"</code> "). The password you choose here is for everybody of the house."
            </p>
            {refusal}
            <form class="sign-in" action="/claim" method="post">
                {then} <label>
                    <span>"Code"</span>
                    <input name="code" required autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" />
                </label> <label>
                    <span>"New password, 8 characters or more"</span>
                    <input type="password" name="password" required minlength="8" maxlength="256" autocomplete="new-password" />
                </label> <button class="button">"Take over"</button>
            </form>
        }
        .into_any()
    } else {
        view! {
            <h1>"Sign in"</h1>
            <p>"Everybody here can look. Whoever wants to change something says the password of the house."</p>
            {refusal}
            <form class="sign-in" action="/sign-in" method="post">
                {then} <label>
                    <span>"Password"</span>
                    <input type="password" name="password" required maxlength="256" autocomplete="current-password" autofocus />
                </label> <button class="button">"Sign in"</button>
            </form>
            <details class="more">
                <summary>"Forgotten?"</summary>
                <p>
                    "On the controller's own machine: stop the program, set another one with "
                    <code>"wm-controller set-password"</code> ", and start it again."
                </p>
            </details>
        }
        .into_any()
    };
    around(site, version, Place::Account, view! { <section class="card door">{form}</section> }.into_any())
}

pub(crate) fn account(account: Account) -> impl IntoView {
    let Account { site, version, timezone, now, is_open, sessions, tokens, audit, made, done, refusal } =
        account;
    if is_open {
        let page = view! {
            <section class="card door">
                <h1>"Access"</h1>
                <p>"This is the demo house: everybody may do everything here, and nobody has to sign in."</p>
            </section>
        };
        return around(site, version, Place::Account, page.into_any()).into_any();
    }
    let when = move |at: UtcMillis| moment(at, now, &timezone);
    let made = made.map(|(name, token)| {
        view! {
            <section class="card made" role="status">
                <h2>"The token of " {name}</h2>
                <p>"It is shown this once. Whoever has it may what it may, until it is taken back."</p>
                <p>
                    <code class="token">{token}</code>
                </p>
            </section>
        }
    });
    let news = view! {
        {refusal.map(|why| view! { <p class="refusal" role="alert">{why}</p> })}
        {done.map(|done| view! { <p class="fate speaks" role="status">{done}</p> })}
    };
    let page = view! {
        <div class="lead">
            <h1>"Access"</h1>
            <p>"Who may change something here, and who did."</p>
        </div>
        {news}
        {made}
        {browsers(sessions, when.clone())}
        {programs(tokens, when.clone())}
        {password(site.clone())}
        {audit_list(audit, when)}
    };
    around(site, version, Place::Account, page.into_any()).into_any()
}

/// What is around every page of these.
pub(crate) fn around(site: String, version: String, place: Place, page: AnyView) -> impl IntoView {
    view! {
        <a class="skip" href="#main">"To the content"</a>
        <header class="bar">
            <a class="site" href="/">{site}</a>
            {nav(place)}
        </header>
        <main id="main" class="account">{page}</main>
        <footer>
            <span>"WhatsMiner Controller " {version}</span>
        </footer>
    }
}

/// What a browser's store of passwords calls the one of this house.
fn username(site: String) -> impl IntoView {
    view! { <input name="user" value=site autocomplete="username" readonly hidden /> }
}

fn browsers(sessions: Vec<SessionRow>, when: impl Fn(UtcMillis) -> String) -> impl IntoView {
    let row = |session: SessionRow| {
        let SessionRow { id, is_own, browser, address, begun, seen } = session;
        let what = if is_own { "This browser".to_owned() } else { device(&browser) };
        let end = if is_own {
            view! {
                <form action="/sign-out" method="post">
                    <button class="button">"Sign out"</button>
                </form>
            }
            .into_any()
        } else {
            view! {
                <form action="/account/sessions/end" method="post">
                    <input type="hidden" name="id" value=id />
                    <button class="button">"End" <span class="visually-hidden">" the session of " {what.clone()}</span></button>
                </form>
            }
            .into_any()
        };
        view! {
            <li>
                <strong title=browser>{what}</strong>
                <span class="what">
                    "signed in " {when(begun)} " from " {address} ", used last " {when(seen)}
                </span>
                {end}
            </li>
        }
    };
    let others = (sessions.len() > 1).then(|| {
        view! {
            <form action="/account/sessions/end" method="post">
                <input type="hidden" name="id" value="others" />
                <button class="button stop">"End all others"</button>
            </form>
        }
    });
    view! {
        <section class="card access" aria-labelledby="browsers">
            <header>
                <h2 id="browsers">"Browsers that are signed in"</h2>
                {others}
            </header>
            <ul>{sessions.into_iter().map(row).collect_view()}</ul>
        </section>
    }
}

fn programs(tokens: Vec<TokenRow>, when: impl Fn(UtcMillis) -> String) -> impl IntoView {
    let is_empty = tokens.is_empty();
    let row = |token: TokenRow| {
        let TokenRow { id, name, scope, made, used } = token;
        let used =
            used.map_or_else(|| ", never used".to_owned(), |used| format!(", used last {}", when(used)));
        view! {
            <li>
                <strong>{name.clone()}</strong>
                <span class="what">"may " {meaning(&scope)} "; made " {when(made)} {used}</span>
                <form action="/account/tokens/remove" method="post">
                    <input type="hidden" name="id" value=id />
                    <button class="button">"Take back" <span class="visually-hidden">" the token of " {name}</span></button>
                </form>
            </li>
        }
    };
    let scopes = ["read", "control", "admin"].map(|scope| {
        view! {
            <option value=scope selected=scope == "control">{meaning(scope)}</option>
        }
    });
    view! {
        <section class="card access" aria-labelledby="programs">
            <header>
                <h2 id="programs">"Programs with a token"</h2>
            </header>
            <ul>{tokens.into_iter().map(row).collect_view()}</ul>
            {is_empty.then(|| view! { <p class="note">"None yet. A token is what a script or a home automation shows instead of a password."</p> })}
            <form class="make" action="/account/tokens/make" method="post">
                <label>
                    <span>"Name"</span>
                    <input name="name" required maxlength="60" autocomplete="off" />
                </label>
                <label>
                    <span>"May"</span>
                    <select name="scope">{scopes.collect_view()}</select>
                </label>
                <button class="button">"Make a token"</button>
            </form>
            <p class="note">"What it can be used for: " <a href="/api">"the API"</a> "."</p>
        </section>
    }
}

fn password(site: String) -> impl IntoView {
    view! {
        <section class="card access" aria-labelledby="password">
            <header>
                <h2 id="password">"Password"</h2>
            </header>
            <form class="make" action="/account/password" method="post">
                {username(site)}
                <label>
                    <span>"The one so far"</span>
                    <input type="password" name="old" required maxlength="256" autocomplete="current-password" />
                </label>
                <label>
                    <span>"The new one, 8 characters or more"</span>
                    <input type="password" name="new" required minlength="8" maxlength="256" autocomplete="new-password" />
                </label>
                <button class="button">"Change"</button>
            </form>
            <p class="note">"Every other browser is signed out with that. Tokens stay."</p>
        </section>
    }
}

fn audit_list(audit: Vec<AuditRow>, when: impl Fn(UtcMillis) -> String) -> impl IntoView {
    let row = |row: AuditRow| {
        let AuditRow { at, who, address, what, outcome } = row;
        view! {
            <li>
                <span class="when">{when(at)}</span>
                <strong>{what}</strong>
                <span class="what">{who} " from " {address} ": " {outcome}</span>
            </li>
        }
    };
    let is_empty = audit.is_empty();
    view! {
        <section class="card access audit" aria-labelledby="audit">
            <header>
                <h2 id="audit">"What was changed"</h2>
            </header>
            {is_empty.then(|| view! { <p class="note">"Nothing yet."</p> })}
            <ol>{audit.into_iter().map(row).collect_view()}</ol>
        </section>
    }
}

/// What a scope allows, as a person says it.
fn meaning(scope: &str) -> &'static str {
    match scope {
        "read" => "look",
        "control" => "look and control the miners",
        "admin" => "do everything",
        _ => "do nothing",
    }
}

/// What kind of device a browser runs on, as far as it says so itself.
fn device(browser: &str) -> String {
    let on = ["iPhone", "iPad", "Android", "Windows", "Macintosh", "CrOS", "Linux"];
    let by = [
        ("Firefox/", "Firefox"),
        ("Edg/", "Edge"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    let on = on.into_iter().find(|name| browser.contains(name));
    let by = by.into_iter().find(|(mark, _)| browser.contains(mark)).map(|(_, name)| name);
    match (by, on) {
        (Some(by), Some(on)) => format!("{by} on {on}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => "A browser".to_owned(),
    }
}
