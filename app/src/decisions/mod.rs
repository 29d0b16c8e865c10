//! The page of the journal: every decision with its reasons, the readings it was made from and what became of it.
//!
//! It is rendered on the server and stays as it was rendered: no script belongs to it. What it shows is in its address
//! ([`Filter`]), so that it can be kept and shared, and the browser's way back leads back.

mod civil_day;
mod filter;
mod page;
mod tell;
mod topic;

pub use filter::Filter;
pub use page::page;
pub(crate) use tell::rule;
pub use tell::{Journal, tell};

/// Where the page is.
pub const PATH: &str = "/decisions";

/// Entries of a page.
pub const ENTRIES: u32 = 50;
