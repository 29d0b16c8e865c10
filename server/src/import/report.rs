//! What became of a file's rows.

use super::row::LeftOut;
use model::UtcMillis;
use std::{collections::BTreeMap, fmt};

/// The counts of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FileReport {
    rows: u64,
    fit: u64,
    taken: Option<u64>,
    span: Option<(UtcMillis, UtcMillis)>,
    left_out: BTreeMap<LeftOut, (u64, u64)>,
}

impl FileReport {
    /// There is a row.
    pub(super) fn row(&mut self) {
        self.rows += 1;
    }

    /// The row of this time is good.
    pub(super) fn fit(&mut self, at: UtcMillis) {
        self.fit += 1;
        let (first, last) = self.span.get_or_insert((at, at));
        (*first, *last) = ((*first).min(at), (*last).max(at));
    }

    /// So many of those that were handed over were new.
    pub(super) fn taken(&mut self, count: u64) {
        *self.taken.get_or_insert(0) += count;
    }

    /// The row on this line is left out.
    pub(super) fn left_out(&mut self, line: u64, why: LeftOut) {
        let (count, _) = self.left_out.entry(why).or_insert((0, line));
        *count += 1;
    }
}

#[cfg(any(test, fuzzing))]
impl FileReport {
    /// Every row is one of `fit` that were good, or left out for a reason.
    pub(super) fn check(&self, fit: u64) {
        let left_out: u64 = self.left_out.values().map(|(count, _)| count).sum();
        assert_eq!((self.fit, self.rows), (fit, fit + left_out), "rows that nobody knows about: {self:?}");
    }
}

impl fmt::Display for FileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows", self.rows)?;
        if let Some((first, last)) = self.span {
            write!(f, ", from {first} to {last}")?;
        }
        match self.taken {
            Some(taken) => {
                write!(f, "\n  {taken} taken")?;
                let known = self.fit - taken.min(self.fit);
                if known > 0 {
                    write!(f, "\n  {known} of moments that the database knows already")?;
                }
            }
            None => write!(f, "\n  {} can be taken", self.fit)?,
        }
        for (why, (count, line)) in &self.left_out {
            write!(f, "\n  {count} left out: {why} (the first is line {line})")?;
        }
        Ok(())
    }
}
