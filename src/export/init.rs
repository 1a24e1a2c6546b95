//! The start that needs one line.

use std::fmt;
use std::time::Duration;

use tracing_subscriber::layer::SubscriberExt;

use super::recorder::FromEnv;
use super::stderr;
use crate::intake::Drained;
use crate::privacy::Policy;
use crate::record::Recorder;

/// Records the GenAI spans of this process from here on, as the environment says, until the guard is dropped.
///
/// For a process that has no `tracing` subscriber yet: this sets the global one, of [`layer`](super::layer()) and nothing
/// else but a voice for veilspan itself, which says on stderr what is in force (one line: policy, key, endpoint) and, should
/// it come to that, what is wrong in a variable, that spans cannot be delivered, and what was lost. What else the process
/// tells through `tracing` is seen by nobody, as before. Whoever wants to see it builds a subscriber and adds
/// [`veilspan::layer()`](super::layer()) to it.
///
/// Calls that are recorded by hand go through [`Guard::recorder`].
///
/// ```no_run
/// let guard = veilspan::init()?;
/// let turn = guard.recorder().turn("planner").start();
/// # turn.finish();
/// # Ok::<(), veilspan::InitError>(())
/// ```
///
/// # Errors
///
/// [`InitError`]: a global subscriber is set already. Nothing of this one keeps running then. There is no other error: a
/// variable that cannot be understood means its most private or its default value, and where nothing can be sent (an
/// endpoint that is no address, a machine that gives no threads) nothing is recorded; both are said on stderr.
pub fn init() -> Result<Guard, InitError> {
    let FromEnv { recorder, startup, .. } = FromEnv::read_or_disabled(Policy::builder().keep_key());
    let subscriber = tracing_subscriber::registry().with(recorder.layer()).with(stderr::layer());
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        recorder.shutdown(Duration::ZERO);
        return Err(InitError(()));
    }
    startup.tell();
    Ok(Guard { recorder })
}

/// Keeps the recording going that [`init`] began. Dropped, it sends what waits and ends it.
///
/// That blocks the thread until all is sent, for five seconds at the most ([`Guard::TIMEOUT`]); [`Guard::shutdown`] takes
/// another bound. What could not be sent by then is counted as lost. `std::process::exit` and `panic = "abort"` drop
/// nothing: call `shutdown` before.
#[must_use = "recording ends where the guard is dropped: bind it to a name, such as `_guard`"]
pub struct Guard {
    recorder: Recorder,
}

impl Guard {
    /// How long dropping it may take.
    pub const TIMEOUT: Duration = Duration::from_secs(5);

    /// The recorder that the layer hands in at, for calls that are recorded by hand. A disabled one where the environment
    /// wants nothing recorded, or nothing can be sent.
    pub const fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Sends what waits and ends the recording, in `timeout` at the most, and tells what came of it. Blocks the thread.
    pub fn shutdown(self, timeout: Duration) -> Drained {
        self.recorder.shutdown(timeout)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // After `shutdown` this finds that ended, and does not wait.
        self.recorder.shutdown(Self::TIMEOUT);
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("recorder", &self.recorder).finish()
    }
}

/// A global `tracing` subscriber is set already, and there can be one alone.
#[derive(Debug, thiserror::Error)]
#[error("a global tracing subscriber is set already: add `veilspan::layer()` to that one")]
pub struct InitError(());
