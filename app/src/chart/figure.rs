//! The chart on the page: range buttons, the drawing, its labels, its table.

use super::{Drawing, HEIGHT, Mark, Row, WIDTH};
use crate::{live::Live, range::Range};
use leptos::{either::Either, ev::MouseEvent, prelude::*};
use model::history::Quantity;

/// The history of the battery and the first miner over the range in the page's address.
pub(crate) fn figure(live: Live) -> impl IntoView {
    let range = live.range;
    let choice = |choice: Range| {
        let choose = move |event: MouseEvent| {
            // Whoever wants it in another tab gets it there.
            if event.ctrl_key() || event.meta_key() || event.shift_key() {
                return;
            }
            event.prevent_default();
            #[cfg(target_arch = "wasm32")]
            crate::browser::choose(live, choice);
        };
        view! {
            <a
                href=format!("?range={}", choice.slug())
                aria-current=move || (range.get() == choice).then_some("true")
                on:click=choose
            >
                {choice.label()}
            </a>
        }
    };
    view! {
        <section class="card chart" aria-labelledby="chart-title">
            <header>
                <h2 id="chart-title">"History"</h2>
                <nav class="ranges segments" aria-label="How far back">{Range::ALL.map(choice).collect_view()}</nav>
            </header>
            {move || match live.chart.get() {
                Ok(drawing) => Either::Left(drawn(drawing, range.get_untracked())),
                Err(why) => Either::Right(view! { <p class="note" role="alert">{why}</p> }),
            }}
        </section>
    }
}

fn drawn(drawing: Drawing, range: Range) -> impl IntoView {
    let Drawing { summary, is_empty, lines, times, powers, charges, emergency, now, rows } = drawing;
    let threshold = HEIGHT - emergency / 100.0 * HEIGHT;
    let order = [Quantity::Pv, Quantity::Power, Quantity::Soc];
    let lines = order
        .into_iter()
        .filter_map(|quantity| lines.iter().find(|line| line.quantity == quantity).cloned())
        .map(|line| {
            view! {
                <g class=format!("line {}", class(line.quantity))>
                    <path class="area" d=line.area />
                    <path class="spread" d=line.spread />
                    <path class="mean" d=line.mean />
                </g>
            }
        })
        .collect_view();
    let rule = |mark: &Mark| {
        let y = HEIGHT - mark.at / 100.0 * HEIGHT;
        view! { <line class="rule" class:major=mark.is_major x1="0" x2=WIDTH y1=y y2=y /> }
    };
    let post = |mark: &Mark| {
        let x = (mark.at * WIDTH).round() / 100.0;
        view! { <line class="rule" class:major=mark.is_major x1=x x2=x y1="0" y2=HEIGHT /> }
    };
    let beside = |mark: Mark| view! { <span style:bottom=format!("{}%", mark.at)>{mark.label}</span> };
    let below = |mark: Mark| {
        view! {
            <span class:major=mark.is_major class:spare=mark.is_spare style:left=format!("{}%", mark.at)>
                {mark.label}
            </span>
        }
    };
    let now = now / 100.0 * WIDTH;
    let caption = format!("History over {}.", range.words());
    view! {
        <figure>
            <figcaption class="visually-hidden">{format!("{caption} {summary}")}</figcaption>
            <ul class="key" aria-hidden="true">
                <li class="soc">"Charge"</li>
                <li class="pv">"Sun"</li>
                <li class="miner">"Miner"</li>
            </ul>
            <div class="plot" aria-hidden="true">
                <div class="axis left">{powers.clone().into_iter().map(beside).collect_view()}</div>
                <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" focusable="false">
                    <rect class="danger" x="0" y=threshold width=WIDTH height=HEIGHT - threshold />
                    {powers.iter().map(rule).collect_view()} {times.iter().map(post).collect_view()} {lines}
                    <line class="now" x1=now x2=now y1="0" y2=HEIGHT />
                </svg>
                <div class="axis right">{charges.into_iter().map(beside).collect_view()}</div>
                <div class="axis below">{times.into_iter().map(below).collect_view()}</div>
                {is_empty.then(|| view! { <p class="empty">"Nothing is known of this time."</p> })}
            </div>
            {table(rows)}
        </figure>
    }
}

/// A series has one colour everywhere.
const fn class(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Soc => "soc",
        Quantity::Pv => "pv",
        _ => "miner",
    }
}

fn table(rows: Vec<Row>) -> impl IntoView {
    let row = |row: Row| {
        view! {
            <tr>
                <th scope="row">{row.time}</th>
                <td>{row.charge}</td>
                <td>{row.pv}</td>
                <td>{row.miner}</td>
            </tr>
        }
    };
    view! {
        <details class="values">
            <summary>"The same as a table"</summary>
            <div class="scroll" role="region" aria-label="Values of the chart" tabindex="0">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Time"</th>
                            <th scope="col">"Charge"</th>
                            <th scope="col">"Sun"</th>
                            <th scope="col">"Miner"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        </details>
    }
}
