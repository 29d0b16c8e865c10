//! Who may change something: the household by its password, browsers that are signed in, programs with a token.
//!
//! What is needed at the door is in memory, and the database follows: whoever is signed in can switch off a miner while
//! the disk fails. Without a database nobody can sign in anew, and nobody can become the owner of a house by breaking its
//! disk.

mod backoff;
mod gate;
mod password;
mod rate;
mod scope;
mod secret;
mod visitor;

#[cfg(test)]
pub(crate) use gate::needed;
pub(crate) use gate::{ACCOUNT, DATA, Done, Gate, RESTORE, SETTINGS, cookies, gate, local, mark};
pub use scope::{NoSuchScope, Scope};
pub use secret::NoRandomness;
pub(crate) use visitor::Visitor;

use backoff::{Backoff, Tries};
use model::UtcMillis;
use secret::NewSecret;
use std::{
    collections::VecDeque,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use store::{
    MetaKey, Store, StoreError,
    access::{AuditEntry, SecretHash, Session, Token},
};

const DAY: i64 = 86_400_000;
/// A session ends when it wasn't used for so long ...
const IDLE: i64 = 30 * DAY;
/// ... and after so long in any case.
const LONGEST: i64 = 365 * DAY;
/// How exactly the time of the last use is kept: a write for each request would wear the memory card.
const SEEN_EVERY: i64 = 10 * 60_000;
/// The most sessions; the one that wasn't used for longest ends for a new one.
const MOST_SESSIONS: usize = 100;
/// The most tokens.
const MOST_TOKENS: usize = 50;
/// The most characters of a token's name.
const LONGEST_NAME: usize = 60;
/// The most browsers that are known from an earlier sign-in; the oldest is forgotten for a new one.
const MOST_KNOWN: usize = 200;

/// The time between two refusals of strangers at one address that are told, in milliseconds.
const REFUSALS_APART: i64 = 60_000;
/// Lines of the audit list that are told.
const AUDIT_TOLD: u32 = 100;

/// The browsers that were signed in once, by the hash of the mark they hold, as hexadecimal digits.
pub(crate) const KNOWN: MetaKey<VecDeque<String>> = MetaKey::new("known_browsers");

/// Whether there is anything to protect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Everybody may everything: the house is made up.
    Open,
    /// Who changes something says who they are.
    Guarded {
        /// Who looks, too.
        reading: bool,
    },
}

/// Who may change something. A handle: clones are the same.
#[derive(Clone)]
pub struct Access {
    inner: Arc<Inner>,
}

struct Inner {
    door: Door,
    store: Option<Store>,
    now: Box<dyn Fn() -> UtcMillis + Send + Sync>,
    memory: Mutex<Memory>,
}

struct Memory {
    password: Option<String>,
    claim: Option<NewSecret>,
    sessions: Vec<Session>,
    tokens: Vec<Token>,
    known: VecDeque<String>,
    /// The newest of the audit list, newest first.
    audit: VecDeque<AuditEntry>,
    backoff: Backoff,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    /// What they may do; `None`, if nobody knows them.
    pub(crate) scope: Option<Scope>,
    /// As the audit list calls them.
    pub(crate) name: String,
    /// Their session, if they have one.
    pub(crate) session: Option<i64>,
}

impl Who {
    /// Whether they may do what needs this scope.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scope.is_some_and(|own| own >= scope)
    }
}

/// What is told to a browser that has signed in: its session, and the mark by which it is known from then on.
#[derive(Debug)]
pub(crate) struct SignedIn {
    pub(crate) session: String,
    pub(crate) mark: Option<String>,
}

/// Why somebody isn't let in, or a change isn't made. The words are for them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The password or the code is wrong. The words are the same for both.
    #[error("That isn't right.")]
    Wrong,
    /// Too many wrong tries.
    #[error("Too many wrong tries. Try again in {}.", wait(*.seconds))]
    Wait {
        /// For so long.
        seconds: u64,
    },
    /// A new password can't be taken.
    #[error("A password has 8 to 256 characters.")]
    BadPassword,
    /// A name can't be taken.
    #[error("A name has 1 to 60 characters.")]
    BadName,
    /// There are as many as there can be.
    #[error("There are 50 tokens. Take one back first.")]
    TooMany,
    /// There is a password already.
    #[error("The house has an owner already. Sign in instead.")]
    Claimed,
    /// There is no password yet.
    #[error("The house has no owner yet. Take it over with the code that the program printed.")]
    Unclaimed,
    /// The database or the machine doesn't do its part.
    #[error("That can't be kept: the database can't be used just now.")]
    NoDatabase,
}

fn wait(seconds: u64) -> String {
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}

impl Access {
    /// What the database knows of it. `now` tells the time.
    pub async fn open(
        door: Door,
        store: Option<Store>,
        now: impl Fn() -> UtcMillis + Send + Sync + 'static,
    ) -> Self {
        let mut memory = Memory {
            password: None,
            claim: None,
            sessions: Vec::new(),
            tokens: Vec::new(),
            known: VecDeque::new(),
            audit: VecDeque::new(),
            backoff: Backoff::new(now()),
        };
        if let Some(store) = &store {
            match memory.read(store).await {
                Ok(()) if memory.password.is_none() && door != Door::Open => {
                    memory.claim = NewSecret::to_be_typed().ok();
                }
                Ok(()) => {}
                // A house whose password can't be read has one all the same.
                Err(error) => {
                    tracing::error!(%error, "nobody can sign in: what is known of it can't be read");
                }
            }
        } else if door != Door::Open {
            tracing::error!("nobody can sign in: the database can't be used");
        }
        Self { inner: Arc::new(Inner { door, store, now: Box::new(now), memory: Mutex::new(memory) }) }
    }

    /// The code with which somebody takes over a house that has no password yet.
    pub fn claim_code(&self) -> Option<String> {
        self.memory().claim.as_ref().map(|code| code.tell().to_owned())
    }

    pub(crate) fn door(&self) -> Door {
        self.inner.door
    }

    /// Whether nobody has taken over the house yet.
    pub(crate) fn is_unclaimed(&self) -> bool {
        self.memory().claim.is_some()
    }

    /// Who shows this cookie or this token.
    pub(crate) fn who(&self, cookie: Option<&str>, token: Option<&str>) -> Who {
        if self.inner.door == Door::Open {
            return Who { scope: Some(Scope::Admin), name: "demo".to_owned(), session: None };
        }
        let now = self.now();
        let mut memory = self.memory();
        // A program that shows a token is that token, or nobody.
        if let Some(token) = token {
            let hash = secret::hash(token);
            let found = memory.tokens.iter_mut().find(|known| known.hash == hash);
            return found.map_or_else(nobody, |found| {
                if found.used.is_none_or(|used| is_due(used, now)) {
                    found.used = Some(now);
                    let id = found.id;
                    self.later(move |store| async move { store.use_token(id, now).await });
                }
                Who {
                    scope: found.scope.parse().ok(),
                    name: format!("token {} ({})", found.id, found.name),
                    session: None,
                }
            });
        }
        let hash = cookie.map(secret::hash);
        let found = memory.sessions.iter_mut().find(|known| Some(known.hash) == hash && is_alive(known, now));
        found.map_or_else(nobody, |found| {
            if is_due(found.seen, now) {
                found.seen = now;
                let id = found.id;
                self.later(move |store| async move { store.see_session(id, now).await });
            }
            Who { scope: Some(Scope::Admin), name: format!("session {}", found.id), session: Some(found.id) }
        })
    }

    /// Takes over a house that has no password yet: whoever reads the code on the machine is its owner.
    pub(crate) async fn claim(
        &self,
        code: &str,
        password: &str,
        visitor: &Visitor,
        mark: Option<&str>,
    ) -> Result<SignedIn, Refusal> {
        let tries = self.tries(visitor, mark);
        {
            let (now, mut memory) = (self.now(), self.memory());
            let Some(claim) = &memory.claim else { return Err(Refusal::Claimed) };
            let is_right = secret::hash(&secret::as_told(code)) == claim.hash();
            if let Some(seconds) = memory.backoff.wait(tries, now) {
                return Err(Refusal::Wait { seconds });
            }
            if !is_right {
                memory.backoff.wrong(tries, now);
                return Err(Refusal::Wrong);
            }
        }
        self.set_password(password).await?;
        self.begin(visitor, mark, tries).await
    }

    /// Begins a session.
    pub(crate) async fn sign_in(
        &self,
        password: &str,
        visitor: &Visitor,
        mark: Option<&str>,
    ) -> Result<SignedIn, Refusal> {
        let tries = self.tries(visitor, mark);
        self.check(password, tries).await?;
        self.begin(visitor, mark, tries).await
    }

    /// Sets another password. Every other session ends; that of the browser that did it goes on under a new name.
    pub(crate) async fn change_password(
        &self,
        old: &str,
        new: &str,
        visitor: &Visitor,
        mark: Option<&str>,
    ) -> Result<SignedIn, Refusal> {
        let tries = self.tries(visitor, mark);
        self.check(old, tries).await?;
        self.set_password(new).await?;
        self.begin(visitor, mark, tries).await
    }

    /// Sets the password, whatever it was, and ends every session.
    pub async fn set_password(&self, password: &str) -> Result<(), Refusal> {
        if password.chars().count() < password::SHORTEST || password.len() > password::LONGEST {
            return Err(Refusal::BadPassword);
        }
        let store = self.inner.store.as_ref().ok_or(Refusal::NoDatabase)?;
        let hash = password::hash(password.to_owned()).await.map_err(|error| {
            tracing::error!(%error);
            Refusal::NoDatabase
        })?;
        store.set_password(&hash, self.now()).await.map_err(|error| unkept(&error))?;
        let mut memory = self.memory();
        memory.password = Some(hash);
        memory.claim = None;
        memory.sessions.clear();
        Ok(())
    }

    /// Whether whoever asks knows the password, where there is one to know: for what a session alone isn't enough for.
    pub(crate) async fn confirm(
        &self,
        password: &str,
        visitor: &Visitor,
        mark: Option<&str>,
    ) -> Result<(), Refusal> {
        if self.inner.door == Door::Open {
            return Ok(());
        }
        self.check(password, self.tries(visitor, mark)).await
    }

    /// Ends a session.
    pub(crate) fn end_session(&self, id: i64) {
        self.memory().sessions.retain(|session| session.id != id);
        self.later(move |store| async move { store.end_session(id).await });
    }

    /// Ends every session but this one.
    pub(crate) fn end_other_sessions(&self, own: Option<i64>) {
        let others: Vec<i64> = self.sessions().iter().map(|session| session.id).collect();
        others.into_iter().filter(|id| Some(*id) != own).for_each(|id| self.end_session(id));
    }

    /// The sessions, the one used last first.
    pub(crate) fn sessions(&self) -> Vec<Session> {
        let now = self.now();
        let mut sessions = self.memory().sessions.clone();
        sessions.retain(|session| is_alive(session, now));
        sessions.sort_by_key(|session| std::cmp::Reverse((session.seen, session.id)));
        sessions
    }

    /// Makes a token: it is told now and never again.
    pub async fn make_token(&self, name: &str, scope: Scope) -> Result<String, Refusal> {
        let name: String = name.trim().chars().filter(|letter| !letter.is_control()).collect();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(Refusal::BadName);
        }
        if self.memory().tokens.len() >= MOST_TOKENS {
            return Err(Refusal::TooMany);
        }
        let store = self.inner.store.as_ref().ok_or(Refusal::NoDatabase)?;
        let secret = NewSecret::new("wmc_").map_err(|_| Refusal::NoDatabase)?;
        let (hash, scope, made) = (secret.hash(), scope.word().to_owned(), self.now());
        let mut token = Token { id: 0, hash, name, scope, made, used: None };
        token.id = store.add_token(&token).await.map_err(|error| unkept(&error))?;
        self.memory().tokens.push(token);
        Ok(secret.tell().to_owned())
    }

    /// Takes a token back.
    pub(crate) fn remove_token(&self, id: i64) {
        self.memory().tokens.retain(|token| token.id != id);
        self.later(move |store| async move { store.remove_token(id).await });
    }

    /// The tokens, the newest first.
    pub(crate) fn tokens(&self) -> Vec<Token> {
        self.memory().tokens.iter().rev().cloned().collect()
    }

    /// Adds a refusal to the audit list; of strangers at the same address only one a minute, so that nobody who isn't known
    /// can wear the memory card or drive out of the list what was changed.
    pub(crate) fn note_refusal(&self, who: &Who, visitor: &Visitor, what: String, outcome: String) {
        let (now, address) = (self.now(), visitor.address.to_string());
        let is_told = |entry: &AuditEntry| {
            entry.address == address
                && entry.outcome.starts_with("refused")
                && now.millis_since(entry.at).abs() < REFUSALS_APART
        };
        if who.scope.is_none() && self.memory().audit.iter().any(is_told) {
            return;
        }
        self.note(who, visitor, what, outcome);
    }

    /// Adds to the audit list.
    pub(crate) fn note(&self, who: &Who, visitor: &Visitor, what: String, outcome: String) {
        let entry = AuditEntry {
            at: self.now(),
            who: who.name.clone(),
            address: visitor.address.to_string(),
            what,
            outcome,
        };
        {
            let mut memory = self.memory();
            memory.audit.push_front(entry.clone());
            memory.audit.truncate(AUDIT_TOLD as usize);
        }
        tracing::info!(
            who = entry.who,
            address = entry.address,
            what = entry.what,
            outcome = entry.outcome,
            "audit"
        );
        self.later(move |store| async move { store.add_audit(&entry).await });
    }

    /// The newest of the audit list, newest first.
    pub(crate) fn audit(&self) -> Vec<AuditEntry> {
        self.memory().audit.iter().cloned().collect()
    }

    /// Whether this is the password. A wrong one costs as much as a right one.
    async fn check(&self, password: &str, tries: Tries) -> Result<(), Refusal> {
        let hash = {
            let (now, mut memory) = (self.now(), self.memory());
            if memory.claim.is_some() {
                return Err(Refusal::Unclaimed);
            }
            if let Some(seconds) = memory.backoff.wait(tries, now) {
                return Err(Refusal::Wait { seconds });
            }
            // Counted before it is known: many at once are many tries.
            memory.backoff.wrong(tries, now);
            memory.password.clone()
        };
        let hash = hash.ok_or(Refusal::NoDatabase)?;
        let password: String = password.chars().take(password::LONGEST).collect();
        if !password::is(password, hash).await {
            return Err(Refusal::Wrong);
        }
        self.memory().backoff.right(tries);
        Ok(())
    }

    async fn begin(&self, visitor: &Visitor, mark: Option<&str>, tries: Tries) -> Result<SignedIn, Refusal> {
        let store = self.inner.store.as_ref().ok_or(Refusal::NoDatabase)?;
        let secret = NewSecret::new("").map_err(|_| Refusal::NoDatabase)?;
        let now = self.now();
        let mut session = Session {
            id: 0,
            hash: secret.hash(),
            begun: now,
            seen: now,
            address: visitor.address.to_string(),
            browser: visitor.browser.clone(),
        };
        session.id = store.add_session(&session).await.map_err(|error| unkept(&error))?;
        let ended: Vec<i64> = {
            let mut memory = self.memory();
            memory.backoff.right(tries);
            let mut ended: Vec<i64> =
                memory.sessions.iter().filter(|known| !is_alive(known, now)).map(|known| known.id).collect();
            if memory.sessions.len() - ended.len() >= MOST_SESSIONS {
                ended.extend(memory.sessions.iter().min_by_key(|known| known.seen).map(|known| known.id));
            }
            memory.sessions.push(session);
            ended
        };
        for id in ended {
            self.end_session(id);
        }
        let is_known = matches!(tries, Tries::Known(_)) && mark.is_some();
        let mark = if is_known { None } else { self.know().await };
        Ok(SignedIn { session: secret.tell().to_owned(), mark })
    }

    /// Makes a mark by which a browser is known from now on. It opens nothing: its wrong tries are its own.
    async fn know(&self) -> Option<String> {
        let mark = NewSecret::new("").ok()?;
        let known = {
            let mut memory = self.memory();
            memory.known.push_back(hex(&mark.hash()));
            while memory.known.len() > MOST_KNOWN {
                memory.known.pop_front();
            }
            memory.known.clone()
        };
        let store = self.inner.store.as_ref()?;
        if let Err(error) = store.put_meta(&KNOWN, &known).await {
            tracing::warn!(%error, "a browser isn't known after the next start");
        }
        Some(mark.tell().to_owned())
    }

    /// Whose tries these are.
    fn tries(&self, visitor: &Visitor, mark: Option<&str>) -> Tries {
        let hash = mark.map(secret::hash);
        let known = hash.filter(|hash| self.memory().known.contains(&hex(hash)));
        known.map_or_else(|| Tries::from(visitor.address), Tries::Known)
    }

    pub(crate) fn now(&self) -> UtcMillis {
        (self.inner.now)()
    }

    /// Nothing is left half done under this lock.
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.inner.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes something down that counts already.
    fn later<F>(&self, write: impl FnOnce(Store) -> F + Send + 'static)
    where
        F: Future<Output = Result<(), StoreError>> + Send,
    {
        let Some(store) = self.inner.store.clone() else { return };
        tokio::spawn(async move {
            if let Err(error) = write(store).await {
                tracing::warn!(%error, "it counts until the next start");
            }
        });
    }
}

impl Memory {
    async fn read(&mut self, store: &Store) -> Result<(), StoreError> {
        self.password = store.password().await?;
        self.sessions = store.sessions().await?;
        self.tokens = store.tokens().await?;
        self.known = store.meta(&KNOWN).await?.unwrap_or_default();
        self.audit = store.audit(AUDIT_TOLD).await?.into();
        Ok(())
    }
}

fn nobody() -> Who {
    Who { scope: None, name: "nobody".to_owned(), session: None }
}

/// A name that nobody guesses.
pub(crate) fn new_name() -> Result<String, NoRandomness> {
    Ok(NewSecret::new("")?.tell().to_owned())
}

/// Whether a session counts. One from a time to come was begun by a clock that was wrong.
fn is_alive(session: &Session, now: UtcMillis) -> bool {
    let (idle, age) = (now.millis_since(session.seen), now.millis_since(session.begun));
    idle < IDLE && (-DAY..LONGEST).contains(&age)
}

fn is_due(last: UtcMillis, now: UtcMillis) -> bool {
    now.millis_since(last).abs() >= SEEN_EVERY
}

fn hex(hash: &SecretHash) -> String {
    hash.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn unkept(error: &StoreError) -> Refusal {
    tracing::error!(%error);
    Refusal::NoDatabase
}
