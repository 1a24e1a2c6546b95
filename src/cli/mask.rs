//! `veilspan mask`: what the detectors find in a text taken out, and nothing else changed.
//!
//! Memory is bounded by the longest line (16 MiB) whatever the length of the text. No error repeats anything of the text.

use std::io::{BufRead, Read, Write};
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Failure;
use crate::privacy::{Detectors, Policy, detect};

/// The longest line of JSON, in bytes.
const LONGEST_LINE: usize = 16 << 20;
/// How much text is masked at once, in bytes, and how much of it is kept back for what goes on behind.
const BLOCK: usize = 4 << 20;
const KEPT_BACK: usize = 256 << 10;
/// A file of rules that is longer is refused.
const LONGEST_RULES: u64 = 1 << 20;

/// Replace keys, passwords and personal data in a text by `[redacted:<rule>]`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Read lines of `{"id": …, "text": "…"}`, and write the same with the text masked.
    #[arg(long)]
    jsonl: bool,
    /// A file of rules, instead of what `VEILSPAN_DETECTORS` says.
    #[arg(long, value_name = "FILE")]
    detectors: Option<PathBuf>,
}

/// A line in, and a line out. Other members are not read: nobody would have masked them.
#[derive(Deserialize, Serialize)]
struct Line {
    id: Value,
    text: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let detectors = detectors(arguments)?;
    let mut input = std::io::stdin().lock();
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    let bad = if arguments.jsonl {
        lines(&detectors, &mut input, &mut output)
    } else {
        text(&detectors, &mut input, &mut output)
    };
    let bad = bad.and_then(|bad| output.flush().map(|()| bad));
    match bad {
        Ok(None) => Ok(()),
        Ok(Some(problem)) => Err(Failure::BadData(problem)),
        // A reader that has seen enough is no failure of ours.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(_) => Err(Failure::Unavailable("stdin cannot be read or stdout not be written to".to_owned())),
    }
}

fn detectors(arguments: &Arguments) -> Result<Detectors, Failure> {
    const NONE: &str = "there are no detectors: `VEILSPAN_DETECTORS` is `none` or not understood; name a file with --detectors, or unset it";
    let Some(path) = &arguments.detectors else {
        return Policy::from_env().detectors().cloned().ok_or_else(|| Failure::Usage(NONE.to_owned()));
    };
    let unreadable = |_| Failure::Unavailable("the file of --detectors cannot be read".to_owned());
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(LONGEST_RULES).read_to_end(&mut bytes).map_err(unreadable)?;
    let text =
        String::from_utf8(bytes).map_err(|_| Failure::BadData("the file of --detectors is not UTF-8".to_owned()))?;
    Detectors::parse(&text).map_err(|error| Failure::BadData(error.to_string()))
}

/// Masks line by line. Answers what was wrong, if anything was.
fn lines(detectors: &Detectors, input: &mut impl BufRead, output: &mut impl Write) -> std::io::Result<Option<String>> {
    const EXPECTED: &str = "not a line of {\"id\": …, \"text\": \"…\"} of at most 16 MiB";
    let mut line = Vec::new();
    let (mut number, mut bad) = (0_u64, 0_u64);
    loop {
        line.clear();
        let read = (&mut *input).take(LONGEST_LINE as u64).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok((bad > 0).then(|| format!("{bad} of {number} lines left out")));
        }
        number += 1;
        let is_whole = line.last() == Some(&b'\n') || read < LONGEST_LINE || input.fill_buf()?.is_empty();
        if !is_whole {
            input.skip_until(b'\n')?;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Line>(&line).ok().filter(|_| is_whole) {
            Some(Line { id, text }) => {
                let masked = Line { id, text: detectors.mask(&text).into_owned() };
                serde_json::to_writer(&mut *output, &masked)?;
                output.write_all(b"\n")?;
            }
            None => {
                bad += 1;
                tracing::error!(target: "veilspan", line = number, "{EXPECTED}");
            }
        }
    }
}

/// Masks a text in blocks that end between lines and outside of hits.
fn text(detectors: &Detectors, input: &mut impl BufRead, output: &mut impl Write) -> std::io::Result<Option<String>> {
    let mut block = Vec::new();
    let mut is_bad = false;
    loop {
        let wanted = (BLOCK + KEPT_BACK).saturating_sub(block.len()).max(KEPT_BACK);
        let read = (&mut *input).take(wanted as u64).read_to_end(&mut block)?;
        let is_last = read < wanted;
        let cut = if is_last { block.len() } else { cut(detectors, &block) };
        let text = String::from_utf8_lossy(block.get(..cut).unwrap_or_default());
        is_bad |= matches!(text, std::borrow::Cow::Owned(_));
        output.write_all(detectors.mask(&text).as_bytes())?;
        block.drain(..cut);
        if is_last {
            const NOT_UTF8: &str = "the text is not UTF-8; what is not stands as U+FFFD";
            return Ok(is_bad.then(|| NOT_UTF8.to_owned()));
        }
    }
}

/// Where a block ends: after a line, before what is kept back, and not in a hit. 0 where more has to be read first.
fn cut(detectors: &Detectors, block: &[u8]) -> usize {
    let most = block.len().saturating_sub(KEPT_BACK);
    let line = memchr::memrchr(b'\n', block.get(..most).unwrap_or_default()).map(|at| at + 1);
    let Some(mut cut) = line else {
        // A line without an end: after so much of it anything is an end, on a boundary of characters.
        let ends = block.len() >= LONGEST_LINE;
        let boundary =
            (most.saturating_sub(4)..most).rev().find(|at| block.get(*at).is_some_and(|byte| byte & 0xc0 != 0x80));
        return if ends { boundary.unwrap_or(most) } else { 0 };
    };
    let text = String::from_utf8_lossy(block);
    // Where bytes were replaced, places differ; a line's end serves then.
    if let std::borrow::Cow::Borrowed(text) = text {
        let over: Option<detect::Hit> =
            detectors.find(text).into_iter().find(|hit| hit.range.start < cut && cut < hit.range.end);
        cut = over.map_or(cut, |hit| hit.range.start);
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text_in: &[u8]) -> (Vec<u8>, Option<String>) {
        let mut output = Vec::new();
        let bad = text(&Detectors::default_set(), &mut &*text_in, &mut output).unwrap();
        (output, bad)
    }

    #[test]
    fn a_long_text_is_masked_in_blocks_as_it_would_be_whole() {
        let line = "an ordinary line without anything in it that anybody would want to hide from anybody else\n";
        let key = format!(
            "-----BEGIN PRIVATE KEY-----\n{}-----END PRIVATE KEY-----\n",
            format!("{}\n", "Ab1/".repeat(16)).repeat(700)
        );
        let mut long = String::new();
        while long.len() < 3 * BLOCK {
            long.push_str(&line.repeat(800));
            long.push_str("write to jane@example.com\n");
            long.push_str(&key);
        }
        let (output, bad) = masked(long.as_bytes());
        assert!(bad.is_none());
        assert!(output == Detectors::default_set().mask(&long).as_bytes());
    }

    #[test]
    fn a_line_without_an_end_is_masked_too() {
        let long = format!("{} jane@example.com {}", "word ".repeat(5 << 20), "x".repeat(100));
        let (output, _) = masked(long.as_bytes());
        let output = String::from_utf8(output).unwrap();
        assert!(output.len() > 25 << 20 && output.contains("[redacted:email]") && !output.contains("jane"));
    }

    #[test]
    fn what_is_not_utf8_is_told_and_the_rest_is_masked() {
        let (output, bad) = masked(b"a\xffb jane@example.com");
        assert_eq!(String::from_utf8(output).unwrap(), "a\u{fffd}b [redacted:email]");
        assert!(bad.is_some());
    }
}
