//! What a span's call site that is no GenAI one costs more because our layer is there, in instructions.
//!
//! One that nobody wants costs a look at what is known of it. One that another layer wants costs more, because
//! tracing-subscriber asks all filters of a registry anew for each span as soon as one of them does not want it.
//!
//! Counted by valgrind, of this binary in another process.

use std::sync::Arc;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Dispatch, Subscriber, debug_span, dispatcher, info_span};
use tracing_subscriber::filter::{FilterExt, LevelFilter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, fmt, registry};
use veilspan::layer::others;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

use crate::support::instructions;

pub const MODE: &str = "sites";

/// What else listens.
#[derive(Clone, Copy)]
enum Stack {
    /// Nothing; in our layer's place, one that is switched off.
    Alone,
    /// `fmt`, into nowhere.
    Fmt,
    /// tracing-opentelemetry, with our filter in front of it where our layer is there.
    OpenTelemetry,
    /// An `EnvFilter` over all, and `fmt`.
    EnvFilter,
}

const STACKS: [(&str, Stack, f64); 4] = [
    ("alone", Stack::Alone, 0.0),
    ("fmt", Stack::Fmt, 30.0),
    ("tracing-opentelemetry", Stack::OpenTelemetry, 30.0),
    ("EnvFilter and fmt", Stack::EnvFilter, 30.0),
];

/// Whose call site it is.
#[derive(Clone, Copy)]
enum Site {
    /// Nobody's: it is below the level of everyone else.
    Unwanted,
    /// Everyone else's.
    Wanted,
}

/// What everyone else wants.
const INFO: LevelFilter = LevelFilter::INFO;

const FEW: usize = 1_000;
const MANY: usize = 5_000;

/// Prints a row for each stack and kind of site.
pub fn compare() {
    eprintln!("# instructions a visit: with our layer, without it, and the difference");
    for (name, stack, target) in STACKS {
        row(&format!("call site nobody wants, {name}"), stack, Site::Unwanted, &format!("{target:.0}"));
    }
    for (name, stack, _) in STACKS.into_iter().filter(|(_, stack, _)| !matches!(stack, Stack::Alone)) {
        row(&format!("call site others want, {name}"), stack, Site::Wanted, "-");
    }
}

fn row(name: &str, stack: Stack, site: Site, target: &str) {
    let [with, without] = [true, false].map(|ours| {
        let arguments = [stack as usize, site as usize, usize::from(ours)].map(|number| number.to_string());
        instructions::each(MODE, &arguments, [FEW, MANY])
    });
    instructions::line(name, with, without, target);
}

/// The other process: `STACK SITE OURS VISITS`.
pub fn visit(arguments: &[String]) {
    let numbers: Vec<usize> = arguments.iter().filter_map(|number| number.parse().ok()).collect();
    let [stack, site, ours, visits] = numbers[..] else { panic!("STACK SITE OURS VISITS") };
    let (_, stack, _) = STACKS[stack];
    let sink = Arc::new(MemorySink::default());
    let recorder = (ours == 1).then(|| Recorder::builder().policy(Policy::from_env()).sink(sink).build());
    dispatcher::with_default(&listening(stack, recorder.as_ref()), || {
        for number in 0..visits {
            let _entered = match site == Site::Wanted as usize {
                true => info_span!("request", method = "GET", number).entered(),
                false => debug_span!("detail", method = "GET", number).entered(),
            };
        }
    });
}

fn quiet<S>() -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fmt::layer().with_writer(std::io::sink)
}

fn listening(stack: Stack, ours: Option<&Recorder>) -> Dispatch {
    match stack {
        Stack::Alone => match ours {
            Some(ours) => Dispatch::new(registry().with(ours.layer())),
            None => Dispatch::new(registry().with(quiet().with_filter(LevelFilter::OFF))),
        },
        Stack::Fmt => match ours {
            Some(ours) => Dispatch::new(registry().with(ours.layer()).with(quiet().with_filter(INFO))),
            None => Dispatch::new(registry().with(quiet().with_filter(INFO))),
        },
        Stack::OpenTelemetry => {
            let provider = SdkTracerProvider::builder().build();
            let tracer = provider.tracer("benchmark");
            match ours {
                Some(ours) => {
                    let theirs = tracing_opentelemetry::layer().with_tracer(tracer).with_filter(others().and(INFO));
                    Dispatch::new(registry().with(ours.layer()).with(theirs))
                }
                None => {
                    let theirs = tracing_opentelemetry::layer().with_tracer(tracer).with_filter(INFO);
                    Dispatch::new(registry().with(theirs))
                }
            }
        }
        Stack::EnvFilter => match ours {
            Some(ours) => Dispatch::new(registry().with(ours.layer()).with(EnvFilter::new("info")).with(quiet())),
            None => Dispatch::new(registry().with(EnvFilter::new("info")).with(quiet())),
        },
    }
}
