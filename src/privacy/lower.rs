//! A record that was veiled under one policy, under a stricter one.
//!
//! What was said is gone, so nothing can be veiled again: what a class that fell may have a part in is taken out.

use super::classes::{self, MESSAGES};
use super::level::Level;
use super::policy::Levels;
use crate::event::{Arguments, CallRecord, Given, Histories, Input, Measure, Noted, Output, Returned, Shown, Veiled};
use crate::semconv::Field;

/// Takes out what `after` does not let leave and `before` did.
pub(crate) fn record(record: &mut CallRecord<Veiled>, before: &Levels, after: &Levels) {
    let lowering = Lowering { before, after };
    match &mut record.given {
        Given::Request(input) => lowering.input(input),
        Given::Arguments(arguments) => lowering.arguments(arguments),
        Given::Texts(texts) => lowering.texts(classes::given(record.kind), texts),
    }
    for marked in &mut record.marks {
        match &mut marked.mark.noted {
            Noted::Nothing => {}
            Noted::Decision { action, alternatives } => {
                lowering.measure(&[Field::Completions], action);
                lowering.texts(&[Field::Completions], alternatives);
            }
            Noted::State(state) => lowering.measure(&Field::ALL, state),
            Noted::Message(message) => lowering.measure(&[Field::Prompts, Field::Completions], message),
            Noted::Histories(histories) => {
                let Histories { replaced, replacement } = &mut **histories;
                lowering.input(replaced);
                lowering.input(replacement);
            }
        }
    }
    lowering.measure(&[Field::Errors], &mut record.closed.error);
    match &mut record.returned {
        Returned::Answer(output) => lowering.output(output),
        Returned::Result(result) => lowering.measure(&[Field::ToolResults], result),
        Returned::Texts(texts) => lowering.texts(classes::returned(record.kind), texts),
    }
}

struct Lowering<'a> {
    before: &'a Levels,
    after: &'a Levels,
}

impl Lowering<'_> {
    /// The lowest level to which one of the classes fell; nothing where none did.
    fn fell(&self, classes: &[Field]) -> Option<Level> {
        let fallen = classes.iter().filter(|class| self.after.of(**class) < self.before.of(**class));
        fallen.map(|class| self.after.of(*class)).min()
    }

    fn input(&self, input: &mut Input) {
        self.shown(&[Field::System], &mut input.tools_shown);
        self.measure(&[Field::System], &mut input.system);
        if self.fell(&[Field::System]) == Some(Level::None) {
            input.tools = None;
        }
        self.shown(MESSAGES, &mut input.shown);
        match self.fell(MESSAGES) {
            Some(Level::None) if self.after.of(Field::Prompts) == Level::None => {
                *input = Input {
                    system: std::mem::take(&mut input.system),
                    tools: input.tools,
                    tools_shown: std::mem::take(&mut input.tools_shown),
                    ..Input::default()
                };
            }
            Some(Level::None) => {
                (input.prefix, input.chain) = (None, None);
                input.blobs.clear();
                input.items.iter_mut().for_each(|item| (item.digest, item.length) = (None, None));
            }
            _ => {}
        }
    }

    fn output(&self, output: &mut Output) {
        self.shown(MESSAGES, &mut output.shown);
        if self.fell(MESSAGES) == Some(Level::None) {
            *output = Output::default();
        }
    }

    fn arguments(&self, arguments: &mut Arguments) {
        self.shown(&[Field::ToolArguments], &mut arguments.shown);
        if self.fell(&[Field::ToolArguments]) == Some(Level::None) {
            *arguments = Arguments::default();
        }
    }

    fn measure(&self, classes: &[Field], measure: &mut Measure) {
        self.shown(classes, &mut measure.shown);
        if self.fell(classes) == Some(Level::None) {
            *measure = Measure::default();
        }
    }

    fn texts(&self, classes: &[Field], texts: &mut Vec<Measure>) {
        if self.fell(classes) == Some(Level::None) {
            texts.clear();
        }
        texts.iter_mut().for_each(|text| self.shown(classes, &mut text.shown));
    }

    /// What was whole is of a level that fell, and what no detector has seen may not be a preview of a masked text.
    fn shown(&self, classes: &[Field], shown: &mut Shown) {
        let Some(level) = self.fell(classes) else { return };
        let was_full = classes.iter().any(|class| self.before.of(*class) == Level::Full);
        if level < Level::Preview || was_full {
            *shown = Shown::NOTHING;
        } else {
            shown.clear_whole();
        }
    }
}
