//! What the process of a command that serves is asked for by signals.

use std::io;
use std::time::Duration;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal as hear};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// To stop: SIGTERM and SIGINT.
    Stop,
    /// SIGHUP: to read its configuration again, or to stop where there is none, as whoever loses a terminal does.
    Reload,
}

/// The signals, from now on: none is missed that comes while nobody waits for one.
#[cfg(unix)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Option<Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Where nothing `reloads`, a hang-up that is ignored, as under `nohup`, stays ignored.
    pub(super) fn new(reloads: bool) -> io::Result<Self> {
        let hears_hangups = reloads || ends_at_hangup();
        Ok(Self {
            terminate: hear(SignalKind::terminate())?,
            interrupt: hear(SignalKind::interrupt())?,
            hangup: if hears_hangups { Some(hear(SignalKind::hangup())?) } else { None },
        })
    }

    /// What is asked for next.
    pub(super) async fn next(&mut self) -> Asked {
        let Self { terminate, interrupt, hangup } = self;
        let hung_up = async {
            match hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = terminate.recv() => Asked::Stop,
            _ = interrupt.recv() => Asked::Stop,
            _ = hung_up => Asked::Reload,
        }
    }
}

/// Whether a hang-up is known to end this process. Elsewhere than on Linux nobody knows, and all stays as it is.
#[cfg(unix)]
fn ends_at_hangup() -> bool {
    /// SIGHUP is the first of all.
    const HANGUP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_some_and(|ignored| ignored & HANGUP == 0)
}

/// The signals, from now on.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) const fn new(_reloads: bool) -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self) -> Asked {
        // Without a signal to wait for the stage runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Asked::Stop
    }
}

impl Signals {
    /// Whether it was asked to stop meanwhile, whatever else it was asked for.
    pub(super) async fn asks_to_stop(&mut self) -> bool {
        /// What has come by now is known by then.
        const MOMENT: Duration = Duration::from_millis(10);
        while let Ok(asked) = tokio::time::timeout(MOMENT, self.next()).await {
            if asked == Asked::Stop {
                return true;
            }
        }
        false
    }
}

/// Ends when the process is asked for anything: a command without a configuration has nothing to read again.
pub(super) fn signal() -> io::Result<impl Future<Output = ()>> {
    let mut signals = Signals::new(false)?;
    Ok(async move {
        signals.next().await;
    })
}
