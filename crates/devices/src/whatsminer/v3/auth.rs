//! The signature of V3 commands (WhatsMiner API manual V3.0.0): the first eight characters of the base64 of
//! SHA-256 over command, password, salt and time. It doesn't cover the parameter.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

const TOKEN_CHARACTERS: usize = 8;

/// What a command is signed with.
pub(in crate::whatsminer) struct Signature<'a> {
    pub(in crate::whatsminer) account: &'a str,
    pub(in crate::whatsminer) password: &'a str,
    /// As the device tells it; the same until the password changes.
    pub(in crate::whatsminer) salt: &'a str,
    /// Unix seconds on the device's clock.
    pub(in crate::whatsminer) time: u64,
}

impl Signature<'_> {
    /// The token for `command` at this time.
    pub(in crate::whatsminer) fn token(&self, command: &str) -> String {
        let mut token = STANDARD.encode(self.digest(command));
        token.truncate(TOKEN_CHARACTERS);
        token
    }

    /// A signed command. `parameter` is JSON text.
    pub(in crate::whatsminer) fn command(&self, command: &str, parameter: &str) -> String {
        format!(
            r#"{{"cmd":{},"ts":{},"token":{},"account":{},"param":{parameter}}}"#,
            quoted(command),
            self.time,
            quoted(&self.token(command)),
            quoted(self.account),
        )
    }

    fn digest(&self, command: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(command)
            .chain_update(self.password)
            .chain_update(self.salt)
            .chain_update(self.time.to_string())
            .finalize()
            .into()
    }
}

/// A request that needs no signature.
pub(in crate::whatsminer) fn read_request(command: &str, parameter: Option<&str>) -> String {
    match parameter {
        Some(parameter) => format!(r#"{{"cmd":{},"param":{}}}"#, quoted(command), quoted(parameter)),
        None => format!(r#"{{"cmd":{}}}"#, quoted(command)),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::frame::frame;
    use super::*;
    use rstest::rstest;

    const SAMPLE: Signature<'static> =
        Signature { account: "super", password: "super", salt: "px5hoXa9", time: 1_700_000_000 };

    #[rstest]
    #[case("set.miner.service", "LZcqMjcVCLBjLU8+yg5RbWNKCI8eEnQ+wwTynxAlEsI=", r#""stop""#, 95)]
    #[case("set.miner.power_limit", "JY75VGJsQVSc9J/0J0l9rnmWBUu2nxEOP5r7Fb4JAQo=", "2400", 97)]
    #[case("set.miner.power_mode", "IA5HozfOF7938SlAnxB2FvXSEIEofSazo1wqrN8soLQ=", r#""low""#, 97)]
    #[case(
        "set.miner.power_percent",
        "OgV3FC+iZe39gOLwPMWmllR9llY4wl0OczLptASnoFg=",
        r#"{"percent":"60","mode":"fast"}"#,
        125
    )]
    #[case("set.miner.power", "CO6nlZTedafCv2LMW+0e/+Dw+8eda8zSAy09WB1Yb3Q=", "2400", 91)]
    #[case("set.miner.upfreq_speed", "SQ2jBmuopJt3QTpNr1yGcykwr+TJX1erfdGRKMmql5o=", "5", 95)]
    #[case("set.miner.target_freq", "2zlXvTLVkbbbeJ/9xnpnxhwzmTSVJcu2Ip5pQQBUqVk=", "-20", 96)]
    #[case("set.miner.fastboot", "PkxwSJiGYerKI86r6aWQPIQx/bTrWyfaj8HU+cRJNVE=", r#""enable""#, 98)]
    #[case("set.miner.report", "vs3WdLC7/ROKoXS9ABCiU8Ser7tLUecpqktloT6tJYM=", r#"{"gap":30}"#, 98)]
    fn signed_commands(
        #[case] command: &str,
        #[case] digest: &str,
        #[case] parameter: &str,
        #[case] length: usize,
    ) {
        assert_eq!(STANDARD.encode(SAMPLE.digest(command)), digest);
        let body = SAMPLE.command(command, parameter);
        assert_eq!(
            body,
            format!(
                r#"{{"cmd":"{command}","ts":1700000000,"token":"{}","account":"super","param":{parameter}}}"#,
                &digest[..8]
            )
        );
        assert_eq!(body.len(), length);
    }

    #[test]
    fn a_whole_frame() {
        let framed = frame(&SAMPLE.command("set.miner.service", r#""stop""#));
        let (header, body) = framed.split_at(4);
        assert_eq!(header, [0x5f, 0, 0, 0]);
        assert_eq!(
            body,
            br#"{"cmd":"set.miner.service","ts":1700000000,"token":"LZcqMjcV","account":"super","param":"stop"}"#
        );
    }

    #[rstest]
    #[case("set.system.reboot", "super", "px5hoXa9", 1_700_000_000, "mXnzeZPb")]
    #[case("set.miner.pools", "super", "px5hoXa9", 1_700_000_000, "AfJ+f+xG")]
    #[case("set.miner.pools", "abcdefg", "QbVy1Ou3", 2_118_015, "mvmqClRR")]
    #[case("set.miner.pools", "super", "5QAHiKMb", 1_692_685_512, "t5VzZdBe")]
    #[case("set.miner.service", "super", "Abc123xy", 1_759_800_000, "Cg2iuKaj")]
    fn tokens(
        #[case] command: &str,
        #[case] password: &str,
        #[case] salt: &str,
        #[case] time: u64,
        #[case] token: &str,
    ) {
        assert_eq!(Signature { account: "super", password, salt, time }.token(command), token);
    }

    #[test]
    fn unsigned_requests() {
        assert_eq!(read_request("get.device.info", None), r#"{"cmd":"get.device.info"}"#);
        assert_eq!(
            read_request("get.miner.status", Some("summary+pools")),
            r#"{"cmd":"get.miner.status","param":"summary+pools"}"#
        );
    }
}
