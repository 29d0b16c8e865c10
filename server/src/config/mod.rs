//! The configuration: one file, the environment over it, one table that says what may stand in them.
//!
//! What it owns: names, ranges, defaults and meanings of all settings, and the one message that says what is wrong
//! with them. What it doesn't: any device, any clock, and what a person changed on the page.
//!
//! ```
//! use server::config;
//!
//! let environment = [("WM_HOST".to_owned(), "192.168.86.52".to_owned())];
//! let loaded = config::from_text("app: {port: 8081}", environment.into_iter()).unwrap();
//! assert_eq!(loaded.config.app.port, 8081);
//! assert_eq!(loaded.config.miners[0].host.as_str(), "192.168.86.52");
//!
//! let error = config::from_text("app: {prot: 8081}", std::iter::empty()).unwrap_err();
//! assert!(error.to_string().contains("\"port\""));
//! ```

mod base_url;
mod change;
mod check;
mod field;
mod gather;
mod host;
mod problem;
mod provenance;
mod service_url;
mod setting;
mod table;
mod yaml;

pub use base_url::BaseUrl;
pub use change::{Change, Changes, Shown, is_changeable, is_secret};
pub use gather::{is_id, listed};
pub use host::Host;
pub use problem::{ConfigError, Problem};
pub use provenance::{Origin, Provenance};
pub use service_url::ServiceUrl;
pub use setting::{Kind, Section, Setting, TimeUnit, Word};
pub use table::{
    App, AutoControl, Battery, BatteryKind, Data, MailSecurity, Miner, MinerKind, Notify, SECTIONS, Site,
};

use control::Policy;
use devices::Secret;
use model::Watts;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
    time::Duration,
};

/// The file that is read if none is named, in the working directory.
pub const FILE_NAME: &str = "config.yaml";

/// The variable that names the directory in which systemd hands files to a service alone, whatever their mode says.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// More than any configuration holds.
const LARGEST_FILE: u64 = 1 << 20;

/// A configuration whose every value is in its range and whose values go together.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where the house is.
    pub site: Site,
    /// The miners: that of `miner:` first, then those of `miners:` in their order. May be empty.
    pub miners: Vec<Miner>,
    /// The battery.
    pub battery: Battery,
    /// The control law.
    pub autocontrol: AutoControl,
    /// The history.
    pub data: Data,
    /// How people are told of alerts.
    pub notify: Notify,
    /// The page and the API.
    pub app: App,
}

/// A configuration, and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Where each value comes from.
    pub provenance: Provenance,
    /// What people may see of each value, by its path.
    pub shown: BTreeMap<String, Shown>,
    /// The path of each miner's section: "miner", then "miners\\[0\\]" and so on.
    pub miner_paths: Vec<String>,
    /// What a person should look at. Plain sentences, without any value of a secret.
    pub warnings: Vec<String>,
    /// The file that was read; `None` if none was named and there is none.
    pub file: Option<PathBuf>,
}

impl Loaded {
    /// The path of a miner's section: "miners\\[0\\]".
    pub fn path_of(&self, id: &model::MinerId) -> Option<&str> {
        let at = self.config.miners.iter().position(|miner| miner.id == *id)?;
        self.miner_paths.get(at).map(String::as_str)
    }
}

/// The process's environment for [`load`]. Unlike `std::env::vars` it doesn't panic at what isn't UTF-8.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, text)| Some((name.into_string().ok()?, text.to_string_lossy().into_owned())))
}

/// What a configuration is made of, besides what a person changes on the page.
#[derive(Clone)]
pub struct Inputs {
    text: String,
    environment: Vec<(String, String)>,
    file: Option<PathBuf>,
    /// Others than its owner may read the file.
    exposed: bool,
}

/// Loads the configuration: this file, or [`FILE_NAME`] if there is one, under this [`environment`]. Variables of
/// other programs are passed over, and an empty variable is as good as none.
///
/// # Errors
/// Everything that is wrong, in one message.
pub fn load(
    path: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    Inputs::read(path, environment)?.load(&Changes::new())
}

/// Makes a configuration of the text of a file and this environment.
///
/// # Errors
/// As for [`load`].
pub fn from_text(
    text: &str,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    Inputs::of_text(text, environment).load(&Changes::new())
}

impl Inputs {
    /// Reads this file, or [`FILE_NAME`] if there is one.
    ///
    /// # Errors
    /// If there is none where one is named, or it can't be read.
    pub fn read(
        path: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let file = path.unwrap_or(Path::new(FILE_NAME));
        match read(file) {
            Ok((text, readable)) => {
                let inputs = Self::of_text(&text, environment);
                let exposed = readable && !inputs.is_credential(file);
                Ok(Self { file: Some(file.to_owned()), exposed, ..inputs })
            }
            Err(Unreadable::Missing) if path.is_none() => Ok(Self::of_text("", environment)),
            Err(unreadable) => Err(ConfigError::whole(Some(file.to_owned()), unreadable.to_string())),
        }
    }

    fn is_credential(&self, file: &Path) -> bool {
        let handed = self.environment.iter().find(|(name, _)| name == CREDENTIALS);
        handed.is_some_and(|(_, directory)| !directory.is_empty() && file.starts_with(directory))
    }

    /// The text of a file, and this environment.
    pub fn of_text(text: &str, environment: impl Iterator<Item = (String, String)>) -> Self {
        Self { text: text.to_owned(), environment: environment.collect(), file: None, exposed: false }
    }

    /// The configuration, with what was changed on the page.
    ///
    /// # Errors
    /// Everything that is wrong, in one message.
    pub fn load(&self, changes: &Changes) -> Result<Loaded, ConfigError> {
        let mut gathered = gather::Gathered::default();
        match yaml::parse(self.text.strip_prefix('\u{feff}').unwrap_or(&self.text)) {
            Ok(Some(root)) => gathered.add_file(&root),
            Ok(None) => {}
            Err(error) => {
                gathered.problems.add(Some(Origin::File { line: error.line }), None, || error.what);
            }
        }
        gathered.add_environment(self.environment.iter().cloned());
        gathered.add_changes(changes);
        let config = gathered.build();
        let gather::Gathered { mut problems, provenance, refused, secret_in_file, shown, left_over, .. } =
            gathered;
        // A refused value left its default behind: what that means to others is nobody's concern.
        if let Some(config) = config.as_ref().filter(|_| refused.is_empty()) {
            check::check(config, &provenance, &mut problems);
        }
        let file = self.file.clone();
        problems.into_result(file.clone())?;
        let Some(config) = config else {
            return Err(ConfigError::whole(file, "something is missing".to_owned()));
        };
        let mut warnings = check::warnings(&config, &provenance);
        if let Some(file) = file.as_ref().filter(|_| self.exposed && secret_in_file) {
            warnings.push(format!(
                "{0} holds passwords and others on this machine can read it. Make it yours alone: chmod 600 {0}",
                file.display()
            ));
        }
        warnings.extend(left_over.into_iter().map(|name| {
            format!("{name} was changed on the settings page, and there is no such setting any more.")
        }));
        let miner_paths = check::miner_paths(&config, &provenance);
        Ok(Loaded { config, provenance, shown, miner_paths, warnings, file })
    }
}

/// Why a file can't be read.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("there is no such file")]
    Missing,
    #[error("expected a file, found a directory")]
    Directory,
    #[error("expected a plain file")]
    NotAFile,
    #[error("larger than 1 MiB: that is no configuration")]
    TooLarge,
    #[error("line {line}: expected UTF-8 text")]
    NotText { line: usize },
    #[error("can't be read: {0}")]
    Failed(std::io::Error),
}

impl From<std::io::Error> for Unreadable {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == ErrorKind::NotFound { Self::Missing } else { Self::Failed(error) }
    }
}

/// The file's text, and whether others than its owner may read it.
fn read(file: &Path) -> Result<(String, bool), Unreadable> {
    // Asked before opening: opening a pipe would wait for somebody to write into it.
    let metadata = fs::metadata(file)?;
    if metadata.is_dir() {
        return Err(Unreadable::Directory);
    }
    if !metadata.is_file() {
        return Err(Unreadable::NotAFile);
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Unreadable::TooLarge);
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        Unreadable::NotText { line: 1 + before.filter(|byte| **byte == b'\n').count() }
    })?;
    #[cfg(unix)]
    let exposed = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o044 != 0;
    #[cfg(not(unix))]
    let exposed = false;
    Ok((text, exposed))
}

impl Config {
    /// The age of the battery's data at which there is a warning.
    pub fn warn_after(&self) -> Duration {
        self.autocontrol.warn_after_sec.unwrap_or(match self.battery.kind {
            BatteryKind::Eg4Portal => Duration::from_secs(360),
        })
    }

    /// The age of the battery's data at which miners are switched off.
    pub fn stale_off(&self) -> Duration {
        self.autocontrol.stale_off_sec.unwrap_or(match self.battery.kind {
            BatteryKind::Eg4Portal => Duration::from_secs(720),
        })
    }

    /// The law's numbers for one of the miners.
    pub fn policy(&self, miner: &Miner) -> Policy {
        let law = &self.autocontrol;
        Policy {
            base_watts: miner.base_watts,
            emergency_soc: law.emergency_soc.get(),
            full_soc: law.full_soc.get(),
            sunset_soc: law.sunset_soc.get(),
            resume_soc: law.resume_soc.map(model::Soc::get),
            min_off: law.min_off_sec,
            warn_after: self.warn_after(),
            stale_off: self.stale_off(),
            stale_off_without_auto: law.stale_off_without_auto,
            min_interval: law.min_interval_sec,
            settle: law.settle_sec,
            off_verify: law.off_verify_sec,
            command_budget: law.max_commands_per_day,
            sunset: law.sunset_second(),
            sunrise: law.sunrise_second(),
        }
    }
}

impl AutoControl {
    /// The sunset in seconds after local midnight, where the site has no coordinates.
    pub const fn sunset_second(&self) -> u32 {
        self.sunset_hour * 3600 + self.sunset_minute * 60
    }

    /// The sunrise likewise.
    pub const fn sunrise_second(&self) -> u32 {
        self.sunrise_hour * 3600 + self.sunrise_minute * 60
    }
}

impl Miner {
    /// What to call it: its name, else its id.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id.0)
    }

    /// The least and the most power it is ever told.
    pub fn power_range(&self) -> (Watts, Watts) {
        if self.kind == MinerKind::AxeOs {
            return (self.base_watts, self.base_watts);
        }
        let lowest = || Watts::whole((self.base_watts.get() * 0.3).round() as u32);
        (self.min_watts.unwrap_or_else(lowest), self.max_watts.unwrap_or(self.base_watts))
    }

    /// The port that tells two devices behind one address from each other.
    pub fn port(&self) -> u16 {
        match self.kind {
            MinerKind::WhatsMiner => self.v2_port,
            MinerKind::AxeOs => self.axeos_port,
        }
    }

    /// The password for the newer interface.
    pub fn v3_secret(&self) -> Option<&Secret> {
        self.v3_password.as_ref().or(self.password.as_ref())
    }
}

impl Battery {
    /// The time between two questions to the source, as they are really asked.
    pub fn effective_poll(&self) -> Duration {
        let shortest = match self.kind {
            BatteryKind::Eg4Portal => Duration::from_secs(30),
        };
        self.poll_seconds.max(shortest)
    }
}
