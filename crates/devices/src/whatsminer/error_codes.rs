//! What the miner's own error codes mean, condensed from the vendor's list of error codes.

/// Plain words for a code; empty for one that isn't in the list (firmware knows more than the list does).
pub(super) fn meaning(code: u32) -> String {
    let tens = code / 10;
    let unit = code % 10;
    let words = match code {
        110 | 111 => "fan speed not detected",
        120 | 121 | 130 | 131 => "fan speed deviates",
        140 => "fan speed too high",
        200 => "no power supply found",
        201 => "power supply doesn't fit the configuration",
        202 => "power supply: output voltage wrong",
        203 => "power supply protects itself",
        204 | 205 | 207 => "power supply: current protection",
        206 => "power supply: input voltage low",
        208 => "power supply: input changes too much",
        209 => "power supply: voltage deviates",
        210 => "power supply reports an error",
        211 | 212 => "power supply: output out of its margin",
        213 => "power supply: input and power don't match",
        214..=217 => "power supply can't be set or enabled",
        218 => "input below 230 V in high power mode",
        219 => "power supply: input current wrong",
        233..=235 => "power supply: output too hot",
        236..=238 | 268 => "power supply: output over-current",
        239 | 240 | 270 | 271 => "power supply: over- or under-voltage",
        241 => "power supply: currents out of balance",
        243..=245 => "power supply: input too hot",
        246 | 247 | 257 | 269 => "power supply: input over-current",
        248 | 249 => "power supply: input over-voltage",
        250 | 251 => "power supply: input under-voltage",
        253 | 254 | 274 => "power supply: fan",
        255 | 256 | 272 | 273 => "power supply: power too high",
        258 | 259 => "power supply: three phases out of balance",
        263 | 264 => "power supply doesn't answer properly",
        267 => "power supply: watchdog",
        275 => "power supply: too hot",
        280..=299 => "power supply: register error",
        326 => "liquid temperature sensor",
        329 => "control board temperature sensor",
        300..=309 | 320..=325 | 327 | 328 => "hash board temperature sensor",
        350..=359 => "hash board protects itself from heat",
        360 => "hash board overheats",
        370 => "ambient temperature fluctuates",
        500 => "hash board model not configured",
        600 => "ambient too hot",
        610 => "ambient too hot for high power mode",
        620 => "liquid temperature",
        652 => "liquid temperature swings",
        701 | 702 => "control board not recognised",
        710 | 712 => "control board rebooted by an exception",
        714 => "network unstable",
        720..=729 => "control board: serial line",
        800..=802 => "checksum wrong",
        810 | 820 => "serial number doesn't match",
        901 => "power rate wrong",
        2000 => "no pool configured",
        2010 => "all pools disabled or dead",
        2020..=2022 => "pool can't be reached",
        2030 => "pool rejects too much",
        2040 => "pool doesn't support asicboost",
        2050 => "pool can't be switched",
        2310 | 2320 => "hash rate too low",
        2340 | 2350 => "hash rate loss too high",
        5070..=5079 => "liquid flow",
        5080..=5090 => "calibration",
        8000 => "vendor's tool too old",
        8010 | 8020 => "frequency or hash rate below standard",
        8400 | 8410 => "wrong software",
        8700 => "power supply model doesn't match",
        9000..=9099 => "a process ended abnormally",
        100_000..=100_003 | 100_100 | 110_000 | 110_001 => "security",
        520_000..=529_999 => "chip: error nonces",
        530_000..=539_999 => "chip: few nonces",
        540_000..=549_999 => "chip protects itself from heat",
        550_000..=559_999 => "chip was reset",
        560_000..=569_999 => "chip: no nonces",
        _ => "",
    };
    if !words.is_empty() {
        return words.to_owned();
    }
    let board = match tens {
        41..=45 => "its memory can't be read",
        51 => "of the wrong type",
        52 => "of the wrong bin",
        53 => "not found",
        54 => "chip numbers wrong",
        55 => "bad chips",
        56 => "out of balance",
        57 => "data transfer",
        58 => "reset failed",
        59 => "frequency low",
        501 => "chip voltage low",
        502 => "chip voltage changes",
        503 | 504 => "chip temperatures differ",
        505 => "chips too hot",
        511 => "the ramp took too long",
        _ => return String::new(),
    };
    format!("hash board {unit}: {board}")
}

#[cfg(test)]
mod tests {
    use super::meaning;

    #[test]
    fn codes_with_and_without_a_slot() {
        assert_eq!(meaning(531), "hash board 1: not found");
        assert_eq!(meaning(5110), "hash board 0: the ramp took too long");
        assert_eq!(meaning(2010), "all pools disabled or dead");
        assert_eq!(meaning(265), "", "seen in the field, in no list");
        assert_eq!(meaning(u32::MAX), "");
    }
}
