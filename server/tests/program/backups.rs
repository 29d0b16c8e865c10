//! Backups of the running program, and taking them up: on the page, and from the command line.

use crate::{
    child::{Program, run},
    house::{CANARY, House, Joined},
};
use serde_json::{Value, json};
use simulator::miner::Phase;
use std::{fs, path::PathBuf};

/// Makes a backup, and waits until it is there: its name.
async fn made(joined: &Joined<'_>) -> String {
    let (status, told) = joined.post("/api/backups/make", None).await;
    assert_eq!(status, 202, "{told}");
    joined.until("the backup", async || joined.get("/api/backups").await["last"]["ok"] == true).await;
    let told = joined.get("/api/backups").await;
    assert_eq!(told["under_way"], Value::Null);
    told["backups"][0]["name"].as_str().unwrap().to_owned()
}

/// Waits until a restore has come to its end and the house is there again.
async fn started_anew(joined: &mut Joined<'_>) {
    joined.program.says("everything is started anew").await;
    joined.program.says("set aside as").await;
    joined
        .until("the house again", async || joined.get("/api/system/status").await["tick"].as_u64() > Some(0))
        .await;
}

/// What the law knows is of the present, whatever a backup says: a latch that came after it stays, and a wish.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_leaves_the_latch_the_wish_and_the_miner_as_they_are() {
    let house = House::open().await;
    let mut joined = house.program().await;
    joined.say(95.0).await;
    let name = made(&joined).await;
    joined.say(30.0).await;
    joined
        .pass_until(120, "the miner is off, and seen to be", async || {
            house.miner().state().phase == Phase::Off
                && joined.get("/api/miner/status").await["latches"]["emergency"] == true
        })
        .await;
    assert_eq!(joined.post("/api/miner/power_off", None).await.0, 202);
    let before = joined.get("/api/miner/status").await;
    house.miner().clear_log();

    let (status, page) =
        house.form(joined.address, "/data/backups/restore", &[("name", "../wm-controller.db")]).await;
    assert_eq!(status, 404, "{page}");
    let (status, page) = house.form(joined.address, "/data/backups/restore", &[("name", &name)]).await;
    assert_eq!(status, 303, "{page}");
    started_anew(&mut joined).await;
    let after = joined.get("/api/miner/status").await;
    for member in ["latches", "intent"] {
        assert_eq!(after[member], before[member], "{member}");
    }
    assert_eq!(after["op"]["id"], before["op"]["id"], "the operations of now are the newest");
    joined.pass(600).await;
    joined.pass(10).await;
    assert_eq!(house.miner().state().phase, Phase::Off);
    assert!(house.sent().iter().all(|sent| sent.params == json!("stop")), "{:#?}", house.sent());
    let system = joined.get("/api/system/status").await;
    assert_eq!(system["database_ok"], true);
    assert!(
        system["invariant_violations"].as_object().unwrap().values().all(|count| *count == 0),
        "{system}"
    );
    let ended = joined.program.stop().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_sent_is_proven_before_anything_is_replaced() {
    let house = House::open().await;
    let mut joined = house.program().await;
    let name = made(&joined).await;
    let data = house.dir.path().join("data/demo");
    let backup = fs::read(data.join("backups").join(&name)).unwrap();
    let mut damaged = backup.clone();
    let middle = damaged.len() / 2048 * 1024;
    damaged[middle..middle + 1024].fill(0xa5);
    for (what, bytes) in
        [("no database", &b"no database"[..]), ("nothing", &b""[..]), ("damaged", &damaged[..])]
    {
        let (status, page) = house.upload(joined.address, "/data/restore", &[], bytes).await;
        assert_eq!(status, 303, "{what}: {page}");
        joined.until(what, async || joined.get("/api/backups").await["last"]["ok"] == false).await;
        let (_, page) = house.text(joined.address, "/data").await;
        assert!(page.contains("Nothing was restored, and everything is as it was"), "{what}: {page}");
        assert!(!data.join("restore.ready").exists() && !data.join("restore.new").exists(), "{what}");
    }
    let (status, page) = house.upload(joined.address, "/data/restore", &[], &backup).await;
    assert_eq!(status, 303, "{page}");
    started_anew(&mut joined).await;
    assert!(!data.join("restore.ready").exists());
    let ended = joined.program.stop().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
}

/// Rows are counted at the start, and then once an hour.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_told_how_many_rows_there_are_and_as_of_when() {
    let house = House::open().await;
    let joined = house.program().await;
    for _ in 0..30 {
        joined.pass(10).await;
    }
    joined.program.stop().await;
    let joined = house.program().await;
    joined
        .until("a count", async || joined.get("/api/backups").await["rows_counted_at"] != Value::Null)
        .await;
    let told = joined.get("/api/backups").await;
    let tiers = told["history"].as_array().unwrap();
    let rows: Vec<_> = tiers.iter().map(|tier| tier["rows"].as_u64().unwrap()).collect();
    let names: Vec<_> = tiers.iter().map(|tier| tier["tier"].as_str().unwrap()).collect();
    assert_eq!(names, ["samples", "1min", "15min", "6h"]);
    let [samples, minutes, slots, _] = rows[..] else { unreachable!("four tiers: {told}") };
    assert!(samples > minutes && minutes > slots && slots > 0, "{rows:?}");
    assert!(tiers[0]["from"].as_str() < tiers[0]["to"].as_str(), "{told}");
    let (_, page) = house.text(joined.address, "/data").await;
    assert!(page.contains(&format!("{minutes} rows")), "{page}");
    assert!(page.contains("The rows were counted at "), "{page}");
    joined.program.stop().await;
}

/// The house lives on 2026-06-21.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_restore_set_aside_goes_after_thirty_days() {
    let house = House::open().await;
    let data = house.dir.path().join("data/demo");
    fs::create_dir_all(&data).unwrap();
    let aside = |stamp: &str| data.join(format!("wm-controller.db.before-restore-{stamp}"));
    let (old, young) = (aside("20260522T175900Z"), aside("20260523T180000Z"));
    for file in [&old, &young] {
        fs::write(file, "a household's data").unwrap();
    }
    let joined = house.program().await;
    joined.pass(60).await;
    joined.until("the old one is gone", async || !old.exists()).await;
    assert!(young.exists());
    let (_, page) = house.text(joined.address, "/data").await;
    assert!(page.contains("Databases from before a restore"), "{page}");
    assert!(page.contains("each removed 30 days after the restore"), "{page}");
    joined.program.stop().await;
    assert!(young.exists());
}

/// A real house asks for the password again, for taking a backup away as for restoring one; and no password of anything is in
/// one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_alone_neither_takes_a_backup_away_nor_restores_one() {
    let house = House::in_real_time().await;
    let file = house.configuration(|_| {});
    let arguments = ["--config", &file, "--data", "data", "--port", "0"];
    let mut program = Program::start(house.dir.path(), &arguments, &[]);
    let address = program.address().await;
    house.take_over(&mut program, address).await;
    let joined = Joined { house: &house, program, address };
    let name = made(&joined).await;
    let wrong = [("name", name.as_str()), ("password", "wrong-password")];
    for path in ["/data/backups/download", "/data/backups/restore"] {
        let (status, page) = house.form(address, path, &wrong).await;
        assert!(matches!(status, 403 | 429), "{status}: {page}");
        assert!(page.contains("right.") || page.contains("Too many wrong tries"), "{page}");
    }
    let (status, _) = house.upload(address, "/data/restore", &[("password", "wrong-password")], b"any").await;
    assert!(matches!(status, 403 | 429), "{status}");
    // Wrong tries keep everybody waiting a little.
    joined
        .until("the password is taken", async || {
            let form = [("name", name.as_str()), ("password", CANARY)];
            house.form(address, "/data/backups/download", &form).await.0 == 200
        })
        .await;
    let kept = house.dir.path().join("data/backups").join(&name);
    let bytes = fs::read(kept).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("_sqlx_migrations") && !holds(CANARY) && !holds("argon2id"), "what is secret is left out");
    assert!(house.keys().all(|key| !holds(key)));
    let ended = joined.program.stop().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_fails_is_told_and_leaves_nothing_behind() {
    let house = House::open().await;
    let joined = house.program().await;
    let place = house.dir.path().join("data/demo/backups");
    // No directory can be made here.
    fs::write(&place, "").unwrap();
    assert_eq!(joined.post("/api/backups/make", None).await.0, 202);
    joined.until("it failed", async || joined.get("/api/backups").await["last"]["ok"] == false).await;
    let is_told = async || {
        let told = joined.get("/api/system/status").await;
        told["alerts"]
            .as_array()
            .unwrap()
            .iter()
            .any(|alert| alert["code"] == "backup" && alert["active"] == true)
    };
    joined.pass(10).await;
    joined.until("the alert", is_told).await;
    fs::remove_file(&place).unwrap();
    made(&joined).await;
    joined.pass(10).await;
    joined.until("no alert", async || !is_told().await).await;
    assert_eq!(fs::read_dir(&place).unwrap().count(), 2, "a backup and its manifest");
    joined.program.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_backs_up_and_restores_what_nobody_uses() {
    let house = House::open().await;
    let joined = house.program().await;
    let backup: &[&str] = &["backup", "--data", "data/demo", "--out", "kept.db"];
    let restore: &[&str] = &["restore", "--data", "data/demo", "kept.db"];
    for arguments in [backup, restore] {
        let refused = run(house.dir.path(), arguments).await;
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(refused.err.contains("stop it first"), "{refused:?}");
    }
    joined.say(60.0).await;
    joined.say(60.0).await;
    joined
        .until("a ceiling", async || joined.get("/api/miner/status").await["latches"]["ceiling"] == 60)
        .await;
    joined.program.stop().await;
    let made = run(house.dir.path(), backup).await;
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    assert!(made.out.starts_with("kept.db (") && made.out.contains("without passwords"), "{}", made.out);
    let again = run(house.dir.path(), backup).await;
    assert_eq!(again.status.code(), Some(1), "what is there isn't written over: {again:?}");
    let restored = run(house.dir.path(), restore).await;
    assert_eq!(restored.status.code(), Some(0), "{restored:?}");
    assert!(restored.out.contains("set aside as"), "{}", restored.out);
    let nothing = run(house.dir.path(), &["restore", "--data", "data/demo", "house.yaml"]).await;
    assert_eq!(nothing.status.code(), Some(1), "{nothing:?}");

    let joined = house.program().await;
    assert_eq!(joined.get("/api/miner/status").await["latches"]["ceiling"], 60);
    let left: Vec<PathBuf> = fs::read_dir(house.dir.path().join("data/demo"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(left.iter().any(|path| path.to_str().unwrap().contains("before-restore")), "{left:?}");
    joined.program.stop().await;
}
