//! What is on a home network beside the miners that are simulated in full: relatives of the Bitaxe and miners of other
//! makes, as far as a search asks them, and web servers that are no miners.

use super::serve::response;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// A relative of the Bitaxe with firmware of its maker's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relative {
    /// Lucky Miner LV07. It tells no hardware address.
    Lucky,
    /// BitForge Nano.
    BitForge,
}

/// A web server that is no miner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Site {
    /// A printer.
    Printer,
    /// A page about Bitaxes, with their names all over it.
    DashboardOfBitaxes,
    /// A router that refers to its sign-in, whatever is asked.
    Router,
    /// A camera that wants a password for everything.
    Camera,
    /// A storage that answers JSON to everything.
    Storage,
}

/// The response of a site for a path.
pub(super) fn site(site: Site, path: &str) -> String {
    match site {
        Site::Printer if path == "/" => {
            response("200 OK", "", "text/html", "<html><title>LaserPrint 400</title>Toner: 61 %</html>")
        }
        Site::Printer => response("404 Not Found", "", "text/html", "<html>404</html>"),
        // A single page that answers every path with itself.
        Site::DashboardOfBitaxes => response(
            "200 OK",
            "",
            "text/html",
            "<html><title>AxeOS fleet</title>All my Bitaxe, AxeOS, NerdQAxe and ForgeOS in one place: ASICModel, hashRate</html>",
        ),
        Site::Router => response("302 Found", "Location: /sign-in\r\n", "text/html", ""),
        Site::Camera => response(
            "401 Unauthorized",
            "WWW-Authenticate: Digest realm=\"camera\", nonce=\"1f2e\", qop=\"auth\"\r\n",
            "text/html",
            "",
        ),
        Site::Storage => {
            response("200 OK", "", "application/json", r#"{"hostname":"storage","uptime":86400}"#)
        }
    }
}

/// The web page of a WhatsMiner's control board.
pub(super) fn to_https(path: &str) -> String {
    let location = format!("Location: https://127.0.0.1{path}\r\n");
    response("307 Temporary Redirect", &location, "text/html", "")
}

/// The page of an Antminer with its own firmware.
pub(super) fn antminer_page(_path: &str) -> String {
    response(
        "401 Unauthorized",
        "WWW-Authenticate: Digest realm=\"antMiner Configuration\", nonce=\"5f1c\", qop=\"auth\"\r\n",
        "text/html",
        "<html><title>401</title></html>",
    )
}

/// The page of Braiins OS.
pub(super) fn braiins_page(path: &str) -> String {
    match path {
        "/" => response("200 OK", "", "text/html", "<html><title>Braiins OS</title></html>"),
        _ => response("404 Not Found", "", "text/html", "<html>404</html>"),
    }
}

/// An Antminer on the port of cgminer.
pub(super) fn antminer(command: &str) -> Value {
    cgminer(
        command,
        "cgminer 1.0.0",
        &json!({"BMMiner": "1.0.0", "API": "3.1", "Miner": "uart_trans.1.3", "Type": "Antminer S19j Pro"}),
    )
}

/// An Avalon.
pub(super) fn avalon(command: &str) -> Value {
    cgminer(
        command,
        "cgminer 4.11.1",
        &json!({"CGMiner": "4.11.1", "API": "3.7", "PROD": "AvalonMiner 1246", "MODEL": "1246-83", "MAC": "020000000a7a"}),
    )
}

/// An Antminer with Braiins OS.
pub(super) fn braiins(command: &str) -> Value {
    cgminer(command, "BOSminer+ 0.9.0", &json!({"BOSminer+": "0.9.0", "API": "3.7"}))
}

fn cgminer(command: &str, description: &str, version: &Value) -> Value {
    let status = |letter: &str, code: i64, message: &str| json!([{"STATUS": letter, "When": 1_760_000_000, "Code": code, "Msg": message, "Description": description}]);
    match command {
        "version" => json!({"STATUS": status("S", 22, "CGMiner versions"), "VERSION": [version], "id": 1}),
        _ => json!({"STATUS": status("E", 14, "Invalid command"), "id": 1}),
    }
}

/// A relative of the Bitaxe.
pub(super) fn relative(relative: Relative, address: Ipv4Addr, path: &str) -> String {
    let [.., last] = address.octets();
    let (title, info) = match relative {
        Relative::Lucky => (
            "AxeOS",
            json!({
                "power": 39.5, "hashRate": 1030.5, "ASICModel": "BM1366", "minerModel": "LV07", "boardVersion": "0.11",
                "version": "2.0.1",
            }),
        ),
        Relative::BitForge => (
            "ForgeOS",
            json!({
                "power": 26.5, "hashRate": 1310.0, "ASICModel": "BM1368", "chiptemp1": 54.5, "chiptemp2": 55.5,
                "macAddr": format!("02:00:00:00:A5:{last:02X}"), "version": "v1.5", "asicCount": 2,
            }),
        ),
    };
    match path {
        "/api/system/info" => response("200 OK", "", "application/json", &info.to_string()),
        "/" => {
            response("200 OK", "", "text/html", &format!("<html><head><title>{title}</title></head></html>"))
        }
        _ => response("404 Not Found", "", "application/json", r#"{"error":"unknown route"}"#),
    }
}
