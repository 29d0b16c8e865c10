//! Databases as earlier versions of the program left them.

use crate::house::House;
use sqlx::{
    Connection, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The database's name in its directory.
pub(crate) const DATABASE: &str = "wm-controller.db";
/// Where a program that joined a simulator keeps it.
pub(crate) const DATA: &str = "data/demo";
/// Where the migrations are.
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");

/// The files of the migrations, in their order.
pub(crate) fn migrations() -> Vec<PathBuf> {
    let files = fs::read_dir(MIGRATIONS).unwrap();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The schema of the present version.
pub(crate) fn newest() -> i64 {
    i64::try_from(migrations().len()).unwrap()
}

pub(crate) async fn open(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options.journal_mode(SqliteJournalMode::Wal)).await.unwrap()
}

/// A database as the program with this schema had left it.
pub(crate) async fn with_schema(house: &House, number: i64) -> PathBuf {
    let data = house.dir.path().join(DATA);
    let _ = fs::remove_dir_all(&data);
    fs::create_dir_all(&data).unwrap();
    let path = data.join(DATABASE);
    let mut database = open(&path).await;
    let migrator = Migrator::new(Path::new(MIGRATIONS)).await.unwrap();
    migrator.run_to(number, &mut database).await.unwrap();
    database.close().await.unwrap();
    path
}

/// The schema of a database.
pub(crate) async fn version(path: &Path) -> i64 {
    let mut database = open(path).await;
    let version = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success");
    let version = version.fetch_one(&mut database).await.unwrap();
    database.close().await.unwrap();
    version
}
