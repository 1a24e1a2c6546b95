//! Up to where a run is taken as done.

use std::collections::BTreeMap;
use std::fmt;

use super::instant;
use crate::event::{At, ProducerId};

/// Up to where a run is taken as done (`veilspan.checkpoint.cut`): for each process the last number of its own counter,
/// and an instant for the rest. Written `<producer>=<number>` pairs and `time=<instant>`, joined by `;`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// The last number of each process.
    pub seqs: BTreeMap<ProducerId, u64>,
    /// The instant, in nanoseconds since 1970, for what has no number of these processes.
    pub time_unix_nano: Option<u64>,
}

/// On which side of a cut something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It belongs to what was done.
    Before,
    /// It came after.
    After,
    /// Nothing orders it: it is taken for neither.
    Unordered,
}

/// A text that says no cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    /// It is empty: that would be a cut before which nothing is known, and after which everything would come.
    #[error("a cut needs a checkpoint's id, `<producer>=<number>` or an instant")]
    Empty,
    /// The part of this number, 1 first, is neither a pair nor an instant.
    #[error("part {0} of the cut is neither `<producer>=<number>` nor `time=<instant>`")]
    Part(usize),
}

impl Cut {
    /// The cut right behind an observation; nothing where it has neither a time nor a place in its process.
    pub fn behind(at: At) -> Option<Self> {
        let seqs: BTreeMap<_, _> = at.producer.zip(at.seq).into_iter().collect();
        let time_unix_nano = Some(at.time_unix_nano).filter(|time| *time > 0);
        (!seqs.is_empty() || time_unix_nano.is_some()).then_some(Self { seqs, time_unix_nano })
    }

    /// Reads a cut.
    ///
    /// # Errors
    ///
    /// It is empty, or a part of it is no part of a cut. A number is whole, not negative and below 2^64.
    pub fn parse(text: &str) -> Result<Self, CutError> {
        let mut cut = Self::default();
        if text.trim().is_empty() {
            return Err(CutError::Empty);
        }
        for (number, part) in text.split(';').enumerate() {
            let wrong = || CutError::Part(number + 1);
            match part.trim().split_once('=') {
                Some(("time", time)) => cut.time_unix_nano = Some(instant(time).ok_or_else(wrong)?),
                Some((producer, seq)) => {
                    let producer = producer.trim().parse().map_err(|_| wrong())?;
                    cut.seqs.insert(producer, seq.trim().parse().map_err(|_| wrong())?);
                }
                None => cut.time_unix_nano = Some(instant(part).ok_or_else(wrong)?),
            }
        }
        Ok(cut)
    }

    /// On which side an observation is. A process of the cut is ordered by its counter; what has none, by time.
    pub fn side(&self, at: At) -> Side {
        let of_producer = at.producer.and_then(|producer| self.seqs.get(&producer)).zip(at.seq);
        if let Some((last, seq)) = of_producer {
            return if seq <= *last { Side::Before } else { Side::After };
        }
        match self.time_unix_nano {
            Some(time) if at.time_unix_nano > 0 => {
                if at.time_unix_nano <= time {
                    Side::Before
                } else {
                    Side::After
                }
            }
            _ => Side::Unordered,
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.seqs.iter().map(|(producer, seq)| format!("{producer}={seq}")).collect();
        parts.extend(self.time_unix_nano.map(|time| format!("time={time}")));
        f.write_str(&parts.join(";"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_read_as_it_was_written_and_nothing_else_is() {
        let producer = ProducerId::from(7);
        let cut = Cut { seqs: [(producer, 12)].into(), time_unix_nano: Some(1_500_000_000) };
        assert_eq!(Cut::parse(&cut.to_string()), Ok(cut));
        assert_eq!(Cut::parse("2026-01-01T12:00:00Z").map(|cut| cut.seqs.len()), Ok(0));
        assert_eq!(Cut::parse(" "), Err(CutError::Empty));
        for wrong in ["-1", "99999999999999999999999999", "0", "7=1", "2026-13-01T00:00:00Z", "x"] {
            assert_eq!(Cut::parse(wrong), Err(CutError::Part(1)), "{wrong}");
        }
        for wrong in ["-1", "1.5", "18446744073709551616", ""] {
            assert_eq!(Cut::parse(&format!("time=1;{producer}={wrong}")), Err(CutError::Part(2)), "{wrong}");
        }
    }
}
