//! The whole document, and that the file is it.

mod alerts;
mod autocontrol;
mod backups;
mod battery;
mod call;
mod decisions;
mod events;
mod history;
mod itself;
mod miner;
mod network;
mod shapes;
mod system;

use call::{Call, Shapes};
use std::{env, fs, path::Path};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Paths,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};

const ABOUT: &str = "Runs bitcoin miners from a home's solar power. Times are RFC 3339 in UTC, powers W, hash rates TH/s, \
    temperatures °C; unknown is null. Whatever goes wrong is answered in one shape, `Problem`: 404 at an address where \
    there is nothing, 405 with `allow` for a method that an address doesn't take. Looking is free unless the configuration \
    says otherwise; whoever changes something shows a token, which is made on the Access page and may look (read), control \
    the miners (control) or do everything (admin).";

/// The calls, in the groups and the order in which they are told.
fn groups() -> [(&'static str, &'static str, Vec<Call>); 11] {
    [
        ("System", "The whole, and whether it is well.", system::calls()),
        ("Miner", "What a miner does, and what a person asks of it.", miner::calls()),
        ("Network", "What is there.", network::calls()),
        ("Battery", "The battery and the house.", battery::calls()),
        ("History", "What was measured, for spreadsheets.", history::calls()),
        ("Auto-control", "What is decided, and whether anything is.", autocontrol::calls()),
        ("Decisions", "The journal.", decisions::calls()),
        ("Events", "News.", events::calls()),
        ("Alerts", "What a person has read of them, and whether they reach anybody.", alerts::calls()),
        ("Backups", "Copies of all that is kept.", backups::calls()),
        ("Description", "The API itself.", itself::calls()),
    ]
}

fn document() -> OpenApi {
    let (mut paths, mut shapes, mut tags) = (Paths::new(), Shapes::new(), Vec::new());
    for (tag, about, calls) in groups() {
        tags.push(TagBuilder::new().name(tag).description(Some(about)).build());
        for call in calls {
            let (path, item) = call.described(tag, &mut shapes);
            paths.paths.insert(path.to_owned(), item);
        }
    }
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token of the Access page, as `authorization: Bearer wmc_…`."));
    let cookie = "What a browser has that is signed in; over HTTPS it is called __Host-session.";
    let session = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description("wm-session", cookie)));
    let components = ComponentsBuilder::new()
        .schemas_from_iter(shapes)
        .security_scheme("token", SecurityScheme::Http(token.build()))
        .security_scheme("session", session);
    let info = InfoBuilder::new()
        .title("WhatsMiner Controller")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT));
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components.build()))
        .tags(Some(tags))
        .build()
}

#[test]
fn the_file_is_what_the_code_describes() {
    let described = document().to_pretty_json().unwrap() + "\n";
    if env::var_os("RENEW_DESCRIPTION").is_some() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rest/openapi/openapi.json");
        fs::write(file, &described).unwrap();
        return;
    }
    let difference = described.lines().zip(super::DESCRIPTION.lines()).find(|(new, old)| new != old);
    assert!(
        described == super::DESCRIPTION,
        "openapi.json isn't what the code describes, at {difference:?}. If the API is to be so: \
         RENEW_DESCRIPTION=1 cargo nextest run -p server the_file_is_what_the_code_describes"
    );
}
