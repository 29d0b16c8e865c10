//! The house: its battery and the portal that shows it, its miner, its person and its clocks.

use super::events::{Day, Event, Obedience, TellsLimit};
use control::{BatteryObservation, Feedback, MinerObservation, Observation, Outcome, PowerRange, Share};
use model::{
    CivilDay, Command, Intent, LocalTime, Manual, ManualTarget, Means, MonoTime, PowerIntent, PowerPercent,
    SunTimes, TeraHash, UtcMillis, Watts,
};
use std::time::Duration;

/// The source's clock when the monotonic one reads zero.
const UTC_OFFSET: i64 = 1_770_000_000_000;

/// The house.
#[derive(Debug, Clone)]
pub(crate) struct House {
    pub(crate) now: i64,
    pub(crate) wall: i64,
    synced: bool,
    sun: Option<SunTimes>,
    pub(crate) source: Source,
    pub(crate) miner: Miner,
    pub(crate) intent: Intent,
    requests: u64,
}

/// The battery and the portal that shows it.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) level: f64,
    drift: f64,
    glitch: Option<(Option<f64>, u8)>,
    lost: bool,
    frozen: bool,
    ahead: i64,
    older: bool,
    pub(crate) upload: i64,
    fetch: i64,
    uploaded: Option<(i64, Option<f64>)>,
    earlier: Option<(i64, Option<f64>)>,
    fetched: Option<BatteryObservation>,
    fetched_at: Option<i64>,
}

/// The machine.
#[derive(Debug, Clone)]
pub(crate) struct Miner {
    obedience: Obedience,
    reachable: bool,
    pub(crate) on: bool,
    pub(crate) set: Watts,
    started: i64,
    ramp: i64,
    restarts: u8,
    tells_service: bool,
    tells_power: bool,
    tells_limit: TellsLimit,
    range: Option<PowerRange>,
    pending: Option<(i64, Command)>,
    pub(crate) feedback: Option<Feedback>,
    /// What it said last, as long as the program lives.
    read: Option<MinerObservation>,
}

impl House {
    pub(crate) fn new(day: &Day) -> Self {
        Self {
            now: 0,
            wall: i64::from(day.starts_at) + 20_000 * 86_400,
            synced: true,
            sun: day.sun,
            source: Source {
                level: day.level,
                drift: day.drift,
                glitch: None,
                lost: false,
                frozen: false,
                ahead: 0,
                older: false,
                upload: 150,
                fetch: 10,
                uploaded: None,
                earlier: None,
                fetched: None,
                fetched_at: None,
            },
            miner: Miner {
                obedience: Obedience::Obeys,
                reachable: true,
                on: day.mining.is_some(),
                set: Watts::whole(u32::from(day.mining.unwrap_or(100)) * 36),
                started: -100_000,
                ramp: 90,
                restarts: 0,
                tells_service: true,
                tells_power: true,
                tells_limit: TellsLimit::Up,
                range: None,
                pending: None,
                feedback: None,
                read: None,
            },
            intent: Intent { auto_control: day.auto, ..Intent::default() },
            requests: 0,
        }
    }

    pub(crate) fn passes(&mut self, seconds: i64) {
        self.now += seconds;
        self.wall += seconds;
        self.source.passes(self.now, seconds);
        self.miner.passes(self.now);
    }

    pub(crate) fn happens(&mut self, event: Event) {
        let until = |seconds| MonoTime((self.now) * 1000) + Duration::from_secs(seconds);
        match event {
            Event::Quiet => {}
            Event::Drift(drift) => self.source.drift = drift,
            Event::Level(level) => self.source.level = level,
            Event::Glitch { told, uploads } => self.source.glitch = Some((told, uploads)),
            Event::Lost(lost) => self.source.lost = lost,
            Event::Frozen(frozen) => self.source.frozen = frozen,
            Event::Ahead(ahead) => self.source.ahead = ahead,
            Event::Older(older) => self.source.older = older,
            Event::Cadence { upload, fetch } => (self.source.upload, self.source.fetch) = (upload, fetch),
            Event::Obedience(obedience) => self.miner.obedience = obedience,
            Event::Reachable(reachable) => self.miner.reachable = reachable,
            Event::Switched(on) => self.miner.switch(self.now, on),
            Event::SetElsewhere(percent) => {
                self.miner.set = Watts::whole(u32::from(percent) * 36);
                self.miner.started = self.now;
            }
            Event::Restarts(times) => self.miner.restarts = times,
            Event::Ramp(ramp) => self.miner.ramp = ramp,
            Event::TellsService(tells) => self.miner.tells_service = tells,
            Event::TellsPower(tells) => self.miner.tells_power = tells,
            Event::TellsLimit(tells) => self.miner.tells_limit = tells,
            Event::Range(range) => {
                self.miner.range =
                    range.map(|(min, max)| PowerRange { min: Watts::whole(min), max: Watts::whole(max) });
            }
            Event::Auto(auto) => self.intent.auto_control = auto,
            Event::PersonOff => self.intent.power = PowerIntent::Off,
            Event::PersonOn => {
                self.requests += 1;
                self.intent.power = PowerIntent::On { request: self.requests };
            }
            Event::PersonLeaves => self.intent.power = PowerIntent::Undecided,
            Event::ManualPercent(percent, seconds) => {
                let target = ManualTarget::Percent(PowerPercent::new(percent).unwrap());
                self.intent.manual = Some(Manual { target, until: until(seconds) });
            }
            Event::ManualWatts(watts, seconds) => {
                let target = ManualTarget::Watts(Watts::whole(watts));
                self.intent.manual = Some(Manual { target, until: until(seconds) });
            }
            Event::ManualEnds => self.intent.manual = None,
            Event::ClockMoves(seconds) => self.wall += seconds,
            Event::Synced(synced) => self.synced = synced,
            Event::Down(seconds) => {
                self.passes(seconds);
                self.miner.feedback = None;
                self.miner.read = None;
            }
        }
    }

    pub(crate) fn observe(&mut self) -> Observation {
        Observation {
            now: MonoTime(self.now * 1000),
            local: LocalTime {
                day: CivilDay(i32::try_from(self.wall.div_euclid(86_400)).unwrap()),
                second_of_day: u32::try_from(self.wall.rem_euclid(86_400)).unwrap(),
                clock_synced: self.synced,
                sun: self.sun,
            },
            battery: self.source.fetched,
            miner: self.miner.observe(self.now),
            intent: self.intent,
            share: Share::Whole,
        }
    }
}

impl Source {
    fn passes(&mut self, now: i64, seconds: i64) {
        self.level = (self.level + self.drift * seconds as f64 / 60.0).clamp(0.0, 100.0);
        let due = self.uploaded.is_none_or(|(at, _)| now - at >= self.upload);
        if due && !self.frozen {
            let told = match &mut self.glitch {
                Some((told, uploads)) if *uploads > 0 => {
                    *uploads -= 1;
                    *told
                }
                _ => Some((self.level * 10.0).round() / 10.0),
            };
            self.earlier = self.uploaded;
            self.uploaded = Some((now, told));
        }
        if self.fetched_at.is_none_or(|at| now - at >= self.fetch) {
            self.fetched_at = Some(now);
            let shown = if self.older { self.earlier.or(self.uploaded) } else { self.uploaded };
            self.fetched = shown.map(|(at, told)| BatteryObservation {
                source_time: UtcMillis((at + self.ahead) * 1000 + UTC_OFFSET),
                source_at: MonoTime((at + self.ahead) * 1000),
                fetched_at: MonoTime(now * 1000),
                soc_percent: told,
                lost: self.lost,
                pv: None,
                load: None,
                power: None,
            });
        }
    }
}

impl Miner {
    fn switch(&mut self, now: i64, on: bool) {
        self.on = on;
        self.started = now;
    }

    fn passes(&mut self, now: i64) {
        if self.on && self.restarts > 0 && now - self.started >= 180 {
            self.restarts -= 1;
            self.started = now;
        }
        if let Some((at, command)) = self.pending
            && at <= now
        {
            self.pending = None;
            match command.watts() {
                None => self.on = false,
                Some(watts) => {
                    self.set = watts;
                    self.switch(now, true);
                }
            }
        }
    }

    pub(crate) fn receive(&mut self, now: i64, sequence: u64, command: Command) {
        let means = match command {
            Command::Off => Means::Stop,
            Command::Start { .. } => Means::Start,
            Command::SetPower { .. } => Means::Limit,
        };
        let delivered = if self.reachable { self.obedience } else { Obedience::Refuses };
        let (outcome, effect_at) = match delivered {
            Obedience::Obeys => (Outcome::Acknowledged, Some(now)),
            Obedience::Refuses => (Outcome::Failed, None),
            Obedience::OnlySaysYes => (Outcome::Acknowledged, None),
            Obedience::Mute => (Outcome::Unknown, Some(now)),
            Obedience::Late => (Outcome::UnderWay, Some(now + 120)),
        };
        self.feedback = Some(Feedback { sequence, outcome, means: Some(means) });
        if let Some(at) = effect_at {
            self.pending = Some((at, command));
        }
    }

    fn observe(&mut self, now: i64) -> MinerObservation {
        if self.reachable {
            self.read = Some(self.tell(now));
        }
        MinerObservation {
            reachable: self.reachable,
            range: self.range,
            feedback: self.feedback,
            ..self.read.unwrap_or_default()
        }
    }

    fn tell(&self, now: i64) -> MinerObservation {
        let age = now - self.started;
        let tells_limit = match self.tells_limit {
            TellsLimit::Never => false,
            TellsLimit::Up => age >= self.ramp,
            TellsLimit::Early => true,
        };
        let (power, rate) = match (self.on, age < self.ramp) {
            (false, _) => (Watts::whole(14), 0.0),
            (true, true) => (Watts::ZERO, 0.0),
            (true, false) => (self.set, self.set.get() / 20.0),
        };
        MinerObservation {
            read_at: Some(MonoTime(now * 1000)),
            service_on: self.tells_service.then_some(self.on),
            power: self.tells_power.then_some(power),
            hash_rate: TeraHash::new(rate),
            power_set: (self.on && tells_limit).then_some(self.set),
            elapsed_seconds: self.on.then(|| u64::try_from(age).unwrap_or(0)),
            ..MinerObservation::default()
        }
    }
}
