//! An address in the house's network, which leads to one miner now and to another later.

use simulator::miner::SimulatedMiner;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// One address. Connections that are open stay with the miner that they were opened to.
pub(crate) struct Address {
    v2: Relay,
    v3: Relay,
}

impl Address {
    /// One that leads to this miner.
    pub(crate) async fn of(miner: &SimulatedMiner) -> Self {
        let address = Self { v2: Relay::open().await, v3: Relay::open().await };
        address.lead_to(miner);
        address
    }

    /// Where it is asked by V2 and by V3.
    pub(crate) fn ports(&self) -> (u16, u16) {
        (self.v2.port, self.v3.port)
    }

    /// From now on this miner is here.
    pub(crate) fn lead_to(&self, miner: &SimulatedMiner) {
        *self.v2.target.lock().unwrap() = miner.v2_addr();
        *self.v3.target.lock().unwrap() = miner.v3_addr();
    }

    /// From now on nobody is here: what is opened is closed at once.
    pub(crate) fn lead_nowhere(&self) {
        for relay in [&self.v2, &self.v3] {
            *relay.target.lock().unwrap() = None;
        }
    }
}

/// One port of it.
struct Relay {
    port: u16,
    target: Arc<Mutex<Option<SocketAddr>>>,
    _closes: DropGuard,
}

impl Relay {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Arc::new(Mutex::new(None));
        let closed = CancellationToken::new();
        let relay = Self { port, target: Arc::clone(&target), _closes: closed.clone().drop_guard() };
        tokio::spawn(closed.run_until_cancelled_owned(async move {
            while let Ok((mut asked, _)) = listener.accept().await {
                let target: Option<SocketAddr> = *target.lock().unwrap();
                let Some(target) = target else { continue };
                tokio::spawn(async move {
                    if let Ok(mut answers) = TcpStream::connect(target).await {
                        // It ends with either of them.
                        let _ = tokio::io::copy_bidirectional(&mut asked, &mut answers).await;
                    }
                });
            }
        }));
        relay
    }
}
