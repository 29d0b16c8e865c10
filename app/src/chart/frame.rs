//! What is around the lines of a chart: axes, rules, what happened. The same in the document and alive.

use super::{Event, Mark, Panel, Plot, Span, axis};
use leptos::prelude::*;

/// Width of the box that lines and rules are drawn in; the page stretches it. A unit is less than any screen shows.
pub(super) const WIDTH: f64 = 10_000.0;
/// Height of the box.
pub(super) const HEIGHT: f64 = 3000.0;

/// Axes and rules of a chart over the part of a plot's time that is seen.
pub(super) fn frame(plot: &Plot, panel: Panel, seen: Span) -> impl IntoView + use<> {
    let times = axis::times(seen, &plot.zone);
    let panel_plot = plot.panel(panel);
    let (left, right) = (panel_plot.left.marks.clone(), panel_plot.right.marks.clone());
    let rule = |mark: &Mark| {
        let y = HEIGHT - mark.at / 100.0 * HEIGHT;
        view! { <line class="rule" class:major=mark.is_major x1="0" x2=WIDTH y1=y y2=y /> }
    };
    let post = |mark: &Mark| {
        let x = mark.at / 100.0 * WIDTH;
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
    // Where it is dangerous, on the axis of the state of charge.
    let danger = (panel == Panel::Power).then(|| {
        let height = plot.emergency / 100.0 * HEIGHT;
        view! { <rect class="danger" x="0" y=HEIGHT - height width=WIDTH height=height /> }
    });
    let instant = |class: &'static str, at: i64| {
        let x = seen.percent(at) / 100.0 * WIDTH;
        seen.holds(at).then(|| view! { <line class=class x1=x x2=x y1="0" y2=HEIGHT /> })
    };
    let events: Vec<_> = plot.events.iter().filter(|event| seen.holds(event.at)).collect();
    let along = |event: &&Event| {
        let class = format!("event {}", event.kind.slug());
        view! { <span class=class style:left=format!("{}%", seen.percent(event.at))></span> }
    };
    view! {
        <div class="axis left">{left.clone().into_iter().map(beside).collect_view()}</div>
        <svg
            class="rules"
            viewBox=format!("0 0 {WIDTH} {HEIGHT}")
            preserveAspectRatio="none"
            focusable="false"
        >
            {danger}
            {left.iter().map(rule).collect_view()}
            {times.iter().map(post).collect_view()}
            {instant("now", plot.now)}
            {plot.here.and_then(|here| instant("here", here))}
        </svg>
        <div class="axis right">{right.into_iter().map(beside).collect_view()}</div>
        <div class="axis below">{times.into_iter().map(below).collect_view()}</div>
        <div class="events">{events.iter().map(along).collect_view()}</div>
    }
}
