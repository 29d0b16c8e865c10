//! A V3 connection: frame after frame until the client leaves, falls silent or breaks the framing.

use super::answer;
use crate::miner::{
    Impostor,
    device::Device,
    impostor,
    transport::{self, After},
};
use std::time::Duration;
use tokio::{io::AsyncReadExt, net::TcpStream, time};

/// The longest request that is read, bytes.
const LONGEST_REQUEST: usize = 64 * 1024;

/// Serves one connection to its end.
pub(in crate::miner) async fn serve(stream: &mut TcpStream, device: &Device) -> After {
    loop {
        let faults = device.faults();
        let idle = Duration::from_millis(faults.v3_idle_close_ms);
        match faults.impostor {
            Some(Impostor::WebServer) => return impostor::web_server(stream, idle).await,
            Some(Impostor::Antminer) => return After::Reset,
            None => {}
        }
        let Some(content) = time::timeout(idle, read_frame(stream)).await.ok().flatten() else {
            return After::Close;
        };
        let after = if content.is_empty() {
            // A heartbeat.
            if faults.heartbeat_echo { transport::send(stream, &[0; 4]).await } else { After::Continue }
        } else {
            transport::deliver(stream, &answer(device, &content)).await
        };
        if after != After::Continue {
            return after;
        }
    }
}

/// The content of the next frame; `None` if the connection ends or the length can't be true.
async fn read_frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let length = usize::try_from(stream.read_u32_le().await.ok()?).ok()?;
    if length > LONGEST_REQUEST {
        return None;
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content).await.ok()?;
    Some(content)
}
