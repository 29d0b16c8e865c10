//! The page as the program serves it: a directory with hash.txt and site/.

use crate::{
    folder, process, say,
    stamp::Stamp,
    tools::{self, Tools},
    workspace::Workspace,
};
use anyhow::{Context, bail};
use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

/// The hashes in the names of the page's files.
pub(crate) const HASHES: &str = "hash.txt";
/// The page's files.
pub(crate) const FILES: &str = "site";

/// What the page's own files are called, and where among the others they are. As in Cargo.toml and `server::page`.
const NAME: &str = "wm-controller";
const PKG: &str = "pkg";

/// The font, among the page's files.
const FONT: &str = "vendor/inter-4.1-latin.woff2";

/// The crate that runs in the browser.
const PACKAGE: &str = "frontend";
/// What goes into the page besides its crates.
const INPUTS: [&str; 8] = [
    "public",
    "style",
    ".cargo",
    "Cargo.lock",
    "Cargo.toml",
    "end2end/echarts",
    "end2end/package-lock.json",
    "rust-toolchain.toml",
];

/// Builds the page if it isn't there as its sources are now. The directory with all of it.
pub(crate) fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let scratch = workspace.scratch()?;
    let page = scratch.join("page");
    let _alone = workspace.lock("page")?;
    let stamp = Stamp::new(scratch.join("page.stamp"), &(inputs(workspace)?, tools::CARGO_LEPTOS));
    if stamp.holds() && page.join(HASHES).exists() {
        say::skipped("the page is built");
        return Ok(page);
    }
    let tools = Tools::for_building(workspace)?;
    say::step("building the page");
    // Beside the last one, which a program may be serving.
    let fresh = scratch.join("page.new");
    folder::empty(&fresh)?;
    let mut build = tools.command("cargo-leptos")?;
    build.current_dir(workspace.root()).args(["build", "--frontend-only", "--release", "--precompress"]);
    build.arg("--cargo-locked");
    build.env("LEPTOS_SITE_ROOT", fresh.join(FILES)).env("LEPTOS_HASH_FILE_NAME", fresh.join(HASHES));
    build.env("CARGO_ENCODED_RUSTFLAGS", without_this_machine(workspace));
    // Where in cargo-leptos it noticed that the compiler failed helps nobody.
    build.env("RUST_BACKTRACE", "0");
    process::run(&mut build, "the messages above say what to change")?;
    // The code that draws the charts is no Rust: cargo-leptos knows nothing of it.
    let mut charts = tools.node(workspace, CHARTS_BUILD)?;
    charts.arg(fresh.join(FILES).join(PKG)).arg(fresh.join(HASHES));
    process::run(&mut charts, "the messages above say what to change")?;
    complete(&fresh)?;
    folder::replace(&page, &fresh)?;
    stamp.set()?;
    Ok(page)
}

/// The compiler's arguments that leave out of the module where it was built: nobody's business, and it takes room.
fn without_this_machine(workspace: &Workspace) -> String {
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let prefixes = [(Some(workspace.root()), ""), (cargo, "/cargo")];
    let remap = |(prefix, short): (Option<PathBuf>, &str)| {
        Some(format!("--remap-path-prefix={}={short}", prefix?.display()))
    };
    // Separated as cargo wants it, so that a directory may have a space in its name.
    prefixes.into_iter().filter_map(remap).collect::<Vec<_>>().join("\x1f")
}

/// Everything that goes into the page: files with their contents.
fn inputs(workspace: &Workspace) -> anyhow::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let root = workspace.root();
    let mut inputs = BTreeMap::new();
    let named = INPUTS.iter().map(|name| root.join(name));
    for path in workspace.sources(PACKAGE).into_iter().chain(named) {
        read(&path, &mut inputs).with_context(|| format!("reading {}", path.display()))?;
    }
    Ok(inputs)
}

/// Reads a file, or everything in a directory. What isn't there is empty.
fn read(path: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) -> io::Result<()> {
    if path.is_dir() {
        return fs::read_dir(path)?.try_for_each(|entry| read(&entry?.path(), into));
    }
    match fs::read(path) {
        Ok(contents) => drop(into.insert(path.to_owned(), contents)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// What makes the code that draws the charts.
const CHARTS_BUILD: &str = "end2end/echarts/build.mjs";
/// What that code is called.
const CHARTS: &str = "echarts";
/// What the document names and every visit needs: the script, the module and the style.
const KINDS: [&str; 3] = ["js", "wasm", "css"];

/// A file that the document names: by its kind, or the charts' code.
fn named(page: &Path, kind: &str) -> anyhow::Result<String> {
    let hashes =
        fs::read_to_string(page.join(HASHES)).with_context(|| format!("reading the page's {HASHES}"))?;
    let hash = hashes.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(": "));
    let hash = hash.with_context(|| format!("the page's {HASHES} names no {kind} file"))?;
    Ok(if kind == CHARTS { format!("{kind}.{hash}.js") } else { format!("{NAME}.{hash}.{kind}") })
}

/// Whether the files are there that the program will name in what it serves.
fn complete(page: &Path) -> anyhow::Result<()> {
    for kind in KINDS.into_iter().chain([CHARTS]) {
        let name = named(page, kind)?;
        for compressed in ["", ".br", ".gz"] {
            if !page.join(FILES).join(PKG).join(format!("{name}{compressed}")).exists() {
                bail!("the page was built and has no {name}{compressed}: `cargo clean` and try again");
            }
        }
    }
    Ok(())
}

/// What a browser loads besides the document, with its bytes under brotli. The font is compressed by itself.
pub(crate) fn compressed(page: &Path) -> anyhow::Result<Vec<(&'static str, u64)>> {
    let mut files = vec![("early js", "early.js.br".to_owned()), ("font", FONT.to_owned())];
    for kind in KINDS {
        files.push((kind, format!("{PKG}/{}.br", named(page, kind)?)));
    }
    files.into_iter().map(|(kind, file)| Ok((kind, size(page, &file)?))).collect()
}

/// What it loads once its charts are near, in bytes under brotli.
pub(crate) fn charts_compressed(page: &Path) -> anyhow::Result<u64> {
    size(page, &format!("{PKG}/{}.br", named(page, CHARTS)?))
}

fn size(page: &Path, file: &str) -> anyhow::Result<u64> {
    let file = page.join(FILES).join(file);
    Ok(fs::metadata(&file).with_context(|| format!("looking at {}", file.display()))?.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, process};

    fn folder(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("xtask-{name}-{}", process::id()));
        folder::empty(&folder).unwrap();
        folder
    }

    #[test]
    fn the_build_calls_the_page_as_the_program_does() {
        let workspace = Workspace::find().unwrap();
        let built = &workspace.metadata().workspace_metadata["leptos"][0];
        assert_eq!((&built["output-name"], &built["site-pkg-dir"]), (&NAME.into(), &PKG.into()));
        assert_eq!(built["hash-files"], true);
        let served = fs::read_to_string(workspace.root().join("server/src/page/assets.rs")).unwrap();
        for (name, value) in [("FILES", FILES), ("PACKAGE", PKG), ("NAME", NAME), ("HASHES", HASHES)] {
            let line = format!("const {name}: &str = \"{value}\";");
            assert!(served.contains(&line), "{line}");
        }
    }

    #[test]
    fn everything_that_the_page_is_made_of_is_an_input() {
        let workspace = Workspace::find().unwrap();
        let inputs = inputs(&workspace).unwrap();
        let root = workspace.root();
        for path in [
            "app/src/lib.rs",
            "frontend/src/lib.rs",
            "crates/model/src/lib.rs",
            "style/main.css",
            "Cargo.toml",
            "Cargo.lock",
            "end2end/package-lock.json",
        ] {
            assert!(inputs.contains_key(&root.join(path)), "{path}");
        }
        for path in ["server/src/main.rs", "crates/devices/src/lib.rs", "end2end/package.json"] {
            assert!(!inputs.contains_key(&root.join(path)), "{path}");
        }
    }

    #[test]
    fn a_change_a_new_file_and_a_new_name_are_noticed() {
        let folder = folder("inputs");
        let inputs = || {
            let mut inputs = BTreeMap::new();
            read(&folder, &mut inputs).unwrap();
            inputs
        };
        fs::create_dir(folder.join("deep")).unwrap();
        fs::write(folder.join("deep/a.css"), "a").unwrap();
        let mut known = vec![inputs()];
        fs::write(folder.join("deep/a.css"), "b").unwrap();
        known.push(inputs());
        fs::write(folder.join("deep/b.css"), "").unwrap();
        known.push(inputs());
        fs::rename(folder.join("deep/b.css"), folder.join("b.css")).unwrap();
        known.push(inputs());
        for (i, one) in known.iter().enumerate() {
            assert!(known.iter().skip(i + 1).all(|other| other != one), "{one:?}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_page_without_one_of_its_files_is_refused() {
        let page = folder("page");
        let pkg = page.join(FILES).join(PKG);
        fs::create_dir_all(&pkg).unwrap();
        fs::write(page.join(HASHES), "js: J\nwasm: W\ncss: C\necharts: E\n").unwrap();
        for name in ["wm-controller.J.js", "wm-controller.W.wasm", "wm-controller.C.css", "echarts.E.js"] {
            for compressed in ["", ".br", ".gz"] {
                fs::write(pkg.join(format!("{name}{compressed}")), "").unwrap();
            }
        }
        complete(&page).unwrap();
        fs::remove_file(pkg.join("wm-controller.W.wasm.br")).unwrap();
        assert!(complete(&page).unwrap_err().to_string().contains("has no wm-controller.W.wasm.br"));
        fs::write(page.join(HASHES), "js: J\nwasm: W\n").unwrap();
        fs::write(pkg.join("wm-controller.W.wasm.br"), "").unwrap();
        assert!(complete(&page).unwrap_err().to_string().contains("names no css file"));
        fs::remove_dir_all(page).unwrap();
    }
}
