//! What of a step is compared, under one name whatever its producer calls it.

use bytestring::ByteString;

use crate::event::{Attrs, Digest, Value};
use crate::semconv::{
    Attr, CHOICE_COUNT, FORMAT_DIGEST, FREQUENCY_PENALTY, KeyId, MAX_TOKENS, OUTPUT_TYPE, PRESENCE_PENALTY,
    REASONING_LEVEL, SEED, STOP_DIGEST, STREAM, TEMPERATURE, TOP_K, TOP_P,
};

/// What of a step is compared. The order is the one in which it came about: what a step was given stands before what it
/// led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Field {
    /// The agent of a turn.
    Agent,
    /// The tool of a call.
    Tool,
    /// What a tool was called with.
    Arguments,
    /// What any other call was given.
    Given,
    /// The provider of a model.
    Provider,
    /// The model that was asked for.
    Model,
    /// A parameter of a model request, by its name.
    Parameter(KeyId),
    /// The system instructions.
    System,
    /// The tools that a model was offered.
    Tools,
    /// What an agent decided to do.
    Action,
    /// What else it could have done.
    Alternatives,
    /// How sure it was.
    Confidence,
    /// What a model answered.
    Output,
    /// What a tool returned.
    Result,
    /// What any other call returned.
    Returned,
    /// What a person decided.
    Approval,
    /// Why a model stopped.
    FinishReasons,
    /// How it ended.
    Outcome,
    /// The class of its error.
    ErrorKind,
    /// How often it was tried again.
    Retries,
    /// The tokens that a model read.
    InputTokens,
    /// The tokens that a model wrote.
    OutputTokens,
    /// What it cost, in whatever its producer reckons in.
    Cost,
    /// Its duration, in nanoseconds.
    Duration,
}

/// The parameters of a model request that are compared.
const PARAMETERS: [KeyId; 13] = [
    OUTPUT_TYPE.id(),
    CHOICE_COUNT.id(),
    SEED.id(),
    STREAM.id(),
    TOP_K.id(),
    TOP_P.id(),
    TEMPERATURE.id(),
    FREQUENCY_PENALTY.id(),
    PRESENCE_PENALTY.id(),
    MAX_TOKENS.id(),
    REASONING_LEVEL.id(),
    STOP_DIGEST.id(),
    FORMAT_DIGEST.id(),
];

impl Field {
    /// Its word (`veilspan.finding.kind`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Tool => "tool",
            Self::Arguments => "arguments",
            Self::Given => "given",
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Parameter(_) => "parameter",
            Self::System => "system",
            Self::Tools => "tools",
            Self::Action => "action",
            Self::Alternatives => "alternatives",
            Self::Confidence => "confidence",
            Self::Output => "output",
            Self::Result => "result",
            Self::Returned => "returned",
            Self::Approval => "approval",
            Self::FinishReasons => "finish_reasons",
            Self::Outcome => "outcome",
            Self::ErrorKind => "error_kind",
            Self::Retries => "retries",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::Cost => "cost",
            Self::Duration => "duration",
        }
    }

    /// The field that a word stands for; of a parameter with its name.
    pub(in crate::replay) fn from_word(word: &str, parameter: Option<KeyId>) -> Option<Self> {
        const ALL: [Field; 23] = [
            Field::Agent,
            Field::Tool,
            Field::Arguments,
            Field::Given,
            Field::Provider,
            Field::Model,
            Field::System,
            Field::Tools,
            Field::Action,
            Field::Alternatives,
            Field::Confidence,
            Field::Output,
            Field::Result,
            Field::Returned,
            Field::Approval,
            Field::FinishReasons,
            Field::Outcome,
            Field::ErrorKind,
            Field::Retries,
            Field::InputTokens,
            Field::OutputTokens,
            Field::Cost,
            Field::Duration,
        ];
        let of_request = parameter.filter(|id| PARAMETERS.contains(id)).map(Self::Parameter);
        ALL.into_iter().chain(of_request).find(|field| field.as_str() == word)
    }

    /// Whether it is part of what the step was given.
    pub(in crate::replay) fn is_given(self) -> bool {
        self <= Self::Tools
    }

    /// Whether two steps that differ in it are different steps, and not one that took longer or cost more.
    pub(super) const fn identifies(self) -> bool {
        !matches!(
            self,
            Self::System
                | Self::Tools
                | Self::Retries
                | Self::InputTokens
                | Self::OutputTokens
                | Self::Cost
                | Self::Duration
        )
    }

    /// Whether a side that does not tell it says something by that. A parameter that is not set is the provider's choice;
    /// system instructions and tools are told on keyframes alone.
    pub(in crate::replay) const fn may_be_missing(self) -> bool {
        matches!(
            self,
            Self::System
                | Self::Tools
                | Self::Alternatives
                | Self::ErrorKind
                | Self::InputTokens
                | Self::OutputTokens
                | Self::Cost
                | Self::Duration
        )
    }
}

/// What a step tells of a field: digests, checked labels and numbers alone.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A digest of content.
    Digest(Digest),
    /// Digests of several contents, in order.
    Digests(Vec<Digest>),
    /// A label, as the policy let it leave.
    Label(ByteString),
    /// Labels, in order.
    Labels(Vec<ByteString>),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// Yes or no.
    Bool(bool),
}

/// The most entries of a list that a difference shows.
const SHOWN: usize = 8;

impl Told {
    /// It as a difference shows it.
    pub fn text(&self) -> ByteString {
        match self {
            Self::Digest(digest) => digest.to_string().into(),
            Self::Digests(digests) => joined(digests.len(), digests.iter().map(Digest::to_string)),
            Self::Label(label) => label.clone(),
            Self::Labels(labels) => joined(labels.len(), labels.iter().map(ByteString::to_string)),
            Self::Int(number) => number.to_string().into(),
            Self::Double(number) => number.to_string().into(),
            Self::Bool(flag) => flag.to_string().into(),
        }
    }

    /// It as a number, where it is one that can be compared.
    pub(in crate::replay) fn number(&self) -> Option<f64> {
        match self {
            Self::Double(number) => Some(*number).filter(|number| number.is_finite()),
            Self::Int(number) => Some(*number as f64),
            _ => None,
        }
    }
}

fn joined(count: usize, texts: impl Iterator<Item = String>) -> ByteString {
    let mut shown: Vec<String> = texts.take(SHOWN).collect();
    if count > SHOWN {
        shown.push(format!("+{}", count - SHOWN));
    }
    shown.join(",").into()
}

/// Fields under construction: those that are told, sorted.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(Field, Told)>);

impl Fields {
    pub(super) fn put(&mut self, field: Field, told: Option<Told>) {
        self.0.extend(told.map(|told| (field, told)));
    }

    pub(super) fn label(&mut self, field: Field, label: Option<&str>) {
        self.put(field, label.filter(|label| !label.is_empty()).map(|label| Told::Label(label.into())));
    }

    pub(super) fn digest(&mut self, field: Field, digest: Option<&Digest>) {
        self.put(field, digest.copied().map(Told::Digest));
    }

    /// Digests of a list; nothing where one of them is not known.
    pub(super) fn digests<'a>(&mut self, field: Field, digests: impl Iterator<Item = Option<&'a Digest>>) {
        let digests: Option<Vec<Digest>> = digests.map(Option::<&Digest>::copied).collect();
        self.put(field, digests.map(Told::Digests));
    }

    pub(super) fn attr<T>(&mut self, field: Field, attrs: &Attrs, attr: Attr<T>) {
        self.put(field, attrs.value(attr.id()).map(told));
    }

    pub(super) fn parameters(&mut self, attrs: &Attrs) {
        for id in PARAMETERS {
            self.put(Field::Parameter(id), attrs.value(id).map(told));
        }
    }

    pub(super) fn finish(mut self) -> Vec<(Field, Told)> {
        self.0.sort_by_key(|(field, _)| *field);
        self.0.shrink_to_fit();
        self.0
    }
}

fn told(value: &Value) -> Told {
    match value {
        Value::Text(text) => Told::Label(text.clone()),
        Value::Int(number) => Told::Int(*number),
        Value::Double(number) => Told::Double(*number),
        Value::Bool(flag) => Told::Bool(*flag),
        Value::Texts(texts) => Told::Labels(texts.clone()),
        Value::Ints(numbers) => Told::Labels(numbers.iter().map(|number| number.to_string().into()).collect()),
    }
}
