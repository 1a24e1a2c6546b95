//! Sending what the input log holds, until it is answered.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::collector::following::Following;
use crate::collector::forward::Forward;
use crate::collector::health::Worker;
use crate::otlp::Segments;

/// The most spans of one request.
const BATCH: usize = 64;
/// After a failure, and doubled with each one more.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Sends until the stage stops.
pub(in crate::collector) async fn emit(pipeline: Arc<Forward>, mut stopping: watch::Receiver<bool>, _worker: Worker) {
    let Some(following) = &pipeline.following else { return };
    let working = async {
        loop {
            send_all(&pipeline, following).await;
            following.due().await;
        }
    };
    tokio::select! {
        () = working => {}
        _ = stopping.wait_for(|stop| *stop) => {}
    }
}

/// Sends until nothing is left.
pub(in crate::collector) async fn send_all(pipeline: &Forward, following: &Following) {
    let (mut wait, mut most) = (FIRST_WAIT, BATCH);
    loop {
        let batch = following.emissions(most);
        if batch.is_empty() {
            return;
        }
        let mut request = Segments::with_capacity(batch.len());
        batch.iter().for_each(|emission| request.push(emission.field.clone()));
        match pipeline.output.forward(request, batch.len() as u64).await {
            Ok(_) => {
                following.settle(&batch, false);
                (wait, most) = (FIRST_WAIT, BATCH);
            }
            Err(refused) if refused.is_retryable() => {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
            // One that nobody takes must not take the others with it.
            Err(_) if batch.len() > 1 => most = 1,
            Err(_) => following.settle(&batch, true),
        }
    }
}
