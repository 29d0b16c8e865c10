//! Reading a request's body: capped, JSON only, every member checked, and the wrong one named.

use super::{ApiError, LARGEST_BODY, Pairs};
use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request},
    http::{StatusCode, header},
};
use model::UtcMillis;
use serde_json::{Map, Value, error::Category};

/// The members of a JSON object in the body. No body at all is an empty object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Members(Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Members {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (head, body) = request.into_parts();
        let bytes = read(body).await?;
        if bytes.is_empty() {
            return Ok(Self(Map::new()));
        }
        let kind =
            head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
            let message = "the body must be JSON, with content-type application/json";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message));
        }
        let Pairs(pairs) = serde_json::from_slice(&bytes).map_err(|error| {
            let message = match error.classify() {
                Category::Data => "the body must be a JSON object".to_owned(),
                _ => format!("the body isn't JSON: {error}"),
            };
            ApiError::new(StatusCode::BAD_REQUEST, "bad_json", message)
        })?;
        let mut members = Map::new();
        for (name, value) in pairs {
            // Two readers may each take another one of two.
            if members.contains_key(&name) {
                return Err(ApiError::invalid(name, "written twice"));
            }
            members.insert(name, value);
        }
        Ok(Self(members))
    }
}

async fn read(body: Body) -> Result<axum::body::Bytes, ApiError> {
    to_bytes(body, LARGEST_BODY).await.map_err(|_| {
        let message = format!("the body is larger than {LARGEST_BODY} bytes, or it broke off");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    })
}

impl Members {
    /// Refuses members that aren't among `known`.
    pub(super) fn only(self, known: &[&str]) -> Result<Self, ApiError> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(self),
            Some(unknown) => {
                let expected = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let message = format!("unknown member \"{unknown}\"; known: {expected}");
                Err(ApiError::invalid(unknown.clone(), message))
            }
        }
    }

    /// A whole number within `range`.
    pub(super) fn whole(
        &self,
        name: &'static str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Result<u32, ApiError> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let value =
            self.0.get(name).ok_or_else(|| ApiError::invalid(name, format!("missing: {expected}")))?;
        let number = value
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| range.contains(number));
        number.ok_or_else(|| ApiError::invalid(name, format!("must be {expected}")))
    }

    /// A number within `range`, or nothing.
    pub(super) fn number(
        &self,
        name: &'static str,
        range: std::ops::RangeInclusive<f64>,
    ) -> Result<Option<f64>, ApiError> {
        let Some(value) = self.0.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
        let number = value.as_f64().filter(|number| range.contains(number));
        let expected =
            || ApiError::invalid(name, format!("must be a number from {} to {}", range.start(), range.end()));
        number.map(Some).ok_or_else(expected)
    }

    /// An instant, or nothing.
    pub(super) fn instant(&self, name: &'static str) -> Result<Option<UtcMillis>, ApiError> {
        let Some(value) = self.0.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
        let instant = value.as_str().and_then(|text| text.parse().ok());
        instant.map(Some).ok_or_else(|| {
            ApiError::invalid(name, "must be an instant in UTC, like \"2026-06-21T18:00:00Z\"")
        })
    }

    /// Yes or no; no, if it is missing.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(ApiError::invalid(name, "must be true or false")),
        }
    }
}
