//! How far the chart looks back. The choice lives in the page's address.

use serde::{Deserialize, Serialize};

/// How far the chart looks back from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Range {
    /// One hour.
    #[serde(rename = "1h")]
    Hour,
    /// Six hours.
    #[serde(rename = "6h")]
    SixHours,
    /// 24 hours.
    #[default]
    #[serde(rename = "24h")]
    Day,
    /// Three days.
    #[serde(rename = "3d")]
    ThreeDays,
    /// One week.
    #[serde(rename = "1w")]
    Week,
    /// Everything there is.
    #[serde(rename = "all")]
    All,
}

impl Range {
    /// All of them, shortest first.
    pub const ALL: [Self; 6] =
        [Self::Hour, Self::SixHours, Self::Day, Self::ThreeDays, Self::Week, Self::All];

    /// As it stands in the address (`?range=24h`).
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::SixHours => "6h",
            Self::Day => "24h",
            Self::ThreeDays => "3d",
            Self::Week => "1w",
            Self::All => "all",
        }
    }

    /// As a button says it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::All => "All",
            other => other.slug(),
        }
    }

    /// As a sentence says it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Hour => "the last hour",
            Self::SixHours => "the last six hours",
            Self::Day => "the last 24 hours",
            Self::ThreeDays => "the last three days",
            Self::Week => "the last week",
            Self::All => "all there is",
        }
    }

    /// The range an address asks for; the default, where it asks for none or for one that there isn't.
    pub fn from_slug(slug: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|range| Some(range.slug()) == slug).unwrap_or_default()
    }

    /// How much time passes at the site before a chart over this range looks different, in milliseconds. What is new is
    /// kept once a minute.
    pub const fn redrawn_after(self) -> i64 {
        const MINUTE: i64 = 60_000;
        match self {
            Self::Hour | Self::SixHours => MINUTE,
            Self::Day => 5 * MINUTE,
            Self::ThreeDays => 15 * MINUTE,
            Self::Week | Self::All => 30 * MINUTE,
        }
    }

    /// Its length in milliseconds; `None` for everything.
    pub const fn millis(self) -> Option<i64> {
        const HOUR: i64 = 3_600_000;
        match self {
            Self::Hour => Some(HOUR),
            Self::SixHours => Some(6 * HOUR),
            Self::Day => Some(24 * HOUR),
            Self::ThreeDays => Some(72 * HOUR),
            Self::Week => Some(168 * HOUR),
            Self::All => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_asks_for_no_range_gets_the_default() {
        assert_eq!(Range::from_slug(Some("1w")), Range::Week);
        for other in [None, Some(""), Some("1W"), Some("2w"), Some("<script>")] {
            assert_eq!(Range::from_slug(other), Range::Day);
        }
    }
}
