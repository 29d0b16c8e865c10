//! The page of the journal, as HTML.

use super::{
    PATH,
    filter::About,
    tell::{Day, Journal, Row},
};
use crate::page::nav::{Place, nav};
use leptos::{either::Either, prelude::*};

/// The page.
pub fn page(journal: Journal) -> impl IntoView {
    let form = form(&journal);
    let Journal { site, version, now: (clock, instant), zone, filter, days, newer, older, .. } = journal;
    let is_first = filter.newest() == filter;
    let newest = (!is_first).then(|| filter.newest().address());
    let everything = filter.is_narrow().then(|| view! { <a href=PATH>"Show everything"</a> });
    let days = match days {
        Ok(days) => Either::Left(days.into_iter().map(day).collect_view()),
        Err(why) => Either::Right(view! {
            <section class="card nothing">
                <p>{why}</p>
                {everything}
            </section>
        }),
    };
    view! {
        <a class="skip" href="#main">"To the content"</a>
        <header class="bar">
            <a class="site" href="/">{site}</a>
            <p class="asof">"as of " <time datetime=instant>{clock}</time></p>
            {nav(Place::Decisions)}
        </header>
        <main id="main" class="journal">
            <div class="lead">
                <h1>"Decisions"</h1>
                <p>
                    "What was decided, why, from which readings, and what became of it. Times are those of "
                    <span class="zone">{zone}</span> "."
                </p>
            </div>
            {form} {days} <nav class="pages" aria-label="Pages of the journal">
                {newest.map(|to| view! { <a href=to>"Newest"</a> })}
                {newer.map(|to| view! { <a href=to rel="prev">"Newer"</a> })}
                {older.map(|to| view! { <a href=to rel="next">"Older"</a> })}
            </nav>
        </main>
        <footer>
            <span>"WhatsMiner Controller " {version}</span>
        </footer>
    }
}

/// What is shown can be narrowed: by miner, by day, by what it was about. Every button sends all of it.
fn form(journal: &Journal) -> impl IntoView + use<> {
    let filter = &journal.filter;
    let chosen = filter.miner.clone();
    let miners = (!journal.miners.is_empty()).then(|| {
        let option = |(id, name): (model::MinerId, String)| {
            let is_chosen = chosen.as_ref() == Some(&id);
            view! { <option value=id.0 selected=is_chosen>{name}</option> }
        };
        view! {
            <label>
                <span>"Miner"</span>
                <select name="miner">
                    <option value="">"All"</option>
                    {journal.miners.clone().into_iter().map(option).collect_view()}
                </select>
            </label>
        }
    });
    let about = |about: About| {
        let is_chosen = filter.about == about;
        view! {
            <button name="about" value=about.slug() aria-pressed=is_chosen.to_string()>
                {about.label()}
            </button>
        }
    };
    let day = filter.day.map(|day| day.to_string());
    // Enter sends the first button.
    view! {
        <form class="card filter" action=PATH method="get" autocomplete="off" role="search" aria-label="Which decisions">
            <div class="fields">
                {miners} <label>
                    <span>"Day"</span>
                    <input type="date" name="day" value=day />
                </label>
                <button class="button" name="about" value=filter.about.slug()>
                    "Show"
                </button>
            </div>
            <div class="about segments" role="group" aria-label="What it was about">
                {About::ALL.map(about).collect_view()}
            </div>
        </form>
    }
}

fn day(day: Day) -> impl IntoView {
    view! {
        <section class="card day">
            <h2>{day.title}</h2>
            <ol>{day.rows.into_iter().map(row).collect_view()}</ol>
        </section>
    }
}

fn row(row: Row) -> impl IntoView {
    let Row { anchor, clock, instant, chart, rule, miner, before, did, is_command, outcome, why, readings } =
        row;
    let before = before.map(|before| {
        view! { {before} " " <span aria-hidden="true">"→"</span><span class="visually-hidden">"to"</span> " " }
    });
    let sentence = |sentence: crate::view::Sentence| {
        view! { <p class:strong=sentence.is_strong>{sentence.text}</p> }
    };
    let reading = |(what, how_much): (&'static str, String)| {
        view! {
            <div>
                <dt>{what}</dt>
                <dd>{how_much}</dd>
            </div>
        }
    };
    view! {
        <li id=anchor>
            <p class="when">
                <time datetime=instant>{clock.clone()}</time>
                <a href=chart>"On the chart"<span class="visually-hidden">" at " {clock}</span></a>
            </p>
            <div class="what">
                <h3 class:quiet=!is_command>{before}{did}</h3>
                <p class="rule">{miner.map(|miner| format!("{miner} · "))}{rule}</p>
                {outcome.map(|(class, words)| view! { <p class=format!("outcome {class}")>{words}</p> })}
            </div>
            <div class="why">{why.into_iter().map(sentence).collect_view()}</div>
            <dl class="readings">{readings.into_iter().map(reading).collect_view()}</dl>
        </li>
    }
}
