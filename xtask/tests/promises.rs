//! The documents name the test that holds each promise: every one of them must exist.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{
    fs,
    path::{Path, PathBuf},
};

#[test]
fn every_test_that_a_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut sources = Vec::new();
    let crates = fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let others = ["app", "server", "xtask"].map(|name| root.join(name));
    for package in crates.chain(others) {
        // What tests leave beside these for a moment is no source.
        let folders = ["src", "tests", "examples"].map(|name| package.join(name));
        folders.iter().filter(|folder| folder.exists()).for_each(|folder| collect(folder, &mut sources));
    }
    let code: String = sources.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut named = 0;
    for document in ["README.md", "ARCHITECTURE.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let names = text.split('`').skip(1).step_by(2).filter(|name| is_test_name(name));
        // A setting is a field, and no test.
        for name in names.filter(|name| !code.contains(&format!("{name}: bool"))) {
            named += 1;
            assert!(
                code.contains(&format!("fn {name}(")),
                "{document} names {name}, and there is no such test"
            );
        }
    }
    assert!(named > 40, "only {named} names found: the documents are read wrongly");
}

/// Tests are sentences; nothing else in the documents has so many words in one.
fn is_test_name(name: &str) -> bool {
    name.matches('_').count() >= 3
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}
