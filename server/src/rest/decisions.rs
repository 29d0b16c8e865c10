//! `GET /api/decisions`: the journal of decisions.

use super::{
    Api, ApiError,
    history::{bad, before, days, instant, members},
    which::ids,
};
use axum::{
    Json, Router,
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use model::{
    MinerId, Rule, UtcMillis,
    journal::{Cause, Entry, Place, Position, Question},
};
use serde_json::{Value, json};

/// Decisions of a reply, if no number is asked for.
pub(super) const LIMIT: u32 = 100;
/// The most that can be asked for.
pub(super) const MOST: u32 = 1000;

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/decisions", get(decisions))
}

/// Which decisions a request means, as its query says it.
#[derive(Debug, Clone, PartialEq, Default)]
struct Asked {
    miner: Option<MinerId>,
    days: Option<f64>,
    from: Option<UtcMillis>,
    to: Option<UtcMillis>,
    rules: Vec<Rule>,
    commands_only: Option<bool>,
    before: Option<Place>,
    limit: Option<u32>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut asked = Self::default();
        for (name, value) in members(&parts.uri)? {
            let again = match name.as_str() {
                "miner" => asked.miner.replace(MinerId(value)).is_some(),
                "days" => asked.days.replace(days(&name, &value)?).is_some(),
                "from" => asked.from.replace(instant(&name, &value)?).is_some(),
                "to" => asked.to.replace(instant(&name, &value)?).is_some(),
                "rule" => {
                    let rule = rule(&name, value)?;
                    let again = asked.rules.contains(&rule);
                    asked.rules.push(rule);
                    again
                }
                "commands" => {
                    let only = value.parse().map_err(|_| bad(&name, "must be true or false"))?;
                    asked.commands_only.replace(only).is_some()
                }
                "before" => {
                    let place = value.parse().map_err(|_| bad(&name, "must be what `older` said"))?;
                    asked.before.replace(place).is_some()
                }
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                    let limit = limit.ok_or_else(|| bad(&name, "must be a whole number from 1 to 1000"))?;
                    asked.limit.replace(limit).is_some()
                }
                _ => {
                    let known = "unknown; known: miner, days, from, to, rule, commands, before, limit";
                    return Err(bad(&name, known));
                }
            };
            if again {
                return Err(bad(&name, "written twice"));
            }
        }
        if asked.days.is_some() && asked.from.is_some() {
            return Err(bad("days", "either days or from, not both"));
        }
        Ok(asked)
    }
}

/// The rule of this name.
fn rule(name: &str, value: String) -> Result<Rule, ApiError> {
    serde_json::from_value(value.into()).map_err(|_| {
        let known = Rule::ALL.map(|rule| json!(rule).as_str().unwrap_or_default().to_owned());
        bad(name, &format!("no rule; the rules: {}", known.join(", ")))
    })
}

impl Asked {
    /// What this asks the store at `now`. Without a stretch of time, the whole journal is meant.
    fn question(self, now: UtcMillis) -> Result<Question, ApiError> {
        let to = self.to.unwrap_or(UtcMillis(i64::MAX));
        let since = self.days.map(|days| before(self.to.unwrap_or(now), days));
        let from = self.from.or(since).unwrap_or(UtcMillis(i64::MIN));
        if from >= to {
            return Err(bad("from", "must be before to"));
        }
        Ok(Question {
            miner: self.miner,
            causes: self.rules.into_iter().map(|rule| Cause { rule, reasons: Vec::new() }).collect(),
            commands_only: self.commands_only.unwrap_or(false),
            from,
            to,
            position: self.before.map_or(Position::Newest, Position::OlderThan),
            limit: self.limit.unwrap_or(LIMIT),
        })
    }
}

/// Takes a query for nothing but to see what becomes of it.
#[cfg(any(test, fuzzing))]
pub(super) fn try_query(parts: &mut Parts, now: UtcMillis) -> Result<(), ApiError> {
    let question = super::fuzzing::ask::<Asked>(parts)?.question(now)?;
    let Question { from, to, limit, .. } = question;
    assert!(from < to && (1..=MOST).contains(&limit), "no question: {from:?} to {to:?}, {limit}");
    Ok(())
}

async fn decisions(State(api): State<Api>, asked: Asked) -> Result<Response, ApiError> {
    if let Some(miner) = &asked.miner
        && !ids(&api.site.snapshot()).any(|known| known == miner)
    {
        let error = ApiError::new(StatusCode::NOT_FOUND, "no_such_miner", "there is no miner with this id");
        return Err(ApiError { field: Some("miner".into()), ..error });
    }
    let question = asked.question(api.site.now().utc)?;
    let unusable = |code, message| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, message);
    let missing = || unusable("no_database", "the database can't be used, so there is no journal");
    let store = api.store.as_ref().ok_or_else(missing)?;
    let page = store.journal(&question).await.map_err(|error| {
        // Its words may name a path of this machine.
        tracing::warn!(%error, "the journal can't be read");
        unusable("database", "the journal can't be read just now")
    })?;
    let decisions: Vec<_> = page.entries.iter().map(body).collect();
    let older = page.older.map(|place| place.to_string());
    Ok(Json(json!({ "decisions": decisions, "older": older })).into_response())
}

/// A decision under the names that it has in the other replies, with what it was made from and what became of it.
fn body(entry: &Entry) -> Value {
    let decision = &entry.decision;
    json!({
        "id": entry.place.id,
        "at": decision.at,
        "miner": decision.miner,
        "rule": decision.rule,
        "reason": decision.reason,
        "wanted": decision.wanted,
        "command": decision.command,
        "blocked_by": decision.blocked_by,
        "blocked_until": decision.blocked_until,
        "explanation": decision.explanation,
        "readings": {
            "soc_percent": decision.soc_percent,
            "soc_at": decision.source_time,
            "power_w": decision.miner_power,
            "power_set_percent": decision.power_set_percent,
        },
        "op": entry.operation,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMillis = UtcMillis(1_795_000_000_000);

    async fn read(query: &str) -> Result<Asked, ApiError> {
        let request = axum::http::Request::builder().uri(format!("/decisions?{query}")).body(()).unwrap();
        Asked::from_request_parts(&mut request.into_parts().0, &()).await
    }

    #[tokio::test]
    async fn a_query_says_which_decisions_are_meant() {
        let question = async |query: &str| read(query).await.unwrap().question(NOW).unwrap();
        let all = question("").await;
        assert_eq!((all.from.0, all.to.0, all.limit), (i64::MIN, i64::MAX, LIMIT));
        assert!(all.causes.is_empty() && !all.commands_only && all.miner.is_none());
        assert_eq!(question("days=0.5").await.from.0, NOW.0 - 43_200_000);
        let until = question("days=1&to=2026-03-09T04:00:00Z").await;
        assert_eq!(until.from, "2026-03-08T04:00:00Z".parse().unwrap());
        let rules = question("rule=ladder&rule=person_off&commands=true&miner=shed").await;
        let found: Vec<_> = rules.causes.iter().map(|cause| cause.rule).collect();
        assert_eq!(found, [Rule::Ladder, Rule::PersonOff]);
        assert!(rules.commands_only);
        assert_eq!(rules.miner, Some(MinerId("shed".into())));
        let place = Place { at: UtcMillis(5), id: 7 };
        assert_eq!(question(&format!("before={place}")).await.position, Position::OlderThan(place));
    }

    #[tokio::test]
    async fn a_query_that_means_nothing_is_refused_with_the_member_that_is_wrong() {
        for (query, field) in [
            ("days=0", "days"),
            ("days=3&days=4", "days"),
            ("days=3&from=2026-03-08T05:00:00Z", "days"),
            ("from=yesterday", "from"),
            ("to=2026-03-08", "to"),
            ("rule=", "rule"),
            ("rule=Ladder", "rule"),
            ("rule=full&rule=full", "rule"),
            ("commands=1", "commands"),
            ("commands=", "commands"),
            ("before=7", "before"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=1.5", "limit"),
            ("id=garage", "id"),
        ] {
            let error = read(query).await.unwrap_err();
            assert_eq!(error.field.as_deref(), Some(field), "{query}");
            assert_eq!(error.status, StatusCode::BAD_REQUEST);
        }
        let backwards = read("from=2026-03-09T05:00:00Z&to=2026-03-08T05:00:00Z").await.unwrap();
        assert_eq!(backwards.question(NOW).unwrap_err().field.as_deref(), Some("from"));
    }
}
