//! How a table is written: for spreadsheets, or for programs. Both are made piece by piece.

use axum::body::Bytes;
use csv::{Terminator, Writer, WriterBuilder};
use model::UtcMillis;
use std::io;

/// A form of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As RFC 4180 wants it: an empty field is unknown.
    Csv,
    /// One object: the names of the columns, and a row of values for each instant. Unknown is null.
    Json,
}

impl Form {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
        }
    }

    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// What comes before the rows.
    pub(super) fn beginning(self, titles: &[String]) -> io::Result<Bytes> {
        match self {
            Self::Csv => {
                let mut writer = writer();
                writer.write_record(titles)?;
                finished(writer)
            }
            Self::Json => {
                let titles = serde_json::to_string(titles)?;
                Ok(Bytes::from(format!("{{\"columns\":{titles},\"rows\":[")))
            }
        }
    }

    /// What comes after them.
    pub(super) const fn end(self) -> Option<Bytes> {
        match self {
            Self::Csv => None,
            Self::Json => Some(Bytes::from_static(b"\n]}\n")),
        }
    }

    /// Some rows, the first of all if `is_first`.
    pub(super) fn rows(self, is_first: bool) -> Rows {
        match self {
            Self::Csv => Rows::Csv(Box::new(writer())),
            Self::Json => Rows::Json { text: Vec::new(), is_first },
        }
    }
}

/// Rows that are being written.
pub(super) enum Rows {
    Csv(Box<Writer<Vec<u8>>>),
    Json { text: Vec<u8>, is_first: bool },
}

impl Rows {
    pub(super) fn add(&mut self, at: UtcMillis, values: impl Iterator<Item = Option<f64>>) -> io::Result<()> {
        match self {
            Self::Csv(writer) => {
                writer.write_field(at.to_string())?;
                for value in values {
                    writer.write_field(value.map(|value| value.to_string()).unwrap_or_default())?;
                }
                writer.write_record(None::<&[u8]>)?;
            }
            Self::Json { text, is_first } => {
                text.extend_from_slice(if *is_first { b"\n[" } else { b",\n[" });
                *is_first = false;
                serde_json::to_writer(&mut *text, &at.to_string())?;
                for value in values {
                    text.push(b',');
                    // What isn't a number has no place in JSON, and none is kept.
                    serde_json::to_writer(&mut *text, &value)?;
                }
                text.push(b']');
            }
        }
        Ok(())
    }

    pub(super) fn finished(self) -> io::Result<Bytes> {
        match self {
            Self::Csv(writer) => finished(*writer),
            Self::Json { text, .. } => Ok(Bytes::from(text)),
        }
    }
}

pub(super) fn writer() -> Writer<Vec<u8>> {
    WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new())
}

pub(super) fn finished(writer: Writer<Vec<u8>>) -> io::Result<Bytes> {
    writer.into_inner().map(Bytes::from).map_err(csv::IntoInnerError::into_error)
}
