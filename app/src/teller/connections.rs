//! The connection bar.

use super::{Health, Teller, of_miner};
use crate::view::Connected;
use model::snapshot::{BatteryView, Connection, MinerView};

impl Teller<'_> {
    pub(super) fn connections(&self) -> Vec<Connected> {
        let snapshot = &self.overview.snapshot;
        let connected = |label: &str, (health, word): Health, seen, connection: &Connection| Connected {
            label: label.to_owned(),
            health: health.to_owned(),
            word: word.to_owned(),
            seen,
            session: connection.session_since.map(|since| since.0),
            error: connection.error.clone(),
        };
        let miners = match snapshot.miners.as_slice() {
            [] => None,
            [miner] => {
                let connection = &miner.connection;
                let seen = connection.last_seen.map(|seen| seen.0);
                Some(connected(&miner.name, of_miner(connection), seen, connection))
            }
            several => Some(of_several(several)),
        };
        let battery = &snapshot.battery;
        let said = self.said_at(battery).map(|at| at.0);
        let battery = connected("Battery", self.of_battery(battery), said, &battery.connection);
        miners.into_iter().chain([battery, self.network()]).collect()
    }

    fn of_battery(&self, battery: &BatteryView) -> Health {
        let (old, stale) =
            (f64::from(self.overview.site.old_after_s), f64::from(self.overview.site.stale_after_s));
        let age = self.said_at(battery).map(|at| self.now.millis_since(at) as f64 / 1000.0);
        match age {
            Some(age) if age >= stale => ("bad", "data stale"),
            _ if battery.age_seconds.is_none() && battery.reading.is_some() => ("bad", "no good reading"),
            Some(age) if age >= old => ("doubtful", "data old"),
            Some(_) if !battery.connection.connected => ("doubtful", "not answering"),
            Some(_) => ("good", "fresh"),
            None if battery.connection.error.is_some() => ("bad", "not answering"),
            None => ("", "waiting"),
        }
    }

    /// The home network: how many devices are known, and whether they answer.
    fn network(&self) -> Connected {
        let miners = &self.overview.snapshot.miners;
        let answering = miners.iter().filter(|miner| miner.connection.connected).count();
        let health = match answering {
            all if all == miners.len() && all > 0 => "good",
            0 if miners.iter().all(|miner| of_miner(&miner.connection).0.is_empty()) => "",
            0 => "bad",
            _ => "doubtful",
        };
        // One that is only looked at and is off is no fault: it counts, and that is all.
        let known = miners.len() + self.overview.snapshot.followed.len();
        let devices = if known == 1 { "device" } else { "devices" };
        Connected {
            label: "Network".to_owned(),
            health: health.to_owned(),
            word: format!("{known} {devices}"),
            ..Connected::default()
        }
    }
}

/// Several miners as one: the bar has a line or two, and which of them is gone stands where each has a line of its own.
fn of_several(miners: &[MinerView]) -> Connected {
    let answering = miners.iter().filter(|miner| miner.connection.connected).count();
    let (health, word) = match answering {
        all if all == miners.len() => ("good", "connected".to_owned()),
        0 if miners.iter().all(|miner| of_miner(&miner.connection).0.is_empty()) => {
            ("", "waiting".to_owned())
        }
        0 => ("bad", "can't be reached".to_owned()),
        some => ("doubtful", format!("{some} of {} connected", miners.len())),
    };
    // Of each something was heard since then.
    let seen = miners.iter().map(|miner| miner.connection.last_seen).min().flatten();
    let error =
        |miner: &MinerView| miner.connection.error.as_ref().map(|error| format!("{}: {error}", miner.name));
    let errors: Vec<_> = miners.iter().filter_map(error).collect();
    Connected {
        label: "Miners".to_owned(),
        health: health.to_owned(),
        word,
        seen: seen.map(|seen| seen.0),
        session: None,
        error: (!errors.is_empty()).then(|| errors.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::teller::{
        sample::{NOW, battery, overview, running},
        tell,
    };

    #[test]
    fn a_battery_is_as_fresh_as_its_own_data() {
        let word = |age| tell(&overview(battery(age), vec![])).connections[0].word.clone();
        assert_eq!(word(Some(359.0)), "fresh");
        assert_eq!(word(Some(360.0)), "data old");
        assert_eq!(word(Some(720.0)), "data stale");
        assert_eq!(word(None), "waiting");
        assert!(tell(&overview(battery(Some(360.0)), vec![])).battery.is_old);
        assert!(!tell(&overview(battery(Some(359.0)), vec![])).battery.is_old);
        assert_eq!(tell(&overview(battery(Some(60.0)), vec![])).battery.said_at, Some(NOW.0 - 60_000));
    }

    #[test]
    fn several_miners_are_one_connection() {
        let of = |miners| tell(&overview(battery(Some(60.0)), miners)).connections[0].clone();
        let told = |miners| {
            let Connected { label, health, word, .. } = of(miners);
            [label, health, word]
        };
        let here = |id: &str| running(id, 100.0);
        let gone = |id: &str| {
            let mut miner = running(id, 100.0);
            (miner.connection.connected, miner.connection.error) = (false, Some("timed out".into()));
            miner
        };
        let never = |id: &str| MinerView { connection: Connection::default(), ..running(id, 100.0) };
        assert_eq!(told(vec![here("garage")]), ["garage", "good", "connected"]);
        assert_eq!(told(vec![here("garage"), here("shed")]), ["Miners", "good", "connected"]);
        assert_eq!(told(vec![here("garage"), gone("shed")]), ["Miners", "doubtful", "1 of 2 connected"]);
        assert_eq!(told(vec![gone("garage"), gone("shed")]), ["Miners", "bad", "can't be reached"]);
        assert_eq!(told(vec![never("garage"), never("shed")]), ["Miners", "", "waiting"]);
        assert_eq!(of(vec![here("garage"), gone("shed")]).error.as_deref(), Some("shed: timed out"));
        assert_eq!(of(vec![here("garage"), never("shed")]).seen, None, "of one nothing was heard yet");
    }

    #[test]
    fn the_network_is_as_good_as_its_devices() {
        let network = |miners| {
            let view = tell(&overview(battery(Some(60.0)), miners));
            let network = view.connections.last().unwrap().clone();
            (network.health, network.word)
        };
        let told = |health: &str, word: &str| (health.to_owned(), word.to_owned());
        let (mut gone, mut never) = (running("shed", 100.0), running("barn", 100.0));
        gone.connection.connected = false;
        never.connection = model::snapshot::Connection::default();
        assert_eq!(network(vec![running("garage", 100.0)]), told("good", "1 device"));
        assert_eq!(network(vec![running("garage", 100.0), gone.clone()]), told("doubtful", "2 devices"));
        assert_eq!(network(vec![gone]), told("bad", "1 device"));
        assert_eq!(network(vec![never]), told("", "1 device"));
        assert_eq!(network(vec![]), told("", "0 devices"));
    }
}
