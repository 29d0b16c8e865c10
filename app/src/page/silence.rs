//! Says that nothing comes from the controller, and how old what is shown has become.
//!
//! No control is disabled meanwhile: the stream may be broken where a command still gets through, and nobody is to be kept
//! from switching off by a guess. A command that doesn't get through says so at its form.

use crate::{live::Live, view};
use leptos::prelude::*;

pub(super) fn silence(live: Live) -> impl IntoView {
    let clock = live.part(|view| view.clock.clone());
    let is_silent = Memo::new(move |_| live.silent_seconds().is_some());
    let age = move || live.silent_seconds().map(view::age);
    move || {
        is_silent.get().then(|| {
            let (before, between, after) = if live.is_kept.get() {
                ("Offline: this is how things stood ", " ago (", ").")
            } else {
                ("No news from the controller for ", ". What you see is from ", ".")
            };
            view! {
                <p class="banner" role="alert">
                    // What ticks isn't said aloud again and again.
                    <strong>
                        {before} <span aria-live="off">{age}</span> {between} {move || clock.get()} {after}
                    </strong>
                    " It may have changed since. A command that doesn't get through says so."
                </p>
            }
        })
    }
}
