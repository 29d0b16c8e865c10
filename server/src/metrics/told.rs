//! Which metrics there are, and what they say of a moment.

use super::{
    Moment,
    families::{Families, Family, Labels},
};
use model::{
    Alert, BatteryReading, MinerReading, Severity, UtcMillis, Wanted,
    snapshot::{BatteryView, Connection, MinerState, MinerView},
};
use serde::Serialize;
use std::fmt;

impl Moment {
    /// Tells everything that is known.
    pub(super) fn tell(&self, families: &mut Families<'_>) -> fmt::Result {
        self.tell_program(families)?;
        self.tell_disk(families)?;
        self.tell_control_loop(families)?;
        // Before the first tick a snapshot holds no more than its shape.
        if self.snapshot.tick == 0 {
            return Ok(());
        }
        // Nor is it the present any more once the control loop stands still.
        if self.now.millis_since(self.snapshot.at) > self.facts.longest_silence() {
            return Ok(());
        }
        self.tell_alerts(families)?;
        self.tell_battery(families)?;
        self.tell_miners(families)
    }

    fn tell_program(&self, families: &mut Families<'_>) -> fmt::Result {
        const BUILD: Family = Family::new("wm_controller_build", "", "The program.");
        const SITE: Family = Family::new("wm_controller_site", "", "The site that it runs.");
        const STARTED: Family = Family::new(
            "wm_controller_start_time",
            "seconds",
            "When the program began to answer, since 1970, by the site's clock.",
        );
        const MEMORY: Family =
            Family::new("process_resident_memory", "bytes", "Resident memory of the process.");
        const LISTENERS: Family =
            Family::new("wm_controller_event_listeners", "", "Who follows the events now, pages among them.");
        families.infos(BUILD, [vec![("version", env!("CARGO_PKG_VERSION").to_owned())]])?;
        let site = vec![
            ("name", self.facts.site_name.clone()),
            ("timezone", self.facts.timezone.name().to_owned()),
            ("demo", self.facts.demo.to_string()),
        ];
        families.infos(SITE, [site])?;
        families.gauge(STARTED, Some(self.started.0 as f64 / 1000.0))?;
        families.gauge(MEMORY, self.resident.map(|bytes| bytes as f64))?;
        families.gauge(LISTENERS, Some(self.listeners as f64))
    }

    fn tell_disk(&self, families: &mut Families<'_>) -> fmt::Result {
        const WRITTEN: Family = Family::new(
            "process_disk_written",
            "bytes",
            "What the process caused to be written to disks since its start, backups included.",
        );
        const COPIED: Family =
            Family::new("wm_controller_backups_written", "bytes", "What backups wrote since the start.");
        const DATABASE: Family = Family::new("wm_controller_database_size", "bytes", "The database's file.");
        const FREE: Family =
            Family::new("wm_controller_disk_free", "bytes", "What is free on the disk that holds the data.");
        const BACKUP: Family = Family::new(
            "wm_controller_newest_backup_age",
            "seconds",
            "Time since the newest backup was made.",
        );
        families.counters(WRITTEN, self.written.map(|bytes| (Labels::new(), bytes)))?;
        families.counters(COPIED, [(Labels::new(), self.kept.copied)])?;
        families.gauge(DATABASE, self.kept.database.map(|bytes| bytes as f64))?;
        families.gauge(FREE, self.kept.free.map(|bytes| bytes as f64))?;
        let newest = self.kept.backups.first().map(|backup| self.seconds_since(backup.manifest.at));
        families.gauge(BACKUP, newest)
    }

    fn tell_control_loop(&self, families: &mut Families<'_>) -> fmt::Result {
        const TICKS: Family =
            Family::new("wm_controller_control_loop_ticks", "", "Ticks of the control loop since the start.");
        const SKIPPED: Family = Family::new(
            "wm_controller_control_loop_skipped_ticks",
            "",
            "Ticks there never were, since an earlier one was still outstanding when they were due.",
        );
        const LATENESS: Family = Family::new(
            "wm_controller_control_loop_lateness",
            "seconds",
            "By how much the ticks of the control loop came after they were due.",
        );
        const LATEST: Family = Family::new(
            "wm_controller_control_loop_latest",
            "seconds",
            "The most that any of them came after it was due.",
        );
        const DURATION: Family = Family::new(
            "wm_controller_control_loop_duration",
            "seconds",
            "How long the ticks of the control loop took.",
        );
        const LONGEST: Family =
            Family::new("wm_controller_control_loop_longest", "seconds", "The most that any of them took.");
        const SILENCE: Family = Family::new(
            "wm_controller_control_loop_last_tick_age",
            "seconds",
            "Time since the last tick of the control loop.",
        );
        const BROKEN: Family = Family::new(
            "wm_controller_invariant_violations",
            "",
            "How often a decision broke a rule that must hold, since the start: a bug, if it isn't 0.",
        );
        const DATABASE: Family = Family::new("wm_controller_database_up", "", "The database takes writes.");
        const SYNCED: Family = Family::new(
            "wm_controller_clock_synced",
            "",
            "Something other than our own clock agrees with it.",
        );
        let snapshot = &self.snapshot;
        families.counters(TICKS, [(Labels::new(), snapshot.tick)])?;
        families.counters(SKIPPED, [(Labels::new(), self.ticks.skipped())])?;
        let told = [(LATENESS, LATEST, self.ticks.lateness()), (DURATION, LONGEST, self.ticks.durations())];
        for (histogram, most, times) in told {
            let classes = times.classes().map(|(bound, count)| (bound.as_secs_f64(), count));
            let classes: Vec<_> = classes.chain([(f64::INFINITY, times.beyond())]).collect();
            families.histogram(histogram, times.sum().as_secs_f64(), &classes)?;
            families.gauge(most, Some(times.longest().as_secs_f64()))?;
        }
        if snapshot.tick == 0 {
            return Ok(());
        }
        families.gauge(SILENCE, Some(self.seconds_since(snapshot.at)))?;
        let broken = snapshot.invariants.iter();
        let broken = broken.map(|count| (vec![("invariant", count.name.clone())], count.violations));
        families.counters(BROKEN, broken)?;
        families.gauge(DATABASE, Some(yes_or_no(snapshot.database_ok)))?;
        families.gauge(SYNCED, Some(yes_or_no(snapshot.clock_synced)))
    }

    fn tell_alerts(&self, families: &mut Families<'_>) -> fmt::Result {
        const COUNT: Family =
            Family::new("wm_controller_alerts", "", "How many alerts hold now, of each severity.");
        const ALERT: Family = Family::new("wm_controller_alert", "", "An alert that holds now.");
        let active = || self.snapshot.alerts.iter().filter(|alert| alert.active);
        let of = |severity| {
            let count = active().filter(|alert| alert.severity == severity).count();
            (vec![("severity", word(severity))], Some(count as f64))
        };
        families.gauges(COUNT, [Severity::Info, Severity::Warning, Severity::Alarm].map(of))?;
        families.gauges(ALERT, active().map(|alert| (labels_of_alert(alert), Some(1.0))))
    }

    fn tell_battery(&self, families: &mut Families<'_>) -> fmt::Result {
        const UP: Family = Family::new(
            "wm_controller_battery_source_up",
            "",
            "The battery source answered at the last attempt.",
        );
        const SEEN: Family = Family::new(
            "wm_controller_battery_source_last_seen_age",
            "seconds",
            "Time since the battery source answered last.",
        );
        const AGE: Family = Family::new(
            "wm_controller_battery_data_age",
            "seconds",
            "Age of the last good state of charge, from the battery's own time, while the law decides from it.",
        );
        const READING_AGE: Family = Family::new(
            "wm_controller_battery_reading_age",
            "seconds",
            "Age of the last reading, good or not, from the battery's own time.",
        );
        const CHARGE: Family = Family::new(
            "wm_controller_battery_state_of_charge",
            "ratio",
            "State of charge that the law decides from, 0 to 1.",
        );
        const LOST: Family = Family::new(
            "wm_controller_battery_lost",
            "",
            "The source says that the battery or its uplink is offline.",
        );
        const PV: Family = Family::new("wm_controller_battery_pv_power", "watts", "Production of the sun.");
        const LOAD: Family =
            Family::new("wm_controller_battery_load_power", "watts", "Consumption of the house.");
        const GRID: Family = Family::new(
            "wm_controller_battery_grid_power",
            "watts",
            "Power from the grid; negative: into it.",
        );
        const NET: Family = Family::new(
            "wm_controller_battery_power",
            "watts",
            "Power into the battery; negative: out of it.",
        );
        const VOLTAGE: Family =
            Family::new("wm_controller_battery_voltage", "volts", "Voltage of the battery's pack.");
        const TEMPERATURE: Family =
            Family::new("wm_controller_battery_temperature", "celsius", "Temperature of the battery's pack.");
        let battery = &self.snapshot.battery;
        let stale_after = self.facts.stale_after.as_secs_f64();
        let charge = battery.soc.filter(|_| battery.age_seconds.is_some_and(|age| age < stale_after));
        families.gauge(UP, Some(yes_or_no(battery.connection.connected)))?;
        families.gauge(SEEN, self.last_seen_age(&battery.connection))?;
        families.gauge(AGE, battery.age_seconds)?;
        let last = battery.reading.as_ref().and_then(|reading| reading.source_time);
        families.gauge(READING_AGE, last.map(|at| self.seconds_since(at)))?;
        families.gauge(CHARGE, charge.map(|charge| charge.get() / 100.0))?;
        families.gauge(LOST, reading_of(battery).map(|reading| yes_or_no(reading.lost)))?;
        // Of its two ages the greater one counts, as it does for the law: ours, or the battery's own time may be wrong.
        let reading = reading_of(battery).filter(|reading| {
            let age = reading.source_time.map(|at| self.seconds_since(at));
            let age = age.map(|age| age.max(battery.age_seconds.unwrap_or_default()));
            !reading.lost && age.is_some_and(|age| age < stale_after)
        });
        families.gauge(PV, reading.and_then(|reading| reading.pv).map(f64::from))?;
        families.gauge(LOAD, reading.and_then(|reading| reading.load).map(f64::from))?;
        families.gauge(GRID, reading.and_then(|reading| reading.grid).map(f64::from))?;
        families.gauge(NET, reading.and_then(|reading| reading.battery).map(f64::from))?;
        families.gauge(VOLTAGE, reading.and_then(|reading| reading.voltage))?;
        families.gauge(TEMPERATURE, reading.and_then(|reading| reading.temperature).map(f64::from))
    }

    fn tell_miners(&self, families: &mut Families<'_>) -> fmt::Result {
        const INFO: Family = Family::new("wm_controller_miner", "", "A miner, as far as it is known.");
        const FAN: Family = Family::new("wm_controller_miner_fan_speed", "rpm", "Speed of a miner's fan.");
        const STATE: Family =
            Family::new("wm_controller_miner_state", "", "What a miner is doing, by all that is known.");
        const WANTED: Family =
            Family::new("wm_controller_miner_wanted_state", "", "What the law wants of a miner.");
        let miners = &self.snapshot.miners;
        families.infos(INFO, miners.iter().map(described))?;
        let states = [MinerState::Unknown, MinerState::Off, MinerState::Running];
        let state = |miner: &MinerView| one_of(miner, states.map(word), &word(miner.state));
        families.gauges(STATE, miners.iter().flat_map(state))?;
        let wanted = |miner: &MinerView| {
            let wanted = match miner.decision.wanted {
                Wanted::Hold => "hold",
                Wanted::Off => "off",
                Wanted::Run(_) => "running",
            };
            one_of(miner, ["hold", "off", "running"].map(str::to_owned), wanted)
        };
        families.gauges(WANTED, miners.iter().flat_map(wanted))?;
        for (family, of) in OF_MINERS {
            families.gauges(family, miners.iter().map(|miner| (labelled(miner), of(self, miner))))?;
        }
        for (family, of) in OF_READINGS {
            let value = |miner: &MinerView| read(miner).and_then(of);
            families.gauges(family, miners.iter().map(|miner| (labelled(miner), value(miner))))?;
        }
        let fans = miners.iter().flat_map(|miner| {
            let fan = |name: &str, speed: Option<u32>| {
                let mut labels = labelled(miner);
                labels.push(("fan", name.to_owned()));
                (labels, speed.map(f64::from))
            };
            let reading = read(miner);
            [
                fan("inlet", reading.and_then(|reading| reading.fan_in_rpm)),
                fan("outlet", reading.and_then(|reading| reading.fan_out_rpm)),
            ]
        });
        families.gauges(FAN, fans)
    }

    fn seconds_since(&self, instant: UtcMillis) -> f64 {
        // A source's clock may be a little ahead of ours.
        self.now.millis_since(instant).max(0) as f64 / 1000.0
    }

    fn last_seen_age(&self, connection: &Connection) -> Option<f64> {
        connection.last_seen.map(|seen| self.seconds_since(seen))
    }
}

type OfMiner = fn(&Moment, &MinerView) -> Option<f64>;

/// What is known of a miner whether it answers or not.
const OF_MINERS: [(Family, OfMiner); 11] = [
    (
        Family::new("wm_controller_miner_up", "", "The miner answered at the last attempt, lately."),
        |_, miner| Some(yes_or_no(miner.connection.connected)),
    ),
    (
        Family::new("wm_controller_miner_last_seen_age", "seconds", "Time since the miner was read last."),
        |moment, miner| moment.last_seen_age(&miner.connection),
    ),
    (
        Family::new("wm_controller_miner_base_power", "watts", "The miner's power at 100 %, as configured."),
        |_, miner| Some(miner.base_watts.get()),
    ),
    (
        Family::new(
            "wm_controller_miner_wanted_power",
            "ratio",
            "Power that the law wants, as a part of the base power, while it wants the miner to run.",
        ),
        |_, miner| match miner.decision.wanted {
            Wanted::Run(percent) => Some(f64::from(percent.get()) / 100.0),
            Wanted::Off | Wanted::Hold => None,
        },
    ),
    (
        Family::new(
            "wm_controller_miner_ceiling",
            "ratio",
            "The highest power now allowed, as a part of the base power.",
        ),
        |_, miner| Some(f64::from(miner.latches.ceiling.get()) / 100.0),
    ),
    (
        Family::new("wm_controller_miner_emergency_latched", "", "The emergency latch keeps the miner off."),
        |_, miner| Some(yes_or_no(miner.latches.emergency)),
    ),
    (
        Family::new(
            "wm_controller_miner_stopped",
            "",
            "The miner is stopped, and something must start it anew.",
        ),
        |_, miner| Some(yes_or_no(miner.latches.stopped.is_some())),
    ),
    (Family::new("wm_controller_miner_degraded", "", "Three commands in a row failed."), |_, miner| {
        Some(yes_or_no(miner.latches.degraded))
    }),
    (Family::new("wm_controller_miner_auto_control", "", "The battery drives the miner."), |_, miner| {
        Some(yes_or_no(miner.intent.auto_control))
    }),
    (
        Family::new(
            "wm_controller_miner_commands_of_day",
            "",
            "Ordinary commands to the miner in the last 24 hours.",
        ),
        |_, miner| Some(f64::from(miner.latches.commands_today)),
    ),
    (
        Family::new(
            "wm_controller_miner_command_budget",
            "",
            "How many ordinary commands may be sent to the miner in 24 hours.",
        ),
        |_, miner| Some(f64::from(miner.latches.command_budget)),
    ),
];

type OfReading = fn(&MinerReading) -> Option<f64>;

/// What a miner says about itself, while it answers.
const OF_READINGS: [(Family, OfReading); 8] = [
    (Family::new("wm_controller_miner_power", "watts", "Power that the miner draws."), |reading| {
        reading.power.map(f64::from)
    }),
    (Family::new("wm_controller_miner_power_set", "watts", "Power that the miner is set to."), |reading| {
        reading.power_set.map(f64::from)
    }),
    (
        Family::new("wm_controller_miner_power_limit", "watts", "Power limit that is in force at the miner."),
        |reading| reading.power_limit.map(f64::from),
    ),
    (
        Family::new("wm_controller_miner_hash_rate", "hashes_per_second", "Hash rate of the miner."),
        |reading| reading.hash_rate.map(|rate| rate.get() * HASHES),
    ),
    (
        Family::new("wm_controller_miner_ambient_temperature", "celsius", "Air at the miner's inlet."),
        |reading| reading.ambient.map(f64::from),
    ),
    (
        Family::new("wm_controller_miner_chip_max_temperature", "celsius", "The miner's hottest chip."),
        |reading| reading.chip_max.map(f64::from),
    ),
    (
        Family::new(
            "wm_controller_miner_chip_average_temperature",
            "celsius",
            "Mean over the miner's chips.",
        ),
        |reading| reading.chip_average.map(f64::from),
    ),
    (
        Family::new("wm_controller_miner_running_time", "seconds", "Time since the mining process started."),
        |reading| reading.elapsed_seconds.map(|seconds| seconds as f64),
    ),
];

/// Hashes of a terahash.
const HASHES: f64 = 1e12;

fn yes_or_no(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

/// The word that the API has for a value of an enumeration.
fn word(value: impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// The battery's reading, while its source answers.
fn reading_of(battery: &BatteryView) -> Option<&BatteryReading> {
    battery.reading.as_ref().filter(|_| battery.connection.connected)
}

/// A miner's reading, while it answers.
fn read(miner: &MinerView) -> Option<&MinerReading> {
    miner.reading.as_ref().filter(|_| miner.connection.connected)
}

fn labelled(miner: &MinerView) -> Labels {
    vec![("miner", miner.id.0.clone())]
}

fn described(miner: &MinerView) -> Labels {
    let mut labels = labelled(miner);
    labels.push(("name", miner.name.clone()));
    let identity = miner.identity.as_ref();
    let known = [
        ("model", identity.and_then(|identity| identity.model.clone())),
        ("firmware", identity.and_then(|identity| identity.firmware.clone())),
    ];
    labels.extend(known.into_iter().filter_map(|(name, value)| Some((name, value?))));
    labels
}

/// A value for each state that a miner can be in: 1 for the one that it is in, 0 for the others.
fn one_of<const N: usize>(miner: &MinerView, states: [String; N], is: &str) -> [(Labels, Option<f64>); N] {
    states.map(|state| {
        let value = Some(yes_or_no(state == is));
        let mut labels = labelled(miner);
        labels.push(("state", state));
        (labels, value)
    })
}

fn labels_of_alert(alert: &Alert) -> Labels {
    let mut labels = vec![("code", word(alert.code)), ("severity", word(alert.severity))];
    labels.extend(alert.miner.as_ref().map(|miner| ("miner", miner.0.clone())));
    labels
}
