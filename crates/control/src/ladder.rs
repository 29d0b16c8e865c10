//! The ladder: which power a state of charge allows.

use model::{LadderStep, PowerPercent, Soc};

/// The steps, in percent of `base_watts`. 10, 20 and 30 can't be reached: at or under the emergency threshold
/// (30 or more) the miner is off.
pub const RUNGS: [u8; 7] = [40, 50, 60, 70, 80, 90, 100];

/// The lowest step.
pub const LOWEST: PowerPercent = percent(RUNGS[0]);

const fn percent(value: u8) -> PowerPercent {
    match PowerPercent::new(value) {
        Some(percent) => percent,
        None => PowerPercent::FULL,
    }
}

/// `ceil(soc / 10) * 10`, never under the lowest step: 55 -> 60, 50 -> 50, 50.1 -> 60, 91..=100 -> 100.
pub fn decile(soc: Soc) -> PowerPercent {
    let rounded = ((soc.get() / 10.0).ceil() * 10.0).clamp(f64::from(RUNGS[0]), 100.0);
    percent(rounded as u8)
}

/// The whole ladder, lowest step first. Whatever the emergency threshold is, [`decile`] of a state of charge is the
/// power of the step that it lies in.
pub fn steps() -> impl Iterator<Item = LadderStep> {
    RUNGS.into_iter().filter_map(|rung| {
        let below = if rung == RUNGS[0] { 0 } else { rung.saturating_sub(10) };
        let (above, up_to) = (Soc::new(f64::from(below))?, Soc::new(f64::from(rung))?);
        Some(LadderStep { above, up_to, power: percent(rung) })
    })
}

/// The step nearest to a share of `base_watts` in percent; between two steps the lower one.
pub fn nearest_rung(share_percent: f64) -> PowerPercent {
    let mut nearest = LOWEST;
    for rung in RUNGS {
        let (distance, best) =
            ((f64::from(rung) - share_percent).abs(), (f64::from(nearest.get()) - share_percent).abs());
        if distance < best {
            nearest = percent(rung);
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deciles_at_their_boundaries() {
        let table = [
            (30.1, 40),
            (31.0, 40),
            (40.0, 40),
            (40.1, 50),
            (41.0, 50),
            (50.0, 50),
            (50.1, 60),
            (51.0, 60),
            (55.0, 60),
            (60.0, 60),
            (60.1, 70),
            (83.0, 90),
            (90.0, 90),
            (90.1, 100),
            (91.0, 100),
            (99.0, 100),
            (100.0, 100),
        ];
        for (soc, rung) in table {
            assert_eq!(decile(Soc::new(soc).unwrap()).get(), rung, "at {soc} %");
        }
    }

    #[test]
    fn every_decile_is_a_rung() {
        for tenths in 0..=1000 {
            let rung = decile(Soc::new(f64::from(tenths) / 10.0).unwrap());
            assert!(RUNGS.contains(&rung.get()));
        }
    }

    #[test]
    fn the_steps_are_the_deciles() {
        assert_eq!(steps().map(|step| step.power.get()).collect::<Vec<_>>(), RUNGS);
        for tenths in 1..=1000 {
            let soc = Soc::new(f64::from(tenths) / 10.0).unwrap();
            let within: Vec<_> = steps().filter(|step| soc > step.above && soc <= step.up_to).collect();
            assert_eq!(within.iter().map(|step| step.power).collect::<Vec<_>>(), [decile(soc)], "at {soc}");
        }
    }

    #[test]
    fn the_nearest_rung_prefers_the_lower() {
        for (share, rung) in
            [(0.0, 40), (45.0, 40), (45.1, 50), (97.2, 100), (95.0, 90), (250.0, 100), (f64::NAN, 40)]
        {
            assert_eq!(nearest_rung(share).get(), rung, "for {share} %");
        }
    }
}
