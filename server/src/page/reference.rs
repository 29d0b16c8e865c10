//! The page of the API: its description, put into words.

use super::Page;
use crate::{
    access::{Scope, Visitor},
    rest::{DESCRIPTION, Pairs},
};
use app::reference::{Call, Group, Kind, Member, Piece, Reference, Reply, Shape};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, header},
    response::Html,
};
use serde::Deserialize;
use serde_json::Value;

pub(super) async fn show(
    State(page): State<Page>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Html<String> {
    let site = page.backend.overview().site;
    let scheme = if visitor.is_https { "https" } else { "http" };
    // The gate has seen that it is ours.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let told = told(DESCRIPTION).unwrap_or_else(|error| {
        tracing::error!(%error, "the API's description can't be read");
        Reference::default()
    });
    let reference =
        Reference { site: site.name, version: site.version, origin: format!("{scheme}://{host}"), ..told };
    Html(app::reference(reference, page.files.as_deref()))
}

/// What the page shows of the description.
#[derive(Deserialize)]
struct Document {
    info: Info,
    tags: Vec<Tag>,
    paths: Pairs<Pairs<Operation>>,
    components: Components,
}

#[derive(Deserialize)]
struct Info {
    description: String,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
    description: String,
}

#[derive(Deserialize)]
struct Components {
    schemas: Pairs<Schema>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Operation {
    tags: Vec<String>,
    #[serde(rename = "operationId")]
    id: String,
    summary: String,
    description: Option<String>,
    parameters: Vec<Parameter>,
    request_body: Option<Body>,
    responses: Pairs<Body>,
    security: Vec<Pairs<Vec<String>>>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    description: String,
    schema: Schema,
}

/// What is sent or answered.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Body {
    description: String,
    content: Pairs<Content>,
}

#[derive(Deserialize)]
struct Content {
    schema: Schema,
    example: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Schema {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    r#type: Option<Types>,
    description: Option<String>,
    #[serde(rename = "enum")]
    words: Vec<Value>,
    one_of: Vec<Schema>,
    items: Option<Box<Schema>>,
    properties: Pairs<Schema>,
    required: Vec<String>,
    minimum: Option<Value>,
    exclusive_minimum: Option<Value>,
    maximum: Option<Value>,
    default: Option<Value>,
}

/// One kind of value, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Types {
    One(String),
    Several(Vec<String>),
}

fn told(description: &str) -> serde_json::Result<Reference> {
    let Document { info, tags, paths, components } = serde_json::from_str(description)?;
    let mut groups: Vec<_> = tags
        .into_iter()
        .map(|tag| Group { name: tag.name, about: tag.description, calls: Vec::new() })
        .collect();
    for (path, operations) in paths.0 {
        for (method, operation) in operations.0 {
            let group = groups.iter_mut().find(|group| operation.tags.contains(&group.name));
            if let Some(group) = group {
                group.calls.push(call(&path, &method, operation));
            }
        }
    }
    let shapes = components.schemas.0.into_iter().map(|(name, schema)| shape(name, schema)).collect();
    Ok(Reference { about: info.description, groups, shapes, ..Reference::default() })
}

fn call(path: &str, method: &str, operation: Operation) -> Call {
    let Operation { id, summary, description, parameters, request_body, responses, security, .. } = operation;
    let is_free = security.iter().any(|needed| needed.0.is_empty());
    let mut scopes = security.into_iter().flat_map(|needed| needed.0).flat_map(|(_, scopes)| scopes);
    let content = request_body.and_then(|body| body.content.0.into_iter().next());
    let (body, example) = content.map_or((Vec::new(), None), |(_, content)| {
        (members(content.schema), content.example.map(|example| example.to_string()))
    });
    let parameter = |parameter: Parameter| {
        let kind = kind(&parameter.schema);
        Member { name: parameter.name, kind, about: parameter.description }
    };
    let reply = |(status, body): (String, Body)| {
        let content = body.content.0.into_iter().next();
        let kind =
            content.map(
                |(media, content)| {
                    if media == "application/json" { kind(&content.schema) } else { words(&media) }
                },
            );
        Reply { status, about: body.description, kind }
    };
    Call {
        id,
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary,
        about: description,
        scope: scopes.next().unwrap_or_else(|| Scope::Read.to_string()),
        is_free,
        parameters: parameters.into_iter().map(parameter).collect(),
        body,
        example,
        replies: responses.0.into_iter().map(reply).collect(),
    }
}

fn shape(name: String, schema: Schema) -> Shape {
    let about = schema.description.clone().unwrap_or_default();
    let kind = schema.properties.0.is_empty().then(|| kind(&schema));
    Shape { name, about, kind, members: members(schema) }
}

fn members(schema: Schema) -> Vec<Member> {
    let Schema { properties, required, .. } = schema;
    let member = |(name, schema): (String, Schema)| {
        // What is said of a member that may be unknown is said of what it is else.
        let mut said =
            [&schema].into_iter().chain(&schema.one_of).filter_map(|said| said.description.clone());
        let mut about = said.next().unwrap_or_default();
        if !required.contains(&name) {
            let optional = "May be left out.";
            about = if about.is_empty() { optional.to_owned() } else { format!("{about} {optional}") };
        }
        Member { kind: kind(&schema), name, about }
    };
    properties.0.into_iter().map(member).collect()
}

fn words(words: &str) -> Kind {
    Kind(vec![Piece::Words(words.to_owned())])
}

/// What kind of value a schema allows, in words.
fn kind(schema: &Schema) -> Kind {
    if let Some(name) = schema.reference.as_deref().and_then(|reference| reference.rsplit('/').next()) {
        return Kind(vec![Piece::Shape(name.to_owned())]);
    }
    if !schema.one_of.is_empty() {
        // What may be unknown is told last.
        let (unknown, known): (Vec<_>, Vec<_>) = schema.one_of.iter().partition(|choice| is_null(choice));
        let mut pieces = Vec::new();
        for choice in known.into_iter().chain(unknown) {
            if !pieces.is_empty() {
                pieces.push(Piece::Words(" or ".to_owned()));
            }
            pieces.extend(kind(choice).0);
        }
        return Kind(pieces);
    }
    if let Some(items) = &schema.items {
        let or_null = if types(schema).contains(&"null") { " or null" } else { "" };
        let pieces = kind(items).0.into_iter();
        let pieces = [Piece::Words("list of ".to_owned())].into_iter().chain(pieces);
        return Kind(pieces.chain((!or_null.is_empty()).then(|| Piece::Words(or_null.to_owned()))).collect());
    }
    if !schema.words.is_empty() {
        let listed: Vec<_> = schema.words.iter().map(Value::to_string).collect();
        return words(&listed.join(", "));
    }
    if !schema.properties.0.is_empty() {
        return members_in_line(schema);
    }
    let mut told = types(schema).join(" or ");
    if told.is_empty() {
        "anything".clone_into(&mut told);
    }
    for (word, bound) in [
        (" from ", &schema.minimum),
        (" above ", &schema.exclusive_minimum),
        (" to ", &schema.maximum),
        (", else ", &schema.default),
    ] {
        if let Some(bound) = bound {
            told.push_str(word);
            told.push_str(&bound.to_string());
        }
    }
    words(&told)
}

/// An object without a name of its own.
fn members_in_line(schema: &Schema) -> Kind {
    let mut pieces = vec![Piece::Words("{ ".to_owned())];
    for (number, (name, member)) in schema.properties.0.iter().enumerate() {
        let comma = if number > 0 { ", " } else { "" };
        pieces.push(Piece::Words(format!("{comma}\"{name}\": ")));
        pieces.extend(kind(member).0);
    }
    pieces.push(Piece::Words(" }".to_owned()));
    Kind(pieces)
}

fn is_null(schema: &Schema) -> bool {
    types(schema) == ["null"]
}

fn types(schema: &Schema) -> Vec<&str> {
    match &schema.r#type {
        None => Vec::new(),
        Some(Types::One(one)) => vec![one.as_str()],
        Some(Types::Several(several)) => several.iter().map(String::as_str).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(kind: &Kind) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Words(words) => words.clone(),
            Piece::Shape(name) => format!("<{name}>"),
        };
        kind.0.iter().map(piece).collect()
    }

    #[test]
    fn a_schema_is_told_in_words() {
        for (schema, expected) in [
            (r##"{"$ref":"#/components/schemas/Alert"}"##, "<Alert>"),
            (r##"{"oneOf":[{"type":"null"},{"$ref":"#/x/Alert"}]}"##, "<Alert> or null"),
            (r##"{"type":"array","items":{"$ref":"#/x/Alert"}}"##, "list of <Alert>"),
            (r#"{"type":["number","null"]}"#, "number or null"),
            (r#"{"type":"integer","minimum":1,"maximum":9,"default":5}"#, "integer from 1 to 9, else 5"),
            (r#"{"type":"string","enum":["off","on"]}"#, "\"off\", \"on\""),
            ("{}", "anything"),
            (r#"{"properties":{"run":{"type":"integer"}}}"#, "{ \"run\": integer }"),
        ] {
            let schema: Schema = serde_json::from_str(schema).unwrap();
            assert_eq!(text(&kind(&schema)), expected);
        }
    }

    #[test]
    fn every_call_of_the_description_is_on_the_page() {
        let reference = told(DESCRIPTION).unwrap();
        let calls: Vec<_> = reference.groups.iter().flat_map(|group| &group.calls).collect();
        let document: Value = serde_json::from_str(DESCRIPTION).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let described: usize = paths.values().map(|methods| methods.as_object().unwrap().len()).sum();
        assert_eq!(calls.len(), described);
        assert!(reference.groups.iter().all(|group| !group.calls.is_empty()), "no group is empty");
        let off = calls.iter().find(|call| call.path == "/api/miner/power_off").unwrap();
        assert_eq!((off.method.as_str(), off.scope.as_str(), off.is_free), ("POST", "control", false));
        // Whatever is linked is there.
        let shapes: Vec<_> = reference.shapes.iter().map(|shape| &shape.name).collect();
        for kind in calls.iter().flat_map(|call| &call.replies).filter_map(|reply| reply.kind.as_ref()) {
            for piece in &kind.0 {
                assert!(!matches!(piece, Piece::Shape(name) if !shapes.contains(&name)), "{piece:?}");
            }
        }
    }
}
