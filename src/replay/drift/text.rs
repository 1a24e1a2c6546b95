//! A report for a person: both runs side by side around what differs.

use std::fmt::Write;

use super::{Difference, DifferenceKind, Report, Row};
use crate::event::Digest;
use crate::reduce::words;
use crate::replay::run::{Run, Step};

/// The width of one side, in characters.
const SIDE: usize = 46;
/// How many rows without a difference are shown before and after one with.
const CONTEXT: usize = 3;

impl Report {
    /// Both runs side by side around what differs, then the verdict. They must be the runs that were compared.
    pub fn text(&self, baseline: &Run, candidate: &Run) -> String {
        let mut text = String::new();
        let [of_baseline, of_candidate] = &self.rollouts;
        let [steps, other_steps] = self.steps;
        let side = |rollout: &str, steps: u64| format!("{} ({})", words::short(rollout), several(steps));
        line(&mut text, ' ', &side(of_baseline, steps), &side(of_candidate, other_steps));
        let of_row = self.differences_of_rows();
        let mut skipped = 0;
        for (place, row) in self.rows.iter().enumerate() {
            let near = of_row.get(place.saturating_sub(CONTEXT)..(place + CONTEXT + 1).min(of_row.len()));
            if near.unwrap_or_default().iter().all(Vec::is_empty) {
                skipped += 1;
                continue;
            }
            skip(&mut text, &mut skipped);
            self.row(&mut text, *row, (baseline, candidate), of_row.get(place).map_or(&[], Vec::as_slice));
        }
        skip(&mut text, &mut skipped);
        self.summary(&mut text);
        text
    }

    /// The numbers of the differences of each row. One of a step that stands in no row stands with the last.
    fn differences_of_rows(&self) -> Vec<Vec<usize>> {
        let mut of_row: Vec<Vec<usize>> = self.rows.iter().map(|_| Vec::new()).collect();
        let number = |side: &Option<crate::replay::run::Place>| side.as_ref().map(|place| place.number);
        let places: std::collections::HashMap<(Option<u64>, Option<u64>), usize> =
            self.rows.iter().enumerate().map(|(place, row)| ((row.baseline, row.candidate), place)).collect();
        for (index, difference) in self.differences.iter().enumerate() {
            let place = places.get(&(number(&difference.baseline), number(&difference.candidate)));
            if let Some(list) = place.and_then(|place| of_row.get_mut(*place)) {
                list.push(index);
            }
        }
        of_row
    }

    fn row(&self, text: &mut String, row: Row, (baseline, candidate): (&Run, &Run), differences: &[usize]) {
        let step = |run: &Run, number: Option<u64>| {
            let step =
                number.and_then(|number| i64::try_from(number).ok()).and_then(|number| run.step(number).map(described));
            step.unwrap_or_default()
        };
        let mark = match (row.baseline, row.candidate) {
            (Some(_), None) => '<',
            (None, Some(_)) => '>',
            _ if differences.is_empty() => ' ',
            _ => '~',
        };
        line(text, mark, &step(baseline, row.baseline), &step(candidate, row.candidate));
        for index in differences {
            if let Some(difference) = self.differences.get(*index) {
                let _ = writeln!(text, "      #{} {}", index + 1, told(difference));
            }
        }
    }

    fn summary(&self, text: &mut String) {
        let drift = self.drift().count() as u64;
        let _ = write!(text, "\n{}", self.verdict().as_str());
        if drift > 0 {
            let _ = write!(text, ": {}", words::several(drift, "difference", "differences"));
        }
        let reasons: Vec<&str> = self.unsure.iter().map(|reason| reason.as_str()).collect();
        if !reasons.is_empty() {
            let _ = write!(text, " ({})", reasons.join(", "));
        }
        text.push('\n');
        let place = |index: usize| format!("#{}", index + 1);
        if let Some(first) = self.first()
            && let Some(index) = self.differences.iter().position(|one| std::ptr::eq(one, first))
        {
            let _ = writeln!(text, "first divergence: {} {}", place(index), named(first));
        }
        if let Some([baseline, candidate]) = &self.resync {
            let _ = writeln!(text, "the same again from step {} and step {} on", baseline.number, candidate.number);
        }
        for (count, what) in [
            (self.affected, "did the same although their input had changed"),
            (self.pending, "may still come"),
            (self.not_comparable, "fields could not be compared"),
            (self.reordered, "groups ran in another order, which is no difference"),
        ] {
            if count > 0 {
                let _ = writeln!(text, "{} {what}", words::count(count));
            }
        }
        if self.approximate {
            text.push_str("the runs differ too much for an exact alignment: there may be a shorter account\n");
        }
    }
}

fn several(steps: u64) -> String {
    words::several(steps, "step", "steps")
}

/// One line of both sides.
fn line(text: &mut String, mark: char, left: &str, right: &str) {
    let cut = |side: &str| -> String {
        if side.chars().count() <= SIDE {
            return format!("{side:SIDE$}");
        }
        side.chars().take(SIDE - 1).chain(['…']).collect()
    };
    let both = format!("{}  {mark}  {}", cut(left), cut(right));
    text.push_str(both.trim_end());
    text.push('\n');
}

fn skip(text: &mut String, skipped: &mut u64) {
    if *skipped > 0 {
        let _ = writeln!(text, "  … {} the same", several(*skipped));
    }
    *skipped = 0;
}

fn described(step: &Step) -> String {
    let indent = "  ".repeat(step.place.depth as usize);
    let name = step.name().map(|name| format!(" {}", words::label(&name))).unwrap_or_default();
    format!("{indent}{}{name}", step.kind)
}

fn named(difference: &Difference) -> String {
    let name = difference.name.as_ref().map(|name| format!(" {}", words::label(name))).unwrap_or_default();
    format!("{} of {}{name}", difference.kind, difference.step)
}

fn told(difference: &Difference) -> String {
    let mut text = difference.kind.to_string();
    let is_alone = matches!(difference.kind, DifferenceKind::Insertion | DifferenceKind::Deletion);
    if is_alone && difference.steps > 1 {
        let _ = write!(text, " of {}", several(difference.steps));
    }
    if !is_alone {
        let value = |value: Option<&bytestring::ByteString>| value.map_or("-".to_owned(), |value| shortened(value));
        let (expected, actual) = (difference.expected.as_ref(), difference.actual.as_ref());
        let _ = write!(text, ": {} became {}", value(expected), value(actual));
    }
    let _ = write!(text, " ({}, input {}", difference.severity.as_str(), difference.input.as_str());
    if let Some(since) = difference.since {
        let _ = write!(text, ", follows from #{}", since + 1);
    }
    if let Some(change) = &difference.intended {
        let _ = write!(text, ", meant by {}", words::label(change));
    }
    text.push(')');
    text
}

/// Digests by their first digits.
fn shortened(value: &str) -> String {
    let short =
        |part: &str| part.parse::<Digest>().map_or_else(|_| words::label(part), |digest| words::digest(&digest));
    value.split(',').map(short).collect::<Vec<_>>().join(",")
}
