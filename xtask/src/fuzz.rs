//! `cargo xtask fuzz`: searches for bytes that break a parser, from the seeds in fuzz/corpus on.
//!
//! What is searched, and what has to hold, is `devices::fuzzing` and `server::fuzzing`; the ordinary tests try the same from
//! the same seeds, without a search. It needs a nightly Rust. Nothing here is unsafe, so that no sanitizer is linked in:
//! what is searched for are panics, overflows, what takes for ever, and properties that don't hold.

use crate::{process, say, tools::Tools, workspace::Workspace};
use anyhow::{Context, bail};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const FOLDER: &str = "fuzz";
const TOOLCHAIN: &str = "nightly";
/// The longest input, bytes: more than any seed has. And the longest that one may take, in seconds.
const LONGEST: u32 = 4096;
const PATIENCE: u32 = 10;

/// What is searched: a folder of seeds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    /// The program that knows it, named after the crate.
    program: String,
    name: String,
}

/// Searches each of these targets, or all, with so many inputs.
pub(crate) fn fuzz(workspace: &Workspace, runs: u64, names: &[String]) -> anyhow::Result<()> {
    let seeds = workspace.root().join(FOLDER).join("corpus");
    let known = targets(&seeds)?;
    if let Some(unknown) = names.iter().find(|name| !known.iter().any(|target| target.name == **name)) {
        let known: Vec<_> = known.iter().map(|target| target.name.as_str()).collect();
        bail!("there is no target {unknown}; there are {}", known.join(", "));
    }
    let meant = known.iter().filter(|target| names.is_empty() || names.contains(&target.name));
    let meant: Vec<_> = meant.collect();
    let programs: BTreeSet<_> = meant.iter().map(|target| target.program.as_str()).collect();
    let programs: BTreeMap<_, _> = programs
        .into_iter()
        .map(|program| Ok((program, build(workspace, program)?)))
        .collect::<anyhow::Result<_>>()?;
    let scratch = workspace.scratch()?.join(FOLDER);
    for Target { program, name } in meant {
        say::step(format_args!("trying {runs} inputs on {name}"));
        // What it finds worth keeping goes into the first; from there it goes on the next time.
        let (found, broken) = (scratch.join("corpus").join(name), scratch.join("broken"));
        for folder in [&found, &broken] {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        let seeds = seeds.join(program).join(name);
        let mut search = Command::new(programs.get(program.as_str()).context("a program wasn't built")?);
        search.env("FUZZ_TARGET", name).arg(&found).arg(&seeds);
        search
            .arg(format!("-runs={runs}"))
            .arg(format!("-max_len={LONGEST}"))
            .arg(format!("-timeout={PATIENCE}"));
        search.arg(format!("-artifact_prefix={}/{name}-", broken.display()));
        search.args(["-verbosity=0", "-print_funcs=0", "-print_final_stats=1"]);
        let advice = format!(
            "the input that breaks it is in {}; put it into {} and mend what it breaks",
            broken.display(),
            seeds.display()
        );
        process::run(&mut search, &advice)?;
    }
    Ok(())
}

/// The folders of seeds: for each program those of its targets.
fn targets(seeds: &Path) -> anyhow::Result<Vec<Target>> {
    let mut targets = Vec::new();
    for program in names_in(seeds)? {
        let names = names_in(&seeds.join(&program))?;
        targets.extend(names.into_iter().map(|name| Target { program: program.clone(), name }));
    }
    targets.sort();
    Ok(targets)
}

fn names_in(folder: &Path) -> anyhow::Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    Ok(names.collect::<std::io::Result<_>>()?)
}

fn build(workspace: &Workspace, program: &str) -> anyhow::Result<PathBuf> {
    let nightly = process::output(Command::new("rustup").args(["run", TOOLCHAIN, "rustc", "-vV"]));
    let nightly = nightly.with_context(|| {
        format!("the fuzzer needs a nightly Rust: `rustup toolchain install {TOOLCHAIN}`, and run this again")
    })?;
    let host = nightly.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc tells no host")?;
    let tools = Tools::for_fuzzing(workspace)?;
    let folder = workspace.root().join(FOLDER);
    // What is searched is what is shipped: the same versions of everything.
    fs::copy(workspace.root().join("Cargo.lock"), folder.join("Cargo.lock")).context("copying Cargo.lock")?;
    say::step(format_args!("building what is searched of {program}"));
    let target = workspace.target().join(FOLDER);
    let mut build = tools.command("cargo-fuzz")?;
    build.current_dir(workspace.root()).args(["build", "--sanitizer", "none", "--fuzz-dir"]).arg(&folder);
    if program != DEVICES {
        build.args(["--features", program]);
    }
    build.arg("--target-dir").arg(&target).arg(program);
    build.env("RUSTUP_TOOLCHAIN", TOOLCHAIN).env_remove("CARGO").env_remove("RUSTC");
    process::run(&mut build, "the compiler's messages are above")?;
    Ok(target.join(host).join("release").join(program))
}

/// The program that needs nothing besides: the others are features of the crate.
const DEVICES: &str = "devices";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_of_seeds_is_a_target_of_its_program() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FOLDER);
        let known = targets(&folder.join("corpus")).unwrap();
        let source = |program: &str| {
            fs::read_to_string(folder.join("fuzz_targets").join(format!("{program}.rs"))).unwrap()
        };
        for Target { program, name } in &known {
            assert!(source(program).contains(&format!("\"{name}\" =>")), "{program} doesn't know {name}");
        }
        let arms = ["devices", "server"].map(|program| source(program).matches("=> fuzzing::").count());
        assert_eq!(arms.iter().sum::<usize>(), known.len(), "a target without seeds");
    }
}
