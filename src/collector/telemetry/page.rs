//! Prometheus' text exposition format, 0.0.4.

use std::fmt::Write;

/// A page of metrics. All samples of one metric are written one after the other, as the format wants it.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
}

/// What kind of a metric it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Counter,
    Gauge,
}

/// Labels of a sample: names and values.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

impl Page {
    /// One metric with its samples.
    pub(super) fn metric<'a>(
        &mut self,
        kind: Kind,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Vec<(&'a str, &'a str)>, u64)>,
    ) {
        let word = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        // Writing into a string does not fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {word}");
        for (labels, value) in samples {
            self.sample(name, &labels, value);
        }
    }

    fn sample(&mut self, name: &str, labels: Labels<'_>, value: u64) {
        self.text.push_str(name);
        for (place, (label, value)) in labels.iter().enumerate() {
            self.text.push(if place == 0 { '{' } else { ',' });
            let _ = write!(self.text, "{label}=\"");
            for character in value.chars() {
                match character {
                    '\\' => self.text.push_str("\\\\"),
                    '"' => self.text.push_str("\\\""),
                    '\n' => self.text.push_str("\\n"),
                    other => self.text.push(other),
                }
            }
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_prometheus_reads() {
        let mut page = Page::default();
        let samples = [(vec![("exporter", "a\"b\\c\nd"), ("kind", "x")], 3), (vec![], 4)];
        page.metric(Kind::Counter, "veilspan_test_total", "What it is.", samples);
        let expected = "# HELP veilspan_test_total What it is.\n# TYPE veilspan_test_total counter\n\
             veilspan_test_total{exporter=\"a\\\"b\\\\c\\nd\",kind=\"x\"} 3\nveilspan_test_total 4\n";
        assert_eq!(page.finish(), expected);
    }
}
