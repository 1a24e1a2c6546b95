//! Tells an operator of an outage. On the sender's thread nothing else is logged: the libraries below would name headers.

use std::time::Duration;

use tokio::time::Instant;
use tracing::Dispatch;
use tracing::dispatcher::{DefaultGuard, set_default};

use super::verdict::Verdict;
use crate::otlp::ExportError;

/// Says once in a while what goes wrong, and once that it is over.
pub(super) struct OutageLog {
    silence: Option<DefaultGuard>,
    last: Option<Instant>,
    said: bool,
}

const EVERY: Duration = Duration::from_secs(60);

impl OutageLog {
    /// Silences the thread that it is made on.
    pub(super) fn new() -> Self {
        Self { silence: Some(silence()), last: None, said: false }
    }

    /// `is_kept`: what is lost to the peer lies in a file.
    pub(super) fn failed(&mut self, error: &ExportError, verdict: Verdict, is_kept: bool, waiting: u64) {
        // A batch that is halved is not lost and does not wait.
        if verdict == Verdict::Halve || self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        self.said = true;
        self.say(|| match verdict {
            Verdict::Again | Verdict::Halve => {
                tracing::warn!(target: "veilspan", %error, waiting, "spans cannot be delivered now; they wait");
            }
            Verdict::Hold => tracing::warn!(
                target: "veilspan", %error, waiting,
                "the peer does not take spans from here; they wait, and it is asked once a minute"
            ),
            Verdict::Refused => {
                tracing::warn!(target: "veilspan", %error, waiting, "the peer refuses spans for good; they are lost");
            }
            Verdict::TooLong if is_kept => tracing::warn!(
                target: "veilspan", %error, waiting,
                "a span is too long for the peer; it is set aside in the folder of the spool"
            ),
            Verdict::TooLong => {
                tracing::warn!(target: "veilspan", %error, waiting, "a span is too long for the peer; it is lost");
            }
        });
    }

    pub(super) fn recovered(&mut self) {
        // Said as seldom as what it takes back.
        if std::mem::take(&mut self.said) {
            self.say(|| tracing::info!(target: "veilspan", "spans are delivered again"));
        }
    }

    fn say(&mut self, message: impl FnOnce()) {
        self.silence = None;
        message();
        self.silence = Some(silence());
    }
}

/// Not a subscriber that wants nothing: tracing would know of two then, one of which wants what the other does not, and ask
/// the host's at each visit of each of its call sites, on every thread.
fn silence() -> DefaultGuard {
    set_default(&Dispatch::none())
}
