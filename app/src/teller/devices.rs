//! What is on the network.

use super::of_miner;
use crate::{
    view::Device,
    words::{self, Told},
};
use model::{
    TeraHash,
    snapshot::{MinerState, MinerView},
};

pub(super) fn device(miner: &MinerView) -> Device {
    let connection = &miner.connection;
    let (health, reached) = of_miner(connection);
    let word = match miner.state {
        _ if !connection.connected => reached,
        MinerState::Running => "mining",
        MinerState::Off => "off",
        MinerState::Unknown => "not known what it does",
    };
    let reading = miner.reading.as_ref().filter(|_| connection.connected);
    let figures = [
        words::number(reading.and_then(|reading| reading.hash_rate).map(TeraHash::get), 1, "TH/s"),
        words::power(reading.and_then(|reading| reading.power)),
    ];
    let figures = figures.iter().filter(|told| told.is_known()).map(Told::text).collect::<Vec<_>>();
    let model = miner.identity.as_ref().and_then(|identity| identity.model.as_ref());
    Device {
        name: miner.name.clone(),
        kind: model.map_or_else(|| "WhatsMiner".to_owned(), |model| format!("WhatsMiner {model}")),
        address: miner.host.clone(),
        health: health.to_owned(),
        word: word.to_owned(),
        figures: figures.join(" · "),
        seen: connection.last_seen.map(|seen| seen.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::teller::sample::{NOW, running};

    #[test]
    fn a_device_says_what_it_does_as_long_as_it_answers() {
        let mut miner = running("garage", 60.0);
        let told = device(&miner);
        assert_eq!((told.health.as_str(), told.word.as_str()), ("good", "mining"));
        assert_eq!(told.figures, "100.4\u{202f}TH/s · 2.16\u{202f}kW");
        miner.state = MinerState::Off;
        assert_eq!(device(&miner).word, "off");
        miner.connection.connected = false;
        miner.state = MinerState::Unknown;
        let told = device(&miner);
        assert_eq!((told.health.as_str(), told.word.as_str()), ("bad", "can't be reached"));
        assert_eq!((told.figures.as_str(), told.seen), ("", Some(NOW.0)));
    }
}
