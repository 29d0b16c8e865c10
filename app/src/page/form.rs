//! Forms: sent by the browser itself where there is no JavaScript, else without leaving the page.

use crate::live::Live;
use leptos::prelude::*;

/// A form that calls one of [`crate::rpc`], and says below why it was refused if it was. `body` are its fields and
/// buttons.
pub(super) fn form(live: Live, call: &'static str, body: impl IntoView + 'static) -> impl IntoView {
    let pending = RwSignal::new(false);
    let refusal = RwSignal::new(live.refusal(call));
    let submit = move |event| {
        #[cfg(target_arch = "wasm32")]
        crate::browser::submit(&event, pending, refusal);
        #[cfg(not(target_arch = "wasm32"))]
        let _: leptos::ev::SubmitEvent = event;
    };
    view! {
        <form action=call method="post" on:submit=submit aria-busy=move || pending.get().to_string()>
            {body}
            {move || refusal.get().map(|why| view! { <p class="refusal" role="alert">{why}</p> })}
        </form>
    }
}
