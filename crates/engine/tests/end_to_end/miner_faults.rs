//! What the miner's side can do wrong.

use crate::house::{House, Options};
use model::{AlertCode, OperationStage, snapshot::MinerState};
use simulator::miner::{
    Cut, CutEnd, Faults, Forced, Impostor, Malformation, OnAccept, Phase, Profile, TokenPolicy, WriteFault,
};

/// A house whose battery then falls to the emergency threshold.
async fn falling_to_30(options: Options, faults: impl FnOnce(&mut Faults)) -> House {
    let house = House::open(options).await;
    house.miner().update_faults(faults);
    house.say(30.0).await;
    house
}

fn every_generation() -> [Options; 3] {
    [Profile::G1, Profile::G2, Profile::G3].map(|profile| Options::default().with_profile(profile))
}

/// Off works on every generation, and is seen to work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn off_is_sent_once_and_seen_on_every_generation() {
    for options in every_generation() {
        let house = falling_to_30(options, |_| {}).await;
        house.until(60, "seen off", |house| house.view().state == MinerState::Off).await;
        assert_eq!(house.sent(), ["off"]);
        assert_eq!(house.view().operations[0].stage, OperationStage::Observed, "{}", house.report());
        assert!(!house.alerts().contains(&AlertCode::OffNotVerified));
        house.assert_sound();
    }
}

/// The ladder on every generation: percent where there is percent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_down_reaches_every_generation() {
    for options in every_generation() {
        let house = House::open(options).await;
        house.say_twice(60.0).await;
        house.run(300).await;
        assert_eq!(house.sent(), ["percent 60"], "{}", house.report());
        assert!((house.truth().watts - 2160.0).abs() < 200.0, "{}", house.report());
        assert_eq!(house.view().operations[0].stage, OperationStage::Observed, "{}", house.report());
        house.assert_sound();
    }
}

/// The miner falls silent in the middle of a command: the outcome is unknown, nothing is resent blindly, and a reading
/// settles it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_miner_silent_in_mid_command_is_read_back() {
    for options in every_generation() {
        let house = falling_to_30(options, |faults| faults.writes = WriteFault::Silent).await;
        assert_eq!(house.sent(), ["off"], "{}", house.report());
        house.until(120, "seen off", |house| house.view().state == MinerState::Off).await;
        house.run(600).await;
        assert_eq!(house.sent(), ["off"], "not sent again: {}", house.report());
        house.assert_sound();
    }
}

/// Applied, and the connection closed without a reply.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_applied_but_never_acknowledged_is_read_back() {
    for options in every_generation() {
        let house = House::open(options).await;
        house.miner().update_faults(|faults| faults.writes = WriteFault::DropReply);
        house.say_twice(60.0).await;
        house.run(600).await;
        assert_eq!(house.sent(), ["percent 60"], "{}", house.report());
        assert_eq!(house.view().operations[0].stage, OperationStage::Observed, "{}", house.report());
        house.assert_sound();
    }
}

/// Acknowledged and not applied: off is sent again after its time, and alarmed, and never shown as off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_off_that_is_acknowledged_but_not_applied_is_alarmed_and_repeated() {
    for options in every_generation() {
        let house = falling_to_30(options, |faults| faults.writes = WriteFault::AcknowledgeOnly).await;
        house.run(150).await;
        assert_eq!(house.sent(), ["off"]);
        assert_eq!(house.view().state, MinerState::Running, "never shown as off");
        house.run(60).await;
        assert!(house.sent().len() >= 2, "sent again after 180 s: {}", house.report());
        assert!(house.alerts().contains(&AlertCode::OffNotVerified), "{}", house.report());
        house.run(600).await;
        assert!(house.alerts().contains(&AlertCode::Degraded), "{}", house.report());
        house.miner().update_faults(|faults| faults.writes = WriteFault::None);
        house.until(300, "off at last", |house| house.view().state == MinerState::Off).await;
        house.run(20).await;
        assert!(!house.alerts().contains(&AlertCode::OffNotVerified), "{}", house.report());
        house.assert_sound();
    }
}

/// A reduction that is acknowledged and not applied is tried again, three times, and then the miner is degraded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reduction_without_effect_is_noticed() {
    let house = House::open(Options::default()).await;
    house.miner().update_faults(|faults| faults.writes = WriteFault::AcknowledgeOnly);
    house.say_twice(60.0).await;
    house.run(400).await;
    assert!(house.alerts().contains(&AlertCode::NoEffect), "{}", house.report());
    house.run(1200).await;
    assert!(house.alerts().contains(&AlertCode::Degraded), "{}", house.report());
    house.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_miner_password_is_told_in_plain_words() {
    for options in every_generation() {
        let house = falling_to_30(Options { password: "wrong", ..options }, |_| {}).await;
        house.run(30).await;
        assert!(house.alerts().contains(&AlertCode::MinerPassword), "{}", house.report());
        assert_eq!(house.view().state, MinerState::Running, "{}", house.report());
        house.run(300).await;
        assert!(house.alerts().contains(&AlertCode::OffNotVerified), "{}", house.report());
        house.assert_sound();
    }
}

/// Before the first command is needed, a person is told that none would be taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_miner_that_takes_no_commands_is_told_at_the_first_contact() {
    for options in every_generation() {
        let disabled = Faults { writes_disabled: true, ..Faults::default() };
        let house = House::open(Options { miner_faults: disabled, ..options.clone() }).await;
        assert!(house.alerts().contains(&AlertCode::MinerWritesDisabled), "{}", house.report());
        house.miner().update_faults(|faults| faults.writes_disabled = false);
        house.run(700).await;
        assert!(!house.alerts().contains(&AlertCode::MinerWritesDisabled), "{}", house.report());
        let house = House::open(Options { password: "wrong", ..options }).await;
        assert!(house.alerts().contains(&AlertCode::MinerPassword), "{}", house.report());
    }
}

/// A wrong V3 password alone: told, and the miner is stopped by V2 all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_v3_password_doesnt_keep_a_miner_from_being_stopped() {
    let house = falling_to_30(Options { v3_password: "wrong", ..Options::default() }, |_| {}).await;
    house.until(60, "seen off", |house| house.view().state == MinerState::Off).await;
    assert!(house.alerts().contains(&AlertCode::MinerPassword), "{}", house.report());
    house.assert_sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disabled_writes_are_told_with_the_way_out() {
    for options in every_generation() {
        let house = falling_to_30(options, |faults| faults.writes_disabled = true).await;
        house.run(30).await;
        let snapshot = house.snapshot();
        let alert = snapshot.alerts.iter().find(|alert| alert.code == AlertCode::MinerWritesDisabled);
        let text = &alert.unwrap_or_else(|| panic!("no alert\n{}", house.report())).text;
        assert!(text.contains("WhatsMinerTool"), "{text}");
        assert_eq!(house.view().state, MinerState::Running);
        house.miner().update_faults(|faults| faults.writes_disabled = false);
        house.until(200, "off as soon as it can be", |house| house.view().state == MinerState::Off).await;
        house.assert_sound();
    }
}

/// One session of 180 s that every further attempt prolongs: the driver leaves the miner alone for long enough, and off
/// gets through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exhausted_tokens_are_waited_out() {
    for options in
        [Options::default().with_profile(Profile::G1), Options::default().with_profile(Profile::G2)]
    {
        let house = House::open(options).await;
        house.miner().update_faults(|faults| {
            faults.tokens = TokenPolicy::Table { max: 0, ttl_seconds: 1800 };
            faults.forget_tokens = true;
        });
        house.say(30.0).await;
        house.run(20).await;
        assert!(house.alerts().contains(&AlertCode::MinerTokens), "{}", house.report());
        let asked = |house: &House| {
            house.miner().log().iter().filter(|received| received.command == "get_token").count()
        };
        let before = asked(&house);
        house.run(120).await;
        assert_eq!(asked(&house), before, "not hammered: {}", house.report());
        house.miner().update_faults(|faults| *faults = Faults::default());
        house.until(300, "off", |house| house.truth().phase == Phase::Off).await;
        house.assert_sound();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_cut_in_pieces_are_put_together() {
    for options in every_generation() {
        let house = falling_to_30(options, |faults| faults.segment_bytes = Some(7)).await;
        house.until(60, "seen off", |house| house.view().state == MinerState::Off).await;
        assert_eq!(house.sent(), ["off"]);
        house.assert_sound();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_json_is_mended_or_told_and_never_acted_on() {
    for profile in [Profile::G1, Profile::G2] {
        for malformed in Malformation::ALL {
            let house = House::open(Options::default().with_profile(profile)).await;
            house.miner().update_faults(|faults| faults.malformed = Some(malformed));
            house.run(120).await;
            assert_eq!(house.sent(), Vec::<String>::new(), "{malformed:?}");
            assert_ne!(house.view().state, MinerState::Off, "{malformed:?}: {}", house.report());
            house.say(30.0).await;
            let shown_off = house.view().state == MinerState::Off;
            assert!(!shown_off || house.truth().phase == Phase::Off, "{malformed:?}: {}", house.report());
            if malformed == Malformation::CutShort {
                // Without the end of its replies no session can be had: off gets through once they are whole again.
                house.miner().update_faults(|faults| faults.malformed = None);
            }
            house
                .until(60, &format!("off, {profile:?} {malformed:?}"), |house| {
                    house.truth().phase == Phase::Off
                })
                .await;
            house.assert_sound();
        }
    }
}

/// Everything else the wire can do: off gets through as soon as anything does, and "off" is never shown before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_wire_is_unknown_and_never_off() {
    let faults: [fn(&mut Faults); 6] = [
        |faults| faults.refuse_connections = true,
        |faults| faults.on_accept = OnAccept::Reset,
        |faults| faults.on_accept = OnAccept::Silent,
        |faults| faults.oversize_bytes = Some(5_000_000),
        |faults| faults.not_utf8 = true,
        |faults| faults.cut = Some(Cut { after_bytes: 20, then: CutEnd::Silence }),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let house = House::open(Options::default()).await;
        house.miner().update_faults(fault);
        house.run(60).await;
        assert_ne!(house.view().state, MinerState::Off, "fault {number}: {}", house.report());
        house.say(30.0).await;
        assert!(
            house.truth().phase == Phase::Off || house.view().state != MinerState::Off,
            "fault {number}: {}",
            house.report()
        );
        house.miner().update_faults(|faults| *faults = Faults::default());
        house.until(260, "off", |house| house.truth().phase == Phase::Off).await;
        house.until(60, "and seen", |house| house.view().state == MinerState::Off).await;
        house.assert_sound();
    }
}

/// A limit the miner can't hold: it restarts again and again, and is stopped for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_loop_is_stopped() {
    for profile in [Profile::G2, Profile::G3] {
        let house = House::open(Options::default().with_profile(profile)).await;
        house.miner().update_faults(|faults| faults.crash_loop_below_watts = Some(2000));
        // The ramp isn't finished after a start, so that the limit is what reduces it.
        house.miner().set_truth(simulator::miner::Forced::Running);
        house.miner().reboot();
        house.run(600).await;
        house.say_twice(40.0).await;
        house
            .until(3600, "stopped", |house| house.view().latches.stopped == Some(model::Reason::CrashLoop))
            .await;
        house.until(60, "seen off", |house| house.view().state == MinerState::Off).await;
        assert!(house.alerts().contains(&AlertCode::CrashLoop));
        house.run(3600).await;
        assert_eq!(house.truth().phase, Phase::Off, "and stays so: {}", house.report());
        house.assert_sound();
    }
}

/// Power reads 0 while it hashes: that isn't off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contradictory_readings_are_never_off() {
    let faults: [fn(&mut Faults); 2] =
        [|faults| faults.power_reads_zero = true, |faults| faults.hash_reads_zero = true];
    for fault in faults {
        let house = House::open(Options::default()).await;
        house.miner().update_faults(fault);
        house.run(120).await;
        assert_eq!(house.view().state, MinerState::Running, "{}", house.report());
        assert_eq!(house.sent(), Vec::<String>::new(), "{}", house.report());
        house.assert_sound();
    }
}

/// A miner that comes back by itself after an off (seen on an M64) is switched off again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_miner_that_resumes_by_itself_is_switched_off_again() {
    let house = falling_to_30(Options::default().with_profile(Profile::G2), |faults| {
        faults.resumes_after_power_off_seconds = Some(120);
    })
    .await;
    house.run(400).await;
    assert!(house.sent().len() >= 2, "{}", house.report());
    assert!(house.sent().iter().all(|sent| sent == "off"), "{:?}", house.sent());
    house.assert_sound();
}

/// Another device at the address: told, and never commanded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_device_at_the_address_is_never_commanded() {
    let faults: [fn(&mut Faults); 3] = [
        |faults| faults.impostor = Some(Impostor::Antminer),
        |faults| faults.impostor = Some(Impostor::WebServer),
        |faults| faults.mac = Some("02:00:00:00:00:99".into()),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let house = House::open(Options::default()).await;
        // It goes away and another one comes back in its place.
        house.miner().update_faults(|faults| faults.refuse_connections = true);
        house.run(60).await;
        house.miner().update_faults(|faults| faults.refuse_connections = false);
        house.miner().update_faults(fault);
        house.run(60).await;
        house.say(30.0).await;
        house.run(120).await;
        assert_eq!(house.sent(), Vec::<String>::new(), "impostor {number}: {}", house.report());
        assert_eq!(house.view().state, MinerState::Unknown, "impostor {number}");
        assert!(house.alerts().contains(&AlertCode::WrongDevice), "impostor {number}: {}", house.report());
        house.assert_sound();
    }
}

/// A reply that is cut or far too long says nothing about who answers: the miner counts as one that can't be reached.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_miner_whose_replies_cant_be_read_is_unknown_and_no_other_device() {
    let faults: [fn(&mut Faults); 2] = [
        |faults| faults.cut = Some(Cut { after_bytes: 20, then: CutEnd::Close }),
        |faults| faults.oversize_bytes = Some(5_000_000),
    ];
    for options in every_generation() {
        for (number, fault) in faults.into_iter().enumerate() {
            let house = House::open(options.clone()).await;
            house.miner().update_faults(fault);
            house.run(60).await;
            assert_eq!(house.view().state, MinerState::Unknown, "{number}: {}", house.report());
            assert!(house.alerts().contains(&AlertCode::MinerProtocol), "{number}: {}", house.report());
            // Less power is nothing that a miner is told whose state isn't known; off is tried all the same.
            house.say_twice(60.0).await;
            assert_eq!(house.view().operations.len(), 0, "{number}: {}", house.report());
            house.say(30.0).await;
            house.run(240).await;
            assert!(!house.alerts().contains(&AlertCode::WrongDevice), "{number}: {}", house.report());
            assert!(house.alerts().contains(&AlertCode::OffNotVerified), "{number}: {}", house.report());
            let tried = house.view().operations;
            assert!(tried.len() > 1 && tried.iter().all(|operation| operation.command.is_off()), "{tried:?}");
            house.miner().set_faults(Faults::default());
            house.until(60, "seen off", |house| house.view().state == MinerState::Off).await;
            house.run(30).await;
            assert!(!house.alerts().contains(&AlertCode::MinerProtocol), "{number}: {}", house.report());
            house.assert_sound();
        }
    }
}

/// Another program gives it back its full power, again and again: corrected each time, told after three, and not raised
/// for an hour, over a restart too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_commands_it_too_is_told_of_and_not_fought_upward() {
    let mut house = House::open(Options::default()).await;
    house.say_twice(60.0).await;
    house.run(600).await;
    for _ in 0..3 {
        assert!(!house.alerts().contains(&AlertCode::Contested), "{}", house.report());
        house.miner().set_truth(Forced::Stable { limit_watts: 3600 });
        house.run(900).await;
        assert!((house.truth().watts - 2160.0).abs() < 200.0, "{}", house.report());
    }
    let sent = house.sent();
    house.restart().await;
    house.say_twice(100.0).await;
    house.run(600).await;
    assert!(house.alerts().contains(&AlertCode::Contested), "{}", house.report());
    assert_eq!(house.sent(), sent, "{}", house.report());
    house.run(3600).await;
    assert!(!house.alerts().contains(&AlertCode::Contested), "{}", house.report());
    assert!((house.truth().watts - 3600.0).abs() < 200.0, "{}", house.report());
    house.assert_sound();
}

/// What the firmware tells no more is unknown, and an off isn't seen for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_miner_that_no_longer_tells_its_power_is_told_of_and_seen_off_only_when_it_stops() {
    const NAMES: [&str; 5] = ["Power", "Power_RT", "power-realtime", "power-5min", "pin"];
    for options in every_generation() {
        let house = House::open(options).await;
        house.miner().update_faults(|faults| faults.left_out = NAMES.map(str::to_owned).into());
        house.run(60).await;
        assert!(!house.alerts().contains(&AlertCode::PowerUntold), "{}", house.report());
        house.run(300).await;
        assert!(house.alerts().contains(&AlertCode::PowerUntold), "{}", house.report());
        let view = house.view();
        assert_eq!((view.state, view.reading.unwrap().power), (MinerState::Running, None));
        house.miner().update_faults(|faults| faults.writes = WriteFault::AcknowledgeOnly);
        house.say(30.0).await;
        house.run(240).await;
        assert_eq!(house.view().state, MinerState::Running, "{}", house.report());
        assert!(house.alerts().contains(&AlertCode::OffNotVerified), "{}", house.report());
        house.miner().update_faults(|faults| faults.writes = WriteFault::None);
        house.until(240, "seen off", |house| house.view().state == MinerState::Off).await;
        house.run(20).await;
        assert!(!house.alerts().contains(&AlertCode::PowerUntold), "{}", house.report());
        house.assert_sound();
    }
}
