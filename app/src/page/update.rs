//! Says that the controller was updated since this page was loaded. When the page is loaded anew is the person's choice:
//! they may be filling in a form.

use crate::live::Live;
use leptos::prelude::*;

pub(super) fn update(live: Live) -> impl IntoView {
    let reload = |_| {
        #[cfg(target_arch = "wasm32")]
        crate::browser::load_anew();
    };
    view! {
        <div class="update" role="status">
            {move || live.is_outdated.get().then(|| view! {
                <p>"The controller was updated."</p>
                <button class="button" on:click=reload>"Reload"</button>
            })}
        </div>
    }
}
