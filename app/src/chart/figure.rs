//! The charts on the page: ranges, chips, the drawing, its table.

use super::{Chart, Panel, Shown, frame::frame};
use crate::range::Range;
use leptos::{ev::MouseEvent, html, prelude::*};

/// The history of the battery and the first miner over the range in the page's address.
pub(crate) fn figure(chart: Chart) -> impl IntoView {
    let code = chart.start.with_value(|start| start.code.clone());
    let (summary, table) = chart.start.with_value(|start| (start.summary.clone(), start.table.clone()));
    let summary = move || {
        chart.plot.with(|plot| plot.as_ref().map_or_else(|| summary.clone(), |plot| plot.summary.clone()))
    };
    let table = move || {
        chart.plot.with(|plot| plot.as_ref().map_or_else(|| table.clone(), |plot| plot.table.clone()))
    };
    let caption = move || format!("History over {}. ", chart.range.get().words());
    view! {
        <section class="card chart" id="chart" aria-labelledby="chart-title" data-code=code>
            <header>
                <h2 id="chart-title">{Panel::Power.title()}</h2>
                <nav class="ranges segments" aria-label="How far back">
                    {Range::ALL.map(|range| choice(chart, range)).collect_view()}
                </nav>
            </header>
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
                        <a href=move || Chart::file(chart.range.get(), chart.here.get()) download>
                            "Everything measured over this time, as a file (CSV)"
                        </a>
                    </p>
                </details>
            </figure>
        </section>
    }
}

/// A link to another range. It is followed without leaving the page where the charts are alive.
fn choice(chart: Chart, range: Range) -> impl IntoView {
    let choose = move |event: MouseEvent| {
        // Whoever wants it in another tab gets it there.
        let elsewhere = event.ctrl_key() || event.meta_key() || event.shift_key();
        if !elsewhere && chart.plot.with_untracked(Option::is_some) {
            event.prevent_default();
            #[cfg(target_arch = "wasm32")]
            crate::browser::choose(chart, range);
        }
    };
    let is_chosen = move || chart.here.get().is_none() && chart.range.get() == range;
    view! {
        <a
            href=move || Chart::address(range, None, chart.off.get())
            aria-current=move || is_chosen().then_some("true")
            on:click=choose
        >
            {range.label()}
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
        <form method="get" action="/#chart">
            <input type="hidden" name="range" value=move || chart.range.get().slug() />
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
