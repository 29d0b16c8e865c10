//! `GET /metrics`: the present in OpenMetrics, for Prometheus and whatever reads the same
//! (<https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md>).
//!
//! Everything is taken from the newest snapshot when it is asked for. Units are base units: watts, ratios from 0 to 1, seconds.
//! What isn't known is left out; it is never 0.

use super::{Api, ApiError};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use engine::{Handle, Pulse};
use model::{
    UtcMillis, Wanted, Watts,
    snapshot::{MinerState, MinerView, Snapshot},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text::encode},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};
use std::{fmt, sync::Arc};

/// The form of the answer, as it names itself.
const FORM: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The route, at the root.
pub(crate) fn routes(api: Api) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(api)
}

async fn metrics(State(api): State<Api>) -> Result<Response, ApiError> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Present::of(&api.site)));
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|_| {
        let message = "the metrics can't be written";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    })?;
    Ok(([(header::CONTENT_TYPE, FORM)], text).into_response())
}

/// What is known at this moment.
#[derive(Debug)]
struct Present {
    snapshot: Arc<Snapshot>,
    now: UtcMillis,
    pulse: Pulse,
}

impl Present {
    fn of(site: &Handle) -> Self {
        Self { snapshot: site.snapshot(), now: site.now().utc, pulse: site.pulse() }
    }

    fn seconds_since(&self, at: Option<UtcMillis>) -> Option<f64> {
        at.map(|at| self.now.millis_since(at) as f64 / 1000.0)
    }
}

/// Labels of a value.
type Labels<'a> = Vec<(&'static str, &'a str)>;

/// Writes families, each with the values that are known; one without any is left out.
struct Families<'a>(DescriptorEncoder<'a>);

impl Families<'_> {
    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        unit: &str,
        values: Vec<(Labels<'_>, Option<f64>)>,
    ) -> fmt::Result {
        let known: Vec<_> = values
            .into_iter()
            .filter_map(|(labels, value)| Some((labels, value.filter(|value| value.is_finite())?)))
            .collect();
        if known.is_empty() {
            return Ok(());
        }
        let unit = (!unit.is_empty()).then(|| Unit::Other(unit.to_owned()));
        let gauge = prometheus_client::metrics::MetricType::Gauge;
        let mut family = self.0.encode_descriptor(name, help, unit.as_ref(), gauge)?;
        for (labels, value) in known {
            let gauge = ConstGauge::new(value);
            if labels.is_empty() {
                gauge.encode(family)?;
                return Ok(());
            }
            gauge.encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn one(&mut self, name: &str, help: &str, unit: &str, value: Option<f64>) -> fmt::Result {
        self.gauge(name, help, unit, vec![(Vec::new(), value)])
    }

    /// What something is, in labels.
    fn info(&mut self, name: &str, help: &str, all: Vec<Labels<'_>>) -> fmt::Result {
        let kind = prometheus_client::metrics::MetricType::Info;
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        all.into_iter().try_for_each(|labels| family.encode_info(&labels))
    }

    fn counter(&mut self, name: &str, help: &str, values: Vec<(Labels<'_>, u64)>) -> fmt::Result {
        let kind = prometheus_client::metrics::MetricType::Counter;
        let mut family = self.0.encode_descriptor(name, help, None, kind)?;
        for (labels, value) in values {
            let counter = ConstCounter::new(value);
            if labels.is_empty() {
                counter.encode(family)?;
                return Ok(());
            }
            counter.encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

fn flag(flag: bool) -> f64 {
    f64::from(u8::from(flag))
}

fn watts(watts: Option<Watts>) -> Option<f64> {
    watts.map(Watts::get)
}

impl Collector for Present {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families(encoder);
        self.of_controller(&mut families)?;
        self.of_battery(&mut families)?;
        self.of_miners(&mut families)
    }
}

impl Present {
    fn of_controller(&self, families: &mut Families<'_>) -> fmt::Result {
        let snapshot = &self.snapshot;
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        families.info("wm_controller_build", "The program that answers.", vec![version])?;
        families.one(
            "wm_controller_snapshot_age",
            "Time since the control loop's last tick.",
            "seconds",
            self.seconds_since(Some(snapshot.at)),
        )?;
        families.counter(
            "wm_controller_ticks",
            "Ticks of the control loop.",
            vec![(Vec::new(), snapshot.tick)],
        )?;
        families.one(
            "wm_controller_tick_lateness_max",
            "The latest that a tick of the control loop came after its time since the start.",
            "seconds",
            Some(self.pulse.latest.as_secs_f64()),
        )?;
        families.counter(
            "wm_controller_ticks_dropped",
            "Ticks left out because the one before came too late.",
            vec![(Vec::new(), self.pulse.dropped)],
        )?;
        families.one(
            "wm_controller_clock_synced",
            "Something else agrees with the program's clock.",
            "",
            Some(flag(snapshot.clock_synced)),
        )?;
        families.one(
            "wm_controller_database_up",
            "The database takes writes.",
            "",
            Some(flag(snapshot.database_ok)),
        )?;
        let open = snapshot.alerts.iter().filter(|alert| alert.active).count();
        families.one("wm_controller_alerts_active", "Alerts that hold.", "", Some(open as f64))?;
        let broken = snapshot
            .invariants
            .iter()
            .map(|count| (vec![("invariant", count.name.as_str())], count.violations));
        families.counter(
            "wm_controller_invariant_violations",
            "Decisions that broke a rule that must hold; always 0.",
            broken.collect(),
        )
    }

    fn of_battery(&self, families: &mut Families<'_>) -> fmt::Result {
        let battery = &self.snapshot.battery;
        // What was read last is the present only as long as the source answers.
        let reading = battery.reading.as_ref();
        let reading = reading.filter(|reading| battery.connection.connected && !reading.lost);
        families.one(
            "battery_up",
            "The battery's source answered the last time.",
            "",
            Some(flag(battery.connection.connected)),
        )?;
        let charge = battery.soc.map(|soc| soc.get() / 100.0);
        families.one(
            "battery_state_of_charge",
            "State of charge, by the last good reading.",
            "ratio",
            charge,
        )?;
        families.one(
            "battery_data_age",
            "Age of that reading, by the battery's own time.",
            "seconds",
            battery.age_seconds,
        )?;
        let power = |of: fn(&model::BatteryReading) -> Option<Watts>| watts(reading.and_then(of));
        families.one(
            "battery_power",
            "Into the battery; out of it is negative.",
            "watts",
            power(|reading| reading.battery),
        )?;
        families.one("solar_power", "From the sun.", "watts", power(|reading| reading.pv))?;
        families.one("house_load_power", "Into the house.", "watts", power(|reading| reading.load))?;
        families.one(
            "grid_power",
            "From the grid; into it is negative.",
            "watts",
            power(|reading| reading.grid),
        )?;
        families.one(
            "battery_voltage",
            "At the battery.",
            "volts",
            reading.and_then(|reading| reading.voltage),
        )?;
        let temperature = reading.and_then(|reading| reading.temperature).map(model::Celsius::get);
        families.one("battery_temperature", "Of the battery.", "celsius", temperature)
    }

    /// A value of each miner.
    fn each(&self, value: &dyn Fn(&MinerView) -> Option<f64>) -> Vec<(Labels<'_>, Option<f64>)> {
        let miners = self.snapshot.miners.iter();
        miners.map(|miner| (vec![("miner", miner.id.0.as_str())], value(miner))).collect()
    }

    fn of_miners(&self, families: &mut Families<'_>) -> fmt::Result {
        let miners = &self.snapshot.miners;
        let names = miners.iter().map(|miner| {
            vec![("miner", miner.id.0.as_str()), ("name", miner.name.as_str()), ("host", miner.host.as_str())]
        });
        families.info("miner", "What the miner is called, and where it is.", names.collect())?;
        families.gauge(
            "miner_up",
            "The miner answered the last time.",
            "",
            self.each(&|miner| Some(flag(miner.connection.connected))),
        )?;
        families.gauge(
            "miner_last_seen",
            "Time since the miner last answered.",
            "seconds",
            self.each(&|miner| self.seconds_since(miner.connection.last_seen)),
        )?;
        let states =
            [(MinerState::Unknown, "unknown"), (MinerState::Off, "off"), (MinerState::Running, "running")];
        let states = miners.iter().flat_map(|miner| {
            states.map(|(state, said)| {
                (vec![("miner", miner.id.0.as_str()), ("state", said)], Some(flag(miner.state == state)))
            })
        });
        families.gauge(
            "miner_state",
            "What the miner does, by all that is known: 1 at the one that holds.",
            "",
            states.collect(),
        )?;
        self.of_readings(families)?;
        self.of_law(families)
    }

    /// What they told, as long as they answer.
    fn of_readings(&self, families: &mut Families<'_>) -> fmt::Result {
        let fresh = |miner: &MinerView| miner.reading.clone().filter(|_| miner.connection.connected);
        families.gauge(
            "miner_power",
            "What the miner draws.",
            "watts",
            self.each(&|miner| watts(fresh(miner)?.power)),
        )?;
        families.gauge(
            "miner_power_set",
            "What the miner is set to draw.",
            "watts",
            self.each(&|miner| watts(fresh(miner)?.power_set)),
        )?;
        families.gauge(
            "miner_hash_rate",
            "Its hash rate.",
            "hashes_per_second",
            self.each(&|miner| Some(fresh(miner)?.hash_rate?.get() * 1e12)),
        )?;
        families.gauge(
            "miner_ambient_temperature",
            "Of the air around it.",
            "celsius",
            self.each(&|miner| Some(fresh(miner)?.ambient?.get())),
        )?;
        families.gauge(
            "miner_chip_temperature_max",
            "Of its hottest chip.",
            "celsius",
            self.each(&|miner| Some(fresh(miner)?.chip_max?.get())),
        )?;
        families.gauge(
            "miner_fan_in_speed",
            "Of the fan at the inlet.",
            "rpm",
            self.each(&|miner| Some(f64::from(fresh(miner)?.fan_in_rpm?))),
        )?;
        families.gauge(
            "miner_fan_out_speed",
            "Of the fan at the outlet.",
            "rpm",
            self.each(&|miner| Some(f64::from(fresh(miner)?.fan_out_rpm?))),
        )
    }

    /// What the law makes of it.
    fn of_law(&self, families: &mut Families<'_>) -> fmt::Result {
        let wanted = |miner: &MinerView| match miner.decision.wanted {
            Wanted::Run(percent) => Some(f64::from(percent.get()) / 100.0),
            Wanted::Off => Some(0.0),
            Wanted::Hold => None,
        };
        families.gauge(
            "miner_wanted_power",
            "What the law wants of it, of what it draws at its most; 0 is off.",
            "ratio",
            self.each(&wanted),
        )?;
        let ceiling = |miner: &MinerView| Some(f64::from(miner.latches.ceiling.get()) / 100.0);
        families.gauge(
            "miner_ceiling",
            "The most that it may draw until the battery is full.",
            "ratio",
            self.each(&ceiling),
        )?;
        families.gauge(
            "miner_emergency_latched",
            "Off until the battery is full, the sun sets or a person says otherwise.",
            "",
            self.each(&|miner| Some(flag(miner.latches.emergency))),
        )?;
        families.gauge(
            "miner_auto_control",
            "The battery drives it.",
            "",
            self.each(&|miner| Some(flag(miner.intent.auto_control))),
        )?;
        families.gauge(
            "miner_commands_today",
            "Commands within 24 hours that weren't for safety.",
            "",
            self.each(&|miner| Some(f64::from(miner.latches.commands_today))),
        )
    }
}
