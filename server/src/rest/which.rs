//! Which miner a request means.

use super::ApiError;
use axum::{
    extract::{FromRequestParts, Query},
    http::{StatusCode, request::Parts},
};
use engine::Refused;
use model::{
    MinerId,
    snapshot::{MinerView, Snapshot},
};

/// The miner named by `?id=`; the first one, without it. Nothing else may stand in the query: a misspelt `id` must
/// not reach another miner.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Which(pub(super) Option<MinerId>);

impl<S: Send + Sync> FromRequestParts<S> for Which {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let bad = |message: &str| ApiError::new(StatusCode::BAD_REQUEST, "bad_query", message);
        let members = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let Query(members) = members.map_err(|_| bad("the query can't be read"))?;
        let mut id = None;
        for (name, value) in members {
            let wrong = match name.as_str() {
                "id" if id.is_none() => {
                    id = Some(MinerId(value));
                    continue;
                }
                "id" => "written twice",
                _ => "unknown; known: id",
            };
            return Err(ApiError { field: Some(name.into()), ..bad(wrong) });
        }
        Ok(Self(id))
    }
}

impl Which {
    /// What is known of that miner.
    pub(super) fn find<'a>(&self, snapshot: &'a Snapshot) -> Result<&'a MinerView, ApiError> {
        let found = match &self.0 {
            None => snapshot.miners.first(),
            Some(id) => snapshot.miners.iter().find(|miner| miner.id == *id),
        };
        if let Some(found) = found {
            return Ok(found);
        }
        if snapshot.tick == 0 {
            return Err(starting());
        }
        match &self.0 {
            Some(id) => Err(Refused::NoSuchMiner(id.clone()).into()),
            None => Err(ApiError::new(StatusCode::NOT_FOUND, "no_miner", "no miner is configured")),
        }
    }
}

/// Nothing is known of any miner before the first tick.
pub(super) fn starting() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "starting", "the controller is starting")
}
