//! How the page becomes an app on this device, where it can and isn't one already. Which way there is only the browser
//! knows: nothing is said before the page comes alive.

use leptos::prelude::*;

/// A way to install the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Way {
    /// There is none, or none is needed any more.
    #[default]
    None,
    /// The browser asks, once it is told to.
    Prompt,
    /// By hand, in Safari's menu.
    ShareMenu,
    /// None, as the connection isn't secure.
    Insecure,
}

pub(super) fn install() -> impl IntoView {
    let way = RwSignal::new(Way::None);
    // Effects run in the browser only.
    #[cfg(target_arch = "wasm32")]
    Effect::new(move || crate::browser::look_for_a_way(way));
    let ask = move |_| {
        #[cfg(target_arch = "wasm32")]
        crate::browser::ask_to_install(way);
    };
    let is_not = move |this: Way| move || way.get() != this;
    view! {
        <button class="button" hidden=is_not(Way::Prompt) on:click=ask>"Install as an app"</button>
        <span hidden=is_not(Way::ShareMenu)>"As an app: Share, then Add to Home Screen."</span>
        <span hidden=is_not(Way::Insecure)>
            "Over plain HTTP this page can't be installed as an app: browsers want HTTPS for that. The README says how, under \
            “As an app”."
        </span>
    }
}
