//! V2 replies to one reading. Pure: what wasn't answered comes in as an object that knows nothing.
//!
//! The `summary` tells hash rates in MH/s and its rating in GH/s, on every firmware known. A board's values in
//! `edevs` are TH/s under the same names on new firmware; should a summary ever do the same, its own efficiency
//! (`Power Rate`, J/TH) gives it away.

use super::super::{
    json::{Fields, Object},
    reading::{
        self, Observation, PoolNames, ToldPercent, chip_temperature, limit_of, mac_of, power_of, rpm,
        tera_hash,
    },
};
use model::{Celsius, MinerError, MinerIdentity, MinerReading, PoolReading, TeraHash};

const MEGA_PER_TERA: f64 = 1e6;
const GIGA_PER_TERA: f64 = 1e3;
/// A board or miner hashes 5 to 2000 TH/s, which is at least this in MH/s.
const LARGEST_TERA: f64 = 10_000.0;

/// What a poll brought in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replies<'a> {
    pub(super) status: Fields<'a>,
    pub(super) summary: Fields<'a>,
    pub(super) psu: Fields<'a>,
    /// The boards, where they were asked.
    pub(super) boards: Option<&'a [Object]>,
    /// Whether the ramp of this run is known to have finished: `Hash Stable` may be false again after that.
    pub(super) ramp_known: bool,
}

/// Everything but errors and pools.
pub(super) fn observation(replies: &Replies<'_>) -> Observation {
    let Replies { status, summary, psu, .. } = *replies;
    let measured = power_of(summary.number(&["Power_RT"])).or(power_of(summary.number(&["Power"])));
    // The supply is asked only where the summary says nothing or 0: it measures, and the mining process may be down.
    let power = power_of(psu.number(&["pin"])).or(measured);
    Observation {
        percent: ToldPercent::of(status.number(&["power_pct"])),
        mac: summary.text(&["MAC"]).and_then(|mac| mac_of(&mac)),
        reading: MinerReading {
            service_on: status.flag(&["mineroff", "btmineroff"]).map(|off| !off),
            power,
            hash_rate: hash_rate(summary, &["MHS 5s", "MHS 1m", "HS RT", "MHS 5m", "MHS 15m"]),
            hash_rate_average: hash_rate(summary, &["MHS av"]),
            hash_rate_rated: tera_hash(summary.positive(&["Factory GHS"]).map(|ghs| ghs / GIGA_PER_TERA)),
            power_limit: limit_of(summary.number(&["Power Limit"]))
                .or(limit_of(status.number(&["power_limit_set"]))),
            ramp_finished: ramp_finished(replies),
            elapsed_seconds: summary.count(&["Elapsed"]),
            uptime_seconds: summary.count(&["Uptime"]),
            ambient: summary.number(&["Env Temp"]).and_then(Celsius::new),
            chip_max: chip_temperature(summary.number(&["Chip Temp Max"])),
            chip_average: chip_temperature(summary.number(&["Chip Temp Avg"])),
            fan_in_rpm: rpm(summary.number(&["Fan Speed In"])),
            fan_out_rpm: rpm(summary.number(&["Fan Speed Out"])),
            power_mode: summary
                .text(&["Power Mode"])
                .or(status.text(&["power_mode"]))
                .map(|mode| mode.to_lowercase()),
            ..MinerReading::default()
        },
    }
}

fn hash_rate(summary: Fields<'_>, names: &[&str]) -> Option<TeraHash> {
    let value = summary.quantity(names)?;
    let expected = summary
        .positive(&["Power"])
        .zip(summary.positive(&["Power Rate"]))
        .map(|(watts, joules_per_tera)| watts / joules_per_tera);
    let is_tera = value > 0.0
        && value < LARGEST_TERA
        && expected.is_some_and(|expected| (0.75..1.33).contains(&(value / expected)));
    tera_hash(Some(if is_tera { value } else { value / MEGA_PER_TERA }))
}

/// `Hash Stable` says so, the time it took to get stable does, or every board's frequency ramp is complete.
fn ramp_finished(replies: &Replies<'_>) -> Option<bool> {
    let summary = replies.summary;
    let stable = summary.flag(&["Hash Stable"]);
    let complete = summary.flag(&["Upfreq Complete"]);
    let took = summary.positive(&["Hash Stable Cost Seconds"]);
    let was_stable = took.zip(summary.number(&["Elapsed"])).is_some_and(|(took, elapsed)| took <= elapsed);
    if stable == Some(true) || complete == Some(true) || was_stable {
        return Some(true);
    }
    let boards: Vec<bool> = replies
        .boards
        .unwrap_or_default()
        .iter()
        .filter_map(|board| Fields::new(Some(board)).flag(&["Upfreq Complete"]))
        .collect();
    if !boards.is_empty() {
        Some(boards.into_iter().all(|complete| complete))
    } else if replies.ramp_known {
        None
    } else {
        stable.or(complete)
    }
}

/// The errors that firmware of 2020 and 2021 tells in its summary; `None` where it doesn't.
pub(super) fn inline_errors(summary: Fields<'_>) -> Option<Vec<MinerError>> {
    const MOST: u64 = 32;
    let codes = summary.count(&["Error Code Count"])?.min(MOST);
    let factory_codes = summary.count(&["Factory Error Code Count"]).unwrap_or(0).min(MOST);
    let named = (0..codes)
        .map(|index| format!("Error Code {index}"))
        .chain((0..factory_codes).map(|index| format!("Factory Error Code {index}")));
    // The times are numbered through both lists.
    let errors = named.enumerate().filter_map(|(index, name)| {
        let code = u32::try_from(summary.count(&[&name])?).ok()?;
        Some(reading::error(code, "", summary.text(&[&format!("Error {index} Time")])))
    });
    Some(errors.collect())
}

/// The pools, as `pools` tells them.
pub(super) fn pools(rows: &[Object]) -> Vec<PoolReading> {
    const NAMES: PoolNames = PoolNames {
        url: "URL",
        user: "User",
        status: "Status",
        active: "Stratum Active",
        last_share: "Last Share Time",
    };
    reading::pools_of(rows, &NAMES)
}

/// The hardware address that `get_miner_info` tells.
pub(super) fn mac(info: Fields<'_>) -> Option<String> {
    info.text(&["mac"]).and_then(|mac| mac_of(&mac))
}

/// Who it is, from the replies that say so.
pub(super) fn identity(
    version: Fields<'_>,
    info: Fields<'_>,
    device: Fields<'_>,
    summary: Fields<'_>,
    api: String,
) -> MinerIdentity {
    MinerIdentity {
        mac: info.text(&["mac"]).or(summary.text(&["MAC"])).and_then(|mac| mac_of(&mac)),
        model: version
            .text(&["miner_type"])
            .or(device.text(&["Model"]))
            .map(|model| reading::model_of(&model)),
        firmware: version.text(&["fw_ver"]).or(summary.text(&["Firmware Version"])),
        serial: info.text(&["minersn"]),
        api,
    }
}

#[cfg(test)]
mod tests {
    use super::super::envelope::Envelope;
    use super::*;
    use model::Watts;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn read(status: &Value, summary: &Value, psu: &Value, boards: Option<&Value>) -> Observation {
        let [status, summary, psu] = [(status, ""), (summary, "SUMMARY"), (psu, "")]
            .map(|(reply, section)| Envelope::open(reply, section));
        let boards = boards.map(|reply| Envelope::open(reply, "DEVS").rows);
        observation(&Replies {
            status: status.fields(),
            summary: summary.fields(),
            psu: psu.fields(),
            boards: boards.as_deref(),
            ramp_known: false,
        })
    }

    fn tera(observation: &Observation) -> f64 {
        observation.reading.hash_rate.unwrap().get()
    }

    #[test]
    fn firmware_of_2021() {
        let status = json!({"STATUS":"S","When":1_700_000_000,"Code":131,"Msg":
            {"btmineroff":"false","Firmware Version":"'20210119.10.REL'"},"Description":"whatsminer v1.4.0"});
        let summary = json!({"STATUS":[{"STATUS":"S","When":1_700_000_000,"Code":11,"Msg":"Summary","Description":"btminer"}],
            "SUMMARY":[{"Elapsed":21800,"MHS av":70_120_000.5,"MHS 5s":71_200_000.0,"MHS 1m":70_000_000.0,"Power":3310,
            "Power_RT":3325,"Power Rate":47.2,"Power Limit":3400,"Power Mode":"Normal","Hash Stable":true,
            "Env Temp":-4.5,"Chip Temp Max":91.25,"Chip Temp Avg":80.5,"Fan Speed In":5400,"Fan Speed Out":0,
            "Uptime":99000,"Factory GHS":71000,"Error Code 0":206,"Error 0 Time":"2023-11-14 20:00:00",
            "Factory Error Code 0":2310,"Error 1 Time":"","Error Code Count":1,"Factory Error Code Count":1}],"id":1});
        let seen = read(&status, &summary, &json!({}), None);
        let reading = &seen.reading;
        assert_eq!(reading.service_on, Some(true));
        assert_eq!(reading.power, Some(Watts::whole(3325)));
        assert!((tera(&seen) - 71.2).abs() < 1e-9);
        assert_eq!(reading.hash_rate_rated.unwrap().get().to_bits(), 71.0_f64.to_bits());
        assert_eq!(reading.power_limit, Some(Watts::whole(3400)));
        assert_eq!(reading.ramp_finished, Some(true));
        assert_eq!((reading.elapsed_seconds, reading.uptime_seconds), (Some(21_800), Some(99_000)));
        assert_eq!(reading.ambient, Celsius::new(-4.5));
        assert_eq!((reading.fan_in_rpm, reading.fan_out_rpm), (Some(5400), Some(0)));
        assert_eq!(reading.power_mode.as_deref(), Some("normal"));
        assert_eq!(seen.percent, ToldPercent::Nothing);
        let errors = inline_errors(Envelope::open(&summary, "SUMMARY").fields()).unwrap();
        assert_eq!(errors.iter().map(|error| error.code).collect::<Vec<_>>(), [206, 2310]);
        assert_eq!(errors[0].at.as_deref(), Some("2023-11-14 20:00:00"));
        assert_eq!(errors[1].at, None);
    }

    #[test]
    fn firmware_of_2025_with_its_flat_summary() {
        let status = json!({"STATUS":"S","When":1_700_000_000,"Code":131,"Msg":{"mineroff":"false",
            "mineroff_reason":"","FirmwareVersion":"20250214.16.Rel","power_mode":"","power_limit_set":"3000",
            "hash_percent":"","fast_mining":"false","power_pct":60},"Description":""});
        let summary = json!({"STATUS":"S","When":1_700_000_000,"Code":131,"Msg":{"Elapsed":1201.25,"MHS av":101_000_000,
            "MHS 1m":"120500000","MHS 15m":101_000_000,"HS RT":120_500_000,"Power":2890.25,"Power Rate":23.98,
            "Hash Stable":"false","Hash Stable Cost Seconds":0,"Env Temp":27.5,"Power Mode":"Normal",
            "Factory GHS":158_000,"Power Limit":0,"Chip Temp Max":80.5,"Chip Temp Avg":0},"Description":""});
        let boards = json!({"STATUS":"S","Code":131,"Msg":[{"Slot":0,"MHS av":40.2,"Upfreq Complete":1},
            {"Slot":1,"MHS av":40.3,"Upfreq Complete":"1"}]});
        let seen = read(&status, &summary, &json!({}), Some(&boards));
        assert!((tera(&seen) - 120.5).abs() < 1e-9);
        assert_eq!(seen.reading.elapsed_seconds, Some(1201));
        assert_eq!(seen.reading.power, Watts::new(2890.25));
        assert_eq!(
            seen.reading.power_limit,
            Some(Watts::whole(3000)),
            "the stored one, while none is in force"
        );
        assert_eq!(seen.reading.ramp_finished, Some(true), "by its boards");
        assert_eq!(seen.reading.chip_average, None);
        assert_eq!(seen.percent, ToldPercent::Set(60));
    }

    #[test]
    fn a_mining_process_that_is_down_leaves_everything_unknown() {
        let status =
            json!({"STATUS":"S","Code":131,"Msg":{"mineroff":"true","mineroff_reason":"by whatsminer api"}});
        let seen = read(&status, &json!({}), &json!({}), None);
        assert_eq!(seen.reading, MinerReading { service_on: Some(false), ..MinerReading::default() });
        let psu = json!({"STATUS":"S","Code":131,"Msg":{"name":"P221B","iin":"71","vin":"22810","pin":"14"}});
        let seen = read(&status, &json!({}), &psu, None);
        assert_eq!(seen.reading.power, Some(Watts::whole(14)));
    }

    #[test]
    fn what_is_not_available_is_not_zero() {
        let summary = json!({"STATUS":"S","Code":131,"Msg":{"Power":-1,"MHS 1m":"","Elapsed":"nan","Power Limit":0,
            "Env Temp":-1,"Chip Temp Max":-1,"Fan Speed In":"-1"}});
        let seen = read(&json!({}), &summary, &json!({}), None);
        assert_eq!(seen.reading, MinerReading::default());
    }

    #[rstest]
    #[case::mega(118_000_000.0, 3100, 26.3, 118.0)]
    #[case::mega_at_the_start_of_a_ramp(71.0, 460, 0.0, 0.000_071)]
    #[case::mega_by_a_wide_margin(71.0, 3100, 26.3, 0.000_071)]
    #[case::tera_as_its_efficiency_says(118.2, 3100, 26.3, 118.2)]
    fn units_of_the_summary(
        #[case] told: f64,
        #[case] power: u32,
        #[case] rate: f64,
        #[case] tera_hash: f64,
    ) {
        let summary = json!({"SUMMARY":[{"MHS 1m": told, "Power": power, "Power Rate": rate}]});
        assert!((tera(&read(&json!({}), &summary, &json!({}), None)) - tera_hash).abs() < 1e-9);
    }

    #[rstest]
    #[case(json!({"Hash Stable": "true"}), None, Some(true))]
    #[case(json!({"Hash Stable": false, "Hash Stable Cost Seconds": 1400, "Elapsed": 9000}), None, Some(true))]
    #[case(json!({"Hash Stable": false, "Hash Stable Cost Seconds": 1400, "Elapsed": 90}), None, Some(false))]
    #[case(json!({"Hash Stable": false}), Some(json!([{"Upfreq Complete": 1}, {"Upfreq Complete": 0}])), Some(false))]
    #[case(json!({"Hash Stable": false}), Some(json!([{"Upfreq Complete": 1}, {"Upfreq Complete": 1}])), Some(true))]
    #[case(json!({}), None, None)]
    fn the_end_of_the_ramp(
        #[case] row: Value,
        #[case] boards: Option<Value>,
        #[case] finished: Option<bool>,
    ) {
        let boards = boards.map(|rows| json!({ "DEVS": rows }));
        let seen = read(&json!({}), &json!({ "SUMMARY": [row] }), &json!({}), boards.as_ref());
        assert_eq!(seen.reading.ramp_finished, finished);
    }

    #[test]
    fn pools_with_either_kind_of_boolean() {
        let reply = json!({"STATUS":[{"STATUS":"S","Msg":"2 Pool(s)"}],"POOLS":[
            {"POOL":1,"URL":"stratum+tcp://one.example:3333","Status":"Alive","User":"home.1","Stratum Active":true,
             "Last Share Time":1_700_000_123},
            {"POOL":2,"URL":"stratum+tcp://two.example:3333","Status":"Dead","User":"home.1","Stratum Active":"0",
             "Last Share Time":0}]});
        let pools = pools(&Envelope::open(&reply, "POOLS").rows);
        assert_eq!(pools.len(), 2);
        assert_eq!((pools[0].status.as_str(), pools[0].active), ("alive", true));
        assert_eq!(pools[0].last_share.unwrap().0, 1_700_000_123_000);
        assert_eq!((pools[1].status.as_str(), pools[1].active, pools[1].last_share), ("dead", false, None));
    }
}
