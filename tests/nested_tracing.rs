//! Values whose formatting uses tracing itself, below a default of the whole process, where nothing keeps that from the layers.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "support/mod.rs"]
mod support;

use std::fmt::{Debug, Formatter, Result};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use support::lines::Lines;
use tracing::field::Field;
use tracing::{Event, Level, Subscriber, enabled, info, info_span};
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, fmt};
use veilspan::layer::others;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

/// Asks whether something is wanted.
struct Asking;

/// Says something.
struct Saying;

impl Debug for Asking {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}", enabled!(Level::TRACE))
    }
}

impl Debug for Saying {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        info!("said while a span opens");
        f.write_str("said")
    }
}

/// Writes down what is logged. `fmt` behind a filter panics over spans that it was told of by mistake.
struct Heard(Lines);

impl<S: Subscriber> Layer<S> for Heard {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut lines = self.0.clone();
        event.record(&mut |_: &Field, value: &dyn Debug| writeln!(lines, "{value:?}").unwrap());
    }
}

#[test]
fn a_span_is_ours_or_not_by_its_call_site_whatever_formatting_it_asks_of_tracing() {
    let (sink, all, heard) = (Arc::new(MemorySink::default()), Lines::default(), Lines::default());
    let written = all.clone();
    let policy = Policy::builder().unkeyed_sha256().build_in(&Default::default()).0;
    let recorder = Recorder::builder().sink(sink.clone()).policy(policy).build();
    let subscriber = tracing_subscriber::registry()
        .with(fmt::layer().with_writer(move || written.clone()))
        .with(recorder.layer())
        .with(Heard(heard.clone()).with_filter(others()));
    assert!(tracing::subscriber::set_global_default(subscriber).is_ok());

    for _ in 0..3 {
        info_span!("chat", gen_ai.operation.name = "chat", value = ?Asking).in_scope(|| info!("canary"));
        info_span!("chat", gen_ai.operation.name = "chat", value = ?Saying).in_scope(|| info!("canary"));
        info_span!("plain", value = ?Asking).in_scope(|| info!("first"));
        info_span!("plain", value = ?Saying).in_scope(|| {
            info!("second");
            info_span!("chat", gen_ai.operation.name = "chat").in_scope(|| info!("canary"));
        });
    }
    assert!(recorder.flush(Duration::from_secs(20)).complete);
    let calls = sink.calls();
    assert_eq!(calls.len(), 9);
    assert!(calls.iter().all(|call| call.opened.span.parent.is_none()), "no plain span is anybody's parent");
    let text = heard.text();
    let told = ["canary", "first", "second"].map(|word| text.matches(word).count());
    assert_eq!(told, [0, 3, 3], "{text}");
    assert_eq!(all.text().matches("canary").count(), 9);
    let counts = recorder.counts();
    assert_eq!((counts.started, counts.recorded), (9, 9));
}
