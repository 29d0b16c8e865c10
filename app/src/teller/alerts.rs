//! What a person should know about.

use super::Teller;
use crate::view::AlertRow;
use model::{Alert, Severity, Undelivered, event::Overview};

impl Teller<'_> {
    /// All that there are, and above them by which channels they don't reach people.
    pub(super) fn alerts(&self, overview: &Overview) -> Vec<AlertRow> {
        let undelivered = overview.undelivered.iter().map(|Undelivered { channel, since, why }| AlertRow {
            class: "warning".to_owned(),
            severity: "Warning".to_owned(),
            text: format!("Alerts can't be sent by {channel}: {why}. They are tried again."),
            since: format!("since {}", self.moment(*since)),
            is_seen: false,
            is_over: false,
        });
        undelivered.chain(overview.snapshot.alerts.iter().map(|alert| self.alert(alert))).collect()
    }

    fn alert(&self, alert: &Alert) -> AlertRow {
        let (class, severity) = match alert.severity {
            Severity::Info => ("info", "Note"),
            Severity::Warning => ("warning", "Warning"),
            Severity::Alarm => ("alarm", "Alarm"),
        };
        let (since, last) = (self.moment(alert.since), self.moment(alert.last));
        let when = match alert.active {
            true => format!("since {since}"),
            false if since == last => format!("at {since}"),
            false => format!("from {since} to {last}"),
        };
        let times = if alert.count > 1 { format!(", {} times", alert.count) } else { String::new() };
        AlertRow {
            class: class.to_owned(),
            severity: severity.to_owned(),
            text: alert.text.clone(),
            since: format!("{when}{times}"),
            is_seen: alert.active && alert.seen,
            is_over: !alert.active,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::teller::{
        sample::{NOW, battery, overview},
        tell,
    };
    use model::{Alert, AlertCode, Severity, Undelivered, UtcMillis};

    #[test]
    fn an_alert_says_since_when_or_from_when_to_when_and_how_often() {
        let told = |active, count, since_minutes: i64| {
            let mut overview = overview(battery(Some(60.0)), vec![]);
            overview.snapshot.alerts = vec![Alert {
                code: AlertCode::MinerRefused,
                miner: None,
                severity: Severity::Warning,
                text: "refused".into(),
                since: UtcMillis(NOW.0 - since_minutes * 60_000),
                last: NOW,
                count,
                active,
                seen: false,
            }];
            tell(&overview).alerts[0].since.clone()
        };
        assert_eq!(told(true, 1, 30), "since 03:36");
        assert_eq!(told(true, 3, 30), "since 03:36, 3 times");
        assert_eq!(told(false, 2, 30), "from 03:36 to 04:06, 2 times");
        assert_eq!(told(false, 1, 0), "at 04:06");
    }

    #[test]
    fn a_channel_that_fails_is_told_above_everything() {
        let mut overview = overview(battery(Some(60.0)), vec![]);
        overview.undelivered = vec![Undelivered {
            channel: "ntfy".into(),
            since: UtcMillis(NOW.0 - 30 * 60_000),
            why: "no answer within 20 s".into(),
        }];
        let alert = tell(&overview).alerts.swap_remove(0);
        assert_eq!(
            (alert.text.as_str(), alert.since.as_str()),
            ("Alerts can't be sent by ntfy: no answer within 20 s. They are tried again.", "since 03:36")
        );
    }
}
