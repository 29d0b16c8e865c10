//! The V2 protocol: transport, sessions, codes, and what reads show of a write.

use crate::bench::{Bench, V2Reply, end, json_of};
use rstest::rstest;
use serde_json::json;
use simulator::miner::{Answer, Effect, Phase, Profile, Protocol, TokenPolicy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[rstest]
#[case(r#"{"cmd":"get_version"}"#)]
#[case(r#"{"command":"get_version"}"#)]
#[case("{\"command\": \"get_version\"}\n")]
#[case("{\"command\": \"get_version\"}\0")]
#[tokio::test]
async fn one_object_is_answered_and_the_connection_closed(#[case] request: &str) {
    let bench = Bench::new(Profile::G2);
    let reply = String::from_utf8(bench.try_v2(request.as_bytes()).await.unwrap()).unwrap();
    assert_eq!(json_of(&reply)["Msg"]["api_ver"], "2.0.5");
}

#[tokio::test]
async fn a_request_may_come_in_pieces_and_needs_no_end() {
    let bench = Bench::new(Profile::G1);
    let mut stream = bench.connect_v2().await;
    stream.set_nodelay(true).unwrap();
    for byte in br#"{"cmd":"summary","note":"}"}"# {
        stream.write_all(&[*byte]).await.unwrap();
    }
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert_eq!(json_of(&reply)["STATUS"][0]["Code"], 11);
}

#[tokio::test]
async fn a_cgminer_wants_its_own_key() {
    let bench = Bench::new(Profile::G0);
    let reply = bench.try_v2(br#"{"cmd":"summary"}"#).await.unwrap();
    let status = json_of(&String::from_utf8(reply).unwrap())["STATUS"][0].clone();
    assert_eq!((&status["Code"], &status["Msg"]), (&json!(24), &json!("Missing JSON 'command'")));
    assert_eq!(bench.read_v2("get_token").await["STATUS"][0]["Code"], 14);
}

#[rstest]
#[case("not json", 23)]
#[case("[1]", 23)]
#[case("{\"cmd\":\"summary\"", 23)] // Ends in the middle.
#[case(r#"{"cmd":"summary+status"}"#, 14)] // The daemon's own reads can't be joined.
#[case(r#"{"cmd":"power_off"}"#, 14)] // Writes don't exist in plain text.
#[case(r#"{"cmd":"version"}"#, 14)]
#[case(r#"{"cmd":7}"#, 24)]
#[case(r#"{"enc":1,"data":"%%%"}"#, 137)]
#[case(r#"{"enc":1,"data":"AAAAAAAAAAAAAAAAAAAAAA=="}"#, 23)]
#[case(r#"{"enc":1}"#, 23)]
#[tokio::test]
async fn bad_requests_have_their_codes(#[case] request: &str, #[case] code: i64) {
    let bench = Bench::new(Profile::G2);
    let mut stream = bench.connect_v2().await;
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    let reply = json_of(&reply);
    assert_eq!((&reply["STATUS"], &reply["Code"]), (&json!("E"), &json!(code)));
    assert_eq!(bench.miner.state().phase, Phase::Stable);
}

#[tokio::test]
async fn a_silent_client_is_closed() {
    let bench = Bench::new(Profile::G2);
    bench.miner.update_faults(|faults| faults.v2_idle_close_ms = 20);
    let mut stream = bench.connect_v2().await;
    stream.write_all(b"{\"cmd\":").await.unwrap();
    assert_eq!(end(&mut stream).await.unwrap(), 0);
}

#[tokio::test]
async fn joined_reads_come_under_their_names() {
    let bench = Bench::new(Profile::G1);
    let reply = bench.read_v2("summary+pools+devs").await;
    assert_eq!(reply["summary"][0]["SUMMARY"][0]["Power Limit"], 3600);
    assert_eq!(reply["pools"][0]["POOLS"][0]["POOL"], 1);
    assert_eq!(reply["devs"][0]["DEVS"].as_array().unwrap().len(), 3);
    assert_eq!(reply["id"], 1);
}

#[tokio::test]
async fn a_token_serves_again_until_it_has_rested_too_long() {
    let bench = Bench::new(Profile::G2);
    let session = bench.session().await;
    for _ in 0..3 {
        bench.pass(1700);
        let reply = bench.send_v2(&session, "set_led", json!({ "param": "auto" })).await.unwrap();
        assert_eq!(reply.sealed()["Code"], 131);
    }
    bench.pass(1801);
    let reply = bench.send_v2(&session, "set_led", json!({ "param": "auto" })).await.unwrap();
    assert_eq!(reply.plain()["Code"], 135);
}

#[tokio::test]
async fn a_reboot_voids_tokens() {
    let bench = Bench::new(Profile::G2);
    let session = bench.session().await;
    assert_eq!(
        bench.send_v2(&session, "reboot", json!({})).await.unwrap_or(V2Reply::Nothing),
        V2Reply::Nothing
    );
    assert_eq!(bench.miner.state().phase, Phase::BoardRebooting);
    bench.miner.until_listening(false).await;
    bench.pass(151);
    bench.miner.until_listening(true).await;
    let reply = bench.send_v2(&session, "power_off", json!({})).await.unwrap();
    assert_eq!(reply.plain()["Code"], 135);
}

#[tokio::test]
async fn there_are_only_so_many_tokens() {
    let bench = Bench::new(Profile::G2);
    for _ in 0..32 {
        bench.session().await;
    }
    let refused = bench.read_v2("get_token").await;
    assert_eq!((&refused["Code"], &refused["Msg"]), (&json!(136), &json!("over max connect")));
    bench.pass(1801);
    bench.session().await;
}

#[tokio::test]
async fn hammering_a_single_session_keeps_it_locked() {
    let bench = Bench::new(Profile::G2);
    bench.miner.update_faults(|faults| faults.tokens = TokenPolicy::NASTY);
    let session = bench.session().await;
    bench.pass(170);
    assert_eq!(bench.read_v2("get_token").await["Code"], 136);
    bench.pass(170);
    assert_eq!(bench.read_v2("get_token").await["Code"], 136, "the attempt before has prolonged it");
    let reply = bench.send_v2(&session, "set_led", json!({ "param": "auto" })).await.unwrap();
    assert_eq!(reply.sealed()["Code"], 131);
    bench.pass(185);
    bench.session().await;
}

#[tokio::test]
async fn a_wrong_password_is_told_in_plain_text() {
    let bench = Bench::new(Profile::G2);
    let session = bench.session_with("wrong").await;
    let reply = bench.send_v2(&session, "power_off", json!({})).await.unwrap().plain();
    assert_eq!((&reply["Code"], &reply["Msg"]), (&json!(23), &json!("enc json load err")));
    assert_eq!(bench.miner.state().phase, Phase::Stable);
}

#[tokio::test]
async fn without_write_access_the_refusal_is_encrypted_and_reads_still_work() {
    let bench = Bench::with(Profile::G2, |setup| setup.writes_enabled = false);
    let session = bench.session().await;
    let refused = bench.send_v2(&session, "power_off", json!({})).await.unwrap().sealed();
    assert_eq!((&refused["Code"], &refused["Msg"]), (&json!(45), &json!("can't access write cmd")));
    let status = bench.send_v2(&session, "status", json!({})).await.unwrap().sealed();
    assert_eq!(status["Msg"]["mineroff"], "false");
    assert_eq!(bench.miner.state().phase, Phase::Stable);
}

#[rstest]
#[case(Profile::G1, "adjust_power_limit", json!({ "power_limit": "2000" }), 14)]
#[case(Profile::G2, "adjust_power_limit", json!({ "power_limit": "100000" }), 132)]
#[case(Profile::G2, "adjust_power_limit", json!({ "power_limit": 2000 }), 132)]
#[case(Profile::G2, "set_power_pct", json!({}), 132)]
#[case(Profile::G2, "no_such_thing", json!({}), 14)]
#[tokio::test]
async fn what_cant_be_written_changes_nothing(
    #[case] profile: Profile,
    #[case] command: &str,
    #[case] params: serde_json::Value,
    #[case] code: i64,
) {
    let bench = Bench::new(profile);
    let before = bench.miner.state();
    assert_eq!(bench.write_v2(command, params).await.sealed()["Code"], code);
    assert_eq!(bench.miner.state(), before);
}

#[rstest]
#[case(Profile::G2)]
#[case(Profile::G2V3)]
#[case(Profile::G3)]
#[tokio::test]
async fn a_limit_restarts_and_comes_into_force_after_the_dead_time(#[case] profile: Profile) {
    let bench = Bench::new(profile);
    bench.pass(5000);
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let before = bench.summary().await;
    assert_eq!(before["Power Limit"], 3600);

    bench.write_v2("adjust_power_limit", json!({ "power_limit": "2000" })).await.sealed();
    bench.pass(30);
    let booting = bench.summary().await;
    assert!(number(&booting["Elapsed"]) < 31.0, "{booting}");
    assert_eq!(booting["Power Limit"], 0);
    assert!(number(&booting["MHS 1m"]).abs() < 1.0);
    assert!(number(&booting["Power"]) < 100.0);

    bench.pass(300);
    let ramping = bench.summary().await;
    assert_eq!(ramping["Power Limit"], 2000);
    assert!((700.0..1900.0).contains(&number(&ramping["Power"])), "{ramping}");
    assert_ne!(bench.read_v2("edevs").await["DEVS"][0]["Upfreq Complete"], 1);

    bench.pass(2000);
    let stable = bench.summary().await;
    assert!((1950.0..2050.0).contains(&number(&stable["Power"])), "{stable}");
    assert!(stable["Hash Stable"] == true || stable["Hash Stable"] == "true");
    assert_eq!(stable["Hash Stable Cost Seconds"], 1500);
    assert_eq!(bench.read_v2("edevs").await["DEVS"][0]["Upfreq Complete"], 1);
}

#[tokio::test]
async fn a_percentage_is_refused_during_the_ramp_and_acts_within_a_second_after_it() {
    let bench = Bench::new(Profile::G2).off();
    bench.write_v2("power_on", json!({})).await.sealed();
    bench.pass(600);
    assert_eq!(bench.write_v2("set_power_pct", json!({ "percent": "60" })).await.sealed()["Code"], 132);
    bench.pass(1500);
    assert_eq!(bench.write_v2("set_power_pct", json!({ "percent": "60" })).await.sealed()["Code"], 131);
    bench.pass(1);
    let watts = bench.miner.state().watts;
    assert!((2100.0..2250.0).contains(&watts), "{watts} W");
    bench.pass(10);
    let told = bench.summary().await["Power"].as_f64().unwrap();
    assert!((2130.0..2190.0).contains(&told), "{told} W");
}

#[rstest]
#[case(Profile::G1, "btmineroff")]
#[case(Profile::G2, "mineroff")]
#[case(Profile::G2V3, "mineroff")]
#[case(Profile::G3, "mineroff")]
#[tokio::test]
async fn off_reads_back_in_status_and_power_isnt_zero(#[case] profile: Profile, #[case] key: &str) {
    let bench = Bench::new(profile);
    assert_eq!(bench.daemon("status").await[key], "false");
    let reply = bench.write_v2("power_off", json!({ "respbefore": "true" })).await.sealed();
    assert_eq!(reply["Msg"], "API command OK");
    assert_eq!(bench.daemon("status").await[key], "true");
    bench.pass(60);
    if profile == Profile::G1 {
        assert_eq!(bench.text_v2("summary").await, "Socket connect failed: Connection refused\n");
    } else {
        let summary = bench.summary().await;
        assert_eq!((&summary["Power Limit"], summary["MHS av"].as_f64()), (&json!(0), Some(0.0)));
        assert!((10.0..20.0).contains(&summary["Power"].as_f64().unwrap()), "{summary}");
    }
    bench.write_v2("power_on", json!({})).await.sealed();
    assert_eq!(bench.daemon("status").await[key], "false");
    bench.pass(10);
    assert_eq!(bench.summary().await["Power Limit"], 0);
}

#[tokio::test]
async fn the_log_tells_what_was_asked_and_what_came_of_it() {
    let bench = Bench::new(Profile::G2);
    bench.read_v2("summary").await;
    bench.pass(7);
    bench.write_v2("adjust_power_limit", json!({ "power_limit": "2000" })).await.sealed();
    let log = bench.miner.log();
    let commands: Vec<&str> = log.iter().map(|entry| entry.command.as_str()).collect();
    assert_eq!(commands, ["summary", "get_token", "adjust_power_limit"]);
    assert_eq!((log[0].write, &log[0].answer, log[0].effect), (false, &Answer::Code(11), Effect::Nothing));
    let write = &log[2];
    assert_eq!((write.number, write.protocol), (3, Protocol::V2));
    assert_eq!(write.at.millis_since(log[0].at), 7000);
    assert!(write.write && write.privileged);
    assert_eq!(write.params, json!({ "power_limit": "2000" }), "no credentials");
    assert_eq!((&write.answer, write.effect), (&Answer::Code(131), Effect::Applied));
}
