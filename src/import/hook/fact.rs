//! One hook event, as much as may be kept of it: a line of the journal.

use serde::{Deserialize, Serialize};

use crate::event::{Arguments, Digest, Measure, Outcome};

macro_rules! hooks {
    ($($name:ident),* $(,)?) => {
        /// Which hook told.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Hook {
            $(#[doc = concat!("`", stringify!($name), "`")] $name,)*
            /// One that this version does not know.
            #[default]
            #[serde(other)]
            Other,
        }

        impl Hook {
            /// The hook of this name.
            pub fn named(name: &str) -> Self {
                match name {
                    $(stringify!($name) => Self::$name,)*
                    _ => Self::Other,
                }
            }
        }
    };
}

hooks! {
    SessionStart, SessionEnd, UserPromptSubmit, PreToolUse, PostToolUse, PostToolUseFailure, PermissionRequest,
    PermissionDenied, PreCompact, PostCompact, SubagentStart, SubagentStop, Stop, StopFailure,
}

/// Digest and length of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Veiled {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) length: Option<u64>,
}

/// A hook event. All texts are labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fact {
    /// When the hook was called, in nanoseconds since 1970.
    pub time_unix_nano: u64,
    /// Which hook.
    pub hook: Hook,
    /// The session.
    pub session: String,
    /// The policy in force, as on spans.
    pub policy: String,
    /// The own name of the transcript's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcript: Option<String>,
    /// The turn, where the agent has ids for turns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<String>,
    /// The sub-agent that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What kind of sub-agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
    /// The sub-agent that a tool started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
    /// The tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The tool's call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_id: Option<String>,
    /// How long the tool ran, without waits, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The permission that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// What a compaction was begun by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// The model of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Whether the tool was stopped before it was done.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_interrupt: bool,
    /// Whether what the tool returned says that it went wrong.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
    #[serde(skip_serializing_if = "is_nothing")]
    pub(super) prompt: Veiled,
    #[serde(skip_serializing_if = "is_nothing")]
    pub(super) given: Veiled,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) given_exact: Option<String>,
    #[serde(skip_serializing_if = "is_nothing")]
    pub(super) returned: Veiled,
    #[serde(skip_serializing_if = "is_nothing")]
    pub(super) failure: Veiled,
    #[serde(skip_serializing_if = "is_nothing")]
    pub(super) answered: Veiled,
}

fn is_nothing(veiled: &Veiled) -> bool {
    *veiled == Veiled::default()
}

impl Veiled {
    pub(super) fn of(measure: &Measure) -> Self {
        Self { digest: measure.digest.map(|digest| digest.to_string()), length: measure.length }
    }

    fn measure(&self) -> Measure {
        Measure { digest: digest(self.digest.as_ref()), length: self.length, ..Measure::default() }
    }
}

fn digest(text: Option<&String>) -> Option<Digest> {
    text?.parse().ok()
}

impl Fact {
    /// The same under a policy: what was digested with another key or in another way has no digest in its spans, and no
    /// length where it may not leave any more.
    pub(in crate::import) fn under(mut self, policy: &crate::privacy::Policy) -> Self {
        if self.policy == **policy.snapshot() {
            return self;
        }
        self.given_exact = None;
        for veiled in [&mut self.prompt, &mut self.given, &mut self.returned, &mut self.failure, &mut self.answered] {
            *veiled = Veiled::default();
        }
        // A file may have been written by anybody.
        let texts = [
            &mut self.transcript,
            &mut self.turn,
            &mut self.agent,
            &mut self.agent_type,
            &mut self.started,
            &mut self.tool,
            &mut self.tool_id,
            &mut self.permission,
            &mut self.trigger,
            &mut self.model,
        ];
        for text in texts.into_iter().flatten() {
            *text = policy.label(text).to_string();
        }
        self
    }

    /// How the tool ended, where the hook says more than that it did.
    pub(in crate::import) const fn outcome(&self) -> Option<Outcome> {
        match self.hook {
            Hook::PermissionDenied => Some(Outcome::Denied),
            Hook::PostToolUse | Hook::PostToolUseFailure if self.is_interrupt => Some(Outcome::Cancelled),
            Hook::PostToolUse if self.is_error => Some(Outcome::Failed),
            Hook::PostToolUseFailure => Some(Outcome::Failed),
            _ => None,
        }
    }

    pub(in crate::import) fn prompt(&self) -> Measure {
        self.prompt.measure()
    }

    pub(in crate::import) fn answered(&self) -> Measure {
        self.answered.measure()
    }

    pub(in crate::import) fn result(&self) -> Measure {
        self.returned.measure()
    }

    /// What the tool said of how it failed. One whose own hook tells the failure may have said nothing.
    pub(in crate::import) fn error(&self) -> Option<Measure> {
        let is_told = self.hook == Hook::PostToolUseFailure || self.is_error && !is_nothing(&self.failure);
        is_told.then(|| self.failure.measure())
    }

    pub(in crate::import) fn arguments(&self) -> Arguments {
        let Measure { digest: canonical, length, .. } = self.given.measure();
        Arguments { digest: canonical, exact: digest(self.given_exact.as_ref()), length, ..Arguments::default() }
    }
}
