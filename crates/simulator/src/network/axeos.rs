//! Fixed replies of a Bitaxe and its relatives to the two questions of a search: who they are, and their front page.

use super::serve::response;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// A model of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Model {
    /// Bitaxe Gamma, current firmware.
    Gamma,
    /// Bitaxe Ultra with firmware that doesn't tell its family.
    Ultra,
    /// NerdQAxe with NerdOS.
    NerdQAxe,
    /// Lucky Miner LV07.
    Lucky,
    /// BitForge Nano.
    BitForge,
}

/// The response for a path.
pub(super) fn page(model: Model, address: Ipv4Addr, path: &str) -> String {
    match path {
        "/api/system/info" => response("200 OK", "", "application/json", &info(model, address).to_string()),
        "/" => {
            let title = match model {
                Model::Gamma | Model::Ultra | Model::Lucky => "AxeOS",
                Model::NerdQAxe => "Nerd* Dashboard",
                Model::BitForge => "ForgeOS",
            };
            response("200 OK", "", "text/html", &format!("<html><head><title>{title}</title></head></html>"))
        }
        _ => response("404 Not Found", "", "application/json", r#"{"error":"unknown route"}"#),
    }
}

fn info(model: Model, address: Ipv4Addr) -> Value {
    let [.., last] = address.octets();
    let mac = format!("02:00:00:00:A5:{last:02X}");
    match model {
        Model::Gamma => json!({
            "power": 17.5, "hashRate": 1071.25, "ASICModel": "BM1370", "deviceModel": "Gamma", "boardVersion": "601",
            "macAddr": mac, "ipv4": address, "version": "v2.15.0", "hostname": "bitaxe",
        }),
        Model::Ultra => json!({
            "power": 11.75, "hashRate": 485.5, "ASICModel": "BM1366", "boardVersion": "204", "macAddr": mac,
            "version": "v2.1.8", "hostname": "bitaxe",
        }),
        Model::NerdQAxe => json!({
            "power": 76.5, "hashRate": 4810.0, "ASICModel": "BM1370", "deviceModel": "NerdQAxe++", "macAddr": mac,
            "hostip": address, "version": "v1.0.36", "hostname": "nerdqaxe", "shutdown": false,
        }),
        Model::Lucky => json!({
            "power": 39.5, "hashRate": 1030.5, "ASICModel": "BM1366", "minerModel": "LV07", "boardVersion": "0.11",
            "version": "2.0.1",
        }),
        Model::BitForge => json!({
            "power": 26.5, "hashRate": 1310.0, "ASICModel": "BM1368", "chiptemp1": 54.5, "chiptemp2": 55.5,
            "macAddr": mac, "version": "v1.5", "asicCount": 2,
        }),
    }
}
