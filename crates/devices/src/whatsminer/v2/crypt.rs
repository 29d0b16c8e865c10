//! The encryption of V2 commands (vendor's API manual V2.0.5, "encryption algorithm"): md5crypt over the password
//! gives the key, md5crypt over the key gives the token's signature, AES-256-ECB under the key's SHA-256 wraps the
//! JSON.

use super::super::{
    json::{self, Parsed},
    md5crypt::md5crypt,
};
use aes::{
    Aes256, Block,
    cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit},
};
use base64::{
    Engine,
    alphabet::STANDARD as STANDARD_ALPHABET,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use sha2::{Digest, Sha256};
use std::fmt;

/// Firmware isn't strict about the last bits and the padding of what it encodes.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD_ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a token reply is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::whatsminer) struct Challenge {
    /// The device's own time as text; only the last four characters count.
    pub(in crate::whatsminer) time: String,
    /// Salt of the key: the same until the password changes.
    pub(in crate::whatsminer) salt: String,
    /// Salt of the signature: another one for each token.
    pub(in crate::whatsminer) new_salt: String,
}

/// A key with the signature that the device knows it by. `Debug` shows neither.
#[derive(Clone)]
pub(in crate::whatsminer) struct Credentials {
    sign: String,
    cipher: Aes256,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

impl Credentials {
    /// Answers a challenge.
    pub(in crate::whatsminer) fn new(password: &str, challenge: &Challenge) -> Self {
        let key = md5crypt(password.as_bytes(), challenge.salt.as_bytes());
        let mut last_four: Vec<char> = challenge.time.chars().rev().take(4).collect();
        last_four.reverse();
        let signed: String = key.chars().chain(last_four).collect();
        let sign = md5crypt(signed.as_bytes(), challenge.new_salt.as_bytes());
        Self { sign, cipher: Aes256::new(&Sha256::digest(key.as_bytes())) }
    }

    /// The signature, which goes into every command as its `token`.
    pub(in crate::whatsminer) fn sign(&self) -> &str {
        &self.sign
    }

    /// `text` padded with NULs to whole blocks, encrypted, in base64.
    pub(in crate::whatsminer) fn seal(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        let sealed: Vec<u8> = bytes
            .as_chunks::<16>()
            .0
            .iter()
            .flat_map(|chunk| {
                let mut block = Block::from(*chunk);
                self.cipher.encrypt_block(&mut block);
                <[u8; 16]>::from(block)
            })
            .collect();
        STANDARD.encode(sealed)
    }

    /// The JSON in a sealed reply, whatever it is padded with; `None` if there is none.
    pub(in crate::whatsminer) fn open(&self, sealed: &str) -> Option<Parsed> {
        let sealed: Vec<u8> = sealed.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let bytes = LENIENT.decode(sealed).ok()?;
        let text: Vec<u8> = bytes
            .as_chunks::<16>()
            .0
            .iter()
            .flat_map(|chunk| {
                let mut block = Block::from(*chunk);
                self.cipher.decrypt_block(&mut block);
                <[u8; 16]>::from(block)
            })
            .collect();
        json::parse(&String::from_utf8_lossy(&text))
    }
}

/// A command as JSON text: the name first, the token last, every value a string, as the manual prints them.
pub(in crate::whatsminer) fn command(name: &str, parameters: &[(&str, &str)], token: &str) -> String {
    let members = std::iter::once(("cmd", name)).chain(parameters.iter().copied()).chain([("token", token)]);
    let members: Vec<String> =
        members.map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
    format!("{{{}}}", members.join(","))
}

/// A sealed command as it goes over the wire.
pub(in crate::whatsminer) fn request(sealed: &str) -> String {
    format!(r#"{{"enc":1,"data":"{sealed}"}}"#)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    fn challenge(time: &str, salt: &str, new_salt: &str) -> Challenge {
        Challenge { time: time.to_owned(), salt: salt.to_owned(), new_salt: new_salt.to_owned() }
    }

    /// The manual's sample values with the factory password.
    fn sample() -> Credentials {
        Credentials::new("admin", &challenge("5626", "BQ5hoXV9", "jbzkfQls"))
    }

    #[test]
    fn signatures() {
        assert_eq!(sample().sign(), "w.BNbkCV6n1aNWgiBWLzT/");
        let with_dots = Credentials::new("hunter2_", &challenge("7804", "L7mYce6.", "yHmabpw8"));
        assert_eq!(with_dots.sign(), "WdJNcKQqYiPPmOX26IlNl0");
        let independent = Credentials::new("my-auth-password", &challenge("6915", "BQ5hoXV9", "a5TtWui2"));
        assert_eq!(independent.sign(), ".8Wiv910uBxIJcqnY6BFC.");
        let longer = Credentials::new("admin", &challenge("1608415626", "BQ5hoXV9", "jbzkfQls"));
        assert_eq!(longer.sign(), sample().sign(), "only the last four characters of the time count");
    }

    #[rstest]
    #[case::power_on("power_on", &[], "WVz5U209eNn5F0vAECDsXvdTMCkkTwM5rcSXxsJKt2ZilMuWHdwG4167X10OiWCL06NhUKKDCJpGZkZeScEoOg==")]
    #[case::power_off("power_off", &[("respbefore", "true")], "p/QzYk8jszmQrR9dnOEVtXIRGg7DTmk9EUY2Z5AGabmXE9uaOgah2+aEOFK/+YqMLm9r+794UBuENliIrZU34RMDsIvMmXNaR4TnfXjrtNQ=")]
    #[case::power_off_at_once("power_off", &[("respbefore", "false")], "p/QzYk8jszmQrR9dnOEVtXIRGg7DTmk9EUY2Z5AGablG1C0lij1Ug137LbBU1CG2zgFgUVcle9fbFg9zb9vwlGgNzpF74ivXOfD64h+qAIw=")]
    #[case::restart("restart_btminer", &[], "9ugez0Ad9q60O1qDmwhnXd94YXyNiSeCMuFnFLCpk8q/y7rXf7j/FVDqiSJn7ppyLNJYuDygvKTtHeUxeUnRBg==")]
    #[case::reboot("reboot", &[], "eueoy6m7l/fNCJ0Xjzk3qq4SwTeIL9MC9lquSyezSIMhWEzbXm6cwxjkcu8MiiL8AHplq5zYpvUof8m24K84GA==")]
    #[case::low("set_low_power", &[], "h5VdAwTzVQ06ZF8VFkwZStapi5HHy0aRetbqxW6nS/0ub2v7v3hQG4Q2WIitlTfhEwOwi8yZc1pHhOd9eOu01A==")]
    #[case::normal("set_normal_power", &[], "7dHKlRwWgBP5q/RTUSxTAqkTNmAgBNphLohCs+pj6zM8dHNSFfsAQ1JfBT+SrYlBNmc6PrbZSDln0F9HwU2LVA==")]
    #[case::high("set_high_power", &[], "6Y4mCQgdsiLzG46YvCT1oMUdXhSecK0fJWXBCMafHKTOAWBRVyV719sWD3Nv2/CUaA3OkXviK9c58PriH6oAjA==")]
    #[case::limit("adjust_power_limit", &[("power_limit", "2400")], "APszrWSxSV2tQF6fMgI4ZaF773GCayhn3Xq4G82GrrDDGIWEZox6AzozKUJFGuhGNu8SDxCuRjTywNA6MsCdSZmN9lmZbn718Sv0yvT4EP/AhZ6e2cCC3oX03jqlzb/u")]
    #[case::percent("set_power_pct", &[("percent", "60")], "3hNdL2Ur8H9IFLg53jqAiVhJb2MwZ3T2nqY9aYalAGSRNW2b7YLzfoKntkjnNRdFe2HjENyy5xc93vroWgbWMLqetlYcjFjXeQjHJwOTH5M=")]
    #[case::percent_2("set_power_pct_v2", &[("percent", "60")], "3hNdL2Ur8H9IFLg53jqAiQGJ0A6IN2IXZgpse6qxR1Rggt4T042+Mbg8RXw9/51Fv8u613+4/xVQ6okiZ+6acizSWLg8oLyk7R3lMXlJ0QY=")]
    #[case::led("set_led", &[("param", "auto")], "DFR4+qIkIuv2gyaXIWvTL2Tw2dKfz3qcBM5l5ZHU7xWuEsE3iC/TAvZarksns0iDIVhM215unMMY5HLvDIoi/AB6Zauc2Kb1KH/JtuCvOBg=")]
    #[case::read("summary", &[], "t+HvwmO4mrKsJXJSz7SUZzbvEg8QrkY08sDQOjLAnUmZjfZZmW5+9fEr9Mr0+BD/wIWentnAgt6F9N46pc2/7g==")]
    fn commands_sealed(#[case] name: &str, #[case] parameters: &[(&str, &str)], #[case] sealed: &str) {
        let credentials = sample();
        let text = command(name, parameters, credentials.sign());
        assert_eq!(credentials.seal(&text), sealed);
    }

    #[test]
    fn another_clients_spacing_gives_its_bytes() {
        let off = r#"{"cmd": "power_off", "respbefore": "true", "token": "w.BNbkCV6n1aNWgiBWLzT/"}"#;
        assert_eq!(
            sample().seal(off),
            "YJracrWpLn2XvqWuNiNqyg70K64pfivIJhwE32DXNCeyv4iYIDyJ6mJuwbGpytIytGFk3qcQXxIEGYONPJL4PpGxjzTpYw1ob9fHFP6+QL8="
        );
        let limit =
            r#"{"cmd": "adjust_power_limit", "power_limit": "2400", "token": "w.BNbkCV6n1aNWgiBWLzT/"}"#;
        assert_eq!(
            sample().seal(limit),
            "O5e/wLPd15lksXZtkQCQiRLBG6LwJEo6ZwiMEuVqiRQ9TPvw0wC2RPOdS8PDOszyO9rorR/TkyipP9p9HAmNtHth4xDcsucXPd766FoG1jC6nrZWHIxY13kIxycDkx+T"
        );
    }

    #[test]
    fn a_command_is_what_the_manual_prints() {
        assert_eq!(
            command("power_off", &[("respbefore", "true")], "w.BNbkCV6n1aNWgiBWLzT/"),
            r#"{"cmd":"power_off","respbefore":"true","token":"w.BNbkCV6n1aNWgiBWLzT/"}"#
        );
        assert_eq!(request("QUJD"), r#"{"enc":1,"data":"QUJD"}"#);
    }

    #[test]
    fn another_password_and_its_reply() {
        let credentials = Credentials::new("hunter2_", &challenge("7804", "L7mYce6.", "yHmabpw8"));
        let text = command("set_power_pct", &[("percent", "60")], credentials.sign());
        assert_eq!(
            credentials.seal(&text),
            "XJEItrA7u53j67KBvJai56ZozmYo7sxtPfZBL0/52ZxWO5I1npvN/6GaticFv6hwrf4ES9LFQ+KYUUOTW0b26c10dOflR/UdDrT7nFEFcis="
        );
        let reply = "dhG0BVw/9VEQ2Jqu5l/Rc/Vy0IjtMdMrxvw7uKjbtQFP5UAUjMualvqbs7yXyG3UvNNMM34Fpe8alBR8ez/oYIoc3xQCceKR1AiM9pd8cU3OFdB3x3qYcATjBN+E7tuY";
        assert_eq!(credentials.open(reply).unwrap().value["Code"], json!(131));
        assert_eq!(sample().open(reply), None, "another key opens nothing");
    }

    #[rstest]
    #[case(
        131,
        "API command OK",
        "C/UGIQ8LwD66stwLyOOcM8AaTOolBWk/O12cM+G7Mz53lluOVpsOSpBcGhtOpg0QfXzqoVOPWCksKSnoq5FdlDzf1zswfpjLBG0UghjHFmJyj0Iw94hY+ImJc0aQQ3bU"
    )]
    #[case(
        45,
        "can't access write cmd",
        "u0m6Scm8fcwchtYzrI+LqsAaTOolBWk/O12cM+G7Mz4fodHtxZ9as9E16ynJb1GS8Su7taL8xnsKnyQOCJnh3JFlh29gxVQ91kzNPVCTPubWwfOURYhzRW8JaibUcWAP"
    )]
    #[case(
        14,
        "invalid cmd",
        "u0m6Scm8fcwchtYzrI+LqsAaTOolBWk/O12cM+G7Mz7msg0h7TBSIknR1VEaZIVbNhBAbewaXWhAvuGRUUQ4RKXZtXIBzcBwG3mKb1x8g4g="
    )]
    fn replies_opened(#[case] code: i64, #[case] words: &str, #[case] sealed: &str) {
        let reply = sample().open(sealed).unwrap().value;
        assert_eq!(reply["Code"], json!(code));
        assert_eq!(reply["Msg"], json!(words));
        let without_padding = sealed.trim_end_matches('=');
        assert!(sample().open(&format!("{}\n{}", &without_padding[..76], &without_padding[76..])).is_some());
    }

    #[test]
    fn whatever_pads_the_json_is_ignored() {
        let credentials = sample();
        let padded = format!("{}\u{5}\u{5}\u{5}\u{5}\u{5}", r#"{"Code":131}"#);
        assert_eq!(credentials.open(&credentials.seal(&padded)).unwrap().value, json!({"Code": 131}));
    }

    #[test]
    fn nothing_secret_is_printed() {
        assert_eq!(format!("{:?}", sample()), "Credentials(…)");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_reply_panics(text in "\\PC{0,80}", bytes: Vec<u8>) {
            let credentials = sample();
            let _ = credentials.open(&text);
            let _ = credentials.open(&STANDARD.encode(bytes));
        }

        #[test]
        fn what_is_sealed_opens_again(text in "[^\0]{0,50}") {
            let object = json!({ "a": text });
            let credentials = sample();
            prop_assert_eq!(credentials.open(&credentials.seal(&object.to_string())).unwrap().value, object);
        }
    }
}
