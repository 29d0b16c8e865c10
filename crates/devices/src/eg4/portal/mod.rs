//! The monitoring portal as a [`BatterySource`].
//!
//! The portal learns from the inverter's dongle every two to five minutes and repeats the same snapshot in
//! between; sometimes it goes back to an older one. All that passes through unchanged.
//!
//! **Session.** One session at a time, opened when one is needed, after [`PortalConfig::session_refresh`], or
//! by [`BatterySource::refresh_session`]. A sign of expiry (a page, 401, 403, a redirect to the login page, a
//! refusal that speaks of the session or says nothing at all, a reading without a single value) makes it sign
//! in once and ask once more. If the new session shows the sign too, the portal has a problem, not the session:
//! the reading fails (or, where the portal answered with nothing, is a reading without values), and for a
//! quarter of an hour no sign of expiry makes it sign in again. A failed sign-in keeps the old session unless
//! the credentials were refused: maintenance looks like expiry, and passes.
//!
//! **Failures** are of three kinds. *Credentials*: only the login's own JSON refusal counts; no sign-in is
//! tried for 15 min, then 1 h, 6 h and 24 h. *Transient*: network, TLS, HTTP 5xx, pages, broken JSON; the
//! portal is left alone for 1 s, doubled up to 60 s, and for at least what it asked for (after 429, and after
//! 403 from a new session, 15 min where it doesn't say). *Data*: what concerns one inverter doesn't keep the
//! others from being read, and what an inverter doesn't support isn't asked again. During such a pause a call
//! fails without touching the network. A refresh by a person ignores all pauses.

mod account;
mod clock;
mod config;
mod fields;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod http;
mod patience;
mod reply;
mod runtime;
mod session;

pub use config::PortalConfig;

use super::bank::{self, UnitReading};
use crate::{BatterySource, DeviceError};
use account::Inverter;
use async_trait::async_trait;
use fields::Fields;
use futures::future::try_join_all;
use http::Http;
use model::{BatteryReading, MonoTime, Now, UtcMillis};
use patience::{BackOff, Refusals};
use reply::{Failure, Verdict, verdict};
use runtime::LoadSource;
use serde_json::Value;
use session::Session;
use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const RUNTIME: &str = "/WManage/api/inverter/getInverterRuntime";
const BATTERY_INFO: &str = "/WManage/api/battery/getBatteryInfo";
const PLANTS_OF_OWNER: &str = "/WManage/web/config/plant/list/viewer";
const PLANTS_OF_INSTALLER: &str = "/WManage/web/config/plant/list";
const OVERVIEW: &str = "/WManage/api/inverterOverview/list";

/// What careful clients of the portal keep to, per account.
const IN_FLIGHT: usize = 3;
/// After a renewal by age failed, the old session serves on for this long.
const RENEWAL_RETRY: Duration = Duration::from_secs(15 * 60);

/// A client of the portal. Its calls may run side by side; they share one session.
pub struct Portal {
    http: Http,
    config: PortalConfig,
    /// Never held over an await.
    state: Mutex<State>,
    /// Held while signing in, so that whoever needs a session at the same time waits for that one.
    sign_in_turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    session: Option<Arc<Session>>,
    /// When the session is to be replaced because of its age.
    renew_at: Option<MonoTime>,
    back_off: BackOff,
    refusals: Refusals,
    /// What was learnt about each inverter, by serial number.
    learnt: HashMap<String, Learnt>,
}

/// What was learnt about an inverter; it outlives the session.
#[derive(Debug, Clone, Copy, Default)]
struct Learnt {
    load: Option<LoadSource>,
    /// It doesn't support [`RUNTIME`].
    no_runtime: bool,
    /// It doesn't support [`BATTERY_INFO`].
    no_battery_info: bool,
}

/// Which present session will do for somebody who needs one.
enum Need<'a> {
    /// Any.
    Some,
    /// Any but this.
    InsteadOf(&'a Arc<Session>),
    /// None: a person wants a new one.
    New,
}

impl fmt::Debug for Portal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Portal").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Portal {
    /// Prepares a client; nothing is sent yet.
    ///
    /// # Errors
    /// [`DeviceError::Unreachable`] if the address can't be one of a portal or TLS can't be set up.
    pub fn new(config: PortalConfig) -> Result<Self, DeviceError> {
        let http = Http::new(&config.base_url, config.plain_http, config.deadlines.connect)?;
        Ok(Self { http, config, state: Mutex::default(), sign_in_turn: tokio::sync::Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a call: within its deadline, and with a pause after a failure.
    async fn settle<T>(
        &self,
        call: impl Future<Output = Result<T, DeviceError>>,
        doing: &'static str,
        deadline: Duration,
        now: Now,
    ) -> Result<T, DeviceError> {
        let in_time = tokio::time::timeout(deadline, call).await;
        let outcome = in_time.unwrap_or(Err(DeviceError::TimedOut { doing, deadline }));
        let mut state = self.state();
        match outcome {
            Ok(value) => {
                state.back_off.succeeded();
                Ok(value)
            }
            Err(error) => Err(state.back_off.failed(error, now.mono)),
        }
    }

    async fn read_battery(&self, now: Now) -> Result<BatteryReading, DeviceError> {
        let session = self.session(now).await?;
        let mut answer = self.ask_all(&session).await;
        if !shows_expiry(&answer) {
            session.has_worked();
        } else if session.may_be_replaced(now.mono) {
            tracing::debug!(sign = ?answer.as_ref().err(), "the portal's session seems to have expired");
            let renewed = self.sign_in(Need::InsteadOf(&session), now).await?;
            answer = self.ask_all(&renewed).await;
            if !shows_expiry(&answer) {
                renewed.has_worked();
            }
        }
        Ok(bank::merge(answer?))
    }

    /// The session to use: the present one, replaced if it is old, or a new one.
    async fn session(&self, now: Now) -> Result<Arc<Session>, DeviceError> {
        let (present, due) = {
            let mut state = self.state();
            let due = state.renew_at.is_some_and(|at| at <= now.mono);
            if due {
                // Set before the attempt: one that hangs must not take the next reading with it, too.
                state.renew_at = Some(now.mono + RENEWAL_RETRY);
            }
            (state.session.clone(), due)
        };
        let Some(present) = present else { return self.sign_in(Need::Some, now).await };
        if !due {
            return Ok(present);
        }
        match self.sign_in(Need::InsteadOf(&present), now).await {
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "the portal's session could not be renewed; the old one serves on");
                Ok(present)
            }
            outcome => outcome,
        }
    }

    async fn sign_in(&self, need: Need<'_>, now: Now) -> Result<Arc<Session>, DeviceError> {
        let _turn = self.sign_in_turn.lock().await;
        // Somebody else may have signed in, or been refused, while this waited for its turn.
        {
            let state = self.state();
            match (&need, &state.session) {
                (Need::Some, Some(present)) => return Ok(Arc::clone(present)),
                (Need::InsteadOf(old), Some(present)) if !Arc::ptr_eq(old, present) => {
                    return Ok(Arc::clone(present));
                }
                (Need::New, _) => {}
                _ => state.refusals.check(now.mono)?,
            }
        }
        let (user, password) = (&self.config.user, &self.config.password);
        if user.expose().is_empty() || password.expose().is_empty() {
            let words = "no user name or password for the battery's portal is configured";
            return Err(DeviceError::BadCredentials(words.to_owned()));
        }
        let opened = Session::open(&self.http, user, password, now).await;
        let mut state = self.state();
        match opened {
            Ok(session) => {
                tracing::info!("signed in to the portal");
                let session = Arc::new(session);
                state.refusals.accepted();
                state.session = Some(Arc::clone(&session));
                let refresh = self.config.session_refresh;
                state.renew_at = (!refresh.is_zero()).then(|| now.mono + refresh);
                Ok(session)
            }
            Err(DeviceError::BadCredentials(words)) => {
                state.session = None;
                state.refusals.refused(words.clone(), now.mono);
                Err(DeviceError::BadCredentials(words))
            }
            Err(error) => Err(error),
        }
    }

    /// Asks all inverters. An inverter that can't be read is a unit of which nothing is known, as long as
    /// another says something.
    async fn ask_all(&self, session: &Session) -> Result<Vec<UnitReading>, Failure> {
        let inverters = session.inverters.get_or_try_init(|| self.find_inverters(session)).await?;
        let mut units = Vec::with_capacity(inverters.len());
        let mut refusal = None;
        for group in inverters.chunks(IN_FLIGHT) {
            let answers = try_join_all(group.iter().map(|inverter| self.ask(session, inverter))).await?;
            for (inverter, answer) in group.iter().zip(answers) {
                units.push(answer.unwrap_or_else(|error| {
                    tracing::debug!(serial = inverter.serial, %error, "an inverter can't be read");
                    refusal.get_or_insert(error);
                    unknown(inverter)
                }));
            }
        }
        match refusal {
            Some(error) if units.iter().all(UnitReading::says_nothing) => Err(error.into()),
            _ => Ok(units),
        }
    }

    /// Asks one inverter. The outer error is about the session or the portal, the inner about this inverter.
    async fn ask(
        &self,
        session: &Session,
        inverter: &Inverter,
    ) -> Result<Result<UnitReading, DeviceError>, Failure> {
        let mut learnt = self.state().learnt.get(&inverter.serial).copied().unwrap_or_default();
        let outcome = self.ask_with(session, inverter, &mut learnt).await;
        self.state().learnt.insert(inverter.serial.clone(), learnt);
        outcome
    }

    async fn ask_with(
        &self,
        session: &Session,
        inverter: &Inverter,
        learnt: &mut Learnt,
    ) -> Result<Result<UnitReading, DeviceError>, Failure> {
        if learnt.no_runtime {
            let words = format!("inverter {} has no runtime data on the portal", inverter.serial);
            return Ok(Err(DeviceError::Unsupported(words)));
        }
        let form = [("serialNum", inverter.serial.as_str())];
        let reply = self.http.post(RUNTIME, &form, Some(&session.cookie)).await?;
        let mut unit = match verdict(&reply.json()?)? {
            Verdict::Data(fields) => runtime::unit(fields, inverter, &mut learnt.load),
            Verdict::Nothing => unknown(inverter),
            Verdict::Refused(error) => {
                learnt.no_runtime = matches!(error, DeviceError::Unsupported(_));
                return Ok(Err(error));
            }
        };
        unit.source_clock = reply.clock;
        if unit.soc.is_none() && !unit.lost && !unit.says_nothing() && !learnt.no_battery_info {
            let reply = self.http.post(BATTERY_INFO, &form, Some(&session.cookie)).await?;
            match verdict(&reply.json()?)? {
                // Its `capacityPercent` isn't a substitute: it is 0 where the modules don't report.
                Verdict::Data(battery) => {
                    unit.soc = battery.number("soc");
                    unit.lost = battery.flag("lost") == Some(true);
                }
                Verdict::Refused(DeviceError::Unsupported(_)) => learnt.no_battery_info = true,
                Verdict::Refused(_) | Verdict::Nothing => {}
            }
        }
        Ok(Ok(unit))
    }

    /// The inverters to read: from what the login told, else from the portal's lists.
    async fn find_inverters(&self, session: &Session) -> Result<Vec<Inverter>, Failure> {
        let (account, wanted) = (&session.account, self.config.plant);
        let told = !account.plants.is_empty()
            && wanted.is_none_or(|id| account.plants.iter().any(|plant| plant.id == id));
        let mut inverters = if !self.config.inverters.is_empty() {
            account::choose_inverters(&account.plants, &self.config.inverters)
        } else if told {
            account::choose_plant(&account.plants, wanted)?.inverters.clone()
        } else {
            self.list_inverters(session).await?
        };
        let mut seen = HashSet::new();
        inverters.retain(|inverter| seen.insert(inverter.serial.clone()));
        if inverters.is_empty() {
            return Err(DeviceError::WrongDevice("the portal's account shows no inverter".to_owned()).into());
        }
        Ok(inverters)
    }

    async fn list_inverters(&self, session: &Session) -> Result<Vec<Inverter>, Failure> {
        let path = if session.account.owner { PLANTS_OF_OWNER } else { PLANTS_OF_INSTALLER };
        let form =
            [("sort", "createDate"), ("order", "desc"), ("searchText", ""), ("page", "1"), ("rows", "20")];
        let plants = self.list(session, path, &form).await?;
        let plants = Fields::of(&plants).map(account::plants_of_list).unwrap_or_default();
        let plant = account::choose_plant(&plants, self.config.plant)?;
        let id = plant.id.to_string();
        let form =
            [("page", "1"), ("rows", "30"), ("plantId", &id), ("searchText", ""), ("statusText", "all")];
        let overview = self.list(session, OVERVIEW, &form).await?;
        let inverters = Fields::of(&overview).map(|rows| account::inverters_of_overview(rows, plant.offset));
        Ok(inverters.unwrap_or_default())
    }

    async fn list(&self, session: &Session, path: &str, form: &[(&str, &str)]) -> Result<Value, Failure> {
        let json = self.http.post(path, form, Some(&session.cookie)).await?.json()?;
        match verdict(&json)? {
            Verdict::Data(_) => Ok(json),
            Verdict::Nothing => Err(Failure::Expired(reply::Sign::Words)),
            Verdict::Refused(error) => Err(error.into()),
        }
    }
}

fn unknown(inverter: &Inverter) -> UnitReading {
    UnitReading { serial: inverter.serial.clone(), model: inverter.model.clone(), ..UnitReading::default() }
}

/// Whether an answer looks like that of an expired session. Silence counts only if all inverters are silent.
fn shows_expiry(answer: &Result<Vec<UnitReading>, Failure>) -> bool {
    match answer {
        Ok(units) => units.iter().all(UnitReading::says_nothing),
        Err(Failure::Expired(_)) => true,
        Err(Failure::Device(_)) => false,
    }
}

#[async_trait]
impl BatterySource for Portal {
    async fn read(&self, now: Now) -> Result<BatteryReading, DeviceError> {
        self.state().back_off.check(now.mono)?;
        let deadline = self.config.deadlines.read;
        self.settle(self.read_battery(now), "reading the battery from the portal", deadline, now).await
    }

    async fn refresh_session(&self, now: Now) -> Result<(), DeviceError> {
        let signed_in = async { self.sign_in(Need::New, now).await.map(drop) };
        self.settle(signed_in, "signing in to the portal", self.config.deadlines.write, now).await
    }

    fn session_since(&self) -> Option<UtcMillis> {
        self.state().session.as_ref().map(|session| session.began.utc)
    }

    fn shortest_poll(&self) -> Duration {
        self.config.poll_floor
    }
}
