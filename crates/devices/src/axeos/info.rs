//! `/api/system/info` of the whole family: who answers, how it is switched, and how it does. Pure.
//!
//! Only a JSON object with `ASICModel`, or with `power` and `hashRate`, is asked for; everything else may be missing, null,
//! or of another type from one version to the next.

use super::boards::{self, Sensor};
use crate::{
    DeviceError,
    lenient::{Fields, mac_of},
};
use model::{Celsius, MinerError, MinerIdentity, MinerReading, PoolReading, TeraHash, Watts};
use serde_json::Value;

/// A hash rate above so many times what the settings promise is a counter's error: it happens after losses of link and
/// after resumes.
const MOST_OF_EXPECTED: f64 = 1.5;
/// A core-measured power this near above its fixed part is the fixed part alone, W.
const OF_OFFSET: f64 = 0.2;
/// The clock is at its set frequency when it is within this share of it.
const AT_FREQUENCY: f64 = 0.98;
/// The first AxeOS that can be paused.
const FIRST_WITH_PAUSE: (u32, u32) = (2, 14);
/// Numbers for the faults of the device, which has words for them only.
const OVERHEATED: u32 = 1;
const POWER_FAULT: u32 = 2;
const HARDWARE_FAULT: u32 = 3;

/// Whose firmware it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// AxeOS of the Bitaxe project.
    Bitaxe,
    /// NerdOS: NerdAxe, NerdQAxe+, NerdQAxe++, NerdOctaxe.
    NerdOs,
    /// The closed fork on Lucky Miners.
    LuckyMiner,
    /// ForgeOS on the BitForge Nano.
    BitForge,
}

impl Kind {
    /// What the devices are called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bitaxe => "Bitaxe",
            Self::NerdOs => "NerdQAxe",
            Self::LuckyMiner => "Lucky Miner",
            Self::BitForge => "BitForge",
        }
    }

    /// What the firmware is called.
    const fn firmware(self) -> &'static str {
        match self {
            Self::Bitaxe => "AxeOS",
            Self::NerdOs => "NerdOS",
            Self::LuckyMiner => "Lucky Miner",
            Self::BitForge => "ForgeOS",
        }
    }
}

/// How mining is switched off and on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Switching {
    /// Pause and resume.
    Pause,
    /// Shutdown, and restart.
    Shutdown,
    /// Not over the network.
    Nothing {
        /// What a person can do about it.
        advice: String,
    },
}

/// What one reply says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Info {
    /// Whose firmware it is.
    pub(crate) kind: Kind,
    /// Who it is. The model has the device's name before it ("Bitaxe Gamma 601"), but for forks that name it themselves.
    pub(crate) identity: MinerIdentity,
    /// How it is switched.
    pub(crate) switching: Switching,
    /// How it does.
    pub(crate) reading: MinerReading,
}

/// Reads a reply's body.
///
/// # Errors
/// [`DeviceError::WrongDevice`] for what isn't of this family, [`DeviceError::Protocol`] for JSON that breaks off.
pub(crate) fn parse(body: &[u8]) -> Result<Info, DeviceError> {
    // A network's name may be any bytes.
    let text = String::from_utf8_lossy(body);
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    if !text.starts_with('{') {
        return Err(DeviceError::WrongDevice("it tells nothing as AxeOS does".to_owned()));
    }
    let value: Value = serde_json::from_str(text)
        .map_err(|error| DeviceError::Protocol(format!("its JSON is broken: {error}")))?;
    of(&value).ok_or_else(|| DeviceError::WrongDevice("it tells neither chip nor hash rate".to_owned()))
}

/// Who and how it is; `None` if that is nobody of the family.
fn of(value: &Value) -> Option<Info> {
    let fields = Fields::new(value.as_object());
    let has = |name: &str| fields.value(&[name]).is_some();
    if fields.text(&["ASICModel"]).is_none() && !(has("power") && has("hashRate")) {
        return None;
    }
    let kind = if fields.text(&["deviceModel"]).is_some_and(|model| model.starts_with("Nerd")) {
        Kind::NerdOs
    } else if fields.text(&["minerModel"]).is_some() {
        Kind::LuckyMiner
    } else if has("chiptemp1") {
        Kind::BitForge
    } else {
        Kind::Bitaxe
    };
    let switching = switching(kind, fields);
    Some(Info {
        kind,
        identity: identity(kind, fields),
        reading: reading(kind, fields, &switching),
        switching,
    })
}

fn identity(kind: Kind, fields: Fields<'_>) -> MinerIdentity {
    let firmware = fields.text(&["version", "axeOSVersion"]);
    let name = kind.firmware();
    let api = firmware.as_deref().map_or_else(|| name.to_owned(), |told| format!("{name} {}", bare(told)));
    MinerIdentity {
        mac: fields.text(&["macAddr"]).and_then(|mac| mac_of(&mac)),
        model: Some(model(kind, fields)),
        firmware,
        serial: None,
        api,
    }
}

fn model(kind: Kind, fields: Fields<'_>) -> String {
    let (board, asic) = (fields.text(&["boardVersion"]), fields.text(&["ASICModel"]));
    match kind {
        Kind::NerdOs => fields.text(&["deviceModel"]).unwrap_or_else(|| kind.name().to_owned()),
        Kind::LuckyMiner => {
            let own = fields.text(&["minerModel"]);
            joined(&[Some(kind.name()), own.as_deref()])
        }
        Kind::BitForge => "BitForge Nano".to_owned(),
        Kind::Bitaxe => {
            let family = boards::family(board.as_deref(), asic.as_deref());
            joined(&[Some(kind.name()), family, board.as_deref()])
        }
    }
}

fn joined(words: &[Option<&str>]) -> String {
    words.iter().flatten().copied().collect::<Vec<_>>().join(" ")
}

/// A version without the letter before it.
fn bare(version: &str) -> &str {
    version.strip_prefix(['v', 'V']).unwrap_or(version)
}

/// Major and minor number of "v2.15.0", "2.14.0-rc1" and the like.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = bare(version.trim()).split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn switching(kind: Kind, fields: Fields<'_>) -> Switching {
    let version = fields.text(&["version", "axeOSVersion"]);
    match kind {
        Kind::NerdOs if fields.value(&["shutdown"]).is_some() => Switching::Shutdown,
        Kind::NerdOs => Switching::Nothing {
            advice: "this NerdOS can't be shut down over the network: update it to a release of 2026"
                .to_owned(),
        },
        Kind::LuckyMiner | Kind::BitForge => Switching::Nothing {
            advice: format!(
                "the firmware of a {} can't be paused over the network: it needs a switched socket",
                kind.name()
            ),
        },
        Kind::Bitaxe => {
            let new = version.as_deref().and_then(numbers).is_some_and(|own| own >= FIRST_WITH_PAUSE);
            if new || fields.value(&["miningPaused"]).is_some() {
                return Switching::Pause;
            }
            let own =
                version.as_deref().map_or_else(|| "AxeOS".to_owned(), |own| format!("AxeOS {}", bare(own)));
            Switching::Nothing {
                advice: format!("{own} can't be paused: update the firmware to 2.14 or newer"),
            }
        }
    }
}

fn reading(kind: Kind, fields: Fields<'_>, switching: &Switching) -> MinerReading {
    // Where there is no such flag, mining can't be switched off, and nothing is said of it.
    let service_on = match switching {
        Switching::Pause => fields.flag(&["miningPaused"]).map(|paused| !paused),
        Switching::Shutdown => fields.flag(&["shutdown"]).map(|down| !down),
        Switching::Nothing { .. } => None,
    };
    let stopped = service_on == Some(false);
    let hash_rate = hash_rate(fields);
    let overheated = fields.flag(&["overheat_mode", "overheat"]) == Some(true);
    let uptime = fields.count(&["uptimeSeconds"]);
    MinerReading {
        service_on,
        power: power(kind, fields, stopped, overheated, hash_rate),
        hash_rate,
        ramp_finished: if stopped { None } else { ramp_finished(fields) },
        // The firmware is the mining process.
        elapsed_seconds: if stopped { None } else { uptime },
        uptime_seconds: uptime,
        chip_max: hottest(fields),
        chip_average: celsius(fields.number(&["temp"])),
        fan_in_rpm: rpm(fields.number(&["fanrpm", "fanSpeedRpm", "fanSpeed"])),
        errors: errors(fields, overheated),
        pools: pools(fields),
        ..MinerReading::default()
    }
}

/// What is drawn, where that is measured: see the module above.
fn power(
    kind: Kind,
    fields: Fields<'_>,
    stopped: bool,
    overheated: bool,
    hash_rate: Option<TeraHash>,
) -> Option<Watts> {
    let told = fields.number(&["power"]).filter(|watts| *watts >= 0.0).and_then(Watts::new)?;
    let hashes = hash_rate.is_some_and(|rate| rate.get() > 0.0);
    // The loop that reads the sensor waits: for the end of the ramp, or until the board has cooled down.
    if stopped && hashes || overheated && !hashes {
        return None;
    }
    match sensor(kind, fields) {
        Some(Sensor::Input) => Some(told),
        Some(Sensor::Core { offset }) => (!stopped && told.get() > offset.get() + OF_OFFSET).then_some(told),
        // Of a board that isn't known nothing says what it tells with its chips off.
        None => (!stopped).then_some(told),
    }
}

fn sensor(kind: Kind, fields: Fields<'_>) -> Option<Sensor> {
    match kind {
        Kind::NerdOs => Some(Sensor::Input),
        Kind::Bitaxe => boards::sensor(fields.text(&["boardVersion"]).as_deref()),
        Kind::LuckyMiner | Kind::BitForge => None,
    }
}

/// GH/s on the wire. What can't be is unknown.
fn hash_rate(fields: Fields<'_>) -> Option<TeraHash> {
    let told = fields.quantity(&["hashRate"])?;
    if expected(fields).is_some_and(|expected| told > MOST_OF_EXPECTED * expected) {
        return None;
    }
    TeraHash::new(told / 1000.0)
}

/// What the settings promise, GH/s: as told (2.8 and newer, 0 while paused), or every small core once a cycle.
fn expected(fields: Fields<'_>) -> Option<f64> {
    fields.positive(&["expectedHashrate"]).or_else(|| {
        let chips = fields.positive(&["asicCount"]).or_else(|| {
            let chips = fields.inside("hashrateMonitor").value(&["asics"])?.as_array()?.len();
            (chips > 0).then_some(chips as f64)
        })?;
        Some(fields.positive(&["frequency"])? * fields.positive(&["smallCoreCount"])? * chips / 1000.0)
    })
}

/// Told since 2.14.
fn ramp_finished(fields: Fields<'_>) -> Option<bool> {
    let (actual, set) = (fields.quantity(&["actualFrequency"])?, fields.positive(&["frequency"])?);
    Some(actual >= AT_FREQUENCY * set)
}

/// A sensor that can't be read is told as −1, or as 0.
fn celsius(told: Option<f64>) -> Option<Celsius> {
    told.filter(|celsius| *celsius > 0.0).and_then(Celsius::new)
}

fn hottest(fields: Fields<'_>) -> Option<Celsius> {
    let single = ["temp", "temp2", "chiptemp1", "chiptemp2"].map(|name| fields.number(&[name]));
    let chips = fields.value(&["asicTemps"]).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let chips = chips.iter().map(Value::as_f64);
    let known = single.into_iter().chain(chips).filter_map(celsius);
    known.reduce(|one, other| if other > one { other } else { one })
}

fn rpm(told: Option<f64>) -> Option<u32> {
    told.filter(|rpm| (0.0..=1e6).contains(rpm)).map(|rpm| rpm as u32)
}

/// The faults that it tells, under numbers of this driver.
fn errors(fields: Fields<'_>, overheated: bool) -> Vec<MinerError> {
    let error = |code, text| MinerError { code, text, at: None };
    let hot = overheated.then(|| error(OVERHEATED, "It stopped because it was too hot.".to_owned()));
    let power = fields.text(&["power_fault"]).map(|words| error(POWER_FAULT, words));
    let hardware = fields.text(&["hardware_fault"]).map(|words| error(HARDWARE_FAULT, words));
    [hot, power, hardware].into_iter().flatten().collect()
}

/// The pool and the one behind it. The device has no word for their state.
fn pools(fields: Fields<'_>) -> Vec<PoolReading> {
    let behind = fields.flag(&["isUsingFallbackStratum"]).unwrap_or(false);
    let pool = |[host, port, user]: [&str; 3], active| {
        let host = fields.text(&[host])?;
        let url = match fields.count(&[port]) {
            Some(port) => format!("stratum+tcp://{host}:{port}"),
            None => format!("stratum+tcp://{host}"),
        };
        let user = fields.text(&[user]).unwrap_or_default();
        Some(PoolReading { url, user, status: String::new(), active, last_share: None })
    };
    let first = pool(["stratumURL", "stratumPort", "stratumUser"], !behind);
    let second = pool(["fallbackStratumURL", "fallbackStratumPort", "fallbackStratumUser"], behind);
    [first, second].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    fn read(value: &Value) -> Info {
        parse(value.to_string().as_bytes()).unwrap()
    }

    fn with(mut value: Value, changes: Value) -> Value {
        let Value::Object(changes) = changes else { unreachable!() };
        value.as_object_mut().unwrap().extend(changes);
        value
    }

    /// A Gamma of 2.15.
    fn gamma() -> Value {
        json!({
            "power": 17.83, "voltage": 5061.5, "current": 11_240, "temp": 57.25, "temp2": -1, "vrTemp": 48,
            "coreVoltageActual": 1132, "actualFrequency": 500, "expectedHashrate": 1020.0, "fanspeed": 44.0,
            "fanrpm": 3188, "hashRate": 1031.25, "hashRate_1m": 1011.2, "sharesAccepted": 77, "uptimeSeconds": 5400,
            "miningPaused": false, "overheat_mode": 0, "version": "v2.15.0", "boardVersion": "601",
            "ASICModel": "BM1370", "smallCoreCount": 2040, "macAddr": "7C:DF:A1:0B:C2:3E", "hostname": "kitchen",
            "stratumURL": "pool.example", "stratumPort": 3333, "stratumUser": "someone.kitchen",
            "fallbackStratumURL": "other.example", "fallbackStratumPort": 21_496, "isUsingFallbackStratum": false,
            "coreVoltage": 1140, "frequency": 500, "stratumPassword": "*****",
        })
    }

    /// A Supra of 2.4.
    fn supra() -> Value {
        json!({
            "power": 13.2, "voltage": 5190, "current": 2543, "temp": 61, "vrTemp": 0, "hashRate": 601.9,
            "bestDiff": "1.9G", "bestSessionDiff": "77k", "coreVoltage": 1166, "frequency": 485,
            "uptimeSeconds": 91_000, "asicCount": 1, "smallCoreCount": 1276, "ASICModel": "BM1368",
            "version": "v2.4.1-3-g1a2b3c4-dirty", "boardVersion": "401", "macAddr": "7c:df:a1:00:00:09",
            "fanspeed": 61, "fanrpm": 4821, "overheat_mode": 0,
        })
    }

    /// A NerdQAxe++ with NerdOS.
    fn nerd() -> Value {
        json!({
            "deviceModel": "NerdQAxe++", "ASICModel": "BM1370", "asicCount": 4, "smallCoreCount": 2040,
            "power": 76.4, "voltage": 12_110, "current": 6309, "temp": 54.5, "asicTemps": [53.0, 55.5, null, 54.0],
            "hashRate": 4811.0, "frequency": 590, "uptimeSeconds": 812, "fanrpm": 2210, "shutdown": false,
            "version": "1.1", "macAddr": "F4:12:FA:01:02:03", "autofanspeed": 2,
        })
    }

    #[test]
    fn a_gamma_that_mines() {
        let info = read(&gamma());
        assert_eq!((info.kind, info.switching), (Kind::Bitaxe, Switching::Pause));
        assert_eq!(info.identity.model.as_deref(), Some("Bitaxe Gamma 601"));
        assert_eq!(info.identity.mac.as_deref(), Some("7c:df:a1:0b:c2:3e"));
        assert_eq!(info.identity.firmware.as_deref(), Some("v2.15.0"));
        assert_eq!((info.identity.api.as_str(), info.identity.serial), ("AxeOS 2.15.0", None));
        let reading = info.reading;
        assert_eq!(reading.service_on, Some(true));
        assert_eq!(reading.power, Watts::new(17.83));
        assert_eq!(reading.hash_rate, TeraHash::new(1.03125));
        assert_eq!((reading.chip_max, reading.chip_average), (Celsius::new(57.25), Celsius::new(57.25)));
        assert_eq!(reading.fan_in_rpm, Some(3188));
        assert_eq!((reading.elapsed_seconds, reading.uptime_seconds), (Some(5400), Some(5400)));
        assert_eq!(reading.ramp_finished, Some(true));
        assert_eq!((reading.power_limit, reading.power_set, reading.hash_rate_rated), (None, None, None));
        assert_eq!(reading.pools[0].url, "stratum+tcp://pool.example:3333");
        assert!(reading.pools[0].active && !reading.pools[1].active);
    }

    #[test]
    fn a_paused_gamma_s_offset_is_no_measurement() {
        let paused = json!({"miningPaused": true, "power": 5.0, "hashRate": 0, "temp": -1, "expectedHashrate": 0,
            "actualFrequency": 0});
        let reading = read(&with(gamma(), paused)).reading;
        assert_eq!((reading.service_on, reading.power), (Some(false), None));
        assert_eq!(reading.hash_rate, TeraHash::new(0.0));
        assert_eq!((reading.chip_max, reading.elapsed_seconds, reading.ramp_finished), (None, None, None));
        let ramping = read(&with(gamma(), json!({"miningPaused": 1, "power": 17.83}))).reading;
        assert_eq!((ramping.service_on, ramping.power), (Some(false), None));
        let without_pool = read(&with(gamma(), json!({"power": 5.0, "hashRate": 0}))).reading;
        assert_eq!((without_pool.service_on, without_pool.power), (Some(true), None));
    }

    #[test]
    fn a_board_that_measures_its_input_is_believed_once_it_stands_still() {
        let paused = |hash_rate: f64, power: f64| {
            let paused =
                json!({"version": "v2.14.0", "miningPaused": true, "power": power, "hashRate": hash_rate});
            read(&with(supra(), paused)).reading.power
        };
        assert_eq!(paused(0.0, 2.7), Watts::new(2.7));
        assert_eq!(paused(300.0, 13.2), None, "from before the ramp");
    }

    #[test]
    fn an_old_supra() {
        let info = read(&supra());
        assert_eq!(info.identity.model.as_deref(), Some("Bitaxe Supra 401"));
        assert_eq!(info.identity.api, "AxeOS 2.4.1-3-g1a2b3c4-dirty");
        let Switching::Nothing { advice } = info.switching else { unreachable!() };
        assert!(advice.contains("2.14 or newer"), "{advice}");
        assert_eq!((info.reading.service_on, info.reading.ramp_finished), (None, None));
        assert_eq!(info.reading.power, Watts::new(13.2));
    }

    #[test]
    fn a_nerdqaxe() {
        let info = read(&nerd());
        assert_eq!((info.kind, &info.switching), (Kind::NerdOs, &Switching::Shutdown));
        assert_eq!(
            (info.identity.model.as_deref(), info.identity.api.as_str()),
            (Some("NerdQAxe++"), "NerdOS 1.1")
        );
        assert_eq!((info.reading.service_on, info.reading.power), (Some(true), Watts::new(76.4)));
        assert_eq!(info.reading.chip_max, Celsius::new(55.5));
        let down = read(&with(nerd(), json!({"shutdown": true, "hashRate": 0, "power": 5.2}))).reading;
        assert_eq!((down.service_on, down.power), (Some(false), Watts::new(5.2)));
        let mut old = nerd();
        old.as_object_mut().unwrap().remove("shutdown");
        assert!(matches!(read(&old).switching, Switching::Nothing { .. }));
    }

    #[test]
    fn other_kin() {
        let lucky = json!({"minerModel": "LV07", "ASICModel": "BM1366", "power": 31.0, "voltagei": 12_000,
            "hashRate": 990, "fanSpeed": 5100, "stratumPassword": "x"});
        let info = read(&lucky);
        assert_eq!((info.kind, info.identity.model.as_deref()), (Kind::LuckyMiner, Some("Lucky Miner LV07")));
        assert_eq!((info.identity.mac, info.reading.fan_in_rpm), (None, Some(5100)));
        let forge = json!({"chiptemp1": 51, "chiptemp2": 56.5, "temp": 53.75, "ASICModel": "BM1370", "hashRate": 2001});
        let info = read(&forge);
        assert_eq!((info.kind, info.reading.chip_max), (Kind::BitForge, Celsius::new(56.5)));
        assert!(matches!(info.switching, Switching::Nothing { .. }));
        let bare = read(&json!({"power": null, "hashRate": "n/a"}));
        assert_eq!(bare.identity.model.as_deref(), Some("Bitaxe"));
        assert_eq!(bare.reading, MinerReading::default());
    }

    #[rstest]
    #[case(1529.0, Some(1.529))]
    #[case(1531.0, None)]
    #[case(244_139.0, None)]
    #[case(0.0, Some(0.0))]
    #[case(-3.0, None)]
    fn an_impossible_hash_rate_is_unknown(#[case] told: f64, #[case] read_as: Option<f64>) {
        let reading = read(&with(gamma(), json!({"hashRate": told}))).reading;
        assert_eq!(reading.hash_rate.map(TeraHash::get), read_as);
    }

    #[test]
    fn what_the_settings_promise_where_it_is_not_told() {
        assert_eq!(read(&with(supra(), json!({"hashRate": 1200.0}))).reading.hash_rate, None);
        let monitored =
            json!({"expectedHashrate": null, "hashRate": 9000.0, "hashrateMonitor": {"asics": [{}]}});
        assert_eq!(read(&with(gamma(), monitored)).reading.hash_rate, None);
        let unknown = json!({"expectedHashrate": 0, "hashRate": 9000.0});
        assert_eq!(
            read(&with(gamma(), unknown)).reading.hash_rate,
            TeraHash::new(9.0),
            "nothing to hold it against"
        );
    }

    #[test]
    fn faults_are_told_and_a_power_from_before_is_not() {
        let hot = read(&with(gamma(), json!({"overheat_mode": 1, "hashRate": 0}))).reading;
        assert_eq!((hot.power, hot.errors[0].code, hot.service_on), (None, OVERHEATED, Some(true)));
        let faults = json!({"power_fault": "VIN undervoltage", "hardware_fault": "fan"});
        let errors = read(&with(gamma(), faults)).reading.errors;
        assert_eq!((errors[0].text.as_str(), errors[1].text.as_str()), ("VIN undervoltage", "fan"));
    }

    #[rstest]
    #[case("v2.14.0", true)]
    #[case("2.14.0-rc1", true)]
    #[case("v3.0", true)]
    #[case("v2.13.4", false)]
    #[case("v2", false)]
    #[case("nightly", false)]
    fn versions_that_can_be_paused(#[case] version: &str, #[case] can: bool) {
        let mut value = with(gamma(), json!({"version": version}));
        value.as_object_mut().unwrap().remove("miningPaused");
        let info = read(&value);
        assert_eq!(info.switching == Switching::Pause, can);
        assert_eq!(info.reading.service_on, None, "it isn't told");
    }

    #[test]
    fn who_is_not_of_the_family() {
        for other in
            ["<html>AxeOS</html>", "", "[]", "null", "{}", "{\"hashRate\": 3}", "{\"ASICModel\": \"\"}"]
        {
            let error = parse(other.as_bytes()).unwrap_err();
            assert!(matches!(error, DeviceError::WrongDevice(_)), "{other}: {error}");
        }
        let whole = gamma().to_string();
        let cut = parse(&whole.as_bytes()[..whole.len() / 2]).unwrap_err();
        assert!(matches!(cut, DeviceError::Protocol(_)), "{cut}");
    }

    #[test]
    fn a_network_s_name_may_be_any_bytes() {
        let mut body = gamma().to_string().into_bytes();
        let place = body.windows(7).position(|window| window == b"kitchen").unwrap();
        body[place] = 0xFF;
        assert!(parse(&body).is_ok());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(2, 8, 4, |inner| proptest::collection::vec(inner, 0..4).prop_map(Value::from))
    }

    proptest! {
        #[test]
        fn no_value_in_any_place_panics(place in 0_usize..80, value in any_json(), which in 0_usize..3) {
            let mut info = [gamma(), supra(), nerd()][which].clone();
            let members = info.as_object_mut().unwrap();
            let name = members.keys().nth(place % members.len()).unwrap().clone();
            members.insert(name, value);
            if let Some(info) = of(&info) {
                prop_assert!(info.reading.power.is_none_or(|power| power.get() >= 0.0));
                prop_assert!(info.reading.hash_rate.is_none_or(|rate| rate.get() >= 0.0));
            }
        }

        #[test]
        fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&body);
            let mut object = b"{".to_vec();
            object.extend(body);
            let _ = parse(&object);
        }
    }
}
