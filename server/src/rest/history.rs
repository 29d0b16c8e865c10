//! `GET /api/miner/history` and `GET /api/battery/history`: what was measured, as rows.

use super::{Api, ApiError};
use axum::{
    Json,
    extract::{FromRequestParts, Query},
    http::{StatusCode, Uri, request::Parts},
    response::{IntoResponse, Response},
};
use model::{
    MinerId, UtcMillis,
    history::{Quantity, Track, Window},
};
use serde_json::{Map, Value, json};
use store::{Store, StoreError};

/// Points of a reply, if none are asked for.
pub(super) const POINTS: u32 = 1000;
/// The most that can be asked for.
pub(super) const MOST_POINTS: u32 = 10_000;
/// The longest stretch that can be asked for, in days.
pub(super) const MOST_DAYS: f64 = 36_500.0;
const DAY: f64 = 86_400_000.0;

/// Which stretch of time a request means, as its query says it. Nothing unknown may stand in it: a misspelt `from` must
/// not mean the last days.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Stretch {
    pub(super) id: Option<MinerId>,
    days: Option<f64>,
    from: Option<UtcMillis>,
    to: Option<UtcMillis>,
    pub(super) points: Option<u32>,
}

impl<S: Send + Sync> FromRequestParts<S> for Stretch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut stretch = Self::default();
        for (name, value) in members(&parts.uri)? {
            let again = match name.as_str() {
                "id" => stretch.id.replace(MinerId(value)).is_some(),
                "days" => stretch.days.replace(days(&name, &value)?).is_some(),
                "from" => stretch.from.replace(instant(&name, &value)?).is_some(),
                "to" => stretch.to.replace(instant(&name, &value)?).is_some(),
                "points" => {
                    let points = value.parse().ok().filter(|points| (1..=MOST_POINTS).contains(points));
                    let points =
                        points.ok_or_else(|| bad(&name, "must be a whole number from 1 to 10000"))?;
                    stretch.points.replace(points).is_some()
                }
                _ => return Err(bad(&name, "unknown; known: id, days, from, to, points")),
            };
            if again {
                return Err(bad(&name, "written twice"));
            }
        }
        if stretch.days.is_some() && stretch.from.is_some() {
            return Err(bad("days", "either days or from, not both"));
        }
        Ok(stretch)
    }
}

/// What stands in a query, in its order.
pub(crate) fn members(uri: &Uri) -> Result<Vec<(String, String)>, ApiError> {
    let members = Query::try_from_uri(uri);
    let unreadable = |_| ApiError::new(StatusCode::BAD_REQUEST, "bad_query", "the query can't be read");
    members.map(|Query(members)| members).map_err(unreadable)
}

pub(super) fn bad(name: &str, message: &str) -> ApiError {
    let error = ApiError::new(StatusCode::BAD_REQUEST, "bad_query", message);
    ApiError { field: Some(name.to_owned().into()), ..error }
}

/// A number of days.
pub(super) fn days(name: &str, value: &str) -> Result<f64, ApiError> {
    let days = value.parse().ok().filter(|days| *days > 0.0 && *days <= MOST_DAYS);
    days.ok_or_else(|| bad(name, "must be a number of days, more than 0 and at most 36500"))
}

/// So many days before an instant.
pub(super) fn before(at: UtcMillis, days: f64) -> UtcMillis {
    UtcMillis(at.0.saturating_sub((days * DAY).round() as i64))
}

pub(super) fn instant(name: &str, value: &str) -> Result<UtcMillis, ApiError> {
    value.parse().map_err(|_| bad(name, "must be an instant in UTC like 2026-03-21T12:00:00Z"))
}

impl Stretch {
    /// The window this means at `now`.
    pub(super) fn window(&self, now: UtcMillis, default_days: f64) -> Result<Window, ApiError> {
        let to = self.to.unwrap_or(now);
        let from = self.from.unwrap_or_else(|| before(to, self.days.unwrap_or(default_days)));
        if from >= to {
            return Err(bad("from", "must be before to"));
        }
        Ok(Window { from, to, points: self.points.unwrap_or(POINTS) })
    }
}

/// The names of the battery's quantities in a row, those of earlier clients.
pub(super) const BATTERY: [(Quantity, &str); 5] = [
    (Quantity::Soc, "soc_percent"),
    (Quantity::Pv, "pv_power_w"),
    (Quantity::Load, "load_power_w"),
    (Quantity::Grid, "grid_power_w"),
    (Quantity::Battery, "battery_net_w"),
];

/// The names of a miner's quantities in a row.
pub(super) const MINER: [(Quantity, &str); 7] = [
    (Quantity::Power, "power_w"),
    (Quantity::PowerSet, "power_set_w"),
    (Quantity::HashRate, "hashrate_ths"),
    (Quantity::Ambient, "ambient_c"),
    (Quantity::ChipMax, "chip_max_c"),
    (Quantity::FanIn, "fan_in_rpm"),
    (Quantity::FanOut, "fan_out_rpm"),
];

/// The battery's history.
pub(super) async fn battery(api: &Api, stretch: &Stretch) -> Result<Response, ApiError> {
    if stretch.id.is_some() {
        return Err(bad("id", "there is one battery"));
    }
    let store = store(api)?;
    let window = stretch.window(api.site.now().utc, api.current.facts().default_days)?;
    let quantities = BATTERY.map(|(quantity, _)| quantity);
    let track = store
        .battery_history(window, &quantities, api.current.rules().battery_gap)
        .await
        .map_err(|error| failed(&error))?;
    let energy = store.battery_energy(window.from, window.to).await.map_err(|error| failed(&error))?;
    Ok(reply(window, &track, &BATTERY, &json!(energy)))
}

/// A miner's history.
pub(super) async fn miner(api: &Api, miner: &MinerId, stretch: &Stretch) -> Result<Response, ApiError> {
    let store = store(api)?;
    let window = stretch.window(api.site.now().utc, api.current.facts().default_days)?;
    let quantities = MINER.map(|(quantity, _)| quantity);
    let track = store
        .miner_history(miner, window, &quantities, api.current.rules().miner_gap)
        .await
        .map_err(|error| failed(&error))?;
    let energy = store.miner_energy(miner, window.from, window.to).await.map_err(|error| failed(&error))?;
    Ok(reply(window, &track, &MINER, &json!(energy)))
}

pub(super) fn store(api: &Api) -> Result<&Store, ApiError> {
    let missing = "the database can't be used, so there is no history";
    api.store.as_ref().ok_or_else(|| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "no_database", missing))
}

pub(super) fn failed(error: &StoreError) -> ApiError {
    // Its words may name a path of this machine.
    tracing::warn!(%error, "the history can't be read");
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "database", "the history can't be read just now")
}

/// Rows under the names that earlier clients know: the mean, and beside it the least and the greatest value where a row
/// stands for more than one sample.
fn reply(window: Window, track: &Track, names: &[(Quantity, &str)], energy: &Value) -> Response {
    let value = |values: &[Option<f64>], index: usize| json!(values.get(index).copied().flatten());
    let row = |(index, at): (usize, &UtcMillis)| {
        let mut row = Map::new();
        row.insert("ts".into(), json!(at));
        for (quantity, name) in names {
            let Some(series) = track.series(*quantity) else { continue };
            row.insert((*name).into(), value(&series.mean, index));
            if track.step_ms.is_some() {
                row.insert(format!("{name}_min"), value(&series.min, index));
                row.insert(format!("{name}_max"), value(&series.max, index));
            }
        }
        Value::Object(row)
    };
    let rows: Vec<_> = track.at.iter().enumerate().map(row).collect();
    let days = |millis: i64| (millis as f64 / DAY * 1000.0).round() / 1000.0;
    let requested = window.to.millis_since(window.from);
    let loaded = track.at.first().map_or(0, |first| window.to.millis_since(*first).min(requested));
    Json(json!({
        "data": rows,
        "meta": {
            "requested_days": days(requested),
            "loaded_days": days(loaded),
            "from": window.from,
            "to": window.to,
            "points": track.at.len(),
            "step_seconds": track.step_ms.map(|step| step as f64 / 1000.0),
            "gap_seconds": track.gap_ms as f64 / 1000.0,
            "energy": energy,
        },
    }))
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMillis = UtcMillis(1_795_000_000_000);

    async fn read(query: &str) -> Result<Stretch, ApiError> {
        let request = axum::http::Request::builder().uri(format!("/history?{query}")).body(()).unwrap();
        Stretch::from_request_parts(&mut request.into_parts().0, &()).await
    }

    #[tokio::test]
    async fn a_query_says_which_stretch_is_meant() {
        let window = async |query: &str| read(query).await.unwrap().window(NOW, 3.0).unwrap();
        let three_days = window("").await;
        assert_eq!((three_days.from.0, three_days.to, three_days.points), (NOW.0 - 259_200_000, NOW, POINTS));
        assert_eq!(window("days=0.5&points=10").await.from.0, NOW.0 - 43_200_000);
        let given = window("from=2026-03-08T05:00:00Z&to=2026-03-09T04:00:00Z").await;
        assert_eq!(given.to.millis_since(given.from), 23 * 3_600_000, "a day of 23 hours");
    }

    #[tokio::test]
    async fn a_query_that_means_nothing_is_refused_with_the_member_that_is_wrong() {
        for (query, field) in [
            ("days=0", "days"),
            ("days=-1", "days"),
            ("days=NaN", "days"),
            ("days=inf", "days"),
            ("days=1e9", "days"),
            ("days=3&days=4", "days"),
            ("days=3&from=2026-03-08T05:00:00Z", "days"),
            ("from=yesterday", "from"),
            ("to=2026-03-08", "to"),
            ("points=0", "points"),
            ("points=10001", "points"),
            ("points=1.5", "points"),
            ("form=2026-03-08T05:00:00Z", "form"),
        ] {
            let error = read(query).await.unwrap_err();
            assert_eq!(error.field.as_deref(), Some(field), "{query}");
            assert_eq!(error.status, StatusCode::BAD_REQUEST);
        }
        let backwards = read("from=2026-03-09T05:00:00Z&to=2026-03-08T05:00:00Z").await.unwrap();
        assert_eq!(backwards.window(NOW, 3.0).unwrap_err().field.as_deref(), Some("from"));
    }
}
