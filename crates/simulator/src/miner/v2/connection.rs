//! A V2 connection: reads until one JSON object is complete, answers, closes.

use super::answer;
use crate::miner::{
    Impostor,
    device::Device,
    impostor,
    transport::{self, After},
};
use serde_json::Value;
use std::time::Duration;
use tokio::{io::AsyncReadExt, net::TcpStream, time};

/// The longest request that is read, bytes.
const LONGEST_REQUEST: usize = 16 * 1024;

/// What a client sent.
enum Incoming {
    /// One JSON value, complete; what may follow it is ignored.
    Json(Value),
    /// Bytes that no JSON begins with, or an end in the middle.
    NotJson,
    /// Nothing in time.
    Nothing,
}

/// Serves one connection to its end.
pub(in crate::miner) async fn serve(stream: &mut TcpStream, device: &Device) -> After {
    let faults = device.faults();
    let idle = Duration::from_millis(faults.v2_idle_close_ms);
    if faults.impostor == Some(Impostor::WebServer) {
        return impostor::web_server(stream, idle).await;
    }
    let request = match time::timeout(idle, read(stream)).await.unwrap_or(Incoming::Nothing) {
        Incoming::Json(request) => Some(request),
        Incoming::NotJson => None,
        Incoming::Nothing => return After::Close,
    };
    if faults.impostor == Some(Impostor::Antminer) {
        return transport::send(stream, impostor::antminer(request.as_ref()).as_bytes()).await;
    }
    let reply = answer(device, request.as_ref());
    transport::deliver(stream, &reply).await.max(After::Close)
}

async fn read(stream: &mut TcpStream) -> Incoming {
    let mut received = Vec::new();
    let mut segment = [0; 2048];
    loop {
        let count = stream.read(&mut segment).await.unwrap_or(0);
        received.extend_from_slice(segment.get(..count).unwrap_or_default());
        match serde_json::Deserializer::from_slice(&received).into_iter::<Value>().next() {
            Some(Ok(request)) => return Incoming::Json(request),
            Some(Err(error)) if !error.is_eof() => return Incoming::NotJson,
            Some(Err(_)) if count == 0 || received.len() > LONGEST_REQUEST => return Incoming::NotJson,
            None if count == 0 || received.len() > LONGEST_REQUEST => return Incoming::Nothing,
            Some(Err(_)) | None => {}
        }
    }
}
