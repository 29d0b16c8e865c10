//! Devices that announce themselves: AxeOS since 2.15 and newer NerdOS by DNS-SD over mDNS. Older ones say nothing, and
//! what announces a web server may be a printer: whoever announces itself is only asked like any other.

use mdns_sd::{ServiceDaemon, ServiceEvent};
use std::{net::Ipv4Addr, time::Duration};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::sleep,
};

/// AxeOS' own kind of web server, and every web server.
const SERVICES: [&str; 2] = ["_axeos._sub._http._tcp.local.", "_http._tcp.local."];

/// The addresses that announce themselves within `patience`; the channel closes after that. Nothing is listened to without
/// it. A system that allows no multicast is one where nobody announces itself.
pub(super) fn addresses(patience: Option<Duration>) -> UnboundedReceiver<Ipv4Addr> {
    let (sender, receiver) = unbounded_channel();
    if let Some(patience) = patience {
        match Listener::start() {
            Ok(listener) => {
                tokio::spawn(async move {
                    tokio::select! {
                        () = sleep(patience) => {}
                        () = sender.closed() => {}
                        () = listener.listen(&sender) => {}
                    }
                });
            }
            Err(error) => tracing::debug!("announcements can't be listened to: {error}"),
        }
    }
    receiver
}

/// The daemon of mdns-sd, a thread of its own, ended with this.
struct Listener(ServiceDaemon);

impl Listener {
    fn start() -> Result<Self, mdns_sd::Error> {
        ServiceDaemon::new().map(Self)
    }

    async fn listen(&self, found: &UnboundedSender<Ipv4Addr>) {
        futures::future::join_all(SERVICES.map(|service| self.browse(service, found))).await;
    }

    async fn browse(&self, service: &str, found: &UnboundedSender<Ipv4Addr>) {
        let Ok(events) = self.0.browse(service) else { return };
        while let Ok(event) = events.recv_async().await {
            if let ServiceEvent::ServiceResolved(service) = event {
                for address in service.get_addresses_v4() {
                    let _ = found.send(address);
                }
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.0.shutdown();
    }
}
