//! The page in the browser: takes over what the server rendered.

#![recursion_limit = "512"] // the page's parts are deep types

/// Called by the page's own script once the module is loaded.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    app::come_alive();
}
