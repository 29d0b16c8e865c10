//! How a call is described: what is its own is said by its module, what all calls have in common is added here.

use super::shapes::Problem;
use crate::access::{Door, Scope, needed};
use axum::http::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::{
    ToSchema,
    openapi::{
        Content, HttpMethod, Object, ObjectBuilder, PathItem, Ref, RefOr, Required, ResponseBuilder, Schema,
        Type,
        header::Header,
        path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
        schema::AdditionalProperties,
        security::SecurityRequirement,
    },
};

/// Names of shapes, and they.
pub(super) type Shapes = BTreeMap<String, RefOr<Schema>>;

/// A call of the API.
pub(super) struct Call {
    method: Method,
    path: &'static str,
    operation: OperationBuilder,
    /// What each status says, for every reason there is for it.
    words: BTreeMap<u16, Vec<String>>,
    /// What comes with a status, where it isn't an error.
    replies: BTreeMap<u16, Content>,
    kinds: BTreeMap<u16, &'static str>,
    shapes: Shapes,
}

impl Call {
    /// A call that only reads.
    pub(super) fn get(path: &'static str, summary: &str) -> Self {
        Self::new(Method::GET, path, summary)
    }

    /// A call that changes something. Its body may be left out unless a member is required.
    pub(super) fn post(path: &'static str, summary: &str) -> Self {
        Self::new(Method::POST, path, summary)
            .refuses(400, "the body isn't JSON")
            .refuses(403, "the token's scope isn't enough, or a page of another site asks")
            .refuses(413, "the body is larger than 16 KiB")
            .refuses(415, "the body isn't said to be application/json")
            .refuses(422, "a member is missing, unknown, written twice or out of its range; `field` names it")
            .refuses(429, "too many changes at once; `retry-after` says for how many seconds to wait")
    }

    fn new(method: Method, path: &'static str, summary: &str) -> Self {
        let id = path.trim_start_matches("/api/").replace(['/', '.'], "_");
        let operation = OperationBuilder::new().operation_id(Some(id)).summary(Some(summary));
        let call = Self {
            method,
            path,
            operation,
            words: BTreeMap::new(),
            replies: BTreeMap::new(),
            kinds: BTreeMap::new(),
            shapes: Shapes::new(),
        };
        call.refuses(401, "nobody is known by the token or session, and this needs somebody")
            .refuses(421, "the request names a host that isn't answered to")
            .refuses(500, "a bug")
    }

    /// More than the summary says.
    pub(super) fn about(mut self, text: &str) -> Self {
        self.operation = self.operation.description(Some(text));
        self
    }

    /// A member of the query.
    pub(super) fn query(self, name: &str, text: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        let parameter = parameter(ParameterIn::Query, name, text, schema);
        self.parameter(parameter)
    }

    /// A header of the request.
    pub(super) fn header(self, name: &str, text: &str) -> Self {
        self.parameter(parameter(
            ParameterIn::Header,
            name,
            text,
            ObjectBuilder::new().schema_type(Type::String),
        ))
    }

    fn parameter(mut self, parameter: Parameter) -> Self {
        self.operation = self.operation.parameter(parameter);
        self
    }

    /// The miner that is meant.
    pub(super) fn of_a_miner(self) -> Self {
        self.of_which("which miner of those that are controlled; the first one, if left out")
    }

    /// A call about a miner, also one that is only looked at.
    pub(super) fn of_any_miner(self) -> Self {
        self.of_which("which miner, controlled or only looked at; the first one, if left out")
    }

    fn of_which(self, about: &'static str) -> Self {
        let id = ObjectBuilder::new().schema_type(Type::String);
        self.query("id", about, id)
            .refuses(400, "the query can't be read or has an unknown member")
            .refuses(404, "there is no such miner")
            .refuses(503, "the controller is starting")
    }

    /// The body of a request, with an example of it.
    pub(super) fn body<T: ToSchema>(mut self, example: &Value) -> Self {
        let RefOr::T(schema) = T::schema() else { unreachable!("a body has a shape of its own") };
        let Schema::Object(mut object) = schema else { unreachable!("a body is an object") };
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        let is_needed = if object.required.is_empty() { Required::False } else { Required::True };
        let mut content = Content::new(Some(Schema::Object(object)));
        content.example = Some(example.clone());
        let body = RequestBodyBuilder::new().content("application/json", content).required(Some(is_needed));
        self.operation = self.operation.request_body(Some(body.build()));
        self
    }

    /// A body without members, which may be left out.
    pub(super) fn no_members(mut self) -> Self {
        let object = ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        let mut content = Content::new(Some(object));
        content.example = Some(json!({}));
        let body =
            RequestBodyBuilder::new().content("application/json", content).required(Some(Required::False));
        self.operation = self.operation.request_body(Some(body.build()));
        self
    }

    /// A reply that isn't an error: of JSON, with this shape.
    pub(super) fn reply<T: ToSchema>(mut self, status: u16, words: &str) -> Self {
        keep::<T>(&mut self.shapes);
        let content = Content::new(Some(Ref::from_schema_name(T::name())));
        self.replies.insert(status, content);
        self.says(status, words)
    }

    /// A reply of something else.
    pub(super) fn reply_of(
        mut self,
        status: u16,
        words: &str,
        kind: &'static str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        self.replies.insert(status, Content::new(Some(schema)));
        self.kinds.insert(status, kind);
        self.says(status, words)
    }

    /// A reply without any body.
    pub(super) fn bare(self, status: u16, words: &str) -> Self {
        self.says(status, words)
    }

    /// An error.
    pub(super) fn refuses(mut self, status: u16, words: &str) -> Self {
        keep::<Problem>(&mut self.shapes);
        self.replies
            .entry(status)
            .or_insert_with(|| Content::new(Some(Ref::from_schema_name(Problem::name()))));
        self.says(status, words)
    }

    fn says(mut self, status: u16, words: &str) -> Self {
        self.words.entry(status).or_default().push(words.to_owned());
        self
    }

    /// Its path and what the document says there.
    pub(super) fn described(self, tag: &str, shapes: &mut Shapes) -> (&'static str, PathItem) {
        let Self { method, path, mut operation, words, replies, kinds, shapes: own } = self;
        shapes.extend(own);
        for (status, words) in words {
            let mut response = ResponseBuilder::new().description(words.join("; "));
            if let Some(content) = replies.get(&status) {
                let kind = kinds.get(&status).copied().unwrap_or("application/json");
                response = response.content(kind, content.clone());
            }
            if status == 429 {
                let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
                let mut header = Header::new(seconds);
                header.description = Some("seconds to wait".to_owned());
                response = response.header("retry-after", header);
            }
            operation = operation.response(status.to_string(), response);
        }
        let scope = needed(&method, path, Door::Guarded { reading: true }).unwrap_or(Scope::Read);
        let is_free = needed(&method, path, Door::Guarded { reading: false }).is_none();
        // The gate says what is needed; who looks needs nothing, unless the configuration says so.
        let schemes = [is_free.then(SecurityRequirement::default)]
            .into_iter()
            .flatten()
            .chain(["token", "session"].map(|name| SecurityRequirement::new(name, [scope.word()])));
        let operation: Operation = operation.tag(tag).securities(Some(schemes)).build();
        let method = if method == Method::GET { HttpMethod::Get } else { HttpMethod::Post };
        (path, PathItem::new(method, operation))
    }
}

fn parameter(place: ParameterIn, name: &str, text: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(text))
        .schema(Some(schema))
        .build()
}

/// Keeps a shape and those that it is made of. A reply has all its members and no others.
pub(super) fn keep<T: ToSchema>(shapes: &mut Shapes) {
    let mut made_of = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut made_of);
    for (name, mut shape) in made_of {
        if let RefOr::T(schema) = &mut shape {
            close(schema);
        }
        shapes.insert(name, shape);
    }
}

fn close(schema: &mut Schema) {
    match schema {
        Schema::Object(object) => close_object(object),
        Schema::OneOf(one_of) => {
            for item in &mut one_of.items {
                if let RefOr::T(item) = item {
                    close(item);
                }
            }
        }
        // Lists are of shapes with names, and nothing here is made of several at once.
        _ => {}
    }
}

fn close_object(object: &mut Object) {
    // Whoever says something about other members means it.
    if object.properties.is_empty() || object.additional_properties.is_some() {
        return;
    }
    object.required = object.properties.keys().cloned().collect();
    object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    for property in object.properties.values_mut() {
        if let RefOr::T(property) = property {
            close(property);
        }
    }
}
