//! The portal's socket: an HTTP server whose connections can be reset before they answer.

use super::{
    Portal,
    answer::{Answer, Body as AnswerBody, Request as PortalCall},
    faults::ReplyFault,
};
use axum::{
    Form, Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, FromRequest, Request, State, connect_info::Connected},
    http::{HeaderValue, Response, StatusCode, header},
    serve::{IncomingStream, Listener},
};
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// Size of an oversized body.
const OVERSIZED: usize = 5 * 1024 * 1024;

/// Serves until the portal is stopped.
pub(super) async fn serve(listener: TcpListener, portal: Arc<Portal>) -> io::Result<()> {
    let stopped = portal.stop.clone();
    let service = Router::new().fallback(handle).with_state(portal);
    axum::serve(Connections(listener), service.into_make_service_with_connect_info::<Cut>())
        .with_graceful_shutdown(stopped.cancelled_owned())
        .await
}

async fn handle(
    State(portal): State<Arc<Portal>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response<Body> {
    let call = read(request).await;
    let (answer, fault, held_back) = portal.answer(&call);
    if held_back > Duration::ZERO {
        tokio::select! {
            () = tokio::time::sleep(held_back) => {}
            () = portal.stop.cancelled() => cut.cut(),
        }
    }
    match fault {
        Some(ReplyFault::Reset) => cut.cut(),
        Some(ReplyFault::Silent) => {
            portal.stop.cancelled().await;
            cut.cut();
        }
        _ => {}
    }
    respond(answer, fault, &portal.http_date())
}

/// What of a request the portal looks at. A body that is no form has no fields.
async fn read(request: Request) -> PortalCall {
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    let cookie = request
        .headers()
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix("JSESSIONID=").map(str::to_owned));
    let form = Form::<Vec<(String, String)>>::from_request(request, &())
        .await
        .map_or_else(|_| Vec::new(), |Form(form)| form);
    PortalCall { method, path, cookie, form }
}

fn respond(answer: Answer, fault: Option<ReplyFault>, date: &str) -> Response<Body> {
    let (kind, mut body) = match answer.body {
        AnswerBody::Json(value) => ("application/json;charset=UTF-8", value.to_string().into_bytes()),
        AnswerBody::Html(page) => ("text/html;charset=UTF-8", page.into_bytes()),
    };
    match fault {
        Some(ReplyFault::Truncated) => body.truncate(body.len() / 2),
        Some(ReplyFault::Oversized) => body.resize(OVERSIZED.max(body.len()), b' '),
        _ => {}
    }
    let mut response = Response::new(Body::from(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let date = (header::DATE, date.to_owned());
    for (name, value) in answer.headers.into_iter().chain([date]) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}

/// Hands out connections that can be cut.
struct Connections(TcpListener);

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        (Connection { stream, cut: Cut::default() }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Cuts the connection that a request came over: what is answered then never leaves.
#[derive(Clone, Default)]
struct Cut(Arc<AtomicBool>);

impl Cut {
    fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Connected<IncomingStream<'_, Connections>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        stream.io().cut.clone()
    }
}

/// A connection that refuses to write once it is cut, and is then reset rather than closed.
struct Connection {
    stream: TcpStream,
    cut: Cut,
}

impl Connection {
    fn unless_cut(&self) -> io::Result<()> {
        if self.cut.0.load(Ordering::Acquire) {
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.unless_cut()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.unless_cut()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.unless_cut()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
