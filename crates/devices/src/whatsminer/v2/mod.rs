//! The V2 API: JSON over TCP port 4028, one request a connection. Reads are plain, commands encrypted under a token
//! (WhatsMiner API manuals V1.3.8, V2.0.5 and V2.2).
//!
//! What it must not do: send a command twice whose outcome isn't known, or decide which command.

mod commands;
mod crypt;
mod envelope;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod probe;
mod reading;
mod session;
mod transport;

pub(super) use probe::Generation;

use super::{
    Occasion, hold,
    json::Fields,
    peer::{Failure, Peer},
    reading::Observation,
    sighting::Sighting,
};
use crate::{DeviceError, Secret, deadline::Deadline};
use envelope::{Envelope, is_mining_down};
use model::{MinerError, PoolReading};
use reading::Replies;
use serde_json::Value;
use session::Session;
use std::sync::Mutex;
use transport::{Body, exchange};

/// Errors, pools and whose address it is are read on every so many polls: they change slowly, and each costs a connection.
const SLOW_POLLS: u32 = 6;

/// The V2 side of one miner. The caller serialises commands.
#[derive(Debug)]
pub(super) struct Client {
    peer: Peer,
    password: Secret,
    session: Mutex<Session>,
    slow: Mutex<Slow>,
}

/// What isn't read on every poll.
#[derive(Debug, Clone, Default)]
struct Slow {
    polls: u32,
    errors: Vec<MinerError>,
    pools: Vec<PoolReading>,
    /// The power supply tells no input power: firmware before 2024.
    psu_is_silent: bool,
    /// What the last command taught about write access.
    writes_enabled: Option<bool>,
}

/// A reply to a read.
#[derive(Debug)]
enum Answer {
    /// It answered; whether the reply had to be mended.
    Envelope(Envelope, bool),
    /// The daemon answered for a mining process that is down.
    MiningDown,
}

impl Answer {
    fn into_envelope(self) -> Envelope {
        match self {
            Self::Envelope(envelope, _) => envelope,
            Self::MiningDown => Envelope::default(),
        }
    }
}

impl Client {
    pub(super) fn new(peer: Peer, password: Secret) -> Self {
        Self { peer, password, session: Mutex::default(), slow: Mutex::default() }
    }

    /// Forgets what was learnt about the device: it may be another one. The pause after a refused token stays.
    pub(super) fn forget(&self) {
        *hold(&self.slow) = Slow::default();
        hold(&self.session).drop_token();
    }

    /// One reading. `ramp_known`: the ramp of this run is known to have finished.
    pub(super) async fn read(
        &self,
        generation: Generation,
        occasion: Occasion,
        ramp_known: bool,
        deadline: Deadline,
    ) -> Result<Observation, DeviceError> {
        let mut repaired = 0;
        let mut take = |answer: Answer| match answer {
            Answer::Envelope(envelope, was_repaired) => {
                repaired += u32::from(was_repaired);
                Some(envelope)
            }
            Answer::MiningDown => None,
        };
        let status = match self.ask("status", "", "reading the status", deadline).await {
            Ok(answer) => take(answer),
            Err(DeviceError::Unsupported(_) | DeviceError::Refused { .. })
                if generation == Generation::G0 =>
            {
                None
            }
            // All the others have it: something else may have taken over the address.
            Err(error @ (DeviceError::Unsupported(_) | DeviceError::Refused { .. })) => {
                return Err(DeviceError::Protocol(format!("it no longer tells its status ({error})")));
            }
            Err(error) => return Err(error),
        }
        .unwrap_or_default();
        let is_off = status.fields().flag(&["mineroff", "btmineroff"]) == Some(true);
        let patience = if is_off { deadline.half() } else { deadline };
        let summary = match self.ask("summary", "SUMMARY", "reading the summary", patience).await {
            Ok(answer) => take(answer),
            // While it is switched off, older firmware leaves this question without an answer.
            Err(DeviceError::Unreachable(_) | DeviceError::TimedOut { .. }) if is_off => None,
            Err(error) => return Err(error),
        };
        let is_down = summary.is_none();
        let summary = summary.unwrap_or_default();
        let slow = hold(&self.slow).clone();

        let tells_power = summary.fields().positive(&["Power_RT", "Power"]).is_some();
        let mut psu = Envelope::default();
        if !tells_power && !slow.psu_is_silent {
            match self.ask("get_psu", "", "reading the power supply", deadline).await.map(&mut take) {
                Ok(envelope) => {
                    psu = envelope.unwrap_or_default();
                    hold(&self.slow).psu_is_silent = psu.fields().value(&["pin"]).is_none();
                }
                Err(DeviceError::Unsupported(_)) => hold(&self.slow).psu_is_silent = true,
                Err(_) => {}
            }
        }
        let mut replies = Replies {
            status: status.fields(),
            summary: summary.fields(),
            psu: psu.fields(),
            boards: None,
            ramp_known,
        };
        let mut boards = None;
        let may_ramp = !is_down && !is_off && !ramp_known && generation != Generation::G0;
        if may_ramp && reading::observation(&replies).reading.ramp_finished != Some(true) {
            let answer = self.ask("edevs", "DEVS", "reading the boards", deadline).await;
            boards = answer.map(&mut take).ok().flatten().map(|envelope| envelope.rows);
        }
        replies.boards = boards.as_deref();
        let mut seen = reading::observation(&replies);

        let is_slow_poll = slow.polls.is_multiple_of(SLOW_POLLS);
        let mut errors = reading::inline_errors(summary.fields());
        if errors.is_none() && is_slow_poll && generation != Generation::G0 {
            let answer =
                self.ask("get_error_code", "", "reading the error codes", deadline).await.map(&mut take);
            errors = answer
                .ok()
                .flatten()
                .map(|envelope| super::reading::errors_of(envelope.fields().value(&["error_code"])));
        }
        // Newer firmware's summary doesn't tell who answers. Between two slow polls, so that none has it all to ask.
        let is_due = match occasion {
            Occasion::Poll => slow.polls % SLOW_POLLS == SLOW_POLLS / 2,
            Occasion::BeforeCommand => true,
        };
        if seen.mac.is_none() && is_due && generation != Generation::G0 {
            let answer = self.ask("get_miner_info", "", "reading its address", deadline).await.map(&mut take);
            seen.mac = match (answer, occasion) {
                // Who answers has to be known before it is told something.
                (Err(error), Occasion::BeforeCommand) if error.is_transient() => return Err(error),
                (answer, _) => answer.ok().flatten().and_then(|envelope| reading::mac(envelope.fields())),
            };
        }
        let mut pools = None;
        if !is_down && is_slow_poll {
            let answer = self.ask("pools", "POOLS", "reading the pools", deadline).await.map(&mut take);
            pools = answer.ok().flatten().map(|envelope| reading::pools(&envelope.rows));
        }
        seen.reading.repaired_replies = repaired;
        let mut slow = hold(&self.slow);
        slow.polls = slow.polls.wrapping_add(1);
        // What couldn't be read this time stays as it was.
        slow.errors = errors.unwrap_or_else(|| std::mem::take(&mut slow.errors));
        slow.pools = pools.unwrap_or_else(|| std::mem::take(&mut slow.pools));
        seen.reading.errors.clone_from(&slow.errors);
        seen.reading.pools.clone_from(&slow.pools);
        seen.reading.writes_enabled = slow.writes_enabled;
        Ok(seen)
    }

    /// Who answers, with what power and hash rate, as far as reads tell it.
    pub(super) async fn sight(&self, deadline: Deadline) -> Result<Sighting, DeviceError> {
        let found = self.probe(deadline).await?;
        // It is known who it is: what it does is worth a question, but no failure.
        let summary = self.ask("summary", "SUMMARY", "reading the summary", deadline).await.ok();
        let summary = summary.map(Answer::into_envelope).unwrap_or_default();
        let seen = reading::observation(&Replies {
            status: Fields::new(None),
            summary: summary.fields(),
            psu: Fields::new(None),
            boards: None,
            ramp_known: false,
        });
        Ok(Sighting::of(found.identity, &seen))
    }

    /// What answers the question that every relative of cgminer knows, and WhatsMiner's newer firmware doesn't: its name
    /// and version, as it spells them.
    pub(super) async fn name(&self, deadline: Deadline) -> Result<Value, DeviceError> {
        match exchange(&self.peer, &Self::request("version"), "asking for its name", deadline).await {
            Ok(Body::Json(parsed)) => Ok(parsed.value),
            Ok(Body::Text { words, .. }) => Ok(Value::String(words)),
            Ok(Body::Empty) => {
                Err(DeviceError::Unreachable("it closed the connection without an answer".to_owned()))
            }
            Err(failure) => Err(failure.into_error()),
        }
    }

    fn request(command: &str) -> Vec<u8> {
        // Every generation takes this spelling; the oldest takes no other.
        format!(r#"{{"command":"{command}"}}"#).into_bytes()
    }

    async fn ask(
        &self,
        command: &str,
        section: &str,
        doing: &'static str,
        deadline: Deadline,
    ) -> Result<Answer, DeviceError> {
        match exchange(&self.peer, &Self::request(command), doing, deadline)
            .await
            .map_err(Failure::into_error)?
        {
            Body::Json(parsed) => {
                let envelope = Envelope::open(&parsed.value, section);
                if envelope.rows.is_empty() && envelope.says_mining_down() {
                    Ok(Answer::MiningDown)
                } else if envelope.success == Some(false) {
                    Err(envelope.refusal())
                } else {
                    Ok(Answer::Envelope(envelope, parsed.repaired))
                }
            }
            Body::Text { words, .. } if is_mining_down(&words) => Ok(Answer::MiningDown),
            Body::Text { words, .. } => Err(DeviceError::Protocol(format!("no JSON, but: {words}"))),
            Body::Empty => {
                Err(DeviceError::Unreachable("it closed the connection without an answer".to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::{self, Object};
    use super::*;
    use proptest::prelude::*;

    /// The whole way of bytes from a device to a reading.
    fn read_bytes(bytes: &[u8]) {
        let Some(parsed) = json::parse(&String::from_utf8_lossy(bytes)) else { return };
        for section in ["", "SUMMARY", "POOLS", "DEVS"] {
            let envelope = Envelope::open(&parsed.value, section);
            let rows: &[Object] = &envelope.rows;
            let seen = reading::observation(&Replies {
                status: envelope.fields(),
                summary: envelope.fields(),
                psu: envelope.fields(),
                boards: Some(rows),
                ramp_known: false,
            });
            assert!(seen.reading.power.is_none_or(|power| power.get() >= 0.0));
            let _ = reading::pools(rows);
            let _ = reading::inline_errors(envelope.fields());
            let _ = super::super::reading::errors_of(envelope.fields().value(&["error_code"]));
            let _ = commands::challenge_of(envelope.fields());
            let _ = envelope.refusal().to_string();
        }
    }

    const REPLIES: [&str; 4] = [
        r#"{"STATUS":[{"STATUS":"S","Code":11,"Msg":"Summary"}],"SUMMARY":[{"Elapsed":3100,"MHS av":81000000.25,"MHS 1m":82000000.5,"Power":3310,"Power Rate":40.3,"Power Limit":3400,"Hash Stable":true,"Env Temp":21.5,"Chip Temp Max":88.1,"Error Code 0":110,"Error Code Count":1,"Factory GHS":83000,"Fan Speed In":4200}],"id":1}"#,
        r#"{"STATUS":"S","When":1700000000,"Code":131,"Msg":{"mineroff":"false","power_limit_set":"3400","power_pct":70,"error_code":[{"218":"2024-06-15 10:30:00"}],"pin":"1952"},"Description":""}"#,
        r#"{"STATUS":"S","When":1700000000,"Code":134,"Msg":{"time":"5626","salt":"BQ5hoXV9","newsalt":"jbzkfQls"},"Description":""}"#,
        r#"{"STATUS":[{"STATUS":"S","Msg":"1 Pool(s)"}],"POOLS":[{"POOL":1,"URL":"stratum+tcp://pool.example:3333","Status":"Alive","User":"a.b","Stratum Active":true,"Last Share Time":1700000000}],"id":1}"#,
    ];

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            read_bytes(&bytes);
        }

        #[test]
        fn no_mutated_reply_panics(
            which in 0..REPLIES.len(),
            edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            keep in any::<prop::sample::Index>(),
        ) {
            let mut bytes = REPLIES[which].as_bytes().to_vec();
            for (place, byte) in edits {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            bytes.truncate(keep.index(bytes.len()) + 1);
            read_bytes(&bytes);
        }

        #[test]
        fn no_number_panics(number in any::<f64>(), text in "-?[0-9]{0,400}(e[0-9]{1,4})?") {
            let reply = REPLIES[0].replace("3310", &number.to_string()).replace("3100", &text);
            read_bytes(reply.as_bytes());
        }
    }
}
