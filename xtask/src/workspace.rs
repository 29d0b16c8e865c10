//! Where everything is, and building the workspace's programs.

use crate::say;
use anyhow::{Context, bail};
use cargo_metadata::{DependencyKind, Message, Metadata, MetadataCommand};
use std::{
    env,
    fs::{self, File, TryLockError},
    io::BufReader,
    path::PathBuf,
    process::{Command, Stdio},
};

/// To cargo: every member but the one that only runs in the browser. What the page's crate is built with for the browser
/// and what for the server exclude each other, and cargo would build it with both.
pub(crate) const ON_THIS_MACHINE: [&str; 3] = ["--workspace", "--exclude", "frontend"];

/// This workspace.
pub(crate) struct Workspace {
    metadata: Metadata,
}

/// How a program is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build.
    Debug,
    /// The same together with all tests, and so with what they need of its dependencies: where the tests are built, this is
    /// too. By itself it would be built anew, dependencies and all.
    Tested,
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

/// What compiling for another machine than this needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cross {
    /// What Rust calls that machine.
    pub(crate) target: &'static str,
    /// The C compiler for it, which also links.
    pub(crate) compiler: String,
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

    /// The directory of everything that is built.
    pub(crate) fn target(&self) -> PathBuf {
        self.metadata.target_directory.clone().into_std_path_buf()
    }

    /// The directories of a member and of the members that are linked into it.
    pub(crate) fn sources(&self, package: &str) -> Vec<PathBuf> {
        let mut names = vec![package];
        let mut sources = Vec::new();
        let mut next = 0;
        while let Some(&name) = names.get(next) {
            next += 1;
            let Some(member) = self.metadata.packages.iter().find(|member| member.name == name) else {
                continue;
            };
            sources.extend(member.manifest_path.parent().map(|folder| folder.as_std_path().to_owned()));
            let linked = member.dependencies.iter().filter(|dependency| {
                dependency.path.is_some() && dependency.kind != DependencyKind::Development
            });
            for dependency in linked {
                if !names.contains(&dependency.name.as_str()) {
                    names.push(&dependency.name);
                }
            }
        }
        sources
    }

    /// A directory under target/ for what these commands keep.
    pub(crate) fn scratch(&self) -> anyhow::Result<PathBuf> {
        let directory = self.target().join("xtask");
        fs::create_dir_all(&directory).with_context(|| format!("making {}", directory.display()))?;
        Ok(directory)
    }

    /// Keeps others of these commands from making what is called `name`, as long as it is held. Waits for them first.
    pub(crate) fn lock(&self, name: &str) -> anyhow::Result<File> {
        let path = self.scratch()?.join(format!("{name}.lock"));
        let file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            say::step("waiting for another cargo xtask, which is at it already");
            file.lock().with_context(|| format!("locking {}", path.display()))?;
        }
        Ok(file)
    }

    /// `cargo` with these arguments, in the workspace's directory.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(self.root()).args(arguments);
        command
    }

    /// Builds a program and tells where it is.
    pub(crate) fn build(&self, package: &str, program: Program, profile: Profile) -> anyhow::Result<PathBuf> {
        self.build_for(None, package, program, profile)
    }

    /// Builds a program for another machine, or for this one.
    pub(crate) fn build_for(
        &self,
        cross: Option<&Cross>,
        package: &str,
        program: Program,
        profile: Profile,
    ) -> anyhow::Result<PathBuf> {
        let (option, name) = match program {
            Program::Bin(name) => ("--bin", name),
            Program::Example(name) => ("--example", name),
        };
        let mut command = self.cargo(&["build", "--locked"]);
        match profile {
            Profile::Debug => command.args(["--package", package, option, name]),
            Profile::Tested => command.args(ON_THIS_MACHINE).args(["--bins", "--tests"]),
            Profile::Release => command.args(["--package", package, option, name, "--release"]),
        };
        if let Some(Cross { target, compiler }) = cross {
            let name = target.replace('-', "_");
            command.args(["--target", target]).env(format!("CC_{name}"), compiler);
            command.env(format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()), compiler);
        }
        command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
        let mut child = command.spawn().context("cargo can't be started")?;
        let mut executable = None;
        if let Some(stdout) = child.stdout.take() {
            for message in Message::parse_stream(BufReader::new(stdout)) {
                let message = message.context("reading what cargo says of the build")?;
                if let Message::CompilerArtifact(artifact) = message
                    && artifact.target.name == name
                    && !artifact.profile.test
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
