//! Running other programs: to their end, or in the background as long as they are needed.

use anyhow::{Context, bail};
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// How long a program in the background may take until it announces itself.
const ANNOUNCEMENT: Duration = Duration::from_secs(30);

/// Runs `command` to its end, its output going where ours goes. `advice` is what to do if it fails.
pub(crate) fn run(command: &mut Command, advice: &str) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("`{}` can't be started", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status}): {advice}", shown(command));
    }
    Ok(())
}

/// What `command` prints on its standard output; `None` if it can't be started or fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A command as a person would type it, without the directories of the program.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// A program in the background. Dropping it ends it.
pub(crate) struct Service {
    child: Child,
    announcement: String,
}

impl Service {
    /// Starts a program that prints one line on its standard output when it is ready, and waits for that line. What it
    /// says on its standard error goes into the file `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let name = shown(command);
        let errors = File::create(log).with_context(|| format!("making {}", log.display()))?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).spawn();
        let mut child = child.with_context(|| format!("`{name}` can't be started"))?;
        let stdout = child.stdout.take();
        let mut service = Self { child, announcement: String::new() };
        let (tell, told) = mpsc::channel();
        // The thread ends with the program, whose output it holds.
        thread::spawn(move || {
            let mut lines = stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines());
            let _ = tell.send(lines.next());
            lines.for_each(drop);
        });
        match told.recv_timeout(ANNOUNCEMENT) {
            Ok(Some(Ok(line))) => service.announcement = line,
            _ => bail!("`{name}` didn't say that it is ready: {} says why", log.display()),
        }
        Ok(service)
    }

    /// The line it printed when it was ready.
    pub(crate) fn announcement(&self) -> &str {
        &self.announcement
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, fs, path::PathBuf, process};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn log(name: &str) -> PathBuf {
        env::temp_dir().join(format!("xtask-{name}-{}", process::id()))
    }

    #[test]
    fn a_failure_names_the_command_and_the_advice() {
        let error = run(&mut shell("exit 3"), "try again").unwrap_err().to_string();
        assert_eq!(error, "`sh -c exit 3` failed (exit status: 3): try again");
        assert!(run(&mut Command::new("/nowhere/tool"), "").unwrap_err().to_string().contains("`tool`"));
    }

    #[test]
    fn output_is_there_only_if_the_command_succeeds() {
        assert_eq!(output(&mut shell("echo 1.2.3")), Some("1.2.3".to_owned()));
        assert_eq!(output(&mut shell("echo 1.2.3; exit 1")), None);
        assert_eq!(output(&mut Command::new("/nowhere/tool")), None);
    }

    #[test]
    fn a_service_announces_itself_and_ends_when_it_is_dropped() {
        let log = log("service");
        let service = Service::start(&mut shell("echo ready; exec sleep 60"), &log).unwrap();
        assert_eq!(service.announcement(), "ready");
        let process = PathBuf::from(format!("/proc/{}", service.id()));
        assert!(process.exists());
        drop(service);
        assert!(!process.exists());
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_service_that_ends_before_it_is_ready_has_a_log() {
        let log = log("dead");
        let error = Service::start(&mut shell("echo no such house >&2"), &log).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(&log.display().to_string()), "{error}");
        assert_eq!(fs::read_to_string(&log).unwrap(), "no such house\n");
        fs::remove_file(log).unwrap();
    }
}
