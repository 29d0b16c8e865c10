//! What is typed on the settings page: which settings there are, what was typed into them, and what is wrong with it.

use super::Wanted;
use crate::config::{
    ConfigError, Loaded, Miner, SECTIONS, Section, Setting, Shown, is_changeable, is_id, listed,
};
use model::MinerId;
use std::collections::BTreeMap;

/// A setting on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What it goes by there: `autocontrol.sunset_soc`, `miners.garage.host`.
    pub name: String,
    /// Its path in the configuration: `miners[0].host`.
    pub path: String,
    /// What its part of the page goes by: `autocontrol`, `miners.garage`.
    pub part: String,
    /// Its section.
    pub section: &'static str,
    /// Its key.
    pub key: &'static str,
}

impl Field {
    /// What it may be.
    pub fn setting(&self) -> Option<&'static Setting> {
        SECTIONS.iter().find(|section| section.name == self.section)?.setting(self.key)
    }
}

/// Something that is wrong with a setting; with what was typed as a whole, if it has no name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What the setting goes by.
    pub name: String,
    /// What is wrong.
    pub what: String,
}

/// The settings that can be changed, in the order of the page. A house without a miner has the fields of its first one.
pub fn fields(loaded: &Loaded) -> Vec<Field> {
    let mut fields = Vec::new();
    for section in SECTIONS {
        for (part, path) in parts(loaded, section) {
            for setting in section.settings.iter().filter(|setting| is_changeable(section.name, setting)) {
                fields.push(Field {
                    name: format!("{part}.{}", setting.key),
                    path: format!("{path}.{}", setting.key),
                    part: part.clone(),
                    section: section.name,
                    key: setting.key,
                });
            }
        }
    }
    fields
}

/// What stands above a field's part of the page.
pub fn title(field: &Field, loaded: &Loaded) -> String {
    match field.section {
        "site" => "The house".to_owned(),
        "battery" => "Battery".to_owned(),
        "autocontrol" => "Control law".to_owned(),
        "data" => "History".to_owned(),
        "notify" => "Alerts to people".to_owned(),
        _ => {
            let name = miner_of(loaded, &field.part).map_or("Miner", Miner::label);
            format!("Miner {name}")
        }
    }
}

/// What a kept change is told by: the setting and its values before and after, without secrets.
pub fn told(name: &str, before: Option<&str>, after: Option<&str>, loaded: &Loaded) -> String {
    let field = fields(loaded).into_iter().find(|field| field.name == name);
    // Of a setting that there isn't any more nobody knows whether it was one.
    let is_secret = field.as_ref().and_then(Field::setting).is_none_or(|setting| setting.secret);
    let said = |text: Option<&str>| match text {
        None => "as in the file".to_owned(),
        Some(_) if is_secret => "a secret".to_owned(),
        Some("") => "nothing".to_owned(),
        Some(text) => text.to_owned(),
    };
    let label = field.map_or_else(|| name.to_owned(), |field| label(&field, loaded));
    format!("{label}: {} → {}", said(before), said(after))
}

/// The parts of the page that a section has, and their paths in the configuration.
fn parts(loaded: &Loaded, section: &Section) -> Vec<(String, String)> {
    if section.name != Miner::SECTION.name {
        return vec![(section.name.to_owned(), section.name.to_owned())];
    }
    let single = || (section.name.to_owned(), section.name.to_owned());
    if loaded.miner_paths.is_empty() {
        return vec![single()];
    }
    let part = |(miner, path): (&Miner, &String)| {
        if *path == section.name { single() } else { (format!("miners.{}", miner.id.0), path.clone()) }
    };
    loaded.config.miners.iter().zip(&loaded.miner_paths).map(part).collect()
}

/// The part of the page that a miner has.
pub fn part_of(loaded: &Loaded, id: &MinerId) -> Option<String> {
    let parts = parts(loaded, &Miner::SECTION);
    let found = loaded.config.miners.iter().zip(parts).find(|(miner, _)| miner.id == *id);
    found.map(|(_, (part, _))| part)
}

/// The miner of a part of the page.
pub(super) fn miner_of<'a>(loaded: &'a Loaded, part: &str) -> Option<&'a Miner> {
    let parts = parts(loaded, &Miner::SECTION);
    loaded.config.miners.iter().zip(parts).find(|(_, (name, _))| name == part).map(|(miner, _)| miner)
}

/// What was typed, by the fields' names.
#[derive(Clone, Default)]
pub struct Typed {
    /// Into each field.
    pub texts: BTreeMap<String, String>,
    /// The fields whose change shall be taken back.
    pub reset: Vec<String>,
}

impl Typed {
    /// What was typed into a form. Fields that there aren't are passed over.
    pub fn read(form: Vec<(String, String)>) -> Self {
        let mut typed = Self::default();
        for (name, text) in form {
            if name == "reset" {
                typed.reset.push(text);
            } else {
                typed.texts.insert(name, text.trim().to_owned());
            }
        }
        typed
    }

    /// What shall be changed. A secret that isn't typed stays as it is.
    pub(super) fn wanted(&self, holding: &Loaded) -> Wanted {
        let mut wanted = Wanted::new();
        for Field { name, path, .. } in fields(holding) {
            if self.reset.contains(&name) {
                wanted.insert(name, None);
                continue;
            }
            let Some(text) = self.texts.get(&name) else { continue };
            let is_other = match holding.shown.get(&path) {
                Some(Shown::Text(holds)) => text != holds,
                Some(Shown::Secret { .. }) | None => !text.is_empty(),
            };
            if is_other {
                wanted.insert(name, Some(text.clone()));
            }
        }
        wanted.extend(self.of_a_new_miner(holding));
        wanted
    }

    /// What was typed of a miner that isn't known yet. It needs an id that can be one, and an address.
    fn of_a_new_miner(&self, holding: &Loaded) -> Wanted {
        let is_new = |name: &&String| {
            let Some((id, key)) = listed(name) else { return false };
            let is_known = holding.config.miners.iter().any(|miner| miner.id.0 == id);
            let has_address = self.texts.get(&new_miner(id, "host")).is_some_and(|host| !host.is_empty());
            let section = &Miner::SECTION;
            let is_setting = section.setting(key).is_some_and(|setting| is_changeable(section.name, setting));
            !is_known && has_address && is_setting && is_id(id)
        };
        let typed = self.texts.iter().filter(|(_, text)| !text.is_empty());
        let typed = typed.filter(|(name, _)| is_new(name));
        typed.map(|(name, text)| (name.clone(), Some(text.clone()))).collect()
    }
}

/// What the setting of a miner that isn't known yet goes by.
pub fn new_miner(id: &str, key: &str) -> String {
    format!("miners.{id}.{key}")
}

/// What is wrong, at the fields it is about.
pub(super) fn problems(error: &ConfigError, holding: &Loaded) -> Vec<Problem> {
    let fields = fields(holding);
    let at = |path: &str| fields.iter().find(|field| field.path == path).map(|field| field.name.clone());
    let problem = |problem: &crate::config::Problem| Problem {
        name: problem.path.as_deref().and_then(at).unwrap_or_default(),
        what: match &problem.path {
            Some(path) if at(path).is_none() => format!("{path}: {}", problem.what),
            _ => problem.what.clone(),
        },
    };
    error.problems().iter().map(problem).collect()
}

/// The settings that differ: what they are called, what holds, and what would. A secret is never told.
pub(super) fn differences(before: &Loaded, after: &Loaded, wanted: &Wanted) -> Vec<(String, String, String)> {
    let known: BTreeMap<_, _> = fields(before).into_iter().map(|field| (field.name, field.path)).collect();
    let mut lines = Vec::new();
    let gone = before
        .config
        .miners
        .iter()
        .filter(|known| after.config.miners.iter().all(|miner| miner.id != known.id));
    lines.extend(gone.map(|miner| {
        (format!("Miner {}", miner.label()), miner.host.as_str().to_owned(), "nothing".to_owned())
    }));
    for field in fields(after) {
        let now = known.get(&field.name).and_then(|path| before.shown.get(path));
        let then = after.shown.get(&field.path);
        let unit = field.setting().map_or("", Setting::unit);
        let said = |shown: Option<&Shown>| match shown {
            Some(Shown::Text(text)) if !text.is_empty() && !unit.is_empty() => format!("{text} {unit}"),
            Some(Shown::Text(text)) if !text.is_empty() => text.clone(),
            Some(Shown::Secret { is_set: true }) => "a secret".to_owned(),
            _ => "nothing".to_owned(),
        };
        let is_secret = matches!(then, Some(Shown::Secret { .. }));
        if now != then {
            lines.push((label(&field, after), said(now), said(then)));
        } else if is_secret && wanted.contains_key(&field.name) {
            lines.push((label(&field, after), said(now), "another secret".to_owned()));
        }
    }
    lines
}

/// What a setting is called where its part of the page isn't at hand.
fn label(field: &Field, loaded: &Loaded) -> String {
    format!("{}: {}", title(field, loaded), field.setting().map_or_else(String::new, Setting::label))
}
