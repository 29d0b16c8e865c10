//! Other devices that may answer where a WhatsMiner is expected.

use super::transport::{self, After};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{io::AsyncReadExt, net::TcpStream, time};

/// What an Antminer with its stock firmware says on port 4028: a cgminer of its own kind, every reply with a NUL.
pub(super) fn antminer(request: Option<&Value>) -> String {
    let status = |letter: &str, code: i64, message: &str| json!([{ "STATUS": letter, "When": 1_700_000_000, "Code": code, "Msg": message, "Description": "cgminer 1.0.0" }]);
    let command = request.and_then(|request| request.get("command")).and_then(Value::as_str);
    let reply = match command {
        None => json!({ "STATUS": status("E", 24, "Missing JSON 'command'"), "id": 1 }),
        Some("version") => json!({
            "STATUS": status("S", 22, "CGMiner versions"),
            "VERSION": [{ "BMMiner": "1.0.0", "API": "3.1", "Miner": "uart_trans.1.3", "CompileTime": "",
                "Type": "Antminer S19j Pro" }],
            "id": 1,
        }),
        Some("summary") => json!({
            "STATUS": status("S", 11, "Summary"),
            "SUMMARY": [{ "Elapsed": 52_011, "GHS 5s": 98_112.4, "GHS av": 97_850.1, "Accepted": 8021, "Rejected": 9 }],
            "id": 1,
        }),
        Some(_) => json!({ "STATUS": status("E", 14, "Invalid command"), "id": 1 }),
    };
    format!("{reply}\0")
}

/// What a web server says to anything that isn't HTTP.
pub(super) async fn web_server(stream: &mut TcpStream, idle: Duration) -> After {
    const BAD_REQUEST: &str = "HTTP/1.1 400 Bad Request\r\nServer: embedded\r\nContent-Type: text/html\r\n\
        Content-Length: 24\r\nConnection: close\r\n\r\n<html>Bad request</html>";
    let mut ignored = [0; 1024];
    if !time::timeout(idle, stream.read(&mut ignored))
        .await
        .is_ok_and(|read| read.is_ok_and(|count| count > 0))
    {
        return After::Close;
    }
    transport::send(stream, BAD_REQUEST.as_bytes()).await.max(After::Close)
}
