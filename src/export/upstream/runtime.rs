//! A runtime of one thread for connections, so that no host can stop them.

use std::cell::Cell;

use tokio::runtime::{Builder, Handle, Runtime};
use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};

thread_local! {
    static SILENCE: Cell<Option<DefaultGuard>> = const { Cell::new(None) };
}

/// Lives as long as what it serves. May be dropped anywhere, inside of another runtime too.
pub(crate) struct IoRuntime {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl IoRuntime {
    /// Starts the thread. Nothing is logged on it: the libraries that work there would name headers, and a layer that
    /// exports what they say would export its own exports.
    pub(crate) fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("veilspan-sdk-io")
            .on_thread_start(|| SILENCE.set(Some(set_default(NoSubscriber::new()))))
            .on_thread_stop(|| drop(SILENCE.take()))
            .enable_all()
            .build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    pub(crate) const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for IoRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Never waits, since waiting panics inside of another runtime.
            runtime.shutdown_background();
        }
    }
}
