//! The boards of the Bitaxe family: what the firmware's own table (`main/device_config.h` of ESP-Miner) knows of them and
//! doesn't tell over the network.

use model::Watts;

/// How a board learns its power.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sensor {
    /// An INA260 at the input: what it tells is what it draws.
    Input,
    /// A TPS546 at the core, to which the firmware adds a fixed power. While the chips are off, it tells that alone.
    Core {
        /// The fixed power.
        offset: Watts,
    },
}

/// Family name by the board's version, or by the chip where there is none (firmware before 2.0.7).
pub(super) fn family(board: Option<&str>, asic: Option<&str>) -> Option<&'static str> {
    let by_board = match board {
        Some("2.2" | "102") => Some("Max"),
        Some("0.11") => Some("Ultra"),
        Some("650") => Some("GammaDuo"),
        Some("302" | "303") => Some("Hex"),
        Some("701" | "702") => Some("SupraHex"),
        Some("801") => Some("GammaTurbo"),
        Some(board) if board.len() == 3 => match board.as_bytes().first() {
            Some(b'2') => Some("Ultra"),
            Some(b'4') => Some("Supra"),
            Some(b'6') => Some("Gamma"),
            _ => None,
        },
        _ => None,
    };
    by_board.or(match asic {
        Some("BM1397") => Some("Max"),
        Some("BM1366") => Some("Ultra"),
        Some("BM1368") => Some("Supra"),
        Some("BM1370") => Some("Gamma"),
        _ => None,
    })
}

/// The power sensor by the board's version; `None` for a board that isn't known.
pub(super) fn sensor(board: Option<&str>) -> Option<Sensor> {
    let core = |watts| Some(Sensor::Core { offset: Watts::whole(watts) });
    match board? {
        "2.2" | "102" | "0.11" | "201" | "202" | "203" | "204" | "205" | "400" | "401" => Some(Sensor::Input),
        "207" | "402" | "403" | "600" | "601" | "602" | "603" | "650" => core(5),
        "302" | "303" => core(12),
        "701" | "702" => core(25),
        "801" => core(10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Some("601"), Some("BM1370"), Some("Gamma"), Some(5))]
    #[case(Some("801"), Some("BM1370"), Some("GammaTurbo"), Some(10))]
    #[case(Some("207"), Some("BM1366"), Some("Ultra"), Some(5))]
    #[case(Some("205"), Some("BM1366"), Some("Ultra"), Some(0))]
    #[case(Some("0.11"), None, Some("Ultra"), Some(0))]
    #[case(Some("303"), Some("BM1366"), Some("Hex"), Some(12))]
    #[case(Some("702"), Some("BM1368"), Some("SupraHex"), Some(25))]
    #[case(None, Some("BM1368"), Some("Supra"), None)]
    #[case(Some("1001"), Some("BM1372"), None, None)]
    #[case(Some(""), None, None, None)]
    fn what_is_known_of_a_board(
        #[case] board: Option<&str>,
        #[case] asic: Option<&str>,
        #[case] name: Option<&str>,
        #[case] offset: Option<u32>,
    ) {
        assert_eq!(family(board, asic), name);
        let expected = offset.map(|watts| match watts {
            0 => Sensor::Input,
            watts => Sensor::Core { offset: Watts::whole(watts) },
        });
        assert_eq!(sensor(board), expected);
    }
}
