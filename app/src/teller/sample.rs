//! A site to tell of, for tests.

use model::{
    Command, Explanation, Intent, LadderStep, MinerId, MinerIdentity, MinerReading, Operation, OperationId,
    OperationStage, PowerPercent, Reason, Rule, Soc, TeraHash, UtcMillis, Wanted, Watts,
    event::{Overview, SiteFacts},
    snapshot::{
        BatteryView, Connection, DecisionView, FollowedView, Latches, MinerState, MinerView, Snapshot,
    },
};

/// The present: 04:06 in Denver.
pub(super) const NOW: UtcMillis = UtcMillis(1_795_000_000_000);

pub(crate) fn overview(battery: BatteryView, miners: Vec<MinerView>) -> Overview {
    let soc = |percent: u8| Soc::new(f64::from(percent)).unwrap();
    let step = |power: u8| LadderStep {
        above: soc(if power == 40 { 0 } else { power - 10 }),
        up_to: soc(power),
        power: PowerPercent::new(power).unwrap(),
    };
    Overview {
        site: SiteFacts {
            name: "Home".into(),
            timezone: "America/Denver".into(),
            old_after_s: 360,
            stale_after_s: 720,
            emergency: soc(30),
            ladder: [40, 50, 60, 70, 80, 90, 100].map(step).to_vec(),
            manual_hours: 2.0,
            version: "1".into(),
            build: String::new(),
        },
        snapshot: Snapshot {
            at: NOW,
            tick: 1,
            clock_synced: true,
            battery,
            miners,
            followed: Vec::new(),
            alerts: Vec::new(),
            database_ok: true,
            invariants: Vec::new(),
        },
        demo: None,
        moved: Vec::new(),
        undelivered: Vec::new(),
    }
}

/// A battery at 60 % that spoke so many seconds ago.
pub(super) fn battery(age: Option<f64>) -> BatteryView {
    let connection = Connection { connected: true, ..Connection::default() };
    BatteryView { connection, age_seconds: age, soc: Soc::new(60.0), ..BatteryView::default() }
}

/// A miner of 3600 W that was just read, is set to this share of it in percent, and draws it.
pub(super) fn running(id: &str, share: f64) -> MinerView {
    let power = Watts::new(share * 36.0);
    MinerView {
        id: MinerId(id.into()),
        name: id.into(),
        host: "192.168.1.52".into(),
        base_watts: Watts::whole(3600),
        priority: 1,
        share: None,
        mac: None,
        connection: Connection { connected: true, last_seen: Some(NOW), ..Connection::default() },
        identity: Some(MinerIdentity {
            model: Some("M60S".into()),
            api: "V3 3.0.2".into(),
            ..MinerIdentity::default()
        }),
        reading: Some(MinerReading {
            power,
            power_set: power,
            hash_rate: TeraHash::new(100.4),
            ..MinerReading::default()
        }),
        state: MinerState::Running,
        intent: Intent { auto_control: true, ..Intent::default() },
        sun: None,
        manual_until: None,
        decision: DecisionView {
            at: NOW,
            rule: Rule::Ladder,
            reason: Reason::LadderHold,
            wanted: Wanted::Hold,
            command: None,
            blocked: None,
            blocked_until: None,
            explanation: Explanation::default(),
        },
        latches: Latches {
            ceiling: PowerPercent::FULL,
            emergency: false,
            emergency_unconfirmed: false,
            full_armed: true,
            stopped: None,
            degraded: false,
            commands_today: 0,
            command_budget: 48,
            settle_seconds: None,
        },
        operations: Vec::new(),
    }
}

/// A miner that is only looked at, mines and was just read.
pub(super) fn followed(id: &str) -> FollowedView {
    let MinerView { id, name, host, mac, connection, identity, reading, .. } = running(id, 60.0);
    FollowedView { id, name, host, mac, connection, identity, reading }
}

/// A change to 60 % that has come so far.
pub(super) fn operation(id: u64, stage: OperationStage) -> Operation {
    Operation {
        id: OperationId(id),
        miner: MinerId("garage".into()),
        command: Command::SetPower { percent: PowerPercent::new(60).unwrap(), watts: Watts::whole(2160) },
        reason: Reason::ManualPower,
        stage,
        means: None,
        decided_at: NOW,
        sent_at: Some(NOW),
        acknowledged_at: None,
        ended_at: None,
        words: None,
    }
}
