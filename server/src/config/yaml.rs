//! The text of a configuration file as a tree in which every value knows its line.
//!
//! It reads the events of the YAML parser one by one instead of having a tree built: so nesting, size and number of
//! documents are bounded here, whatever the file holds.

use yaml_rust2::{
    Event,
    parser::Parser,
    scanner::{Marker, ScanError, TScalarStyle},
};

/// Deeper than any configuration.
const DEEPEST: usize = 16;

/// More values than any configuration has.
const MOST_NODES: usize = 20_000;

/// A value with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Counted from 1.
    pub(super) line: u32,
    pub(super) content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Scalar {
        text: String,
        /// Written without quotes: only then can it be a number, `true`, `false` or `null`.
        plain: bool,
    },
    /// In the file's order, with keys that occur twice.
    Mapping(Vec<(Key, Node)>),
    List(Vec<Node>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) line: u32,
    pub(super) name: String,
}

/// A text that is no YAML, or more of it than a configuration needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotATree {
    pub(super) line: u32,
    pub(super) what: String,
}

impl Node {
    /// Nothing is written here: `key:`, `null` or `~`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }
}

/// Reads the one document in `text`; `None` if there is nothing in it.
pub(super) fn parse(text: &str) -> Result<Option<Node>, NotATree> {
    // The parser takes a NUL for the end of the text, and would pass over whatever comes after it.
    let foreign = |letter: char| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r' | '\u{85}');
    if let Some((before, _)) = text.split_once(foreign) {
        let line = 1 + before.matches('\n').count();
        return Err(NotATree {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            what: "expected text, found a control character".to_owned(),
        });
    }
    let mut reader = Reader { parser: Parser::new_from_str(text), nodes: 0 };
    let mut document = None;
    loop {
        let (event, mark) = reader.next()?;
        match event {
            Event::StreamEnd => return Ok(document.filter(|node: &Node| !node.is_null())),
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            Event::DocumentStart if document.is_none() => {
                let (event, mark) = reader.next()?;
                document = Some(reader.node(event, mark, 0)?);
            }
            _ => return Err(at(mark, "a second document begins here; a configuration is a single one")),
        }
    }
}

struct Reader<'a> {
    parser: Parser<std::str::Chars<'a>>,
    nodes: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<(Event, Marker), NotATree> {
        self.parser.next_token().map_err(|error: ScanError| {
            at(*error.marker(), &format!("not readable as YAML: {}", super::problem::quotable(error.info())))
        })
    }

    fn node(&mut self, event: Event, mark: Marker, depth: usize) -> Result<Node, NotATree> {
        self.nodes += 1;
        if depth > DEEPEST {
            return Err(at(mark, "nested more deeply than any setting is"));
        }
        if self.nodes > MOST_NODES {
            return Err(at(mark, "more values than a configuration has"));
        }
        let content = match event {
            Event::Scalar(text, style, 0, None) => {
                Content::Scalar { text, plain: style == TScalarStyle::Plain }
            }
            Event::SequenceStart(0, None) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break Content::List(items),
                        (event, mark) => items.push(self.node(event, mark, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(0, None) => {
                let mut entries = Vec::new();
                loop {
                    let (event, mark) = self.next()?;
                    if event == Event::MappingEnd {
                        break Content::Mapping(entries);
                    }
                    let key = self.node(event, mark, depth + 1)?;
                    let Content::Scalar { text: name, .. } = key.content else {
                        return Err(at(mark, "expected the name of a setting"));
                    };
                    let (event, mark) = self.next()?;
                    let value = self.node(event, mark, depth + 1)?;
                    entries.push((Key { line: key.line, name }, value));
                }
            }
            _ => return Err(at(mark, "anchors (&), aliases (*) and tags (!) aren't used here")),
        };
        Ok(Node { line: line_of(mark), content })
    }
}

fn at(mark: Marker, what: &str) -> NotATree {
    NotATree { line: line_of(mark), what: what.to_owned() }
}

fn line_of(mark: Marker) -> u32 {
    u32::try_from(mark.line()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(text: &str) -> (u32, String) {
        let error = parse(text).unwrap_err();
        (error.line, error.what)
    }

    #[test]
    fn every_value_knows_its_line() {
        let tree = parse("a:\n  b: 1\n  c: '2'\nd: [x,\n  y]\n").unwrap().unwrap();
        let scalar = |line, text: &str, plain| Node {
            line,
            content: Content::Scalar { text: text.to_owned(), plain },
        };
        let Content::Mapping(entries) = tree.content else { panic!("{tree:?}") };
        let [(a, inner), (d, list)] = entries.as_slice() else { panic!("{entries:?}") };
        assert_eq!((a.line, a.name.as_str(), d.line, d.name.as_str()), (1, "a", 4, "d"));
        let key = |line, name: &str| Key { line, name: name.to_owned() };
        assert_eq!(
            inner.content,
            Content::Mapping(vec![(key(2, "b"), scalar(2, "1", true)), (key(3, "c"), scalar(3, "2", false))])
        );
        assert_eq!(list.content, Content::List(vec![scalar(4, "x", true), scalar(5, "y", true)]));
    }

    #[test]
    fn nothing_is_nothing() {
        for text in ["", "\n\n", "# only a remark\n", "---\n", "null", "~"] {
            assert_eq!(parse(text), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn what_no_configuration_needs_is_refused_with_its_line() {
        assert_eq!(error("a: 1\n---\nb: 2\n").0, 2);
        assert!(error("a: 1\n---\nb: 2\n").1.contains("second document"));
        for text in ["a: &x 1", "a: 1\nb: !!str 2", "&x {}"] {
            assert!(error(text).1.contains("anchors"), "{text}");
        }
        assert!(error("? [a]\n: b").1.contains("name of a setting"));
        assert_eq!(error("a: 1\nb: }\nc: 2\n").0, 2);
        assert!(error("a: *nobody").1.contains("YAML"));
        assert_eq!(error("a: 1\nb:\0 2\n"), (2, "expected text, found a control character".to_owned()));
    }

    #[test]
    fn nesting_and_size_are_bounded() {
        for text in ["[".repeat(500_000), "- ".repeat(500_000), "{a: ".repeat(250_000), "? ".repeat(500_000)]
        {
            assert!(parse(&text).is_err());
        }
        assert!(error(&format!("a: {}1{}", "[".repeat(20), "]".repeat(20))).1.contains("nested"));
        assert!(error(&format!("a: [{}]", "1,".repeat(30_000))).1.contains("more values"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            let _ = parse(&text);
        }

        #[test]
        fn no_text_of_yamls_own_signs_panics(text in "[-?:,\\[\\]{}#&*!|>'\"%@` \\t\\n\\r\0\u{feff}a1.\\\\]{0,60}") {
            let _ = parse(&text);
        }
    }
}
