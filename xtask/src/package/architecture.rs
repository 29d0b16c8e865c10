//! The machines that a package is made for, and what it takes to compile for another one than this.

use crate::{
    debian, process, say,
    tools::target,
    workspace::{Cross, Workspace},
};
use anyhow::bail;
use clap::ValueEnum;
use std::{env::consts::ARCH, process::Command};

/// An architecture, by Debian's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Architecture {
    /// PCs.
    Amd64,
    /// A Raspberry Pi with a 64-bit system, and its kin.
    Arm64,
}

impl Architecture {
    /// Debian's name.
    pub(super) const fn debian(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// What the standard library and QEMU call the processor.
    pub(super) const fn processor(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }

    /// The number of the processor in the header of an ELF file (elf(5), `e_machine`).
    pub(super) const fn elf_machine(self) -> u16 {
        match self {
            Self::Amd64 => 62,
            Self::Arm64 => 183,
        }
    }

    /// Whether it is this machine's.
    pub(super) fn is_here(self) -> bool {
        self.processor() == ARCH
    }

    /// Sets up what compiling for it needs; nothing of the kind on such a machine itself.
    pub(super) fn cross(self, workspace: &Workspace) -> anyhow::Result<Option<Cross>> {
        if self.is_here() {
            return Ok(None);
        }
        let (triple, gnu) = match self {
            Self::Amd64 => ("x86_64-unknown-linux-gnu", "x86-64-linux-gnu"),
            Self::Arm64 => ("aarch64-unknown-linux-gnu", "aarch64-linux-gnu"),
        };
        target::ensure(workspace, triple)?;
        let compiler = format!("{}-linux-gnu-gcc", self.processor());
        let is_there = || process::output(Command::new(&compiler).arg("-dumpversion")).is_some();
        let packages = [format!("gcc-{gnu}"), format!("libc6-dev-{}-cross", self.debian())];
        if !is_there() {
            say::step(format_args!("there is no {compiler}, which compiles C for {}", self.debian()));
            if !(packages.iter().all(|package| debian::install(package)) && is_there()) {
                bail!(
                    "a package for {} needs a C compiler for it. Install it (Debian: sudo apt-get install {}) and run \
                     this again, or name only the architectures that you want",
                    self.debian(),
                    packages.join(" ")
                );
            }
        }
        Ok(Some(Cross { target: triple, compiler }))
    }
}
