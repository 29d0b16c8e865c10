//! What a package says of itself to whoever installs it: what changed, and by which licences it may be used. Debian's policy
//! has forms for both.

use crate::process;
use anyhow::{Context, ensure};
use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// Where they are.
const DIRECTORY: &str = "usr/share/doc/wm-controller";
/// How the file of licences begins where it is in its machine-readable form.
const FORMAT: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n";
/// Where a Debian has the licences that many packages have.
const COMMON: &str = "/usr/share/common-licenses/";

/// Looks at the documents of the package of this version that is unpacked at `root`.
pub(super) fn check(root: &Path, version: &str) -> anyhow::Result<()> {
    let changelog = root.join(DIRECTORY).join("changelog.Debian.gz");
    let text = process::output(Command::new("gzip").args(["--decompress", "--stdout"]).arg(&changelog));
    let text = text.with_context(|| format!("there is no {}", changelog.display()))?;
    let newest = newest(&text);
    ensure!(newest == Some(version), "the package is of {version}, and its changelog tells of {newest:?}");
    let copyright = copyright(root)?;
    ensure!(copyright.starts_with(FORMAT), "the file of licences isn't in Debian's form");
    ensure!(!common(&copyright).is_empty(), "the file of licences names none of those that Debian has");
    Ok(())
}

/// Looks whether what the installed package refers to is there.
pub(super) fn refer_to_what_is_there(root: &Path) -> anyhow::Result<()> {
    for name in common(&copyright(root)?) {
        let licence = format!("{COMMON}{name}");
        ensure!(root.join(licence.trim_start_matches('/')).exists(), "a Debian has no {licence}");
    }
    Ok(())
}

fn copyright(root: &Path) -> anyhow::Result<String> {
    let file = root.join(DIRECTORY).join("copyright");
    fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
}

/// The version that a changelog tells of first, deb-changelog(5).
fn newest(changelog: &str) -> Option<&str> {
    changelog.strip_prefix("wm-controller (")?.split_once(") ").map(|(version, _)| version)
}

/// The licences of Debian's that a file of licences refers to.
fn common(copyright: &str) -> BTreeSet<&str> {
    let behind = copyright.split(COMMON).skip(1);
    behind.filter_map(|text| Some(text.split_whitespace().next()?.trim_end_matches(['.', ',']))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn file(path: &str) -> String {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
    }

    /// The words of the text that stands behind this field of the file of licences: files that it is of name it above, without
    /// its text. A point alone is an empty line of it.
    fn behind<'a>(copyright: &'a str, field: &str) -> Vec<&'a str> {
        let (_, text) = copyright.rsplit_once(&format!("\n{field}\n")).unwrap();
        let lines = text.lines().take_while(|line| !line.is_empty()).filter(|line| *line != " .");
        lines.flat_map(str::split_whitespace).collect()
    }

    #[test]
    fn the_changelog_is_of_the_workspace_s_version_and_of_the_package_s_maintainer() {
        let changelog = file("packaging/debian/changelog");
        // cargo-deb counts the packages of a version from 1.
        assert_eq!(newest(&changelog), Some(concat!(env!("CARGO_PKG_VERSION"), "-1")));
        let trailer = changelog.lines().find_map(|line| line.strip_prefix(" -- ")).unwrap();
        let (maintainer, date) = trailer.split_once("  ").unwrap();
        assert!(
            file("server/Cargo.toml").contains(&format!("maintainer = \"{maintainer}\"\n")),
            "{maintainer}"
        );
        assert!(DateTime::parse_from_rfc2822(date).is_ok(), "{date}");
    }

    #[test]
    fn the_licences_are_the_workspace_s_and_the_font_s_word_by_word() {
        assert_eq!(env!("CARGO_PKG_LICENSE"), "MIT OR Apache-2.0");
        let copyright = file("packaging/debian/copyright");
        assert!(copyright.starts_with(FORMAT));
        assert!(copyright.contains("\nFiles: *\n") && copyright.contains("\nLicense: Expat or Apache-2.0\n"));
        assert_eq!(common(&copyright), BTreeSet::from(["Apache-2.0"]));
        for (field, from, begins) in [
            ("License: Expat", "LICENSE-MIT", "Permission is hereby granted"),
            ("License: OFL-1.1", "public/vendor/inter-4.1.LICENSE.txt", "SIL OPEN FONT LICENSE"),
        ] {
            let whole = file(from);
            let expected = whole.get(whole.find(begins).unwrap()..).unwrap();
            assert_eq!(behind(&copyright, field), expected.split_whitespace().collect::<Vec<_>>(), "{field}");
        }
    }

    #[test]
    fn documents_of_another_version_or_form_are_refused() {
        let root = std::env::temp_dir().join(format!("xtask-documents-{}", std::process::id()));
        let directory = root.join(DIRECTORY);
        fs::create_dir_all(&directory).unwrap();
        let problem = || check(&root, "1.2.0-1").unwrap_err().to_string();
        assert!(problem().contains("there is no"), "{}", problem());

        let changelog = directory.join("changelog.Debian");
        fs::write(&changelog, "wm-controller (1.2.0-1) unstable; urgency=medium\n").unwrap();
        process::run(Command::new("gzip").arg(&changelog), "").unwrap();
        let copyright = |text: &str| fs::write(directory.join("copyright"), text).unwrap();
        copyright("MIT License\n");
        assert!(problem().contains("Debian's form"), "{}", problem());
        copyright(FORMAT);
        assert!(problem().contains("names none"), "{}", problem());
        copyright(&format!("{FORMAT}\nLicense: X\n See {COMMON}GPL-2, {COMMON}X.\n"));
        check(&root, "1.2.0-1").unwrap();
        let other = check(&root, "1.3.0-1").unwrap_err().to_string();
        assert!(other.contains("1.3.0-1") && other.contains("1.2.0-1"), "{other}");

        let licences = root.join(COMMON.trim_start_matches('/'));
        fs::create_dir_all(&licences).unwrap();
        fs::write(licences.join("GPL-2"), "").unwrap();
        let missing = refer_to_what_is_there(&root).unwrap_err().to_string();
        assert_eq!(missing, format!("a Debian has no {COMMON}X"));
        fs::write(licences.join("X"), "").unwrap();
        refer_to_what_is_there(&root).unwrap();
        fs::remove_dir_all(root).unwrap();
    }
}
