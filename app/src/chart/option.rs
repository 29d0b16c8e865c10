//! ECharts' options, typed. They hold no data and no colours: a colour is the name of one of the style's tokens, which
//! the browser puts in, and data is set apart, so that a new reading doesn't make the options anew.
//!
//! ECharts draws lines and zooms. Axes, rules and marks are the page's own (`frame`), so its axes are there and hidden.

use super::{Panel, PanelPlot, Scale, Shown, Side};
use charming::{
    Chart,
    component::{Axis, DataZoom, DataZoomType, FilterMode, Grid},
    element::{AreaStyle, AxisType, Color, LineStyle, LineStyleType, Symbol},
    series::Line,
};
use serde_json::{Value, json};

/// The options of one chart, as JSON; with thin lines where they are a thicket ([`super::Stretch::is_thicket`]).
pub(super) fn json(panel: Panel, plot: &PanelPlot, is_thicket: bool) -> String {
    let chart = panel.shows().fold(frame(plot), |chart, shown| {
        let [low, band] = spread(shown);
        chart.series(low).series(band).series(mean(shown, is_thicket))
    });
    // A chart is numbers and texts: there is nothing that JSON can't hold.
    let mut option = serde_json::to_value(&chart).unwrap_or_default();
    amend(&mut option);
    option.to_string()
}

/// Grid, axes and zoom. The time axis gets its ends with the data.
fn frame(plot: &PanelPlot) -> Chart {
    let axis = |scale: Scale| Axis::new().type_(AxisType::Value).show(false).min(scale.bottom).max(scale.top);
    Chart::new()
        .animation(false)
        .grid(Grid::new().left(0).right(0).top(0).bottom(0))
        .x_axis(Axis::new().type_(AxisType::Value).show(false))
        .y_axis(axis(plot.left.scale))
        .y_axis(axis(plot.right.scale))
        .y_axis(axis(plot.own))
        .data_zoom(DataZoom::new().type_(DataZoomType::Inside).x_axis_index(0).filter_mode(FilterMode::None))
}

fn axis_of(shown: Shown) -> i32 {
    match shown.side() {
        Side::Left => 0,
        Side::Right => 1,
        Side::Own => 2,
    }
}

/// A line as it is drawn: dashed on the right axis, dotted where it has an axis of its own, else solid.
fn mean(shown: Shown, is_thicket: bool) -> Line {
    let style = match shown.side() {
        Side::Left => LineStyleType::Solid,
        Side::Right => LineStyleType::Dashed,
        Side::Own => LineStyleType::Dotted,
    };
    let width = match shown {
        _ if is_thicket => 1.0,
        Shown::Battery => 1.25,
        _ => 2.0,
    };
    let line = Line::new()
        .id(shown.slug())
        .y_axis_index(axis_of(shown))
        .symbol(Symbol::None)
        .show_symbol(false)
        .connect_nulls(false)
        .silent(true)
        .line_style(
            LineStyle::new().color(Color::Value(shown.colour().to_owned())).width(width).type_(style),
        );
    match shown {
        Shown::Sun | Shown::Miner => line.area_style(area(shown, 0.1)),
        _ => line,
    }
}

/// What lies between the least and the greatest value: an unseen line with an area on top of it.
fn spread(shown: Shown) -> [Line; 2] {
    let line = |part: &str| {
        Line::new()
            .id(format!("{}-{part}", shown.slug()))
            .stack(shown.slug())
            .y_axis_index(axis_of(shown))
            .symbol(Symbol::None)
            .show_symbol(false)
            .connect_nulls(false)
            .silent(true)
            .line_style(LineStyle::new().width(0))
    };
    [line("low"), line("band").area_style(area(shown, 0.3))]
}

fn area(shown: Shown, opacity: f64) -> AreaStyle {
    AreaStyle::new().color(Color::Value(shown.colour().to_owned())).opacity(opacity)
}

/// What the option builder has no words for.
fn amend(option: &mut Value) {
    let members = |value: &mut Value, more: Value| {
        if let (Some(members), Value::Object(more)) = (value.as_object_mut(), more) {
            members.extend(more);
        }
    };
    for series in option.get_mut("series").and_then(Value::as_array_mut).into_iter().flatten() {
        // The least value may be negative and what is on top of it isn't.
        members(series, json!({ "stackStrategy": "all" }));
    }
    for zoom in option.get_mut("dataZoom").and_then(Value::as_array_mut).into_iter().flatten() {
        // A finger that moves up or down scrolls the page.
        members(zoom, json!({ "preventDefaultMouseMove": false }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{PanelPlot, plot, plot::tests::history};
    use model::history::Track;

    fn option(panel: Panel, plot: &PanelPlot) -> Value {
        serde_json::from_str(&json(panel, plot, false)).unwrap()
    }

    /// Scales of their own, so that each axis can be told from the others.
    fn scaled() -> PanelPlot {
        let mut plot = PanelPlot::default();
        plot.left.scale = Scale { bottom: -3000.0, top: 6000.0 };
        plot.right.scale = Scale { bottom: 0.0, top: 100.0 };
        plot.own = Scale { bottom: 0.0, top: 120.0 };
        plot
    }

    #[test]
    fn the_power_charts_options_are_these() {
        insta::assert_json_snapshot!(option(Panel::Power, &scaled()));
    }

    #[test]
    fn the_temperature_charts_options_are_these() {
        insta::assert_json_snapshot!(option(Panel::Temperature, &scaled()));
    }

    #[test]
    fn what_is_a_thicket_is_drawn_thinly_alive_and_in_the_document() {
        let hours = |hours: i64| Track { step_ms: Some(hours * 3_600_000), ..Track::default() };
        for (miner, widths) in [(hours(1), [2.0, 2.0, 1.25, 2.0, 2.0]), (hours(2), [1.0; 5])] {
            let plot = plot(&history(Track::default(), miner));
            let option: Value = serde_json::from_str(&plot.power.option).unwrap();
            let width = |shown: Shown| {
                let series = option["series"].as_array().unwrap();
                let its = series.iter().find(|series| series["id"] == shown.slug()).unwrap();
                its["lineStyle"]["width"].as_f64().unwrap()
            };
            assert_eq!(Panel::Power.shows().map(width).collect::<Vec<_>>(), widths);
            let document = super::super::drawn(&plot, super::super::Off::default()).power;
            assert_eq!(document.contains("lines thicket"), plot.stretch.is_thicket(), "{document}");
        }
    }

    /// The browser finds a line by these names, and puts the style's tokens in for the colours.
    #[test]
    fn every_line_has_its_place_its_axis_and_a_token_for_its_colour() {
        for panel in Panel::ALL {
            let option = option(panel, &scaled());
            let series = option["series"].as_array().unwrap();
            for shown in panel.shows() {
                let of = |part: &str| {
                    let id = format!("{}{part}", shown.slug());
                    series.iter().find(|series| series["id"] == *id).unwrap_or_else(|| panic!("no {id}"))
                };
                for part in ["-low", "-band", ""] {
                    assert_eq!(of(part)["yAxisIndex"], f64::from(axis_of(shown)), "{}{part}", shown.slug());
                    assert_eq!(of(part)["connectNulls"], false, "a gap is a gap");
                    assert!(of(part).get("data").is_none_or(|data| data == &json!([])), "data is set apart");
                }
                assert_eq!(of("-low")["stack"], of("-band")["stack"]);
                assert!(of("")["lineStyle"]["color"].as_str().unwrap().starts_with("--"));
            }
        }
    }

    #[test]
    fn the_axes_are_as_long_as_the_plots() {
        let made = plot(&history(Track::default(), Track::default()));
        for panel in Panel::ALL {
            let option = option(panel, made.panel(panel));
            let of =
                |axis: usize| (option["yAxis"][axis]["min"].as_f64(), option["yAxis"][axis]["max"].as_f64());
            let scale = |scale: Scale| (Some(scale.bottom), Some(scale.top));
            assert_eq!(of(0), scale(made.panel(panel).left.scale));
            assert_eq!(of(1), scale(made.panel(panel).right.scale));
            assert_eq!(of(2), scale(made.panel(panel).own));
        }
    }
}
