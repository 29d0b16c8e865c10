//! The program as a child process.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};
use tokio::sync::mpsc;

/// How long anything may take before the test fails: much longer than it takes on the slowest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Where cargo built it.
pub(crate) const BUILT: &str = env!("CARGO_BIN_EXE_wm-controller");

/// Variables that would change what the program does.
const OURS: [&str; 7] = ["LEPTOS_", "WM_", "WMC__", "EG4_", "RUST_LOG", "NOTIFY_SOCKET", "WATCHDOG_"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

/// The running program. Dropping it kills it.
pub(crate) struct Program {
    child: Child,
    lines: mpsc::UnboundedReceiver<(Stream, String)>,
    out: String,
    err: String,
}

/// The program after its end.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// Starts it in `dir` with these arguments.
    pub(crate) fn start(dir: &Path, arguments: &[impl AsRef<OsStr>], variables: &[(&str, &str)]) -> Self {
        Self::start_from(Path::new(BUILT), dir, arguments, variables)
    }

    /// Starts the program that is at `path`.
    pub(crate) fn start_from(
        path: &Path,
        dir: &Path,
        arguments: &[impl AsRef<OsStr>],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = Command::new(path);
        for (name, _) in std::env::vars_os() {
            if OURS.iter().any(|ours| name.to_string_lossy().starts_with(ours)) {
                command.env_remove(name);
            }
        }
        command.args(arguments).envs(variables.iter().copied()).current_dir(dir);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::unbounded_channel();
        pass_on(Stream::Out, child.stdout.take().unwrap(), sender.clone());
        pass_on(Stream::Err, child.stderr.take().unwrap(), sender);
        Self { child, lines, out: String::new(), err: String::new() }
    }

    /// Waits until it says where it answers.
    pub(crate) async fn address(&mut self) -> SocketAddr {
        const SAYS: &str = "wm-controller answers at http://";
        loop {
            let line = self.line().await;
            let (_, line) = line.unwrap_or_else(|| unreachable!("it ended:\n{}\n{}", self.out, self.err));
            if let Some(address) = line.strip_prefix(SAYS) {
                return address.split('/').next().unwrap().parse().unwrap();
            }
        }
    }

    /// Waits until it says something with these words in it: the rest of that line.
    pub(crate) async fn says(&mut self, words: &str) -> String {
        loop {
            let line = self.line().await;
            let (_, line) = line.unwrap_or_else(|| unreachable!("it ended:\n{}\n{}", self.out, self.err));
            if let Some((_, rest)) = line.split_once(words) {
                return rest.to_owned();
            }
        }
    }

    /// Its process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal ("-TERM").
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(mut self) -> Ended {
        while self.line().await.is_some() {}
        let status = self.child.wait().unwrap();
        Ended { status, out: std::mem::take(&mut self.out), err: std::mem::take(&mut self.err) }
    }

    /// Ends it in order.
    pub(crate) async fn stop(self) -> Ended {
        self.signal("-TERM");
        self.ended().await
    }

    /// Kills it without a warning, and waits until it is gone.
    pub(crate) async fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        self.ended().await
    }

    /// The next line it says; `None` once both streams have ended.
    async fn line(&mut self) -> Option<(Stream, String)> {
        let next = tokio::time::timeout(PATIENCE, self.lines.recv()).await;
        let next = next.unwrap_or_else(|_| unreachable!("nothing more came:\n{}\n{}", self.out, self.err));
        if let Some((stream, line)) = &next {
            let said = if *stream == Stream::Out { &mut self.out } else { &mut self.err };
            said.push_str(line);
            said.push('\n');
        }
        next
    }
}

/// Runs it to its end.
pub(crate) async fn run(dir: &Path, arguments: &[impl AsRef<OsStr>]) -> Ended {
    Program::start(dir, arguments, &[]).ended().await
}

fn pass_on(stream: Stream, from: impl Read + Send + 'static, to: mpsc::UnboundedSender<(Stream, String)>) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let Ok(line) = line else { return };
            // Whoever listened may have gone; the child must not stand still for it.
            let _ = to.send((stream, line));
        }
    });
}
