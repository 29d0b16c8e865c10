//! The lines of a file that power losses have gone over: with NUL bytes in it, with lines cut anywhere.
//!
//! Neither log has line breaks within its fields, so that a line is a row: a quotation mark that is cut off takes no more
//! than its own line along.

use std::io::{self, BufRead};

/// The longest line that is read; more is no row of these logs. Bytes.
const LONGEST: usize = 64 * 1024;

/// A line that isn't empty.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Its number in the file, from 1.
    pub(super) number: u64,
    /// What it says, without the break at its end. Bytes that are no text are replaced.
    pub(super) text: &'a str,
    /// It ends as lines do. One that doesn't was being written when the power went.
    pub(super) is_whole: bool,
}

/// Reads lines.
pub(super) struct Lines<R> {
    source: R,
    number: u64,
    text: String,
    bytes: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, number: 1, text: String::new(), bytes: Vec::new() }
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// If the file can't be read on.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            let number = self.number;
            self.bytes.clear();
            let Some(end) = self.read_to_end_of_line()? else { return Ok(None) };
            self.number += u64::from(end == End::Break);
            let text = String::from_utf8_lossy(&self.bytes);
            text.trim_start_matches('\u{feff}').trim().clone_into(&mut self.text);
            if self.text.is_empty() {
                continue;
            }
            let text = &self.text;
            return Ok(Some(Line { number, text, is_whole: end == End::Break }));
        }
    }

    /// Fills `bytes` up to a line's end; `None` if the file was at its end before.
    fn read_to_end_of_line(&mut self) -> io::Result<Option<End>> {
        loop {
            let chunk = match self.source.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                return Ok((!self.bytes.is_empty()).then_some(End::Cut));
            }
            let end = chunk.iter().position(|byte| matches!(byte, b'\n' | 0));
            let taken = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or(chunk);
            let room = LONGEST.saturating_sub(self.bytes.len());
            self.bytes.extend_from_slice(taken.get(..room.min(taken.len())).unwrap_or(taken));
            let ended = end.and_then(|at| chunk.get(at).copied());
            let used = end.map_or(chunk.len(), |at| at + 1);
            self.source.consume(used);
            match ended {
                Some(b'\n') => return Ok(Some(End::Break)),
                Some(_) => return Ok(Some(End::Cut)),
                None => {}
            }
        }
    }
}

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// With a line break.
    Break,
    /// With a NUL byte or the file's end.
    Cut,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    fn all(bytes: &[u8], buffer: usize) -> Vec<(u64, String, bool)> {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, bytes));
        let mut all = Vec::new();
        while let Some(Line { number, text, is_whole }) = lines.next().unwrap() {
            all.push((number, text.to_owned(), is_whole));
        }
        all
    }

    #[test]
    fn nul_bytes_end_a_line_that_was_being_written() {
        let told = all(b"\xef\xbb\xbfts,soc\r\n1,50\r\n2,5\0\0\0\x003,60\r\n\r\n4,6", 7);
        let line = |number, text: &str, is_whole| (number, text.to_owned(), is_whole);
        assert_eq!(
            told,
            [
                line(1, "ts,soc", true),
                line(2, "1,50", true),
                line(3, "2,5", false),
                line(3, "3,60", true),
                line(5, "4,6", false),
            ]
        );
    }

    #[test]
    fn a_line_without_an_end_is_no_burden() {
        let long = [vec![b'x'; 5 * LONGEST], b"\nnext\n".to_vec()].concat();
        let told = all(&long, 4096);
        assert_eq!(told[0].1.len(), LONGEST);
        assert_eq!(told[1], (2, "next".to_owned(), true));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..400), buffer in 1_usize..40) {
            let breaks = bytes.split(|byte| *byte == b'\n').count() as u64 - 1;
            let told = all(&bytes, buffer);
            prop_assert!(told.iter().all(|(number, text, _)| *number <= breaks + 1 && !text.is_empty()));
            prop_assert_eq!(told, all(&bytes, 4096));
        }
    }
}
