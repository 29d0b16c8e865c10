//! How the model's enumerations stand in a column: the word the API uses, or JSON where a value has parts.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sqlx::{Row, sqlite::SqliteRow};

/// The column's text for `value`.
pub(crate) fn write<T: Serialize>(value: &T) -> Result<String, sqlx::Error> {
    match serde_json::to_value(value).map_err(|error| sqlx::Error::Encode(error.into()))? {
        Value::String(word) => Ok(word),
        parts => Ok(parts.to_string()),
    }
}

/// As [`write()`], with `None` as NULL.
pub(crate) fn write_optional<T: Serialize>(value: Option<&T>) -> Result<Option<String>, sqlx::Error> {
    value.map(write).transpose()
}

/// The value that [`write()`] wrote into this column.
pub(crate) fn read<T: DeserializeOwned>(row: &SqliteRow, column: &'static str) -> Result<T, sqlx::Error> {
    parse(column, row.try_get(column)?)
}

/// As [`read`], with NULL as `None`.
pub(crate) fn read_optional<T: DeserializeOwned>(
    row: &SqliteRow,
    column: &'static str,
) -> Result<Option<T>, sqlx::Error> {
    row.try_get::<Option<&str>, _>(column)?.map(|text| parse(column, text)).transpose()
}

fn parse<T: DeserializeOwned>(column: &'static str, text: &str) -> Result<T, sqlx::Error> {
    let parsed = if text.starts_with('{') {
        serde_json::from_str(text)
    } else {
        serde_json::from_value(Value::String(text.to_owned()))
    };
    parsed.map_err(|error| sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Command, PowerPercent, Rule, Wanted, Watts};

    #[test]
    fn plain_values_are_plain_words() {
        assert_eq!(write(&Rule::PersonOff).unwrap(), "person_off");
        assert_eq!(write(&Wanted::Hold).unwrap(), "hold");
    }

    #[test]
    fn values_with_parts_come_back_whole() {
        let wanted = Wanted::Run(PowerPercent::FULL);
        assert_eq!(parse::<Wanted>("wanted", &write(&wanted).unwrap()).unwrap(), wanted);
        let command = Command::Start { percent: PowerPercent::FULL, watts: Watts::whole(3500) };
        assert_eq!(parse::<Command>("command", &write(&command).unwrap()).unwrap(), command);
    }

    #[test]
    fn a_word_of_another_version_is_an_error() {
        assert!(parse::<Rule>("rule", "phase_of_the_moon").is_err());
        assert!(parse::<Command>("command", "{broken").is_err());
    }
}
