//! The V3 API: framed JSON over TCP port 4433. Reads need no authentication, commands carry a signature (WhatsMiner
//! API manuals V3.0.0 to V3.0.3).
//!
//! What it must not do: send a command twice whose outcome isn't known, or decide which command.

mod auth;
mod frame;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod reading;

use super::{
    WRITES_DISABLED, hold,
    json::{Fields, plain},
    order::{Confirmation, Order, redact},
    peer::{Failure, Peer, unreachable, unread},
    reading::Observation,
    sighting::Sighting,
};
use crate::{DeviceError, Secret, deadline::Deadline};
use auth::Signature;
use frame::{ReadError, Reply, frame};
use model::{MinerIdentity, Now};
use reading::Replies;
use std::sync::Mutex;
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// The manual's reply codes.
mod code {
    pub(super) const SUCCESS: i64 = 0;
    pub(super) const INVALID_COMMAND: i64 = -2;
    pub(super) const NO_PERMISSION: i64 = -4;
}

const INFO: &str = "get.device.info";

/// The V3 side of one miner. The caller serialises commands.
#[derive(Debug)]
pub(super) struct Client {
    peer: Peer,
    account: String,
    password: Secret,
    learnt: Mutex<Learnt>,
}

/// What the firmware turned out not to have.
#[derive(Debug, Clone, Copy, Default)]
struct Learnt {
    no_settings: bool,
    no_joined_status: bool,
}

impl Client {
    pub(super) fn new(peer: Peer, account: String, password: Secret) -> Self {
        Self { peer, account, password, learnt: Mutex::default() }
    }

    /// Forgets what was learnt about the device: it may be another one.
    pub(super) fn forget(&self) {
        *hold(&self.learnt) = Learnt::default();
    }

    /// Finds out whether a WhatsMiner answers, and which.
    pub(super) async fn probe(&self, deadline: Deadline) -> Result<MinerIdentity, DeviceError> {
        let mut link = Link::new(&self.peer);
        identity_of(&link.ask(INFO, None, "finding out who answers by V3", deadline).await?)
    }

    /// Who answers, with what power and hash rate, as far as two questions tell it.
    pub(super) async fn sight(&self, deadline: Deadline) -> Result<Sighting, DeviceError> {
        let mut link = Link::new(&self.peer);
        let info = link.ask(INFO, None, "finding out who answers by V3", deadline).await?;
        let identity = identity_of(&info)?;
        // It is known who it is: what it does is worth a question, but no failure.
        let status =
            link.ask("get.miner.status", Some("summary"), "reading the summary", deadline).await.ok();
        let status = status.filter(|reply| reply.code == code::SUCCESS);
        let seen = reading::observation(&Replies {
            info: fields_of(Some(&info)),
            status: fields_of(status.as_ref()),
            setting: Fields::new(None),
        });
        Ok(Sighting::of(identity, &seen))
    }

    /// One reading, over one connection where the device leaves it open.
    pub(super) async fn read(&self, deadline: Deadline) -> Result<Observation, DeviceError> {
        let learnt = *hold(&self.learnt);
        let mut link = Link::new(&self.peer);
        let info = succeeded(link.ask(INFO, None, "reading the device", deadline).await?)?;
        let mut repaired = u32::from(info.repaired);
        let info_fields = Fields::new(info.message.as_object());
        let is_off = info_fields.inside("miner").flag(&["working"]) == Some(false);

        let status = match self.status(&mut link, learnt, deadline).await {
            Ok(status) => status,
            // While the service is off there may be nobody to answer.
            Err(DeviceError::Unreachable(_) | DeviceError::TimedOut { .. }) if is_off => None,
            Err(error) => return Err(error),
        };
        let mut setting = None;
        if !learnt.no_settings {
            let reply = link.ask("get.miner.setting", None, "reading the settings", deadline).await.ok();
            hold(&self.learnt).no_settings =
                reply.as_ref().is_some_and(|reply| reply.code == code::INVALID_COMMAND);
            setting = reply.filter(|reply| reply.code == code::SUCCESS);
        }
        for reply in [&status, &setting].into_iter().flatten() {
            repaired += u32::from(reply.repaired);
        }
        let mut seen = reading::observation(&Replies {
            info: info_fields,
            status: fields_of(status.as_ref()),
            setting: fields_of(setting.as_ref()),
        });
        seen.reading.repaired_replies = repaired;
        Ok(seen)
    }

    /// Summary and pools; `None` while the mining process is down.
    async fn status(
        &self,
        link: &mut Link<'_>,
        learnt: Learnt,
        deadline: Deadline,
    ) -> Result<Option<Reply>, DeviceError> {
        const STATUS: &str = "get.miner.status";
        const DOING: &str = "reading the summary";
        let is_down =
            |reply: &Reply| reply.message.as_str().is_some_and(|words| words.contains("process is down"));
        if !learnt.no_joined_status {
            let reply = link.ask(STATUS, Some("summary+pools"), DOING, deadline).await?;
            if is_down(&reply) {
                return Ok(None);
            }
            if reply.code == code::SUCCESS && reply.message.get("summary").is_some() {
                return Ok(Some(reply));
            }
        }
        let reply = link.ask(STATUS, Some("summary"), DOING, deadline).await?;
        let has_summary = reply.code == code::SUCCESS && reply.message.get("summary").is_some();
        if has_summary {
            // It tells a summary alone and not together with the pools.
            hold(&self.learnt).no_joined_status = true;
        }
        Ok((has_summary && !is_down(&reply)).then_some(reply))
    }

    /// Sends one command, once, signed with the device's own time.
    pub(super) async fn write(
        &self,
        order: Order,
        now: Now,
        deadline: Deadline,
    ) -> Result<Confirmation, DeviceError> {
        let (command, parameter) = match order {
            Order::Stop => ("set.miner.service", r#""stop""#.to_owned()),
            Order::Start => ("set.miner.service", r#""start""#.to_owned()),
            Order::Limit(watts) => ("set.miner.power_limit", watts.to_string()),
            // The manual has a number; firmware reads a text.
            Order::Percent(percent) => {
                ("set.miner.power_percent", format!(r#"{{"percent":"{percent}","mode":"fast"}}"#))
            }
        };
        self.command(command, &parameter, now, deadline).await
    }

    async fn command(
        &self,
        command: &str,
        parameter: &str,
        now: Now,
        deadline: Deadline,
    ) -> Result<Confirmation, DeviceError> {
        let salt = Link::new(&self.peer).ask(INFO, Some("salt"), "reading the salt", deadline).await?;
        let salt = succeeded(salt)?;
        let salt_text = Fields::new(salt.message.as_object()).text(&["salt"]);
        let signature = Signature {
            account: &self.account,
            password: self.password.expose(),
            salt: &salt_text.ok_or_else(|| DeviceError::Protocol("a reply without its salt".to_owned()))?,
            time: salt.when.filter(|when| *when > 0).unwrap_or(u64::try_from(now.utc.0 / 1000).unwrap_or(0)),
        };
        // A connection of its own: one that the device was about to close would leave the outcome unknown.
        let body = signature.command(command, parameter);
        let reply = match exchange(&self.peer, command, &body, deadline).await {
            Ok(reply) => reply,
            Err(Failure::NotSent(error)) => return Err(error),
            Err(Failure::NoReply(error)) => {
                return Ok(Confirmation::unknown(self.redact(&error.to_string())));
            }
        };
        let words = self.redact(reply.message.as_str().unwrap_or_default());
        match reply.code {
            code::SUCCESS => Ok(Confirmation::acked(words)),
            code::INVALID_COMMAND => Err(DeviceError::Unsupported(words)),
            code::NO_PERMISSION => Err(self.no_permission(deadline).await),
            code => Err(DeviceError::Refused { code, words }),
        }
    }

    /// The device gives one code for a wrong password and for a write API that is off; its own switch may tell.
    async fn no_permission(&self, deadline: Deadline) -> DeviceError {
        match self.api_switch(deadline).await {
            Ok(Some(false)) => DeviceError::WritesDisabled(WRITES_DISABLED.to_owned()),
            Ok(Some(true)) => DeviceError::BadCredentials(format!(
                "the miner doesn't take the password of its V3 account \"{}\" (its API switch is on), or the \
                 account may not do this, or its default password is still set",
                plain(&self.account)
            )),
            _ => DeviceError::BadCredentials(format!(
                "the miner gives no permission: either the password of its V3 account \"{}\" is wrong, or \
                 {WRITES_DISABLED}",
                plain(&self.account)
            )),
        }
    }

    /// Whether the device's own switch lets commands through, and whether it takes the password: an indicator light
    /// that is automatic is told to stay so. Any other state of the light is left alone, and the password unproven.
    pub(super) async fn check_writes(&self, now: Now, deadline: Deadline) -> Result<(), DeviceError> {
        let system = self.system(deadline).await?;
        let fields = Fields::new(system.message.as_object()).inside("system");
        if fields.flag(&["apiswitch"]) == Some(false) {
            return Err(DeviceError::WritesDisabled(WRITES_DISABLED.to_owned()));
        }
        if fields.text(&["ledstatus"]).as_deref() != Some("auto") {
            return Ok(());
        }
        match self.command("set.system.led", r#""auto""#, now, deadline).await {
            // It understood and had nothing against the password.
            Ok(_) | Err(DeviceError::Refused { .. } | DeviceError::Unsupported(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn api_switch(&self, deadline: Deadline) -> Result<Option<bool>, DeviceError> {
        let system = self.system(deadline).await?;
        Ok(Fields::new(system.message.as_object()).inside("system").flag(&["apiswitch"]))
    }

    async fn system(&self, deadline: Deadline) -> Result<Reply, DeviceError> {
        let mut link = Link::new(&self.peer);
        succeeded(link.ask(INFO, Some("system"), "reading the API switch", deadline).await?)
    }

    fn redact(&self, words: &str) -> String {
        redact(words, &[self.password.expose()])
    }
}

/// Who says this. What had to be mended may have lost it.
fn identity_of(info: &Reply) -> Result<MinerIdentity, DeviceError> {
    reading::identity(fields_of(Some(info))).ok_or_else(|| {
        if info.repaired {
            unread()
        } else {
            DeviceError::WrongDevice("its answer isn't a WhatsMiner's".to_owned())
        }
    })
}

fn fields_of(reply: Option<&Reply>) -> Fields<'_> {
    Fields::new(reply.and_then(|reply| reply.message.as_object()))
}

/// One request over a connection of its own.
async fn exchange(peer: &Peer, command: &str, body: &str, deadline: Deadline) -> Result<Reply, Failure> {
    const DOING: &str = "sending a command";
    let mut stream = peer.connect(deadline).await.map_err(Failure::NotSent)?;
    let answer = async {
        stream.write_all(&frame(body)).await.map_err(|error| unreachable(&error))?;
        frame::read_reply(&mut stream, command, peer.reply_limit()).await.map_err(ReadError::into_error)
    };
    deadline.limit(DOING, answer).await.and_then(|reply| reply).map_err(Failure::NoReply)
}

/// The reply, if it says that it succeeded.
fn succeeded(reply: Reply) -> Result<Reply, DeviceError> {
    match reply.code {
        code::SUCCESS => Ok(reply),
        code => {
            let words = plain(reply.message.as_str().unwrap_or_default());
            Err(DeviceError::Protocol(format!("it doesn't say who it is (code {code}: {words})")))
        }
    }
}

/// A connection for reads, opened when it is needed, and again where the device closes it after each reply.
struct Link<'a> {
    peer: &'a Peer,
    stream: Option<TcpStream>,
}

impl<'a> Link<'a> {
    const fn new(peer: &'a Peer) -> Self {
        Self { peer, stream: None }
    }

    async fn ask(
        &mut self,
        command: &str,
        parameter: Option<&str>,
        doing: &'static str,
        deadline: Deadline,
    ) -> Result<Reply, DeviceError> {
        let (deadline, limit) = (self.peer.request(deadline), self.peer.reply_limit());
        let request = frame(&auth::read_request(command, parameter));
        // The stream comes back only with a whole reply, so that no later read sees the rest of this one.
        if let Some(mut stream) = self.stream.take() {
            match deadline.limit(doing, Self::try_ask(&mut stream, &request, command, limit)).await? {
                Ok(reply) => {
                    self.stream = Some(stream);
                    return Ok(reply);
                }
                Err(ReadError::Closed(_)) => {}
                Err(ReadError::Other(error)) => return Err(error),
            }
        }
        let mut stream = self.peer.connect(deadline).await?;
        let reply = deadline
            .limit(doing, Self::try_ask(&mut stream, &request, command, limit))
            .await?
            .map_err(ReadError::into_error)?;
        self.stream = Some(stream);
        Ok(reply)
    }

    async fn try_ask(
        stream: &mut TcpStream,
        request: &[u8],
        command: &str,
        limit: usize,
    ) -> Result<Reply, ReadError> {
        stream.write_all(request).await.map_err(ReadError::Closed)?;
        frame::read_reply(stream, command, limit).await
    }
}
