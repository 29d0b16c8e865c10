//! As much HTTP as it takes to ask a program on this machine for JSON: HTTP/1.0, one request per connection.

use anyhow::{Context, bail};
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// How long a program on this machine may take to answer.
const DEADLINE: Duration = Duration::from_secs(10);
/// Largest reply that is read.
const LARGEST_REPLY: u64 = 16 * 1024 * 1024;

/// Asks `http://HOST:PORT` for `path` and takes the JSON of the reply, `null` for an empty one.
pub(crate) fn call(base: &str, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
    request(base, method, path, body).with_context(|| format!("{method} {base}{path}"))
}

fn request(base: &str, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
    let host = base.strip_prefix("http://").context("only plain HTTP is spoken here")?;
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut reply = String::new();
    stream.take(LARGEST_REPLY).read_to_string(&mut reply)?;
    parse(&reply)
}

/// Loads `http://HOST:PORT` as a browser does: how long the first byte takes from the asking, and how many bytes the
/// compressed body has.
pub(crate) fn load(base: &str, path: &str) -> anyhow::Result<(Duration, u64)> {
    let host = base.strip_prefix("http://").context("only plain HTTP is spoken here")?;
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    let head =
        format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\n\r\n");
    let asked = Instant::now();
    stream.write_all(head.as_bytes())?;
    let mut reply = vec![0; 1];
    stream.read_exact(&mut reply)?;
    let first_byte = asked.elapsed();
    stream.take(LARGEST_REPLY).read_to_end(&mut reply)?;
    let end_of_head = reply.windows(4).position(|four| four == b"\r\n\r\n").context("no HTTP reply")?;
    if !reply.starts_with(b"HTTP/1.0 200") && !reply.starts_with(b"HTTP/1.1 200") {
        bail!("{base}{path} isn't there");
    }
    Ok((first_byte, (reply.len() - end_of_head - 4) as u64))
}

/// What a program tells in `/metrics`.
pub(crate) struct Metrics(String);

/// Asks `http://HOST:PORT` for its metrics.
pub(crate) fn metrics(base: &str) -> anyhow::Result<Metrics> {
    text(base, "/metrics").map(Metrics)
}

/// Asks `http://HOST:PORT` for `path`. The whole reply as it came.
pub(crate) fn text(base: &str, path: &str) -> anyhow::Result<String> {
    let host = base.strip_prefix("http://").context("only plain HTTP is spoken here")?;
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut reply = String::new();
    stream.take(LARGEST_REPLY).read_to_string(&mut reply)?;
    Ok(reply)
}

impl Metrics {
    /// The value of a metric without labels.
    pub(crate) fn value(&self, name: &str) -> anyhow::Result<f64> {
        let value = self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok()).with_context(|| format!("/metrics tells no {name}"))
    }
}

fn parse(reply: &str) -> anyhow::Result<Value> {
    let (head, body) = reply.split_once("\r\n\r\n").context("no HTTP reply")?;
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        bail!("answered with {status}: {body}");
    }
    if body.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(body).context("the reply is no JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_metric_is_found_by_its_whole_name() {
        let told = Metrics("# TYPE late counter\nlate_total 3\nlate 0.25\n# EOF\n".to_owned());
        assert_eq!(told.value("late").unwrap().to_bits(), 0.25_f64.to_bits());
        assert!(told.value("lat").is_err() && told.value("TYPE").is_err());
    }

    #[test]
    fn replies_are_parsed_or_refused() {
        let good = "HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{\"soc\": 31}";
        assert_eq!(parse(good).unwrap(), json!({"soc": 31}));
        assert_eq!(parse("HTTP/1.1 204 No Content\r\n\r\n").unwrap(), Value::Null);
        for (bad, expected) in [
            ("HTTP/1.1 503 Service Unavailable\r\n\r\nno", "answered with 503: no"),
            ("HTTP/1.1 200 OK\r\n\r\n<html>", "the reply is no JSON"),
            ("HTTP/1.1 200 OK", "no HTTP reply"),
            ("", "no HTTP reply"),
        ] {
            assert_eq!(parse(bad).unwrap_err().to_string(), expected);
        }
    }
}
