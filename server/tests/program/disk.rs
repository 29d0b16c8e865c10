//! Disks that are full, read-only or broken: control goes on, the household is told, and what was kept isn't lost.

use crate::{
    child::{BUILT, Program},
    house::{House, Joined},
};
use serde_json::Value;
use simulator::miner::Phase;
use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
    process::Command,
};

/// Whether this alert holds now.
async fn is_told(joined: &Joined<'_>, code: &str) -> bool {
    let told = joined.get("/api/system/status").await;
    told["alerts"].as_array().unwrap().iter().any(|alert| alert["code"] == code && alert["active"] == true)
}

/// The battery falls to the threshold: the miner goes off, whatever the disk does.
async fn goes_off(joined: &Joined<'_>) {
    joined.say(30.0).await;
    joined
        // An upload of the same second is the same reading: the next one tells then.
        .pass_until(600, "the miner is off", async || joined.house.miner().state().phase == Phase::Off)
        .await;
    let system = joined.get("/api/system/status").await;
    let broken = system["invariant_violations"].as_object().unwrap();
    assert!(broken.values().all(|count| *count == 0), "{system}");
}

/// No file may grow beyond so many KiB: to the database that is a full disk, and nobody has to be root for it.
fn start_with_limit(house: &House, kib: u64) -> Program {
    let limited = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"");
    let mut arguments: Vec<OsString> = vec!["-c".into(), limited.into(), BUILT.into()];
    arguments.extend(house.joining().map(OsString::from));
    Program::start_from(Path::new("/bin/bash"), house.dir.path(), &arguments, &[])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_control_goes_on_and_what_was_kept_is_kept() {
    let house = House::open().await;
    let joined = house.program().await;
    joined.say(60.0).await;
    joined.say(60.0).await;
    joined
        .until("a ceiling", async || joined.get("/api/miner/status").await["latches"]["ceiling"] == 60)
        .await;
    joined.program.stop().await;
    let file = house.dir.path().join("data/demo/wm-controller.db");
    let kib = fs::metadata(&file).unwrap().len() / 1024 + 8;

    let mut program = start_with_limit(&house, kib);
    let address = program.address().await;
    let joined = Joined { house: &house, program, address };
    joined.pass_until(7200, "no write is taken any more", async || is_told(&joined, "database").await).await;
    goes_off(&joined).await;
    joined.program.stop().await;

    let joined = house.program().await;
    assert_eq!(joined.get("/api/system/status").await["database_ok"], true);
    let status = joined.get("/api/miner/status").await;
    assert_ne!(status["latches"]["ceiling"], Value::Null, "{status}");
    joined.program.stop().await;
}

/// The program with its data on a disk of its own, in memory, that has less room than is left to everything else: `None` where
/// the system lets nobody mount one.
fn start_on_a_small_disk(house: &House) -> Option<Program> {
    let mount = "mount -t tmpfs -o size=48m none small";
    let apart = ["--map-root-user", "--mount", "sh", "-c"];
    fs::create_dir(house.dir.path().join("small")).unwrap();
    let probed =
        Command::new("unshare").args(apart).arg(mount).current_dir(house.dir.path()).output().unwrap();
    if !probed.status.success() {
        return None;
    }
    let mut arguments = house.joining();
    "small".clone_into(&mut arguments[5]);
    let script = format!("{mount} && cp -r data/. small && exec \"$0\" \"$@\"");
    let apart = apart.map(OsString::from).into_iter().chain([script.into(), BUILT.into()]);
    let arguments: Vec<OsString> =
        ["unshare".into()].into_iter().chain(apart).chain(arguments.map(OsString::from)).collect();
    Some(Program::start_from(Path::new("/usr/bin/env"), house.dir.path(), &arguments, &[]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_disk_that_is_almost_full_the_oldest_readings_go_and_it_is_told() {
    let house = House::open().await;
    let joined = house.program().await;
    for pause in [10, 4 * 86_400] {
        joined.pass(pause).await;
        for _ in 0..12 {
            joined.pass(10).await;
        }
    }
    let now = house.clock.now();
    joined.program.stop().await;

    let Some(mut program) = start_on_a_small_disk(&house) else { return };
    let address = program.address().await;
    let joined = Joined { house: &house, program, address };
    let kept = async || joined.get("/api/backups").await["history"].clone();
    let from = |tier: &Value| now.millis_since(tier["from"].as_str().unwrap().parse().unwrap());
    let hour = 3_600_000;
    joined.until("the oldest are gone", async || from(&kept().await[0]) < hour).await;
    assert!(from(&kept().await[1]) > 4 * 24 * hour, "their minutes stay");
    joined.pass(10).await;
    joined.until("the alert", async || is_told(&joined, "disk_low").await).await;
    let told = joined.get("/api/system/status").await["alerts"].to_string();
    assert!(told.contains("MB are left on the disk that holds the data"), "{told}");
    assert!(told.contains("readings from before") && told.contains("were removed earlier"), "{told}");
    goes_off(&joined).await;
    assert_eq!(joined.get("/api/system/status").await["database_ok"], true);
    joined.program.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_can_be_written_control_goes_on_and_says_so() {
    let house = House::open().await;
    let mut arguments = house.joining();
    // Not even root can write here.
    arguments[5] = "/proc/self/data".to_owned();
    let mut program = Program::start(house.dir.path(), &arguments, &[]);
    let address = program.address().await;
    let joined = Joined { house: &house, program, address };
    joined
        .pass_until(120, "first readings", async || {
            joined.get("/api/miner/status").await["connection"]["connected"] == true
        })
        .await;
    assert!(is_told(&joined, "database").await);
    assert_eq!(joined.post("/api/backups/make", None).await.0, 503);
    goes_off(&joined).await;
    let ended = joined.program.stop().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
}

/// Pages of the database are overwritten while it runs: control goes on; the next start sets it aside and begins anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_breaks_while_it_runs_is_set_aside_at_the_next_start() {
    let house = House::open().await;
    // Stopped in order, all of it is in the one file.
    house.program().await.program.stop().await;
    let joined = house.program().await;
    let directory = house.dir.path().join("data/demo");
    let file = OpenOptions::new().write(true).open(directory.join("wm-controller.db")).unwrap();
    let length = file.metadata().unwrap().len();
    for page in 1..length / 1024 {
        file.write_all_at(&[0xa5; 1024], page * 1024).unwrap();
    }
    goes_off(&joined).await;
    // Killed: what it had in memory doesn't mend the file.
    joined.program.kill().await;
    for log in ["wm-controller.db-wal", "wm-controller.db-shm"] {
        let _ = fs::remove_file(directory.join(log));
    }

    let mut program = Program::start(house.dir.path(), &house.joining(), &[]);
    program.says("The database was damaged").await;
    let address = program.address().await;
    let joined = Joined { house: &house, program, address };
    joined.pass(30).await;
    assert_eq!(joined.get("/api/system/status").await["database_ok"], true);
    let aside = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(aside.into_iter().any(|name| name.to_str().unwrap().contains(".broken-")), "it is kept");
    assert_eq!(house.miner().state().phase, Phase::Off, "a first start starts no miner by itself");
    joined.program.stop().await;
}
