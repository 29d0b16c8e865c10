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
    /// What is known of that miner, which is controlled.
    pub(super) fn find<'a>(&self, snapshot: &'a Snapshot) -> Result<&'a MinerView, ApiError> {
        let found = match &self.0 {
            None => snapshot.miners.first(),
            Some(id) => snapshot.miners.iter().find(|miner| miner.id == *id),
        };
        found.ok_or_else(|| self.missing(snapshot))
    }

    /// The id of that miner, which is controlled or only looked at.
    pub(super) fn known<'a>(&self, snapshot: &'a Snapshot) -> Result<&'a MinerId, ApiError> {
        let mut ids = ids(snapshot);
        let found = match &self.0 {
            None => ids.next(),
            Some(id) => ids.find(|known| *known == id),
        };
        found.ok_or_else(|| self.missing(snapshot))
    }

    fn missing(&self, snapshot: &Snapshot) -> ApiError {
        match &self.0 {
            _ if snapshot.tick == 0 => starting(),
            Some(id) => Refused::NoSuchMiner(id.clone()).into(),
            None => ApiError::new(StatusCode::NOT_FOUND, "no_miner", "no miner is configured"),
        }
    }
}

/// The ids of all miners, those that are controlled first.
pub(super) fn ids(snapshot: &Snapshot) -> impl Iterator<Item = &MinerId> {
    let followed = snapshot.followed.iter().map(|miner| &miner.id);
    snapshot.miners.iter().map(|miner| &miner.id).chain(followed)
}

/// Nothing is known of any miner before the first tick.
pub(super) fn starting() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "starting", "the controller is starting")
}
