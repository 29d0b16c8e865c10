//! The device behind the port: board, faults and log under one lock.

use super::{
    AxeosSetup, Faults, Received,
    http::{Request, Sockets},
    log::Log,
    machine::Machine,
    routes::{self, Answer},
};
use crate::TimeSource;
use model::UtcMillis;
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

/// One simulated device.
pub(super) struct Device {
    pub(super) setup: AxeosSetup,
    time: TimeSource,
    state: Mutex<State>,
    /// The connections that are open.
    pub(super) sockets: Sockets,
    /// Held while a request is answered: there is one task for all.
    pub(super) serving: tokio::sync::Mutex<()>,
    /// The number of the last request in the log.
    pub(super) requests: watch::Sender<u64>,
    /// Counts what may have changed whether the device is on the network.
    pub(super) network: watch::Sender<u64>,
}

/// What is behind the lock.
pub(super) struct State {
    pub(super) machine: Machine,
    pub(super) faults: Faults,
    pub(super) log: Log,
    /// Hash rate (GH/s) and shares at which a device that hangs stands still.
    pub(super) flat: Option<(f64, u64)>,
    latest: UtcMillis,
}

impl Device {
    pub(super) fn new(setup: AxeosSetup, time: TimeSource) -> Self {
        let now = time();
        let machine = Machine::new(setup.profile, setup.seed, setup.mining, now);
        let state =
            State { machine, faults: Faults::default(), log: Log::default(), flat: None, latest: now };
        Self {
            setup,
            time,
            state: Mutex::new(state),
            sockets: Sockets::default(),
            serving: tokio::sync::Mutex::default(),
            requests: watch::Sender::new(0),
            network: watch::Sender::new(0),
        }
    }

    /// Looks at the device now.
    pub(super) fn visit<T>(&self, visitor: impl FnOnce(&mut State, UtcMillis) -> T) -> T {
        self.visit_at(None, visitor)
    }

    /// Looks at the device at an instant, or now. It never goes back in time.
    pub(super) fn visit_at<T>(
        &self,
        at: Option<UtcMillis>,
        visitor: impl FnOnce(&mut State, UtcMillis) -> T,
    ) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // The clock is read under the lock: time doesn't go back between two visitors.
        let now = at.unwrap_or_else(|| (self.time)()).max(state.latest);
        state.latest = now;
        let presence = state.presence();
        state.machine.advance(now);
        let result = visitor(&mut state, now);
        let (present, count) = (state.presence(), state.log.count());
        drop(state);
        if present != presence {
            self.network.send_modify(|changes| *changes += 1);
        }
        self.requests.send_if_modified(|last| std::mem::replace(last, count) != count);
        result
    }

    /// Carries a request out, and says what is answered; `None` if nothing is.
    pub(super) fn answer(&self, request: &Request) -> Option<Answer> {
        self.visit(|state, now| {
            let (answer, wrote) = routes::answer(&self.setup, state, now, request);
            let answer = (!(wrote && state.faults.drop_write_replies)).then_some(answer);
            state.remember(now, request, answer.as_ref().map(|answer| answer.status));
            answer
        })
    }

    /// Writes a request into the log that never gets an answer.
    pub(super) fn ignore(&self, request: &Request) {
        self.visit(|state, now| state.remember(now, request, None));
    }
}

impl State {
    /// Whether anything answers at this device's address.
    pub(super) fn online(&self) -> bool {
        !self.faults.closed && !self.machine.rebooting()
    }

    /// Whether it is on the network, and whether it is about to leave.
    fn presence(&self) -> (bool, bool) {
        (self.online(), self.machine.restarts_soon())
    }

    pub(super) fn set_faults(&mut self, now: UtcMillis, faults: Faults) {
        self.machine.suffer(now, faults.power_fault.is_some(), faults.reboot_seconds);
        if !faults.flatline {
            self.flat = None;
        } else if self.flat.is_none() {
            self.flat = Some((self.machine.told_gigahashes(now), self.machine.shares(now)));
        }
        self.faults = faults;
    }

    fn remember(&mut self, at: UtcMillis, request: &Request, status: Option<u16>) {
        self.log.push(Received {
            number: 0,
            at,
            method: request.method.clone(),
            path: request.path.clone(),
            origin: request.origin.clone(),
            connection: request.connection.clone(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            status,
        });
    }
}
