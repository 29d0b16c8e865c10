//! Puts replies on the wire: segments, delays, breaks. Delays are real time.

use super::{
    CutEnd,
    device::{Ending, Reply},
};
use crate::port::hold;
use std::time::Duration;
use tokio::{io::AsyncWriteExt, net::TcpStream, time};

pub(super) use crate::port::After;

/// How long a client may take to accept a segment.
const WRITE_DEADLINE: Duration = Duration::from_secs(60);

/// Sends a reply with its faults.
pub(super) async fn deliver(stream: &mut TcpStream, reply: &Reply) -> After {
    let faults = &reply.faults;
    match reply.ending {
        Ending::Answer => {}
        Ending::Close => return After::Close,
        Ending::Hold => return hold(stream).await,
    }
    wait(faults.reply_delay_ms).await;
    let cut = faults.cut.filter(|cut| cut.after_bytes < reply.bytes.len());
    let bytes = cut.and_then(|cut| reply.bytes.get(..cut.after_bytes)).unwrap_or(&reply.bytes);
    let segment = faults.segment_bytes.unwrap_or(usize::MAX).max(1);
    for (number, bytes) in bytes.chunks(segment).enumerate() {
        if number > 0 {
            wait(faults.segment_delay_ms).await;
        }
        if send(stream, bytes).await == After::Reset {
            return After::Reset;
        }
    }
    match cut.map(|cut| cut.then) {
        None => After::Continue,
        Some(CutEnd::Close) => After::Close,
        Some(CutEnd::Reset) => After::Reset,
        Some(CutEnd::Silence) => hold(stream).await,
    }
}

/// Lets real time pass, if any: the shortest sleep there is would be a millisecond.
async fn wait(millis: u64) {
    if millis > 0 {
        time::sleep(Duration::from_millis(millis)).await;
    }
}

/// Sends bytes as they are, within a deadline.
pub(super) async fn send(stream: &mut TcpStream, bytes: &[u8]) -> After {
    match time::timeout(WRITE_DEADLINE, stream.write_all(bytes)).await {
        Ok(Ok(())) => After::Continue,
        Ok(Err(_)) | Err(_) => After::Reset,
    }
}
