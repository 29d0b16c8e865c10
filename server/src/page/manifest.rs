//! The web app manifest (<https://www.w3.org/TR/appmanifest/>): the name, icons and colours of the page as an installed
//! app.
//!
//! It is made here and isn't a file because the app is called as the site is: a phone may hold several of them.

use serde_json::{Value, json};

/// The manifest of a site's page. Its icons and pictures are files of the site folder, made by
/// `cargo xtask browser -- --config screenshots.config.ts`.
pub(super) fn manifest(site: &str) -> String {
    let icon = |file: &str, size: u16, purpose: &str| {
        json!({
            "src": format!("/install/{file}.png"),
            "sizes": format!("{size}x{size}"),
            "type": "image/png",
            "purpose": purpose,
        })
    };
    let picture = |file: &str, sizes: &str, label: &str| -> Value {
        json!({
            "src": format!("/install/{file}.png"),
            "sizes": sizes,
            "type": "image/png",
            "form_factor": file,
            "label": label,
        })
    };
    json!({
        "id": "/",
        "name": format!("{site} · WhatsMiner Controller"),
        // Below an icon there is room for a word.
        "short_name": site,
        "description": "What the miner does, and why",
        "lang": "en",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f3f4f1",
        "theme_color": "#ffffff",
        "categories": ["utilities"],
        "icons": [
            icon("icon-192", 192, "any"),
            icon("icon-512", 512, "any"),
            icon("maskable-512", 512, "maskable"),
            icon("monochrome-512", 512, "monochrome"),
        ],
        "screenshots": [
            picture("narrow", "780x1688", "What it does and why, on a phone"),
            picture("wide", "1280x800", "What it does and why, on a desk"),
        ],
        "shortcuts": [{
            "name": "Decisions",
            "description": "What was decided, when and why",
            "url": "/decisions",
            "icons": [icon("icon-192", 192, "any")],
        }],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_is_called_as_the_site_is() {
        let manifest: Value = serde_json::from_str(&manifest("Grandma's \"barn\"")).unwrap();
        assert_eq!(manifest["short_name"], "Grandma's \"barn\"");
        assert_eq!(manifest["name"], "Grandma's \"barn\" · WhatsMiner Controller");
    }

    #[test]
    fn every_picture_is_in_the_repository_with_the_size_that_is_told() {
        let manifest: Value = serde_json::from_str(&manifest("Home")).unwrap();
        let told = ["icons", "screenshots"].iter().flat_map(|list| manifest[list].as_array().unwrap());
        for picture in told {
            let path =
                format!("{}/../public{}", env!("CARGO_MANIFEST_DIR"), picture["src"].as_str().unwrap());
            let png = std::fs::read(&path).unwrap();
            // Width and height stand at the same place of every PNG.
            let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
            assert_eq!(
                format!("{}x{}", number(16), number(20)),
                picture["sizes"].as_str().unwrap(),
                "{path}"
            );
        }
    }
}
