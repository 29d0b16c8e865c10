//! The way from page to page: a bar of tabs at the bottom of a phone, links in the header of anything wider.

use leptos::prelude::*;

/// A page that can be gone to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The dashboard.
    Now,
    /// A miner's page, which is reached from there.
    Miner,
    /// The journal.
    Decisions,
    /// What is on the network.
    Devices,
    /// What can be set.
    Settings,
    /// Who has access.
    Account,
    /// The API, which is reached from there. Only rendered.
    #[cfg(not(target_arch = "wasm32"))]
    Reference,
    /// The demo's faults, which are reached from the dashboard. Only rendered.
    #[cfg(not(target_arch = "wasm32"))]
    Faults,
}

/// What they are called, where they are, and their pictures: paths in a square of 24.
const PLACES: [(Place, &str, &str, &str); 5] = [
    (Place::Now, "Now", "/", "M3 12h4l3-8 4 16 3-8h4"),
    (
        Place::Decisions,
        "Decisions",
        "/decisions",
        "M4 6l1.5 1.5L8 5M4 12l1.5 1.5L8 11M4 18l1.5 1.5L8 17M12 6.5h8M12 12.5h8M12 18.5h8",
    ),
    (
        Place::Devices,
        "Devices",
        "/devices",
        "M5 4.5h14v6H5zM5 13.5h14v6H5zM8 7.5h.01M8 16.5h.01M12 7.5h4M12 16.5h4",
    ),
    (
        Place::Settings,
        "Settings",
        "/settings",
        "M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 1 0 0-5M8 14.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 1 0 0-5",
    ),
    (
        Place::Account,
        "Access",
        "/account",
        "M12 4a4 4 0 1 0 0 8a4 4 0 1 0 0-8M5 20c1-4 4-5.5 7-5.5s6 1.5 7 5.5",
    ),
];

/// The links to all pages, for the header of the current one.
pub(crate) fn nav(current: Place) -> impl IntoView {
    let link = |(place, label, address, picture): (Place, &'static str, &'static str, &'static str)| {
        let is_current = match (place, current) {
            (place, current) if place == current => Some("page"),
            (Place::Now, Place::Miner) => Some("true"),
            _ => None,
        };
        view! {
            <li>
                <a href=address aria-current=is_current>
                    <svg viewBox="0 0 24 24" aria-hidden="true">
                        <path d=picture></path>
                    </svg>
                    <span>{label}</span>
                </a>
            </li>
        }
    };
    view! {
        <nav class="places" aria-label="Pages">
            <ul>{PLACES.map(link).collect_view()}</ul>
        </nav>
    }
}
