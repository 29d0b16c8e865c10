//! The configuration as a household writes it, and as it goes wrong.

#![expect(clippy::panic, reason = "what fails here fails the test")]

use control::Policy;
use model::{Soc, Watts};
use proptest::prelude::*;
use server::config::{self, ConfigError, Kind, Loaded, Origin, SECTIONS, TimeUnit, Word};
use std::{fs, iter, path::Path, time::Duration};

/// In the style of the earlier program's file: every section in one line.
const EARLIER: &str = r#"miner:       {host: "192.168.7.21", user: "admin", password: "wattle-and-daub", base_watts: 3300, poll_seconds: 12}
battery:     {user: "someone", password: "thatch-and-cob", base_url: "https://portal.example", poll_seconds: 15, session_refresh_hours: 100}
autocontrol: {enabled: true, min_interval_sec: 150, sunset_hour: 20, sunset_minute: 15}
data:        {default_days: 2, max_days: 60, log_interval_sec: 1800}
app:         {port: 8090, host: "127.0.0.1", debug: true}
"#;

fn environment(variables: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    let owned: Vec<_> =
        variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    owned.into_iter()
}

fn loaded(text: &str) -> Loaded {
    config::from_text(text, iter::empty()).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn refused(text: &str) -> String {
    config::from_text(text, iter::empty()).map(|loaded| panic!("{text}\n{loaded:?}")).unwrap_err().to_string()
}

#[test]
fn the_earlier_programs_file_loads_unchanged() {
    let Loaded { config, provenance, warnings, .. } = loaded(EARLIER);
    let [miner] = config.miners.as_slice() else { panic!("{:?}", config.miners) };
    assert_eq!((miner.host.as_str(), miner.user.as_str(), miner.label()), ("192.168.7.21", "admin", "miner"));
    assert_eq!(miner.password.as_ref().unwrap().expose(), "wattle-and-daub");
    assert_eq!(miner.base_watts, Watts::whole(3300));
    assert_eq!(miner.poll_seconds, Duration::from_secs(12));
    assert_eq!(config.battery.user.as_deref(), Some("someone"));
    assert_eq!(config.battery.password.as_ref().unwrap().expose(), "thatch-and-cob");
    assert_eq!(config.battery.base_url.as_str(), "https://portal.example");
    assert_eq!(config.battery.session_refresh_hours, Duration::from_secs(360_000));
    assert!(config.autocontrol.enabled && config.app.debug);
    assert_eq!(config.autocontrol.min_interval_sec, Duration::from_secs(150));
    assert_eq!(config.autocontrol.sunset_second(), 20 * 3600 + 15 * 60);
    assert_eq!(config.data.default_days, Duration::from_secs(2 * 86_400));
    assert_eq!(config.data.max_days, Duration::from_secs(60 * 86_400));
    assert_eq!(config.data.log_interval_sec, Duration::from_secs(1800));
    assert_eq!((config.app.port, config.app.host.to_string().as_str()), (8090, "127.0.0.1"));
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(provenance.of("battery.user"), Some(&Origin::File { line: 2 }));
    assert_eq!(provenance.of("battery.kind"), Some(&Origin::Default));
    assert_eq!(provenance.of("battery.nothing"), None);
}

#[test]
fn the_portal_is_asked_every_half_minute_at_most() {
    assert_eq!(loaded(EARLIER).config.battery.poll_seconds, Duration::from_secs(15));
    assert_eq!(loaded(EARLIER).config.battery.effective_poll(), Duration::from_secs(30));
    let slow = loaded("battery: {poll_seconds: 120}");
    assert_eq!(slow.config.battery.effective_poll(), Duration::from_secs(120));
}

#[test]
fn nothing_written_is_all_defaults() {
    for text in ["", "# nothing yet\n", "miner:\nbattery: {}\nminers: []\nsite: ~\n", "\u{feff}"] {
        let config = loaded(text).config;
        assert_eq!(config.miners, []);
        assert_eq!((config.site.name.as_str(), config.site.timezone.name()), ("Home", "UTC"));
        assert_eq!(config.battery.base_url.as_str(), "https://monitor.eg4electronics.com");
        assert_eq!((config.app.port, config.app.host.to_string().as_str()), (8080, "0.0.0.0"));
        assert!(!config.autocontrol.enabled && !config.data.csv_log);
        assert_eq!(config.autocontrol.manual_hours, Duration::from_secs(7200));
    }
}

#[test]
fn the_laws_numbers_by_default_are_the_laws_own() {
    let config = loaded("miner: {host: garage}").config;
    assert_eq!(config.policy(&config.miners[0]), Policy::default());
}

#[test]
fn the_laws_numbers_reach_the_law() {
    let config = loaded(
        "miner: {host: garage, base_watts: 3000}
autocontrol:
  emergency_soc: 35.5
  full_soc: 98
  sunset_soc: 70
  resume_soc: 85
  min_off_sec: 900
  min_interval_sec: 240
  sunset_hour: 18
  sunset_minute: 30
  sunrise_hour: 6
  sunrise_minute: 45
  warn_after_sec: 400
  stale_off_sec: 800
  stale_off_without_auto: true
  settle_sec: 200
  off_verify_sec: 100
  max_commands_per_day: 20
",
    )
    .config;
    let seconds = Duration::from_secs;
    let expected = Policy {
        base_watts: Watts::whole(3000),
        emergency_soc: 35.5,
        full_soc: 98.0,
        sunset_soc: 70.0,
        resume_soc: Some(85.0),
        min_off: seconds(900),
        warn_after: seconds(400),
        stale_off: seconds(800),
        stale_off_without_auto: true,
        min_interval: seconds(240),
        settle: seconds(200),
        off_verify: seconds(100),
        command_budget: 20,
        sunset: 18 * 3600 + 30 * 60,
        sunrise: 6 * 3600 + 45 * 60,
    };
    assert_eq!(config.policy(&config.miners[0]), expected);
}

#[test]
fn several_miners_stand_in_a_list() {
    let Loaded { config, provenance, .. } = loaded(
        "miner: {host: 10.0.0.1, password: aa}
miners:
  - {id: shed, name: \"Schuppen ⚡ <b>\", host: 10.0.0.2, v2_port: 4128, password: bb, v3_account: user1, v3_password: cc}
  - id: barn
    host: 10.0.0.3
    mac: C4-11-E0-00-00-0A
    base_watts: 5000
    min_watts: 2000
    max_watts: 4000
",
    );
    let ids: Vec<&str> = config.miners.iter().map(|miner| miner.id.0.as_str()).collect();
    assert_eq!(ids, ["miner", "shed", "barn"]);
    let [first, shed, barn] = config.miners.as_slice() else { panic!("{config:?}") };
    assert_eq!((shed.label(), shed.v2_port, shed.v3_port), ("Schuppen ⚡ <b>", 4128, 4433));
    assert_eq!(first.v3_secret().unwrap().expose(), "aa", "one password serves for both");
    assert_eq!(shed.v3_secret().unwrap().expose(), "cc");
    assert_eq!(first.power_range(), (Watts::whole(1080), Watts::whole(3600)));
    assert_eq!(barn.power_range(), (Watts::whole(2000), Watts::whole(4000)));
    assert_eq!(barn.mac.as_deref(), Some("c4:11:e0:00:00:0a"));
    assert_eq!(provenance.of("miners[1].host"), Some(&Origin::File { line: 5 }));
}

#[test]
fn the_environment_wins_over_the_file() {
    let variables = [
        ("WM_HOST", "10.9.9.9"),
        ("WM_USER", "root"),
        ("WM_PASS", "007"),
        ("EG4_USER", "other"),
        ("EG4_PASS", "true"),
        ("EG4_BASE_URL", "http://127.0.0.1:9000/"),
        ("WMC__AUTOCONTROL__SUNSET_SOC", "75.5"),
        ("WMC__BATTERY__INVERTERS", "44300E0001, 44300E0002"),
        ("WMC__SITE__TIMEZONE", "Europe/Berlin"),
        ("WMC__APP__PORT", ""),
        ("HOME", "/nowhere"),
    ];
    let Loaded { config, provenance, .. } = config::from_text(EARLIER, environment(&variables)).unwrap();
    assert_eq!(config.miners[0].host.as_str(), "10.9.9.9");
    assert_eq!(config.miners[0].user, "root");
    assert_eq!(config.miners[0].password.as_ref().unwrap().expose(), "007");
    assert_eq!(config.battery.user.as_deref(), Some("other"));
    assert_eq!(config.battery.password.as_ref().unwrap().expose(), "true");
    assert_eq!(config.battery.base_url.as_str(), "http://127.0.0.1:9000");
    assert_eq!(config.battery.inverters, ["44300E0001", "44300E0002"]);
    assert_eq!(config.autocontrol.sunset_soc, Soc::new(75.5).unwrap());
    assert_eq!(config.site.timezone.name(), "Europe/Berlin");
    assert_eq!(config.app.port, 8090, "an empty variable is none");
    let from_environment = Origin::Environment { variable: "WM_HOST".to_owned() };
    assert_eq!(provenance.of("miner.host"), Some(&from_environment));
    assert_eq!(provenance.of("app.port"), Some(&Origin::File { line: 5 }));
}

#[test]
fn the_environment_reaches_into_the_list() {
    let text = "miners: [{id: a, host: garage}, {id: b, host: shed}]";
    let variables = [("WMC__MINERS__1__PASSWORD", "from outside")];
    let config = config::from_text(text, environment(&variables)).unwrap().config;
    assert_eq!(config.miners[0].password, None);
    assert_eq!(config.miners[1].password.as_ref().unwrap().expose(), "from outside");
}

#[test]
fn the_environment_alone_is_enough() {
    let config = config::from_text("", environment(&[("WM_HOST", "garage.lan")])).unwrap().config;
    assert_eq!(config.miners[0].host.as_str(), "garage.lan");
}

/// Each wrong file, and what the message has to name.
#[test]
fn a_message_names_line_key_expectation_and_the_nearest_known_key() {
    for (text, named) in [
        ("autocontrol:\n  emergancy_soc: 40\n", &[":2: autocontrol.emergancy_soc", "\"emergency_soc\""][..]),
        ("minner: {}", &[":1: minner", "\"miner\""]),
        ("battery: {port: 80}", &[":1: battery.port", "belongs to \"app\""]),
        ("app:\n  port: many", &[":2: app.port", "whole number from 0 to 65535", "another text"]),
        ("app: {port: 70000}", &["app.port", "found 70000"]),
        ("app: {port: '80'}", &["app.port", "without quotes"]),
        ("app: {port: [80]}", &["app.port", "found a list"]),
        ("app: {debug: yes}", &["app.debug", "true or false", "found yes"]),
        ("app: {debug: {a: b}}", &["app.debug", "group of settings"]),
        ("autocontrol: {sunset_soc: .nan}", &["autocontrol.sunset_soc", "from 60 to 100 %", ".nan"]),
        ("autocontrol: {sunset_soc: 1e308}", &["autocontrol.sunset_soc", "1e308"]),
        ("autocontrol: {emergency_soc: 29.9}", &["autocontrol.emergency_soc", "from 30 to 80 %"]),
        ("autocontrol: {resume_soc: 49}", &["autocontrol.resume_soc", "from 50 to 100 %"]),
        ("autocontrol: {sunset_hour: 24}", &["autocontrol.sunset_hour", "from 0 to 23 h"]),
        ("autocontrol: {sunset_minute: 60}", &["autocontrol.sunset_minute", "from 0 to 59 min"]),
        ("miner: {host: garage, base_watts: 0}", &["miner.base_watts", "from 1 to 20000 W", "found 0"]),
        ("miner: {host: garage, base_watts: -3600}", &["miner.base_watts", "found -3600"]),
        ("miner: {host: \"http://10.0.0.5\"}", &["miner.host", "http://"]),
        ("miner: {host: 10.0.0.5:4028}", &["miner.host", "ports have settings of their own"]),
        ("miner: {host: 169.254.169.254}", &["miner.host", "metadata"]),
        ("miner: {host: 8.8.8.8}", &["miner.host", "over the internet"]),
        ("\nminer:\n  base_watts: 3600\n", &[":3: miner.host", "missing", "host name"]),
        ("miners: [{id: a}]", &[":1: miners[0].host", "missing"]),
        ("miners: [{host: garage}]", &[":1: miners[0]", "needs an id"]),
        ("miners: [5]", &["miners[0]", "\"id:\""]),
        ("miners: {id: a}", &["miners", "expected a list"]),
        ("miners: [{id: A b, host: x}]", &["miners[0].id", "small letters"]),
        ("miner: garage", &[":1: miner", "expected settings"]),
        ("battery: {kind: lead_acid}", &["battery.kind", "one of eg4_portal"]),
        ("battery: {base_url: \"http://portal.example\"}", &["battery.base_url", "https://"]),
        ("site: {timezone: Mars/Base}", &["site.timezone", "time zone", "nearest known one is"]),
        ("site: {latitude: 91, longitude: 0}", &["site.latitude", "from -90 to 90 °"]),
        ("app: {host: example.com}", &["app.host", "IP address of this machine"]),
        ("app: {port: 1}\ndata: {}\napp: {}", &[":3: app", "line 1 already"]),
        ("app: {port: 1, port: 2}", &["app.port", "written twice"]),
        ("- app", &[":1:", "expected sections"]),
        ("just a text", &[":1:", "expected sections"]),
        ("app: {port: 80", &["YAML"]),
        ("a: 1\n---\nb: 1", &[":2:", "second document"]),
    ] {
        let message = refused(text);
        for part in named {
            assert!(message.contains(part), "{text:?}: {part:?} isn't in\n{message}");
        }
        assert!(!message.contains('\n'), "one problem, one line: {message}");
    }
}

#[test]
fn combinations_that_cannot_be_are_refused() {
    for (text, named) in [
        (
            "autocontrol: {emergency_soc: 60}",
            &["emergency_soc", "sunset_soc must be more than emergency_soc + 5"][..],
        ),
        ("autocontrol: {emergency_soc: 50, sunset_soc: 55}", &["autocontrol.sunset_soc"]),
        ("autocontrol: {sunset_soc: 99, full_soc: 98}", &["sunset_soc must be at most full_soc"]),
        (
            "autocontrol: {emergency_soc: 50, resume_soc: 55}",
            &["resume_soc must be more than emergency_soc + 5"],
        ),
        ("autocontrol: {full_soc: 95, resume_soc: 96}", &["resume_soc must be at most full_soc"]),
        ("autocontrol:\n  warn_after_sec: 800", &[":2:", "warn_after_sec (800 s)", "stale_off_sec (720 s)"]),
        ("autocontrol: {stale_off_sec: 360}", &["warn_after_sec (360 s)"]),
        ("autocontrol: {warn_after_sec: 30}", &["autocontrol.warn_after_sec", "between two questions"]),
        ("autocontrol: {sunset_hour: 7}", &["same time"]),
        ("miner: {host: a, min_watts: 3000, max_watts: 2000}", &["min_watts must be at most max_watts"]),
        ("miner: {host: a, max_watts: 900}", &["min_watts must be at most max_watts"]),
        ("miner: {host: a, min_watts: 3700, max_watts: 4000}", &["min_watts must be at most base_watts"]),
        ("miner: {host: a, v2_port: 4433}", &["two different ports"]),
        ("battery: {user: someone}", &["both user and password"]),
        ("site: {latitude: 48.1}", &["both latitude and longitude"]),
        ("data: {default_days: 31}", &["at most max_days"]),
        ("miners: [{id: a, host: x}, {id: a, host: y}]", &["miners[1].id", "miners[0]'s already"]),
        ("miner: {host: X}\nminers: [{id: a, host: x}]", &[":2: miners[0].host", "miner's already"]),
        ("miner: {host: x}\nminers: [{id: miner, host: y}]", &["miners[0].id", "miner's already"]),
    ] {
        let message = refused(text);
        for part in named {
            assert!(message.contains(part), "{text:?}: {part:?} isn't in\n{message}");
        }
    }
}

#[test]
fn sunset_times_do_not_matter_where_the_sun_is_computed() {
    let text = "autocontrol: {sunset_hour: 7}\nsite: {latitude: 48.1, longitude: 11.6}";
    assert_eq!(loaded(text).config.site.latitude, Some(48.1));
}

#[test]
fn wrong_variables_are_named() {
    for (variables, named) in [
        (
            &[("WMC__AUTOCONTROL__SUNSET_SCO", "60")][..],
            &["WMC__AUTOCONTROL__SUNSET_SCO", "\"sunset_soc\""][..],
        ),
        (&[("WMC__AUTOCONTRL__SUNSET_SOC", "60")], &["\"autocontrol\""]),
        (&[("WMC__PORT", "60")], &["WMC__SECTION__KEY"]),
        (&[("WMC__APP__PORT", "sixty")], &["WMC__APP__PORT", "app.port", "whole number"]),
        (&[("WMC__MINERS__3__HOST", "garage")], &["WMC__MINERS__3__HOST", "has 0 of them"]),
        (&[("WM_HOST", "a"), ("WMC__MINER__HOST", "b")], &["WMC__MINER__HOST", "WM_HOST too"]),
        (&[("WM_PASS", "a")], &["WM_PASS", "miner.host", "missing"]),
    ] {
        let error = config::from_text("", environment(variables)).unwrap_err().to_string();
        for part in named {
            assert!(error.contains(part), "{variables:?}: {part:?} isn't in\n{error}");
        }
    }
}

#[test]
fn several_problems_make_one_message_in_the_files_order() {
    let text = "app: {prot: 1}\nautocontrol: {sunset_soc: 101, enabled: 3}\nminer: {host: ''}\n";
    let error = config::from_text(text, environment(&[("WMC__DATA__MAX_DAYS", "0")])).unwrap_err();
    let paths: Vec<_> = error.problems().iter().filter_map(|problem| problem.path.as_deref()).collect();
    let expected =
        ["app.prot", "autocontrol.sunset_soc", "autocontrol.enabled", "miner.host", "data.max_days"];
    assert_eq!(paths, expected);
    let message = error.to_string();
    assert!(message.starts_with("the configuration can't be used, 5 problems:\n"), "{message}");
    assert_eq!(message.lines().count(), 6);
}

#[test]
fn an_unknown_key_hides_no_combination() {
    let message = refused("autocontrol: {sunset_soc: 99, full_soc: 98, nonsense: 1}");
    assert!(message.contains("nonsense") && message.contains("at most full_soc"), "{message}");
}

#[test]
fn a_message_has_an_end() {
    let many: Vec<String> = (0..5000).map(|index| format!("key{index}: 1")).collect();
    let message = refused(&many.join("\n"));
    assert_eq!(message.lines().count(), 22);
    assert!(message.ends_with("and 4980 more"), "{message}");
    let long = refused(&format!("{}: 1", "k".repeat(900)));
    assert!(long.len() < 300, "{long}");
}

#[test]
fn no_message_and_no_debug_output_holds_a_secret() {
    const SECRET: &str = "canary-5417";
    for text in [
        format!("miner: {{host: x, password: {{a: {SECRET}}}}}"),
        format!("miner: {{host: x, password: [{SECRET}]}}"),
        format!("miner: {{host: x, password: \"{SECRET}\\n\"}}"),
        format!("miner: {{host: x, base_watts: {SECRET}}}"),
        format!("miner: {{host: \"admin:{SECRET}@x\"}}"),
        format!("miner: {SECRET}"),
        format!("battery: {{base_url: \"https://me:{SECRET}@portal.example\"}}"),
        format!("battery: {{user: u, password: {SECRET}, inverters: [\"{SECRET}\"]}}"),
        format!("battery: {{password: {SECRET}}}"),
        format!("battery: {{password: {SECRET}, password: {SECRET}}}"),
        format!("battery: {{password: \"{SECRET}, user: x}}"),
        format!("battery: {{passwort: {SECRET}}}"),
        format!("site: {{timezone: {SECRET}}}"),
        SECRET.to_owned(),
    ] {
        let error = config::from_text(&text, iter::empty()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(SECRET), "{text}\n{error}");
    }
    let text = format!("miner: {{host: x, password: {SECRET}, v3_password: {SECRET}}}");
    let variables = [("EG4_USER", "me"), ("EG4_PASS", SECRET)];
    let loaded = config::from_text(&text, environment(&variables)).unwrap();
    assert!(!format!("{loaded:?}").contains(SECRET));
}

#[test]
fn passwords_are_kept_character_for_character() {
    for (written, expected) in [
        ("0012", "0012"),
        ("true", "true"),
        ("'null'", "null"),
        ("\" a#b: c \"", " a#b: c "),
        ("\"päss\\\"wörd\"", "päss\"wörd"),
    ] {
        let config = loaded(&format!("miner: {{host: x, password: {written}}}")).config;
        assert_eq!(config.miners[0].password.as_ref().unwrap().expose(), expected);
    }
    for nothing in ["", "null", "~", "''"] {
        let config = loaded(&format!("miner: {{host: x, password: {nothing}}}")).config;
        assert_eq!(config.miners[0].password, None);
    }
}

#[test]
fn what_deserves_a_look_is_said() {
    let warnings = loaded("miners: [{id: a, host: x}]").warnings;
    assert!(warnings[0].starts_with("miners[0].password isn't set"), "{warnings:?}");
    assert!(warnings[1].starts_with("battery.user and battery.password"), "{warnings:?}");
    let warnings = loaded("autocontrol: {warn_after_sec: 120, stale_off_sec: 300}").warnings;
    assert!(warnings[0].contains("stale_off_sec is 300 s"), "{warnings:?}");
}

fn load(path: &Path) -> Result<Loaded, ConfigError> {
    config::load(Some(path), iter::empty())
}

#[test]
fn a_file_is_read_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.yaml");
    fs::write(&path, EARLIER).unwrap();
    assert_eq!(load(&path).unwrap().file.as_deref(), Some(path.as_path()));
    fs::write(&path, "app: {port: x}").unwrap();
    let message = load(&path).unwrap_err().to_string();
    assert!(message.starts_with(&format!("{}:1: app.port: ", path.display())), "{message}");
}

#[test]
fn what_is_no_configuration_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.yaml");
    let message = || load(&path).unwrap_err().to_string();
    assert!(message().ends_with("config.yaml: there is no such file"), "{}", message());

    fs::write(&path, vec![b'#'; 10 << 20]).unwrap();
    assert!(message().contains("larger than 1 MiB"), "{}", message());
    fs::write(&path, vec![b'#'; 1 << 20]).unwrap();
    assert!(load(&path).is_ok(), "a remark of exactly 1 MiB");
    fs::write(&path, b"app:\n  port: \xff\xfe\n").unwrap();
    assert!(message().contains("line 2: expected UTF-8"), "{}", message());
    fs::write(&path, b"app:\0 1").unwrap();
    assert!(load(&path).is_err());

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(message().contains("found a directory"), "{}", message());
}

#[cfg(unix)]
#[test]
fn a_file_with_secrets_that_others_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.yaml");
    let warned = |text: &str, mode: u32| {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        load(&path).unwrap().warnings.iter().any(|warning| warning.contains("chmod 600"))
    };
    assert!(warned(EARLIER, 0o644));
    assert!(warned(EARLIER, 0o640));
    assert!(!warned(EARLIER, 0o600));
    assert!(!warned("app: {port: 80}", 0o644), "there is nothing to hide");

    // What the service manager hands over is the service's alone, though its mode may say something else.
    fs::write(&path, EARLIER).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    let warnings_with = |directory: &str| {
        config::load(Some(&path), environment(&[("CREDENTIALS_DIRECTORY", directory)])).unwrap().warnings
    };
    assert_eq!(warnings_with(dir.path().to_str().unwrap()), Vec::<String>::new());
    assert_eq!(warnings_with("/elsewhere").len(), 1);
    assert_eq!(warnings_with("").len(), 1);
}

/// A value within the range of its kind, or at its ends, as it would be written.
fn written(kind: Kind) -> BoxedStrategy<String> {
    let between = |min: f64, max: f64| {
        prop_oneof![Just(min), Just(max), min..=max].prop_map(|number| number.to_string()).boxed()
    };
    match kind {
        Kind::Flag => any::<bool>().prop_map(|flag| flag.to_string()).boxed(),
        Kind::Whole { min, max, .. } => {
            prop_oneof![Just(min), Just(max), min..=max].prop_map(|number| number.to_string()).boxed()
        }
        Kind::Number { min, max, .. } | Kind::Span { min, max, .. } => between(min, max),
        Kind::Text { .. } => "[a-z\u{5d0}-\u{5ea}<>&' ]{0,20}".boxed(),
        Kind::Words { of: Word::Host, .. } => "[a-z]{1,9}(,[a-z]{1,9}){0,3}".boxed(),
        Kind::Words { of: Word::Address, .. } => "10\\.1\\.1\\.[1-9](,::[1-9]){0,3}".boxed(),
        Kind::Words { of: Word::Range, .. } => {
            "10\\.1\\.[1-9]\\.0/24(,192\\.168\\.[1-9]\\.[1-9]){0,3}".boxed()
        }
        Kind::Words { of: Word::Code { .. }, .. } => "[A-Z0-9]{1,10}(,[A-Z0-9]{1,10}){0,3}".boxed(),
        Kind::Words { of: Word::MailAddress, .. } => {
            "[a-z]{1,9}@solar\\.example(,[a-z]{1,9}@b\\.example){0,3}".boxed()
        }
        Kind::Choice(words) => prop::sample::select(words).prop_map(str::to_owned).boxed(),
        Kind::Id => "[a-z0-9_-]{1,32}".boxed(),
        Kind::Host => "10\\.[1-9]\\.[1-9]\\.[1-9]|[a-z]{1,9}".boxed(),
        Kind::BaseUrl => "https://[a-z]{1,9}\\.example(:[1-9][0-9]{0,3})?".boxed(),
        Kind::ServiceUrl => "https?://[a-z]{1,9}\\.example(:[1-9][0-9]{0,3})?/[a-z]{1,9}".boxed(),
        Kind::Server => "8\\.8\\.[1-9]\\.[1-9]|[a-z]{1,9}\\.example".boxed(),
        Kind::MailAddress => "[a-z]{1,9}@[a-z]{1,9}\\.example".boxed(),
        Kind::TimeOfDay => "([01][0-9]|2[0-3]):[0-5][0-9]".boxed(),
        Kind::Listen => "127\\.0\\.0\\.1|::1|localhost".boxed(),
        Kind::Mac => "([0-9a-f]{2}:){5}[0-9a-f]{2}".boxed(),
        Kind::Zone => "UTC|Europe/Berlin|Australia/Lord_Howe".boxed(),
    }
}

/// Any number of settings of the table with values of their kinds, by their variables.
fn variables() -> impl Strategy<Value = Vec<(String, String)>> {
    let all: Vec<_> = SECTIONS
        .iter()
        .flat_map(|section| {
            section.settings.iter().map(|setting| {
                let name = format!("WMC__{}__{}", section.name, setting.key).to_ascii_uppercase();
                prop::option::weighted(0.3, written(setting.kind)).prop_map(move |text| (name.clone(), text))
            })
        })
        .collect();
    all.prop_map(|all| all.into_iter().filter_map(|(name, text)| Some((name, text?))).collect())
}

#[test]
fn every_setting_can_be_written_at_both_ends_of_its_range() {
    for section in SECTIONS {
        for setting in section.settings {
            let ends = match setting.kind {
                Kind::Whole { min, max, .. } => [min.to_string(), max.to_string()],
                Kind::Number { min, max, .. } | Kind::Span { min, max, .. } => {
                    [min.to_string(), max.to_string()]
                }
                _ => continue,
            };
            for end in ends {
                let text = format!("{}: {{{}: {end}}}", section.name, setting.key);
                let path = format!("{}.{}", section.name, setting.key);
                let result = config::from_text(&text, environment(&[("WM_HOST", "x")]));
                // It may not go together with the other defaults; by itself it has to be good.
                let own = |error: ConfigError| {
                    error.problems().iter().any(|problem| {
                        problem.path.as_ref() == Some(&path) && problem.what.starts_with("expected")
                    })
                };
                assert!(!result.is_err_and(own), "{text}");
            }
        }
    }
}

#[test]
fn alerts_to_people_are_set_up_whole_or_not_at_all() {
    const TELEGRAM: &str = "telegram_token: t, telegram_chat: '1'";
    const MAIL: &str = "mail_host: m.example, mail_from: a@b.example, mail_to: [c@d.example]";
    for (text, wrong) in [
        ("ntfy_url: https://ntfy.sh/t, quiet_from: 22:00, quiet_until: 07:00", None),
        (TELEGRAM, None),
        (MAIL, None),
        ("ntfy_url: https://ntfy.sh", Some("notify.ntfy_url")),
        ("ntfy_token: t", Some("notify.ntfy_token")),
        ("telegram_token: t", Some("notify.telegram_token")),
        ("telegram_chat: '1'", Some("notify.telegram_chat")),
        ("mail_host: m.example", Some("notify.mail_host")),
        ("mail_from: a@b.example, mail_to: [c@d.example]", Some("notify.mail_from")),
        ("mail_user: me", Some("notify.mail_user")),
        ("quiet_from: 22:00", Some("notify.quiet_from")),
        ("quiet_from: 22:00, quiet_until: 22:00", Some("notify.quiet_from")),
        (
            "mail_security: none, mail_user: a, mail_password: p, mail_host: m.example, mail_from: a@b.example, mail_to: [c@d.example]",
            Some("notify.mail_security"),
        ),
        (
            "mail_security: none, mail_user: a, mail_password: p, mail_host: localhost, mail_from: a@b.example, mail_to: [c@d.example]",
            None,
        ),
    ] {
        let loaded = config::from_text(&format!("notify: {{{text}}}"), iter::empty());
        let problem = loaded.err().map(|error| error.problems()[0].path.clone().unwrap_or_default());
        assert_eq!(problem.as_deref(), wrong, "{text}");
    }
}

#[test]
fn units_of_time_are_named() {
    let signs = [TimeUnit::Seconds, TimeUnit::Hours, TimeUnit::Days].map(TimeUnit::sign);
    assert_eq!(signs, ["s", "h", "d"]);
}

proptest! {
    /// Whatever loads is a policy the law accepts: the two don't disagree about what can be.
    #[test]
    fn what_loads_the_law_accepts(mut variables in variables()) {
        variables.push(("WM_HOST".to_owned(), "garage".to_owned()));
        variables.retain(|(name, _)| name != "WMC__MINER__HOST");
        // Of others, most combinations can't be; the law knows nothing of them.
        variables.retain(|(name, _)| !name.starts_with("WMC__NOTIFY__"));
        if let Ok(Loaded { config, .. }) = config::from_text("", variables.into_iter()) {
            prop_assert_eq!(config.policy(&config.miners[0]).check(), Ok(()));
        }
    }

    #[test]
    fn what_is_of_its_kind_is_good_by_itself(mut variables in variables()) {
        variables.retain(|(name, _)| name != "WMC__MINER__HOST");
        if let Err(error) = config::from_text("", variables.into_iter()) {
            let by_itself = error.problems().iter().find(|problem| problem.what.starts_with("expected"));
            prop_assert_eq!(by_itself, None);
        }
    }

    #[test]
    fn no_file_panics(text in "((miner|miners|app|site|battery|autocontrol): ?[\\[{]?[a-z_]{0,9}:? ?[0-9a-z.'\"-]{0,9}[\\]}]?\n){0,4}") {
        let _ = config::from_text(&text, iter::empty());
    }

    #[test]
    fn no_variable_panics(name in "WMC__[A-Z0-9_]{0,20}", text in "\\PC{0,20}") {
        let _ = config::from_text("", iter::once((name, text)));
    }
}
