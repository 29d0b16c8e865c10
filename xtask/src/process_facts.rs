//! What Linux tells of a running process: its memory, its open files, the processor time it took (proc(5)).

use crate::process;
use anyhow::{Context, bail};
use std::{fs, process::Command, time::Duration};

/// Resident memory, in MB of 1024 · 1024 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// All of it.
    pub(crate) now: f64,
    /// The part that is data; the rest is what has been touched of the program's file, and can be read again from there.
    pub(crate) data: f64,
    /// The most it ever was.
    pub(crate) highest: f64,
}

impl Memory {
    /// That of a running process.
    pub(crate) fn of(id: u32) -> anyhow::Result<Self> {
        let status = read(id, "status")?;
        let field = |key| megabytes(&status, key);
        Ok(Self { now: field("VmRSS")?, data: field("RssAnon")?, highest: field("VmHWM")? })
    }
}

/// Processor time since it began.
pub(crate) fn processor_time(id: u32) -> anyhow::Result<Duration> {
    let ticks = ticks(&read(id, "stat")?).context("/proc tells no processor time")?;
    let per_second = process::output(Command::new("getconf").arg("CLK_TCK"));
    let per_second: u32 =
        per_second.and_then(|text| text.parse().ok()).context("`getconf CLK_TCK` tells no number")?;
    if per_second == 0 {
        bail!("`getconf CLK_TCK` tells zero");
    }
    Ok(Duration::from_secs(ticks) / per_second)
}

/// How many files and sockets it holds open.
pub(crate) fn open_files(id: u32) -> anyhow::Result<usize> {
    let files = fs::read_dir(format!("/proc/{id}/fd"));
    Ok(files.with_context(|| format!("process {id} is gone, or this isn't Linux"))?.count())
}

/// How many threads it has.
pub(crate) fn threads(id: u32) -> anyhow::Result<f64> {
    let status = read(id, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("Threads:"));
    line.and_then(|line| line.trim().parse().ok()).context("/proc tells no threads")
}

fn read(id: u32, name: &str) -> anyhow::Result<String> {
    fs::read_to_string(format!("/proc/{id}/{name}"))
        .with_context(|| format!("process {id} is gone, or this isn't Linux"))
}

/// The number of a line like `VmRSS: 11264 kB`.
fn megabytes(status: &str, key: &str) -> anyhow::Result<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    Ok(kilobytes.with_context(|| format!("/proc tells no {key}"))? / 1024.0)
}

/// Fields 14 and 15, time in user and kernel mode. The second field is a name in brackets that may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    user.checked_add(kernel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_status() {
        let status = "Name:\twm-controller\nVmHWM:\t   12288 kB\nVmRSS:\t    9216 kB\nThreads:\t3\n";
        assert!((megabytes(status, "VmRSS").unwrap() - 9.0).abs() < 1e-9);
        assert!((megabytes(status, "VmHWM").unwrap() - 12.0).abs() < 1e-9);
        assert!(megabytes(status, "VmSwap").is_err());
    }

    #[test]
    fn processor_time_is_read_from_stat_whatever_the_name() {
        let stat = "4242 (a) b (c) S 1 4242 4242 0 -1 4194304 500 0 0 0 37 5 0 0 20 0 3 0 100 1000 200";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("4242 (a) S 1 2"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn our_own_process_has_both() {
        let memory = Memory::of(std::process::id()).unwrap();
        assert!(memory.data > 0.0 && memory.now > memory.data && memory.highest >= memory.now);
        processor_time(std::process::id()).unwrap();
        let before = open_files(std::process::id()).unwrap();
        let held: Vec<_> = (0..64).map(|_| fs::File::open("/proc/self/status").unwrap()).collect();
        assert!(open_files(std::process::id()).unwrap() > before + held.len() / 2);
        assert!(threads(std::process::id()).unwrap() >= 1.0);
    }
}
