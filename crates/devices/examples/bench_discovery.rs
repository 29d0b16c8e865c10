//! How soon a search finds the miners of a network: one search of the range that is named, told as one line of JSON. Used
//! by `cargo xtask bench discovery`.

use devices::discovery::{Ranges, ScanEvent, Search, parse_range};
use serde_json::{Value, json};
use std::{env, error::Error, io::Write, time::Instant};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let range = env::args().nth(1).ok_or("name the range to search, like 127.0.9.0/24")?;
    let mut scan = Search::new(Ranges::only(&[parse_range(&range)?])?).begin();
    let began = Instant::now();
    let mut found: Vec<Value> = Vec::new();
    let mut seconds = 0.0;
    while let Some(event) = scan.next().await {
        match event {
            ScanEvent::Found(device) => found.push(json!({
                "address": device.address,
                "kind": device.kind,
                "model": device.identity.and_then(|identity| identity.model),
                "evidence": device.evidence,
                "seconds": began.elapsed().as_secs_f64(),
            })),
            ScanEvent::Ended { took, .. } => seconds = took.as_secs_f64(),
            ScanEvent::Began { .. } | ScanEvent::Progress { .. } => {}
        }
    }
    writeln!(std::io::stdout().lock(), "{}", json!({"found": found, "seconds": seconds}))?;
    Ok(())
}
