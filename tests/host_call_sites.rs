//! What a recorder that sends costs the host's own logs. Alone in its process, because logs are global.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use support::receiver::{Behaviour, Receiver};
use tonic::Status;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use veilspan::export::ExporterConfig;
use veilspan::{Policy, Recorder};

/// Wants everything, and counts how often it is asked whether it wants what the host says.
struct Asked(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Asked {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::always()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        if metadata.target() == "host" {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        true
    }
}

#[test]
fn a_call_site_of_the_hosts_is_settled_once_though_a_recorder_sends() {
    let asked = Arc::new(AtomicUsize::new(0));
    let subscriber = tracing_subscriber::registry().with(Asked(Arc::clone(&asked)));
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let visit = || (0..100).for_each(|number| tracing::info!(target: "host", number, "at work"));
    visit();
    assert_eq!(asked.load(Ordering::SeqCst), 0);

    // Also while it says something itself.
    let receiver = Receiver::start(Behaviour::RefuseFirst(1, Status::unavailable("busy")));
    let mut config = ExporterConfig::default();
    config.endpoint = receiver.url();
    let recorder = Recorder::exporting(&config, Policy::builder().build_in(&Default::default()).0).unwrap();
    recorder.tool("t").start().finish();
    visit();
    assert!(recorder.flush(Duration::from_secs(20)).complete);
    visit();
    assert!(recorder.shutdown(Duration::from_secs(20)).complete);
    visit();
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}
