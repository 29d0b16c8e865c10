//! What is on the network.

use super::{Health, of_miner};
use crate::{
    view::{Device, page_of},
    words::{self, Told},
};
use model::{
    MinerId, MinerIdentity, MinerReading, TeraHash,
    discovery::Moved,
    snapshot::{Connection, FollowedView, MinerState, MinerView},
};

/// A miner that is controlled.
pub(super) fn controlled(miner: &MinerView) -> Device {
    let (health, reached) = of_miner(&miner.connection);
    let word = match miner.state {
        _ if !miner.connection.connected => reached,
        MinerState::Running => "mining",
        MinerState::Off => "off",
        MinerState::Unknown => "not known what it does",
    };
    let connection = &miner.connection;
    let of = (&miner.id, miner.name.as_str(), miner.host.as_str());
    device(of, connection, miner.identity.as_ref(), miner.reading.as_ref(), (health, word))
}

/// A miner that is only looked at. One that doesn't answer may just be switched off: that is no fault.
pub(super) fn followed(miner: &FollowedView) -> Device {
    let connection = &miner.connection;
    let rate = miner.reading.as_ref().and_then(|reading| reading.hash_rate);
    let health = match rate {
        _ if !connection.connected && connection.last_seen.is_none() => ("", "not seen yet"),
        _ if !connection.connected => ("", "doesn't answer"),
        Some(rate) if rate.get() > 0.0 => ("good", "mining, only looked at"),
        Some(_) => ("good", "not mining, only looked at"),
        None => ("good", "only looked at"),
    };
    let of = (&miner.id, miner.name.as_str(), miner.host.as_str());
    device(of, connection, miner.identity.as_ref(), miner.reading.as_ref(), health)
}

/// Says of the one that was found at another address that it is there. Whether it shall be followed there is asked on the
/// page of devices.
pub(super) fn tell_moved(devices: &mut [Device], moved: &Moved) {
    let page = page_of(&moved.miner.0);
    if let Some(device) = devices.iter_mut().find(|device| device.page.as_ref() == Some(&page)) {
        "doubtful".clone_into(&mut device.health);
        device.word = format!("moved to {}: see All", moved.to);
    }
}

fn device(
    (id, name, host): (&MinerId, &str, &str),
    connection: &Connection,
    identity: Option<&MinerIdentity>,
    reading: Option<&MinerReading>,
    (health, word): Health,
) -> Device {
    let reading = reading.filter(|_| connection.connected);
    let figures = [
        words::number(reading.and_then(|reading| reading.hash_rate).map(TeraHash::get), 1, "TH/s"),
        words::power(reading.and_then(|reading| reading.power)),
    ];
    let figures = figures.iter().filter(|told| told.is_known()).map(Told::text).collect::<Vec<_>>();
    let kind = match (identity, connection.last_seen) {
        (None, None) => "not read yet".to_owned(),
        _ => words::kind(identity),
    };
    Device {
        page: Some(page_of(&id.0)),
        name: name.to_owned(),
        kind,
        address: host.to_owned(),
        health: health.to_owned(),
        word: word.to_owned(),
        figures: figures.join(" · "),
        seen: connection.last_seen.map(|seen| seen.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::teller::sample::{NOW, followed as looked_at, running};

    #[test]
    fn one_that_was_found_elsewhere_is_said_to_be_there() {
        let mut devices = [controlled(&running("garage", 60.0)), followed(&looked_at("shed"))];
        let moved = Moved { miner: MinerId("shed".into()), to: [192, 168, 7, 9].into() };
        tell_moved(&mut devices, &moved);
        assert_eq!(devices[0], controlled(&running("garage", 60.0)));
        assert_eq!(devices[1].word, "moved to 192.168.7.9: see All");
    }

    #[test]
    fn one_that_is_only_looked_at_and_off_at_night_is_no_fault() {
        let mut miner = looked_at("shed");
        assert_eq!(followed(&miner).word, "mining, only looked at");
        miner.connection.connected = false;
        let told = followed(&miner);
        assert_eq!((told.health.as_str(), told.word.as_str()), ("", "doesn't answer"));
        assert_eq!((told.figures.as_str(), told.seen), ("", Some(NOW.0)));
        assert_eq!(told.page.as_deref(), Some("/miners/shed"));
    }

    #[test]
    fn a_device_says_what_it_does_as_long_as_it_answers() {
        let mut miner = running("garage", 60.0);
        let told = controlled(&miner);
        assert_eq!((told.health.as_str(), told.word.as_str()), ("good", "mining"));
        assert_eq!(told.figures, "100.4\u{202f}TH/s · 2.16\u{202f}kW");
        miner.state = MinerState::Off;
        assert_eq!(controlled(&miner).word, "off");
        miner.connection.connected = false;
        miner.state = MinerState::Unknown;
        miner.identity = None;
        let told = controlled(&miner);
        assert_eq!((told.health.as_str(), told.word.as_str()), ("bad", "can't be reached"));
        assert_eq!(told.kind, "", "it was read before, and isn't said to be unread");
        assert_eq!((told.figures.as_str(), told.seen), ("", Some(NOW.0)));
    }
}
