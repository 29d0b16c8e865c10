//! Backups, and taking them up: what is in them, what isn't, what is refused, and what stays of the present.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use model::{
    Command, MinerId, MonoTime, Now, Operation, OperationId, OperationStage, Reason, UtcMillis,
    history::BatterySample,
};
use sqlx::{Connection, SqliteConnection, query};
use std::{collections::BTreeMap, fs, path::Path, time::Duration};
use store::{
    BeforeAfter, FILE_NAME, HistoryRules, MetaKey, Samples, Store, StoreError,
    access::{Session, Token},
    backup::{Backup, Backups, Making, SecretNames},
    restore,
};

/// 2026-03-21T12:00:00.250Z.
const NOW: Now = Now { mono: MonoTime(77), utc: UtcMillis(1_774_094_400_250) };
const LATER: Now = Now { mono: MonoTime(7_777), utc: UtcMillis(1_774_180_800_250) };
const CANARY: &str = "canary-9f2c41";
const CHOICE: MetaKey<bool> = MetaKey::new("choice");
const KNOWN: MetaKey<String> = MetaKey::new("known");

const SECRETS: SecretNames<'static> = SecretNames { setting: &is_secret, values: &[KNOWN.name()] };

fn garage() -> MinerId {
    MinerId("garage".to_owned())
}

async fn open(dir: &Path) -> Store {
    let opened = Store::open(dir, NOW).await.unwrap();
    assert_eq!(opened.notes, Vec::<String>::new());
    opened.store
}

fn is_secret(name: &str) -> bool {
    name.ends_with("password")
}

fn making(with_secrets: bool) -> Making<'static> {
    Making { at: NOW.utc, program: "1.2.3", with_secrets, secrets: SECRETS }
}

async fn made(dir: &Path, store: &Store, with_secrets: bool) -> Backup {
    Backups::of(dir).make(store, making(with_secrets)).await.unwrap()
}

async fn set(store: &Store, pairs: &[(&str, &str)]) {
    let change = |(name, value): &(&str, &str)| {
        ((*name).to_owned(), BeforeAfter { before: None, after: Some((*value).to_owned()) })
    };
    let changes: BTreeMap<_, _> = pairs.iter().map(change).collect();
    // As an earlier version kept them: old passwords among the changes.
    store.change_settings(&changes, &|_| false, "somebody", NOW.utc).await.unwrap();
}

async fn settings(store: &Store) -> Vec<(String, String)> {
    let settings = store.settings().await.unwrap();
    settings.into_iter().map(|(name, setting)| (name, setting.value)).collect()
}

fn operation(id: u64, decided: i64) -> Operation {
    Operation {
        id: OperationId(id),
        miner: garage(),
        command: Command::Off,
        reason: Reason::EmergencySoc,
        stage: OperationStage::Observed,
        means: None,
        decided_at: UtcMillis(decided),
        sent_at: None,
        acknowledged_at: None,
        ended_at: None,
        words: None,
    }
}

async fn begin(store: &Store, state: &str, id: u64, decided: i64) {
    store.begin_operation(state, &operation(id, decided), NOW).await.unwrap();
}

/// Samples of an hour, as many as there are.
async fn measure(store: &Store, hour: i64) {
    let sample = |count: i64| BatterySample {
        at: UtcMillis(NOW.utc.0 - hour * 3_600_000 + count * 10_000),
        soc: None,
        pv: None,
        load: None,
        grid: None,
        battery: None,
    };
    let gap = Duration::from_secs(600);
    let rules = HistoryRules { battery_gap: gap, miner_gap: gap, keep_samples: Duration::from_secs(864_000) };
    let samples = Samples { battery: (0..360).map(sample).collect(), miners: Vec::new() };
    assert_eq!(store.record_samples(&samples, &rules, NOW.utc).await.unwrap(), 360);
}

async fn everything(store: &Store) {
    let secret = [0x5a; 32];
    store.set_password(&format!("$argon2id${CANARY}-hash"), NOW.utc).await.unwrap();
    let session = Session {
        id: 0,
        hash: secret,
        begun: NOW.utc,
        seen: NOW.utc,
        address: "::1".into(),
        browser: format!("{CANARY}-browser"),
    };
    store.add_session(&session).await.unwrap();
    let token = Token {
        id: 0,
        hash: secret,
        name: format!("{CANARY}-token"),
        scope: "admin".into(),
        made: NOW.utc,
        used: None,
    };
    store.add_token(&token).await.unwrap();
    store.put_meta(&KNOWN, &format!("{CANARY}-known")).await.unwrap();
    let password = format!("{CANARY}-password");
    set(store, &[("miners.garage.password", &password), ("miners.garage.host", "192.168.1.9")]).await;
    set(store, &[("battery.password", &password)]).await;
    measure(store, 3).await;
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

#[tokio::test]
async fn a_backup_holds_no_byte_of_what_is_secret() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    everything(&store).await;
    let backup = made(dir.path(), &store, false).await;
    let (found, path) = Backups::of(dir.path()).find(&backup.name).unwrap();
    assert_eq!(found, backup);
    found.manifest.check(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    for secret in [CANARY.as_bytes(), &[0x5a; 32]] {
        assert!(!holds(&bytes, secret), "a backup holds {}", String::from_utf8_lossy(secret));
    }
    assert!(holds(&bytes, b"192.168.1.9"), "what isn't secret is in it");

    let whole = made(dir.path(), &store, true).await;
    assert!(whole.name.contains("with-secrets"), "{}", whole.name);
    let bytes = fs::read(Backups::of(dir.path()).find(&whole.name).unwrap().1).unwrap();
    for secret in ["-password", "-hash", "-token", "-known"] {
        assert!(holds(&bytes, format!("{CANARY}{secret}").as_bytes()), "asked for, it holds {secret}");
    }
    assert!(!holds(&bytes, format!("{CANARY}-browser").as_bytes()), "nobody stays signed in by a backup");
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let backup = made(dir.path(), &store, false).await;
    let (_, path) = Backups::of(dir.path()).find(&backup.name).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o077;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0, 0));
}

/// The writer goes on while a backup is made: a commit between every two looks at it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_meanwhile_is_not_kept_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for hour in 1..20 {
        measure(&store, hour).await;
    }
    let (copied, path) = (store.clone(), dir.path().to_owned());
    let making = tokio::spawn(async move { made(&path, &copied, false).await });
    let mut commits = 0;
    while !making.is_finished() {
        // Each has the usual deadline, and fails beyond it.
        store.save_state(&garage(), &commits.to_string(), NOW).await.unwrap();
        commits += 1;
    }
    let backup = making.await.unwrap();
    let (_, path) = Backups::of(dir.path()).find(&backup.name).unwrap();
    backup.manifest.check(&path).unwrap();
    assert!(commits > 1, "nothing was written meanwhile");
}

#[tokio::test]
async fn only_the_newest_are_kept_and_names_lead_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let backups = Backups::of(dir.path());
    let mut names = Vec::new();
    for day in 0..4 {
        let at = UtcMillis(NOW.utc.0 + day * 86_400_000);
        names.push(backups.make(&store, Making { at, ..making(false) }).await.unwrap().name);
    }
    backups.prune(2).unwrap();
    let left: Vec<_> = backups.list().into_iter().map(|backup| backup.name).collect();
    assert_eq!(left, [names[3].clone(), names[2].clone()], "the newest first");
    let files = fs::read_dir(dir.path().join("backups")).unwrap().count();
    assert_eq!(files, 4, "each with its manifest, and nothing else");
    fs::write(dir.path().join("wm-controller-x.db"), "").unwrap();
    for name in
        ["../wm-controller.db", "..", "", "wm-controller-x.db", "/etc/passwd", "wm-controller-../x.db"]
    {
        assert!(backups.find(name).is_none(), "{name}");
    }
}

#[tokio::test]
async fn what_cannot_be_finished_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let backups = Backups::of(dir.path());
    let first = made(dir.path(), &store, false).await;
    // A kill in the middle left these.
    let remains = ["wm-controller-1.db.part", "wm-controller-2.db", "wm-controller-3.db.json.part"];
    for name in remains {
        fs::write(dir.path().join("backups").join(name), "half").unwrap();
    }
    assert_eq!(backups.list(), std::slice::from_ref(&first), "what is half isn't there");
    store.close().await.unwrap();
    // The database is damaged: it can't be copied.
    let path = dir.path().join(FILE_NAME);
    let mut bytes = fs::read(&path).unwrap();
    bytes[1024..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let error = backups.make(&store, making(false)).await.unwrap_err();
    assert!(matches!(error, StoreError::Broken { .. }), "{error}");
    assert_eq!(backups.list(), std::slice::from_ref(&first));
    let mut left: Vec<_> = fs::read_dir(dir.path().join("backups"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, [first.name.clone(), format!("{}.json", first.name)]);
}

/// Lays a backup ready for this directory.
async fn prove(dir: &Path, file: &Path) -> Result<restore::Ready, StoreError> {
    fs::copy(file, restore::incoming(dir).unwrap()).unwrap();
    restore::prove(dir, NOW).await
}

#[tokio::test]
async fn a_restore_brings_the_past_back_and_leaves_the_present_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    everything(&store).await;
    begin(&store, "then", 1, 5).await;
    store.put_meta(&CHOICE, &true).await.unwrap();
    let backup = made(dir.path(), &store, false).await;
    let (_, path) = Backups::of(dir.path()).find(&backup.name).unwrap();

    // After it: the law went on, auto-control was switched off, a password is another, and a setting was changed.
    begin(&store, "now", 2, 6).await;
    store.save_operation(&operation(1, 5)).await.unwrap();
    store.put_meta(&CHOICE, &false).await.unwrap();
    store.set_password("another", NOW.utc).await.unwrap();
    set(&store, &[("miners.garage.password", "newer"), ("autocontrol.emergency_soc", "35")]).await;
    let ready = prove(dir.path(), &path).await.unwrap();
    assert_eq!(ready.note.unwrap().program, "1.2.3");
    assert!(ready.begins.is_some());
    assert_eq!(store.load_states().await.unwrap()[0].json, "now", "nothing in use was touched");
    store.close().await.unwrap();

    let opened = Store::open(dir.path(), LATER).await.unwrap();
    assert_eq!(opened.notes.len(), 1);
    assert!(opened.notes[0].contains("before-restore-20260322T120000.250Z"), "{:?}", opened.notes);
    let store = opened.store;
    assert_eq!(store.load_states().await.unwrap()[0].json, "now");
    let ids: Vec<_> = store.operations(&garage(), 9).await.unwrap().into_iter().map(|one| one.id.0).collect();
    assert_eq!(ids, [2, 1]);
    assert_eq!(store.meta(&CHOICE).await.unwrap(), Some(false));
    assert_eq!(store.password().await.unwrap().as_deref(), Some("another"));
    assert_eq!(store.tokens().await.unwrap().len(), 1);
    let expected = [
        ("battery.password", "canary-9f2c41-password"),
        ("miners.garage.host", "192.168.1.9"),
        ("miners.garage.password", "newer"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(settings(&store).await, expected, "settings of then, passwords of now");
    assert!(store.history_begins().await.unwrap().is_some());
    store.close().await.unwrap();

    let aside = dir.path().join("wm-controller.db.before-restore-20260322T120000.250Z");
    assert!(holds(&fs::read(aside).unwrap(), b"emergency_soc"), "what was there is kept");
    assert_eq!(Store::open(dir.path(), LATER).await.unwrap().notes, Vec::<String>::new(), "once");
}

/// A backup whose settings lead a device's sign-in elsewhere gets no password of the present.
#[tokio::test]
async fn a_password_of_now_goes_to_no_address_of_then() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    set(&store, &[("miners.garage.password", "old"), ("miners.garage.host", "192.168.1.66")]).await;
    set(&store, &[("battery.password", "old")]).await;
    let backup = made(dir.path(), &store, false).await;
    let (_, path) = Backups::of(dir.path()).find(&backup.name).unwrap();
    set(&store, &[("miners.garage.password", "new"), ("miners.garage.host", "192.168.1.9")]).await;
    prove(dir.path(), &path).await.unwrap();
    store.close().await.unwrap();
    let store = Store::open(dir.path(), LATER).await.unwrap().store;
    let expected = [("battery.password", "old"), ("miners.garage.host", "192.168.1.66")];
    assert_eq!(settings(&store).await, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

/// On a new machine nothing is known of any miner, whatever was known when the backup was made; and the numbers of operations
/// go on.
#[tokio::test]
async fn where_there_is_no_present_no_miner_is_known() {
    let old = tempfile::tempdir().unwrap();
    let store = open(old.path()).await;
    everything(&store).await;
    begin(&store, "then", 41, 5).await;
    let backup = made(old.path(), &store, true).await;
    let (_, path) = Backups::of(old.path()).find(&backup.name).unwrap();

    let new = tempfile::tempdir().unwrap();
    prove(new.path(), &path).await.unwrap();
    let store = Store::open(new.path(), LATER).await.unwrap().store;
    assert_eq!(store.load_states().await.unwrap(), []);
    assert_eq!(store.next_operation_id().await.unwrap(), OperationId(42));
    assert_eq!(store.password().await.unwrap(), Some(format!("$argon2id${CANARY}-hash")), "asked for");
    assert_eq!(store.settings().await.unwrap().len(), 3);
    store.close().await.unwrap();
}

/// The database of another house counts its operations by itself: the law finds its own last one all the same.
#[tokio::test]
async fn the_operations_of_now_stay_the_newest() {
    let other = tempfile::tempdir().unwrap();
    let store = open(other.path()).await;
    for id in 1..=50 {
        begin(&store, "theirs", id, 1_000 + id as i64).await;
    }
    let backup = made(other.path(), &store, false).await;
    let (_, path) = Backups::of(other.path()).find(&backup.name).unwrap();

    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for id in 1..=3 {
        begin(&store, "ours", id, 9_000 + id as i64).await;
    }
    prove(dir.path(), &path).await.unwrap();
    store.close().await.unwrap();
    let store = Store::open(dir.path(), LATER).await.unwrap().store;
    let newest = store.operations(&garage(), 4).await.unwrap();
    let decided: Vec<_> = newest.iter().map(|one| (one.id.0, one.decided_at.0)).collect();
    assert_eq!(decided, [(53, 9_003), (52, 9_002), (51, 9_001), (50, 1_050)]);
    assert_eq!(store.next_operation_id().await.unwrap(), OperationId(54));
}

async fn refused(what: &str, change: impl AsyncFnOnce(&Path)) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    everything(&store).await;
    let backup = made(dir.path(), &store, false).await;
    let (_, path) = Backups::of(dir.path()).find(&backup.name).unwrap();
    let incoming = restore::incoming(dir.path()).unwrap();
    fs::copy(path, &incoming).unwrap();
    change(&incoming).await;
    let error = restore::prove(dir.path(), NOW).await.map(drop).unwrap_err();
    assert!(!incoming.exists(), "{what}: {error}");
    store.close().await.unwrap();
    assert_eq!(Store::open(dir.path(), NOW).await.unwrap().notes, Vec::<String>::new(), "{what}: {error}");
}

async fn sql(path: &Path, statement: &'static str) {
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    query(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn what_is_no_sound_backup_of_ours_is_refused_and_nothing_changes() {
    refused("no database", async |path| fs::write(path, "no database at all").unwrap()).await;
    refused("nothing", async |path| fs::write(path, "").unwrap()).await;
    refused("cut off", async |path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    })
    .await;
    refused("a page overwritten", async |path| {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2048 * 1024;
        bytes[middle..middle + 1024].fill(0xa5);
        fs::write(path, &bytes).unwrap();
    })
    .await;
    refused("of a newer version", async |path| {
        sql(
            path,
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9000, 'of the future', 1, x'00', 0)",
        )
        .await;
    })
    .await;
    refused("with a trigger", async |path| {
        sql(path, "CREATE TRIGGER later AFTER INSERT ON decisions BEGIN DELETE FROM law_states; END").await;
    })
    .await;
    refused("with a table more", async |path| sql(path, "CREATE TABLE more (id INTEGER)").await).await;
    refused("another program's", async |path| {
        fs::remove_file(path).unwrap();
        fs::write(path, "").unwrap();
        sql(path, "CREATE TABLE notes (text TEXT)").await;
    })
    .await;
}

/// Cut short between any two of its steps, the next opening goes on.
#[tokio::test]
async fn a_restore_that_is_cut_short_goes_on_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    begin(&store, "now", 1, 5).await;
    let backup = made(dir.path(), &store, false).await;
    let (_, path) = Backups::of(dir.path()).find(&backup.name).unwrap();
    prove(dir.path(), &path).await.unwrap();
    store.close().await.unwrap();
    // After the present was set aside, before the backup took its place; and a log of the database before is still there.
    let ready = dir.path().join("restore.ready");
    fs::rename(ready.join(FILE_NAME), ready.join("merged.db")).unwrap();
    fs::rename(dir.path().join(FILE_NAME), dir.path().join("set-aside")).unwrap();
    fs::write(dir.path().join(format!("{FILE_NAME}-wal")), "of another database").unwrap();
    let opened = Store::open(dir.path(), LATER).await.unwrap();
    assert_eq!(opened.notes.len(), 1, "{:?}", opened.notes);
    assert_eq!(opened.store.operations(&garage(), 9).await.unwrap().len(), 1);
    assert!(!ready.exists());
}

/// The damaged database is set aside, and a new one has what was changed on the settings page.
#[tokio::test]
async fn after_a_damage_the_settings_are_those_of_the_newest_backup() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    everything(&store).await;
    made(dir.path(), &store, false).await;
    store.close().await.unwrap();
    let path = dir.path().join(FILE_NAME);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let opened = Store::open(dir.path(), LATER).await.unwrap();
    assert_eq!(opened.notes.len(), 2, "{:?}", opened.notes);
    assert!(opened.notes[1].contains("the backup of 2026-03-21"), "{:?}", opened.notes);
    assert_eq!(settings(&opened.store).await, [("miners.garage.host".to_owned(), "192.168.1.9".to_owned())]);
    assert_eq!(opened.store.load_states().await.unwrap(), []);
}

#[tokio::test]
async fn a_password_that_was_replaced_is_noted_nowhere() {
    let store = Store::in_memory().await.unwrap();
    set(&store, &[("miners.garage.password", "old"), ("site.name", "Home")]).await;
    set(&store, &[("battery.password", "old")]).await;
    store.forget_old_secrets(&is_secret).await.unwrap();
    let change = |value: &str| BeforeAfter { before: Some("old".into()), after: Some(value.into()) };
    let changes = BTreeMap::from([("battery.password".to_owned(), change("new"))]);
    store.change_settings(&changes, &is_secret, "somebody", NOW.utc).await.unwrap();
    let noted = store.settings_changes().await.unwrap();
    let told = |change: &BeforeAfter| (change.before.clone(), change.after.clone());
    let told: Vec<_> = noted
        .iter()
        .flat_map(|of_it| &of_it.changes)
        .map(|(name, change)| (name.as_str(), told(change)))
        .collect();
    let (nothing, secret) = (|| None, || Some(String::new()));
    let expected = [
        ("battery.password", (secret(), secret())),
        ("battery.password", (nothing(), secret())),
        ("miners.garage.password", (nothing(), secret())),
        ("site.name", (nothing(), Some("Home".to_owned()))),
    ];
    assert_eq!(told, expected, "that they were changed, and no value");
    assert_eq!(store.settings().await.unwrap()["battery.password"].value, "new");
}
