//! From each schema that there ever was to the present one, with everything that was kept; and migrations that are cut short.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use model::{MonoTime, Now, UtcMillis};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection,
    migrate::Migrator,
    query, query_scalar,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use std::{collections::BTreeMap, path::Path};
use store::{FILE_NAME, Store, StoreError};

/// The migrations as they are kept.
async fn migrations() -> Migrator {
    let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations"));
    Migrator::new(directory).await.unwrap()
}

/// 2026-03-21T12:00:00.250Z.
const NOW: Now = Now { mono: MonoTime(77), utc: UtcMillis(1_774_094_400_250) };

async fn connect(dir: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(dir.join(FILE_NAME)).create_if_missing(true);
    options.journal_mode(SqliteJournalMode::Wal).connect().await.unwrap()
}

/// A database as the first so many migrations made it, with a row in each table.
async fn of_version(version: i64) -> (tempfile::TempDir, BTreeMap<String, Vec<String>>) {
    let dir = tempfile::tempdir().unwrap();
    let mut connection = connect(dir.path()).await;
    let all = migrations().await;
    let known = all.iter().filter(|migration| migration.version <= version).cloned();
    Migrator::with_migrations(known.collect()).run(&mut connection).await.unwrap();
    let tables: Vec<String> = query_scalar(
        "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main' AND name NOT GLOB 'sqlite_*' AND \
         name <> '_sqlx_migrations' ORDER BY name",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut kept = BTreeMap::new();
    for table in tables {
        let columns = query("SELECT name, type FROM pragma_table_info(?)").bind(&table);
        let columns = columns.fetch_all(&mut connection).await.unwrap();
        let names: Vec<String> = columns.iter().map(|column| column.get(0)).collect();
        let values: Vec<&str> = columns
            .iter()
            .map(|column| match column.get::<String, _>(1).as_str() {
                "INTEGER" => "1",
                "REAL" => "1.5",
                "BLOB" => "x'5a'",
                _ => "'{}'",
            })
            .collect();
        let sql = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), values.join(", "));
        query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        kept.insert(table, names);
    }
    connection.close().await.unwrap();
    (dir, kept)
}

/// What stands in these columns, of each table.
async fn told(dir: &Path, of: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, String> {
    let mut connection = connect(dir).await;
    let mut told = BTreeMap::new();
    for (table, columns) in of {
        let quoted: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
        let sql = format!("SELECT group_concat({}, ';') FROM {table}", quoted.join(" || ',' || "));
        let text: Option<String> = query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
        told.insert(table.clone(), text.unwrap_or_default());
    }
    connection.close().await.unwrap();
    told
}

async fn version(dir: &Path) -> i64 {
    let mut connection = connect(dir).await;
    let version = query_scalar("SELECT max(version) FROM _sqlx_migrations");
    let version = version.fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    version
}

async fn newest() -> i64 {
    migrations().await.iter().map(|migration| migration.version).max().unwrap()
}

#[tokio::test]
async fn everything_that_an_earlier_version_kept_is_kept() {
    let newest = newest().await;
    for earlier in 1..=newest {
        let (dir, tables) = of_version(earlier).await;
        assert!(tables.len() >= 5, "schema {earlier}: {tables:?}");
        let before = told(dir.path(), &tables).await;
        assert!(before.values().all(|row| !row.is_empty()), "schema {earlier}: {before:?}");
        for _ in 0..2 {
            let opened = Store::open(dir.path(), NOW).await.unwrap();
            assert_eq!(opened.notes, Vec::<String>::new(), "schema {earlier}");
            opened.store.close().await.unwrap();
            assert_eq!(version(dir.path()).await, newest);
            assert_eq!(told(dir.path(), &tables).await, before, "schema {earlier}");
        }
    }
}

/// What is in the way here could be a full disk as well: a migration is taken whole or not at all.
#[tokio::test]
async fn a_migration_that_fails_leaves_everything_as_it_was() {
    let (dir, tables) = of_version(4).await;
    let mut connection = connect(dir.path()).await;
    // The fifth makes `settings` first, and then this.
    query("CREATE TABLE setting_changes (in_the_way INTEGER)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let before = told(dir.path(), &tables).await;
    for _ in 0..2 {
        let error = Store::open(dir.path(), NOW).await.unwrap_err();
        assert!(matches!(error, StoreError::Unfit { .. }), "{error}");
        assert_eq!((version(dir.path()).await, told(dir.path(), &tables).await), (4, before.clone()));
        let mut connection = connect(dir.path()).await;
        let half = query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'settings'");
        let half: i64 = half.fetch_one(&mut connection).await.unwrap();
        assert_eq!(half, 0, "nothing of it is left");
        connection.close().await.unwrap();
    }
    let mut connection = connect(dir.path()).await;
    query("DROP TABLE setting_changes").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let opened = Store::open(dir.path(), NOW).await.unwrap();
    assert_eq!(opened.notes, Vec::<String>::new());
    opened.store.close().await.unwrap();
    assert_eq!((version(dir.path()).await, told(dir.path(), &tables).await), (newest().await, before));
}
