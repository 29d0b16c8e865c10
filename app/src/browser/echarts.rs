//! ECharts draws the lines of a chart and turns wheel, drag and pinch into a zoom
//! (<https://echarts.apache.org/en/option.html>, <https://echarts.apache.org/en/api.html>).

use crate::chart::{Chart, Line, Off, Panel, Seen, Shown, Span};
use leptos::{ev, html, prelude::*};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::{
    HtmlElement, KeyboardEvent, PointerEvent, ResizeObserver, WheelEvent,
    js_sys::{Array, Float64Array, Function, JSON, Object, Reflect},
};

/// How long the page must have rested, in milliseconds, before the wheel over a chart zooms: who scrolls past one goes on
/// scrolling.
const REST: f64 = 300.0;

#[wasm_bindgen]
extern "C" {
    /// A chart of ECharts.
    #[derive(Clone)]
    type Instance;

    #[wasm_bindgen(js_namespace = echarts)]
    fn init(element: &HtmlElement) -> Instance;
    #[wasm_bindgen(method, js_name = setOption)]
    fn set_option(this: &Instance, option: &JsValue);
    #[wasm_bindgen(method, js_name = dispatchAction)]
    fn dispatch_action(this: &Instance, action: &JsValue);
    #[wasm_bindgen(method)]
    fn on(this: &Instance, event: &str, handler: &Function);
    #[wasm_bindgen(method)]
    fn resize(this: &Instance);
}

/// Draws a chart into its place once that is there, and keeps it up to date.
pub(crate) fn draw(chart: Chart, panel: Panel, canvas: NodeRef<html::Div>) {
    Effect::new(move || {
        let Some(place) = canvas.get() else { return };
        let place: HtmlElement = place.unchecked_into();
        let instance = init(&place);
        let styled = Styled::default();
        follow_data(&instance, &place, &styled, chart, panel);
        follow_zoom(&instance, chart);
        follow_place(&instance, &place, styled, chart);
        point(&place, chart);
    });
}

/// The options that are set, as the server made them.
type Styled = Rc<RefCell<String>>;

/// Options in the page's colours.
fn coloured(option: &str, place: &HtmlElement, panel: Panel) -> Option<JsValue> {
    let mut option = option.to_owned();
    for shown in panel.shows() {
        let token = shown.colour();
        // A token is text until something is coloured with it.
        let _ = place.style().set_property("color", &format!("var({token})"));
        let colour = window()
            .get_computed_style(place)
            .ok()
            .flatten()
            .and_then(|style| style.get_property_value("color").ok())
            .unwrap_or_default();
        option = option.replace(&format!("\"{token}\""), &format!("\"{colour}\""));
    }
    let _ = place.style().remove_property("color");
    JSON::parse(&option).ok()
}

/// Data, the ends of the time axis, and the options where they are others than before: all at once, because ECharts draws
/// everything anew each time that it is told something.
fn follow_data(instance: &Instance, place: &HtmlElement, styled: &Styled, chart: Chart, panel: Panel) {
    let of = move |lines: &mut dyn Iterator<Item = Shown>, off: Off| {
        let series = Array::new();
        chart.stretch.with(|stretch| {
            for shown in lines {
                let line = stretch.line(shown).filter(|_| !off.hides(shown));
                for (id, data) in data(shown, line) {
                    series.push(&object(&[("id", id.into()), ("data", data.into())]));
                }
            }
        });
        series
    };
    let toggled = instance.clone();
    let toggle = move |off: &Off, before: Option<&Off>, _| {
        let changed = |shown: &Shown| before.is_some_and(|before| before.hides(*shown) != off.hides(*shown));
        let series = of(&mut panel.shows().filter(changed), *off);
        if series.length() > 0 {
            toggled.set_option(&object(&[("series", series.into())]));
        }
    };
    Effect::watch(move || chart.off.get(), toggle, false);
    let (instance, place, styled) = (instance.clone(), place.clone(), Rc::clone(styled));
    Effect::new(move || {
        chart.stretch.track();
        let series = of(&mut panel.shows(), chart.off.get_untracked());
        let told = chart.plot.with_untracked(|plot| {
            let plot = plot.as_ref()?;
            let option = &plot.panel(panel).option;
            let is_other = *styled.borrow() != *option;
            if is_other {
                styled.borrow_mut().clone_from(option);
            }
            Some((is_other.then(|| coloured(option, &place, panel)).flatten(), plot.span))
        });
        let Some((option, Span { from, to })) = told else { return };
        let ends = [("min", (from as f64).into()), ("max", (to as f64).into())];
        let Some(option) = option else {
            return instance.set_option(&object(&[("xAxis", object(&ends)), ("series", series.into())]));
        };
        let axis = get(&option, "xAxis");
        for (end, at) in &ends {
            set(&axis, end, at);
        }
        for styled in get(&option, "series").dyn_into::<Array>().unwrap_or_default() {
            let is_its = |series: &JsValue| get(series, "id") == get(&styled, "id");
            let data = series.iter().find(is_its).map(|series| get(&series, "data"));
            set(&styled, "data", &data.unwrap_or_default());
        }
        instance.set_option(&option);
    });
}

/// The data of a line and of what lies around it, by the series' ids.
fn data(shown: Shown, line: Option<(&crate::chart::Track, &Line)>) -> [(String, Float64Array); 3] {
    let slug = shown.slug();
    let mut values: [Vec<f64>; 3] = Default::default();
    if let Some((track, line)) = line {
        let [mean, low, band] = &mut values;
        let edge = |edge: &[Option<f32>], index: usize| edge.get(index).copied().flatten().map(f64::from);
        for run in track.runs(line) {
            for (index, value) in &run {
                let at = track.at.get(*index).map_or(f64::NAN, |at| *at as f64);
                mean.extend([at, f64::from(*value)]);
                if let Some([least, greatest]) = &line.spread
                    && let (Some(least), Some(greatest)) = (edge(least, *index), edge(greatest, *index))
                {
                    low.extend([at, least]);
                    band.extend([at, greatest - least]);
                }
            }
            let last =
                run.last().and_then(|(index, _)| track.at.get(*index)).map_or(f64::NAN, |at| *at as f64);
            if let [(_, value)] = run.as_slice() {
                // A lone point: a line of next to no length that round ends make a dot of.
                mean.extend([last + 1.0, f64::from(*value)]);
            }
            for part in [&mut *mean, &mut *low, &mut *band] {
                part.extend([last + 1.0, f64::NAN]);
            }
        }
    }
    let [mean, low, band] = values.map(|values| Float64Array::from(values.as_slice()));
    [(slug.to_owned(), mean), (format!("{slug}-low"), low), (format!("{slug}-band"), band)]
}

/// Both charts see the same part of the time.
fn follow_zoom(instance: &Instance, chart: Chart) {
    let shows = Rc::new(Cell::new(Seen::default()));
    let told = Rc::clone(&shows);
    let zoomed = Closure::<dyn Fn(JsValue)>::new(move |event: JsValue| {
        // A gesture comes in a batch, an action of ours comes bare.
        let batch = get(&event, "batch").dyn_into::<Array>().map_or(JsValue::UNDEFINED, |batch| batch.get(0));
        let edge = |name| get(&batch, name).as_f64().map(|percent| percent / 100.0);
        if let (Some(from), Some(to)) = (edge("start"), edge("end")) {
            told.set(Seen { from, to });
            chart.seen.set(Seen { from, to });
        }
    });
    instance.on("datazoom", zoomed.as_ref().unchecked_ref());
    // It goes with its chart.
    zoomed.forget();
    let instance = instance.clone();
    Effect::new(move || {
        let seen @ Seen { from, to } = chart.seen.get();
        if shows.replace(seen) == seen {
            return;
        }
        instance.dispatch_action(&object(&[
            ("type", "dataZoom".into()),
            ("start", (from * 100.0).into()),
            ("end", (to * 100.0).into()),
        ]));
    });
}

/// The size of the place and the colours of the page.
fn follow_place(instance: &Instance, place: &HtmlElement, styled: Styled, chart: Chart) {
    let sized = instance.clone();
    let resized = Closure::<dyn Fn()>::new(move || sized.resize());
    if let Ok(observer) = ResizeObserver::new(resized.as_ref().unchecked_ref()) {
        observer.observe(place);
    }
    resized.forget();
    if let Ok(Some(dark)) = window().match_media("(prefers-color-scheme: dark)") {
        let changed = Closure::<dyn Fn()>::new(move || {
            styled.borrow_mut().clear();
            chart.stretch.notify();
        });
        let _ = dark.add_event_listener_with_callback("change", changed.as_ref().unchecked_ref());
        changed.forget();
    }
}

/// Pointer and keys.
fn point(place: &HtmlElement, chart: Chart) {
    let pointed = {
        let place = place.clone();
        move |event: PointerEvent| {
            let rectangle = place.get_bounding_client_rect();
            let along = (f64::from(event.client_x()) - rectangle.left()) / rectangle.width().max(1.0);
            chart.cursor.set(Some(untrack(|| chart.seen_span()).at(along)));
        }
    };
    listen(place, "pointermove", pointed.clone());
    listen(place, "pointerdown", pointed);
    listen(place, "pointerleave", move |event: PointerEvent| {
        // A finger that is lifted leaves what it showed.
        if event.pointer_type() == "mouse" {
            chart.cursor.set(None);
        }
    });
    listen(place, "keydown", move |event: KeyboardEvent| {
        if !event.ctrl_key() && !event.meta_key() && !event.alt_key() && key(chart, &event.key()) {
            event.prevent_default();
        }
    });
    // Who scrolls past a chart isn't stopped by it.
    let scrolled = Rc::new(Cell::new(f64::NEG_INFINITY));
    let last = Rc::clone(&scrolled);
    let on_scroll = window_event_listener(ev::scroll, move |_| last.set(super::stream::elapsed()));
    std::mem::forget(on_scroll);
    let passing = Closure::<dyn Fn(WheelEvent)>::new(move |event: WheelEvent| {
        if super::stream::elapsed() - scrolled.get() < REST {
            event.stop_propagation();
        }
    });
    let _ = place.add_event_listener_with_callback_and_bool("wheel", passing.as_ref().unchecked_ref(), true);
    passing.forget();
}

/// Whether a key means something to the charts.
fn key(chart: Chart, key: &str) -> bool {
    let span = chart.plot.with_untracked(|plot| plot.as_ref().map(|plot| plot.span)).unwrap_or_default();
    let seen = chart.seen.get_untracked();
    let shown = seen.of(span);
    let cursor = chart.cursor.get_untracked().filter(|at| shown.holds(*at));
    let middle = cursor.unwrap_or_else(|| shown.at(0.5));
    let zoomed = |factor| {
        let around = (middle - span.from) as f64 / span.length().max(1) as f64;
        seen.zoomed(factor, around, span.length())
    };
    let step = |by: f64| {
        let at = cursor.map_or_else(|| shown.at(1.0), |at| at + (shown.length() as f64 * by) as i64);
        chart.cursor.set(Some(at.clamp(shown.from, shown.to)));
    };
    match key {
        "ArrowLeft" => step(-0.02),
        "ArrowRight" => step(0.02),
        "+" | "=" => chart.seen.set(zoomed(0.5)),
        "-" => chart.seen.set(zoomed(2.0)),
        "PageUp" => chart.seen.set(seen.moved(-0.5)),
        "PageDown" => chart.seen.set(seen.moved(0.5)),
        "0" | "Home" => chart.seen.set(Seen::default()),
        "Escape" => chart.cursor.set(None),
        _ => return false,
    }
    true
}

/// Listens for as long as the element is there.
fn listen<E: wasm_bindgen::convert::FromWasmAbi + 'static>(
    place: &HtmlElement,
    event: &str,
    listener: impl Fn(E) + 'static,
) {
    let listener = Closure::<dyn Fn(E)>::new(listener);
    let _ = place.add_event_listener_with_callback(event, listener.as_ref().unchecked_ref());
    listener.forget();
}

fn object(members: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in members {
        set(&object, name, value);
    }
    object.into()
}

fn set(object: &JsValue, name: &str, value: &JsValue) {
    // A plain object takes everything.
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}

fn get(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}
