//! What may be told of content: digests and lengths, or lengths alone where no digest may leave, and what is shown of it.
//!
//! One place for the recorder and for the stage, so that equal content has equal digests through both.

use super::c1::{self, Hasher, Made, RequestDigests};
use super::classes::{self, Said};
use super::level::Level;
use super::policy::Policy;
use super::tally::Tally;
use crate::event::{Arguments, CallKind, Digest, Input, Measure, Message, Output, RawText, Request, ResultContent};
use crate::semconv::Field;

/// The most messages, answers and blobs that one span tells of. Of a longer history the newest are told.
pub(super) const MAX_TOLD: usize = 512;

/// A policy, with the function D of the tenant whose content it is applied to.
#[derive(Clone, Copy)]
pub(crate) struct Telling<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) hasher: Option<&'a Hasher>,
    /// What is done to texts is counted here.
    pub(crate) tally: &'a Tally,
    /// Digests of some of it that this function has made already.
    pub(crate) made: Made<'a>,
}

impl<'a> Telling<'a> {
    pub(crate) const fn new(policy: &'a Policy, hasher: Option<&'a Hasher>, tally: &'a Tally) -> Self {
        Self { policy, hasher, tally, made: Made::NONE }
    }

    /// The level of a class.
    pub(crate) fn level(&self, class: Field) -> Level {
        self.policy.levels().of(class)
    }

    /// A request told whole.
    pub(crate) fn keyframe(&self, request: &Request) -> Input {
        self.shown_input(request, told(self.digests(request), None))
    }

    /// What a model answered, and for each message why it ended.
    pub(crate) fn answer(&self, answer: &[Message], reasons: &[&str]) -> Output {
        if self.level(Field::Completions) == Level::None {
            return Output::default();
        }
        let mut output = c1::answer_knowing(self.any_hasher(), answer, self.made);
        if self.policy.levels().least() == Level::None {
            let hidden = classes::hidden(self.policy.levels(), Said::ByModel, answer);
            output
                .items
                .iter_mut()
                .zip(hidden)
                .filter(|(_, hidden)| *hidden)
                .for_each(|(item, _)| *item = Measure::default());
        }
        output.items.truncate(MAX_TOLD);
        output.blobs.truncate(MAX_TOLD);
        if self.hasher.is_none() {
            output.items.iter_mut().for_each(|item| item.digest = None);
        }
        if self.hasher.is_none() || self.level(Field::Reasoning) == Level::None {
            output.blobs.clear();
        }
        self.shown_output(answer, reasons, output)
    }

    /// What a tool was called with.
    pub(crate) fn arguments(&self, arguments: &RawText) -> Arguments {
        if self.level(Field::ToolArguments) == Level::None {
            return Arguments::default();
        }
        let told = match (self.hasher, arguments.expose()) {
            (Some(hasher), Some(text)) => c1::arguments(hasher, text),
            _ => Arguments { length: Some(arguments.len() as u64), ..Arguments::default() },
        };
        self.shown_arguments(arguments, told)
    }

    /// What a tool returned.
    pub(crate) fn result(&self, result: &ResultContent) -> Measure {
        self.shown_result(result, self.measured(&[Field::ToolResults], result))
    }

    /// Any other text, which belongs to these classes.
    pub(crate) fn text(&self, classes: &[Field], content: &ResultContent) -> Measure {
        self.shown_text(classes, content, self.measured(classes, content))
    }

    /// The texts that a call of a kind of its own was given.
    pub(crate) fn given(&self, kind: CallKind, contents: &[ResultContent]) -> Vec<Measure> {
        let mut told = self.all_measured(classes::given(kind), contents);
        self.shown_given(kind, contents, &mut told);
        told
    }

    /// The texts that it returned.
    pub(crate) fn returned(&self, kind: CallKind, contents: &[ResultContent]) -> Vec<Measure> {
        let mut told = self.all_measured(classes::returned(kind), contents);
        self.shown_returned(kind, contents, &mut told);
        told
    }

    /// What an agent kept of itself: anything that was said may be a part of it.
    pub(crate) fn state(&self, state: &ResultContent) -> Measure {
        self.shown_state(state, self.measured(&Field::ALL, state))
    }

    /// A text of which nothing is shown at any level.
    pub(crate) fn measured(&self, classes: &[Field], content: &ResultContent) -> Measure {
        if self.policy.levels().of_all(classes) == Level::None {
            return Measure::default();
        }
        let mut told = c1::result(self.any_hasher(), content);
        if self.hasher.is_none() {
            told.digest = None;
        }
        told
    }

    /// Several of them.
    pub(super) fn all_measured(&self, classes: &[Field], contents: &[ResultContent]) -> Vec<Measure> {
        if self.policy.levels().of_all(classes) == Level::None {
            return Vec::new();
        }
        contents.iter().take(MAX_TOLD).map(|content| self.measured(classes, content)).collect()
    }

    /// The digests of a request, as many as may leave.
    pub(super) fn digests(&self, request: &Request) -> RequestDigests {
        let mut digests = c1::request_knowing(self.any_hasher(), request, self.made);
        self.hide(request, &mut digests);
        if self.hasher.is_none() {
            digests.items.iter_mut().for_each(|item| item.digest = None);
            digests.system.digest = None;
            digests.tools = None;
            digests.blobs.clear();
            digests.heads.clear();
        }
        digests
    }

    /// Takes out what covers content of which nothing may be told.
    fn hide(&self, request: &Request, digests: &mut RequestDigests) {
        if self.policy.levels().least() > Level::None {
            return;
        }
        if self.level(Field::Prompts) == Level::None {
            digests.items.clear();
            digests.blobs.clear();
            digests.heads.clear();
        }
        if self.level(Field::System) == Level::None && !(request.system.is_empty() && request.tools.is_empty()) {
            digests.system = Measure::default();
            digests.tools = None;
            digests.heads.clear();
        }
        if self.level(Field::Reasoning) == Level::None {
            digests.blobs.clear();
        }
        let hidden = classes::hidden(self.policy.levels(), Said::ToModel, &request.messages);
        let items = digests.items.iter_mut().zip(hidden).enumerate();
        for (place, (item, _)) in items.filter(|(_, (_, hidden))| *hidden) {
            (item.digest, item.length) = (None, None);
            digests.heads.truncate(place + 1);
        }
    }

    /// Lengths come with digests; where no digest may leave they are thrown away.
    pub(super) fn any_hasher(&self) -> &Hasher {
        static PLAIN: Hasher = Hasher::sha256();
        self.hasher.unwrap_or(&PLAIN)
    }
}

/// The messages after the first `known` of them, or, where none are known, the newest of them all.
pub(super) fn told(digests: RequestDigests, known: Option<usize>) -> Input {
    let total = digests.items.len();
    let known = known.filter(|known| total.saturating_sub(*known) <= MAX_TOLD);
    let is_keyframe = known.is_none();
    let first = known.unwrap_or_else(|| total.saturating_sub(MAX_TOLD));
    Input {
        prefix: known.and_then(|place| digests.heads.get(place).copied()),
        chain: whole_chain(&digests),
        items: digests.items.into_iter().skip(first).collect(),
        omitted: (is_keyframe && first > 0).then_some(first as u64),
        system: if is_keyframe { digests.system } else { Measure::default() },
        tools: if is_keyframe { digests.tools } else { None },
        blobs: digests.blobs.into_iter().skip(first).flatten().take(MAX_TOLD).collect(),
        ..Input::default()
    }
}

/// The chain of all messages, where each has a digest.
pub(super) fn whole_chain(digests: &RequestDigests) -> Option<Digest> {
    digests.heads.last().copied().filter(|_| digests.heads.len() > digests.items.len())
}
