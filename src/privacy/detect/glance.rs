//! A glance at a short text that looks like a name or an id, as nearly all labels do: most of them show at once that no rule
//! can hit them, and the search, which would look at such a text six times, is not asked.

use super::encoded::{SHORTEST, may_be_text};
use super::engine::Set;
use super::trigger::{MIN_DIGITS, may_begin_number, may_begin_run};

/// Longer texts are no labels.
const LONGEST: usize = 128;

impl Set {
    /// Whether it shows that nothing is to be found in this text. Where it does not, that says nothing.
    ///
    /// Only letters, digits and `-_/+.:`, so that there are no escapes and no addresses; no keyword; and at no place where a
    /// word begins may a number, a key that is a run, or text in base64 begin.
    pub(super) fn is_surely_clean(&self, text: &[u8]) -> bool {
        if text.len() > LONGEST || self.user.iter().any(|rule| rule.keywords.is_empty()) {
            return false;
        }
        // Without a way out of the loops they are done for many bytes at once.
        if !text.iter().fold(true, |all, byte| all & is_plain(*byte)) {
            return false;
        }
        let digits = text.iter().fold(0, |sum, byte| sum + u8::from(byte.is_ascii_digit()));
        let begins_number = |at: usize| digits >= MIN_DIGITS && may_begin_number(text.get(at..).unwrap_or_default());
        // Where the run of base64 ends that goes on here: looked for from its end on, word by word.
        let mut run_end = text.len();
        let mut rest = text;
        loop {
            let joint = rest.iter().rposition(|byte| !byte.is_ascii_alphanumeric());
            let word = joint.map_or(0, |at| at + 1);
            let is_number = |first: &u8| !first.is_ascii_lowercase() && begins_number(word);
            if let Some(first) = rest.get(word)
                && (self.may_begin(text, word, run_end) || is_number(first))
            {
                return false;
            }
            let Some(at) = joint else { break };
            match rest.get(at) {
                Some(b'.' | b':') => run_end = at,
                // A run may begin or go on with what joins words, too, and a number with a sign.
                Some(b'+') if begins_number(at) => return false,
                _ if self.may_begin(text, at, run_end) => return false,
                _ => {}
            }
            rest = rest.get(..at).unwrap_or_default();
        }
        let mut has_word = false;
        self.grams.each(text, |_, _| {
            has_word = true;
            false
        });
        !has_word
    }

    /// Whether a key that is a run, or text in base64, may begin here, in a run that ends at `run_end`.
    fn may_begin(&self, text: &[u8], at: usize, run_end: usize) -> bool {
        let Some(rest @ [first, ..]) = text.get(at..) else { return false };
        if self.begins.get(usize::from(*first)).copied().unwrap_or_default() {
            let prefixes = self.prefixes.get(first).map(Vec::as_slice).unwrap_or_default();
            // What a key of them goes on with may stand behind the run.
            if prefixes.iter().any(|(prefix, _)| rest.starts_with(prefix)) {
                return true;
            }
        }
        let run = text.get(at..run_end).and_then(|run| run.get(..SHORTEST));
        run.is_some_and(|head| may_begin_run(text, at) || may_be_text(head))
    }
}

/// Whether a byte may stand in a text that is judged at a glance: letters, digits and what stands between words.
const fn is_plain(byte: u8) -> bool {
    // `-./0123456789:` is a range, and bit 5 is all that tells small letters from capitals.
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    letter | (byte.wrapping_sub(b'-') <= b':' - b'-') | (byte == b'_') | (byte == b'+')
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::privacy::detect::rules;

    /// Those that are switched on, and all.
    static SETS: std::sync::LazyLock<[Set; 2]> = std::sync::LazyLock::new(|| {
        let all = rules::default().into_iter().chain(rules::off()).collect();
        [Set::new(rules::default(), Vec::new()), Set::new(all, Vec::new())]
    });

    /// Of every way in which rules are found one.
    const HITS: &[&str] = &[
        "AKIAIOSFODNN7EXAMQLE",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlc2lnbmF0dXJlMTIzNA",
        "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1",
        "s.4Kx9TzQ1mWcE7rYvB2nHs8Lp",
        "MTIzNDU2Nzg5MDEyMzQ1Njc4.AbCdEf.aB3_aB3_aB3_aB3_aB3_aB3_aB3_",
        "DE89370400440532013000",
        "4111111111111111",
        "4111-1111-1111-1111",
        "078-05-1120",
        "+493012345678",
        "415-555-2671",
        "415.555.2671",
        "amFuZS5kb2VAZXhhbXBsZS5jb20",
        "Z2hwX2FiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6MDEyMzQ1Njc4OQ",
    ];

    fn part() -> impl Strategy<Value = String> {
        prop_oneof![
            "[A-Za-z0-9]{1,24}",
            "[0-9a-f]{8,40}",
            "[0-9]{1,19}",
            "[-_/+.:]",
            "[A-Z]{2}[0-9]{2}[A-Z0-9]{11,24}",
            "[ -~]{9,45}".prop_map(|text| STANDARD_NO_PAD.encode(text)),
            "[ -~]{9,45}".prop_map(|text| URL_SAFE_NO_PAD.encode(text)),
            select(HITS).prop_map(str::to_owned),
            select(HITS).prop_map(|text| text.chars().take(text.len() - 1).collect()),
        ]
    }

    #[test]
    fn what_is_hit_is_not_let_pass_at_a_glance_and_ids_are() {
        let [set, _] = &*SETS;
        for hit in HITS {
            for text in [(*hit).to_owned(), format!("a-{hit}"), format!("run.{hit}"), format!("x/{hit}/y")] {
                let is_hit = set.any_at_length(&text);
                assert!(!is_hit || !set.is_surely_clean(text.as_bytes()), "{text}");
                assert!(is_hit || text != *hit || *hit == "415.555.2671", "{hit} is no hit");
            }
        }
        let ids = [
            "openai",
            "chat",
            "claude-opus-4-5",
            "chatcmpl-9f1c2b7e5d6a4c0e8b3f7a1d0000012a",
            "resp_0f3c9a5be71d44e2a86b",
            "01jqzv5d8w2m4n6p8r0t2v4x6y",
        ];
        for id in ids {
            assert!(set.is_surely_clean(id.as_bytes()), "{id}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn in_what_is_let_pass_at_a_glance_the_search_finds_nothing(parts in vec(part(), 1..6)) {
            let text: String = parts.concat().chars().take(LONGEST).collect();
            for set in &*SETS {
                prop_assert!(!set.is_surely_clean(text.as_bytes()) || !set.any_at_length(&text), "{}", text);
            }
        }
    }
}
