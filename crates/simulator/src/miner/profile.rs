//! The firmware generations that are simulated, and the name plates of the machines that run them.

use serde::{Deserialize, Serialize};

/// A generation of WhatsMiner firmware. It decides which ports answer, which commands exist, and the envelopes, units
/// and types of every reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// 2019: a stock cgminer. Unencrypted reads with the key `command` only; nothing can be written.
    G0,
    /// 2021, API V1.4 on 4028: encrypted writes, no power limit, NUL after mining replies, `btmineroff`.
    G1,
    /// 2023, API V2.0.5 on 4028: power limit and percentage, `mineroff`.
    G2,
    /// Late 2024: the full V2.0.5 on 4028, and V3.0.0 on 4433 beside it.
    G2V3,
    /// Late 2025: V3.0.2 on 4433 and a reduced V2.2.2 on 4028 (flat summary, boards in TH/s, no devdetails).
    G3,
}

/// What is printed on the machine and compiled into its firmware.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plate {
    pub(super) firmware: &'static str,
    pub(super) v2_api: &'static str,
    pub(super) v3_api: Option<&'static str>,
    pub(super) model: &'static str,
    pub(super) platform: &'static str,
    pub(super) chip: &'static str,
    pub(super) power_supply: &'static str,
    pub(super) boards: u8,
    pub(super) chips_per_board: u16,
    pub(super) joules_per_terahash: f64,
}

impl Profile {
    pub(super) const fn plate(self) -> Plate {
        match self {
            Self::G0 => Plate {
                firmware: "20190912.10.REL",
                v2_api: "3.7",
                v3_api: None,
                model: "M20S_V10",
                platform: "H3",
                chip: "HP1601-19082114 BINV02-191603B",
                power_supply: "P11",
                boards: 3,
                chips_per_board: 105,
                joules_per_terahash: 48.0,
            },
            Self::G1 => Plate {
                firmware: "20210614.17.REL",
                v2_api: "whatsminer v1.4.0",
                v3_api: None,
                model: "M30S+VE40",
                platform: "ALLWINNER_H3",
                chip: "HP5B03-20091522 BINV03-193104D",
                power_supply: "P21",
                boards: 3,
                chips_per_board: 156,
                joules_per_terahash: 38.0,
            },
            Self::G2 => Plate {
                firmware: "20230817.14.REL",
                v2_api: "2.0.5",
                v3_api: None,
                model: "M50_VH20",
                platform: "H616",
                chip: "K88Z114-2231 BINV01-195004C",
                power_supply: "P222B",
                boards: 3,
                chips_per_board: 117,
                joules_per_terahash: 29.0,
            },
            Self::G2V3 => Plate {
                firmware: "20240926.15.REL",
                v2_api: "2.0.5",
                v3_api: Some("3.0.0"),
                model: "M50S_VH30",
                platform: "H616",
                chip: "K88Z220-2317 BINV02-195012B",
                power_supply: "P222C",
                boards: 3,
                chips_per_board: 129,
                joules_per_terahash: 26.0,
            },
            Self::G3 => Plate {
                firmware: "20251114.13.Rel2",
                v2_api: "2.2.2",
                v3_api: Some("3.0.2"),
                model: "M60S_VK30",
                platform: "H616",
                chip: "K8EC211-2430 BINVE5-197803B",
                power_supply: "P221C",
                boards: 3,
                chips_per_board: 75,
                joules_per_terahash: 21.5,
            },
        }
    }

    /// Whether something listens on the V3 port.
    pub const fn has_v3(self) -> bool {
        matches!(self, Self::G2V3 | Self::G3)
    }

    /// Whether this firmware ends its mining replies with a NUL byte.
    pub(super) const fn ends_with_nul(self) -> bool {
        matches!(self, Self::G0 | Self::G1)
    }

    /// Whether mining reads fail while the mining process is down: the older daemons forward them to it.
    pub(super) const fn forwards_mining_reads(self) -> bool {
        matches!(self, Self::G0 | Self::G1)
    }
}
