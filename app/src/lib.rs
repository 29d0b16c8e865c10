//! The page: rendered on the server, then alive in the browser.
//!
//! * [`live::Live`] is what the page shows, and [`page`] shows it.
//! * [`mod@view`] is the page's words, [`teller`] makes them on the server of what is known.
//! * [`chart`] draws the history: on the server first, then in the browser.
//! * [`decisions`] is a page of its own: the journal, only rendered. [`mod@account`] are those of who may change something;
//!   [`mod@reference`] tells the API, [`data`] what is kept and its backups, [`mod@devices`] is what is on the network,
//!   and [`faults`] what can be wrong with the demo house.
//! * [`calls`] are the server functions; [`backend::Backend`] is what they call.
//! * `browser` is what only a browser can do.
//!
//! The page computes no totals and holds no rules. Everything it says and every control works without JavaScript.

#![recursion_limit = "512"]

#[cfg(not(target_arch = "wasm32"))]
pub mod account;
#[cfg(not(target_arch = "wasm32"))]
pub mod backend;
#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(not(target_arch = "wasm32"))]
pub mod calls;
pub mod chart;
pub mod civil;
#[cfg(not(target_arch = "wasm32"))]
pub mod data;
#[cfg(not(target_arch = "wasm32"))]
pub mod decisions;
#[cfg(not(target_arch = "wasm32"))]
pub mod devices;
#[cfg(not(target_arch = "wasm32"))]
pub mod faults;
pub mod live;
pub mod page;
pub mod range;
#[cfg(not(target_arch = "wasm32"))]
pub mod reference;
mod rpc;
#[cfg(not(target_arch = "wasm32"))]
pub mod settings;
#[cfg(not(target_arch = "wasm32"))]
mod shell;
#[cfg(not(target_arch = "wasm32"))]
pub mod teller;
pub mod view;
pub mod words;

#[cfg(not(target_arch = "wasm32"))]
pub use shell::{
    FONT, Files, account, data_page, devices_page, door, faults_page, journal, live_page, nothing_here,
    out_of_reach, reference, settings_page, settings_preview, starting,
};

#[cfg(target_arch = "wasm32")]
pub use browser::come_alive;
