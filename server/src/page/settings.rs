//! What can be set: shown, looked at before it is kept, kept, tested, undone. Every form is a browser's own.

use super::Page;
use crate::{
    access::{Done, SETTINGS, Who},
    check::Finding,
    config::{Kind, Loaded, Origin, SECTIONS, Section, Setting, Shown},
    notify::{Channel, Failure, Tested},
    settings::{Field, Looked, Problem, Refusal, Typed, fields, title, told},
};
use app::settings::{
    ChangeRow, FieldView, Frame, Input, Preview, PreviewLine, SectionView, Settings, WouldBe,
};
use axum::{
    Extension, Form, Router,
    extract::{DefaultBodyLimit, Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use model::Undelivered;
use std::collections::BTreeMap;

/// The largest form that is read, in bytes: each miner adds two dozen fields.
const LARGEST_FORM: usize = 128 * 1024;
/// The part of the page that is about alerts to people.
const NOTIFY: &str = "notify";
/// How many of the changes are shown.
const CHANGES_SHOWN: usize = 20;

type Fields = Vec<(String, String)>;

pub(super) fn routes() -> Router<Page> {
    Router::new()
        .route(SETTINGS, get(show).post(look))
        .route("/settings/save", post(save))
        .route("/settings/undo", post(undo))
        .route("/settings/test", post(test))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
}

/// What is shown besides what holds.
#[derive(Default)]
struct Also<'a> {
    typed: Option<&'a Typed>,
    problems: Vec<Problem>,
    /// Of the part of the page with this name.
    tested: Option<(&'a str, Vec<Finding>)>,
    done: Option<&'static str>,
    problem: Option<String>,
}

async fn show(State(page): State<Page>, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let done = match query.get("done").map(String::as_str) {
        Some("saved") => Some("Saved. It holds now."),
        _ => None,
    };
    shown(&page, StatusCode::OK, Also { done, ..Also::default() }).await
}

async fn look(State(page): State<Page>, Form(form): Form<Fields>) -> Response {
    let typed = Typed::read(form);
    match page.settings.look(&typed).await {
        Ok(looked) => preview(&page, looked),
        Err(refusal) => refused(&page, refusal, Some(&typed)).await,
    }
}

async fn undo(State(page): State<Page>, Form(form): Form<Fields>) -> Response {
    let Some(Ok(id)) = field(&form, "id").map(str::parse) else {
        return (StatusCode::UNPROCESSABLE_ENTITY, "which change?").into_response();
    };
    match page.settings.look_back(id).await {
        Ok(looked) => preview(&page, looked),
        Err(refusal) => refused(&page, refusal, None).await,
    }
}

async fn save(
    State(page): State<Page>,
    Extension(who): Extension<Who>,
    Form(form): Form<Fields>,
) -> Response {
    match page.settings.keep(field(&form, "id").unwrap_or_default(), &who.name).await {
        Ok(said) => {
            page.news.renew();
            let mut response = Redirect::to(&format!("{SETTINGS}?done=saved")).into_response();
            response.extensions_mut().insert(Done(format!("changed {said}")));
            response
        }
        Err(refusal) => refused(&page, refusal, None).await,
    }
}

async fn test(State(page): State<Page>, Form(form): Form<Fields>) -> Response {
    let device = field(&form, "test").unwrap_or_default().to_owned();
    let typed = Typed::read(form);
    let found = if device == NOTIFY {
        match page.settings.typed(&typed).await {
            Ok(typed) => Ok(sent(page.notifier.test(Some(&typed.config.notify)).await)),
            Err(refusal) => Err(refusal),
        }
    } else {
        page.settings.test(&device, &typed).await
    };
    match found {
        Ok(found) => {
            let tested = Some((device.as_str(), found));
            let also = Also { typed: Some(&typed), tested, ..Also::default() };
            let mut response = shown(&page, StatusCode::OK, also).await;
            response.extensions_mut().insert(Done(format!("tested the connection of {device}")));
            response
        }
        Err(refusal) => refused(&page, refusal, Some(&typed)).await,
    }
}

/// The ways outward by which alerts don't go out.
fn failing(page: &Page) -> Vec<Finding> {
    let frame = frame(page);
    let finding = |Undelivered { channel, since, why }: Undelivered| Finding {
        is_well: false,
        text: format!("{channel}, since {}: {why}.", app::civil::moment(since, frame.now, &frame.timezone)),
    };
    page.notifier.undelivered().into_iter().map(finding).collect()
}

/// What became of a test of the ways outward.
fn sent(tested: Tested) -> Vec<Finding> {
    let finding = |(channel, sent): (Channel, Result<(), Failure>)| {
        let text = match &sent {
            Ok(()) => format!("{channel}: it was taken. See whether it arrives."),
            Err(failure) => format!("{channel}: {failure}."),
        };
        Finding { is_well: sent.is_ok(), text }
    };
    match tested {
        Ok(tested) => tested.into_iter().map(finding).collect(),
        Err(why) => vec![Finding { is_well: false, text: why.to_string() }],
    }
}

fn field<'a>(form: &'a Fields, name: &str) -> Option<&'a str> {
    form.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
}

async fn refused(page: &Page, refusal: Refusal, typed: Option<&Typed>) -> Response {
    let status = match &refusal {
        Refusal::Nothing => StatusCode::OK,
        Refusal::Wrong(_) | Refusal::NoDevice => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::Gone | Refusal::Unknown => StatusCode::CONFLICT,
        Refusal::NoDatabase | Refusal::NoRandomness(_) => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::NotTakenUp(_) | Refusal::NotTakenBack => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let said = refusal.to_string();
    let (problems, problem) = match refusal {
        Refusal::Wrong(problems) => {
            let general: Vec<_> = problems
                .iter()
                .filter(|problem| problem.name.is_empty())
                .map(|problem| problem.what.clone())
                .collect();
            // Where nothing can be pointed at on the form, because none was sent, all of it is said at once.
            let all = || problems.iter().map(|problem| format!("{}: {}", problem.name, problem.what));
            let said = match typed {
                None => Some(format!("{said} {}", all().collect::<Vec<_>>().join("; "))),
                Some(_) if general.is_empty() => None,
                Some(_) => Some(format!("{said} {}", general.join("; "))),
            };
            (problems, said)
        }
        _ => (Vec::new(), Some(said)),
    };
    shown(page, status, Also { typed, problems, problem, ..Also::default() }).await
}

async fn shown(page: &Page, status: StatusCode, mut also: Also<'_>) -> Response {
    let failing = failing(page);
    if also.tested.is_none() && !failing.is_empty() {
        also.tested = Some((NOTIFY, failing));
    }
    let holding = page.settings.holding();
    let loaded = &holding.loaded;
    let frame = frame(page);
    let mut sections: Vec<SectionView> = Vec::new();
    for field in &fields(loaded) {
        let Some(setting) = field.setting() else { continue };
        let view = field_view(field, setting, loaded, &also, &frame);
        match sections.last_mut().filter(|section| section.name == field.part) {
            Some(section) => section.fields.push(view),
            None => sections.push(section_view(field, loaded, view, &also)),
        }
    }
    let changes = page.settings.changes().await;
    let row = |change: store::SettingsChange| ChangeRow {
        id: change.id,
        at: change.at,
        who: change.who,
        what: change
            .changes
            .iter()
            .map(|(name, of_it)| told(name, of_it.before.as_deref(), of_it.after.as_deref(), loaded))
            .collect(),
    };
    let settings = Settings {
        frame,
        sections,
        fixed: fixed(loaded),
        changes: changes.into_iter().take(CHANGES_SHOWN).map(row).collect(),
        done: also.done,
        problem: also.problem.or(holding.left_aside.clone()),
    };
    (status, Html(app::settings_page(settings, page.files.as_deref()))).into_response()
}

fn frame(page: &Page) -> Frame {
    let overview = page.backend.overview();
    Frame {
        site: overview.site.name,
        version: overview.site.version,
        timezone: overview.site.timezone,
        now: overview.snapshot.at,
    }
}

fn section_view(field: &Field, loaded: &Loaded, first: FieldView, also: &Also<'_>) -> SectionView {
    let section = SECTIONS.iter().find(|section| section.name == field.section);
    let found = also.tested.as_ref().filter(|(device, _)| *device == field.part).map(|(_, found)| found);
    SectionView {
        name: field.part.clone(),
        title: title(field, loaded),
        help: section.map_or("", |section: &&Section| section.help),
        fields: vec![first],
        test: match field.section {
            "miner" | "battery" => Some("Test connection"),
            NOTIFY => Some("Send a test"),
            _ => None,
        },
        tested: found.into_iter().flatten().map(|found| (found.is_well, found.text.clone())).collect(),
    }
}

fn field_view(
    field: &Field,
    setting: &'static Setting,
    loaded: &Loaded,
    also: &Also<'_>,
    frame: &Frame,
) -> FieldView {
    let holds = loaded.shown.get(&field.path);
    let typed = also.typed.and_then(|typed| typed.texts.get(&field.name));
    let typed = typed.filter(|_| !setting.secret);
    let value = match (typed, holds) {
        (Some(typed), _) => typed.clone(),
        (None, Some(Shown::Text(text))) => text.clone(),
        (None, Some(Shown::Secret { .. }) | None) => String::new(),
    };
    let is_optional = setting.default.is_none();
    let choices = |choices: &[(&str, &str)]| {
        choices.iter().map(|(written, said)| ((*written).to_owned(), (*said).to_owned())).collect()
    };
    let input = match setting.kind {
        _ if setting.secret => {
            Input::Secret { is_set: matches!(holds, Some(Shown::Secret { is_set: true })) }
        }
        Kind::Flag => Input::Choice(choices(&[("true", "yes"), ("false", "no")])),
        Kind::Choice(words) => {
            Input::Choice(words.iter().map(|word| ((*word).to_owned(), (*word).to_owned())).collect())
        }
        Kind::Whole { min, max, unit } => {
            Input::Number { min: min as f64, max: max as f64, is_whole: true, unit }
        }
        Kind::Number { min, max, unit } => Input::Number { min, max, is_whole: false, unit },
        Kind::Span { min, max, unit } => Input::Number { min, max, is_whole: false, unit: unit.sign() },
        _ => Input::Text,
    };
    let origin = loaded.provenance.of(&field.path);
    let problem = also.problems.iter().find(|problem| problem.name == field.name);
    FieldView {
        name: field.name.clone(),
        label: setting.label(),
        help: setting.help,
        input,
        value,
        otherwise: setting.default.unwrap_or(if is_optional { "none" } else { "" }).to_owned(),
        origin: told_origin(origin, setting, frame),
        is_changed: matches!(origin, Some(Origin::Changed { .. })),
        problem: problem.map(|problem| problem.what.clone()),
    }
}

/// Where a value comes from, in words.
fn told_origin(origin: Option<&Origin>, setting: &Setting, frame: &Frame) -> String {
    match origin {
        Some(Origin::File { line }) => format!("From the file, line {line}."),
        Some(Origin::Environment { variable }) => format!("From the environment, {variable}."),
        Some(Origin::Changed { at }) => {
            format!("Changed here, {}.", app::civil::moment(*at, frame.now, &frame.timezone))
        }
        Some(Origin::Default) | None if setting.default.is_some() => "The default.".to_owned(),
        Some(Origin::Default) | None => "Not set.".to_owned(),
    }
}

/// What only the file has: name, value, origin.
fn fixed(loaded: &Loaded) -> Vec<(String, String, String)> {
    let app = SECTIONS.iter().filter(|section| section.name == "app");
    let rows = app.flat_map(|section| section.settings.iter().map(move |setting| (section.name, setting)));
    rows.filter_map(|(section, setting)| {
        let path = format!("{section}.{}", setting.key);
        let Some(Shown::Text(text)) = loaded.shown.get(&path) else { return None };
        let value = if text.is_empty() { "none".to_owned() } else { text.clone() };
        let origin = loaded.provenance.of(&path).map(|origin| format!("({origin})")).unwrap_or_default();
        Some((path, value, origin))
    })
    .collect()
}

fn preview(page: &Page, looked: Looked) -> Response {
    let names: BTreeMap<_, _> = page
        .backend
        .overview()
        .snapshot
        .miners
        .into_iter()
        .map(|miner| (miner.id.clone(), miner.name))
        .collect();
    let would = |would: engine::WouldDecide| {
        let (now, then) = (would.now.explanation.paragraph(), would.then.explanation.paragraph());
        WouldBe {
            miner: names.get(&would.miner).cloned().unwrap_or_else(|| would.miner.to_string()),
            then: (now != then).then_some(then),
            now,
        }
    };
    let line = |(label, before, after): (String, String, String)| PreviewLine { label, before, after };
    let preview = Preview {
        frame: frame(page),
        id: looked.id,
        lines: looked.lines.into_iter().map(line).collect(),
        effects: looked.effects,
        decisions: looked.decisions.into_iter().map(would).collect(),
    };
    Html(app::settings_preview(preview, page.files.as_deref())).into_response()
}
