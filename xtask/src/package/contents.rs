//! What is in a package: told by dpkg-deb, unpacked, and started as the service manager starts it.

use super::{Package, documents};
use crate::{debian, folder, http, process, process::Service, program, say, workspace::Workspace};
use anyhow::{Context, bail, ensure};
use std::{
    ffi::OsString,
    fs,
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Where Debian's emulator of other processors finds their libraries: those that the compiler for them brings along.
const FOREIGN_LIBRARIES: [(&str, &str); 2] =
    [("x86_64", "/usr/x86_64-linux-gnu"), ("aarch64", "/usr/aarch64-linux-gnu")];
/// How long the program may take to tell the service manager something. Its control loop ticks every 10 s.
const TELLS_WITHIN: Duration = Duration::from_secs(60);

/// Looks at a package.
pub(super) fn check(workspace: &Workspace, package: &Package) -> anyhow::Result<()> {
    let field = |name: &str| {
        let told = process::output(Command::new("dpkg-deb").arg("--field").arg(&package.file).arg(name));
        told.with_context(|| format!("dpkg-deb finds no {name} in {}", package.file.display()))
    };
    let debian = package.architecture.debian();
    ensure!(field("Architecture")? == debian, "the package is for {}", field("Architecture")?);
    let root = workspace.scratch()?.join("package").join(debian);
    folder::empty(&root)?;
    process::run(Command::new("dpkg-deb").arg("--extract").args([&package.file, &root]), "see above")?;
    documents::check(&root, &field("Version")?)?;
    let mode = root.join("etc/wm-controller/config.yaml").metadata()?.permissions().mode() & 0o777;
    ensure!(mode == 0o600, "others may read the configuration: {mode:o}");
    let program = root.join("usr/bin/wm-controller");
    let bytes = fs::read(&program).with_context(|| format!("reading {}", program.display()))?;
    let machine = elf_machine(&bytes).context("the program is no ELF file")?;
    ensure!(machine == package.architecture.elf_machine(), "the program is for another processor: {machine}");
    let (needed, stated) = (glibc_needed(&bytes), field("Depends")?);
    ensure!(
        stated.contains("libc6 (>= 2.") && needed <= glibc_stated(&stated),
        "the program needs the C library 2.{needed}, and the package says: {stated}"
    );
    say::line(format_args!("  {}, glibc 2.{needed}, {} kB", debian, package.file.metadata()?.len() / 1024));
    start(&root, package, workspace)
}

/// Starts the unpacked program with the unit's own arguments, and waits for what it has to tell.
fn start(root: &Path, package: &Package, workspace: &Workspace) -> anyhow::Result<()> {
    let unit = ["usr/lib", "lib"].map(|lib| root.join(lib).join("systemd/system/wm-controller.service"));
    let unit = unit.iter().find(|unit| unit.exists()).context("there is no unit in the package")?;
    let unit = fs::read_to_string(unit)?;
    let Some(mut command) = emulated(package) else {
        say::skipped("nothing here runs this processor's programs: starting it");
        return Ok(());
    };
    let scratch = workspace.scratch()?.join("package").join(format!("{}-run", package.architecture.debian()));
    folder::empty(&scratch)?;
    let notify = scratch.join("notify");
    let manager = UnixDatagram::bind(&notify).with_context(|| format!("making {}", notify.display()))?;
    manager.set_read_timeout(Some(TELLS_WITHIN))?;
    command.args(exec_start(&unit, root, &scratch)?).args(["--port", "0"]);
    command.env("WMC__APP__HOST", "127.0.0.1").env("NOTIFY_SOCKET", &notify);
    let service = Service::start(&mut command, &scratch.join("log"))?;
    for expected in ["READY=1", "WATCHDOG=1", "WATCHDOG=1"] {
        let mut told = [0; 64];
        let length = manager.recv(&mut told).context("it tells the service manager nothing")?;
        let told = String::from_utf8_lossy(told.get(..length).unwrap_or_default());
        ensure!(told.trim() == expected, "it tells the service manager {told} and not {expected}");
    }
    has_page(&program::address(&service)?)?;
    ensure!(scratch.join("state/wm-controller").is_dir(), "it keeps nothing where the unit says");
    Ok(())
}

/// Whether a running program found its page.
pub(super) fn has_page(address: &str) -> anyhow::Result<()> {
    let html = http::text(address, "/")?;
    let name = "/pkg/wm-controller.";
    ensure!(html.contains(name), "{address} serves a page without {name}");
    Ok(())
}

/// What starts with the package's program as its next argument.
fn emulated(package: &Package) -> Option<Command> {
    let processor = package.architecture.processor();
    if package.architecture.is_here() {
        return Some(Command::new("env"));
    }
    let emulator = format!("qemu-{processor}");
    let is_there = || process::output(Command::new(&emulator).arg("--version")).is_some();
    let is_ready = is_there() || (debian::install("qemu-user") && is_there());
    if !is_ready {
        return None;
    }
    let (_, libraries) = FOREIGN_LIBRARIES.into_iter().find(|(name, _)| *name == processor)?;
    let mut command = Command::new(emulator);
    command.args(["-L", libraries]);
    Some(command)
}

/// The words of the unit's `ExecStart`, with the package unpacked at `root` and the service manager's places below
/// `scratch`.
fn exec_start(unit: &str, root: &Path, scratch: &Path) -> anyhow::Result<Vec<OsString>> {
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart="));
    let credential = unit.lines().find_map(|line| line.strip_prefix("LoadCredential=config.yaml:"));
    let (Some(line), Some(credential)) = (line, credential) else {
        bail!("the unit starts nothing, or hands no configuration over");
    };
    let below_root = |path: &str| root.join(path.trim_start_matches('/'));
    let state = scratch.join("state");
    fs::create_dir_all(&state)?;
    let word = |word: &str| -> PathBuf {
        match word {
            "%d/config.yaml" => below_root(credential),
            word if word.starts_with("/usr/") => below_root(word),
            word => word.replace("%S", &state.to_string_lossy()).into(),
        }
    };
    Ok(line.split(' ').map(|text| word(text).into_os_string()).collect())
}

/// `e_machine` of a little-endian ELF file, elf(5).
fn elf_machine(bytes: &[u8]) -> Option<u16> {
    let is_elf = bytes.starts_with(b"\x7fELF") && bytes.get(5) == Some(&1);
    let machine = bytes.get(18..20).filter(|_| is_elf)?;
    machine.try_into().ok().map(u16::from_le_bytes)
}

/// The newest version of the C library that a program names, as the part behind "2.".
fn glibc_needed(bytes: &[u8]) -> u32 {
    const NAMED: &[u8] = b"GLIBC_2.";
    let named = bytes.windows(NAMED.len()).enumerate().filter(|(_, window)| *window == NAMED);
    let digits = named.map(|(at, _)| {
        let rest = bytes.iter().skip(at + NAMED.len()).take_while(|byte| byte.is_ascii_digit()).take(4);
        rest.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
    });
    digits.max().unwrap_or_default()
}

/// The version of the C library in a package's `Depends`, likewise. 0 if there is none.
fn glibc_stated(depends: &str) -> u32 {
    let rest = depends.split_once("libc6 (>= 2.").map(|(_, rest)| rest);
    rest.and_then(|rest| rest.split([')', '-', '.']).next()?.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_that_is_named_is_what_is_needed() {
        assert_eq!(glibc_needed(b"\0GLIBC_2.17\0GLIBC_2.4\0GLIBC_2.34\0GLIBC_PRIVATE\0"), 34);
        assert_eq!(glibc_needed(b"GLIBC_2."), 0);
        assert_eq!(glibc_stated("ca-certificates, libc6 (>= 2.36), libgcc-s1"), 36);
        assert_eq!(glibc_stated("libc6"), 0);
    }

    #[test]
    fn the_processor_is_read_from_the_header() {
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        let expected = if cfg!(target_arch = "x86_64") { 62 } else { 183 };
        assert_eq!(elf_machine(&own), Some(expected));
        assert_eq!(elf_machine(b"#!/bin/sh"), None);
    }

    #[test]
    fn the_unit_s_words_lead_into_the_unpacked_package() {
        let scratch = std::env::temp_dir().join(format!("xtask-exec-{}", std::process::id()));
        let unit = "[Service]\nLoadCredential=config.yaml:/etc/a.yaml\n\
                    ExecStart=/usr/bin/it --config %d/config.yaml --data %S/it\n";
        let words = exec_start(unit, Path::new("/unpacked"), &scratch).unwrap();
        let data = scratch.join("state/it").into_os_string();
        assert_eq!(
            words[..4],
            ["/unpacked/usr/bin/it", "--config", "/unpacked/etc/a.yaml", "--data"].map(OsString::from)
        );
        assert_eq!(words[4..], [data]);
        assert!(exec_start("[Service]\n", Path::new("/"), &scratch).is_err());
        fs::remove_dir_all(scratch).unwrap();
    }
}
