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

/// The options of one chart, as JSON.
pub(super) fn json(panel: Panel, plot: &PanelPlot) -> String {
    let chart = panel.shows().fold(frame(plot), |chart, shown| {
        let [low, band] = spread(shown);
        chart.series(low).series(band).series(mean(shown))
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
fn mean(shown: Shown) -> Line {
    let style = match shown.side() {
        Side::Left => LineStyleType::Solid,
        Side::Right => LineStyleType::Dashed,
        Side::Own => LineStyleType::Dotted,
    };
    let width = if shown == Shown::Battery { 1.25 } else { 2.0 };
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
