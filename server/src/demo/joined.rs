//! A simulator that runs elsewhere on this machine: finding it, and living by its clock.

use super::{bitaxe, whatsminer};
use anyhow::{Context, ensure};
use engine::clock::{Busy, Clock};
use model::UtcMillis;
use serde::Deserialize;
use serde_json::Value;
use simulator::time::SimulatedClock;
use std::{
    collections::BTreeSet,
    future::Future,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::Pin,
    time::Duration,
};

/// The longest real sleep before the pace of simulated time is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How often, in real time, a joined simulator is asked for its time.
const SYNC: Duration = Duration::from_millis(500);
/// The power of a WhatsMiner that the simulator was told nothing else about.
const FULL_WATTS: u32 = 3600;
/// How many ranges the configuration takes.
const MOST_RANGES: usize = 8;
/// A joined simulator answers within this time.
const ANSWER: Duration = Duration::from_secs(5);

/// The simulator that answers at `url`, and a clock that follows its own from now on, whatever its pace.
pub(super) async fn join(url: &str) -> anyhow::Result<(Joined, FollowingClock)> {
    let client = reqwest::Client::builder().timeout(ANSWER).no_proxy().build()?;
    let state: Joined = ask(&client, &format!("{url}/state")).await?;
    let clock = SimulatedClock::new(state.time.utc, state.time.scale);
    tokio::spawn(follow(clock.clone(), client, format!("{url}/time")));
    Ok((state, FollowingClock::new(clock)))
}

/// What a simulator tells of itself.
#[derive(Deserialize)]
pub(super) struct Joined {
    time: Time,
    pub(super) portal: JoinedPortal,
    miners: Vec<JoinedMiner>,
    axeos: Vec<JoinedBitaxe>,
}

/// A simulated miner and where it answers.
#[derive(Deserialize)]
struct JoinedMiner {
    id: String,
    v2: Option<SocketAddr>,
    v3: Option<SocketAddr>,
}

/// A simulated Bitaxe, where it answers, and what it does.
#[derive(Deserialize)]
struct JoinedBitaxe {
    id: String,
    addr: SocketAddr,
    truth: Drawing,
}

#[derive(Deserialize)]
struct Drawing {
    watts: f64,
}

impl Joined {
    /// Its devices as a person would write them into the configuration. A Bitaxe has the power that it draws now.
    pub(super) fn configured(&self) -> Vec<Value> {
        let is_only_one = self.miners.len() == 1;
        let miners = self.miners.iter().map(|miner| {
            let name = if is_only_one { "Garage" } else { &miner.id };
            whatsminer(&miner.id, name, FULL_WATTS, (miner.v2, miner.v3))
        });
        let bitaxes = self.axeos.iter().map(|device| {
            let watts = device.truth.watts.round().max(1.0) as u32;
            bitaxe(&device.id, &device.id, watts, device.addr, true)
        });
        miners.chain(bitaxes).collect()
    }

    /// The networks that its devices are in, as far as a search takes so many.
    pub(super) fn ranges(&self) -> Vec<String> {
        let addresses = self.miners.iter().filter_map(|miner| miner.v2.or(miner.v3));
        let addresses = addresses.chain(self.axeos.iter().map(|device| device.addr));
        let network = |address: SocketAddr| match address.ip() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Some(Ipv4Addr::from([a, b, c, 0]))
            }
            IpAddr::V6(_) => None,
        };
        let networks: BTreeSet<_> = addresses.filter_map(network).collect();
        networks.into_iter().take(MOST_RANGES).map(|network| format!("{network}/24")).collect()
    }
}

#[derive(Deserialize)]
struct Time {
    utc: UtcMillis,
    scale: f64,
}

#[derive(Deserialize)]
pub(super) struct JoinedPortal {
    pub(super) url: String,
}

async fn ask<T: for<'de> Deserialize<'de>>(client: &reqwest::Client, url: &str) -> anyhow::Result<T> {
    let answer = client.get(url).send().await.with_context(|| format!("asking the simulator at {url}"))?;
    ensure!(answer.status().is_success(), "the simulator at {url} answers {}", answer.status());
    let body = answer.bytes().await?;
    serde_json::from_slice(&body).with_context(|| format!("{url} isn't a simulator's"))
}

/// Keeps our clock with the simulator's. It only ever moves forward; a clock that is ahead waits.
async fn follow(clock: SimulatedClock, client: reqwest::Client, url: String) {
    let mut answers = true;
    loop {
        tokio::time::sleep(SYNC).await;
        match ask::<Time>(&client, &url).await {
            Ok(told) => {
                let ahead = clock.now().millis_since(told.utc);
                // Half a pace lets a clock that is ahead be caught up with.
                let pace = if ahead > 1000 { told.scale / 2.0 } else { told.scale };
                let _ = clock.set_scale(pace);
                let _ = clock.jump_to(told.utc);
                answers = true;
            }
            Err(error) => {
                if answers {
                    tracing::warn!(%error, "the simulator's time isn't known: ours goes on at its last pace");
                }
                answers = false;
            }
        }
    }
}

/// The engine's clock over a simulated one.
pub(super) struct FollowingClock {
    clock: SimulatedClock,
    start: UtcMillis,
}

impl FollowingClock {
    fn new(clock: SimulatedClock) -> Self {
        let start = clock.now();
        Self { clock, start }
    }
}

impl Clock for FollowingClock {
    fn elapsed(&self) -> Duration {
        let millis = self.clock.now().millis_since(self.start);
        Duration::from_millis(u64::try_from(millis).unwrap_or_default())
    }

    fn wall(&self) -> UtcMillis {
        self.clock.now()
    }

    fn sleep_until(&self, busy: Busy, at: Duration) -> Pin<Box<dyn Future<Output = Busy> + Send + '_>> {
        Box::pin(async move {
            loop {
                let left = at.saturating_sub(self.elapsed());
                if left.is_zero() {
                    return busy;
                }
                // The pace may change, or time jump, while we rest.
                let real = Duration::try_from_secs_f64(left.as_secs_f64() / self.clock.scale());
                let rest = real.unwrap_or(LOOK_AGAIN).clamp(Duration::from_millis(1), LOOK_AGAIN);
                tokio::time::sleep(rest).await;
            }
        })
    }

    fn busy(&self) -> Busy {
        Busy::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_of_a_simulator_is_taken_up_and_searched_for_where_it_is() {
        let told = r#"{"time": {"utc": "2026-03-21T12:00:00Z", "scale": 1}, "portal": {"url": "http://localhost:1"},
            "miners": [{"id": "one", "v2": "127.0.77.1:4028", "v3": null}, {"id": "two", "v2": null, "v3": "127.0.78.2:4433"}],
            "axeos": [{"id": "three", "addr": "127.0.77.3:8077", "truth": {"watts": 18.7}}]}"#;
        let joined: Joined = serde_json::from_str(told).unwrap();
        let (_, config) =
            super::super::configuration(&joined.portal.url, &joined.configured(), &joined.ranges()).unwrap();
        assert_eq!(config.site.search_ranges, ["127.0.77.0/24", "127.0.78.0/24"]);
        let miners: Vec<_> = config
            .miners
            .iter()
            .map(|miner| (miner.label(), miner.port(), miner.base_watts.round_to_whole()))
            .collect();
        assert_eq!(miners, [("one", 4028, 3600), ("two", 1, 3600), ("three", 8077, 19)]);
        assert!(config.miners.iter().all(|miner| miner.controlled));
    }
}
