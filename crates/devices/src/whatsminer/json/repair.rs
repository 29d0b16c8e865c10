//! Mending the JSON that known firmware breaks. The text is cut into tokens first, so that nothing inside a string
//! (a pool's password may contain `,}`) is ever taken for structure.
//!
//! What it must not do: invent a value. What can't be mended is dropped, and an absent value is unknown.

/// A piece of JSON text.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A string with its quotes, escapes untouched.
    Text(String),
    /// One of `{ } [ ] , :`.
    Mark(char),
    /// Anything else: a number, `true`, `nan`.
    Bare(String),
}

/// The mended text, in the order in which the faults were met in the field; `None` if this is no JSON at all.
pub(super) fn repair(text: &str) -> Option<String> {
    if !text.starts_with(['{', '[', ',']) {
        return None;
    }
    let tokens = tokens(text);
    let tokens = drop_trailing_commas(tokens);
    let tokens = separate_objects(tokens);
    let tokens = separate_texts(tokens);
    let tokens = nullify_non_numbers(tokens);
    let tokens = wrap_bare_pairs(tokens);
    let tokens = open_at_start(tokens);
    let tokens = close_at_end(tokens);
    Some(tokens.iter().map(Token::as_str).collect())
}

impl Token {
    fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Bare(text) => text,
            Self::Mark('{') => "{",
            Self::Mark('}') => "}",
            Self::Mark('[') => "[",
            Self::Mark(']') => "]",
            Self::Mark(',') => ",",
            Self::Mark(_) => ":",
        }
    }

    fn is(&self, mark: char) -> bool {
        *self == Self::Mark(mark)
    }
}

/// Faults 1 and 2 live inside strings: raw control characters are removed, `\'` becomes `'`. A string that doesn't
/// end isn't a token: the text was cut inside it.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '{' | '}' | '[' | ']' | ',' | ':' => tokens.push(Token::Mark(character)),
            '"' => match string(&mut rest) {
                Some(string) => tokens.push(Token::Text(string)),
                None => break,
            },
            _ if character.is_whitespace() || character.is_control() => {}
            _ => {
                let mut bare = String::from(character);
                while let Some(next) =
                    rest.next_if(|next| !"{}[],:\"".contains(*next) && !next.is_whitespace())
                {
                    bare.push(next);
                }
                tokens.push(Token::Bare(bare));
            }
        }
    }
    tokens
}

fn string(rest: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut string = String::from('"');
    loop {
        match rest.next()? {
            '"' => {
                string.push('"');
                return Some(string);
            }
            '\\' => match rest.next()? {
                '\'' => string.push('\''),
                escaped => string.extend(['\\', escaped]),
            },
            character if character.is_control() => {}
            character => string.push(character),
        }
    }
}

/// Copies the tokens; `edit` sees each with its left and right neighbour and says what goes in its place.
fn rewrite(tokens: Vec<Token>, edit: impl Fn(Option<&Token>, &Token, Option<&Token>) -> Edit) -> Vec<Token> {
    let mut written: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        match edit(written.last(), &token, rest.peek()) {
            Edit::Keep => written.push(token),
            Edit::Drop => {}
            Edit::CommaBefore => written.extend([Token::Mark(','), token]),
            Edit::Null => written.push(Token::Bare("null".to_owned())),
        }
    }
    written
}

enum Edit {
    Keep,
    Drop,
    CommaBefore,
    Null,
}

/// Fault 3: `,}` and `,]`.
fn drop_trailing_commas(tokens: Vec<Token>) -> Vec<Token> {
    rewrite(tokens, |_, token, next| match next {
        Some(Token::Mark('}' | ']')) if token.is(',') => Edit::Drop,
        _ => Edit::Keep,
    })
}

/// Fault 4: `}{` and `[,{`.
fn separate_objects(tokens: Vec<Token>) -> Vec<Token> {
    rewrite(tokens, |last, token, next| match (last, token, next) {
        (Some(Token::Mark('}')), Token::Mark('{'), _) => Edit::CommaBefore,
        (Some(Token::Mark('[')), Token::Mark(','), Some(Token::Mark('{'))) => Edit::Drop,
        _ => Edit::Keep,
    })
}

/// Fault 5: two strings without a comma between them (`"vendor":"7""temp0":"33.5"`, firmware of 2023-01-06).
fn separate_texts(tokens: Vec<Token>) -> Vec<Token> {
    rewrite(tokens, |last, token, _| match (last, token) {
        (Some(Token::Text(_)), Token::Text(_)) => Edit::CommaBefore,
        _ => Edit::Keep,
    })
}

/// Fault 6: `nan` and `inf`, bare or quoted, and numbers too large to be any.
fn nullify_non_numbers(tokens: Vec<Token>) -> Vec<Token> {
    rewrite(tokens, |_, token, next| {
        let word = match token {
            Token::Bare(word) => word.as_str(),
            // A name is never a number, whatever it says.
            Token::Text(text) if !next.is_some_and(|next| next.is(':')) => text.trim_matches('"'),
            _ => return Edit::Keep,
        };
        let letters = word.trim_start_matches(['-', '+']).to_ascii_lowercase();
        let named = matches!(letters.as_str(), "nan" | "inf" | "infinity");
        let too_large = matches!(token, Token::Bare(_)) && word.parse().is_ok_and(f64::is_infinite);
        if named || too_large { Edit::Null } else { Edit::Keep }
    })
}

/// Fault 7: pairs directly inside an array (`"error_code":["329":"…","218":"…"]`, API 2.0.4).
fn wrap_bare_pairs(tokens: Vec<Token>) -> Vec<Token> {
    let mut written = Vec::with_capacity(tokens.len());
    let mut open = Vec::new();
    let mut wrapped = false;
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        let in_array = open.last() == Some(&'[');
        if in_array && !wrapped && matches!(token, Token::Text(_)) && rest.peek().is_some_and(|n| n.is(':')) {
            written.push(Token::Mark('{'));
            wrapped = true;
        } else if in_array && wrapped && (token.is(',') || token.is(']')) {
            written.push(Token::Mark('}'));
            wrapped = false;
        }
        match token {
            Token::Mark(mark @ ('{' | '[')) => open.push(mark),
            Token::Mark('}' | ']') => drop(open.pop()),
            _ => {}
        }
        written.push(token);
    }
    written
}

/// Fault 8: the opening brace is missing and the text begins with `,`.
fn open_at_start(mut tokens: Vec<Token>) -> Vec<Token> {
    if let Some(first) = tokens.first_mut()
        && first.is(',')
    {
        *first = Token::Mark('{');
    }
    tokens
}

/// Fault 9: the device cut the text at the end of its buffer. What follows the last complete member is dropped and
/// everything still open is closed. A bare word at the very end may be cut itself and isn't complete.
fn close_at_end(mut tokens: Vec<Token>) -> Vec<Token> {
    let mut open: Vec<char> = Vec::new();
    let mut complete = (0, Vec::new());
    for (index, token) in tokens.iter().enumerate() {
        match token {
            Token::Mark(mark @ ('{' | '[')) => {
                open.push(*mark);
                complete = (index + 1, open.clone());
            }
            Token::Mark('}' | ']') => {
                open.pop();
                complete = (index + 1, open.clone());
                if open.is_empty() {
                    break;
                }
            }
            Token::Text(_) | Token::Bare(_) => {
                let is_value = match open.last() {
                    Some('{') => index.checked_sub(1).and_then(|i| tokens.get(i)).is_some_and(|t| t.is(':')),
                    _ => !tokens.get(index + 1).is_some_and(|next| next.is(':')),
                };
                let is_whole = matches!(token, Token::Text(_)) || index + 1 < tokens.len();
                if is_value && is_whole {
                    complete = (index + 1, open.clone());
                }
            }
            Token::Mark(_) => {}
        }
    }
    let (length, open) = complete;
    tokens.truncate(length);
    tokens.extend(open.into_iter().rev().map(|mark| Token::Mark(if mark == '{' { '}' } else { ']' })));
    tokens
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    #[rstest]
    #[case::newline_in_a_string("{\"chip\":\"K88Z\n347\r\",\"a\":1}", json!({"chip": "K88Z347", "a": 1}))]
    #[case::escaped_apostrophe(r#"{"Msg":"can\'t access write cmd"}"#, json!({"Msg": "can't access write cmd"}))]
    #[case::trailing_commas(r#"{"a":[1,2,],"b":{"c":1,},}"#, json!({"a": [1, 2], "b": {"c": 1}}))]
    #[case::objects_without_comma(r#"{"a":[{"x":1}{"x":2}]}"#, json!({"a": [{"x": 1}, {"x": 2}]}))]
    #[case::leading_comma_in_array(r#"{"a":[,{"x":1}]}"#, json!({"a": [{"x": 1}]}))]
    #[case::strings_without_comma(
        r#"{"vendor":"7""temp0":"33.5"}"#,
        json!({"vendor": "7", "temp0": "33.5"})
    )]
    #[case::empty_string_before_the_missing_comma(
        r#"{"vendor":"""temp0":"33.5"}"#,
        json!({"vendor": "", "temp0": "33.5"})
    )]
    #[case::not_numbers(
        r#"{"a":nan,"b":-inf,"c":inf,"d":-nan,"e":"nan","f":1e999,"nan":1}"#,
        json!({"a": null, "b": null, "c": null, "d": null, "e": null, "f": null, "nan": 1})
    )]
    #[case::pairs_in_an_array(
        r#"{"error_code":["329":"2024-01-17 11:28:11","218":"2024-01-18 00:00:00"]}"#,
        json!({"error_code": [{"329": "2024-01-17 11:28:11"}, {"218": "2024-01-18 00:00:00"}]})
    )]
    #[case::no_opening_brace(r#","STATUS":"S","Code":131}"#, json!({"STATUS": "S", "Code": 131}))]
    #[case::cut_in_a_name(r#"{"S":[{"Power":3500,"Pow"#, json!({"S": [{"Power": 3500}]}))]
    #[case::cut_in_a_string(r#"{"S":{"a":1,"mineroff":"tr"#, json!({"S": {"a": 1}}))]
    #[case::cut_in_a_number(r#"{"S":[{"Elapsed":10,"Power":35"#, json!({"S": [{"Elapsed": 10}]}))]
    #[case::cut_after_a_member(r#"{"a":1,"b":"two","#, json!({"a": 1, "b": "two"}))]
    #[case::cut_after_a_colon(r#"{"a":1,"b":"#, json!({"a": 1}))]
    #[case::several_at_once(
        "{\"a\":\"x\ny\",\"b\":[{\"n\":nan}{\"n\":2,}],\"c\":",
        json!({"a": "xy", "b": [{"n": null}, {"n": 2}]})
    )]
    fn known_faults_are_mended(#[case] text: &str, #[case] expected: Value) {
        let parsed = parse(text).unwrap();
        assert!(parsed.repaired, "a strict parser takes it as it is");
        assert_eq!(parsed.value, expected);
    }

    #[test]
    fn what_stands_in_a_string_is_no_structure() {
        let text = r#"{"passwd":"a,}b}{c[,{nan","n":nan}"#;
        assert_eq!(parse(text).unwrap().value, json!({"passwd": "a,}b}{c[,{nan", "n": null}));
    }

    #[test]
    fn what_is_whole_is_left_alone() {
        let parsed = parse("{\"a\":\",}\"}\0\0\n").unwrap();
        assert!(!parsed.repaired);
        assert_eq!(parsed.value, json!({"a": ",}"}));
        assert_eq!(parse("Socket connect failed: Connection refused\n"), None);
        assert_eq!(parse(""), None);
        assert_eq!(parse("3"), None);
    }

    #[test]
    fn a_reply_may_be_cut_anywhere() {
        let whole = r#"{"STATUS":"S","Code":131,"Msg":{"Elapsed":884.5,"Power":3173,"x":["y",{"z":null}]}}"#;
        for length in 1..whole.len() {
            let parsed = parse(&whole[..length]).unwrap();
            // Whatever is left says nothing that the whole reply doesn't say.
            let power = parsed.value.pointer("/Msg/Power").cloned();
            assert!(power.is_none() || power == Some(json!(3173)), "{length}: {power:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = parse(&text);
        }

        #[test]
        fn no_structure_panics(text in "[{}\\[\\],:\"\\\\nai 1\n-]{0,60}") {
            let _ = parse(&text);
        }
    }
}
