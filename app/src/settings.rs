//! The pages of the settings: what holds and where it comes from, and what a change would do before it is kept.
//!
//! They are rendered on the server and stay as they were rendered: every form works by itself.

use crate::{account::around, civil::moment, page::nav::Place};
use leptos::prelude::*;
use model::UtcMillis;

/// The page of all settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What is around it.
    pub frame: Frame,
    /// All of them.
    pub sections: Vec<SectionView>,
    /// Settings that only the file has.
    pub fixed: Vec<(String, String, String)>,
    /// What was changed here, the newest first.
    pub changes: Vec<ChangeRow>,
    /// Something was done.
    pub done: Option<&'static str>,
    /// What is wrong, where that is at no field.
    pub problem: Option<String>,
}

/// What both pages need around themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The site's name.
    pub site: String,
    /// The program's version.
    pub version: String,
    /// The site's IANA zone.
    pub timezone: String,
    /// The present.
    pub now: UtcMillis,
}

/// Settings that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct SectionView {
    /// As forms call it.
    pub name: String,
    /// What stands above it.
    pub title: String,
    /// What it is about.
    pub help: &'static str,
    /// Its settings.
    pub fields: Vec<FieldView>,
    /// What a button says that tests it; `None`, if there is nothing to test.
    pub test: Option<&'static str>,
    /// What a test found: whether it is well, and what.
    pub tested: Vec<(bool, String)>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldView {
    /// As forms call it.
    pub name: String,
    /// As people call it.
    pub label: String,
    /// What it is about.
    pub help: &'static str,
    /// How it is typed.
    pub input: Input,
    /// What holds, or was typed. Never a secret.
    pub value: String,
    /// What holds where nothing is typed.
    pub otherwise: String,
    /// Where it comes from.
    pub origin: String,
    /// It was changed here: this can be taken back.
    pub is_changed: bool,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// How a setting is typed.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// One of these, as it is written and as people say it.
    Choice(Vec<(String, String)>),
    /// A number in a range, with its unit.
    Number {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// Only whole ones.
        is_whole: bool,
        /// Its unit, empty for none.
        unit: &'static str,
    },
    /// A text.
    Text,
    /// A secret: it can be set, and is never shown.
    Secret {
        /// There is one.
        is_set: bool,
    },
}

/// A change that was made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: UtcMillis,
    /// By whom.
    pub who: String,
    /// What: the settings with their values before and after.
    pub what: Vec<String>,
}

/// What a change would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// What is around it.
    pub frame: Frame,
    /// What the change goes by until it is kept.
    pub id: String,
    /// What would be another.
    pub lines: Vec<PreviewLine>,
    /// What follows from that.
    pub effects: Vec<String>,
    /// What would be decided about each miner.
    pub decisions: Vec<WouldBe>,
}

/// A setting that would be another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewLine {
    /// The setting.
    pub label: String,
    /// What holds now.
    pub before: String,
    /// What would hold.
    pub after: String,
}

/// What is decided about a miner, and what would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldBe {
    /// Its name.
    pub miner: String,
    /// Now.
    pub now: String,
    /// Then; `None`, if that is the same.
    pub then: Option<String>,
}

pub(crate) fn page(settings: Settings) -> impl IntoView {
    let Settings { frame, sections, fixed, changes, done, problem } = settings;
    let Frame { site, version, timezone, now } = frame;
    let when = move |at: UtcMillis| moment(at, now, &timezone);
    let wrong = sections.iter().flat_map(|section| &section.fields).filter(|field| field.problem.is_some());
    let wrong: Vec<_> = wrong.map(|field| (field.name.clone(), field.label.clone())).collect();
    let wrong = (!wrong.is_empty()).then(|| {
        let link = |(name, label): (String, String)| {
            view! {
                <li>
                    <a href=format!("#{name}")>{label}</a>
                </li>
            }
        };
        view! {
            <div class="refusal" role="alert">
                <p>"Nothing was changed. Look at:"</p>
                <ul>{wrong.into_iter().map(link).collect_view()}</ul>
            </div>
        }
    });
    let body = view! {
        <div class="lead">
            <h1>"Settings"</h1>
            <p>
                "What is changed here wins over the file, holds at once, and can be undone. What is kept, and its backups: "
                <a href="/data">"Data"</a> "."
            </p>
        </div>
        {done.map(|done| view! { <p class="fate speaks" role="status">{done}</p> })}
        {problem.map(|why| view! { <p class="refusal" role="alert">{why}</p> })}
        {wrong}
        <form class="settings" action="/settings" method="post" novalidate autocomplete="off">
            // The first button of a form is what Enter presses.
            <button class="visually-hidden" tabindex="-1" aria-hidden="true"></button>
            {sections.into_iter().map(section).collect_view()}
            <div class="go-on">
                <button class="button main">"See what it does"</button>
                <span class="note">"Nothing is changed yet."</span>
            </div>
        </form>
        {history(changes, when)}
        {only_in_the_file(fixed)}
    };
    around(site, version, Place::Settings, body.into_any())
}

fn section(section: SectionView) -> impl IntoView {
    let SectionView { name, title, help, fields, test, tested } = section;
    // What was changed here, or is wrong, is to be seen.
    let is_open = fields.iter().any(|field| field.problem.is_some()) || !tested.is_empty();
    let found = |(well, text): (bool, String)| {
        view! {
            <li class=if well { "well" } else { "wrong" }>
                <strong>{if well { "Works" } else { "Doesn’t work" }}</strong>
                " "
                {text}
            </li>
        }
    };
    let found = (!tested.is_empty()).then(|| {
        view! {
            <ul class="tested" role="status">
                {tested.into_iter().map(found).collect_view()}
            </ul>
        }
    });
    let test = test.map(|says| {
        view! {
            <button class="button" formaction="/settings/test" name="test" value=name.clone()>
                {says}
            </button>
        }
    });
    view! {
        <details class="card" id=format!("section-{name}") open=is_open>
            <summary>
                <h2>{title}</h2>
                <span class="note">{help}</span>
            </summary>
            {fields.into_iter().map(field).collect_view()}
            {test}
            {found}
        </details>
    }
}

fn field(field: FieldView) -> impl IntoView {
    let FieldView { name, label, help, input, value, otherwise, origin, is_changed, problem } = field;
    let (help_id, problem_id) = (format!("{name}-help"), format!("{name}-problem"));
    let described = if problem.is_some() { format!("{problem_id} {help_id}") } else { help_id.clone() };
    let invalid = problem.is_some().then_some("true");
    let control = match input {
        Input::Choice(choices) => {
            let choice = |(written, said): (String, String)| {
                view! {
                    <option value=written.clone() selected=written == value>
                        {said}
                    </option>
                }
            };
            view! {
                <select id=name.clone() name=name.clone() aria-describedby=described aria-invalid=invalid>
                    {choices.into_iter().map(choice).collect_view()}
                </select>
            }
            .into_any()
        }
        Input::Number { min, max, is_whole, unit } => view! {
            <span class="with-unit">
                <input
                    id=name.clone()
                    name=name.clone()
                    inputmode=if is_whole { "numeric" } else { "decimal" }
                    value=value
                    placeholder=otherwise
                    aria-describedby=described
                    aria-invalid=invalid
                />
                <span>{unit}</span>
            </span>
            <small class="note">{format!("{min} to {max}")}</small>
        }
        .into_any(),
        Input::Text => view! {
            <input
                id=name.clone()
                name=name.clone()
                value=value
                placeholder=otherwise
                spellcheck="false"
                autocapitalize="off"
                aria-describedby=described
                aria-invalid=invalid
            />
        }
        .into_any(),
        Input::Secret { is_set } => view! {
            <input
                id=name.clone()
                name=name.clone()
                type="password"
                autocomplete="new-password"
                placeholder=if is_set { "kept; type to replace it" } else { "none" }
                aria-describedby=described
                aria-invalid=invalid
            />
        }
        .into_any(),
    };
    let reset = is_changed.then(|| {
        view! {
            <label class="reset">
                <input type="checkbox" name="reset" value=name.clone() />
                <span>"Take this change back"</span>
            </label>
        }
    });
    view! {
        <div class="setting">
            <label for=name.clone()>{label}</label>
            <div class="value">{control}</div>
            <p class="help" id=help_id>{help} " " <span class="origin">{origin}</span></p>
            {reset}
            {problem.map(|problem| view! { <p class="refusal" id=problem_id>{problem}</p> })}
        </div>
    }
}

fn history(changes: Vec<ChangeRow>, when: impl Fn(UtcMillis) -> String) -> impl IntoView {
    let is_empty = changes.is_empty();
    let row = |change: ChangeRow| {
        let ChangeRow { id, at, who, what } = change;
        let what = what.into_iter().map(|what| view! { <span class="what">{what}</span> });
        view! {
            <li>
                <strong>{when(at)} ", " {who}</strong>
                {what.collect_view()}
                <form action="/settings/undo" method="post">
                    <input type="hidden" name="id" value=id />
                    <button class="button">"Undo"<span class="visually-hidden">" the change of " {when(at)}</span></button>
                </form>
            </li>
        }
    };
    view! {
        <section class="card access" aria-labelledby="changes">
            <header>
                <h2 id="changes">"What was changed here"</h2>
            </header>
            {is_empty.then(|| view! { <p class="note">"Nothing yet."</p> })}
            <ul>{changes.into_iter().map(row).collect_view()}</ul>
        </section>
    }
}

fn only_in_the_file(fixed: Vec<(String, String, String)>) -> impl IntoView {
    let row = |(label, value, origin): (String, String, String)| {
        view! {
            <div>
                <dt>{label}</dt>
                <dd>{value} " " <span class="origin">{origin}</span></dd>
            </div>
        }
    };
    view! {
        <details class="card">
            <summary>
                <h2>"Only in the file"</h2>
                <span class="note">"Where this page is reached. A change takes a restart."</span>
            </summary>
            <dl class="fixed">{fixed.into_iter().map(row).collect_view()}</dl>
        </details>
    }
}

pub(crate) fn preview(preview: Preview) -> impl IntoView {
    let Preview { frame, id, lines, effects, decisions } = preview;
    let line = |PreviewLine { label, before, after }: PreviewLine| {
        view! {
            <div>
                <dt>{label}</dt>
                <dd>
                    <span class="before"><span class="visually-hidden">"from "</span>{before}</span>
                    " → "
                    <strong><span class="visually-hidden">"to "</span>{after}</strong>
                </dd>
            </div>
        }
    };
    let decision = |WouldBe { miner, now, then }: WouldBe| {
        let then = match then {
            Some(then) => view! {
                <p class="note">"Now: " {now}</p>
                <p><strong>"With the change: " {then}</strong></p>
            }
            .into_any(),
            None => view! { <p>"Nothing different would be decided now. " {now}</p> }.into_any(),
        };
        view! {
            <h3>{miner}</h3>
            {then}
        }
    };
    let follows = (!effects.is_empty()).then(|| {
        view! {
            <h2>"What follows"</h2>
            <ul class="effects">{effects.into_iter().map(|effect| view! { <li>{effect}</li> }).collect_view()}</ul>
        }
    });
    let decided = (!decisions.is_empty()).then(|| {
        view! {
            <h2>"What would be decided at this moment"</h2>
            {decisions.into_iter().map(decision).collect_view()}
        }
    });
    let body = view! {
        <section class="card preview">
            <h1>"What this does"</h1>
            <dl class="fixed">{lines.into_iter().map(line).collect_view()}</dl>
            {follows}
            {decided}
            <form class="go-on" action="/settings/save" method="post">
                <input type="hidden" name="id" value=id />
                <button class="button main">"Save"</button>
                <a class="button" href="/settings">"Leave everything as it is"</a>
            </form>
        </section>
    };
    around(frame.site, frame.version, Place::Settings, body.into_any())
}
