//! Bitaxe, NerdQAxe and their kin: the [`Miner`] of this crate over the HTTP API of AxeOS (ESP-Miner).
//!
//! Facts of the protocol are from the source of the firmware: `bitaxeorg/ESP-Miner` 2.0 to 2.15 and its fork
//! `shufps/ESP-Miner-NerdQAxePlus`.
//!
//! * **One request at a time.** The device serves one after the other with few sockets, and old firmware loses its web
//!   server under eager clients. Each request has a connection of its own, which is closed after it. A stop is the
//!   exception: it waits for no read, and goes out beside one that is still waiting.
//! * **Off and on.** AxeOS is paused and resumed since 2.14; the pause is forgotten by a restart. NerdOS is shut down,
//!   and comes back by a restart only. There is no power to be set.
//! * **What is told of the power.** Boards with a TPS546 regulator measure at the core and add a fixed number of watts,
//!   and while the chips are off they tell exactly that number, whatever is drawn. Such a number is no measurement, and the
//!   reading has no power then. "Off" is still seen: the device says itself that it is paused or shut down
//!   ([`MinerReading::service_on`] is `Some(false)`), and its hash rate, which comes from the chips' counters, is 0. Boards
//!   that measure at the input tell what they draw at any time. Neither is believed while the firmware's power loop is
//!   known to stand still (chips that are being stopped, an overheated board): what it tells then is from before.
//! * **Access.** There is no password. The device answers private IPv4 addresses only, and looks at the header `Origin`,
//!   which is never sent from here. No redirect is followed: old firmware leads to its page where it has no endpoint.
//! * Nothing is written to a device that isn't known to be the one that was identified.
//!
//! What it must not do: decide whether or when to start or stop; take a device that doesn't answer for one that is off.

mod boards;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod http;
pub(crate) mod info;

use crate::{Deadlines, DeviceError, Miner, WriteOutcome, Written, deadline::Deadline};
use async_trait::async_trait;
use http::{Failure, Http, Reply};
use info::{Info, Switching};
use model::{Means, MinerIdentity, MinerReading, Now, Watts};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where everything is told.
const INFO: &str = "/api/system/info";

/// How to reach one device.
#[derive(Debug, Clone)]
pub struct AxeOsConfig {
    /// Name, IPv4 or IPv6 address. Real devices answer on IPv4 only.
    pub host: String,
    /// TCP port; 80 on every device.
    pub port: u16,
    /// How long calls may take.
    pub deadlines: Deadlines,
}

/// The client of one device.
#[derive(Debug)]
pub struct AxeOs {
    deadlines: Deadlines,
    http: Http,
    contact: Mutex<Contact>,
    /// Held while a request is under way, but for those of a stop.
    asking: tokio::sync::Mutex<()>,
    /// Held while a command is on its way.
    writing: tokio::sync::Mutex<()>,
}

/// Who was found.
#[derive(Debug, Default)]
struct Contact {
    /// How the device that answers is switched; `None` after a loss of contact.
    known: Option<Switching>,
    /// Whom [`Miner::identify`] told last: the miner that the caller means.
    identified: Option<MinerIdentity>,
}

impl AxeOs {
    /// A client that hasn't asked anybody anything yet.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new(config: &AxeOsConfig) -> Result<Self, DeviceError> {
        Ok(Self {
            deadlines: config.deadlines,
            http: Http::new(&config.host, config.port, config.deadlines.connect)?,
            contact: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        })
    }

    /// Asks who is there and how it does.
    async fn ask(&self, deadline: Deadline) -> Result<Info, DeviceError> {
        let asked = async { info_of(&self.http.get(INFO, deadline).await.map_err(Failure::into_error)?) };
        let outcome = asked.await;
        if outcome.is_err() {
            self.contact().known = None;
        }
        outcome
    }

    /// The same, of the miner that was identified and of no other.
    async fn ask_the_miner(&self, deadline: Deadline) -> Result<Info, DeviceError> {
        let info = self.ask(deadline).await?;
        let mut contact = self.contact();
        let expected = contact.identified.as_ref().and_then(|identity| identity.mac.as_ref());
        if let (Some(expected), Some(found)) = (expected, &info.identity.mac)
            && expected != found
        {
            let words = format!("the {} {found} instead of {expected}", info.kind.name());
            contact.known = None;
            return Err(DeviceError::WrongDevice(words));
        }
        contact.known = Some(info.switching.clone());
        drop(contact);
        Ok(info)
    }

    /// How the miner is switched: as found before, or found out now.
    async fn switching(&self, deadline: Deadline) -> Result<Switching, DeviceError> {
        let known = self.contact().known.clone();
        match known {
            Some(known) => Ok(known),
            None => Ok(self.ask_the_miner(deadline).await?.switching),
        }
    }

    /// Sends a command. The caller holds `writing`, and knows who is there.
    async fn command(&self, path: &str, means: Means, deadline: Deadline) -> Result<Written, DeviceError> {
        match self.http.post(path, deadline).await {
            Ok(reply) => taken(&reply, means),
            Err(Failure::NotSent(error)) => {
                self.contact().known = None;
                Err(error)
            }
            Err(Failure::NoReply(error)) => {
                self.contact().known = None;
                let words = Some(error.to_string());
                Ok(Written { outcome: WriteOutcome::Unknown, means, words })
            }
        }
    }

    /// Waits until no other request is under way, and keeps it so while the result lives.
    async fn turn(&self, deadline: Deadline) -> Result<tokio::sync::MutexGuard<'_, ()>, DeviceError> {
        deadline.limit("waiting for the request before this one", self.asking.lock()).await
    }

    /// The same with commands.
    async fn alone(&self, deadline: Deadline) -> Result<tokio::sync::MutexGuard<'_, ()>, DeviceError> {
        deadline.limit("waiting for the command before this one", self.writing.lock()).await
    }

    /// What one thread left behind in a panic is still the best that is known.
    fn contact(&self) -> MutexGuard<'_, Contact> {
        self.contact.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a reply to [`INFO`] says.
fn info_of(reply: &Reply) -> Result<Info, DeviceError> {
    match reply.status {
        200 => Ok(info::parse(&reply.body)?),
        401 => Err(not_private()),
        // A busy device's own trouble.
        500..=599 => Err(DeviceError::Protocol(format!("it answers with the error {}", reply.status))),
        status => {
            Err(DeviceError::WrongDevice(format!("{INFO} is answered with {status}: this isn't AxeOS")))
        }
    }
}

/// What a reply to a command means.
fn taken(reply: &Reply, means: Means) -> Result<Written, DeviceError> {
    let words = reply.words();
    match reply.status {
        200..=299 => Ok(Written { outcome: WriteOutcome::Acked, means, words }),
        401 => Err(not_private()),
        // Without the endpoint: its own word, the way to the page, or the page's refusal of anything but GET.
        404 | 405 | 300..=399 => Err(DeviceError::Unsupported(
            "it has no such command: update it, a Bitaxe to AxeOS 2.14 or newer".to_owned(),
        )),
        // Whether it acted before it stumbled isn't known.
        500..=599 => Ok(Written { outcome: WriteOutcome::Unknown, means, words }),
        status => Err(DeviceError::Refused {
            code: i64::from(status),
            words: words.unwrap_or_else(|| "without words".to_owned()),
        }),
    }
}

/// The firmware's answer to an address that it takes for a stranger's.
fn not_private() -> DeviceError {
    DeviceError::Refused {
        code: 401,
        words: "the miner answers only private IPv4 addresses (10.x, 172.16.x to 172.31.x, 192.168.x): the controller \
                must reach it from one, not over IPv6, a VPN like Tailscale or a public range"
            .to_owned(),
    }
}

#[async_trait]
impl Miner for AxeOs {
    async fn identify(&self, _now: Now) -> Result<MinerIdentity, DeviceError> {
        let deadline = Deadline::after(self.deadlines.read);
        let _turn = self.turn(deadline).await?;
        let info = self.ask(deadline).await?;
        let mut contact = self.contact();
        contact.identified = Some(info.identity.clone());
        contact.known = Some(info.switching);
        Ok(info.identity)
    }

    async fn read(&self, _now: Now) -> Result<MinerReading, DeviceError> {
        let deadline = Deadline::after(self.deadlines.read);
        let _turn = self.turn(deadline).await?;
        Ok(self.ask_the_miner(deadline).await?.reading)
    }

    /// Pauses AxeOS, shuts NerdOS down. Where contact was lost, who is there is asked first, for half of the time at
    /// the most.
    async fn stop(&self, _now: Now) -> Result<Written, DeviceError> {
        let deadline = Deadline::after(self.deadlines.write);
        let _alone = self.alone(deadline).await?;
        let path = match self.switching(deadline.half()).await? {
            Switching::Pause => "/api/system/pause",
            Switching::Shutdown => "/api/system/shutdown",
            Switching::Nothing { advice } => return Err(DeviceError::Unsupported(advice)),
        };
        self.command(path, Means::Stop, deadline).await
    }

    /// Resumes AxeOS, restarts NerdOS unless it says that it is on. Who is there is asked first: two may have changed
    /// places since the last reading. The device takes no power: it mines at its set frequency, and may draw more than
    /// `power`.
    async fn start(&self, _power: Watts, _now: Now) -> Result<Written, DeviceError> {
        let deadline = Deadline::after(self.deadlines.write);
        let _turn = self.turn(deadline).await?;
        let info = self.ask_the_miner(deadline.half()).await?;
        let path = match info.switching {
            Switching::Pause => "/api/system/resume",
            Switching::Shutdown => {
                // A restart would cost a running miner half a minute of mining.
                if info.reading.service_on == Some(true) {
                    let words = Some("already on".to_owned());
                    return Ok(Written { outcome: WriteOutcome::Acked, means: Means::Start, words });
                }
                "/api/system/restart"
            }
            Switching::Nothing { advice } => return Err(DeviceError::Unsupported(advice)),
        };
        // Only now: a stop waits for commands, and must not wait for what is asked before them.
        let _alone = self.alone(deadline).await?;
        self.command(path, Means::Start, deadline).await
    }

    /// Always unsupported: nothing is asked.
    async fn set_power(&self, _power: Watts, _now: Now) -> Result<Written, DeviceError> {
        Err(DeviceError::Unsupported("it can be switched on and off, and takes no power".to_owned()))
    }

    /// Whether its firmware can be paused or shut down, by what it tells. Nothing is sent that changes anything.
    async fn check_writes(&self, _now: Now) -> Result<(), DeviceError> {
        let deadline = Deadline::after(self.deadlines.read);
        let _turn = self.turn(deadline).await?;
        match self.ask_the_miner(deadline).await?.switching {
            Switching::Pause | Switching::Shutdown => Ok(()),
            Switching::Nothing { advice } => Err(DeviceError::Unsupported(advice)),
        }
    }
}
