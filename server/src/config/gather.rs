//! Puts file and environment together: every value that was written, with its place, sorted by section.

use super::{
    AutoControl, Battery, Changes, Config, Data, Miner, Notify, Origin, Provenance, SECTIONS, Shown, Site,
    is_changeable,
    problem::{Problems, nearest, quotable},
    setting::{Section, Setting, Value, Written},
    table::App,
    yaml::{Content, Node},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The most miners a list may have.
const MOST_MINERS: usize = 256;

/// The list of miners, beside the section for one.
const MINERS: &str = "miners";

/// What every environment variable for any setting begins with.
const PREFIX: &str = "WMC__";

/// Which section of a configuration: only miners come in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Single(&'static str),
    Listed(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single(name) => f.write_str(name),
            Self::Listed(index) => write!(f, "{MINERS}[{index}]"),
        }
    }
}

/// What was written for a setting, and where; no value where the settings page took it away.
type Taken = (Option<Value>, Origin);

/// Everything that was written.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    sections: BTreeMap<Place, BTreeMap<&'static str, Taken>>,
    /// Where each section begins.
    begun: BTreeMap<Place, Origin>,
    listed: usize,
    /// The paths of values and sections that were refused: what they would have been isn't known.
    pub(super) refused: BTreeSet<String>,
    pub(super) problems: Problems,
    pub(super) provenance: Provenance,
    /// What people may see of each value, by its path.
    pub(super) shown: BTreeMap<String, Shown>,
    /// What was changed on the settings page and belongs to nothing any more.
    pub(super) left_over: Vec<String>,
    /// The file holds at least one secret.
    pub(super) secret_in_file: bool,
}

impl Gathered {
    /// Takes the file's tree.
    pub(super) fn add_file(&mut self, root: &Node) {
        let Content::Mapping(entries) = &root.content else {
            let what = || "expected sections such as \"miner:\" and \"battery:\"".to_owned();
            return self.problems.add(Some(Origin::File { line: root.line }), None, what);
        };
        let mut seen = BTreeMap::new();
        for (key, node) in entries {
            let origin = Origin::File { line: key.line };
            if let Some(first) = seen.insert(key.name.as_str(), key.line) {
                let what = || format!("written twice; it is in line {first} already");
                self.problems.add(Some(origin), Some(quotable(&key.name)), what);
            } else if key.name == MINERS {
                self.add_list(node);
            } else if let Some(section) = SECTIONS.iter().find(|section| section.name == key.name) {
                self.add_section(Place::Single(section.name), section, node);
            } else {
                let known = SECTIONS.iter().map(|section| section.name).chain([MINERS]);
                let what = || {
                    let nearest = nearest(&key.name, known).unwrap_or_default();
                    format!("unknown section; the nearest known one is \"{nearest}\"")
                };
                self.problems.add(Some(origin), Some(quotable(&key.name)), what);
            }
        }
    }

    fn add_list(&mut self, node: &Node) {
        if node.is_null() {
            return;
        }
        let items = match &node.content {
            Content::List(items) if items.len() <= MOST_MINERS => items,
            _ => {
                let origin = Some(Origin::File { line: node.line });
                let what = || format!("expected a list of at most {MOST_MINERS} miners");
                return self.problems.add(origin, Some(MINERS.to_owned()), what);
            }
        };
        self.listed = items.len();
        for (index, item) in items.iter().enumerate() {
            self.begun.insert(Place::Listed(index), Origin::File { line: item.line });
            self.add_section(Place::Listed(index), &Miner::SECTION, item);
        }
    }

    fn add_section(&mut self, place: Place, section: &'static Section, node: &Node) {
        if node.is_null() {
            return;
        }
        let Content::Mapping(entries) = &node.content else {
            let origin = Some(Origin::File { line: node.line });
            self.refused.insert(place.to_string());
            let example = section.settings.first().map_or("name", |setting| setting.key);
            let what = || format!("expected settings such as \"{example}:\"");
            return self.problems.add(origin, Some(place.to_string()), what);
        };
        let mut seen = BTreeMap::new();
        for (key, value) in entries {
            let origin = Origin::File { line: key.line };
            let path = || Some(format!("{place}.{}", quotable(&key.name)));
            if let Some(first) = seen.insert(key.name.as_str(), key.line) {
                let what = || format!("written twice; it is in line {first} already");
                self.problems.add(Some(origin), path(), what);
                continue;
            }
            let Some(setting) = section.setting(&key.name) else {
                self.problems.add(Some(origin), path(), || unknown(section, &key.name));
                continue;
            };
            self.begun.entry(place).or_insert(origin);
            self.secret_in_file |= setting.secret && !value.is_null();
            self.put(place, setting, Written::Node(value), Origin::File { line: value.line });
        }
    }

    /// Takes the environment, which wins over the file. Variables that aren't this program's are passed over.
    pub(super) fn add_environment(&mut self, variables: impl Iterator<Item = (String, String)>) {
        // Sorted, so that the same environment gives the same message.
        let variables: BTreeMap<String, String> = variables.collect();
        for (variable, text) in &variables {
            let target = match short(variable) {
                Some(target) => Ok(target),
                None if variable.starts_with(PREFIX) => self.long(variable),
                None => continue,
            };
            let origin = Origin::Environment { variable: variable.clone() };
            match target {
                Ok((place, setting)) => {
                    let other = setting.variable.filter(|short| short != variable);
                    if other.is_some_and(|other| variables.get(other).is_some_and(|text| !text.is_empty())) {
                        let what = || format!("set twice, by {} too", other.unwrap_or_default());
                        self.problems.add(Some(origin), Some(format!("{place}.{}", setting.key)), what);
                    } else {
                        self.put(place, setting, Written::Text(text), origin);
                    }
                }
                Err(what) => self.problems.add(Some(origin), None, || what),
            }
        }
    }

    /// Takes what was changed on the settings page, which wins over everything.
    pub(super) fn add_changes(&mut self, changes: &Changes) {
        self.add_new_miners(changes);
        for (name, change) in changes {
            let Some((place, setting)) = self.changed(name) else {
                self.left_over.push(name.clone());
                continue;
            };
            let origin = Origin::Changed { at: change.at };
            match setting.kind.read(Written::Text(&change.text)) {
                Ok(value) => {
                    if value.is_some() {
                        self.begun.entry(place).or_insert_with(|| origin.clone());
                    }
                    self.sections.entry(place).or_default().insert(setting.key, (value, origin));
                }
                Err(what) => {
                    let path = format!("{place}.{}", setting.key);
                    self.refused.insert(path.clone());
                    self.problems.add(Some(origin), Some(path), || what);
                }
            }
        }
    }

    /// A miner that the file doesn't know was added, if it was given an address.
    fn add_new_miners(&mut self, changes: &Changes) {
        for (name, change) in changes {
            let Some((id, "host")) = listed(name) else { continue };
            if change.text.is_empty() || self.index_of(id).is_some() || self.listed >= MOST_MINERS {
                continue;
            }
            let Some(setting) = Miner::SECTION.setting("id") else { continue };
            let Ok(value @ Some(_)) = setting.kind.read(Written::Text(id)) else { continue };
            let place = Place::Listed(self.listed);
            let origin = Origin::Changed { at: change.at };
            self.begun.insert(place, origin.clone());
            self.sections.entry(place).or_default().insert(setting.key, (value, origin));
            self.listed += 1;
        }
    }

    /// Where the miner with this id is in the list.
    fn index_of(&self, id: &str) -> Option<usize> {
        (0..self.listed).find(|index| {
            let value = self.sections.get(&Place::Listed(*index)).and_then(|entries| entries.get("id"));
            matches!(value, Some((Some(Value::Text(text)), _)) if text == id)
        })
    }

    /// The setting that the settings page calls so.
    fn changed(&self, name: &str) -> Option<(Place, &'static Setting)> {
        let (place, section, key) = if let Some((id, key)) = listed(name) {
            (Place::Listed(self.index_of(id)?), &Miner::SECTION, key)
        } else {
            let (section, key) = name.rsplit_once('.')?;
            let section = SECTIONS.iter().copied().find(|known| known.name == section)?;
            (Place::Single(section.name), section, key)
        };
        let setting = section.setting(key)?;
        is_changeable(section.name, setting).then_some((place, setting))
    }

    /// The setting that `WMC__SECTION__KEY` or `WMC__MINERS__0__KEY` names, or what is wrong with the name.
    fn long(&self, variable: &str) -> Result<(Place, &'static Setting), String> {
        let name = variable.strip_prefix(PREFIX).unwrap_or(variable).to_ascii_lowercase();
        let parts: Vec<&str> = name.split("__").collect();
        let (place, section, key) = match *parts.as_slice() {
            [MINERS, index, key] => {
                let listed = index.parse().ok().filter(|index| *index < self.listed);
                let index = listed.ok_or_else(|| {
                    format!("the file's list of miners has {} of them, counted from 0", self.listed)
                })?;
                (Place::Listed(index), &Miner::SECTION, key)
            }
            [section, key] => {
                let found = SECTIONS.iter().find(|known| known.name == section).ok_or_else(|| {
                    let nearest = nearest(section, SECTIONS.iter().map(|section| section.name));
                    format!("unknown section; the nearest known one is \"{}\"", nearest.unwrap_or_default())
                })?;
                (Place::Single(found.name), *found, key)
            }
            _ => return Err("expected a name like WMC__SECTION__KEY".to_owned()),
        };
        section.setting(key).map(|setting| (place, setting)).ok_or_else(|| unknown(section, key))
    }

    fn put(&mut self, place: Place, setting: &'static Setting, written: Written<'_>, origin: Origin) {
        match setting.kind.read(written) {
            Ok(Some(value)) => {
                self.begun.entry(place).or_insert_with(|| origin.clone());
                self.sections.entry(place).or_default().insert(setting.key, (Some(value), origin));
            }
            Ok(None) => {}
            Err(what) => {
                let path = format!("{place}.{}", setting.key);
                self.refused.insert(path.clone());
                self.problems.add(Some(origin), Some(path), || what);
            }
        }
    }

    /// The whole configuration; `None` if something that it can't be without is missing, which is noted.
    pub(super) fn build(&mut self) -> Option<Config> {
        let site = self.section(Place::Single("site"), Site::take);
        let mut places: Vec<Place> = (0..self.listed).map(Place::Listed).collect();
        let single = Place::Single(Miner::SECTION.name);
        if self.begun.contains_key(&single) {
            places.insert(0, single);
        }
        let miners: Vec<Option<Miner>> =
            places.into_iter().map(|place| self.section(place, Miner::take)).collect();
        let battery = self.section(Place::Single("battery"), Battery::take);
        let autocontrol = self.section(Place::Single("autocontrol"), AutoControl::take);
        let data = self.section(Place::Single("data"), Data::take);
        let notify = self.section(Place::Single("notify"), Notify::take);
        let app = self.section(Place::Single("app"), App::take);
        Some(Config {
            site: site?,
            miners: miners.into_iter().collect::<Option<_>>()?,
            battery: battery?,
            autocontrol: autocontrol?,
            data: data?,
            notify: notify?,
            app: app?,
        })
    }

    fn section<T>(&mut self, place: Place, take: fn(&mut Values<'_>) -> Option<T>) -> Option<T> {
        let entries = self.sections.remove(&place).unwrap_or_default();
        take(&mut Values { place, entries, gathered: self })
    }
}

/// The values of one section on their way into its type.
pub(super) struct Values<'a> {
    place: Place,
    entries: BTreeMap<&'static str, Taken>,
    gathered: &'a mut Gathered,
}

impl Values<'_> {
    /// The value for this key, or its default; `None` if there is neither and there has to be one, which is noted.
    pub(super) fn take<T>(&mut self, key: &str, field: fn(Option<Value>) -> Option<T>) -> Option<T> {
        let section = match self.place {
            Place::Single(name) => SECTIONS.iter().find(|section| section.name == name).copied()?,
            Place::Listed(_) => &Miner::SECTION,
        };
        let setting = section.setting(key)?;
        let path = format!("{}.{key}", self.place);
        let (value, origin) = self.entries.remove(key).unwrap_or((None, Origin::Default));
        let default = || setting.default.and_then(|text| setting.kind.read(Written::Text(text)).ok());
        let value = value.or_else(|| default().flatten());
        let shown = if setting.secret {
            Shown::Secret { is_set: value.is_some() }
        } else {
            Shown::Text(value.as_ref().map(|value| value.written(setting.kind)).unwrap_or_default())
        };
        self.gathered.shown.insert(path.clone(), shown);
        self.gathered.provenance.0.insert(path.clone(), origin);
        let made = field(value);
        let refused = &self.gathered.refused;
        if made.is_none() && !refused.contains(&path) && !refused.contains(&self.place.to_string()) {
            let origin = self.gathered.begun.get(&self.place).cloned();
            let what = || format!("missing; expected {}", setting.kind);
            self.gathered.problems.add(origin, Some(path), what);
        }
        made
    }
}

/// Whether a miner can have this id.
pub fn is_id(text: &str) -> bool {
    let setting = Miner::SECTION.setting("id");
    setting.is_some_and(|setting| matches!(setting.kind.read(Written::Text(text)), Ok(Some(_))))
}

/// The id and the key of a miner's setting, as the settings page calls it: `miners.garage.host`.
pub fn listed(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(MINERS)?.strip_prefix('.')?.rsplit_once('.')
}

/// The setting that has this short variable.
fn short(variable: &str) -> Option<(Place, &'static Setting)> {
    SECTIONS.iter().find_map(|section| {
        let setting = section.settings.iter().find(|setting| setting.variable == Some(variable))?;
        Some((Place::Single(section.name), setting))
    })
}

/// What to say about a key that its section doesn't have.
fn unknown(section: &Section, key: &str) -> String {
    let home = SECTIONS.iter().find(|other| other.setting(key).is_some());
    if let Some(home) = home {
        return format!("unknown here; it belongs to \"{}\"", home.name);
    }
    let nearest = nearest(key, section.settings.iter().map(|setting| setting.key));
    format!("unknown setting; the nearest known one is \"{}\"", nearest.unwrap_or_default())
}
