//! Puts replies on the wire: segments, delays, breaks. Delays are real time.

use super::{
    CutEnd,
    device::{Ending, Reply},
};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time,
};

/// How long a client may take to accept a segment.
const WRITE_DEADLINE: Duration = Duration::from_secs(60);
/// How long a silent connection is held at most.
const HELD: Duration = Duration::from_secs(600);
/// How long a client may take to notice the end before the connection is gone.
const LINGER: Duration = Duration::from_secs(1);

/// What comes after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum After {
    /// The connection may go on.
    Continue,
    /// It is closed.
    Close,
    /// It is reset.
    Reset,
}

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

/// Keeps a connection open and says nothing until the client has enough of it.
pub(super) async fn hold(stream: &mut TcpStream) -> After {
    let _ = time::timeout(HELD, until_closed(stream)).await;
    After::Close
}

/// Ends a connection.
pub(super) async fn finish(mut stream: TcpStream, after: After) {
    if after == After::Reset {
        let _ = stream.set_zero_linger();
        return;
    }
    // Unread bytes at a close would turn it into a reset that can overtake the reply.
    if stream.shutdown().await.is_ok() {
        let _ = time::timeout(LINGER, until_closed(&mut stream)).await;
    }
}

async fn until_closed(stream: &mut TcpStream) {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await.is_ok_and(|count| count > 0) {}
}
