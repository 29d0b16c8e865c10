//! Who may change something, and who did: the household's password, sessions, tokens and the audit list. Of secrets only
//! hashes come here; what they mean is for the caller to say.

use crate::{MOST_ROWS, Store, StoreError, within};
use model::UtcMillis;
use sqlx::{Row, query, query_scalar, sqlite::SqliteRow};

/// The SHA-256 of a secret that is random enough to need no slower hash.
pub type SecretHash = [u8; 32];

/// How many entries the audit list keeps; the oldest are forgotten.
const AUDIT_KEEPS: i64 = 10_000;

/// A session of a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its number.
    pub id: i64,
    /// The hash of what the browser holds.
    pub hash: SecretHash,
    /// When it was begun.
    pub begun: UtcMillis,
    /// When it was used last, more or less.
    pub seen: UtcMillis,
    /// From where it was begun.
    pub address: String,
    /// What the browser calls itself.
    pub browser: String,
}

/// A token of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// The hash of what the program holds.
    pub hash: SecretHash,
    /// What a person calls it.
    pub name: String,
    /// What it may do, in the caller's words.
    pub scope: String,
    /// When it was made.
    pub made: UtcMillis,
    /// When it was used last, more or less.
    pub used: Option<UtcMillis>,
}

/// A line of the audit list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: UtcMillis,
    /// Who: a session, a token, or nobody that is known.
    pub who: String,
    /// From where.
    pub address: String,
    /// What was asked for.
    pub what: String,
    /// What became of it.
    pub outcome: String,
}

impl Store {
    /// The hash of the household's password; `None` as long as there is none.
    pub async fn password(&self) -> Result<Option<String>, StoreError> {
        within("reading the password", async {
            query_scalar("SELECT hash FROM password").fetch_optional(self.readers()).await
        })
        .await
    }

    /// Keeps the hash of the household's password in place of the last, and ends every session: whoever knew the old one
    /// has to know the new one.
    pub async fn set_password(&self, hash: &str, at: UtcMillis) -> Result<(), StoreError> {
        within("saving the password", async {
            let mut transaction = self.writer().begin().await?;
            query(
                "INSERT INTO password (id, hash, changed_utc_ms) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET \
                 hash = excluded.hash, changed_utc_ms = excluded.changed_utc_ms",
            )
            .bind(hash)
            .bind(at.0)
            .execute(&mut *transaction)
            .await?;
            query("DELETE FROM sessions").execute(&mut *transaction).await?;
            transaction.commit().await
        })
        .await
    }

    /// Keeps a session, and gives it its number: what stands in `session.id` counts nothing.
    pub async fn add_session(&self, session: &Session) -> Result<i64, StoreError> {
        within("saving a session", async {
            let added = query(
                "INSERT INTO sessions (hash, begun_utc_ms, seen_utc_ms, address, browser) VALUES (?, ?, ?, ?, ?)",
            )
            .bind(session.hash.as_slice())
            .bind(session.begun.0)
            .bind(session.seen.0)
            .bind(&session.address)
            .bind(&session.browser)
            .execute(self.writer())
            .await?;
            Ok(added.last_insert_rowid())
        })
        .await
    }

    /// A session was used.
    pub async fn see_session(&self, id: i64, at: UtcMillis) -> Result<(), StoreError> {
        within("saving a session", async {
            let seen = query("UPDATE sessions SET seen_utc_ms = ? WHERE id = ?").bind(at.0).bind(id);
            seen.execute(self.writer()).await.map(drop)
        })
        .await
    }

    /// All sessions, in the order of their numbers.
    pub async fn sessions(&self) -> Result<Vec<Session>, StoreError> {
        within("reading the sessions", async {
            let rows = query("SELECT * FROM sessions ORDER BY id").fetch_all(self.readers()).await?;
            rows.iter().map(session).collect()
        })
        .await
    }

    /// Ends a session. One that isn't there has ended already.
    pub async fn end_session(&self, id: i64) -> Result<(), StoreError> {
        within("ending a session", async {
            query("DELETE FROM sessions WHERE id = ?").bind(id).execute(self.writer()).await.map(drop)
        })
        .await
    }

    /// Keeps a token, and gives it its number: what stands in `token.id` counts nothing.
    pub async fn add_token(&self, token: &Token) -> Result<i64, StoreError> {
        within("saving a token", async {
            let added = query("INSERT INTO tokens (hash, name, scope, made_utc_ms) VALUES (?, ?, ?, ?)")
                .bind(token.hash.as_slice())
                .bind(&token.name)
                .bind(&token.scope)
                .bind(token.made.0)
                .execute(self.writer())
                .await?;
            Ok(added.last_insert_rowid())
        })
        .await
    }

    /// A token was used.
    pub async fn use_token(&self, id: i64, at: UtcMillis) -> Result<(), StoreError> {
        within("saving a token", async {
            let used = query("UPDATE tokens SET used_utc_ms = ? WHERE id = ?").bind(at.0).bind(id);
            used.execute(self.writer()).await.map(drop)
        })
        .await
    }

    /// All tokens, in the order of their numbers.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        within("reading the tokens", async {
            let rows = query("SELECT * FROM tokens ORDER BY id").fetch_all(self.readers()).await?;
            rows.iter().map(token).collect()
        })
        .await
    }

    /// Takes a token back. One that isn't there is taken back already.
    pub async fn remove_token(&self, id: i64) -> Result<(), StoreError> {
        within("taking a token back", async {
            query("DELETE FROM tokens WHERE id = ?").bind(id).execute(self.writer()).await.map(drop)
        })
        .await
    }

    /// Adds to the audit list.
    pub async fn add_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        within("writing the audit list", async {
            let added =
                query("INSERT INTO audit (at_utc_ms, who, address, what, outcome) VALUES (?, ?, ?, ?, ?)")
                    .bind(entry.at.0)
                    .bind(&entry.who)
                    .bind(&entry.address)
                    .bind(&entry.what)
                    .bind(&entry.outcome)
                    .execute(self.writer())
                    .await?;
            // A hundred at a time: a commit that removes touches more pages than one that adds.
            let id = added.last_insert_rowid();
            if id % 100 == 0 {
                let old = query("DELETE FROM audit WHERE id <= ?").bind(id - AUDIT_KEEPS);
                old.execute(self.writer()).await?;
            }
            Ok(())
        })
        .await
    }

    /// The newest of the audit list, newest first, at most [`MOST_ROWS`].
    pub async fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        within("reading the audit list", async {
            let newest = query("SELECT * FROM audit ORDER BY id DESC LIMIT ?").bind(limit.min(MOST_ROWS));
            let rows = newest.fetch_all(self.readers()).await?;
            rows.iter().map(audit_entry).collect()
        })
        .await
    }
}

fn session(row: &SqliteRow) -> Result<Session, sqlx::Error> {
    Ok(Session {
        id: row.try_get("id")?,
        hash: hash(row)?,
        begun: UtcMillis(row.try_get("begun_utc_ms")?),
        seen: UtcMillis(row.try_get("seen_utc_ms")?),
        address: row.try_get("address")?,
        browser: row.try_get("browser")?,
    })
}

fn token(row: &SqliteRow) -> Result<Token, sqlx::Error> {
    Ok(Token {
        id: row.try_get("id")?,
        hash: hash(row)?,
        name: row.try_get("name")?,
        scope: row.try_get("scope")?,
        made: UtcMillis(row.try_get("made_utc_ms")?),
        used: row.try_get::<Option<i64>, _>("used_utc_ms")?.map(UtcMillis),
    })
}

fn audit_entry(row: &SqliteRow) -> Result<AuditEntry, sqlx::Error> {
    Ok(AuditEntry {
        at: UtcMillis(row.try_get("at_utc_ms")?),
        who: row.try_get("who")?,
        address: row.try_get("address")?,
        what: row.try_get("what")?,
        outcome: row.try_get("outcome")?,
    })
}

fn hash(row: &SqliteRow) -> Result<SecretHash, sqlx::Error> {
    let bytes: Vec<u8> = row.try_get("hash")?;
    bytes.try_into().map_err(|_| sqlx::Error::Decode("a hash of another length".into()))
}
