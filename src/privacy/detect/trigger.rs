//! Places where rules without keywords may begin: names before an `@`, and stretches with enough digits.

use std::ops::Range;

/// Bytes that are judged together.
const BLOCK: usize = 32;

/// A phone number has no fewer, and nothing else that is looked for.
pub(super) const MIN_DIGITS: u8 = 7;

/// Calls `found` with each `@`, until it answers false.
pub(super) fn each_at(text: &[u8], mut found: impl FnMut(usize) -> bool) {
    for at in memchr::memchr_iter(b'@', text) {
        if !found(at) {
            return;
        }
    }
}

/// Calls `found` with stretches of the text outside which no run of seven digits, however they are separated, is shorter
/// than a block. Stretches rise and do not overlap.
pub(super) fn each_dense(text: &[u8], mut found: impl FnMut(Range<usize>) -> bool) {
    let mut before = 0;
    let mut open: Option<Range<usize>> = None;
    for (number, block) in text.chunks(BLOCK).enumerate() {
        let digits = digits(block);
        if before + digits >= MIN_DIGITS {
            let start = number.saturating_sub(1) * BLOCK;
            let end = text.len().min((number + 1) * BLOCK);
            match &mut open {
                Some(stretch) if start <= stretch.end => stretch.end = end,
                _ => {
                    if open.replace(start..end).is_some_and(|stretch| !found(stretch)) {
                        return;
                    }
                }
            }
        }
        before = digits;
    }
    if let Some(stretch) = open {
        found(stretch);
    }
}

/// Whether any of the numbers that are looked for may begin here: an account's, which has two letters and two digits first,
/// or one whose first four digits are near and have no letter between them. Ids are full of digits, and hardly any is so.
pub(super) fn may_begin_number(text: &[u8]) -> bool {
    const FIRST: usize = 4;
    const NEAR: usize = 64;
    if let [a, b, c, d, ..] = text
        && a.is_ascii_alphabetic()
        && b.is_ascii_alphabetic()
    {
        return c.is_ascii_digit() && d.is_ascii_digit();
    }
    let mut digits = 0;
    for byte in text.iter().take(NEAR) {
        if byte.is_ascii_digit() {
            digits += 1;
            if digits == FIRST {
                return true;
            }
        } else if byte.is_ascii_alphabetic() {
            return false;
        }
    }
    false
}

/// Whether any of the keys that are a run without a word of their own may begin here: a token behind a bot's number or after
/// `s.`, or an account's number, whose first digits in base64 begin with one of three letters. Hardly any id is so.
pub(super) fn may_begin_run(text: &[u8], start: usize) -> bool {
    let before = start.checked_sub(1).and_then(|before| text.get(before));
    matches!(before, Some(b':' | b'.')) || matches!(text.get(start), Some(b'M' | b'N' | b'O'))
}

/// Without a way out of the loop it is done for many bytes at once.
fn digits(block: &[u8]) -> u8 {
    block.iter().fold(0, |sum, byte| sum + u8::from(byte.wrapping_sub(b'0') < 10))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::detect::rule::{Rule, Trigger};
    use crate::privacy::detect::rules;

    #[test]
    fn where_a_rule_of_numbers_matches_one_may_begin() {
        let all = || rules::default().into_iter().chain(rules::off());
        let mut rules: Vec<Rule> = all().filter(|rule| matches!(rule.trigger, Trigger::Digits)).collect();
        // Without its check a rule matches more, and never less.
        rules.iter_mut().for_each(|rule| rule.check = None);
        let asana = format!("1/1{}:{}", "2".repeat(15), "0a".repeat(16));
        let numbers = [
            "DE89 3704 0044 0532 0130 00",
            "GB82WEST12345698765432",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "378282246310005",
            "078-05-1120",
            "+49 (0) 30 / 123-4567",
            "(+1) 415 555 2671",
            "0049 30 1234567",
            "(415) 555-2671",
            "1-415-555-2671",
            "415.555.2671",
            "06 12 34 56 78",
            "030/123 4567",
            "090-1234-5678",
            "+33\u{a0}6\u{2011}12\u{2013}34 56 78",
            "192.168.1.1",
            "8.8.8.8",
            "98765 43210",
            &asana,
        ];
        let mut matches = vec![0; rules.len()];
        for number in numbers {
            for place in 0..number.len() {
                let rest = number.as_bytes().get(place..).unwrap();
                for (rule, matches) in rules.iter().zip(&mut matches) {
                    if rule.at(rest, 0).is_some() {
                        *matches += 1;
                        assert!(may_begin_number(rest), "{}: {number:?} from {place} on", rule.name);
                    }
                }
            }
        }
        assert!(matches.iter().all(|matches| *matches > 0), "a rule without an example: {matches:?}");
    }

    proptest::proptest! {
        #[test]
        fn where_a_rule_of_numbers_hits_one_may_begin(text in "[0-9A-Za-z+(). :/-]{1,40}|[0-9 ().+-]{7,24}|[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,24}") {
            let rest = text.as_bytes();
            for rule in rules::default().into_iter().chain(rules::off()) {
                if matches!(rule.trigger, Trigger::Digits) && rule.at(rest, 0).is_some() {
                    proptest::prop_assert!(may_begin_number(rest), "{}", rule.name);
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn where_a_rule_of_runs_hits_one_may_begin(
            lead in "|.|[0-9]{8,10}:|[a-z]s\\.|s\\.|[ -~]{0,4}",
            run in "[A-Za-z0-9_-]{24}|[A-Za-z0-9_-]{35}|[MNO][A-Za-z0-9]{23}\\.[A-Za-z0-9_-]{6}\\.[A-Za-z0-9_-]{27}",
            account in "[0-9]{17,20}",
        ) {
            use base64::Engine;
            let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&account);
            for run in [run, format!("{encoded}.AbCdEf.{}", "aB3_".repeat(7))] {
                let text = format!("{lead}{run}");
                for rule in rules::default().into_iter().chain(rules::off()) {
                    if matches!(rule.trigger, Trigger::Run([])) && rule.at(text.as_bytes(), lead.len()).is_some() {
                        proptest::prop_assert!(may_begin_run(text.as_bytes(), lead.len()), "{}: {text}", rule.name);
                    }
                }
            }
        }
    }

    #[test]
    fn every_rule_of_runs_has_an_example_where_one_may_begin() {
        let discord = format!("MTIzNDU2Nzg5MDEyMzQ1Njc4.AbCdEf.{}", "aB3_".repeat(7));
        let examples =
            [("123456789:", "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"), ("s.", "4Kx9TzQ1mWcE7rYvB2nHs8Lp"), ("", &discord)];
        for rule in rules::default().iter().chain(&rules::off()).filter(|it| matches!(it.trigger, Trigger::Run([]))) {
            let hits = examples.iter().filter(|(lead, run)| {
                let text = format!("{lead}{run}");
                let is_hit = rule.at(text.as_bytes(), lead.len()).is_some();
                assert!(!is_hit || may_begin_run(text.as_bytes(), lead.len()), "{}", rule.name);
                is_hit
            });
            assert!(hits.count() > 0, "a rule without an example: {}", rule.name);
        }
    }

    #[test]
    fn seven_digits_are_seen_wherever_the_blocks_lie() {
        for lead in 0..100 {
            let text = format!("{}12-34 5.67{}", "x".repeat(lead), "y".repeat(40));
            let mut seen = false;
            each_dense(text.as_bytes(), |stretch| {
                seen |= stretch.start <= lead && lead + 10 <= stretch.end;
                true
            });
            assert!(seen, "{lead}");
        }
        each_dense(b"1 and 2 and 3, 4 or 5 or 6 ", |_| panic!("too few"));
    }
}
