//! What only a browser can do: the stream of events, calls without leaving the page, the page's address, charts that are
//! drawn alive, keeping the last view, being installed and updated.

mod address;
mod alive;
mod calls;
mod charts;
mod echarts;
mod install;
mod kept;
mod stream;
mod update;

pub(crate) use address::{choose, toggle};
pub use alive::come_alive;
pub(crate) use calls::submit;
pub(crate) use echarts::draw;
pub(crate) use install::{ask_to_install, look_for_a_way};
pub(crate) use update::load_anew;
