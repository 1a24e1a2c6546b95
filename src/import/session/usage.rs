//! Tokens, under the many names that they have.

use std::sync::LazyLock;

use bytestring::ByteString;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::event::Attrs;
use crate::json::Node;
use crate::semconv::{
    CACHE_CREATION_TOKENS, CACHE_READ_TOKENS, CACHE_WRITE_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, REASONING_TOKENS,
    USAGE_COST, USAGE_TOTAL,
};

/// Tokens of one call. Each that nobody told is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::import) struct Usage {
    pub(in crate::import) input: Option<i64>,
    pub(in crate::import) output: Option<i64>,
    pub(in crate::import) cache_read: Option<i64>,
    pub(in crate::import) cache_creation: Option<i64>,
    pub(in crate::import) reasoning: Option<i64>,
    pub(in crate::import) total: Option<i64>,
    pub(in crate::import) cost: Option<f64>,
}

/// Why there are no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::import) enum UsageMissing {
    /// It was said that there are none.
    Missing,
    /// What was said was not understood.
    Unrecognised,
    /// Nothing was said.
    NoTokenCount,
}

impl UsageMissing {
    pub(in crate::import) const fn word(self) -> ByteString {
        ByteString::from_static(match self {
            Self::Missing => "missing",
            Self::Unrecognised => "unrecognised",
            Self::NoTokenCount => "no_token_count",
        })
    }
}

/// The numbers, as places of an array. The cost is no whole one, and comes last.
const INPUT: usize = 0;
const OUTPUT: usize = 1;
const CACHE_READ: usize = 2;
const CACHE_CREATION: usize = 3;
const REASONING: usize = 4;
const TOTAL: usize = 5;
const COST: usize = 6;

/// A way to tell a number: its rank among all, the name under which it stands in the member, where it does, and which
/// number it is.
type Way = (usize, Option<&'static str>, usize);

/// The ways that there are for the members of each name: most members of a usage have none, and each is looked up once.
static WAYS: LazyLock<FxHashMap<&str, SmallVec<[Way; 1]>>> = LazyLock::new(|| {
    let mut ways = FxHashMap::<_, SmallVec<_>>::default();
    for (rank, (name, inner, number)) in NAMES.iter().enumerate() {
        ways.entry(*name).or_default().push((rank, *inner, *number));
    }
    ways
});

/// The names of each number, the best one first, and for some the name under which it stands in that member.
const NAMES: &[(&str, Option<&str>, usize)] = &[
    ("input_tokens", None, INPUT),
    ("prompt_tokens", None, INPUT),
    ("inputTokens", None, INPUT),
    ("promptTokens", None, INPUT),
    ("tokens_in", None, INPUT),
    ("token_count_in", None, INPUT),
    ("prompt", None, INPUT),
    ("input", None, INPUT),
    ("output_tokens", None, OUTPUT),
    ("completion_tokens", None, OUTPUT),
    ("outputTokens", None, OUTPUT),
    ("completionTokens", None, OUTPUT),
    ("tokens_out", None, OUTPUT),
    ("token_count_out", None, OUTPUT),
    ("completion", None, OUTPUT),
    ("output", None, OUTPUT),
    ("cached_input_tokens", None, CACHE_READ),
    ("cache_read_input_tokens", None, CACHE_READ),
    ("cached_tokens", None, CACHE_READ),
    ("prompt_cached_tokens", None, CACHE_READ),
    ("cachedInputTokens", None, CACHE_READ),
    ("input_tokens_details", Some("cached_tokens"), CACHE_READ),
    ("prompt_tokens_details", Some("cached_tokens"), CACHE_READ),
    ("input_token_details", Some("cached_tokens"), CACHE_READ),
    ("details", Some("cached"), CACHE_READ),
    ("cache_write_input_tokens", None, CACHE_CREATION),
    ("cache_creation_input_tokens", None, CACHE_CREATION),
    ("cache_creation_tokens", None, CACHE_CREATION),
    ("prompt_cache_creation_tokens", None, CACHE_CREATION),
    ("input_tokens_details", Some("cache_creation_tokens"), CACHE_CREATION),
    ("input_tokens_details", Some("cache_write_tokens"), CACHE_CREATION),
    ("prompt_tokens_details", Some("cache_creation_tokens"), CACHE_CREATION),
    ("prompt_tokens_details", Some("cache_write_tokens"), CACHE_CREATION),
    ("details", Some("cache_creation"), CACHE_CREATION),
    ("reasoning_output_tokens", None, REASONING),
    ("reasoning_tokens", None, REASONING),
    ("completion_reasoning_tokens", None, REASONING),
    ("reasoningTokens", None, REASONING),
    ("output_tokens_details", Some("reasoning_tokens"), REASONING),
    ("completion_tokens_details", Some("reasoning_tokens"), REASONING),
    ("output_token_details", Some("reasoning_tokens"), REASONING),
    ("details", Some("reasoning"), REASONING),
    ("total_tokens", None, TOTAL),
    ("totalTokens", None, TOTAL),
    ("tokens", None, TOTAL),
    ("total", None, TOTAL),
    ("cost", None, COST),
    ("cost_usd", None, COST),
    ("estimated_cost", None, COST),
    ("total_cost", None, COST),
    ("total_cost_usd", None, COST),
];

impl Usage {
    /// Reads an object of tokens whose input includes what came from a cache.
    ///
    /// # Errors
    ///
    /// Why there are none.
    pub(in crate::import) fn read(told: Option<Node<'_>>) -> Result<Self, UsageMissing> {
        let told = told.filter(|told| !told.is_null()).ok_or(UsageMissing::Missing)?;
        if told.is_object() && told.members().next().is_none() {
            return Err(UsageMissing::Missing);
        }
        let (mut counts, mut cost) = ([None; COST], None);
        for (name, member) in told.members() {
            for (rank, inner, number) in WAYS.get(name).into_iter().flatten() {
                let Some(told) = inner.map_or(Some(member), |inner| member.get(inner)) else { continue };
                match counts.get_mut(*number) {
                    Some(best) => prefer(*rank, count(told), best),
                    None => prefer(*rank, told.as_f64(), &mut cost),
                }
            }
        }
        let [input, output, cache_read, cache_creation, reasoning, total] =
            counts.map(|best| best.map(|(_, count)| count));
        let cost = cost.map(|(_, cost)| cost).filter(|cost| *cost >= 0.0);
        let usage = Self { input, output, cache_read, cache_creation, reasoning, total, cost };
        if usage.is_empty() { Err(UsageMissing::Unrecognised) } else { Ok(usage) }
    }

    pub(in crate::import) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Of several accounts of one call each number is the greatest.
    pub(in crate::import) fn raise(&mut self, other: Self) {
        self.input = self.input.max(other.input);
        self.output = self.output.max(other.output);
        self.cache_read = self.cache_read.max(other.cache_read);
        self.cache_creation = self.cache_creation.max(other.cache_creation);
        self.reasoning = self.reasoning.max(other.reasoning);
        self.total = self.total.max(other.total);
        self.cost = self.cost.or(other.cost);
    }

    /// Adds what came from a cache to an input that was counted without it.
    pub(super) fn with_cached_input(self) -> Self {
        let mut cached = [self.cache_read, self.cache_creation].into_iter().flatten();
        let input = self.input.and_then(|input| cached.try_fold(input, |sum, more| sum.checked_add(more)));
        Self { input, ..self }
    }

    pub(in crate::import) fn set(&self, attrs: &mut Attrs) {
        for (attr, count) in [
            (INPUT_TOKENS, self.input),
            (OUTPUT_TOKENS, self.output),
            (CACHE_READ_TOKENS, self.cache_read),
            (CACHE_CREATION_TOKENS, self.cache_creation),
            (CACHE_WRITE_TOKENS, self.cache_creation),
            (REASONING_TOKENS, self.reasoning),
            (USAGE_TOTAL, self.total_beside_the_sum()),
        ] {
            if let Some(count) = count {
                attrs.set(attr, count);
            }
        }
        if let Some(cost) = self.cost {
            attrs.set(USAGE_COST, cost);
        }
    }

    /// The total, where it is not what input and output come to.
    fn total_beside_the_sum(&self) -> Option<i64> {
        let sum = self.input.zip(self.output).and_then(|(input, output)| input.checked_add(output));
        self.total.filter(|total| sum != Some(*total))
    }
}

/// Takes what is told under the name of this rank for the best so far, unless that has a better name.
fn prefer<T: Copy>(rank: usize, told: Option<T>, best: &mut Option<(usize, T)>) {
    if let Some(told) = told.filter(|_| best.is_none_or(|(before, _)| rank <= before)) {
        *best = Some((rank, told));
    }
}

/// A number of tokens: whole, however it is written, and not negative.
fn count(value: Node<'_>) -> Option<i64> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64);
    value.as_i64().or_else(|| value.as_f64().and_then(whole)).filter(|count| *count >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Escapes, Tape};

    fn read(told: &str) -> Result<Usage, UsageMissing> {
        Tape::default().read(told, Escapes::Left, |told| Usage::read(Some(told))).unwrap()
    }

    #[test]
    fn tokens_are_read_under_any_of_their_names() {
        let told = r#"{
            "prompt_tokens": 100, "completion_tokens": 14, "cost": 0.1234,
            "prompt_tokens_details": {"cached_tokens": 25, "cache_creation_tokens": 7},
            "completion_tokens_details": {"reasoning_tokens": 4}
        }"#;
        let usage = read(told).unwrap();
        let expected = Usage {
            input: Some(100),
            output: Some(14),
            cache_read: Some(25),
            cache_creation: Some(7),
            reasoning: Some(4),
            total: None,
            cost: Some(0.1234),
        };
        assert_eq!(usage, expected);
    }

    #[test]
    fn of_several_names_the_first_that_tells_a_number_counts() {
        let told = r#"{
            "input": 9, "prompt_tokens": 8, "input_tokens": "many", "output": {"a": 1}, "completion": 3,
            "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 5}, "cached_tokens": 1,
            "cost_usd": 0.5, "cost": "dear", "reasoning_tokens": -1, "details": {"reasoning": 4}
        }"#;
        let usage = read(told).unwrap();
        assert_eq!((usage.input, usage.output), (Some(8), Some(3)));
        assert_eq!((usage.cache_read, usage.cache_creation), (Some(1), Some(5)));
        assert_eq!((usage.reasoning, usage.total, usage.cost), (Some(4), None, Some(0.5)));
    }

    #[test]
    fn a_whole_number_counts_however_it_is_written() {
        let usage = read(
            r#"{"prompt_tokens": 100.0, "completion_tokens": 1e2, "prompt_cached_tokens": 7.5, "completion_reasoning_tokens": 3}"#,
        );
        let usage = usage.unwrap();
        assert_eq!(
            (usage.input, usage.output, usage.cache_read, usage.reasoning),
            (Some(100), Some(100), None, Some(3))
        );
        assert_eq!(read(r#"{"input_tokens": 1e300}"#), Err(UsageMissing::Unrecognised));
    }

    #[test]
    fn why_there_are_none_is_told_apart() {
        assert_eq!(Usage::read(None), Err(UsageMissing::Missing));
        assert_eq!(read("null"), Err(UsageMissing::Missing));
        assert_eq!(read("{}"), Err(UsageMissing::Missing));
        assert_eq!(read(r#"{"words": 3}"#), Err(UsageMissing::Unrecognised));
        assert_eq!(read(r#"{"input_tokens": -3}"#), Err(UsageMissing::Unrecognised));
    }
}
