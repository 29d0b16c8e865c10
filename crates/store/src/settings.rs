//! What a person changed on the settings page, and the changes one by one, so that they can be undone. Values are texts here;
//! what they mean is for the caller to say. Passwords of devices are among those that hold; of one that was replaced nothing is
//! kept.

use crate::{Store, StoreError, backup::forget_secrets, within};
use model::UtcMillis;
use serde::{Deserialize, Serialize};
use sqlx::{Row, query};
use std::collections::BTreeMap;

/// How many changes are kept; the oldest are forgotten.
const CHANGES_KEPT: i64 = 50;

/// A setting's value, and since when.
#[derive(Clone, PartialEq, Eq)]
pub struct SettingValue {
    /// As it would be written in the file; empty for none.
    pub value: String,
    /// Since when.
    pub at: UtcMillis,
}

/// One change of some settings.
#[derive(Clone, PartialEq, Eq)]
pub struct SettingsChange {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: UtcMillis,
    /// By whom.
    pub who: String,
    /// What, by the settings' names.
    pub changes: BTreeMap<String, BeforeAfter>,
}

/// What the settings page said of a setting before and after a change; `None` where it said nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeforeAfter {
    /// Before.
    pub before: Option<String>,
    /// After.
    pub after: Option<String>,
}

/// The same changes, with an empty text in the place of each secret.
pub(crate) fn without_secrets(
    changes: &BTreeMap<String, BeforeAfter>,
    is_secret: &(dyn Fn(&str) -> bool + Send + Sync),
) -> BTreeMap<String, BeforeAfter> {
    let blank = |value: &Option<String>| value.as_ref().map(|_| String::new());
    let noted = |(name, change): (&String, &BeforeAfter)| {
        let change = if is_secret(name) {
            BeforeAfter { before: blank(&change.before), after: blank(&change.after) }
        } else {
            change.clone()
        };
        (name.clone(), change)
    };
    changes.iter().map(noted).collect()
}

impl Store {
    /// Everything that holds now, by name.
    pub async fn settings(&self) -> Result<BTreeMap<String, SettingValue>, StoreError> {
        within("reading the settings", async {
            let rows =
                query("SELECT name, value, changed_utc_ms FROM settings").fetch_all(self.readers()).await?;
            rows.iter()
                .map(|row| {
                    let value = SettingValue { value: row.try_get(1)?, at: UtcMillis(row.try_get(2)?) };
                    Ok((row.try_get(0)?, value))
                })
                .collect()
        })
        .await
    }

    /// Keeps a change: all of it, or nothing. Of what is secret it is noted that it was changed, and no value.
    pub async fn change_settings(
        &self,
        changes: &BTreeMap<String, BeforeAfter>,
        is_secret: &(dyn Fn(&str) -> bool + Send + Sync),
        who: &str,
        at: UtcMillis,
    ) -> Result<(), StoreError> {
        let json = serde_json::to_string(&without_secrets(changes, is_secret)).unwrap_or_default();
        within("saving the settings", async {
            let mut transaction = self.writer().begin().await?;
            for (name, BeforeAfter { after, .. }) in changes {
                let change = match after {
                    Some(value) => query(
                        "INSERT INTO settings (name, value, changed_utc_ms) VALUES (?, ?, ?) ON CONFLICT (name) DO \
                         UPDATE SET value = excluded.value, changed_utc_ms = excluded.changed_utc_ms",
                    )
                    .bind(name)
                    .bind(value)
                    .bind(at.0),
                    None => query("DELETE FROM settings WHERE name = ?").bind(name),
                };
                change.execute(&mut *transaction).await?;
            }
            let kept = query("INSERT INTO setting_changes (at_utc_ms, who, changes) VALUES (?, ?, ?)");
            kept.bind(at.0).bind(who).bind(&json).execute(&mut *transaction).await?;
            query(
                "DELETE FROM setting_changes WHERE id <= (SELECT max(id) FROM setting_changes) - ?",
            )
            .bind(CHANGES_KEPT)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await
        })
        .await
    }

    /// Forgets what earlier versions noted of secrets that were changed.
    pub async fn forget_old_secrets(
        &self,
        is_secret: &(dyn Fn(&str) -> bool + Send + Sync),
    ) -> Result<(), StoreError> {
        within("forgetting old passwords", async {
            let mut transaction = self.writer().begin().await?;
            forget_secrets(&mut transaction, is_secret).await?;
            transaction.commit().await
        })
        .await
    }

    /// The changes, the newest first. One that can't be read is left out.
    pub async fn settings_changes(&self) -> Result<Vec<SettingsChange>, StoreError> {
        within("reading the changes of the settings", async {
            let sql = "SELECT id, at_utc_ms, who, changes FROM setting_changes ORDER BY id DESC";
            let mut changes = Vec::new();
            for row in query(sql).fetch_all(self.readers()).await? {
                let json: String = row.try_get(3)?;
                if let Ok(of_it) = serde_json::from_str(&json) {
                    let at = UtcMillis(row.try_get(1)?);
                    changes.push(SettingsChange {
                        id: row.try_get(0)?,
                        at,
                        who: row.try_get(2)?,
                        changes: of_it,
                    });
                }
            }
            Ok(changes)
        })
        .await
    }
}
