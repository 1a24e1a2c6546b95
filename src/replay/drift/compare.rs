//! One field of two steps that stand for one another.

use crate::event::Outcome;
use crate::reduce::Severity;
use crate::replay::run::{Field, Hashing, Told, is_digested};

/// Two numbers that are nearer than this are the same: what adding and subtracting decimal fractions leaves behind.
pub(in crate::replay) const NOISE: f64 = 1e-9;
/// How far apart two confidences may be: from here on it is a warning, and from the second on critical.
const CONFIDENCE: [f64; 2] = [0.4, 0.5];
/// Token counts differ where they are further apart than this share of the larger, and than this many.
const TOKENS: (f64, f64) = (0.25, 100.0);
/// Costs differ where they are further apart than this share of the larger, and than this much.
const COST: (f64, f64) = (0.25, 0.001);
/// Durations differ where they are further apart than this share of the longer, and than a second.
const DURATION: (f64, f64) = (0.5, 1e9);

/// What comparing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    Same,
    Differs(Severity),
    NotComparable,
}

/// Compares what two steps tell of a field.
pub(super) fn compare(field: Field, a: (&Told, &Hashing), b: (&Told, &Hashing)) -> Compared {
    match field {
        Field::Confidence => confidence(a.0, b.0),
        Field::InputTokens | Field::OutputTokens => measured(a.0, b.0, TOKENS),
        Field::Cost => measured(a.0, b.0, COST),
        Field::Duration => measured(a.0, b.0, DURATION),
        _ => equality(field, a, b),
    }
}

fn confidence(a: &Told, b: &Told) -> Compared {
    let (Some(a), Some(b)) = (sure(a), sure(b)) else { return Compared::NotComparable };
    let [warning, critical] = CONFIDENCE;
    let apart = (a - b).abs() + NOISE;
    if apart >= critical {
        Compared::Differs(Severity::Critical)
    } else if apart >= warning {
        Compared::Differs(Severity::Warning)
    } else {
        Compared::Same
    }
}

/// How sure, from 0 to 1.
fn sure(told: &Told) -> Option<f64> {
    told.number().map(|number| number.clamp(0.0, 1.0))
}

fn measured(a: &Told, b: &Told, (share, floor): (f64, f64)) -> Compared {
    let (Some(a), Some(b)) = (a.number(), b.number()) else { return Compared::NotComparable };
    let apart = (a - b).abs();
    let differs = apart > floor && apart > share * a.abs().max(b.abs());
    if differs { Compared::Differs(Severity::Info) } else { Compared::Same }
}

fn equality(field: Field, (a, of_a): (&Told, &Hashing), (b, of_b): (&Told, &Hashing)) -> Compared {
    let same = match (a, b) {
        (Told::Digest(a), Told::Digest(b)) => of_a.compares(a, of_b, b).then_some(a == b),
        (Told::Digests(a), Told::Digests(b)) => {
            let all = a.iter().zip(b).all(|(a, b)| of_a.compares(a, of_b, b));
            all.then_some(a == b)
        }
        (Told::Label(a), Told::Label(b)) => label(a, b, of_a.compares_labels(of_b)),
        (Told::Labels(a), Told::Labels(b)) if a.len() == b.len() => {
            let labels = || a.iter().zip(b).map(|(a, b)| label(a, b, of_a.compares_labels(of_b)));
            if labels().any(|same| same == Some(false)) {
                Some(false)
            } else {
                labels().all(|same| same == Some(true)).then_some(true)
            }
        }
        (Told::Labels(_), Told::Labels(_)) => Some(false),
        (Told::Bool(a), Told::Bool(b)) => Some(a == b),
        (Told::Int(_) | Told::Double(_), Told::Int(_) | Told::Double(_)) => numbers(a, b),
        _ => None,
    };
    match same {
        Some(true) => Compared::Same,
        Some(false) => Compared::Differs(severity(field, a, b)),
        None => Compared::NotComparable,
    }
}

/// Whether two labels are the same. One that was replaced by its digest may be compared under the same key alone.
fn label(a: &str, b: &str, under_one_key: bool) -> Option<bool> {
    let digested = is_digested(a) || is_digested(b);
    (!digested || under_one_key).then_some(a == b)
}

fn numbers(a: &Told, b: &Told) -> Option<bool> {
    if let (Told::Int(a), Told::Int(b)) = (a, b) {
        return Some(a == b);
    }
    let (a, b) = (a.number()?, b.number()?);
    Some((a - b).abs() <= NOISE * a.abs().max(b.abs()).max(1.0))
}

/// How much it matters that two steps differ in a field.
pub(super) fn severity(field: Field, a: &Told, b: &Told) -> Severity {
    match field {
        Field::Action | Field::Approval => Severity::Critical,
        Field::Outcome => {
            let error = |told: &Told| match told {
                Told::Label(word) => word.parse::<Outcome>().is_ok_and(|outcome| outcome != Outcome::Completed),
                _ => false,
            };
            // What worked in one run alone.
            if error(a) == error(b) { Severity::Warning } else { Severity::Critical }
        }
        Field::Alternatives
        | Field::Retries
        | Field::InputTokens
        | Field::OutputTokens
        | Field::Cost
        | Field::Duration => Severity::Info,
        _ => Severity::Warning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confidences(a: f64, b: f64) -> Compared {
        confidence(&Told::Double(a), &Told::Double(b))
    }

    #[test]
    fn equal_distances_get_equal_verdicts_whatever_the_floats_leave() {
        for (a, b) in [(0.9, 0.5), (0.7, 0.3), (0.6, 0.2), (0.3, 0.7)] {
            assert_eq!(confidences(a, b), Compared::Differs(Severity::Warning), "{a} {b}");
        }
        for (a, b) in [(0.9, 0.4), (0.7, 0.2), (0.8, 0.3), (0.0, 1.0)] {
            assert_eq!(confidences(a, b), Compared::Differs(Severity::Critical), "{a} {b}");
        }
        assert_eq!(confidences(0.9, 0.51), Compared::Same);
        assert_eq!(confidences(1.7, 1.0), Compared::Same);
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(confidences(odd, 0.5), Compared::NotComparable);
        }
        for odd in [Told::Label("high".into()), Told::Bool(true), Told::Labels(Vec::new())] {
            assert_eq!(confidence(&odd, &Told::Double(0.5)), Compared::NotComparable);
        }
    }
}
