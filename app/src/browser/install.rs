//! How this browser would install the page (<https://developer.mozilla.org/docs/Web/Progressive_web_apps>).

use crate::page::Way;
use leptos::{ev, prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Event,
    js_sys::{Function, Promise, Reflect},
};

/// Where `early.js` puts the browser's offer to install the page, and the event by which it tells that there is another or
/// none any more.
const OFFER: &str = "installation";

/// Tells which way there is, also when that changes.
pub(crate) fn look_for_a_way(way: RwSignal<Way>) {
    way.set(now());
    let on_offer = window_event_listener(ev::Custom::<Event>::new(OFFER), move |_| way.set(now()));
    // The page lives as long as its document.
    std::mem::forget(on_offer);
}

/// Lets the browser ask the person. An offer holds once; the browser makes another if the person declines.
pub(crate) fn ask_to_install(way: RwSignal<Way>) {
    let offer = offer();
    let _ = Reflect::delete_property(&window(), &JsValue::from_str(OFFER));
    way.set(now());
    let Some(prompt) = property(&offer, "prompt").dyn_into::<Function>().ok() else { return };
    if let Ok(asked) = prompt.call0(&offer).and_then(JsCast::dyn_into::<Promise>) {
        spawn_local(async move {
            let _ = JsFuture::from(asked).await;
        });
    }
}

fn now() -> Way {
    let navigator = window().navigator();
    // Safari on a phone or tablet says by this whether it was started from the home screen.
    let standalone = property(&navigator, "standalone");
    let is_app = window().match_media("(display-mode: standalone)");
    if standalone.is_truthy() || is_app.ok().flatten().is_some_and(|query| query.matches()) {
        Way::None
    } else if !window().is_secure_context() {
        Way::Insecure
    } else if offer().is_truthy() {
        Way::Prompt
    } else if standalone.is_undefined() {
        Way::None
    } else {
        Way::ShareMenu
    }
}

fn offer() -> JsValue {
    property(&window(), OFFER)
}

/// What an object has under a name; undefined, if it has nothing.
fn property(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or_default()
}
