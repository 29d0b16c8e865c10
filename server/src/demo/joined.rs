//! A simulator that runs elsewhere on this machine: finding it, and living by its clock.

use super::Device;
use anyhow::{Context, ensure};
use engine::clock::{Busy, Clock};
use model::UtcMillis;
use serde::Deserialize;
use simulator::time::SimulatedClock;
use std::{future::Future, pin::Pin, time::Duration};

/// The longest real sleep before the pace of simulated time is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How often, in real time, a joined simulator is asked for its time.
const SYNC: Duration = Duration::from_millis(500);
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
    pub(super) miners: Vec<Device>,
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
