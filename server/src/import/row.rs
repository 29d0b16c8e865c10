//! A row of a log by the names of its columns, and why a row is left out.

use csv::StringRecord;
use csv_core::ReadRecordResult;
use std::{fmt, str};

/// Words for a value that isn't there.
const NOTHING: [&str; 6] = ["", "none", "null", "nan", "n/a", "--"];

/// Why a row is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LeftOut {
    /// It ends in the middle.
    Cut,
    /// It has other columns than any row around it.
    OddShape,
    /// It has no time that can be read.
    NoTime,
    /// Its time is before there were such miners, or after now.
    ImpossibleTime,
    /// A value stands in another's column, or can't be.
    Damaged,
    /// Nothing in it is kept here.
    Empty,
    /// There is an earlier row of the same moment.
    Twice,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cut => "cut off",
            Self::OddShape => "other columns than the rows around",
            Self::NoTime => "without a time that can be read",
            Self::ImpossibleTime => "at a time that can't be",
            Self::Damaged => "with values that can't be, or in another's column",
            Self::Empty => "with nothing in it that is kept",
            Self::Twice => "there twice",
        })
    }
}

/// The columns of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns(Vec<String>);

impl Columns {
    /// As a header names them.
    pub(super) fn of(header: &StringRecord) -> Self {
        Self(header.iter().map(|name| name.trim().to_lowercase()).collect())
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    fn at(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|column| *column == name)
    }
}

/// A row with its columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) record: &'a StringRecord,
    pub(super) columns: &'a Columns,
}

impl<'a> Row<'a> {
    /// The text in a column, named in lower case.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.record.get(self.columns.at(name)?).map(str::trim)
    }

    /// The number in a column; `None` if there is none.
    ///
    /// # Errors
    /// If something else is there.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, LeftOut> {
        self.text(name).map_or(Ok(None), number)
    }
}

/// A number; `None` for a word that says that there is none.
pub(super) fn number(text: &str) -> Result<Option<f64>, LeftOut> {
    let text = text.trim();
    if NOTHING.iter().any(|nothing| text.eq_ignore_ascii_case(nothing)) {
        return Ok(None);
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.map(Some).ok_or(LeftOut::Damaged)
}

/// Splits lines into their fields: one for a whole file, since the table it goes by takes far longer to make than a line
/// to split.
pub(super) struct Splitter {
    reader: csv_core::Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Splitter {
    pub(super) fn new() -> Self {
        Self { reader: csv_core::Reader::new(), text: Vec::new(), ends: Vec::new() }
    }

    /// The fields of a line.
    pub(super) fn split(&mut self, line: &str, record: &mut StringRecord) {
        record.clear();
        self.reader.reset();
        // The fields are no longer than the line, and no more than its bytes and one.
        self.text.resize(line.len() + 1, 0);
        self.ends.resize(line.len() + 2, 0);
        let mut line = line.as_bytes();
        let (mut written, mut count) = (0, 0);
        loop {
            let text = self.text.get_mut(written..).unwrap_or_default();
            let ends = self.ends.get_mut(count..).unwrap_or_default();
            let (result, read, more, ended) = self.reader.read_record(line, text, ends);
            (written, count) = (written + more, count + ended);
            if result != ReadRecordResult::InputEmpty {
                break;
            }
            // With nothing left to read it is asked once more, which ends the last field.
            line = line.get(read..).unwrap_or_default();
        }
        let mut begin = 0;
        for end in self.ends.iter().take(count) {
            let field = self.text.get(begin..*end).and_then(|field| str::from_utf8(field).ok());
            record.push_field(field.unwrap_or_default());
            begin = *end;
        }
    }
}

/// Whether a line names columns instead of telling values.
pub(super) fn is_header(record: &StringRecord) -> bool {
    record.get(0).is_some_and(|first| {
        let first = first.trim();
        first.eq_ignore_ascii_case("ts") || first.eq_ignore_ascii_case("date")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(header: &str, line: &str) -> (Columns, StringRecord) {
        let (mut splitter, mut names, mut record) =
            (Splitter::new(), StringRecord::new(), StringRecord::new());
        splitter.split(header, &mut names);
        splitter.split(line, &mut record);
        (Columns::of(&names), record)
    }

    #[test]
    fn fields_have_the_names_of_their_columns() {
        let (columns, record) = row("ts, SOC_percent ,units", "2025,55.5,\"[{'a': 1, 'b': None}]\"");
        let row = Row { record: &record, columns: &columns };
        assert_eq!(row.number("soc_percent"), Ok(Some(55.5)));
        assert_eq!(row.text("units"), Some("[{'a': 1, 'b': None}]"));
        assert_eq!(row.number("units"), Err(LeftOut::Damaged));
        assert_eq!(row.number("pv_power_w"), Ok(None));
    }

    #[test]
    fn a_quotation_mark_that_is_cut_off_is_read_to_the_line_s_end() {
        let (_, record) = row("ts,units", "2025,\"[{'a': 1, 'b'");
        assert_eq!(record.len(), 2);
    }

    #[test]
    fn what_says_that_there_is_nothing_is_nothing() {
        for text in ["", " ", "None", "nan", "NaN", "null", "--"] {
            assert_eq!(number(text), Ok(None), "{text:?}");
        }
        assert_eq!(number("inf"), Err(LeftOut::Damaged));
        assert_eq!(number("1e2"), Ok(Some(100.0)));
    }

    proptest! {
        #[test]
        fn a_line_is_split_as_a_file_of_that_line_is(lines in proptest::collection::vec("[a-c,\"'\r µ]{0,20}", 1..5)) {
            let mut splitter = Splitter::new();
            for line in lines {
                let (mut record, mut expected) = (StringRecord::new(), StringRecord::new());
                splitter.split(&line, &mut record);
                let mut file = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
                file.read_record(&mut expected).unwrap();
                prop_assert_eq!(record, expected, "{:?}", line);
            }
        }
    }
}
