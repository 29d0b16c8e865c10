//! A newer build of the page's files: its service worker is fetched when the stream tells of it, and takes over when the
//! person loads the page anew.

use crate::live::Live;
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ServiceWorkerContainer, ServiceWorkerRegistration, js_sys::Reflect};

/// What tells a worker that is ready to take the place of the one before.
const TAKE_OVER: &str = "take over";
/// How long it may take for that. The page can be loaded anew without it too.
const PATIENCE: Duration = Duration::from_secs(2);

/// The controller has another build than this page.
pub(super) fn is_there(live: Live) {
    if live.is_outdated.get_untracked() {
        return;
    }
    live.is_outdated.set(true);
    spawn_local(async {
        if let Some(registration) = registration().await
            && let Ok(update) = registration.update()
        {
            // The page is loaded anew from the controller, with a new worker or without.
            let _ = JsFuture::from(update).await;
        }
    });
}

/// Loads the page anew, with its new files, once the new worker has taken over.
pub(crate) fn load_anew() {
    spawn_local(async {
        let waiting = registration().await.and_then(|registration| registration.waiting());
        let (Some(workers), Some(waiting)) = (workers(), waiting) else { return reload() };
        let taken_over = Closure::once_into_js(reload);
        workers.set_oncontrollerchange(Some(taken_over.unchecked_ref()));
        let _ = waiting.post_message(&JsValue::from_str(TAKE_OVER));
        set_timeout(reload, PATIENCE);
    });
}

fn reload() {
    let _ = window().location().reload();
}

async fn registration() -> Option<ServiceWorkerRegistration> {
    JsFuture::from(workers()?.get_registration()).await.ok()?.dyn_into().ok()
}

/// There are no workers where the connection isn't secure.
fn workers() -> Option<ServiceWorkerContainer> {
    let workers = Reflect::get(&window().navigator(), &JsValue::from_str("serviceWorker"));
    workers.ok()?.dyn_into().ok()
}
