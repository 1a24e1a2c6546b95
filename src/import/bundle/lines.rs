//! The event log as lines, each bounded.

use std::io::{self, BufRead, Read};

use crate::event::wipe;

/// The longest line that is taken, in bytes: records hold the source of code cells.
pub(super) const MAX_LINE: u64 = 16 << 20;

/// A line without its end.
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    /// The log ends in it.
    Unfinished(&'a [u8]),
    Oversize,
}

/// Reads lines one after the other into one buffer, which is wiped.
pub(super) struct Lines<R> {
    log: R,
    buffer: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(log: R) -> Self {
        Self { log, buffer: Vec::new(), number: 0 }
    }

    /// The number of the line read last, from 1.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The next line that is not blank.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            self.buffer.clear();
            let read = (&mut self.log).take(MAX_LINE + 1).read_until(b'\n', &mut self.buffer)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            let is_finished = self.buffer.last() == Some(&b'\n');
            if !is_finished && self.buffer.len() as u64 > MAX_LINE {
                skip_line(&mut self.log)?;
                return Ok(Some(Line::Oversize));
            }
            if !self.buffer.trim_ascii().is_empty() {
                let line = self.buffer.trim_ascii();
                return Ok(Some(if is_finished { Line::Whole(line) } else { Line::Unfinished(line) }));
            }
        }
    }
}

fn skip_line(log: &mut impl BufRead) -> io::Result<()> {
    loop {
        let chunk = log.fill_buf()?;
        let Some(end) = chunk.iter().position(|byte| *byte == b'\n') else {
            let length = chunk.len();
            if length == 0 {
                return Ok(());
            }
            log.consume(length);
            continue;
        };
        log.consume(end + 1);
        return Ok(());
    }
}

impl<R> Drop for Lines<R> {
    fn drop(&mut self) {
        wipe(&mut self.buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_are_passed_over_and_the_unfinished_one_is_told() {
        let mut lines = Lines::new(&b"one\n\n  \r\ntwo\r\nthr"[..]);
        assert!(matches!(lines.next(), Ok(Some(Line::Whole(b"one")))));
        assert!(matches!(lines.next(), Ok(Some(Line::Whole(b"two")))));
        assert_eq!(lines.number(), 4);
        assert!(matches!(lines.next(), Ok(Some(Line::Unfinished(b"thr")))));
        assert!(matches!(lines.next(), Ok(None)));
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        let mut log = vec![b'x'; MAX_LINE as usize + 10];
        log.extend(b"\nnext\n");
        let mut lines = Lines::new(log.as_slice());
        assert!(matches!(lines.next(), Ok(Some(Line::Oversize))));
        assert!(matches!(lines.next(), Ok(Some(Line::Whole(b"next")))));
    }
}
