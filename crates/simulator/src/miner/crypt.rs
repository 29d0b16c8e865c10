//! The device's side of the two protocols' cryptography.
//!
//! V2: `key = md5crypt(password, salt)`, `sign = md5crypt(key + time, newsalt)`, AES-256-ECB under SHA-256 of the key
//! (WhatsMiner API V1.3.8 and V2.0.5). V3: SHA-256 over command, password, salt and time, base64, eight characters
//! (WhatsMiner API V3.0). The hash of `$1$` passwords is pwhash's, not ours.

use aes::{
    Aes256,
    cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit},
};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Standard alphabet, `=` written. Devices read carelessly: without padding, and with bits set where none belong.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

const BLOCK: usize = 16;

/// The last field of the `$1$` hash: 22 characters. `None` if the salt has characters that such a hash can't have.
pub(super) fn md5crypt(password: &str, salt: &str) -> Option<String> {
    #[expect(
        deprecated,
        reason = "pwhash marks the old hash as unfit for new passwords; the protocol has no other"
    )]
    let hash = pwhash::md5_crypt::hash_with(format!("$1${salt}$").as_str(), password).ok()?;
    hash.rsplit('$').next().map(str::to_owned)
}

/// What encrypts a V2 exchange. It depends on the password and its salt only.
#[derive(Clone)]
pub(super) struct Cipher(Aes256);

impl Cipher {
    /// The cipher under SHA-256 of a V2 key.
    pub(super) fn new(key: &str) -> Self {
        Self(Aes256::new(&Array(Sha256::digest(key).into())))
    }

    /// Base64 of the text, padded with NUL bytes to whole blocks.
    pub(super) fn seal(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        for block in bytes.as_chunks_mut::<BLOCK>().0 {
            self.0.encrypt_block(block.into());
        }
        BASE64.encode(bytes)
    }

    /// What was encrypted: the first JSON value of it. What follows is padding of one fashion or another.
    pub(super) fn open(&self, sealed: &str) -> Result<Value, Unreadable> {
        let compact: String = sealed.chars().filter(|character| !character.is_ascii_whitespace()).collect();
        let mut bytes = BASE64.decode(compact).map_err(|_| Unreadable::NotBase64)?;
        let (blocks, rest) = bytes.as_chunks_mut::<BLOCK>();
        if !rest.is_empty() {
            return Err(Unreadable::NotJson);
        }
        for block in blocks {
            self.0.decrypt_block(block.into());
        }
        match serde_json::Deserializer::from_slice(&bytes).into_iter().next() {
            Some(Ok(value)) => Ok(value),
            Some(Err(_)) | None => Err(Unreadable::NotJson),
        }
    }
}

/// Why an encrypted request can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Not base64.
    NotBase64,
    /// What comes out isn't JSON: another password, or damage.
    NotJson,
}

/// The token of a V3 write.
pub(super) fn v3_token(command: &str, password: &str, salt: &str, unix_seconds: i64) -> String {
    let digest = Sha256::digest(format!("{command}{password}{salt}{unix_seconds}"));
    BASE64.encode(digest).chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("admin", "BQ5hoXV9", "RxmaDUO33TS7O26yeMHZ81")]
    #[case("RxmaDUO33TS7O26yeMHZ815626", "jbzkfQls", "w.BNbkCV6n1aNWgiBWLzT/")]
    #[case("hunter2_", "L7mYce6.", "/36itNsm3PHernrV45b0j.")]
    #[case("/36itNsm3PHernrV45b0j.7804", "yHmabpw8", "WdJNcKQqYiPPmOX26IlNl0")]
    #[case("hunter2", "1234abcd", "k941IFPqhCBpKvhOnZqRd/")]
    fn md5crypt_vectors(#[case] password: &str, #[case] salt: &str, #[case] expected: &str) {
        assert_eq!(md5crypt(password, salt).as_deref(), Some(expected));
    }

    #[test]
    fn both_paddings_open() {
        let cipher = Cipher::new("RxmaDUO33TS7O26yeMHZ81");
        let nul = "YJracrWpLn2XvqWuNiNqyg70K64pfivIJhwE32DXNCeyv4iYIDyJ6mJuwbGpytIytGFk3qcQXxIEGYONPJL4PpGxjzTpYw1ob9fHFP6+QL8=";
        let pkcs7 = nul.replace("PpGxjzTpYw1ob9fHFP6+QL8=", "PthSQx4gmZZEDxrtJlEujo4=");
        for sealed in [nul, &pkcs7, &nul.replace("Z83", "Z\n83"), nul.trim_end_matches('=')] {
            let opened = cipher.open(sealed).unwrap();
            assert_eq!(opened["cmd"], "power_off");
            assert_eq!(opened["token"], "w.BNbkCV6n1aNWgiBWLzT/");
        }
    }

    #[test]
    fn seals_as_the_vectors_do() {
        let cipher = Cipher::new("RxmaDUO33TS7O26yeMHZ81");
        let plain = r#"{"STATUS":"S","When":1700000000,"Code":131,"Msg":"API command OK","Description":""}"#;
        assert_eq!(
            cipher.seal(plain),
            "C/UGIQ8LwD66stwLyOOcM8AaTOolBWk/O12cM+G7Mz53lluOVpsOSpBcGhtOpg0QfXzqoVOPWCksKSnoq5FdlDzf1zswfpjLBG0UghjHFmJyj0Iw94hY+ImJc0aQQ3bU"
        );
    }

    #[rstest]
    #[case("set.miner.service", "LZcqMjcV")]
    #[case("set.miner.power_limit", "JY75VGJs")]
    #[case("set.miner.power_percent", "OgV3FC+i")]
    #[case("set.system.reboot", "mXnzeZPb")]
    fn v3_token_vectors(#[case] command: &str, #[case] expected: &str) {
        assert_eq!(v3_token(command, "super", "px5hoXa9", 1_700_000_000), expected);
    }

    #[test]
    fn damage_is_told_apart() {
        let cipher = Cipher::new("key");
        assert_eq!(cipher.open("not base64!"), Err(Unreadable::NotBase64));
        assert_eq!(cipher.open(&BASE64.encode([0; 15])), Err(Unreadable::NotJson));
        assert_eq!(cipher.open(""), Err(Unreadable::NotJson));
        assert_eq!(Cipher::new("other").open(&cipher.seal("{}")), Err(Unreadable::NotJson));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = Cipher::new("key").open(&text);
        }

        #[test]
        fn what_is_sealed_opens(text in "[ -~]{0,100}") {
            let cipher = Cipher::new("key");
            let json = serde_json::json!({ "text": text });
            prop_assert_eq!(cipher.open(&cipher.seal(&json.to_string())), Ok(json));
        }
    }
}
