//! Spoils the JSON of V2 replies in the ways that real firmware does.

use super::Malformation;

/// Members with free text, which no client reads a meaning into.
const FREE_TEXT: [&str; 4] = ["Debug", "Chip Data", "chip", "Description"];
/// Members with a temperature, and the words that broken firmware puts there.
const NOT_NUMBERS: [(&str, &str); 5] = [
    ("Chip Temp Avg", "nan"),
    ("Chip Temp Max", "inf"),
    ("Env Temp", "-inf"),
    ("Chip Temp Min", "\"nan\""),
    ("Temperature", "nan"),
];

/// `text` as firmware with this defect prints it; unchanged where there is nothing in it to get wrong.
pub(super) fn spoil(text: &str, malformation: Malformation) -> String {
    match malformation {
        Malformation::ControlCharacters => into_free_text(text, "\n\r"),
        Malformation::EscapedQuote => into_free_text(text, "\\'"),
        Malformation::TrailingComma => {
            let lists = text.replace("}]", "},]");
            lists.strip_suffix('}').map_or(lists.clone(), |open| format!("{open},}}"))
        }
        Malformation::MissingComma => text.replace("},{", "}{"),
        Malformation::LeadingComma => text.replace("[{", "[,{"),
        Malformation::GluedTemperature => text.replace("\",\"temp0", "\"\"temp0"),
        Malformation::NotANumber => {
            NOT_NUMBERS.iter().fold(text.to_owned(), |text, (key, word)| replace_number(&text, key, word))
        }
        Malformation::BracketedErrors => bracket_errors(text),
        Malformation::CommaForBrace => {
            text.strip_prefix('{').map_or(text.to_owned(), |rest| format!(",{rest}"))
        }
        Malformation::Concatenated => text.repeat(2),
        Malformation::CutShort => text.chars().take(text.chars().count() * 2 / 3).collect(),
    }
}

/// Puts `insert` at the beginning of the first free text.
fn into_free_text(text: &str, insert: &str) -> String {
    let place = FREE_TEXT.iter().find_map(|key| {
        let opening = format!("\"{key}\":\"");
        Some(text.find(&opening)? + opening.len())
    });
    match place.and_then(|place| text.split_at_checked(place)) {
        Some((before, after)) => format!("{before}{insert}{after}"),
        None => text.to_owned(),
    }
}

/// Puts `word` in the place of every number that is the value of `key`.
fn replace_number(text: &str, key: &str, word: &str) -> String {
    let opening = format!("\"{key}\":");
    let mut parts = text.split(opening.as_str());
    let mut spoilt = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find([',', '}']).unwrap_or(part.len());
        spoilt.push_str(&opening);
        spoilt.push_str(word);
        spoilt.push_str(part.get(end..).unwrap_or_default());
    }
    spoilt
}

/// Takes the braces out of the list of error codes.
fn bracket_errors(text: &str) -> String {
    const OPENING: &str = "\"error_code\":[";
    let Some((before, rest)) = text.split_once(OPENING) else { return text.to_owned() };
    let Some((list, after)) = rest.split_once(']') else { return text.to_owned() };
    format!("{before}{OPENING}{}]{after}", list.replace(['{', '}'], ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Malformation::ControlCharacters, r#"{"Debug":"x"}"#, "{\"Debug\":\"\n\rx\"}")]
    #[case(Malformation::EscapedQuote, r#"{"Debug":"x"}"#, r#"{"Debug":"\'x"}"#)]
    #[case(Malformation::TrailingComma, r#"{"A":[{"b":1}]}"#, r#"{"A":[{"b":1},],}"#)]
    #[case(Malformation::MissingComma, r#"[{"a":1},{"a":2}]"#, r#"[{"a":1}{"a":2}]"#)]
    #[case(Malformation::LeadingComma, r#"[{"a":1}]"#, r#"[,{"a":1}]"#)]
    #[case(Malformation::GluedTemperature, r#"{"sn":"1","temp0":"2"}"#, r#"{"sn":"1""temp0":"2"}"#)]
    #[case(
        Malformation::NotANumber,
        r#"{"Chip Temp Avg":7.1,"Env Temp":2}"#,
        r#"{"Chip Temp Avg":nan,"Env Temp":-inf}"#
    )]
    #[case(
        Malformation::BracketedErrors,
        r#"{"error_code":[{"1":"a"},{"2":"b"}]}"#,
        r#"{"error_code":["1":"a","2":"b"]}"#
    )]
    #[case(Malformation::CommaForBrace, r#"{"a":1}"#, r#","a":1}"#)]
    #[case(Malformation::CutShort, r#"{"a":"bc"}"#, r#"{"a":""#)]
    fn each_breaks_what_it_should(
        #[case] malformation: Malformation,
        #[case] good: &str,
        #[case] broken: &str,
    ) {
        assert_eq!(spoil(good, malformation), broken);
        assert!(serde_json::from_str::<serde_json::Value>(good).is_ok());
        assert!(serde_json::from_str::<serde_json::Value>(broken).is_err());
    }
}
