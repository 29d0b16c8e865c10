//! Every step from an empty file to the present schema. A step that was once released is never changed: each database keeps
//! what it was made by.
//!
//! They are named here and not by sqlx's macro, which would have the whole database built a second time, for the compiler.

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};
use std::sync::LazyLock;

/// All of them, from the first.
pub(crate) static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    Migrator::with_migrations(vec![
        step(1, "law", include_str!("../../../migrations/0001_law.sql")),
        step(2, "history", include_str!("../../../migrations/0002_history.sql")),
        step(3, "journal", include_str!("../../../migrations/0003_journal.sql")),
        step(4, "access", include_str!("../../../migrations/0004_access.sql")),
        step(5, "settings", include_str!("../../../migrations/0005_settings.sql")),
        step(6, "told alerts", include_str!("../../../migrations/0006_told_alerts.sql")),
    ])
});

fn step(version: i64, name: &'static str, sql: &'static str) -> Migration {
    let without_transaction = false;
    Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), without_transaction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[tokio::test]
    async fn all_files_are_named_with_their_versions() {
        let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations"));
        let files = Migrator::new(directory).await.unwrap();
        let facts = |migrator: &Migrator| {
            let facts = migrator.iter().map(|step| {
                (
                    step.version,
                    step.description.clone(),
                    step.migration_type,
                    step.checksum.clone(),
                    step.no_tx,
                )
            });
            facts.collect::<Vec<_>>()
        };
        assert_eq!(facts(&MIGRATIONS), facts(&files));
    }
}
