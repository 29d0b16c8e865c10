//! The call of `/api/history.csv`, and what it and the two histories have in common.

use super::{call::Call, shapes::Instant};
use crate::rest::history::{BATTERY, MINER, MOST_DAYS, MOST_POINTS, POINTS};
use model::history::Quantity;
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Object, ObjectBuilder, RefOr, Schema, Type,
        schema::{AdditionalProperties, SchemaType},
    },
};

pub(super) fn calls() -> Vec<Call> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let table =
        text().examples([json!("time,soc_percent,…,miner_1_power_w,…\r\n2026-06-21T18:00:00Z,81.5,…\r\n")]);
    let call = Call::get("/api/history.csv", "All that was measured, as a table")
        .about(
            "CSV as in RFC 4180, a row for each instant, oldest first: every sample as it was taken, and means of \
             minutes for every two hours of which samples were removed. It reaches to the present, also where the histories lack \
             the newest minute. An empty field is unknown. A table that ends is whole: what fails in the middle breaks the connection.",
        )
        .query("id", "only this miner, controlled or only looked at, beside the battery; all, if left out", text())
        .refuses(404, "there is no such miner");
    let call = between(call)
        .query("points", "the rows of the histories for as many points, instead of samples", points())
        .reply_of(200, "the table", "text/csv", table)
        .refuses(
            503,
            "the database can't be read, others are making tables already, or the controller is starting",
        );
    let about = "The same table as one JSON object: `columns` names what stands in each of `rows`; unknown is null. It is sent \
        piece by piece, and is whole if it ends.";
    let json = Call::get("/api/history.json", "All that was measured, for programs")
        .about(about)
        .query(
            "id",
            "only this miner, controlled or only looked at, beside the battery; all, if left out",
            text(),
        )
        .refuses(404, "there is no such miner");
    let json = between(json)
        .query("points", "the rows of the histories for as many points, instead of samples", points())
        .reply::<Table>(200, "the table")
        .refuses(
            503,
            "the database can't be read, others are making tables already, or the controller is starting",
        );
    vec![call, json]
}

/// What was measured.
#[derive(ToSchema)]
struct Table {
    /// "time", then what stands in the row after it, with its unit.
    columns: Vec<String>,
    /// A row for each instant, oldest first.
    rows: Vec<Vec<Cell>>,
}

/// What stands at a place of it.
struct Cell;

impl PartialSchema for Cell {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Number, Type::Null]))
            .description(Some("First an instant; then values, null where nothing is known."))
            .into()
    }
}

impl ToSchema for Cell {}

/// A call that means a stretch of time.
pub(super) fn of_a_stretch(call: Call) -> Call {
    let points = points().default(Some(json!(POINTS)));
    between(call).query("points", "how many rows at most", points).refuses(503, "the database can't be read")
}

fn points() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MOST_POINTS))
}

/// A call that may say from when to when.
pub(super) fn between(call: Call) -> Call {
    let days = ObjectBuilder::new()
        .schema_type(Type::Number)
        .exclusive_minimum(Some(0))
        .maximum(Some(MOST_DAYS))
        .examples([json!(3)]);
    call.query("days", "so many days until `to`; not together with `from`", days)
        .query("from", "from this instant on, UTC; it must be before `to`", instant())
        .query("to", "before this instant, UTC", instant())
        .refuses(400, "a member of the query is unknown, written twice or out of its range; `field` names it")
}

/// An instant as it is read: whole, and with Z.
fn instant() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?Z$"))
        .examples([json!("2026-06-21T18:00:00Z")])
        .build()
}

/// A row of these quantities, as the replies are made of the same list.
fn row(about: &str, names: &[(Quantity, &str)]) -> Schema {
    let number = |about: &str| {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Number, Type::Null]))
            .description(Some(about))
    };
    let mut row = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(about))
        .property("ts", instant())
        .required("ts")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
    for (_, name) in names {
        row = row
            .property(*name, number("Measured; the mean, where the row stands for several readings."))
            .required(*name)
            .property(
                format!("{name}_min"),
                number("The least; only there where the row stands for several readings."),
            )
            .property(format!("{name}_max"), number("The greatest, likewise."));
    }
    row.into()
}

/// A row of a miner's history.
pub(super) struct MinerRow;

impl PartialSchema for MinerRow {
    fn schema() -> RefOr<Schema> {
        RefOr::T(row("A row of a miner's history.", &MINER))
    }
}

impl ToSchema for MinerRow {}

/// A row of the battery's history.
pub(super) struct BatteryRow;

impl PartialSchema for BatteryRow {
    fn schema() -> RefOr<Schema> {
        RefOr::T(row("A row of the battery's history.", &BATTERY))
    }
}

impl ToSchema for BatteryRow {}

/// What a miner was measured to do.
#[derive(ToSchema)]
pub(super) struct MinerHistory {
    data: Vec<MinerRow>,
    meta: MinerMeta,
}

/// What the battery, the sun and the house were measured to do.
#[derive(ToSchema)]
pub(super) struct BatteryHistory {
    data: Vec<BatteryRow>,
    meta: BatteryMeta,
}

/// What is told of a miner's history.
#[derive(ToSchema)]
pub(super) struct MinerMeta {
    requested_days: f64,
    /// How far back the rows really go.
    loaded_days: f64,
    from: Instant,
    to: Instant,
    /// How many rows there are.
    points: u64,
    /// How much time a row stands for; null, if each is a reading.
    step_seconds: Option<f64>,
    /// Readings further apart than this have a gap between them.
    gap_seconds: f64,
    energy: MinerEnergy,
}

/// What is told of the battery's history.
#[derive(ToSchema)]
pub(super) struct BatteryMeta {
    requested_days: f64,
    /// How far back the rows really go.
    loaded_days: f64,
    from: Instant,
    to: Instant,
    /// How many rows there are.
    points: u64,
    /// How much time a row stands for; null, if each is a reading.
    step_seconds: Option<f64>,
    /// Readings further apart than this have a gap between them.
    gap_seconds: f64,
    energy: BatteryEnergy,
}

/// What a miner drew. What happened in a gap isn't known and counts nothing.
#[derive(ToSchema)]
pub(super) struct MinerEnergy {
    drawn_wh: f64,
    /// How much of the time readings cover.
    covered_s: f64,
}

/// What flowed. What happened in a gap isn't known and counts nothing.
#[derive(ToSchema)]
pub(super) struct BatteryEnergy {
    pv_wh: f64,
    load_wh: f64,
    imported_wh: f64,
    exported_wh: f64,
    charged_wh: f64,
    discharged_wh: f64,
    /// How much of the time readings cover.
    covered_s: f64,
}
