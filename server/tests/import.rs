//! Taking over what the earlier program left, with everything that happens to files on a memory card.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here fails the test")]

use model::{
    MinerId, MonoTime, Now, UtcMillis,
    history::{Quantity, Window},
};
use server::{
    config::Inputs,
    import::{Import, import},
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use store::Store;

/// 2026-11-27T12:00:00Z.
const NOW: Now = Now { mono: MonoTime(0), utc: UtcMillis(1_795_780_800_000) };

const CONFIG: &str = "\
site: {timezone: America/Denver}
miners:
  - {id: garage, host: 192.168.7.9, base_watts: 3600}
battery: {user: me, password: sun}
";

struct House {
    dir: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("miner_logs")).unwrap();
        Self { dir }
    }

    fn old(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        fs::write(self.old(name), bytes).unwrap();
        self
    }

    async fn import_with(&self, text: &str, miner: Option<&str>, dry_run: bool) -> anyhow::Result<String> {
        let import_of = Import {
            paths: vec![self.dir.path().to_owned()],
            miner: miner.map(|miner| MinerId(miner.to_owned())),
            dry_run,
        };
        let inputs = Inputs::of_text(text, std::iter::empty());
        let mut out = Vec::new();
        import(&import_of, &inputs, &self.data(), NOW, &mut out).await?;
        Ok(String::from_utf8(out).unwrap().replace(&self.dir.path().display().to_string(), ""))
    }

    async fn import(&self) -> String {
        self.import_with(CONFIG, None, false).await.unwrap()
    }

    async fn store(&self) -> Store {
        Store::open(&self.data(), NOW).await.unwrap().store
    }
}

fn utc(text: &str) -> UtcMillis {
    text.parse().unwrap()
}

/// What the database tells of a quantity in this stretch: seconds after its beginning, and the value.
async fn told(store: &Store, miner: Option<&str>, of: Quantity, from: &str, to: &str) -> Vec<(i64, f64)> {
    let window = Window { from: utc(from), to: utc(to), points: 1000 };
    let gap = Duration::from_secs(600);
    let track = match miner {
        Some(miner) => store.miner_history(&MinerId(miner.to_owned()), window, &[of], gap).await.unwrap(),
        None => store.battery_history(window, &[of], gap).await.unwrap(),
    };
    let values = &track.series[0].mean;
    let points = track.at.iter().zip(values);
    points.filter_map(|(at, value)| Some((at.millis_since(utc(from)) / 1000, (*value)?))).collect()
}

const BATTERY: &str = "miner_logs/eg4_battery_log.csv";
const MINER: &str = "miner_logs/wm_status_log.csv";
const STATE: &str = "wm_state.json";
const BATTERY_HEADER: &str = "ts,soc_percent,pack_voltage_v,pack_current_a,pv_power_w,load_power_w,grid_power_w,ac_couple_w,battery_net_w,units\r\n";

#[tokio::test]
async fn a_damaged_battery_log_gives_all_that_is_good_and_counts_the_rest() {
    let house = House::new();
    let rows = [
        "2026-06-01T12:00:00-06:00,50.0,52.1,-3.5,1500,900,0,0,600,\"[{'id': 1, 'soc': None}]\"\r\n",
        // A voltage in the place of the charge, and what follows it shifted along.
        "2026-06-01T12:05:00-06:00,5210,-3.5,1500,900,0,0,600,,\r\n",
        // The same shift where the voltage could be a charge.
        "2026-06-01T12:10:00-06:00,52.1,-3.5,1500,900,0,0,600,,\r\n",
        // Cut, and written on after the power was back.
        "2026-06-01T12:15:00-06:00,51.0,52.\0\0\0\0\0\0",
        "2026-06-01T12:20:00-06:00,52.0,52.3,0.0,1600,900,0,0,700,[]\r\n",
        // The same row again, and one that is late.
        "2026-06-01T12:20:00-06:00,52.0,52.3,0.0,1600,900,0,0,700,[]\r\n",
        "2026-06-01T12:02:00-06:00,50.4,52.2,0.0,1510,900,0,0,610,[]\r\n",
        // Nothing but a time; no time; a time that can't be.
        "2026-06-01T12:25:00-06:00,None,,,,,,,,\r\n",
        "yesterday,52.0,52.3,0.0,1600,900,0,0,700,[]\r\n",
        "1970-01-01T00:00:00+00:00,52.0,52.3,0.0,1600,900,0,0,700,[]\r\n",
        // Text that was never one.
        "\u{fffd}\u{fffd}{{,,\r\n",
        // Known in part.
        "2026-06-01T12:30:00-06:00,53.0,,,,,,,,\r\n",
        // The file's end.
        "2026-06-01T12:35:00-06:00,54.0,52.3,0.0,1600,900,0,0,70",
    ];
    house.write(BATTERY, format!("{BATTERY_HEADER}{}", rows.concat()));
    let report = house.import().await;
    assert_eq!(
        report,
        "/miner_logs/eg4_battery_log.csv: 13 rows, from 2026-06-01T18:00:00Z to 2026-06-01T18:30:00Z\n  \
         4 taken\n  \
         2 left out: cut off (the first is line 5)\n  \
         1 left out: other columns than the rows around (the first is line 11)\n  \
         1 left out: without a time that can be read (the first is line 9)\n  \
         1 left out: at a time that can't be (the first is line 10)\n  \
         2 left out: with values that can't be, or in another's column (the first is line 3)\n  \
         1 left out: with nothing in it that is kept (the first is line 8)\n  \
         1 left out: there twice (the first is line 6)\n"
    );
    let store = house.store().await;
    let (from, to) = ("2026-06-01T18:00:00Z", "2026-06-01T19:00:00Z");
    let soc = told(&store, None, Quantity::Soc, from, to).await;
    assert_eq!(soc, [(0, 50.0), (120, 50.4), (1200, 52.0), (1800, 53.0)]);
    let battery = told(&store, None, Quantity::Battery, from, to).await;
    assert_eq!(battery, [(0, 600.0), (120, 610.0), (1200, 700.0)], "what isn't there is unknown");
}

#[tokio::test]
async fn the_same_again_doubles_nothing() {
    let house = House::new();
    let row = |minute: u32| {
        format!("2026-11-26T12:{minute:02}:00-07:00,{minute}.0,52.1,0,100,200,300,0,-400,[]\r\n")
    };
    let rows: String = (0..60).map(row).collect();
    house.write(BATTERY, format!("{BATTERY_HEADER}{rows}"));
    assert!(house.import().await.contains("60 taken"));
    let once = {
        let store = house.store().await;
        let energy = store.battery_energy(utc("2026-11-26T19:00:00Z"), utc("2026-11-26T20:00:00Z")).await;
        store.close().await.unwrap();
        energy.unwrap()
    };
    assert!((once.pv_wh - 100.0).abs() < 2.0, "{once:?}");
    let report = house.import().await;
    assert!(report.contains("0 taken\n  60 of moments that the database knows already"), "{report}");
    let store = house.store().await;
    let energy = store.battery_energy(utc("2026-11-26T19:00:00Z"), utc("2026-11-26T20:00:00Z")).await;
    assert_eq!(energy.unwrap(), once);
}

#[tokio::test]
async fn a_miner_log_whose_firmware_changed_goes_on() {
    let house = House::new();
    let log = "\
ts,Elapsed,Power,Power Limit,Env Temp,Fan Speed In,Hashrate,Efficiency\r
2026-06-01T12:00:00-06:00,60,3400,3600,25.5,4000,160.0,21.25\r
2026-06-01T12:00:10-06:00,70,3410,0,0,4010,161.0,21.2\r
2026-06-01T12:00:20-06:00,80,new,fields,in,any,order,at all,150.0,20.0\r
2026-06-01T12:00:30-06:00,90,new,fields,in,any,order,at all,151.0,20.0\r
2026-06-01T12:00:40-06:00,100,34\r
2026-06-01T12:00:50-06:00,110,new,fields,in,any,order,at all,152.0,20.0\r
date,time,Power,Hashrate,Efficiency\r
2025-11-02,01:59:50,3000,150,20\r
2025-11-02,01:00:00,3100,155,20\r
date,MHS av,Power\r
2025-01-02 03:04:05,140000000,3300\r
";
    house.write(MINER, log);
    let report = house.import().await;
    assert!(report.contains("9 rows") && report.contains("8 taken"), "{report}");
    assert!(
        report.contains("1 left out: other columns than the rows around (the first is line 6)"),
        "{report}"
    );
    let store = house.store().await;
    let day = ("2026-06-01T18:00:00Z", "2026-06-01T18:01:00Z");
    let of =
        async |quantity, (from, to): (&str, &str)| told(&store, Some("garage"), quantity, from, to).await;
    assert_eq!(
        of(Quantity::Power, day).await,
        [(0, 3400.0), (10, 3410.0), (20, 3000.0), (30, 3020.0), (50, 3040.0)]
    );
    assert_eq!(of(Quantity::PowerSet, day).await, [(0, 3600.0)], "no limit isn't one of 0");
    assert_eq!(of(Quantity::Ambient, day).await, [(0, 25.5)]);
    let autumn = ("2025-11-02T07:59:00Z", "2025-11-02T09:00:00Z");
    assert_eq!(of(Quantity::Power, autumn).await, [(50, 3000.0), (60, 3100.0)], "the hour's second time");
    let winter = ("2025-01-02T10:04:00Z", "2025-01-02T10:05:00Z");
    assert_eq!(of(Quantity::HashRate, winter).await, [(5, 140.0)]);
}

#[tokio::test]
async fn what_was_remembered_is_taken_over_once() {
    let house = House::new();
    house.write(STATE, r#"{"autocontrol":false,"emergency_active":true,"emergency_soc":28}"#);
    assert_eq!(house.import().await, "/wm_state.json: auto-control off and the emergency latch taken over\n");
    assert_eq!(
        house.import().await,
        "/wm_state.json: auto-control off and the emergency latch left out: this controller has its own already\n"
    );
    house.write(STATE, "{\"autocontrol\":fal");
    assert!(house.import().await.contains("left out: it can't be read"));
}

#[tokio::test]
async fn a_look_writes_nothing() {
    let house = House::new();
    house.write(STATE, r#"{"autocontrol":true}"#);
    house.write(BATTERY, format!("{BATTERY_HEADER}2026-06-01T12:00:00-06:00,50,52,0,1,2,3,0,4,[]\r\n"));
    let report = house.import_with(CONFIG, None, true).await.unwrap();
    assert!(report.contains("1 can be taken"), "{report}");
    assert!(report.contains("auto-control on would be taken over"), "{report}");
    assert!(report.ends_with("Nothing was written.\n"), "{report}");
    assert!(!house.data().exists());
    // A damaged database is set aside by whoever opens it: not by this.
    fs::create_dir(house.data()).unwrap();
    let damaged = house.data().join(store::FILE_NAME);
    fs::write(&damaged, "no database").unwrap();
    assert_eq!(house.import_with(CONFIG, None, true).await.unwrap(), report);
    assert_eq!(fs::read_to_string(&damaged).unwrap(), "no database");
    fs::remove_dir_all(house.data()).unwrap();
    // While the program runs, too.
    let running = house.store().await;
    assert_eq!(house.import_with(CONFIG, None, true).await.unwrap(), report);
    assert_eq!(running.history_begins().await.unwrap(), None);
    let refused = house.import_with(CONFIG, None, false).await.unwrap_err();
    assert!(format!("{refused:#}").contains("stop it first"), "{refused:#}");
}

#[tokio::test]
async fn what_cannot_be_imported_is_said() {
    let house = House::new();
    let error =
        async |text: &str, miner| format!("{:#}", house.import_with(text, miner, true).await.unwrap_err());
    assert!(error(CONFIG, None).await.contains("there is no wm_status_log.csv"));
    house.write(MINER, "");
    assert!(error(CONFIG, Some("shed")).await.contains("there is no miner shed: one of garage"));
    let two = CONFIG.replace("battery:", "  - {id: shed, host: 192.168.7.8, base_watts: 3600}\nbattery:");
    assert!(error(&two, None).await.contains("--miner: one of garage, shed"));
    let report = house.import_with(&two, Some("shed"), false).await.unwrap();
    assert_eq!(report, "/miner_logs/wm_status_log.csv: 0 rows\n  0 taken\n");
    let stranger = Import { paths: vec![Path::new("Cargo.toml").to_owned()], miner: None, dry_run: true };
    let inputs = Inputs::of_text(CONFIG, std::iter::empty());
    let refused = import(&stranger, &inputs, &house.data(), NOW, &mut Vec::new()).await.unwrap_err();
    assert!(refused.to_string().contains("what is imported is called"), "{refused}");
}
