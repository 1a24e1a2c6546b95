//! Content that is kept elsewhere, in the place of its beginning.

use super::Recording;
use crate::event::{Event, Given, Kind, Mark, Noted, Returned, Shown, Veiled};
use crate::privacy::{PayloadError, PayloadReader, Policy, Reading, is_kept_elsewhere};
use crate::semconv::ShownOf;

/// What became of the references of a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayloadsRead {
    /// Contents that are whole now.
    pub found: u64,
    /// Contents of which only the beginning is there, as before.
    pub missing: u64,
    /// Why the first of these is missing.
    pub error: Option<PayloadError>,
}

impl Recording {
    /// Whether some of its content is kept elsewhere, and the policy lets it be seen.
    pub fn has_payloads(&self, policy: &Policy) -> bool {
        let mut events = self.events.iter();
        events.any(|event| shown(event).into_iter().flatten().any(|(of, shown)| is_kept_elsewhere(policy, of, shown)))
    }

    /// Reads what models and tools were given and returned, and what agents kept of themselves, out of the folder of payloads, where the span has a reference
    /// beside its beginning: each verified, and shown as far as the policy lets it. Of what cannot be had the beginning stays.
    pub fn read_payloads(&mut self, reader: &PayloadReader, policy: &Policy) -> PayloadsRead {
        let reading = Reading::new(reader, policy);
        let mut read = PayloadsRead::default();
        for (of, shown) in self.events.iter_mut().flat_map(shown_mut).flatten() {
            if !is_kept_elsewhere(policy, of, shown) {
                continue;
            }
            match reading.fill(of, shown) {
                Ok(()) => read.found += 1,
                Err(problem) => {
                    read.missing += 1;
                    read.error.get_or_insert(problem.into());
                }
            }
        }
        read
    }
}

/// What is shown of an event's content, at most three texts.
macro_rules! shown {
    ($name:ident, $($mutable:tt)?) => {
        fn $name(event: &$($mutable)? Event<Veiled>) -> [Option<(ShownOf, &$($mutable)? Shown)>; 3] {
            match &$($mutable)? event.kind {
                Kind::Opened(_, Given::Request(input)) => [
                    Some((ShownOf::Input, &$($mutable)? input.shown)),
                    Some((ShownOf::System, &$($mutable)? input.system.shown)),
                    Some((ShownOf::Tools, &$($mutable)? input.tools_shown)),
                ],
                Kind::Opened(_, Given::Arguments(arguments)) => {
                    [Some((ShownOf::ToolArguments, &$($mutable)? arguments.shown)), None, None]
                }
                Kind::Closed(_, Returned::Answer(output)) => {
                    [Some((ShownOf::Output, &$($mutable)? output.shown)), None, None]
                }
                Kind::Closed(_, Returned::Result(result)) => {
                    [Some((ShownOf::ToolResult, &$($mutable)? result.shown)), None, None]
                }
                Kind::Marked(Mark { noted: Noted::State(state), .. }) => {
                    [Some((ShownOf::State, &$($mutable)? state.shown)), None, None]
                }
                _ => [None, None, None],
            }
        }
    };
}

shown!(shown,);
shown!(shown_mut, mut);
