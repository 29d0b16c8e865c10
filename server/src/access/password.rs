//! The household's password: Argon2id with the parameters that OWASP recommends
//! (<https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>: 19 MiB, two passes, one lane).

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

/// The shortest that is taken, in characters.
pub(crate) const SHORTEST: usize = 8;
/// The longest that is taken, in bytes.
pub(crate) const LONGEST: usize = 256;

/// One at a time: a hash takes 19 MiB and all of a core, and the miner's controller comes first.
static HASHING: Semaphore = Semaphore::const_new(1);

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
#[error("the password can't be hashed: {0}")]
pub(super) struct CantHash(String);

fn argon2id() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

/// The hash of a password, as a PHC string.
pub(crate) async fn hash(password: String) -> Result<String, CantHash> {
    work(move || {
        let hash = argon2id().hash_password(password.as_bytes());
        hash.map(|hash| hash.to_string()).map_err(|error| CantHash(error.to_string()))
    })
    .await
    .unwrap_or_else(|| Err(CantHash("the program is ending".to_owned())))
}

/// Whether a password has this hash. What is no hash is nobody's.
pub(crate) async fn is(password: String, hash: String) -> bool {
    work(move || {
        PasswordHash::new(&hash)
            .is_ok_and(|hash| argon2id().verify_password(password.as_bytes(), &hash).is_ok())
    })
    .await
    .unwrap_or(false)
}

async fn work<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _turn = HASHING.acquire().await.ok()?;
    tokio::task::spawn_blocking(work).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_knows_its_password_and_no_other() {
        let made = hash("correct horse".to_owned()).await.unwrap();
        assert!(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{made}");
        assert!(is("correct horse".to_owned(), made.clone()).await);
        assert!(!is("correct horsf".to_owned(), made.clone()).await);
        assert_ne!(hash("correct horse".to_owned()).await.unwrap(), made, "each has a salt of its own");
        for nonsense in ["", "correct horse", "$argon2id$"] {
            assert!(!is("correct horse".to_owned(), nonsense.to_owned()).await, "{nonsense}");
        }
    }
}
