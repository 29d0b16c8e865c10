//! The door to the network: how many connections there may be, and how long one may take to say what it wants.
//!
//! Every connection takes a file of the program's, and the control loop needs files too, to reach the miners: whoever opens
//! connections and says nothing must not take them all.

use crate::access::RESTORE;
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
    response::IntoResponse,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::Service;

/// The most connections at once. A page takes two.
const CONNECTIONS: usize = 256;
/// The most of one address: a house of many pages behind one is served, and one machine can't take them all.
const OF_ONE_ADDRESS: usize = 64;
/// How long a request may take to say what it wants; and how long a connection may rest between two.
const HEADERS: Duration = Duration::from_secs(30);
/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 32 * 1024;
/// How long a request may take until its answer begins. The longest are tests of connections, and those end by themselves.
const ANSWER: Duration = Duration::from_secs(60);
/// The same where a whole database is sent first. Who sends it has said who they are, and is given up if nothing comes.
const RECEIVED: Duration = Duration::from_secs(60 * 60);
/// The rest before the next try, where no connection can be taken: the machine has no files left.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves until `closing`, then lets requests under way come to their end. `proxies` bring the connections of many.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    proxies: Vec<IpAddr>,
    closing: CancellationToken,
) {
    let open = Open::default();
    let graceful = GracefulShutdown::new();
    loop {
        let taken = tokio::select! {
            () = closing.cancelled() => break,
            taken = listener.accept() => taken,
        };
        let (stream, peer) = match taken {
            Ok(taken) => taken,
            Err(error) if is_of_the_other_side(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let most = if proxies.contains(&peer.ip().to_canonical()) { CONNECTIONS } else { OF_ONE_ADDRESS };
        // Who comes when it is full is let go at once: waiting would take what is missing.
        let Some(place) = open.take(peer.ip(), most) else { continue };
        let connection = connection(stream, peer, router.clone());
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // How a connection ends is for the other side to know.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> http1::Connection<
    TokioIo<TcpStream>,
    impl hyper::service::HttpService<Incoming, ResBody = Body, Error = std::convert::Infallible, Future: Send>,
> {
    let answer = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let patience = if request.uri().path() == RESTORE { RECEIVED } else { ANSWER };
        let answered = router.clone().call(request.map(Body::new));
        async move {
            match tokio::time::timeout(patience, answered).await {
                Ok(response) => response,
                Err(_) => Ok(StatusCode::REQUEST_TIMEOUT.into_response()),
            }
        }
    });
    // A small answer isn't held back for more.
    let _ = stream.set_nodelay(true);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_header_size(LARGEST_HEAD);
    builder.serve_connection(TokioIo::new(stream), answer)
}

/// Errors that concern one connection, not the listener.
fn is_of_the_other_side(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

/// The connections that are open, by address.
#[derive(Clone, Default)]
struct Open(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

impl Open {
    /// A place for one more, if there is room.
    fn take(&self, address: IpAddr, most: usize) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.get(&address).copied().unwrap_or(0);
        if all >= CONNECTIONS || own >= most {
            return None;
        }
        open.insert(address, own + 1);
        Some(Place { open: self.clone(), address })
    }
}

/// The place of a connection. It is free again when this is dropped.
struct Place {
    open: Open,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.0.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.address) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(open.remove(&self.address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::post;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Serves in time that leaps ahead whenever everybody waits.
    async fn served() -> (TcpStream, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", post(async |body: String| body));
        let closing = CancellationToken::new();
        tokio::spawn(serve(listener, router, Vec::new(), closing.clone()));
        (TcpStream::connect(address).await.unwrap(), closing)
    }

    async fn told(mut stream: TcpStream, said: &str) -> (String, Duration) {
        let begun = tokio::time::Instant::now();
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).await.unwrap();
        (told, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_says_what_they_want_is_let_go() {
        for said in
            ["", "GET / HTTP/1.1\r\nHost: loc", "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: yes\r\n"]
        {
            let (stream, _closing) = served().await;
            let (told, took) = told(stream, said).await;
            assert!(!told.contains(" 200 "), "{told}");
            assert!((HEADERS..HEADERS * 2).contains(&took), "{said:?}: {took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_answered_all_the_same() {
        let (stream, _closing) = served().await;
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{";
        let (told, took) = told(stream, head).await;
        assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
        assert!((ANSWER..ANSWER * 2).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_is_too_large_is_refused() {
        let (stream, _closing) = served().await;
        let head =
            format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: {}\r\n\r\n", "x".repeat(2 * LARGEST_HEAD));
        let (told, _) = told(stream, &head).await;
        assert!(told.starts_with("HTTP/1.1 431 "), "{told}");
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 168, 1, last])
    }

    #[test]
    fn nobody_takes_all_places_and_a_place_is_free_again() {
        let open = Open::default();
        let greedy: Vec<_> = (0..100).filter_map(|_| open.take(address(1), OF_ONE_ADDRESS)).collect();
        assert_eq!(greedy.len(), OF_ONE_ADDRESS);
        assert!(open.take(address(2), OF_ONE_ADDRESS).is_some());
        drop(greedy);
        assert!(open.0.lock().unwrap().is_empty(), "nothing is kept of who has gone");
        let many: Vec<_> = (0..=255).filter_map(|last| open.take(address(last), OF_ONE_ADDRESS)).collect();
        assert_eq!(many.len(), CONNECTIONS);
        assert!(open.take(address(7), OF_ONE_ADDRESS).is_none());
    }
}
