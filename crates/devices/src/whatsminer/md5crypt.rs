//! The Unix password hash `$1$` ("md5crypt", P.-H. Kamp, FreeBSD 1994): the key derivation of the V2 API.
//!
//! It is no protection by today's measure; it is here since the miners speak it.

use md5::{Digest, Md5};

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Salts are at most this long; what follows doesn't count.
const SALT_BYTES: usize = 8;
const ROUNDS: u32 = 1000;
/// The order in which the digest's bytes make up the 24-bit groups of the output.
const GROUPS: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
const LAST: usize = 11;

/// The hash field of `$1$salt$hash`: 22 characters of `./0-9A-Za-z`.
pub(super) fn md5crypt(password: &[u8], salt: &[u8]) -> String {
    let salt = salt.get(..SALT_BYTES).unwrap_or(salt);
    let mut digest = first_digest(password, salt);
    for round in 0..ROUNDS {
        digest = next_digest(round, digest, password, salt);
    }
    encode(digest)
}

fn first_digest(password: &[u8], salt: &[u8]) -> [u8; 16] {
    let alternate: [u8; 16] =
        Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize().into();
    let mut hash = Md5::new().chain_update(password).chain_update(b"$1$").chain_update(salt);
    for byte in alternate.iter().cycle().take(password.len()) {
        hash.update([*byte]);
    }
    let mut bits = password.len();
    while bits > 0 {
        // The original appends a byte of a buffer that it has just zeroed: always 0.
        let byte = if bits & 1 == 1 { 0 } else { password.first().copied().unwrap_or(0) };
        hash.update([byte]);
        bits >>= 1;
    }
    hash.finalize().into()
}

fn next_digest(round: u32, digest: [u8; 16], password: &[u8], salt: &[u8]) -> [u8; 16] {
    let odd = round % 2 == 1;
    let mut hash = Md5::new();
    hash.update(if odd { password } else { &digest });
    if !round.is_multiple_of(3) {
        hash.update(salt);
    }
    if !round.is_multiple_of(7) {
        hash.update(password);
    }
    hash.update(if odd { &digest } else { password });
    hash.finalize().into()
}

fn encode(digest: [u8; 16]) -> String {
    let byte = |index: usize| u32::from(digest.get(index).copied().unwrap_or(0));
    let mut text = String::with_capacity(22);
    let mut push = |mut value: u32, characters: usize| {
        for _ in 0..characters {
            text.push(char::from(ALPHABET.get((value & 63) as usize).copied().unwrap_or(b'.')));
            value >>= 6;
        }
    };
    for [high, middle, low] in GROUPS {
        push(byte(high) << 16 | byte(middle) << 8 | byte(low), 4);
    }
    push(byte(LAST), 2);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn hex(digest: [u8; 16]) -> String {
        format!("{:032x}", u128::from_be_bytes(digest))
    }

    #[rstest]
    #[case("hunter2", "1234abcd", "k941IFPqhCBpKvhOnZqRd/")]
    #[case("admin", "BQ5hoXV9", "RxmaDUO33TS7O26yeMHZ81")]
    #[case("RxmaDUO33TS7O26yeMHZ815626", "jbzkfQls", "w.BNbkCV6n1aNWgiBWLzT/")]
    #[case("hunter2_", "L7mYce6.", "/36itNsm3PHernrV45b0j.")]
    #[case("/36itNsm3PHernrV45b0j.7804", "yHmabpw8", "WdJNcKQqYiPPmOX26IlNl0")]
    fn known_hashes(#[case] password: &str, #[case] salt: &str, #[case] expected: &str) {
        assert_eq!(md5crypt(password.as_bytes(), salt.as_bytes()), expected);
    }

    #[test]
    fn the_steps_between_are_those_of_the_algorithm() {
        let (password, salt) = (b"admin", b"BQ5hoXV9");
        let first = first_digest(password, salt);
        assert_eq!(hex(first), "5faa4104f7732f8b020b14077254a9ec");
        let after_0 = next_digest(0, first, password, salt);
        assert_eq!(hex(after_0), "783375d87a17b188b2e131385e4c351d");
        let after_1 = next_digest(1, after_0, password, salt);
        assert_eq!(hex(after_1), "20f04d598b478fa0d37a4e1029f7f55d");
        let long = first_digest(b"RxmaDUO33TS7O26yeMHZ815626", b"jbzkfQls");
        assert_eq!(hex(long), "176270264275701d16af339653afc083");
    }

    #[test]
    fn a_salt_ends_after_eight_bytes() {
        assert_eq!(md5crypt(b"admin", b"BQ5hoXV9and more"), md5crypt(b"admin", b"BQ5hoXV9"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_input_gives_22_characters(password: Vec<u8>, salt: Vec<u8>) {
            let hash = md5crypt(&password, &salt);
            prop_assert_eq!(hash.len(), 22);
            prop_assert!(hash.bytes().all(|byte| ALPHABET.contains(&byte)));
        }
    }
}
