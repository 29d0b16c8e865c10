//! Single values that belong to no table, each under a key that knows its type.

use crate::{Store, StoreError, within};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{query, query_scalar};
use std::marker::PhantomData;

/// The name of a single value, with its type: the same key can't be written as one type and read as another.
///
/// ```
/// use model::MonoTime;
/// const LAST_MONO: store::MetaKey<MonoTime> = store::MetaKey::new("last_mono");
/// ```
#[derive(Debug)]
pub struct MetaKey<T> {
    name: &'static str,
    value: PhantomData<fn(T) -> T>,
}

impl<T> MetaKey<T> {
    /// The key with this name; names are unique in the program.
    pub const fn new(name: &'static str) -> Self {
        Self { name, value: PhantomData }
    }

    /// The name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl Store {
    /// Keeps `value` under `key`, in place of the last.
    pub async fn put_meta<T: Serialize>(&self, key: &MetaKey<T>, value: &T) -> Result<(), StoreError> {
        let doing = "saving a value";
        let json = serde_json::to_string(value)
            .map_err(|error| StoreError::Unfit { doing, why: format!("{}: {error}", key.name) })?;
        within(doing, async {
            query("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
                .bind(key.name)
                .bind(json)
                .execute(self.writer())
                .await?;
            Ok(())
        })
        .await
    }

    /// The value under `key`; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] if another version wrote something this one can't read.
    pub async fn meta<T: DeserializeOwned>(&self, key: &MetaKey<T>) -> Result<Option<T>, StoreError> {
        let doing = "reading a value";
        let json: Option<String> = within(doing, async {
            query_scalar("SELECT value FROM meta WHERE key = ?")
                .bind(key.name)
                .fetch_optional(self.readers())
                .await
        })
        .await?;
        json.map(|json| serde_json::from_str(&json))
            .transpose()
            .map_err(|error| StoreError::Unfit { doing, why: format!("{}: {error}", key.name) })
    }
}
