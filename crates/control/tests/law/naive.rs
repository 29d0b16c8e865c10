//! The rules a second time, as plainly as they can be written: for one miner that is always reachable and obeys,
//! and a person who leaves it to the battery. It keeps everything that ever happened and works every latch out
//! anew from that history. Slow on purpose; shares no code with the law.

/// What it commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Off.
    Off,
    /// Start at this percent.
    Start(u8),
    /// Change a running miner to this percent.
    Change(u8),
}

/// What the battery source shows at a tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shown {
    /// Source time in seconds.
    pub(crate) source: f64,
    /// State of charge, as told.
    pub(crate) soc: f64,
    /// Flagged as lost.
    pub(crate) lost: bool,
}

/// What happened, in order.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    Good { soc: f64, source: f64, new_level: bool, at: f64 },
    Emergency,
    Stale,
    Sent { order: Order, at: f64, sunset: bool },
    Night { evening: i32 },
}

/// The settings it needs, in seconds and percent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) emergency: f64,
    pub(crate) full: f64,
    pub(crate) sunset_soc: f64,
    pub(crate) stale_off: f64,
    pub(crate) warn_after: f64,
    pub(crate) interval: f64,
    pub(crate) settle: f64,
    /// How long this miner really needs after a command.
    pub(crate) needs: f64,
    pub(crate) sunset: f64,
    pub(crate) sunrise: f64,
    pub(crate) budget: usize,
}

/// The naive law.
#[derive(Debug)]
pub(crate) struct Naive {
    settings: Settings,
    started: f64,
    shown: Vec<(f64, Shown)>,
    history: Vec<Event>,
    /// Percent it was found running at.
    found: Option<u8>,
    /// Percent the miner runs at; `None` when off.
    pub(crate) running: Option<u8>,
}

impl Naive {
    pub(crate) fn new(settings: Settings, started: f64, running: Option<u8>) -> Self {
        Self { settings, started, shown: Vec::new(), history: Vec::new(), found: running, running }
    }

    fn good(&self) -> Vec<(f64, f64, bool)> {
        self.history
            .iter()
            .filter_map(|event| match event {
                Event::Good { soc, source, new_level, .. } => Some((*soc, *source, *new_level)),
                _ => None,
            })
            .collect()
    }

    /// The last good sample and the one before it, if that one says anything about the same level.
    fn last_two(&self, now: f64) -> (Option<f64>, Option<f64>) {
        let good = self.good();
        let fresh = |sample: &&(f64, f64, bool)| now - sample.1 < self.settings.stale_off;
        let last = good.last().filter(fresh);
        let before = match last {
            Some((_, _, true)) | None => None,
            Some(_) => good.iter().rev().nth(1).filter(fresh),
        };
        (last.map(|sample| sample.0), before.map(|sample| sample.0))
    }

    /// A reading with a new source time: is it good, by all readings that came before it?
    fn is_good(&self, now: f64, shown: Shown) -> Option<bool> {
        if shown.lost || !(0.0..=100.0).contains(&shown.soc) || shown.source - now > 120.0 {
            return None;
        }
        if now - shown.source >= self.settings.stale_off {
            return None;
        }
        let good = self.good();
        let Some((soc, source, _)) = good.last() else { return Some(false) };
        let too_fast = shown.soc - soc > 15.0 * (shown.source - source) / 60.0;
        if !too_fast {
            return Some(false);
        }
        // The sample before this one, if it is no good one itself, may have waited for this.
        let waiting = self.shown.iter().rev().find(|(_, earlier)| {
            !earlier.lost && (0.0..=100.0).contains(&earlier.soc) && earlier.source < shown.source
        });
        let confirmed = waiting.is_some_and(|(_, earlier)| {
            earlier.source > *source
                && now - earlier.source < self.settings.stale_off
                && (earlier.soc - shown.soc).abs() <= 2.0
        });
        confirmed.then_some(true)
    }

    /// The highest power now allowed: lowered by every start and reduction, raised by a confirmed full alone.
    pub(crate) fn ceiling(&self) -> u8 {
        let mut ceiling = self.found.unwrap_or(100);
        let mut running = self.found;
        let full = self.full_places();
        for (place, event) in self.history.iter().enumerate() {
            match event {
                Event::Good { .. } if full.contains(&place) => ceiling = 100,
                Event::Sent { order: Order::Start(percent), .. } => {
                    (ceiling, running) = (ceiling.min(*percent), Some(*percent));
                }
                Event::Sent { order: Order::Change(percent), .. } => {
                    if running.is_none_or(|running| *percent < running) {
                        ceiling = ceiling.min(*percent);
                    }
                    running = Some(*percent);
                }
                _ => {}
            }
        }
        ceiling
    }

    /// The places of the history at which the battery became full: a second good sample in a row, while armed.
    fn full_places(&self) -> Vec<usize> {
        let (mut armed, mut before) = (true, None::<(f64, f64)>);
        let mut places = Vec::new();
        for (place, event) in self.history.iter().enumerate() {
            let Event::Good { soc, source, new_level, at } = event else { continue };
            let confirmed = *soc >= self.settings.full
                && !new_level
                && before.is_some_and(|(before, source)| {
                    before >= self.settings.full && at - source < self.settings.stale_off
                });
            if armed && confirmed {
                places.push(place);
                armed = false;
            }
            armed |= *soc < self.settings.full - 2.0;
            before = Some((*soc, *source));
        }
        places
    }

    /// What happened since the battery was last full, that moment included.
    fn since_full(&self) -> Option<&[Event]> {
        self.history.get(*self.full_places().last()?..)
    }

    /// Whether the next full battery acts: it fell below since the last one did.
    pub(crate) fn full_armed(&self) -> bool {
        let below =
            |event: &Event| matches!(event, Event::Good { soc, .. } if *soc < self.settings.full - 2.0);
        self.since_full().is_none_or(|since| since.iter().any(below))
    }

    /// The battery became full, and nothing came of it yet.
    fn full_waits(&self) -> bool {
        self.since_full().is_some_and(|since| since.iter().all(|event| matches!(event, Event::Good { .. })))
    }

    /// The emergency latch, and whether an emergency waits for the sample that decides.
    pub(crate) fn emergency(&self) -> (bool, bool) {
        let (mut latched, mut undecided) = (false, false);
        let full = self.full_places();
        for (place, event) in self.history.iter().enumerate() {
            match event {
                Event::Good { soc, .. } => {
                    if undecided {
                        latched |= *soc <= self.settings.emergency + 5.0;
                        undecided = false;
                    }
                    if full.contains(&place) {
                        latched = false;
                    }
                }
                Event::Emergency => undecided = !latched,
                Event::Sent { sunset: true, .. } => latched = false,
                _ => {}
            }
        }
        (latched, undecided)
    }

    /// Data was stale, and fewer than two good samples came since.
    fn recovering(&self) -> bool {
        let since_stale = self.history.iter().rev().take_while(|event| !matches!(event, Event::Stale));
        let was_stale = self.history.iter().any(|event| matches!(event, Event::Stale));
        was_stale && since_stale.filter(|event| matches!(event, Event::Good { .. })).count() < 2
    }

    /// Found off at the first start, and nothing has started it since.
    fn still_found_off(&self) -> bool {
        let started = |event: &Event| matches!(event, Event::Sent { order: Order::Start(_), .. });
        self.found.is_none() && self.full_places().is_empty() && !self.history.iter().any(started)
    }

    fn last_sent(&self, which: impl Fn(&Order) -> bool) -> Option<f64> {
        self.history.iter().rev().find_map(|event| match event {
            Event::Sent { order, at, .. } if which(order) => Some(*at),
            _ => None,
        })
    }

    /// How long it needs after a command: assumed, until a command was left alone for long enough to see it.
    fn settle(&self, now: f64) -> f64 {
        let sent: Vec<(Order, f64)> = self
            .history
            .iter()
            .filter_map(|event| match event {
                Event::Sent { order, at, .. } => Some((*order, *at)),
                _ => None,
            })
            .collect();
        let seen = sent.iter().enumerate().any(|(index, (order, at))| {
            let until = sent.get(index + 1).map_or(now, |next| next.1);
            *order != Order::Off && until - at >= self.settings.needs
        });
        if seen { self.settings.needs } else { self.settings.settle }
    }

    /// Whether an ordinary command may go.
    fn free(&self, now: f64) -> bool {
        let ordinary = self.last_sent(|order| *order != Order::Off);
        let off = self.last_sent(|order| *order == Order::Off);
        let sent_today = self
            .history
            .iter()
            .filter(|event| {
                matches!(event, Event::Sent { order: Order::Start(_) | Order::Change(_), at, .. }
                    if now - at < 86_400.0)
            })
            .count();
        ordinary.is_none_or(|at| now - at >= self.settings.interval.max(self.settle(now)))
            && off.is_none_or(|at| now - at >= self.settings.interval)
            && sent_today < self.settings.budget
    }

    /// One tick: `second` of `day`, with a synced clock.
    pub(crate) fn tick(&mut self, now: f64, day: i32, second: f64, shown: Option<Shown>) -> Option<Order> {
        let settings = self.settings;
        let newest = self.shown.last().map(|(_, shown)| shown.source);
        // What is lost or can't be is no sample, and doesn't make a true one old.
        let possible = shown.filter(|shown| !shown.lost && (0.0..=100.0).contains(&shown.soc));
        if let Some(shown) = possible.filter(|shown| newest.is_none_or(|newest| shown.source > newest)) {
            if let Some(new_level) = self.is_good(now, shown) {
                if self.good().last().is_some_and(|last| now - last.1 >= settings.stale_off) {
                    self.happened(Event::Stale);
                }
                self.history.push(Event::Good { soc: shown.soc, source: shown.source, new_level, at: now });
            }
            self.shown.push((now, shown));
        }

        let since = self.good().last().map_or(self.started, |sample| sample.1);
        let stale = now - since >= settings.stale_off;
        if stale {
            self.happened(Event::Stale);
        }
        // 1
        let newest = self.shown.last().map(|(_, shown)| shown.source);
        let told = shown.filter(|shown| {
            now - shown.source < settings.stale_off
                && (0.0..=100.0).contains(&shown.soc)
                && newest.is_none_or(|newest| shown.source >= newest)
        });
        let (last, before) = self.last_two(now);
        if told.map(|shown| shown.soc).into_iter().chain(last).any(|soc| soc <= settings.emergency) {
            self.happened(Event::Emergency);
            return self.off(now);
        }
        // 2
        if stale {
            return self.off(now);
        }
        let soc = last?;
        if self.emergency().1 {
            return self.off(now);
        }
        let allowed = self.ceiling().min(decile(soc));
        let may_rise = !self.recovering() && now - since < settings.warn_after;
        // 7
        let evening = if second >= settings.sunset {
            Some(day)
        } else if second < settings.sunrise {
            Some(day - 1)
        } else {
            None
        };
        let started_this_night = self
            .history
            .iter()
            .any(|event| matches!(event, Event::Night { evening: earlier } if Some(*earlier) == evening));
        match self.running {
            None => {
                let sunset = evening.is_some()
                    && !started_this_night
                    && soc > settings.sunset_soc
                    && !self.full_waits(); // 6 comes first
                // 8
                let stopped = self.emergency().0 || self.still_found_off();
                if (sunset || !stopped) && may_rise && self.free(now) {
                    if let (true, Some(evening)) = (sunset, evening) {
                        self.history.push(Event::Night { evening });
                    }
                    return Some(self.send(Order::Start(allowed), now, sunset));
                }
                None
            }
            // 9
            Some(running) => {
                // Up as down, two samples have to ask for it.
                let earlier = self.ceiling().min(decile(before?));
                let (down, up) = (allowed.max(earlier), allowed.min(earlier));
                let wanted = if down < running {
                    down
                } else if up > running && may_rise {
                    up
                } else {
                    return None;
                };
                self.free(now).then(|| self.send(Order::Change(wanted), now, false))
            }
        }
    }

    /// Notes what goes on from tick to tick once.
    fn happened(&mut self, event: Event) {
        if self.history.last() != Some(&event) {
            self.history.push(event);
        }
    }

    fn off(&mut self, now: f64) -> Option<Order> {
        self.running.map(|_| self.send(Order::Off, now, false))
    }

    fn send(&mut self, order: Order, at: f64, sunset: bool) -> Order {
        self.history.push(Event::Sent { order, at, sunset });
        self.running = match order {
            Order::Off => None,
            Order::Start(percent) | Order::Change(percent) => Some(percent),
        };
        order
    }
}

fn decile(soc: f64) -> u8 {
    for step in [40, 50, 60, 70, 80, 90] {
        if soc <= f64::from(step) {
            return step;
        }
    }
    100
}
