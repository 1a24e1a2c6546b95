//! What is shown of each kind of content, beside what is measured of it.

#[cfg(any(feature = "collector", feature = "sdk"))]
use std::borrow::Cow;

use bytestring::ByteString;

#[cfg(any(feature = "collector", feature = "sdk"))]
use super::fit;
use super::fit::Form;
use super::shower::Shower;
use super::{messages, person};
use crate::event::{Arguments, CallKind, Input, Measure, Message, Output, RawText, Request, ResultContent, Shown};
use crate::privacy::c1::digest;
use crate::privacy::classes;
use crate::privacy::level::Level;
use crate::privacy::measure::Telling;
use crate::privacy::payloads::{self, Payload};
#[cfg(any(feature = "collector", feature = "sdk"))]
use crate::privacy::preview;
use crate::privacy::preview::PreviewOf;
use crate::semconv::Field;

impl Telling<'_> {
    const fn shower(&self) -> Shower<'_> {
        Shower { policy: self.policy, tally: self.tally }
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
            self.set_content(&mut input.shown, classes::MESSAGES, &messages::input(shower, &request.messages));
        }
        if shower.shows(Field::System) {
            let text = person::system(&request.system);
            let preview = text.and_then(|text| shower.preview(Some(Field::System), system, PreviewOf::Message, &text));
            preview.into_iter().for_each(|preview| input.system.shown.set_preview(preview));
        }
        if shower.shows_whole(Field::System) {
            if !request.system.is_empty() {
                let form = messages::system(shower, system, &request.system);
                self.set_content(&mut input.system.shown, SYSTEM, &form);
            }
            if !request.tools.is_empty() {
                self.set_content(&mut input.tools_shown, SYSTEM, &messages::tools(shower, system, &request.tools));
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
            let form = messages::output(shower, answer, reasons);
            self.set_content(&mut output.shown, classes::MESSAGES, &form);
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
            self.set_content(&mut told.shown, &[Field::ToolArguments], &messages::value(shower, level, text));
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
            self.set_content(&mut told.shown, &[Field::ToolResults], &messages::result(shower, level, content));
        }
        told
    }

    /// Adds what is shown of what an agent kept of itself: all of it, or nothing.
    pub(in crate::privacy) fn shown_state(&self, state: &ResultContent, mut told: Measure) -> Measure {
        let (shower, level) = (self.shower(), self.policy.levels().least());
        if level >= Level::Masked {
            self.set_content(&mut told.shown, &Field::ALL, &messages::result(shower, level, state));
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

    /// Adds what is shown of the texts that a call of any other kind was given: all of them stand with the first.
    pub(in crate::privacy) fn shown_given(&self, kind: CallKind, contents: &[ResultContent], told: &mut [Measure]) {
        let classes = classes::given(kind);
        self.shown_texts(classes, contents, told, || messages::given(self.shower(), kind, contents));
    }

    /// Adds what is shown of the texts that it returned.
    pub(in crate::privacy) fn shown_returned(&self, kind: CallKind, contents: &[ResultContent], told: &mut [Measure]) {
        let classes = classes::returned(kind);
        self.shown_texts(classes, contents, told, || messages::returned(self.shower(), kind, contents));
    }

    fn shown_texts<'t>(
        &self,
        classes: &'static [Field],
        contents: &[ResultContent],
        told: &mut [Measure],
        form: impl FnOnce() -> Form<'t>,
    ) {
        let (Some(first), Some(content)) = (told.first_mut(), contents.first()) else { return };
        *first = self.shown_text(classes, content, std::mem::take(first));
        if classes.iter().all(|class| self.shower().shows_whole(*class)) {
            self.set_content(&mut first.shown, classes, &form());
        }
    }

    /// Whether any text of a class is shown, or a placeholder for it.
    #[cfg(any(feature = "collector", feature = "sdk"))]
    pub(crate) fn shows(&self, class: Field) -> bool {
        self.shower().shows(class)
    }

    /// Whether bytes, which no detector can look into, leave as they are: at `full`, where there is room.
    #[cfg(any(feature = "collector", feature = "sdk"))]
    pub(crate) fn whole_bytes(&self, level: Level, bytes: &[u8]) -> bool {
        level == Level::Full && bytes.len() <= self.policy.attribute_bytes()
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
        self.tally.cut();
        fit::beginning(&shown, bytes).map(|written| Cow::Owned(written.text))
    }

    /// A text of which nobody says what it is: all of it, but for what a detector hits.
    #[cfg(feature = "collector")]
    pub(crate) fn masked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let is_hit = self.policy.detectors().is_some_and(|detectors| detectors.hits(text));
        let masked = if is_hit { self.shower().text(Level::Masked, text) } else { None };
        masked.unwrap_or(Cow::Borrowed(text))
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

    /// Sets whole content, up to the bytes of an attribute, and where all of it is kept if that is more.
    fn set_content(&self, shown: &mut Shown, classes: &'static [Field], form: &Form<'_>) {
        let written = form.fit(self.policy.attribute_bytes());
        let is_whole = written.as_ref().is_some_and(|written| written.is_whole);
        written.into_iter().for_each(|written| shown.set_content(written.text.into()));
        if !is_whole {
            self.tally.cut();
            self.keep(shown, classes, form);
        }
    }

    /// Has content kept whole, where there is a store and a name for it.
    fn keep(&self, shown: &mut Shown, classes: &'static [Field], form: &Form<'_>) {
        let (Some(payloads), Some(hasher)) = (self.policy.payloads(), self.hasher) else { return };
        let Some(whole) = form.fit(payloads::MAX_BYTES) else { return };
        let text = ByteString::from(whole.text);
        let name = digest::text(hasher, &text);
        if payloads.offer(Payload { name, text, classes, levels: *self.policy.levels() }) {
            shown.set_reference(name.to_string().into());
        }
    }
}

const SYSTEM: &[Field] = &[Field::System];
