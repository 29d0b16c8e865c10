//! Signing in, and what a session is. Whether and when to sign in is the caller's decision.

use super::{
    account::{Account, Inverter},
    fields::Fields,
    http::Http,
    reply::is_busy,
};
use crate::{DeviceError, Secret};
use model::{MonoTime, Now};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::sync::OnceCell;

const LOGIN: &str = "/WManage/api/login";
/// After a session that never worked, the next is opened no sooner than this after it.
const REST: Duration = Duration::from_secs(15 * 60);

/// A session of the account. It has no `Debug`: nothing in it is for a log.
pub(super) struct Session {
    pub(super) cookie: Secret,
    pub(super) began: Now,
    pub(super) account: Account,
    /// The inverters to be read, once they are known.
    pub(super) inverters: OnceCell<Vec<Inverter>>,
    worked: AtomicBool,
}

impl Session {
    /// Signs in.
    pub(super) async fn open(
        http: &Http,
        user: &Secret,
        password: &Secret,
        now: Now,
    ) -> Result<Self, DeviceError> {
        let form = [("account", user.expose()), ("password", password.expose()), ("language", "ENGLISH")];
        let reply = http.post(LOGIN, &form, None).await?;
        let json = reply.json()?;
        let fields = Fields::of(&json).ok_or_else(|| {
            DeviceError::Protocol("the portal's answer to the sign-in isn't an object".to_owned())
        })?;
        if fields.flag("success") == Some(false) {
            return Err(if is_busy(fields) {
                let words = "it can't sign anybody in at the moment".to_owned();
                DeviceError::Unavailable { words, retry_after: Duration::ZERO }
            } else {
                // `LOGIN_ERROR_DISMATCH` where it has words at all. An account exists in one region only, and
                // the others answer in the same way.
                let words =
                    "the portal refuses the user name or password (or has the account in another region)";
                DeviceError::BadCredentials(words.to_owned())
            });
        }
        let cookie = reply
            .session
            .ok_or_else(|| DeviceError::Protocol("the portal signed us in but gave no session".to_owned()))?;
        Ok(Self {
            cookie,
            began: now,
            account: Account::from_login(fields),
            inverters: OnceCell::new(),
            worked: AtomicBool::new(false),
        })
    }

    /// Notes that a reading went through without a sign of expiry.
    pub(super) fn has_worked(&self) {
        self.worked.store(true, Ordering::Relaxed);
    }

    /// Whether a sign of expiry is a reason to sign in anew: from a session that has worked, yes. From one that
    /// never has, signing in again at once can't help, and would go round in circles for as long as the portal
    /// has its trouble.
    pub(super) fn may_be_replaced(&self, now: MonoTime) -> bool {
        self.worked.load(Ordering::Relaxed) || now.since(self.began.mono) >= REST
    }
}
