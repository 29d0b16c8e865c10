//! Miners that are seen and not supported, by the marks that their firmware leaves: what they say on the port of cgminer,
//! and on their front page. Marks and their meaning are those that pyasic and asic-rs go by.
//!
//! AxeOS' own marks aren't among them: a page that only mentions it is no Bitaxe.

use super::web::Page;
use serde_json::Value;

/// Longest name of a model that is taken over, in characters.
const MODEL_LIMIT: usize = 60;

/// Marks in the answer to `version`, in upper case. Firmware that others run on an Antminer names both itself and the
/// Antminer: it comes first.
const NAMES: [(&str, &str); 12] = [
    ("BOSMINER", "Braiins OS"),
    ("BOSER", "Braiins OS"),
    ("LUXMINER", "LuxOS"),
    ("MARAFW", "Marathon"),
    ("KAONSU", "Marathon"),
    ("VNISH", "Vnish"),
    ("GCMINER", "Auradine"),
    ("FLUXOS", "Auradine"),
    ("AVALON", "Avalon"),
    ("ANTMINER", "Antminer"),
    ("BMMINER", "Antminer"),
    ("CGMINER", "cgminer"),
];

/// Marks in a front page, in upper case.
const PAGES: [(&str, &str); 5] = [
    ("BRAIINS OS", "Braiins OS"),
    ("ANTHILLOS", "Vnish"),
    ("LUXOR FIRMWARE", "LuxOS"),
    ("MINER WEB DASHBOARD", "ePIC"),
    ("PROTO OS", "Proto"),
];

/// What an Antminer with its own firmware asks credentials for.
const ANTMINER_REALM: &str = "ANTMINER CONFIGURATION";

/// A miner that isn't supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Other {
    /// Its maker, or its firmware where that is another's.
    pub(super) maker: &'static str,
    /// Its model, where it tells one.
    pub(super) model: Option<String>,
    /// What gave it away.
    pub(super) marker: &'static str,
}

/// The miner that says this to `version`.
pub(super) fn by_name(reply: &Value) -> Option<Other> {
    let text = reply.to_string().to_uppercase();
    let (marker, maker) = NAMES.into_iter().find(|(marker, _)| text.contains(marker))?;
    let version = reply.get("VERSION").and_then(|version| version.get(0).or(Some(version)));
    let model = ["Type", "PROD", "MODEL", "Model"].into_iter().find_map(|field| {
        let model: String = version?.get(field)?.as_str()?.trim().chars().take(MODEL_LIMIT).collect();
        (!model.is_empty()).then_some(model)
    });
    Some(Other { maker, model, marker })
}

/// The miner whose front page this is.
pub(super) fn by_page(page: &Page) -> Option<Other> {
    let other = |(marker, maker)| Other { maker, model: None, marker };
    if page.status == 401 {
        let asks = page.challenge.to_uppercase().contains(ANTMINER_REALM);
        return asks.then(|| other((ANTMINER_REALM, "Antminer")));
    }
    if page.status != 200 {
        return None;
    }
    let body = page.text().to_uppercase();
    PAGES.into_iter().find(|(marker, _)| body.contains(marker)).map(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    fn page(status: u16, challenge: &str, body: &str) -> Page {
        Page { status, challenge: challenge.to_owned(), body: body.as_bytes().to_vec() }
    }

    #[rstest]
    #[case(json!({"VERSION": [{"BMMiner": "2.0.0", "Type": "Antminer S19"}]}), "Antminer", Some("Antminer S19"))]
    #[case(json!({"VERSION": [{"BOSminer+": "1.0", "Type": "Antminer S9"}]}), "Braiins OS", Some("Antminer S9"))]
    #[case(json!({"VERSION": [{"LUXminer": "2026", "Type": "Antminer S21"}]}), "LuxOS", Some("Antminer S21"))]
    #[case(json!({"VERSION": [{"CGMiner": "4.11", "PROD": "AvalonMiner 1246"}]}), "Avalon", Some("AvalonMiner 1246"))]
    #[case(json!("cgminer 4.9"), "cgminer", None)]
    fn names(#[case] reply: Value, #[case] maker: &str, #[case] model: Option<&str>) {
        let other = by_name(&reply).unwrap();
        assert_eq!((other.maker, other.model.as_deref()), (maker, model));
    }

    #[test]
    fn front_pages() {
        let antminer = page(401, r#"Digest realm="antMiner Configuration", nonce="1""#, "");
        assert_eq!(by_page(&antminer).unwrap().maker, "Antminer");
        assert_eq!(by_page(&page(200, "", "<title>Braiins OS+</title>")).unwrap().maker, "Braiins OS");
        assert_eq!(by_page(&page(401, r#"Basic realm="printer""#, "")), None);
        assert_eq!(by_page(&page(404, "", "Braiins OS")), None);
    }

    #[rstest]
    #[case("<title>AxeOS</title>")]
    #[case("How to run AxeOS, ForgeOS and a NerdAxe")]
    #[case("<h1>LaserJet</h1>")]
    fn a_page_that_mentions_a_bitaxe_is_no_miner(#[case] body: &str) {
        assert_eq!(by_page(&page(200, "", body)), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(status: u16, text in "\\PC{0,80}") {
            let _ = by_page(&page(status, &text, &text));
            let _ = by_name(&json!({"VERSION": [{"Type": text}]}));
        }
    }
}
