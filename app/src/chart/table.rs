//! The charts as a table: a few rows of values, and what happened.

use super::{Shown, Stretch};
use crate::{backend::History, civil::moment};
use leptos::prelude::*;
use model::UtcMillis;

/// Rows of values at most.
const ROWS: usize = 24;

/// Both, as HTML.
pub(super) fn html(history: &History, stretch: &Stretch) -> String {
    let time = |at| moment(UtcMillis(at), history.now, &history.timezone);
    let row = |at: i64| {
        let values = Shown::ALL.map(|shown| view! { <td>{told(stretch, shown, at)}</td> });
        view! {
            <tr>
                <th scope="row">{time(at)}</th>
                {values.collect_view()}
            </tr>
        }
    };
    let head = Shown::ALL.map(|shown| view! { <th scope="col">{shown.label()}</th> });
    let happened = history.events.iter().map(|event| {
        view! {
            <li>
                <span class="when">{time(event.at)}</span>
                " "
                {event.text.clone()}
            </li>
        }
    });
    let values = view! {
        <div class="scroll" role="region" aria-label="Values of the charts" tabindex="0">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Time"</th>
                        {head.collect_view()}
                    </tr>
                </thead>
                <tbody>{instants(stretch).into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    };
    let happened = (!history.events.is_empty()).then(|| {
        view! {
            <h3>"What happened"</h3>
            <ul class="happened">{happened.collect_view()}</ul>
        }
    });
    view! { {values} {happened} }.to_html()
}

/// The instants of the track that has more of them, thinned out.
fn instants(stretch: &Stretch) -> Vec<i64> {
    let Stretch { battery, miner } = stretch;
    let longer = if battery.at.len() >= miner.at.len() { &battery.at } else { &miner.at };
    longer.iter().copied().step_by(longer.len().div_ceil(ROWS).max(1)).collect()
}

/// A value with its unit, or that it isn't known.
fn told(stretch: &Stretch, shown: Shown, at: i64) -> String {
    let value = stretch.line(shown).and_then(|(track, line)| track.value_at(line, at));
    let told = shown.told(value);
    if told.is_known() { format!("{} {}", told.value, told.unit) } else { "unknown".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::{plot, plot::tests::*};
    use model::history::{Quantity, Track};

    #[test]
    fn the_table_tells_unknown_as_unknown() {
        let battery = track(Quantity::Soc, None, &[(0, Some((60.0, 60.0))), (50, Some((55.5, 55.5)))]);
        let miner = track(Quantity::Power, None, &[(0, Some((2134.0, 2134.0)))]);
        let html = plot(&history(battery, miner)).table;
        let cells: Vec<&str> =
            html.split("<td>").skip(1).filter_map(|cell| cell.split("</td>").next()).collect();
        assert_eq!(cells.len(), 16, "{html}");
        assert_eq!([cells[0], cells[1], cells[3]], ["60 %", "unknown", "2.13 kW"]);
        assert_eq!([cells[8], cells[9], cells[11]], ["55.5 %", "unknown", "unknown"]);
    }

    #[test]
    fn a_past_without_anything_has_no_rows() {
        let html = plot(&history(Track::default(), Track::default())).table;
        assert!(!html.contains("<td>"), "{html}");
    }
}
