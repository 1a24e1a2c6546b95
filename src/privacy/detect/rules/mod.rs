//! The rules that come with this version, from the most specific to the most general.
//!
//! A name is what stands in `[redacted:<rule>]`, and is kept. Shapes are the providers' own, as they document them.

mod ai;
mod cloud;
mod code;
mod commands;
mod generic;
mod personal;
mod services;
mod signing;

use super::checks;
use super::rule::{Check, Rule, Spec, Trigger};

/// All of them that are switched on where nobody says anything.
pub(super) fn default() -> Vec<Rule> {
    all().map(Rule::from).collect()
}

/// Those that are there and off.
pub(super) fn off() -> Vec<Rule> {
    personal::OFF.iter().map(Rule::from).collect()
}

pub(super) fn all() -> impl Iterator<Item = &'static Spec> {
    let services = [ai::RULES, cloud::RULES, code::RULES, services::RULES];
    let places = [generic::RULES, commands::RULES, signing::RULES, personal::RULES];
    services.into_iter().chain(places).flatten()
}

/// A key that begins with one of these words, in this case, and is no placeholder.
const fn key(name: &'static str, words: &'static [&'static str], pattern: &'static str) -> Spec {
    Spec { name, trigger: Trigger::Exact(words), pattern, check: Some(checks::token), glued: false }
}

/// The same, of nothing but letters, digits and `+/-_` for sixteen characters or more: for beginnings that are too short
/// to be looked for everywhere.
const fn run(name: &'static str, words: &'static [&'static str], pattern: &'static str) -> Spec {
    Spec { name, trigger: Trigger::Run(words), pattern, check: Some(checks::token), glued: false }
}

/// A key with one of these words inside, at most `back` bytes after its beginning.
const fn inside(name: &'static str, words: &'static [&'static str], back: usize, pattern: &'static str) -> Spec {
    Spec { name, trigger: Trigger::Inside(words, back), pattern, check: Some(checks::token), glued: false }
}

/// What follows one of these words, in any case: the first group of the pattern.
const fn after(name: &'static str, words: &'static [&'static str], pattern: &'static str, check: Check) -> Spec {
    Spec { name, trigger: Trigger::Word(words), pattern, check: Some(check), glued: true }
}
