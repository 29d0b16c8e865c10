//! Any bytes as a front page and as an answer on the port of miners.

#![expect(clippy::missing_panics_doc, reason = "a panic is what is searched for")]

use super::{
    other::{by_name, by_page},
    web::Page,
};

/// The first line is what a page asks credentials for, all of it the page.
pub fn identify(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let challenge = text.lines().next().unwrap_or_default().to_owned();
    for status in [200, 401, 404] {
        let page = Page { status, challenge: challenge.clone(), body: bytes.to_vec() };
        let other = by_page(&page);
        assert!(status != 404 || other.is_none(), "a page that isn't there is no miner");
    }
    let named = serde_json::from_str(&text).ok().and_then(|value| by_name(&value));
    if let Some(model) = named.and_then(|other| other.model) {
        assert!((1..=60).contains(&model.chars().count()), "no model's name: {model:?}");
    }
}
