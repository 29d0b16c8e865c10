//! Where everything is, and building the workspace's programs.

use anyhow::{Context, bail};
use cargo_metadata::{Message, Metadata, MetadataCommand};
use std::{
    env, fs,
    io::BufReader,
    path::PathBuf,
    process::{Command, Stdio},
};

/// This workspace.
pub(crate) struct Workspace {
    metadata: Metadata,
}

/// How a program is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build.
    Debug,
    /// As it is shipped.
    Release,
}

/// Something of a package that can be run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Program {
    /// One of its binaries.
    Bin(&'static str),
    /// One of its examples.
    Example(&'static str),
}

impl Workspace {
    /// Asks cargo about the workspace that this program was built in.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().context(
            "cargo doesn't understand the workspace: `cargo metadata --no-deps` says more about what is wrong",
        )?;
        Ok(Self { metadata })
    }

    /// What cargo says about the members.
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The directory of the workspace.
    pub(crate) fn root(&self) -> PathBuf {
        self.metadata.workspace_root.clone().into_std_path_buf()
    }

    /// A directory under target/ for what these commands keep.
    pub(crate) fn scratch(&self) -> anyhow::Result<PathBuf> {
        let directory = self.metadata.target_directory.join("xtask").into_std_path_buf();
        fs::create_dir_all(&directory).with_context(|| format!("making {}", directory.display()))?;
        Ok(directory)
    }

    /// `cargo` with these arguments, in the workspace's directory.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(self.root()).args(arguments);
        command
    }

    /// Builds a program and tells where it is.
    pub(crate) fn build(&self, package: &str, program: Program, profile: Profile) -> anyhow::Result<PathBuf> {
        let (option, name) = match program {
            Program::Bin(name) => ("--bin", name),
            Program::Example(name) => ("--example", name),
        };
        let mut command = self.cargo(&["build", "--locked", "--package", package, option, name]);
        if profile == Profile::Release {
            command.arg("--release");
        }
        command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
        let mut child = command.spawn().context("cargo can't be started")?;
        let mut executable = None;
        if let Some(stdout) = child.stdout.take() {
            for message in Message::parse_stream(BufReader::new(stdout)) {
                let message = message.context("reading what cargo says of the build")?;
                if let Message::CompilerArtifact(artifact) = message
                    && artifact.target.name == name
                {
                    executable = artifact.executable.or(executable);
                }
            }
        }
        if !child.wait()?.success() {
            bail!("{name} doesn't build: the compiler's messages are above");
        }
        let executable = executable.with_context(|| format!("cargo built no program named {name}"))?;
        Ok(executable.into_std_path_buf())
    }
}
