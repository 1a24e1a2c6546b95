//! What runs as long as the stage does.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::forward::Forward;
use super::health::{Health, Worker};
use super::listen::{self, Door, Listener};
use crate::otlp::Gate;

/// Serves a listener; `running` is gone when its last connection is.
pub(super) fn run<D: Door>(
    runtime: &Runtime,
    listener: Listener<D>,
    health: &Arc<Health>,
    stopping: &watch::Receiver<bool>,
    running: std::sync::mpsc::Sender<std::convert::Infallible>,
) {
    let serving = serve(listener, stopping.clone(), health.worker());
    runtime.spawn(async move {
        serving.await;
        drop(running);
    });
}

pub(super) async fn serve<D: Door>(listener: Listener<D>, stopping: watch::Receiver<bool>, _worker: Worker) {
    if listen::run(listener, stopping).await.is_err() {
        tracing::error!(target: "veilspan", "a listener stopped");
    }
}

/// What closes by time closes at most this much late.
const TICK: Duration = Duration::from_millis(250);
/// The input log is tended once a second.
const TEND_EVERY: u32 = 4;

pub(super) async fn tick(forward: Arc<Forward>, mut stopping: watch::Receiver<bool>, _worker: Worker) {
    let mut ticks = 0;
    loop {
        tokio::select! {
            () = tokio::time::sleep(TICK) => if let Some(following) = &forward.following {
                let now = forward.clock.unix_nanos();
                following.tick(now, &forward.output);
                ticks = (ticks + 1) % TEND_EVERY;
                if ticks == 0 {
                    following.tend(now);
                }
            },
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

/// How often the runtime shows that it runs.
const BEAT: Duration = Duration::from_secs(1);
/// Memory of requests is kept for so many beats. An SDK sends every five seconds unless it has much to send.
const KEPT: u32 = 15;

/// Shows that the runtime runs, and lets go of memory that nobody needs.
pub(super) async fn beat(health: Arc<Health>, gate: Arc<Gate>, mut stopping: watch::Receiver<bool>, _worker: Worker) {
    let mut beats = 0;
    loop {
        health.beat();
        beats = (beats + 1) % KEPT;
        if beats == 0 {
            gate.tend();
        }
        tokio::select! {
            () = tokio::time::sleep(BEAT) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}
