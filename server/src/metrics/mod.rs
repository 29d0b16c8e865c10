//! `GET /metrics`: how things stand, as OpenMetrics text for whoever collects it.
//!
//! Everything is told from the snapshot of the moment, so that nothing here can be older than what the API tells. What
//! isn't known is left out, and so is what a device said last once it has fallen silent: a collector puts its own time to
//! what it reads.

mod families;
mod told;

use crate::{current::Current, events::News, rest::Facts};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use engine::{Handle, Lateness};
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
    started: UtcMillis,
}

impl Metrics {
    pub(crate) fn new(site: Handle, current: Current, news: News) -> Self {
        let started = site.now().utc;
        Self { site, current, news, started }
    }

    fn moment(&self) -> Moment {
        Moment {
            snapshot: self.site.snapshot(),
            facts: self.current.facts(),
            lateness: self.site.lateness(),
            listeners: self.news.listeners(),
            resident: resident_bytes(),
            started: self.started,
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
    lateness: Lateness,
    listeners: usize,
    resident: Option<u64>,
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
