//! A whole day, sunrise to sunrise, through the worked example of the law.

use crate::house::{House, Options};
use simulator::miner::{Phase, Profile};

/// The worked example, as a day: what the battery says at a local time, and what the miner must then have been sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worked_example_from_sunrise_to_sunrise() {
    // 05:53 in Albuquerque on 21 June.
    let house =
        House::open(Options { start: "2026-06-21T11:53:00Z".parse().unwrap(), ..Options::default() }).await;
    let hour = 3600;
    assert_eq!(house.sent(), Vec::<String>::new(), "running at 100 % at 95 %: nothing to say");

    // 05:54 to 12:00, down the ladder as the contract tells it.
    for (soc, sent) in [
        (90.0, Some("percent 90")),
        (85.0, None),
        (80.0, Some("percent 80")),
        (88.0, None),
        (55.0, Some("percent 60")),
        (61.0, None),
        (31.0, Some("percent 40")),
    ] {
        house.miner().clear_log();
        house.say_twice(soc).await;
        house.run(hour / 2).await;
        assert_eq!(
            house.sent(),
            sent.map(str::to_owned).into_iter().collect::<Vec<_>>(),
            "at {soc} %\n{}",
            house.report()
        );
    }
    assert!((house.truth().watts - 1440.0).abs() < 120.0, "{}", house.report());

    // 30 %: off at once, and 31 % doesn't bring it back.
    house.miner().clear_log();
    house.say(30.0).await;
    assert_eq!(house.sent(), ["off"]);
    house.say_twice(31.0).await;
    house.say_twice(30.0).await;
    house.say_twice(45.0).await;
    house.run(hour).await;
    house.say_twice(75.0).await;
    house.run(2 * hour).await;
    assert_eq!(house.sent(), ["off"], "stopped once, and stays off: {}", house.report());
    assert_eq!(house.truth().phase, Phase::Off);

    // Sunset at 19:00 local, 75 %: one start, at the ceiling of 40 %.
    house.miner().clear_log();
    let starts = house.truth().starts;
    house.until(10 * hour, "a start after sunset", |house| house.truth().starts > starts).await;
    let local = house.clock.true_time().millis_since("2026-06-22T01:00:00Z".parse().unwrap()) / 1000;
    assert!((0..300).contains(&local), "{local} s after 19:00");
    assert_eq!(house.sent(), ["limit 1440", "start"], "{}", house.report());
    house.run(hour).await;
    let watts = house.truth().watts;
    assert!(watts > 1000.0 && watts < 1600.0, "{watts} W at 40 %");
    assert_eq!(house.sent().len(), 2, "{}", house.report());

    // Down with the battery during the night, off at 30 %, and no second start that night.
    house.say_twice(30.0).await;
    house.say_twice(62.0).await;
    house.run(3 * hour).await;
    assert_eq!(house.sent(), ["limit 1440", "start", "off"]);

    // After sunrise the battery is full: all power, ceiling and latch gone.
    house.miner().clear_log();
    let to_sunrise =
        "2026-06-22T11:53:00Z".parse::<model::UtcMillis>().unwrap().millis_since(house.clock.true_time());
    house.run(u64::try_from(to_sunrise / 1000).unwrap_or(0)).await;
    assert_eq!(house.sent(), Vec::<String>::new(), "{}", house.report());
    for soc in [70.0, 80.0, 90.0, 99.0] {
        house.say(soc).await;
        house.run(240).await;
    }
    house.say_twice(100.0).await;
    house.run(hour).await;
    assert_eq!(house.sent(), ["limit 3600", "start"], "{}", house.report());
    assert!(house.truth().watts > 3300.0, "{}", house.report());
    let latches = house.view().latches;
    assert_eq!((latches.ceiling.get(), latches.emergency), (100, false));
    house.assert_sound();
}

/// A simulated summer day with nothing scripted: sun, clouds, load, battery and miner act on each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unscripted_day_keeps_every_rule() {
    let house =
        House::open(Options { soc: 70.0, hold_soc: false, ..Options::default() }.with_profile(Profile::G2))
            .await;
    let mut lowest = 100.0_f64;
    for _ in 0..24 * 6 {
        house.run(600).await;
        let soc = house.simulation.house().now().soc_percent;
        lowest = lowest.min(soc);
        if soc < 29.0 {
            assert!(house.truth().watts < 180.0, "mining at {soc} %: {}", house.report());
        }
    }
    assert!(!house.sent().is_empty(), "a day on which nothing happened shows nothing");
    assert!(house.view().latches.commands_today <= 48);
    house.assert_sound();
}
