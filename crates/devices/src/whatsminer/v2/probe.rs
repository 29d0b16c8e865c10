//! Who answers on the V2 port. Three reads at the most until it is known whether it is a WhatsMiner at all, since
//! nothing else is ever written to.

use super::super::{
    json::{Fields, plain},
    peer::unread,
};
use super::{
    Answer, Client, Deadline,
    envelope::{Envelope, is_mining_down},
    reading,
    transport::{Body, exchange},
};
use crate::DeviceError;
use model::MinerIdentity;

/// Generations of V2 firmware, told apart by what they answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::whatsminer) enum Generation {
    /// 2018 to 2020: a cgminer. It can be read; its network API takes no commands.
    G0,
    /// 2020 and 2021, API 1.x.
    G1,
    /// 2022 to 2024, API 2.0.x.
    G2,
    /// Since late 2024, API 2.2.x: V2 beside V3.
    G3,
}

/// A WhatsMiner found by V2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::whatsminer) struct Found {
    pub(in crate::whatsminer) generation: Generation,
    pub(in crate::whatsminer) identity: MinerIdentity,
}

impl Client {
    /// Finds out whether a WhatsMiner answers, and which.
    pub(in crate::whatsminer) async fn probe(&self, deadline: Deadline) -> Result<Found, DeviceError> {
        const DOING: &str = "finding out who answers by V2";
        let body = exchange(&self.peer, &Self::request("get_version"), DOING, deadline).await;
        let (version, is_mended) = match body.map_err(super::Failure::into_error)? {
            Body::Json(parsed) => (Envelope::open(&parsed.value, ""), parsed.repaired),
            Body::Empty => {
                return Err(DeviceError::Unreachable(
                    "it closed the connection without an answer".to_owned(),
                ));
            }
            Body::Text { words, .. } if is_mining_down(&words) => (Envelope::default(), false),
            Body::Text { words, is_whole: true } => {
                return Err(DeviceError::WrongDevice(format!("it says: {words}")));
            }
            Body::Text { words, .. } => {
                return Err(DeviceError::Protocol(format!("no JSON, but: {words}")));
            }
        };
        let generation = match generation_of(version.fields()) {
            Some(generation) => generation,
            None => self.older_generation(&version, is_mended, deadline).await?,
        };
        // What it is called is worth a read each, but no failure.
        let info = self.ask("get_miner_info", "", "reading its address", deadline).await.ok();
        let info = info.map(Answer::into_envelope).unwrap_or_default();
        let device = if version.fields().text(&["miner_type"]).is_some() {
            Envelope::default()
        } else {
            let device = self.ask("devdetails", "DEVDETAILS", "reading its model", deadline).await.ok();
            device.map(Answer::into_envelope).unwrap_or_default()
        };
        let summary = if info.fields().text(&["mac"]).is_some() {
            Envelope::default()
        } else {
            let summary = self.ask("summary", "SUMMARY", "reading its address", deadline).await.ok();
            summary.map(Answer::into_envelope).unwrap_or_default()
        };
        let api = api_name(generation, &version, &device);
        let identity =
            reading::identity(version.fields(), info.fields(), device.fields(), summary.fields(), api);
        Ok(Found { generation, identity })
    }

    /// Firmware that doesn't answer `get_version` is a WhatsMiner if its boards are WhatsMiner boards. What had to be
    /// mended may have lost what a WhatsMiner is known by, so that it says nothing about who answers.
    async fn older_generation(
        &self,
        version: &Envelope,
        version_is_mended: bool,
        deadline: Deadline,
    ) -> Result<Generation, DeviceError> {
        let (device, is_mended) =
            match self.ask("devdetails", "DEVDETAILS", "reading its model", deadline).await {
                Ok(Answer::Envelope(device, is_mended)) => (device, version_is_mended || is_mended),
                Err(error) if error.is_transient() => return Err(error),
                Ok(Answer::MiningDown) | Err(_) => (Envelope::default(), version_is_mended),
            };
        let has_its_boards = device.rows.iter().any(|row| {
            Fields::new(Some(row))
                .text(&["Driver"])
                .is_some_and(|driver| driver.eq_ignore_ascii_case("bitmicro"))
        });
        let names_itself = [version, &device].iter().any(|envelope| is_own_name(&envelope.description));
        if !has_its_boards && !names_itself {
            if is_mended {
                return Err(unread());
            }
            return Err(DeviceError::WrongDevice(who_else(version, &device)));
        }
        // Only firmware that refuses the question has no status. A reply that is cut or garbled is no refusal: a miner
        // that may be commanded is never taken for one that can't be.
        let status = self.ask("status", "", "reading the status", deadline).await;
        let has_status = !matches!(status, Err(DeviceError::Refused { .. } | DeviceError::Unsupported(_)));
        Ok(if has_status { Generation::G1 } else { Generation::G0 })
    }
}

fn is_own_name(description: &str) -> bool {
    let description = description.to_ascii_lowercase();
    description.contains("btminer") || description.contains("whatsminer")
}

/// What `get_version` says, if it is a WhatsMiner's.
fn generation_of(version: Fields<'_>) -> Option<Generation> {
    version.text(&["fw_ver"])?;
    let (major, minor) = api_version(&version.text(&["api_ver", "rpc_ver"])?)?;
    Some(match (major, minor) {
        _ if version.text(&["miner_type"]).is_some() => Generation::G3,
        (0 | 1, _) => Generation::G1,
        (2, 0 | 1) => Generation::G2,
        _ => Generation::G3,
    })
}

/// "2.0.5" or "whatsminer v1.4.0".
fn api_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = bare_version(text).split('.').map(str::parse::<u32>);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn bare_version(text: &str) -> &str {
    text.trim_start_matches(|character: char| !character.is_ascii_digit())
}

fn api_name(generation: Generation, version: &Envelope, device: &Envelope) -> String {
    match version.fields().text(&["api_ver", "rpc_ver"]) {
        Some(api) => format!("V2 {}", bare_version(&api)),
        None if generation == Generation::G0 && !device.description.is_empty() => {
            format!("V2 ({})", device.description)
        }
        None => "V2".to_owned(),
    }
}

fn who_else(version: &Envelope, device: &Envelope) -> String {
    let own_words = [&version.description, &device.description, &version.words, &device.words];
    match own_words.into_iter().find(|words| !words.is_empty()) {
        Some(words) => format!("it says: {}", plain(words)),
        None => "its answer isn't a WhatsMiner's".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    #[rstest]
    #[case(json!({"api_ver":"whatsminer v1.4.0","fw_ver":"20210119.10.REL"}), Some(Generation::G1))]
    #[case(json!({"api_ver":"2.0.5","fw_ver":"20230801.10.REL","platform":"H6OS"}), Some(Generation::G2))]
    #[case(json!({"rpc_ver":"2.0.3","fw_ver":"20220801.10.REL"}), Some(Generation::G2))]
    #[case(json!({"api_ver":"2.2.2","fw_ver":"20250214.16.Rel","miner_type":"M60S_VK30"}), Some(Generation::G3))]
    #[case(json!({"api_ver":"2.0.5","fw_ver":"20250214.16.Rel","miner_type":"M60S_VK30"}), Some(Generation::G3))]
    #[case(json!({"api_ver":"soon","fw_ver":"x"}), None)]
    #[case(json!({"Type":"Antminer S19","Miner":"1.0"}), None)]
    fn generations(#[case] version: Value, #[case] expected: Option<Generation>) {
        assert_eq!(generation_of(Fields::new(version.as_object())), expected);
    }
}
