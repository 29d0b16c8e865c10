//! The device's web server: one request after the other, few connections, and the faults of the network.

use super::{Stall, device::Device, routes::Answer};
use crate::port::After;
use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// Open sockets of the firmware's server; the least recently used makes room for the next.
const SOCKETS: usize = 20;
/// Largest body that is read; the firmware refuses settings of 10 240 bytes itself.
const LARGEST_BODY: usize = 64 * 1024;

/// What of a request the device looks at.
pub(super) struct Request {
    pub(super) peer: SocketAddr,
    pub(super) method: String,
    /// Without the query.
    pub(super) path: String,
    pub(super) origin: Option<String>,
    pub(super) connection: Option<String>,
    pub(super) body: Bytes,
}

/// Serves one connection to its end.
pub(super) async fn serve(stream: &mut TcpStream, peer: SocketAddr, device: &Device) -> After {
    let socket = device.sockets.open();
    let service = service_fn(async |request| {
        device.sockets.used(socket.number);
        respond(request, peer, device).await
    });
    tokio::select! {
        () = socket.closed.cancelled() => After::Close,
        served = http1::Builder::new().serve_connection(TokioIo::new(&mut *stream), service) => {
            if served.is_ok() { After::Close } else { After::Reset }
        }
    }
}

/// Answers a request. The error ends the connection without an answer.
async fn respond(
    request: axum::http::Request<Incoming>,
    peer: SocketAddr,
    device: &Device,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), LARGEST_BODY).await.map_err(io::Error::other)?;
    let request = Request {
        peer,
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        origin: text(&head.headers, &header::ORIGIN),
        connection: text(&head.headers, &header::CONNECTION),
        body,
    };
    let faults = device.visit(|state, _| state.faults.clone());
    let stalls = match faults.stall {
        Stall::Nothing => false,
        Stall::Reads => request.method == "GET",
        Stall::Everything => true,
    };
    if stalls {
        device.ignore(&request);
        return std::future::pending().await;
    }
    let _alone = device.serving.lock().await;
    if faults.reply_delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(faults.reply_delay_ms)).await;
    }
    let answer = device.answer(&request).ok_or(io::ErrorKind::ConnectionReset)?;
    Ok(response(answer, faults.truncate_bytes))
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn response(answer: Answer, truncated: Option<usize>) -> Response<Body> {
    let mut body = answer.body.into_bytes();
    body.truncate(truncated.unwrap_or(usize::MAX));
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.kind));
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if answer.to_root {
        headers.insert(header::LOCATION, HeaderValue::from_static("/"));
    }
    response
}

/// The connections that are open, the least recently used first.
#[derive(Default)]
pub(super) struct Sockets {
    open: Mutex<VecDeque<(u64, CancellationToken)>>,
    count: AtomicU64,
}

/// A connection's place among the others, which is free again when this is dropped.
struct Socket<'a> {
    sockets: &'a Sockets,
    number: u64,
    closed: CancellationToken,
}

impl Sockets {
    /// A place for one more, at the cost of the least recently used where all are taken.
    fn open(&self) -> Socket<'_> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let closed = CancellationToken::new();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= SOCKETS
            && let Some((_, oldest)) = open.pop_front()
        {
            oldest.cancel();
        }
        open.push_back((number, closed.clone()));
        Socket { sockets: self, number, closed }
    }

    fn used(&self, number: u64) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = open.iter().position(|(open, _)| *open == number)
            && let Some(socket) = open.remove(index)
        {
            open.push_back(socket);
        }
    }
}

impl Drop for Socket<'_> {
    fn drop(&mut self) {
        let mut open = self.sockets.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(number, _)| *number != self.number);
    }
}
