//! Writing metric families one after the other, each with what describes it.

use prometheus_client::{encoding::DescriptorEncoder, metrics::MetricType, registry::Unit};
use std::fmt;

/// Labels of a metric: names and values.
pub(super) type Labels = Vec<(&'static str, String)>;

/// What describes a family.
#[derive(Clone, Copy)]
pub(super) struct Family {
    /// Its name, without its unit and without what the format puts behind a counter or an info.
    pub(super) name: &'static str,
    /// What its values are counted in, as the last part of its name; empty, if they are mere numbers.
    pub(super) unit: &'static str,
    /// What a person reads about it.
    pub(super) help: &'static str,
}

impl Family {
    pub(super) const fn new(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self { name, unit, help }
    }

    fn unit(self) -> Option<Unit> {
        (!self.unit.is_empty()).then(|| Unit::Other(self.unit.to_owned()))
    }
}

/// Writes families. One without any metric isn't written at all: what isn't known is left out.
pub(super) struct Families<'a>(pub(super) DescriptorEncoder<'a>);

impl Families<'_> {
    /// One value, where it is known.
    pub(super) fn gauge(&mut self, family: Family, value: Option<f64>) -> fmt::Result {
        self.gauges(family, value.map(|value| (Labels::new(), Some(value))))
    }

    /// Values with their labels, as far as they are known.
    pub(super) fn gauges(
        &mut self,
        family: Family,
        values: impl IntoIterator<Item = (Labels, Option<f64>)>,
    ) -> fmt::Result {
        let known = values.into_iter().filter_map(|(labels, value)| Some((labels, value?)));
        let mut known = known.filter(|(_, value)| value.is_finite()).peekable();
        if known.peek().is_none() {
            return Ok(());
        }
        let unit = family.unit();
        let mut encoder =
            self.0.encode_descriptor(family.name, family.help, unit.as_ref(), MetricType::Gauge)?;
        for (labels, value) in known {
            if labels.is_empty() {
                encoder.encode_gauge(&value)?;
            } else {
                encoder.encode_family(&labels)?.encode_gauge(&value)?;
            }
        }
        Ok(())
    }

    /// Counts since the start, with their labels.
    pub(super) fn counters(
        &mut self,
        family: Family,
        counts: impl IntoIterator<Item = (Labels, u64)>,
    ) -> fmt::Result {
        let mut counts = counts.into_iter().peekable();
        if counts.peek().is_none() {
            return Ok(());
        }
        let unit = family.unit();
        let mut encoder =
            self.0.encode_descriptor(family.name, family.help, unit.as_ref(), MetricType::Counter)?;
        let no_example = None::<&prometheus_client::metrics::exemplar::Exemplar<Labels, u64>>;
        for (labels, count) in counts {
            if labels.is_empty() {
                encoder.encode_counter(&count, no_example)?;
            } else {
                encoder.encode_family(&labels)?.encode_counter(&count, no_example)?;
            }
        }
        Ok(())
    }

    /// What is told in words.
    pub(super) fn infos(&mut self, family: Family, infos: impl IntoIterator<Item = Labels>) -> fmt::Result {
        let mut infos = infos.into_iter().peekable();
        if infos.peek().is_none() {
            return Ok(());
        }
        let mut encoder = self.0.encode_descriptor(family.name, family.help, None, MetricType::Info)?;
        infos.try_for_each(|labels| encoder.encode_info(&labels))
    }

    /// How often a value was in which class: upper bounds in rising order, the last one infinite.
    pub(super) fn histogram(&mut self, family: Family, sum: f64, classes: &[(f64, u64)]) -> fmt::Result {
        let unit = family.unit();
        let mut encoder =
            self.0.encode_descriptor(family.name, family.help, unit.as_ref(), MetricType::Histogram)?;
        let count = classes.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<Labels>(sum, count, classes, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::{collector::Collector, encoding::text, registry::Registry};

    const FAMILY: Family = Family::new("power", "watts", "What is drawn.");

    /// What is written of these values.
    #[derive(Debug)]
    struct Values(Vec<(Labels, Option<f64>)>);

    impl Collector for Values {
        fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
            Families(encoder).gauges(FAMILY, self.0.clone())
        }
    }

    fn written(values: Vec<(Labels, Option<f64>)>) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Values(values)));
        let mut text = String::new();
        text::encode(&mut text, &registry).unwrap();
        text
    }

    #[test]
    fn labels_hold_what_a_device_says_of_itself() {
        let label = |value: &str| vec![("model", value.to_owned())];
        let text = written(vec![(label("M50\"\n# EOF\n\\"), Some(1.5))]);
        let expected = "# HELP power_watts What is drawn.\n# TYPE power_watts gauge\n# UNIT power_watts watts\n\
            power_watts{model=\"M50\\\"\\n# EOF\\n\\\\\"} 1.5\n# EOF\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_not_known_is_not_written() {
        let unknown = [None, Some(f64::NAN), Some(f64::INFINITY)];
        assert_eq!(written(unknown.map(|value| (Labels::new(), value)).to_vec()), "# EOF\n");
        let text = written(vec![(Labels::new(), None), (vec![("a", "b".to_owned())], Some(0.0))]);
        assert!(text.ends_with("watts\npower_watts{a=\"b\"} 0.0\n# EOF\n"), "{text}");
    }
}
