//! A house with a portal, a clock that stands still, and someone who asks.

use crate::http::{self, Reply};
use simulator::{
    house::{House, HouseSetup},
    portal::{PortalSetup, SimulatedPortal},
    time::SimulatedClock,
};
use std::{io, sync::Arc};

/// Ten in the morning in Denver.
const START: &str = "2026-05-01T16:00:00Z";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8");

pub(crate) struct Bench {
    pub(crate) clock: SimulatedClock,
    pub(crate) house: Arc<House>,
    pub(crate) portal: SimulatedPortal,
}

impl Bench {
    pub(crate) async fn start(portal: PortalSetup) -> Self {
        Self::start_in(HouseSetup::default(), portal).await
    }

    pub(crate) async fn start_in(house: HouseSetup, portal: PortalSetup) -> Self {
        let clock = SimulatedClock::paused(START.parse().unwrap());
        let house = Arc::new(House::new(house, clock.source()).unwrap());
        let portal = SimulatedPortal::start(portal, Arc::clone(&house), clock.source()).await.unwrap();
        Self { clock, house, portal }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Reply> {
        http::request(self.portal.addr(), method, path, headers, body).await
    }

    pub(crate) async fn login(&self, user: &str, password: &str) -> Reply {
        let form = format!("account={user}&password={password}&language=ENGLISH");
        self.send("POST", "/WManage/api/login", &[FORM], &form).await.unwrap()
    }

    /// Signs in: the cookie to come with.
    pub(crate) async fn cookie(&self) -> String {
        let reply = self.login("demo", "demo").await;
        reply.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("signed in").to_owned()
    }

    /// Asks about the first inverter.
    pub(crate) async fn ask(&self, path: &str, cookie: &str) -> Reply {
        self.ask_for(path, cookie, &self.portal.serials()[0]).await
    }

    pub(crate) async fn ask_for(&self, path: &str, cookie: &str, serial: &str) -> Reply {
        self.try_ask(path, cookie, serial).await.unwrap()
    }

    pub(crate) async fn try_ask(&self, path: &str, cookie: &str, serial: &str) -> io::Result<Reply> {
        self.send("POST", path, &[FORM, ("Cookie", cookie)], &format!("serialNum={serial}")).await
    }
}
