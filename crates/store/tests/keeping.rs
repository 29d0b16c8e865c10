//! What is saved is what is loaded, over a restart too.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use model::{
    AlertCode, BlockedBy, Command, Explanation, Means, MinerId, MinerIdentity, MonoTime, Now, Operation,
    OperationId, OperationStage, PowerPercent, Reason, Rule, UtcMillis, Wanted, Watts,
    journal::{DecisionRecord, Position, Question},
};
use proptest::{collection::vec, option, prelude::*};
use store::{MetaKey, Record, SavedState, Store, StoreError, ToldAlert};

const NOW: Now = Now { mono: MonoTime(5), utc: UtcMillis(1_774_094_400_000) };

fn miner(name: &str) -> MinerId {
    MinerId(name.to_owned())
}

fn operation(id: u64) -> Operation {
    Operation {
        id: OperationId(id),
        miner: miner("garage"),
        command: Command::SetPower {
            percent: PowerPercent::new(60).unwrap(),
            watts: Watts::new(2131.5).unwrap(),
        },
        reason: Reason::LadderDown,
        stage: OperationStage::Queued,
        means: None,
        decided_at: UtcMillis(1_774_094_400_001),
        sent_at: None,
        acknowledged_at: None,
        ended_at: None,
        words: None,
    }
}

fn decision(at: i64) -> DecisionRecord {
    DecisionRecord {
        miner: miner("garage"),
        at: UtcMillis(at),
        rule: Rule::Ladder,
        reason: Reason::LadderHold,
        wanted: Wanted::Hold,
        command: None,
        operation: None,
        blocked_by: None,
        blocked_until: None,
        explanation: Explanation::default(),
        soc_percent: None,
        source_time: None,
        miner_power: None,
        power_set_percent: None,
    }
}

/// All that the journal holds, newest first.
async fn journal(store: &Store) -> Vec<DecisionRecord> {
    let question = Question {
        miner: None,
        causes: Vec::new(),
        commands_only: false,
        from: UtcMillis(i64::MIN),
        to: UtcMillis(i64::MAX),
        position: Position::Newest,
        limit: u32::MAX,
    };
    let page = store.journal(&question).await.unwrap();
    page.entries.into_iter().map(|entry| entry.decision).collect()
}

#[tokio::test]
async fn a_miner_has_one_state_and_it_is_the_last() {
    let store = Store::in_memory().await.unwrap();
    let later = Now { mono: MonoTime(i64::MAX), utc: UtcMillis(i64::MIN) };
    store.save_state(&miner("b"), "first", NOW).await.unwrap();
    store.save_state(&miner("a"), "other", NOW).await.unwrap();
    store.save_state(&miner("b"), "second", later).await.unwrap();
    let state = |name, json: &str, at: Now| SavedState {
        miner: miner(name),
        json: json.to_owned(),
        mono: at.mono,
        utc: at.utc,
    };
    assert_eq!(store.load_states().await.unwrap(), [state("a", "other", NOW), state("b", "second", later)]);
}

#[tokio::test]
async fn an_operation_and_its_state_are_kept_together_or_not_at_all() {
    let store = Store::in_memory().await.unwrap();
    store.begin_operation("sending", &operation(1), NOW).await.unwrap();
    assert_eq!(store.operations(&miner("garage"), 9).await.unwrap(), [operation(1)]);

    let impossible = operation(u64::MAX);
    let error = store.begin_operation("never", &impossible, NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Unfit { .. }), "{error}");
    assert_eq!(store.load_states().await.unwrap()[0].json, "sending");
    store.save_state(&miner("garage"), "the connection is free again", NOW).await.unwrap();
}

#[tokio::test]
async fn what_many_decided_is_written_down_together_or_not_at_all() {
    let store = Store::in_memory().await.unwrap();
    let (first, second, impossible) = (operation(1), operation(2), operation(u64::MAX));
    let begun = |json, operation| Record::Begun { json, operation, at: NOW };
    let shed = miner("shed");
    let state = Record::State { miner: &shed, json: "idle", at: NOW };
    store.record(&[begun("one", &first), state, Record::Operation(&second)]).await.unwrap();
    store.record(&[begun("two", &second), Record::Operation(&impossible)]).await.unwrap_err();
    let states: Vec<_> = store.load_states().await.unwrap().into_iter().map(|saved| saved.json).collect();
    assert_eq!(states, ["one", "idle"]);
    assert_eq!(store.operations(&miner("garage"), 9).await.unwrap(), [second, first]);
    store.record(&[]).await.unwrap();
}

#[tokio::test]
async fn an_operation_is_followed_through_its_stages() {
    let store = Store::in_memory().await.unwrap();
    let mut followed = operation(7);
    store.save_operation(&operation(6)).await.unwrap();
    store.save_operation(&followed).await.unwrap();
    followed.stage = OperationStage::Observed;
    followed.means = Some(Means::Percent);
    followed.sent_at = Some(UtcMillis(1_774_094_400_002));
    followed.acknowledged_at = Some(UtcMillis(1_774_094_400_003));
    followed.ended_at = Some(UtcMillis(1_774_094_460_000));
    followed.words = Some("ok'; DROP TABLE operations; --".to_owned());
    store.save_operation(&followed).await.unwrap();
    assert_eq!(store.operations(&miner("garage"), 9).await.unwrap(), [followed.clone(), operation(6)]);
    assert_eq!(store.operations(&miner("garage"), 1).await.unwrap(), [followed]);
    assert_eq!(store.operations(&miner("shed"), 9).await.unwrap(), []);
}

#[tokio::test]
async fn numbers_of_operations_rise_over_the_life_of_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), NOW).await.unwrap().store;
    assert_eq!(store.next_operation_id().await.unwrap(), OperationId(1));
    store.save_operation(&operation(41)).await.unwrap();
    store.save_operation(&operation(3)).await.unwrap();
    drop(store);
    let store = Store::open(dir.path(), NOW).await.unwrap().store;
    assert_eq!(store.next_operation_id().await.unwrap(), OperationId(42));
}

#[tokio::test]
async fn a_number_that_is_none_is_unknown() {
    let store = Store::in_memory().await.unwrap();
    for number in [f64::NAN, f64::INFINITY] {
        let record =
            DecisionRecord { soc_percent: Some(number), power_set_percent: Some(number), ..decision(1) };
        store.record_decision(&record).await.unwrap();
    }
    assert_eq!(journal(&store).await, [decision(1), decision(1)]);
}

#[tokio::test]
async fn an_identity_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let identity = MinerIdentity {
        mac: Some("c4:11:22:33:44:55".to_owned()),
        model: None,
        firmware: Some("20250409.15.REL".to_owned()),
        serial: None,
        api: "V3 3.0.2".to_owned(),
    };
    {
        let store = Store::open(dir.path(), NOW).await.unwrap().store;
        assert_eq!(store.known_identity(&miner("garage")).await.unwrap(), None);
        store.remember_identity(&miner("garage"), &MinerIdentity::default(), NOW).await.unwrap();
        store.remember_identity(&miner("garage"), &identity, NOW).await.unwrap();
    }
    let store = Store::open(dir.path(), NOW).await.unwrap().store;
    assert_eq!(store.known_identity(&miner("garage")).await.unwrap(), Some(identity));
}

#[tokio::test]
async fn a_value_is_read_as_what_it_was_written_as() {
    const MONO: MetaKey<MonoTime> = MetaKey::new("mono");
    const NOTE: MetaKey<Option<String>> = MetaKey::new("note");
    const MONO_ONCE_A_TEXT: MetaKey<String> = MetaKey::new("mono");
    let store = Store::in_memory().await.unwrap();
    assert_eq!(store.meta(&MONO).await.unwrap(), None);
    store.put_meta(&MONO, &MonoTime(8)).await.unwrap();
    store.put_meta(&MONO, &MonoTime(9)).await.unwrap();
    store.put_meta(&NOTE, &None).await.unwrap();
    assert_eq!(store.meta(&MONO).await.unwrap(), Some(MonoTime(9)));
    assert_eq!(store.meta(&NOTE).await.unwrap(), Some(None));
    assert!(matches!(store.meta(&MONO_ONCE_A_TEXT).await, Err(StoreError::Unfit { .. })));
}

#[tokio::test]
async fn readers_and_the_writer_do_not_block_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), NOW).await.unwrap().store;
    let writes = async {
        for at in 0..200 {
            store.record_decision(&decision(at)).await.unwrap();
        }
    };
    let reads = async {
        for _ in 0..200 {
            journal(&store).await;
        }
    };
    tokio::join!(writes, reads);
    assert_eq!(journal(&store).await.len(), 200);
}

fn watts() -> impl Strategy<Value = Watts> {
    (-1e9..1e9_f64).prop_map(|watts| Watts::new(watts).unwrap())
}

fn command() -> impl Strategy<Value = Command> {
    let percent = (1..=100_u8).prop_map(|percent| PowerPercent::new(percent).unwrap());
    (0..3, percent, watts()).prop_map(|(kind, percent, watts)| match kind {
        0 => Command::Off,
        1 => Command::Start { percent, watts },
        _ => Command::SetPower { percent, watts },
    })
}

fn instant() -> impl Strategy<Value = Option<UtcMillis>> {
    option::of(any::<i64>().prop_map(UtcMillis))
}

prop_compose! {
    fn any_operation()(
        id in 1..=i64::MAX as u64, name in ".*", command in command(),
        reason in prop_oneof![Just(Reason::EmergencySoc), Just(Reason::SunsetStart), Just(Reason::DrawsTooMuch)],
        stage in prop_oneof![Just(OperationStage::Sent), Just(OperationStage::Failed)],
        means in option::of(prop_oneof![Just(Means::Stop), Just(Means::Limit)]),
        decided_at in any::<i64>(), sent_at in instant(), acknowledged_at in instant(), ended_at in instant(),
        words in option::of(".*"),
    ) -> Operation {
        Operation {
            id: OperationId(id), miner: miner(&name), command, reason, stage, means,
            decided_at: UtcMillis(decided_at), sent_at, acknowledged_at, ended_at, words,
        }
    }
}

prop_compose! {
    fn any_decision()(
        name in ".*", at in -1_000_000_i64..1_000_000,
        rule in prop_oneof![Just(Rule::Emergency), Just(Rule::AutoOff)],
        wanted in prop_oneof![Just(Wanted::Hold), Just(Wanted::Off), Just(Wanted::Run(PowerPercent::FULL))],
        command in option::of(command()),
        blocked_by in option::of(prop_oneof![Just(BlockedBy::Interval), Just(BlockedBy::CommandUnderWay)]),
        blocked_until in instant(), why in ".*", why_not_more in option::of(".*"), what_would_change in ".*",
        when in option::of(".*"), soc_percent in option::of(-300.0..300.0_f64), source_time in instant(),
        miner_power in option::of(watts()), power_set_percent in option::of(0.0..200.0_f64),
        operation in option::of((0..=i64::MAX as u64).prop_map(OperationId)),
    ) -> DecisionRecord {
        DecisionRecord {
            miner: miner(&name), at: UtcMillis(at), rule, reason: Reason::LadderHold, wanted, command, operation,
            blocked_by, blocked_until, explanation: Explanation { why, why_not_more, what_would_change, when },
            soc_percent, source_time, miner_power, power_set_percent,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_saved_is_loaded(
        operation in any_operation(), decision in any_decision(), states in vec((".*", any::<i64>()), 1..4),
        utc in any::<i64>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::in_memory().await.unwrap();
            store.save_operation(&operation).await.unwrap();
            assert_eq!(store.operations(&operation.miner, 1).await.unwrap(), [operation]);

            store.record_decision(&decision).await.unwrap();
            assert_eq!(journal(&store).await, [decision]);

            for (json, mono) in states {
                let at = Now { mono: MonoTime(mono), utc: UtcMillis(utc) };
                store.save_state(&miner("garage"), &json, at).await.unwrap();
                let expected = SavedState { miner: miner("garage"), json, mono: at.mono, utc: at.utc };
                assert_eq!(store.load_states().await.unwrap(), [expected]);
            }
        });
    }
}

#[tokio::test]
async fn each_channel_keeps_what_it_told_and_forgets_what_is_over() {
    let store = Store::in_memory().await.unwrap();
    let told = |code, miner: Option<&str>, times| ToldAlert {
        code,
        miner: miner.map(|id| MinerId(id.to_owned())),
        last: NOW.utc,
        times,
    };
    let both = [told(AlertCode::Database, None, 1), told(AlertCode::OffNotVerified, Some("shed"), 3)];
    store.keep_told_alerts("ntfy", &both).await.unwrap();
    store.keep_told_alerts("mail", &both[..1]).await.unwrap();
    assert_eq!(store.told_alerts("ntfy").await.unwrap(), both);
    store.keep_told_alerts("ntfy", &both[1..]).await.unwrap();
    assert_eq!(store.told_alerts("ntfy").await.unwrap(), both[1..]);
    assert_eq!(store.told_alerts("mail").await.unwrap(), both[..1]);
}
