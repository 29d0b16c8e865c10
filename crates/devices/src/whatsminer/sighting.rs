//! A look at an address where a WhatsMiner may be, for the search of the network. It reads, without a password, and
//! remembers nothing.

use super::{peer::Peer, reading::Observation, v2, v3};
use crate::{DeviceError, Secret, deadline::Deadline};
use model::{MinerIdentity, TeraHash, Watts};
use serde_json::Value;
use std::{net::SocketAddrV4, time::Duration};

/// A WhatsMiner as it tells itself to whoever asks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sighting {
    /// Who it is.
    pub(crate) identity: MinerIdentity,
    /// Power drawn now.
    pub(crate) power: Option<Watts>,
    /// Hash rate now.
    pub(crate) hash_rate: Option<TeraHash>,
}

impl Sighting {
    pub(super) fn of(identity: MinerIdentity, seen: &Observation) -> Self {
        Self { identity, power: seen.reading.power, hash_rate: seen.reading.hash_rate }
    }
}

/// Somebody at an address who may be anything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stranger {
    /// How long one request may take, connection included.
    pub(crate) request: Duration,
    /// How long one look may take, all its requests together.
    pub(crate) look: Duration,
    /// The longest reply that is read, bytes.
    pub(crate) reply_limit: usize,
}

impl Stranger {
    /// Asks by V3. [`DeviceError::WrongDevice`] and [`DeviceError::Protocol`] mean that something else answers.
    pub(crate) async fn by_v3(self, at: SocketAddrV4) -> Result<Sighting, DeviceError> {
        v3::Client::new(self.peer(at), String::new(), Secret::new(String::new())).sight(self.deadline()).await
    }

    /// Asks by V2; errors as above.
    pub(crate) async fn by_v2(self, at: SocketAddrV4) -> Result<Sighting, DeviceError> {
        self.v2(at).sight(self.deadline()).await
    }

    /// What a miner of another make says of itself on the port of V2, JSON or a text.
    pub(crate) async fn name(self, at: SocketAddrV4) -> Result<Value, DeviceError> {
        self.v2(at).name(self.deadline()).await
    }

    fn v2(self, at: SocketAddrV4) -> v2::Client {
        v2::Client::new(self.peer(at), Secret::new(String::new()))
    }

    fn peer(self, at: SocketAddrV4) -> Peer {
        Peer::stranger(at, self.request, self.reply_limit)
    }

    fn deadline(self) -> Deadline {
        Deadline::after(self.look)
    }
}
