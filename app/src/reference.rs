//! The page of the API, for those who write scripts: rendered of the API's description, and stays so.

use crate::{account::around, page::nav::Place};
use leptos::prelude::*;

/// The API, to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reference {
    /// The site's name.
    pub site: String,
    /// The program's version.
    pub version: String,
    /// Where the API is, as whoever reads this came here: `http://raspberrypi.local:8080`.
    pub origin: String,
    /// What is true of all calls.
    pub about: String,
    /// The calls, in groups.
    pub groups: Vec<Group>,
    /// The shapes of what they answer.
    pub shapes: Vec<Shape>,
}

/// Calls that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// What they are called together.
    pub name: String,
    /// What they are about.
    pub about: String,
    /// They.
    pub calls: Vec<Call>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Call {
    /// Its name in an address of this page.
    pub id: String,
    /// "GET".
    pub method: String,
    /// "/api/miner/status".
    pub path: String,
    /// What it does.
    pub summary: String,
    /// More about it.
    pub about: Option<String>,
    /// The scope that a token needs for it; nobody has to be known where everybody may look.
    pub scope: String,
    /// Everybody may, unless the configuration says otherwise.
    pub is_free: bool,
    /// Members of the query, and headers.
    pub parameters: Vec<Member>,
    /// Members of the body.
    pub body: Vec<Member>,
    /// A body as JSON.
    pub example: Option<String>,
    /// What is answered.
    pub replies: Vec<Reply>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// Its status.
    pub status: String,
    /// When it comes.
    pub about: String,
    /// What comes with it.
    pub kind: Option<Kind>,
}

/// A shape.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: String,
    /// What kind of value, where it has no members.
    pub kind: Option<Kind>,
    /// Its members.
    pub members: Vec<Member>,
}

/// A member of an object, of a query or a header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// What kind of value.
    pub kind: Kind,
    /// What it means.
    pub about: String,
}

/// What kind of value: words, and the shapes that they name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kind(pub Vec<Piece>);

/// A piece of words about a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Words.
    Words(String),
    /// The name of a shape.
    Shape(String),
}

pub(crate) fn reference(reference: Reference) -> impl IntoView {
    let Reference { site, version, origin, about, groups, shapes } = reference;
    let contents = groups.iter().flat_map(|group| &group.calls).map(|call| {
        view! {
            <li>
                <a href=format!("#{}", call.id)>
                    <span class="method">{call.method.clone()}</span>
                    " "
                    <code>{call.path.clone()}</code>
                </a>
            </li>
        }
    });
    let contents = contents.collect_view();
    let page = view! {
        <div class="lead">
            <h1>"API"</h1>
            <p>"For scripts and home automations. " <a href="/api/openapi.json">"The same for programs (OpenAPI 3.1)"</a></p>
        </div>
        <section class="card reference">
            <p>{prose(&about)}</p>
            <p>
                "In the examples, " <code>"$TOKEN"</code> " is a token of the " <a href="/account">"Access page"</a> "."
            </p>
            <details class="more">
                <summary>"All calls"</summary>
                <ul class="calls">{contents}</ul>
            </details>
        </section>
        {groups.into_iter().map(|group| told_group(group, &origin)).collect_view()}
        <section class="card reference" aria-labelledby="shapes">
            <h2 id="shapes">"Shapes"</h2>
            <p>"A reply has all the members of its shape. What isn't known is null."</p>
            {shapes.into_iter().map(told_shape).collect_view()}
        </section>
    };
    around(site, version, Place::Reference, page.into_any())
}

fn told_group(group: Group, origin: &str) -> impl IntoView + use<> {
    let Group { name, about, calls } = group;
    view! {
        <section class="card reference">
            <h2>{name}</h2>
            <p>{prose(&about)}</p>
            {calls.into_iter().map(|call| told_call(call, origin)).collect_view()}
        </section>
    }
}

fn told_call(call: Call, origin: &str) -> impl IntoView + use<> {
    let curl = curl(&call, origin);
    let Call { id, method, path, summary, about, scope, is_free, parameters, body, replies, .. } = call;
    let needed = if is_free {
        format!("Everybody may, unless the configuration says otherwise; then a token to {scope}.")
    } else {
        format!("Needs a token of scope {scope}.")
    };
    let row = |reply: Reply| {
        let Reply { status, about, kind } = reply;
        view! {
            <dt>
                <code>{status}</code>
            </dt>
            <dd>{prose(&about)} {kind.map(|kind| view! { ": " {told_kind(kind)} })}</dd>
        }
    };
    view! {
        <article class="call" id=id>
            <h3>
                <span class="method">{method}</span>
                " "
                <code>{path}</code>
            </h3>
            <p>{summary} "."</p>
            {about.map(|about| view! { <p>{prose(&about)}</p> })}
            <p class="note">{needed}</p>
            {members("Query and headers", parameters)}
            {members("Body", body)}
            <h4>"Example"</h4>
            <pre tabindex="0">
                <code>{curl}</code>
            </pre>
            <details class="more">
                <summary>"Replies"</summary>
                <dl>{replies.into_iter().map(row).collect_view()}</dl>
            </details>
        </article>
    }
}

fn members(title: &'static str, members: Vec<Member>) -> Option<impl IntoView> {
    (!members.is_empty()).then(|| {
        view! {
            <h4>{title}</h4>
            {told_members(members)}
        }
    })
}

fn told_members(members: Vec<Member>) -> impl IntoView {
    let row = |member: Member| {
        let Member { name, kind, about } = member;
        view! {
            <dt>
                <code>{name}</code>
            </dt>
            <dd>
                <span class="kind">{told_kind(kind)}</span>
                " "
                {prose(&about)}
            </dd>
        }
    };
    view! { <dl>{members.into_iter().map(row).collect_view()}</dl> }
}

fn told_shape(shape: Shape) -> impl IntoView {
    let Shape { name, about, kind, members } = shape;
    let id = format!("shape-{name}");
    view! {
        <article class="call" id=id>
            <h3>{name}</h3>
            <p>{prose(&about)}</p>
            {kind.map(|kind| view! { <p class="kind">{told_kind(kind)}</p> })}
            {(!members.is_empty()).then(|| told_members(members))}
        </article>
    }
}

fn told_kind(kind: Kind) -> impl IntoView {
    let piece = |piece: Piece| match piece {
        Piece::Words(words) => words.into_any(),
        Piece::Shape(name) => {
            let address = format!("#shape-{name}");
            view! { <a href=address>{name}</a> }.into_any()
        }
    };
    kind.0.into_iter().map(piece).collect_view()
}

/// A text in which what stands between backquotes is code.
fn prose(text: &str) -> impl IntoView + use<> {
    let piece = |(number, piece): (usize, &str)| {
        let piece = piece.to_owned();
        if number % 2 == 1 { view! { <code>{piece}</code> }.into_any() } else { piece.into_any() }
    };
    text.split('`').enumerate().map(piece).collect_view()
}

/// How a call is made from a command line.
fn curl(call: &Call, origin: &str) -> String {
    let mut words = vec!["curl".to_owned()];
    if call.method != "GET" {
        words.push(format!("-X {}", call.method));
    }
    words.push("-H \"authorization: Bearer $TOKEN\"".to_owned());
    if let Some(example) = &call.example {
        words.push("-H 'content-type: application/json'".to_owned());
        words.push(format!("-d '{example}'"));
    }
    words.push(format!("{origin}{}", call.path));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_can_be_pasted_into_a_shell() {
        let look = Call { method: "GET".into(), path: "/api/miner/status".into(), ..Call::default() };
        let expected = "curl -H \"authorization: Bearer $TOKEN\" http://pi:8080/api/miner/status";
        assert_eq!(curl(&look, "http://pi:8080"), expected);
        let change = Call {
            method: "POST".into(),
            path: "/api/miner/power_pct".into(),
            example: Some("{\"percent\":60}".into()),
            ..Call::default()
        };
        let expected = "curl -X POST -H \"authorization: Bearer $TOKEN\" -H 'content-type: application/json' \
            -d '{\"percent\":60}' http://pi:8080/api/miner/power_pct";
        assert_eq!(curl(&change, "http://pi:8080"), expected);
    }
}
