//! Faults of the disk and of what is on it, tried on the built program.

use crate::{
    child::{PATIENCE, Program, run},
    home::spoken,
    house::{House, Joined},
    process::{told, until_off},
    scenario::{Scenario, Seen},
    schema::{DATA, DATABASE, migrations, newest, open, version, with_schema},
};
use serde_json::Value;
use simulator::miner::Phase;
use sqlx::Connection;
use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{Seek, SeekFrom, Write},
    net::SocketAddr,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

/// Nobody, to a system that has this account and to one that hasn't.
const NOBODY: u32 = 65_534;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "power_loss",
            &["power loss in mid-write"],
            "what is left of the log is taken; the program goes on",
            power_loss,
        ),
        Scenario::new(
            "disk_full",
            &["disk full, quota", "disk full or read-only"],
            "an alert; control goes on and switches off at 30",
            disk_full,
        ),
        Scenario::new(
            "read_only",
            &["read-only directory", "disk full or read-only"],
            "it starts without a memory, says so, and control goes on",
            read_only,
        ),
        Scenario::new(
            "damaged_page",
            &["damaged database page"],
            "the file is set aside, a new one is begun, and the log says so",
            damaged_page,
        ),
        Scenario::new(
            "newer",
            &["database of a newer version"],
            "it doesn't start, says why, and changes nothing",
            newer,
        ),
        Scenario::new(
            "cut_migration",
            &["migration cut half-way"],
            "the half is undone, the whole is done, nothing is lost",
            cut_migration,
        ),
        Scenario::new(
            "schemas",
            &["upgrade from every schema"],
            "every schema there ever was is brought up to date",
            schemas,
        ),
    ]
}

/// A copy of the files while the program writes, without the second half of the log: what a power cut may leave.
async fn power_loss() -> Seen {
    let house = House::open().await;
    let joined = house.program().await;
    joined.say(60.0).await;
    joined.say(60.0).await;
    house.command().await;
    let (data, saved) = (house.dir.path().join(DATA), house.dir.path().join("saved"));
    fs::create_dir(&saved).unwrap();
    for file in [DATABASE.to_owned(), format!("{DATABASE}-wal")] {
        fs::copy(data.join(&file), saved.join(&file)).unwrap();
    }
    joined.program.kill().await;
    let log = saved.join(format!("{DATABASE}-wal"));
    let length = fs::metadata(&log).unwrap().len();
    OpenOptions::new().write(true).open(&log).unwrap().set_len(length / 2 + 7).unwrap();
    fs::remove_dir_all(&data).unwrap();
    fs::rename(&saved, &data).unwrap();
    let joined = house.program().await;
    let told = told(&joined).await;
    assert!(told.contains("database_ok true"), "{told}");
    joined.say(30.0).await;
    until_off(&joined, &house).await;
    Seen { done: format!("half of {length} bytes of log were gone; off at 30 all the same"), told }
}

/// No file of the program may grow: what a full disk and a quota come to.
async fn disk_full() -> Seen {
    let house = House::open().await;
    house.program().await.program.stop().await;
    // Ignored, the signal leaves the error to whoever writes. The shell counts in blocks of 512 bytes: the log of the
    // database may become 64 kB long, and the database itself no longer than it is.
    let script = "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\"".to_owned();
    let arguments =
        [vec!["-c".into(), script, crate::child::BUILT.into()], house.joining().to_vec()].concat();
    let mut program = Program::start_from(Path::new("/bin/sh"), house.dir.path(), &arguments, &[]);
    let address = program.address().await;
    let joined = Joined { house: &house, program, address };
    let mut passed = 0;
    while joined.get("/api/system/status").await["database_ok"] == true {
        assert!(passed < 7200, "it goes on writing");
        joined.pass(60).await;
        passed += 60;
    }
    let told = told(&joined).await;
    joined.say(30.0).await;
    until_off(&joined, &house).await;
    Seen { done: format!("the disk was full after {}; off at 30 all the same", spoken(passed)), told }
}

async fn read_only() -> Seen {
    let house = House::open().await;
    let data = house.dir.path().join("data");
    fs::create_dir(&data).unwrap();
    set_mode(&data, 0o555);
    set_mode(house.dir.path(), 0o755);
    // Root may write everywhere.
    let is_root = fs::write(data.join("probe"), "").is_ok();
    let built = if is_root { copied(house.dir.path()) } else { crate::child::BUILT.into() };
    if is_root {
        fs::remove_file(data.join("probe")).unwrap();
    }
    let log = house.dir.path().join("said");
    let mut command = Command::new(&built);
    command.args(house.joining()).current_dir(house.dir.path()).stdin(Stdio::null());
    command
        .stdout(fs::File::create(&log).unwrap())
        .stderr(fs::File::create(house.dir.path().join("err")).unwrap());
    if is_root {
        command.uid(NOBODY).gid(NOBODY);
    }
    let mut child = command.spawn().unwrap();
    let address = async {
        loop {
            let said = fs::read_to_string(&log).unwrap();
            if let Some((_, rest)) = said.split_once("answers at http://")
                && let Some((address, _)) = rest.split_once("/api")
            {
                return address.parse().unwrap();
            }
            assert!(child.try_wait().unwrap().is_none(), "{}", said_in(house.dir.path()));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let address: SocketAddr = tokio::time::timeout(PATIENCE, address).await.unwrap();
    let get = async |path: &str| house.ask(address, reqwest::Method::GET, path, None).await.1;
    let until = async |holds: fn(&Value) -> bool| loop {
        let system = get("/api/system/status").await;
        if holds(&system) {
            return system;
        }
        house.clock.jump(Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let system =
        tokio::time::timeout(PATIENCE, until(|system| system["database_ok"] == false)).await.unwrap();
    house.simulation.house().set_soc(model::Soc::new(30.0).unwrap());
    house.clock.jump(Duration::from_secs(60));
    house.simulation.portal().upload_now();
    let off = async {
        while house.miner().state().phase != Phase::Off {
            house.clock.jump(Duration::from_secs(10));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, off).await.unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let written = fs::read_dir(&data).unwrap().count();
    set_mode(&data, 0o755);
    assert_eq!(written, 0, "nothing was written");
    let alerts = system["alerts"].to_string();
    assert!(alerts.contains("database"), "{alerts}");
    Seen {
        done: "ran without a database; off at 30".to_owned(),
        told: format!("database_ok false, alerts: {alerts}"),
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

/// The program where everybody may start it.
fn copied(directory: &Path) -> OsString {
    let copy = directory.join("wm-controller");
    fs::copy(crate::child::BUILT, &copy).unwrap();
    set_mode(&copy, 0o755);
    copy.into()
}

fn said_in(directory: &Path) -> String {
    fs::read_to_string(directory.join("err")).unwrap()
}

async fn damaged_page() -> Seen {
    let house = House::open().await;
    house.program().await.program.stop().await;
    let data = house.dir.path().join(DATA);
    let mut file = OpenOptions::new().read(true).write(true).open(data.join(DATABASE)).unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(length / 2 / 1024 * 1024)).unwrap();
    file.write_all(&[0xA5; 8 * 1024]).unwrap();
    drop(file);
    let joined = house.program().await;
    let told = told(&joined).await;
    let ended = joined.program.stop().await;
    let note = ended.err.lines().find(|line| line.contains("was damaged")).unwrap_or_default().to_owned();
    let aside = fs::read_dir(&data)
        .unwrap()
        .any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with("wm-controller.db.broken-"));
    assert!(aside && told.contains("database_ok true"), "{told}: {}", ended.err);
    let note = note.split("The database").nth(1).unwrap_or_default().split(". It").next().unwrap_or_default();
    Seen {
        done: "set aside as wm-controller.db.broken-…, a new one begun".to_owned(),
        told: format!("log: The database{note}. {told}"),
    }
}

async fn newer() -> Seen {
    let house = House::open().await;
    house.program().await.program.stop().await;
    let path = house.dir.path().join(DATA).join(DATABASE);
    let mut database = open(&path).await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)";
    sqlx::query(newer).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let before = fs::read(&path).unwrap();
    let ended = run(house.dir.path(), &house.joining()).await;
    let said = ended.err.lines().last().unwrap_or_default().to_owned();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.err);
    assert!(said.contains("newer"), "{said}");
    assert!(fs::read(&path).unwrap() == before, "nothing was changed");
    Seen { done: "didn't start; exit code 1; the file is as it was".to_owned(), told: said }
}

async fn schemas() -> Seen {
    let house = House::open().await;
    let all = newest();
    for number in 1..=all {
        let path = with_schema(&house, number).await;
        let joined = house.program().await;
        let told = told(&joined).await;
        assert!(told.contains("database_ok true"), "schema {number}: {told}");
        let ended = joined.program.stop().await;
        assert!(!ended.err.contains("set aside"), "schema {number}: {}", ended.err);
        assert_eq!(version(&path).await, all, "schema {number}");
    }
    Seen {
        done: format!("started from each of {all} schemas"),
        told: format!("database_ok true each time; now at {all}"),
    }
}

/// The last migration's first statement is in the log, and never was committed.
async fn cut_migration() -> Seen {
    let house = House::open().await;
    let all = newest();
    let path = with_schema(&house, all - 1).await;
    let text = fs::read_to_string(migrations().last().unwrap()).unwrap();
    // A semicolon in a remark ends nothing.
    let code: Vec<_> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let first = format!("{};", code.split(';').next().unwrap());
    let mut database = open(&path).await;
    // More than the cache holds, so that some of it is written before the end.
    for statement in ["PRAGMA cache_size = 1", "PRAGMA cache_spill = 1", "BEGIN IMMEDIATE"] {
        sqlx::query(statement).execute(&mut database).await.unwrap();
    }
    sqlx::raw_sql(sqlx::AssertSqlSafe(first)).execute(&mut database).await.unwrap();
    let copy = house.dir.path().join("cut");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(path.parent().unwrap()).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    drop(database);
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    fs::rename(&copy, path.parent().unwrap()).unwrap();
    let joined = house.program().await;
    let told = told(&joined).await;
    joined.program.stop().await;
    assert!(told.contains("database_ok true"), "{told}");
    assert_eq!(version(&path).await, all);
    Seen { done: format!("schema {} with half of the next came up as {all}", all - 1), told }
}
