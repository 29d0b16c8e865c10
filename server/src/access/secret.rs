//! Secrets made of chance: what a browser or a program holds. Here only their hashes are kept.

use sha2::{Digest, Sha256};
use std::fmt;
use store::access::SecretHash;

/// Letters and digits that nobody takes for another one (Crockford's base 32, <https://www.crockford.com/base32.html>).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A secret that was just made: told once, to whoever it is for.
pub(crate) struct NewSecret(String);

/// The machine has no chance to give.
#[derive(Debug, thiserror::Error)]
#[error("this machine's source of randomness doesn't answer")]
pub struct NoRandomness;

impl NewSecret {
    /// 256 bits, as 64 hexadecimal digits behind `prefix`.
    pub(crate) fn new(prefix: &str) -> Result<Self, NoRandomness> {
        let bytes = random::<32>()?;
        Ok(Self(bytes.iter().fold(prefix.to_owned(), |text, byte| text + &format!("{byte:02x}"))))
    }

    /// 40 bits that a person can read from one screen and type into another: `XXXX-XXXX`.
    pub(crate) fn to_be_typed() -> Result<Self, NoRandomness> {
        let letter =
            |byte: &u8| ALPHABET.get(usize::from(byte % 32)).map_or('0', |letter| char::from(*letter));
        let letters: Vec<char> = random::<8>()?.iter().map(letter).collect();
        let (first, second) = letters.split_at(4);
        Ok(Self([first, &['-'], second].concat().into_iter().collect()))
    }

    pub(crate) fn hash(&self) -> SecretHash {
        hash(&self.0)
    }

    pub(crate) fn tell(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewSecret(…)")
    }
}

/// What is kept of a secret.
pub(crate) fn hash(secret: &str) -> SecretHash {
    Sha256::digest(secret.as_bytes()).into()
}

/// A typed code as it was told: people type small letters, leave out the dash, and take 0 for O.
pub(crate) fn as_told(typed: &str) -> String {
    let letters = typed.chars().filter(char::is_ascii_alphanumeric).take(9);
    let letters: Vec<char> = letters
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            letter => letter,
        })
        .collect();
    let (first, second) = letters.split_at(letters.len().min(4));
    [first, &['-'], second].concat().into_iter().collect()
}

fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_taken_as_people_type_it() {
        let code = NewSecret::to_be_typed().unwrap();
        assert_eq!(code.tell().len(), 9);
        for typed in [code.tell().to_owned(), code.tell().to_lowercase(), code.tell().replace('-', " ")] {
            assert_eq!(hash(&as_told(&typed)), code.hash(), "{typed}");
        }
        assert_eq!(as_told("o1lI-abcd"), "0111-ABCD");
        assert_eq!(as_told(""), "-");
    }

    #[test]
    fn secrets_differ_and_dont_show_themselves() {
        let [one, other] = [NewSecret::new("wmc_").unwrap(), NewSecret::new("wmc_").unwrap()];
        assert!(one.tell() != other.tell() && one.tell().len() == 68);
        assert!(!format!("{one:?}").contains(one.tell()));
        assert_eq!(hash(one.tell()), one.hash());
    }
}
