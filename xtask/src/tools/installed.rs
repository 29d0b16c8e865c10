//! Tools that are Rust programs, each in a directory of its own in the user's cache: nothing that is installed there is in
//! anybody's way, two checkouts share it, and `cargo clean` leaves it.

use super::{CARGO_DEB, CARGO_DENY, CARGO_FUZZ, CARGO_LEPTOS};
use crate::{process, say, workspace::Workspace};
use anyhow::{Context, bail};
use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Settings of the installation. Building them takes far longer than they ever run: they aren't optimised at all.
pub(crate) const QUICK_BUILD: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "64"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
];

/// A tool, exactly one version of it.
pub(super) struct Tool {
    package: &'static str,
    program: &'static str,
    version: String,
    /// What `cargo install` is told besides.
    options: &'static [&'static str],
    /// About how long that takes.
    minutes: u32,
}

impl Tool {
    /// What builds the page.
    pub(super) fn cargo_leptos() -> Self {
        Self {
            package: "cargo-leptos",
            program: "cargo-leptos",
            version: CARGO_LEPTOS.to_owned(),
            // It takes the other tools from the PATH, and never anything from elsewhere.
            options: &["--locked", "--features", "no_downloads"],
            minutes: 10,
        }
    }

    /// What looks at what the project is made of.
    pub(super) fn cargo_deny() -> Self {
        Self {
            package: "cargo-deny",
            program: "cargo-deny",
            version: CARGO_DENY.to_owned(),
            options: &["--locked", "--no-default-features"],
            minutes: 2,
        }
    }

    /// What makes Debian's packages.
    pub(super) fn cargo_deb() -> Self {
        Self {
            package: "cargo-deb",
            program: "cargo-deb",
            version: CARGO_DEB.to_owned(),
            options: &["--locked"],
            minutes: 3,
        }
    }

    /// What searches for input that breaks a parser.
    pub(super) fn cargo_fuzz() -> Self {
        Self {
            package: "cargo-fuzz",
            program: "cargo-fuzz",
            version: CARGO_FUZZ.to_owned(),
            options: &["--locked"],
            minutes: 1,
        }
    }

    /// What joins the module with the browser. It must be of the version of the library that is linked into the module.
    pub(super) fn wasm_bindgen(workspace: &Workspace) -> anyhow::Result<Self> {
        let lock = fs::read_to_string(workspace.root().join("Cargo.lock")).context("reading Cargo.lock")?;
        Ok(Self {
            package: "wasm-bindgen-cli",
            program: "wasm-bindgen",
            version: locked_version(&lock, "wasm-bindgen")?.to_owned(),
            // Not --locked: its own list names a version that isn't to be had everywhere.
            options: &[],
            minutes: 5,
        })
    }
}

/// Installs a tool if it is missing. The directory of its program.
pub(super) fn ensure(workspace: &Workspace, tool: &Tool) -> anyhow::Result<PathBuf> {
    let Tool { package, program, version, options, minutes } = tool;
    let name = format!("{package}-{version}");
    let directory = cache()?.join(&name);
    let programs = directory.join("bin");
    if answers(&programs.join(program), program, version) {
        return Ok(programs);
    }
    say::step(format_args!("installing {package} {version}, which takes about {minutes} minutes"));
    // What is built stays here until all of it is: an installation that is broken off goes on where it was.
    let built = workspace.scratch()?.join("install").join(&name);
    let mut install = workspace.cargo(&["install", package, "--version", version, "--force"]);
    install.args(*options).arg("--root").arg(&directory).env("CARGO_TARGET_DIR", &built).envs(QUICK_BUILD);
    process::run(&mut install, "the messages above say why; it needs the network and the Rust registry")?;
    if !answers(&programs.join(program), program, version) {
        bail!(
            "{package} {version} was installed and doesn't run: remove {} and try again",
            directory.display()
        );
    }
    // It would only take room.
    let _ = fs::remove_dir_all(&built);
    Ok(programs)
}

fn answers(at: &Path, program: &str, version: &str) -> bool {
    process::output(Command::new(at).arg("--version"))
        .is_some_and(|told| told == format!("{program} {version}"))
}

/// Where the tools of this project are kept for this user.
fn cache() -> anyhow::Result<PathBuf> {
    cache_below(env::var_os("XDG_CACHE_HOME"), env::home_dir()).context(
        "there is no place for the project's tools: set HOME, or XDG_CACHE_HOME to a directory of yours",
    )
}

fn cache_below(xdg: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    // By its specification, a relative one doesn't count.
    let xdg = xdg.map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = xdg.or_else(|| home.filter(|home| home.is_absolute()).map(|home| home.join(".cache")))?;
    Some(cache.join("wm-controller").join("tools"))
}

/// The version that a Cargo.lock holds a package at.
fn locked_version<'a>(lock: &'a str, package: &str) -> anyhow::Result<&'a str> {
    let value = |entry: &'a str, key: &str| {
        let rest = entry.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
        rest.and_then(|rest| rest.strip_suffix('"'))
    };
    let entries = lock.split("[[package]]").filter(|entry| value(entry, "name") == Some(package));
    let versions: Vec<_> = entries.filter_map(|entry| value(entry, "version")).collect();
    match versions[..] {
        [version] => Ok(version),
        [] => bail!("Cargo.lock knows no {package}: `cargo update --workspace` puts it in"),
        _ => bail!(
            "Cargo.lock has {package} in several versions ({}): only one can be linked",
            versions.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "wasm-bindgen"
version = "0.2.130"
dependencies = [
 "wasm-bindgen-macro",
]

[[package]]
name = "wasm-bindgen-macro"
version = "0.2.129"

[[package]]
name = "hashbrown"
version = "0.15.5"

[[package]]
name = "hashbrown"
version = "0.16.1"
"#;

    #[test]
    fn the_version_is_the_one_in_cargo_lock() {
        assert_eq!(locked_version(LOCK, "wasm-bindgen").unwrap(), "0.2.130");
        assert_eq!(locked_version(LOCK, "wasm-bindgen-macro").unwrap(), "0.2.129");
    }

    #[test]
    fn a_package_that_is_missing_or_there_twice_has_no_version() {
        let missing = locked_version(LOCK, "wasm").unwrap_err().to_string();
        assert!(missing.contains("knows no wasm"), "{missing}");
        let twice = locked_version(LOCK, "hashbrown").unwrap_err().to_string();
        assert!(twice.contains("(0.15.5, 0.16.1)"), "{twice}");
    }

    #[test]
    fn this_workspace_has_one_version() {
        let workspace = Workspace::find().unwrap();
        let version = Tool::wasm_bindgen(&workspace).unwrap().version;
        assert!(version.starts_with("0.2."), "{version}");
    }

    #[test]
    fn tools_are_kept_in_the_cache_of_the_user() {
        let below =
            |xdg: Option<&str>, home: Option<&str>| cache_below(xdg.map(Into::into), home.map(Into::into));
        let expected = |path: &str| Some(PathBuf::from(path));
        assert_eq!(below(None, Some("/home/ann")), expected("/home/ann/.cache/wm-controller/tools"));
        assert_eq!(below(Some("/var/ann"), Some("/home/ann")), expected("/var/ann/wm-controller/tools"));
        assert_eq!(below(Some("cache"), Some("/home/ann")), expected("/home/ann/.cache/wm-controller/tools"));
        assert_eq!(below(Some(""), None), None);
    }
}
