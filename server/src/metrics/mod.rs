//! `GET /metrics`: how things stand, as OpenMetrics text for whoever collects it.
//!
//! Everything is told from the snapshot of the moment, so that nothing here can be older than what the API tells. What
//! isn't known is left out, and so is what a device said last once it has fallen silent: a collector puts its own time to
//! what it reads.

mod families;
mod told;

use crate::{
    current::Current,
    events::News,
    keeping::{Keeping, Kept},
    rest::Facts,
};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use engine::{Handle, Ticks};
use families::Families;
use model::{UtcMillis, snapshot::Snapshot};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, text},
    registry::Registry,
};
use std::{fmt, fs, sync::Arc};

/// <https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md#overall-structure>
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the endpoint knows.
#[derive(Clone)]
pub(crate) struct Metrics {
    site: Handle,
    current: Current,
    news: News,
    keeping: Keeping,
    started: UtcMillis,
}

impl Metrics {
    pub(crate) fn new(site: Handle, current: Current, news: News, keeping: Keeping) -> Self {
        let started = site.now().utc;
        Self { site, current, news, keeping, started }
    }

    fn moment(&self) -> Moment {
        Moment {
            snapshot: self.site.snapshot(),
            facts: self.current.facts(),
            ticks: self.site.ticks(),
            listeners: self.news.listeners(),
            resident: resident_bytes(),
            started: self.started,
            written: Keeping::written_since_start(),
            kept: self.keeping.kept(),
            now: self.site.now().utc,
        }
    }
}

/// The endpoint.
pub(crate) fn routes(metrics: Metrics) -> Router {
    Router::new().route("/metrics", get(tell)).with_state(metrics)
}

async fn tell(State(metrics): State<Metrics>) -> Response {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(metrics.moment()));
    let mut text = String::new();
    match text::encode(&mut text, &registry) {
        Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")], text)
            .into_response(),
        // A String takes everything.
        Err(fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// All that is told at one moment.
struct Moment {
    snapshot: Arc<Snapshot>,
    facts: Arc<Facts>,
    ticks: Ticks,
    listeners: usize,
    resident: Option<u64>,
    written: Option<u64>,
    kept: Kept,
    started: UtcMillis,
    now: UtcMillis,
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moment").field("tick", &self.snapshot.tick).finish_non_exhaustive()
    }
}

impl Collector for Moment {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.tell(&mut Families(encoder))
    }
}

/// The memory that this process holds, where the system tells it (proc(5)).
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        assemble,
        config::{Changes, Inputs},
    };
    use model::{
        BatteryReading, Soc, Watts,
        snapshot::{BatteryView, Connection},
    };
    use std::iter;

    const TICKED: UtcMillis = UtcMillis(1_795_000_000_000);

    /// What is told so many milliseconds after the last tick, of a battery whose own clock is `behind` by so many seconds.
    fn told(later: i64, behind: f64) -> String {
        let config = Inputs::of_text("", iter::empty()).load(&Changes::new()).unwrap().config;
        let reading = BatteryReading {
            source_time: Some(TICKED),
            soc_percent: Some(80.0),
            pv: Watts::new(1500.0),
            ..BatteryReading::default()
        };
        let battery = BatteryView {
            connection: Connection { connected: true, last_seen: Some(TICKED), ..Connection::default() },
            reading: Some(reading),
            soc: Soc::new(80.0),
            age_seconds: Some(behind),
            poll_seconds: 60,
        };
        let snapshot = Snapshot {
            at: TICKED,
            tick: 5,
            clock_synced: true,
            battery,
            miners: Vec::new(),
            followed: Vec::new(),
            alerts: Vec::new(),
            database_ok: true,
            invariants: Vec::new(),
        };
        let moment = Moment {
            snapshot: Arc::new(snapshot),
            facts: Arc::new(assemble::facts(&config, false)),
            ticks: Ticks::default(),
            listeners: 0,
            resident: None,
            written: None,
            kept: Kept::default(),
            started: TICKED,
            now: UtcMillis(TICKED.0 + later),
        };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(moment));
        let mut text = String::new();
        text::encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn what_a_control_loop_left_that_stands_still_is_not_the_present() {
        let text = told(1000, 1.0);
        assert!(text.contains("state_of_charge_ratio 0.8") && text.contains("pv_power_watts 1500"), "{text}");
        // A tick is due every 10 s; an hour is too late, whatever is left out of one.
        let text = told(3_600_000, 1.0);
        assert!(text.contains("control_loop_last_tick_age_seconds 3600.0"), "{text}");
        assert!(!text.contains("wm_controller_battery"), "{text}");
    }

    #[test]
    fn of_two_ages_of_the_battery_the_greater_one_counts() {
        let text = told(0, 3600.0);
        assert!(text.contains("battery_source_up 1.0"), "{text}");
        assert!(!text.contains("state_of_charge") && !text.contains("pv_power"), "{text}");
    }
}
