//! The journal is read as it is asked for: nothing is lost between two pages, nothing is told twice.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here fails the test")]

use model::{
    Command, Explanation, MinerId, Operation, OperationId, OperationStage, PowerPercent, Reason, Rule,
    UtcMillis, Wanted, Watts,
    journal::{Cause, DecisionRecord, Entry, JournalPage, Place, Position, Question},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use store::Store;

const MINUTE: i64 = 60_000;

fn miner(name: &str) -> MinerId {
    MinerId(name.to_owned())
}

fn decision(at: i64, rule: Rule, reason: Reason, command: Option<Command>) -> DecisionRecord {
    DecisionRecord {
        miner: miner("garage"),
        at: UtcMillis(at),
        rule,
        reason,
        wanted: Wanted::Hold,
        command,
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

fn hold(at: i64) -> DecisionRecord {
    decision(at, Rule::Ladder, Reason::LadderHold, None)
}

fn everything() -> Question {
    Question {
        miner: None,
        causes: Vec::new(),
        commands_only: false,
        from: UtcMillis(i64::MIN),
        to: UtcMillis(i64::MAX),
        position: Position::Newest,
        limit: 50,
    }
}

async fn filled(records: &[DecisionRecord]) -> Store {
    let store = Store::in_memory().await.unwrap();
    for record in records {
        store.record_decision(record).await.unwrap();
    }
    store
}

async fn ask(store: &Store, question: Question) -> JournalPage {
    store.journal(&question).await.unwrap()
}

fn instants(entries: &[Entry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.place.at.0).collect()
}

/// Every page from the newest on, as the links to older ones lead.
async fn pages(store: &Store, question: &Question) -> Vec<JournalPage> {
    let mut pages = vec![ask(store, question.clone()).await];
    while let Some(place) = pages[pages.len() - 1].older {
        pages.push(ask(store, Question { position: Position::OlderThan(place), ..question.clone() }).await);
    }
    pages
}

#[tokio::test]
async fn it_is_read_by_time_newest_first() {
    let store = filled(&[hold(30), hold(10), hold(20)]).await;
    store.record_decision(&DecisionRecord { miner: miner("shed"), ..hold(15) }).await.unwrap();
    let read = async |from, to, limit| {
        let question = Question {
            miner: Some(miner("garage")),
            from: UtcMillis(from),
            to: UtcMillis(to),
            limit,
            ..everything()
        };
        instants(&ask(&store, question).await.entries)
    };
    assert_eq!(read(i64::MIN, i64::MAX, 99).await, [30, 20, 10]);
    assert_eq!(read(10, 30, u32::MAX).await, [20, 10], "from is inside, to is not");
    assert_eq!(read(0, 99, 2).await, [30, 20]);
    assert_eq!(read(0, 99, 0).await, [0; 0]);
    assert_eq!(read(30, 10, 9).await, [0; 0]);
    let all = ask(&store, everything()).await;
    assert_eq!(instants(&all.entries), [30, 20, 15, 10]);
    assert_eq!((all.older, all.newer), (None, None));
    let nobody = Question { miner: Some(miner("nobody")), ..everything() };
    assert_eq!(ask(&store, nobody).await, JournalPage::default());
}

#[tokio::test]
async fn what_became_of_a_command_stands_beside_it() {
    let operation = |id| Operation {
        id: OperationId(id),
        miner: miner("garage"),
        command: Command::Off,
        reason: Reason::EmergencySoc,
        stage: OperationStage::Observed,
        means: None,
        decided_at: UtcMillis(5),
        sent_at: Some(UtcMillis(6)),
        acknowledged_at: None,
        ended_at: Some(UtcMillis(9)),
        words: None,
    };
    let off = |id| DecisionRecord {
        operation: Some(OperationId(id)),
        ..decision(5, Rule::Emergency, Reason::EmergencySoc, Some(Command::Off))
    };
    // The third was never written, and the last one is of a time that wrote no numbers.
    let old = DecisionRecord { operation: None, ..off(0) };
    let store = filled(&[off(1), off(2), off(3), old, hold(5)]).await;
    for id in [1, 2] {
        store.save_operation(&operation(id)).await.unwrap();
    }
    let entries = ask(&store, everything()).await.entries;
    let found: Vec<_> = entries.into_iter().map(|entry| entry.operation).collect();
    assert_eq!(found, [None, None, None, Some(operation(2)), Some(operation(1))]);
    assert_eq!(store.next_operation_id().await.unwrap(), OperationId(4), "the third is never given again");
}

#[tokio::test]
async fn years_are_walked_through_page_by_page_and_back() {
    // Two entries in every half a day, and now and then ten at once.
    let mut records = Vec::new();
    for number in 0..3000 {
        let at = number / 2 * 720 * MINUTE;
        records.push(hold(at));
        if number % 100 == 0 {
            records.extend((0..8).map(|_| hold(at)));
        }
    }
    let store = filled(&records).await;
    let question = Question { limit: 7, ..everything() };
    let pages = pages(&store, &question).await;
    let found: Vec<_> = pages.iter().flat_map(|page| page.entries.iter().map(|entry| entry.place)).collect();
    assert_eq!(found.len(), records.len());
    assert!(found.is_sorted_by(|newer, older| newer > older), "each once, in one order");
    for (index, page) in pages.iter().enumerate().skip(1) {
        let back = Question { position: Position::NewerThan(page.newer.unwrap()), ..question.clone() };
        assert_eq!(ask(&store, back).await.entries, pages[index - 1].entries);
    }
}

#[tokio::test]
async fn a_chart_marks_commands_and_where_dangers_begin() {
    let off = Some(Command::Off);
    let to = Command::SetPower { percent: PowerPercent::FULL, watts: Watts::whole(3600) };
    let store = filled(&[
        hold(1),
        decision(2, Rule::Full, Reason::BatteryFull, Some(to)),
        decision(3, Rule::Emergency, Reason::EmergencySoc, off),
        decision(4, Rule::Emergency, Reason::EmergencySoc, None),
        decision(5, Rule::Emergency, Reason::EmergencyUnconfirmed, None),
        decision(6, Rule::Stopped, Reason::EmergencyLatched, None),
        decision(7, Rule::Emergency, Reason::EmergencySoc, None),
        decision(8, Rule::Emergency, Reason::EmergencySoc, None),
        decision(9, Rule::Stale, Reason::WaitingForBattery, None),
        decision(10, Rule::Stale, Reason::BatteryStale, None),
        decision(11, Rule::Stale, Reason::BatteryStale, None),
        decision(12, Rule::Stale, Reason::BatteryRecovering, None),
    ])
    .await;
    for record in [
        decision(0, Rule::Emergency, Reason::EmergencySoc, None),
        decision(6, Rule::Emergency, Reason::EmergencySoc, off),
    ] {
        store.record_decision(&DecisionRecord { miner: miner("shed"), ..record }).await.unwrap();
    }
    let garage = miner("garage");
    let marks = store.marks(&garage, UtcMillis(0), UtcMillis(99), 50).await.unwrap();
    let found: Vec<_> = marks.marks.iter().map(|mark| (mark.place.at.0, mark.reason, mark.command)).collect();
    let expected = [
        (2, Reason::BatteryFull, Some(to)),
        (3, Reason::EmergencySoc, off),
        (7, Reason::EmergencySoc, None),
        (10, Reason::BatteryStale, None),
    ];
    assert_eq!(found, expected);
    assert!(!marks.is_cut);

    let newest = store.marks(&garage, UtcMillis(0), UtcMillis(99), 2).await.unwrap();
    assert_eq!((&newest.marks[..], newest.is_cut), (&marks.marks[2..], true), "the newest are kept");
    let inside = store.marks(&garage, UtcMillis(3), UtcMillis(7), 9).await.unwrap();
    assert_eq!((&inside.marks[..], inside.is_cut), (&marks.marks[1..2], false));
    let shed = store.marks(&miner("shed"), UtcMillis(0), UtcMillis(99), 9).await.unwrap();
    assert_eq!(shed.marks.len(), 2, "the very first decision can be one");
}

/// As few instants and kinds as make for many equal ones.
fn any_decision() -> impl Strategy<Value = DecisionRecord> {
    let kinds = (
        select(vec!["garage", "shed"]),
        select(vec![Rule::Ladder, Rule::Stopped, Rule::Emergency]),
        select(vec![Reason::LadderHold, Reason::PersonStart]),
    );
    (0..8_i64, kinds, any::<bool>()).prop_map(|(at, (name, rule, reason), sends)| DecisionRecord {
        miner: miner(name),
        ..decision(at, rule, reason, sends.then_some(Command::Off))
    })
}

fn any_question() -> impl Strategy<Value = Question> {
    let causes = vec![
        vec![],
        vec![Cause { rule: Rule::Ladder, reasons: vec![] }],
        vec![
            Cause { rule: Rule::Emergency, reasons: vec![] },
            Cause { rule: Rule::Stopped, reasons: vec![Reason::PersonStart, Reason::ResumeSoc] },
        ],
    ];
    let name = option::of(select(vec!["garage", "shed", "nobody"]));
    (name, select(causes), any::<bool>(), (-1..9_i64, -1..9_i64), 1..6_u32).prop_map(
        |(name, causes, commands_only, (from, to), limit)| Question {
            miner: name.map(miner),
            causes,
            commands_only,
            from: UtcMillis(from),
            to: UtcMillis(to),
            position: Position::Newest,
            limit,
        },
    )
}

/// Whether a question means an entry, as its documentation says it.
fn is_meant(question: &Question, entry: &Entry) -> bool {
    let decision = &entry.decision;
    let caused = |cause: &Cause| {
        cause.rule == decision.rule && (cause.reasons.is_empty() || cause.reasons.contains(&decision.reason))
    };
    question.miner.as_ref().is_none_or(|miner| *miner == decision.miner)
        && (question.causes.is_empty() || question.causes.iter().any(caused))
        && (!question.commands_only || decision.command.is_some())
        && question.from <= decision.at
        && decision.at < question.to
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn pages_tell_what_is_meant_once_each_in_order(
        records in vec(any_decision(), 0..30), question in any_question(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = filled(&records).await;
            let written = records.iter().zip(1..).map(|(record, id)| Entry {
                place: Place { at: record.at, id },
                decision: record.clone(),
                operation: None,
            });
            let mut expected: Vec<_> = written.filter(|entry| is_meant(&question, entry)).collect();
            expected.sort_by_key(|entry| std::cmp::Reverse(entry.place));

            let down = pages(&store, &question).await;
            let found: Vec<_> = down.iter().flat_map(|page| page.entries.clone()).collect();
            prop_assert_eq!(&found, &expected);

            // From the oldest entry up again: all but that one.
            let mut up = Vec::new();
            let mut next = expected.last().map(|entry| entry.place);
            while let Some(place) = next {
                let position = Position::NewerThan(place);
                let page = ask(&store, Question { position, ..question.clone() }).await;
                next = page.newer;
                up.extend(page.entries.into_iter().rev());
            }
            up.reverse();
            prop_assert_eq!(up.len(), expected.len().saturating_sub(1));
            prop_assert_eq!(&up[..], &expected[..up.len()]);
            Ok(())
        })?;
    }
}
