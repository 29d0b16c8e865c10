//! The charts on the page: ranges, chips, the drawing, its table.

use super::{Chart, Panel, Shown, frame::frame};
use crate::range::Range;
use leptos::{ev::MouseEvent, html, prelude::*};

/// The history of the battery and a miner over the range in the page's address.
pub(crate) fn figure(chart: Chart) -> impl IntoView {
    let code = chart.start.with_value(|start| start.code.clone());
    let (summary, table) = chart.start.with_value(|start| (start.summary.clone(), start.table.clone()));
    let summary = move || {
        chart.plot.with(|plot| plot.as_ref().map_or_else(|| summary.clone(), |plot| plot.summary.clone()))
    };
    let table = move || {
        chart.plot.with(|plot| plot.as_ref().map_or_else(|| table.clone(), |plot| plot.table.clone()))
    };
    let choices = chart.start.with_value(|start| start.choices.clone());
    let of_one = choices.is_empty();
    let named = choices.clone();
    // Whose the lines are, where that has to be said. Another miner's name comes with its lines.
    let whose = Memo::new(move |_| {
        let drawn = chart.plot.with(|plot| plot.as_ref().map(|plot| plot.miner.clone()));
        let drawn = drawn.unwrap_or_else(|| chart.miner.get());
        named.iter().find(|choice| Some(&choice.id) == drawn.as_ref()).map(|choice| choice.name.clone())
    });
    let caption = move || {
        let whose = whose.get().map_or_else(String::new, |name| format!(" of the battery and {name}"));
        format!("History{whose} over {}. ", chart.range.get().words())
    };
    let file = move || {
        let miner = chart.miner.get().filter(|_| of_one);
        Chart::file(miner.as_deref(), chart.range.get(), chart.here.get())
    };
    view! {
        <section class="card chart" id="chart" aria-labelledby="chart-title" data-code=code>
            <header>
                <h2 id="chart-title">{Panel::Power.title()} {move || whose.get().map(|name| format!(" · {name}"))}</h2>
                <nav class="ranges segments" aria-label="How far back">
                    {Range::ALL.map(|range| link(chart, Pick::Range(range), range.label().to_owned())).collect_view()}
                </nav>
            </header>
            {(!of_one).then(|| view! {
                <nav class="subjects" aria-label="Whose past">
                    {choices.into_iter().map(|one| link(chart, Pick::Miner(one.id), one.name)).collect_view()}
                </nav>
            })}
            {move || chart.problem.get().map(|why| view! { <p class="note bad" role="alert">{why}</p> })}
            <figure>
                <figcaption class="visually-hidden">{caption} {summary}</figcaption>
                {panel(chart, Panel::Power)}
                <div class="below-plot">
                    <p class="note">{move || chart.resolution()}</p>
                    {move || chart.is_alive().then(|| zoom(chart))}
                </div>
                <h3>{Panel::Temperature.title()}</h3>
                {panel(chart, Panel::Temperature)}
                <details class="values">
                    <summary>"The same as a table"</summary>
                    <div inner_html=table></div>
                    <p>
                        <a href=file download>
                            "Everything measured over this time, as a file (CSV)"
                        </a>
                    </p>
                </details>
            </figure>
            <p class="note">
                "Exports, backups, and how far back all of it reaches: " <a href="/data">"Data"</a> "."
            </p>
        </section>
    }
}

/// What can be chosen by a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pick {
    /// How far the charts look back from now.
    Range(Range),
    /// The miner of this id, over the same stretch.
    Miner(String),
}

/// A link to other charts. It is followed without leaving the page where the charts are alive.
fn link(chart: Chart, pick: Pick, label: String) -> impl IntoView {
    let (shown, picked) = (pick.clone(), pick.clone());
    let choose = move |event: MouseEvent| {
        // Whoever wants it in another tab gets it there.
        let elsewhere = event.ctrl_key() || event.meta_key() || event.shift_key();
        if !elsewhere && chart.plot.with_untracked(Option::is_some) {
            event.prevent_default();
            #[cfg(target_arch = "wasm32")]
            crate::browser::choose(chart, &picked);
            #[cfg(not(target_arch = "wasm32"))]
            let _ = &picked;
        }
    };
    let address = move || match &pick {
        Pick::Range(range) => Chart::address(chart.named_now().as_deref(), *range, None, chart.off.get()),
        // Without a script the page is loaded anew: what was looked at is looked at again.
        Pick::Miner(id) => {
            let named = chart.named(Some(id));
            let address =
                Chart::address(named.as_deref(), chart.range.get(), chart.here.get(), chart.off.get());
            format!("{address}#chart")
        }
    };
    let is_chosen = move || match &shown {
        Pick::Range(range) => chart.here.get().is_none() && chart.range.get() == *range,
        Pick::Miner(id) => chart.miner.with(|miner| miner.as_ref() == Some(id)),
    };
    view! {
        <a href=address aria-current=move || is_chosen().then_some("true") on:click=choose>
            {label}
        </a>
    }
}

/// One chart with its chips.
fn panel(chart: Chart, panel: Panel) -> impl IntoView {
    let drawn = chart.start.with_value(|start| start.drawn.panel(panel).to_owned());
    let here = chart.start.with_value(|start| start.here);
    let here = here.map(|here| view! { <input type="hidden" name="at" value=here /> });
    let chip = move |shown: Shown| {
        let toggle = move |event: MouseEvent| {
            if chart.plot.with_untracked(Option::is_some) {
                event.prevent_default();
                #[cfg(target_arch = "wasm32")]
                crate::browser::toggle(chart, shown);
            }
        };
        view! {
            <button
                class=format!("chip {}", shown.slug())
                name="off"
                value=move || chart.off.get().toggled(shown).slug()
                aria-pressed=move || (!chart.off.get().hides(shown)).to_string()
                on:click=toggle
            >
                {shown.label()}
            </button>
        }
    };
    view! {
        // To this page's own address.
        <form method="get" action="#chart">
            <input type="hidden" name="range" value=move || chart.range.get().slug() />
            {move || chart.named_now().map(|miner| view! { <input type="hidden" name="miner" value=miner /> })}
            {here}
            <div class="toggles" role="group" aria-label=format!("{}: what is shown", panel.title())>
                {panel.shows().map(chip).collect_view()}
            </div>
        </form>
        <div class=format!("plot {}", panel.slug())>
            <div class="drawn" aria-hidden="true" hidden=move || chart.is_alive() inner_html=drawn></div>
            {move || chart.is_alive().then(|| alive(chart, panel))}
        </div>
    }
}

/// The chart as the browser draws it.
fn alive(chart: Chart, panel: Panel) -> impl IntoView {
    let canvas = NodeRef::<html::Div>::new();
    #[cfg(target_arch = "wasm32")]
    crate::browser::draw(chart, panel, canvas);
    let around = move || {
        let seen = chart.seen_span();
        chart.plot.with(|plot| plot.as_ref().map(|plot| frame(plot, panel, seen)))
    };
    view! {
        <div class="drawn" aria-hidden="true">
            {around}
        </div>
        <div
            class="canvas"
            node_ref=canvas
            tabindex="0"
            role="application"
            aria-roledescription="chart"
            aria-label=format!(
                "{}. Arrow keys point at an instant, plus and minus zoom, page up and down move, 0 shows everything.",
                panel.title(),
            )
        ></div>
        {move || readout(chart, panel)}
    }
}

/// What was at the instant that is pointed at.
fn readout(chart: Chart, panel: Panel) -> impl IntoView {
    let seen = chart.seen_span();
    let at = chart.cursor.get().filter(|at| seen.holds(*at))?;
    let off = chart.off.get();
    let row = |shown: Shown| {
        let told = chart.stretch.with(|stretch| {
            let value = stretch.line(shown).and_then(|(track, line)| track.value_at(line, at));
            shown.told(value)
        });
        view! {
            <li class=shown.slug()>
                <span>{shown.label()}</span>
                <strong>{told.value}<small>{format!("\u{202f}{}", told.unit)}</small></strong>
            </li>
        }
    };
    let rows = panel.shows().filter(|shown| !off.hides(*shown)).map(row).collect_view();
    let (time, happened) = chart.plot.with(|plot| {
        let plot = plot.as_ref()?;
        let moment = |at| plot.zone.civil(model::UtcMillis(at));
        // What happened here: as near as a finger is wide.
        let near = |event: &&super::Event| (seen.percent(event.at) - seen.percent(at)).abs() < 1.0;
        let happened: Vec<String> = plot.events.iter().filter(near).map(|event| event.text.clone()).collect();
        Some((moment(at).told_on(&moment(plot.now)), happened))
    })?;
    let left = seen.percent(at);
    Some(view! {
        <div class="cursor" class:flipped={left > 50.0} style:--along=format!("{}", left / 100.0) aria-hidden="true">
            <div class="readout">
                <p>{time}</p>
                <ul>{rows}</ul>
                {happened.into_iter().map(|text| view! { <p class="happened">{text}</p> }).collect_view()}
            </div>
        </div>
    })
}

/// Buttons for those who have neither wheel nor fingers.
fn zoom(chart: Chart) -> impl IntoView {
    let by = move |factor: f64| {
        move |_: MouseEvent| {
            let length = chart.plot.with_untracked(|plot| plot.as_ref().map_or(0, |plot| plot.span.length()));
            chart.seen.update(|seen| *seen = seen.zoomed(factor, f64::midpoint(seen.from, seen.to), length));
        }
    };
    view! {
        <div class="zoom" role="group" aria-label="Zoom">
            <button class="button" aria-label="Closer" on:click=by(0.5)>"+"</button>
            <button class="button" aria-label="Further away" on:click=by(2.0)>"−"</button>
            <button
                class="button"
                disabled=move || chart.seen.get().is_all()
                on:click=move |_| chart.seen.set(super::live::Seen::default())
            >
                "Whole"
            </button>
        </div>
    }
}
