//! A payload in the place of the beginning that stands on its span.

use serde_json::Value;

use super::reader::{PayloadProblem, PayloadReader};
use crate::event::shape::genai;
use crate::event::{Arguments, Digest, Input, Measure, Output, RawText, Request, ResultContent, Shown};
use crate::privacy::level::Level;
use crate::privacy::measure::Telling;
use crate::privacy::policy::Policy;
use crate::privacy::show::told_reasons;
use crate::privacy::tally::Tally;
use crate::semconv::{Field, ShownOf};

/// What may be read of a payload: as much as this policy lets leave, whatever the one let leave that it was written under.
pub(crate) struct Reading<'a> {
    reader: &'a PayloadReader,
    policy: Policy,
    tally: Tally,
}

/// The classes of what is shown; none where it is not kept whole at all.
const fn classes(of: ShownOf) -> &'static [Field] {
    match of {
        ShownOf::Input => &[Field::Prompts],
        ShownOf::Output => &[Field::Completions],
        ShownOf::System | ShownOf::Tools => &[Field::System],
        ShownOf::ToolArguments => &[Field::ToolArguments],
        ShownOf::ToolResult => &[Field::ToolResults],
        ShownOf::State => &Field::ALL,
        ShownOf::Error | ShownOf::Action => &[],
    }
}

/// Whether more of it is kept elsewhere that this policy lets be seen.
pub(crate) fn is_kept_elsewhere(policy: &Policy, of: ShownOf, shown: &Shown) -> bool {
    shown.reference().is_some() && policy.levels().of_all(classes(of)) >= Level::Masked
}

impl<'a> Reading<'a> {
    pub(crate) fn new(reader: &'a PayloadReader, policy: &Policy) -> Self {
        Self { reader, policy: policy.for_reading(), tally: Tally::default() }
    }

    /// Puts all of it in the place of what is shown.
    pub(crate) fn fill(&self, of: ShownOf, shown: &mut Shown) -> Result<(), PayloadProblem> {
        let reference = shown.reference().and_then(|reference| reference.parse::<Digest>().ok());
        let payload = self.reader.get(&reference.ok_or(PayloadProblem::Missing)?)?;
        let text = String::from_utf8(payload).map_err(|_| PayloadProblem::Unreadable)?;
        let told = self.told(of, text).ok_or(PayloadProblem::Unreadable)?;
        let whole = told.content().ok_or(PayloadProblem::Unreadable)?;
        shown.set_content(whole.clone());
        Ok(())
    }

    /// What this policy shows of it. The payload has the form of its attribute.
    fn told(&self, of: ShownOf, text: String) -> Option<Shown> {
        let telling = Telling::new(&self.policy, None, &self.tally);
        let json = |text: &str| serde_json::from_str::<Value>(text).ok();
        let request = |request: Request| telling.shown_input(&request, Input::default());
        Some(match of {
            ShownOf::Input => request(Request { messages: genai::messages(json(&text)?), ..Request::default() }).shown,
            ShownOf::System => {
                request(Request { system: genai::system(json(&text)?), ..Request::default() }).system.shown
            }
            ShownOf::Tools => request(Request { tools: genai::tools(json(&text)?), ..Request::default() }).tools_shown,
            ShownOf::Output => {
                let messages = json(&text)?;
                let reasons = told_reasons(&messages);
                let reasons: Vec<&str> = reasons.iter().map(String::as_str).collect();
                telling.shown_output(&genai::messages(messages), &reasons, Output::default()).shown
            }
            ShownOf::ToolArguments => telling.shown_arguments(&RawText::from(text), Arguments::default()).shown,
            ShownOf::ToolResult => {
                telling.shown_result(&ResultContent::Text(RawText::from(text)), Measure::default()).shown
            }
            ShownOf::State => telling.shown_state(&ResultContent::Text(RawText::from(text)), Measure::default()).shown,
            ShownOf::Error | ShownOf::Action => return None,
        })
    }
}
