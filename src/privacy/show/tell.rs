//! What is shown of each kind of content, beside what is measured of it.

#[cfg(any(feature = "collector", feature = "sdk"))]
use std::borrow::Cow;

#[cfg(any(feature = "collector", feature = "sdk"))]
use bytestring::ByteString;

use super::fit::Written;
use super::shower::Shower;
use super::{messages, person};
use crate::event::{Arguments, Input, Measure, Message, Output, RawText, Request, ResultContent, Shown};
#[cfg(any(feature = "collector", feature = "sdk"))]
use crate::privacy::level::Level;
use crate::privacy::measure::Telling;
#[cfg(any(feature = "collector", feature = "sdk"))]
use crate::privacy::preview;
use crate::privacy::preview::PreviewOf;
use crate::semconv::Field;

impl Telling<'_> {
    const fn shower(&self) -> Shower<'_> {
        Shower { policy: self.policy }
    }

    /// Adds what is shown of a request.
    pub(in crate::privacy) fn shown_input(&self, request: &Request, mut input: Input) -> Input {
        let shower = self.shower();
        let system = self.level(Field::System);
        if shower.shows(Field::Prompts) {
            let found = person::input(shower, &request.messages);
            let preview = found
                .and_then(|found| shower.preview(Some(Field::Prompts), found.level, PreviewOf::Message, &found.text));
            preview.into_iter().for_each(|preview| input.shown.set_preview(preview));
        }
        if shower.shows_whole(Field::Prompts) && !request.messages.is_empty() {
            self.set_content(&mut input.shown, |bytes| messages::input(shower, &request.messages, bytes));
        }
        if shower.shows(Field::System) {
            let text = person::system(&request.system);
            let preview = text.and_then(|text| shower.preview(Some(Field::System), system, PreviewOf::Message, &text));
            preview.into_iter().for_each(|preview| input.system.shown.set_preview(preview));
        }
        if shower.shows_whole(Field::System) {
            if !request.system.is_empty() {
                self.set_content(&mut input.system.shown, |bytes| {
                    messages::system(shower, system, &request.system, bytes)
                });
            }
            if !request.tools.is_empty() {
                self.set_content(&mut input.tools_shown, |bytes| {
                    messages::tools(shower, system, &request.tools, bytes)
                });
            }
        }
        input
    }

    /// Adds what is shown of an answer; `reasons` tell for each message why it ended.
    pub(in crate::privacy) fn shown_output(&self, answer: &[Message], reasons: &[&str], mut output: Output) -> Output {
        let shower = self.shower();
        if shower.shows(Field::Completions) {
            let found = person::output(shower, answer);
            let preview = found.and_then(|found| {
                shower.preview(Some(Field::Completions), found.level, PreviewOf::Message, &found.text)
            });
            preview.into_iter().for_each(|preview| output.shown.set_preview(preview));
        }
        if shower.shows_whole(Field::Completions) && !answer.is_empty() {
            self.set_content(&mut output.shown, |bytes| messages::output(shower, answer, reasons, bytes));
        }
        output
    }

    /// Adds what is shown of a tool's arguments.
    pub(in crate::privacy) fn shown_arguments(&self, text: &RawText, mut told: Arguments) -> Arguments {
        let (shower, level) = (self.shower(), self.level(Field::ToolArguments));
        if let Some(exposed) = text.expose().filter(|_| shower.shows(Field::ToolArguments)) {
            let preview = shower.preview(Some(Field::ToolArguments), level, PreviewOf::Tool, exposed);
            preview.into_iter().for_each(|preview| told.shown.set_preview(preview));
        }
        if shower.shows_whole(Field::ToolArguments) {
            self.set_content(&mut told.shown, |bytes| messages::value(shower, level, text, bytes));
        }
        told
    }

    /// Adds what is shown of a tool's result.
    pub(in crate::privacy) fn shown_result(&self, content: &ResultContent, mut told: Measure) -> Measure {
        let (shower, level) = (self.shower(), self.level(Field::ToolResults));
        if shower.shows(Field::ToolResults) {
            let preview = person::result(content)
                .and_then(|text| shower.preview(Some(Field::ToolResults), level, PreviewOf::Tool, &text));
            preview.into_iter().for_each(|preview| told.shown.set_preview(preview));
        }
        if shower.shows_whole(Field::ToolResults) {
            self.set_content(&mut told.shown, |bytes| messages::result(shower, content, bytes));
        }
        told
    }

    /// Adds what is shown of any other text: its beginning.
    pub(in crate::privacy) fn shown_text(
        &self,
        classes: &[Field],
        content: &ResultContent,
        mut told: Measure,
    ) -> Measure {
        let (shower, level) = (self.shower(), self.policy.levels().of_all(classes));
        if classes.iter().any(|class| shower.shows(*class)) {
            let class = classes.first().copied().filter(|_| classes.len() == 1);
            let preview =
                person::result(content).and_then(|text| shower.preview(class, level, PreviewOf::Message, &text));
            preview.into_iter().for_each(|preview| told.shown.set_preview(preview));
        }
        told
    }

    /// Whether any text of a class is shown, or a placeholder for it.
    #[cfg(any(feature = "collector", feature = "sdk"))]
    pub(crate) fn shows(&self, class: Field) -> bool {
        self.shower().shows(class)
    }

    /// A text that has no form of its own, whole: at `masked` and `full`.
    #[cfg(any(feature = "collector", feature = "sdk"))]
    pub(crate) fn whole<'t>(&self, level: Level, text: &'t str) -> Option<Cow<'t, str>> {
        if level < Level::Masked {
            return None;
        }
        let shown = self.shower().text(level, text)?;
        let bytes = self.policy.attribute_bytes();
        if shown.len() <= bytes {
            return Some(shown);
        }
        messages::fitted(&shown, bytes).map(|written| Cow::Owned(written.json))
    }

    /// The beginning of such a text.
    #[cfg(any(feature = "collector", feature = "sdk"))]
    pub(crate) fn preview_text(&self, level: Level, text: &str) -> Option<ByteString> {
        self.shower().preview(None, level, PreviewOf::Message, text)
    }

    /// What may leave of a preview that another policy has made.
    ///
    /// One that this policy would have made comes back as it is: a placeholder, or a text that is no longer than a preview
    /// of ours with its marker.
    #[cfg(any(feature = "collector", feature = "sdk"))]
    pub(crate) fn preview_again(&self, class: Option<Field>, level: Level, text: &str) -> Option<String> {
        if preview::is_placeholder(text) {
            return (level >= Level::Preview || class.is_some_and(|class| self.shows(class))).then(|| text.to_owned());
        }
        let of = match class {
            Some(Field::ToolArguments | Field::ToolResults) => PreviewOf::Tool,
            _ => PreviewOf::Message,
        };
        let (said, marker) = preview::without_marker(text);
        let again = self.shower().preview(class, level, of, said)?;
        if *again == *said {
            return Some(format!("{said}{marker}"));
        }
        Some(again.to_string())
    }

    /// What an error says in words.
    #[cfg(any(feature = "collector", feature = "sdk"))]
    pub(crate) fn status(&self, message: &str) -> Option<String> {
        let level = self.level(Field::Errors);
        match self.whole(level, message) {
            Some(whole) => Some(whole.into_owned()),
            None => self.preview_again(Some(Field::Errors), level, message),
        }
    }

    /// Sets whole content as `write` makes it for so many bytes.
    fn set_content(&self, shown: &mut Shown, write: impl Fn(usize) -> Option<Written>) {
        let Some(written) = write(self.policy.attribute_bytes()) else { return };
        shown.set_content(written.json.into());
    }
}
