//! Which endpoints a firmware has, and what it answers where it has none.

use super::{
    AxeosSetup, Profile, access,
    device::State,
    http::Request,
    info,
    settings::{self, Settings},
};
use model::UtcMillis;
use serde::Serialize;
use serde_json::{Value, json};

const JSON: &str = "application/json";
const TEXT: &str = "text/html";

/// What goes back to a client.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: String,
    /// A redirect to the page.
    pub(super) to_root: bool,
}

impl Answer {
    fn json(body: &Value) -> Self {
        Self { status: 200, kind: JSON, body: printed(body), to_root: false }
    }

    fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, kind: TEXT, body: body.into(), to_root: false }
    }

    fn message(words: &str) -> Self {
        Self::json(&json!({ "message": words }))
    }
}

/// As cJSON prints: with tabs and newlines.
fn printed(value: &Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    // Writing JSON into memory can't fail.
    let _ = value.serialize(&mut serializer);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a command changes.
enum Command {
    Pause(bool),
    Restart,
    Shutdown,
    Set(Settings),
}

/// Answers a request and carries it out. Whether it was a command, too.
pub(super) fn answer(
    setup: &AxeosSetup,
    state: &mut State,
    now: UtcMillis,
    request: &Request,
) -> (Answer, bool) {
    if state.faults.impostor {
        return (Answer::text(200, "<html><head><title>Printer</title></head></html>"), false);
    }
    let admitted = access::admits(setup.profile, &setup.hostname, request.peer, request.origin.as_deref());
    if !admitted || state.faults.unauthorized {
        return (Answer::text(401, "Unauthorized"), false);
    }
    match find(setup, state, now, request) {
        Found::Answer(answer) => (answer, false),
        Found::Command(command, answer) => {
            if !state.faults.swallow_writes {
                carry_out(state, now, &command);
            }
            (answer, true)
        }
        Found::Nothing => (missing(setup.profile, request), false),
    }
}

enum Found {
    Answer(Answer),
    Command(Command, Answer),
    Nothing,
}

fn find(setup: &AxeosSetup, state: &State, now: UtcMillis, request: &Request) -> Found {
    let profile = setup.profile;
    let (nerd, pauses) = (profile.is_nerd(), profile.can_pause());
    match (request.method.as_str(), request.path.as_str()) {
        ("OPTIONS", path) if path.starts_with("/api/") => Found::Answer(Answer::text(200, "")),
        ("GET", "/") => Found::Answer(Answer::text(200, page(profile))),
        ("GET", "/api/system/info") => Found::Answer(Answer::json(&info::info(setup, state, now))),
        ("GET", "/api/system/asic") if nerd || profile.is_since(7) => {
            Found::Answer(Answer::json(&info::asic(profile)))
        }
        ("GET", "/api/system/statistics") if nerd || profile.is_since(8) => {
            let told = json!({"currentTimestamp": state.machine.uptime_seconds(now) * 1000,
                "labels": ["timestamp"], "statistics": []});
            Found::Answer(Answer::json(&told))
        }
        ("POST", "/api/system/identify") if nerd || profile.is_since(12) => {
            Found::Answer(Answer::message("The device says \"Hi!\" for 30 seconds."))
        }
        ("POST", "/api/system/restart") => {
            let words = "System will restart shortly.";
            let answer = if profile.is_since(13) { Answer::message(words) } else { Answer::text(200, words) };
            Found::Command(Command::Restart, answer)
        }
        ("POST", "/api/system/shutdown") if nerd => {
            Found::Command(Command::Shutdown, Answer::text(200, "System will shutdown shortly."))
        }
        ("POST", "/api/system/pause") if pauses => {
            Found::Command(Command::Pause(true), Answer::message("Mining paused"))
        }
        ("POST", "/api/system/resume") if pauses => {
            Found::Command(Command::Pause(false), Answer::message("Mining resumed"))
        }
        ("PATCH", "/api/system") => match settings::parse(profile, &request.body) {
            Ok(settings) => Found::Command(Command::Set(settings), Answer::text(200, "")),
            Err((status, words)) => Found::Answer(Answer::text(status, words)),
        },
        _ => Found::Nothing,
    }
}

fn carry_out(state: &mut State, now: UtcMillis, command: &Command) {
    let machine = &mut state.machine;
    match command {
        Command::Pause(paused) => machine.pause(now, *paused),
        Command::Restart => machine.announce_reboot(now),
        Command::Shutdown => machine.announce_shutdown(now),
        Command::Set(settings) => settings.apply(machine, now),
    }
}

fn page(profile: Profile) -> &'static str {
    if profile.is_nerd() {
        "<!doctype html><html><head><title>Nerd* Dashboard</title></head><body></body></html>"
    } else {
        "<!doctype html><html><head><title>AxeOS</title></head><body></body></html>"
    }
}

/// Since 2.9 an unknown address of the API says so; before, and in the fork, everything leads to the page. What isn't
/// a GET is then refused, since the page's address takes only those.
fn missing(profile: Profile, request: &Request) -> Answer {
    if profile.is_since(9) && request.path.starts_with("/api/") {
        let body = printed(&json!({"error": "unknown route"}));
        return Answer { status: 404, kind: JSON, body, to_root: false };
    }
    if request.method == "GET" {
        Answer { to_root: true, ..Answer::text(302, "Redirect to the captive portal") }
    } else {
        Answer::text(405, "Request method for this URI is not handled by server")
    }
}
