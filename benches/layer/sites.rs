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
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Registry, fmt, registry};
use veilspan::layer::others;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

use crate::support::instructions;

pub const MODE: &str = "sites";

/// What else listens.
#[derive(Clone, Copy)]
enum Stack {
    /// Nothing; without our layer, one that is switched off.
    Alone,
    /// `fmt`, into nowhere.
    Fmt,
    /// tracing-opentelemetry, with our filter in front of it where our layer is there.
    OpenTelemetry,
    /// An `EnvFilter` over all, and `fmt`; our layer after them.
    EnvFilter,
    /// The same, and our layer before them: where `fmt` has no filter of its own, it is asked about each visit then.
    EnvFilterLast,
}

const STACKS: [(&str, Stack, Option<u32>); 5] = [
    ("alone", Stack::Alone, Some(0)),
    ("fmt", Stack::Fmt, Some(30)),
    ("tracing-opentelemetry", Stack::OpenTelemetry, Some(30)),
    ("EnvFilter and fmt", Stack::EnvFilter, Some(30)),
    ("EnvFilter and fmt after the layer", Stack::EnvFilterLast, None),
];

/// Whose call site it is.
#[derive(Clone, Copy)]
enum Site {
    /// Nobody's: it is below the level of everyone else.
    Unwanted,
    /// Everyone else's.
    Wanted,
}

/// What stands in the place of our layer.
#[derive(Clone, Copy)]
enum Listener {
    Ours,
    /// A layer that does nothing, behind a filter that knows for each call site that it is not wanted: what any layer with a
    /// filter of its own costs at the least that does not know its call sites' levels beforehand.
    Empty,
    None,
}

struct Empty;

impl<S: Subscriber> Layer<S> for Empty {}

/// What everyone else wants.
const INFO: LevelFilter = LevelFilter::INFO;

const FEW: usize = 1_000;
const MANY: usize = 5_000;

/// Prints a row for each stack and kind of site.
pub fn compare() {
    eprintln!("# instructions a visit: with a layer, without it, and the difference");
    for (name, stack, target) in STACKS {
        let target = target.map_or_else(|| "-".to_owned(), |target| target.to_string());
        row(&format!("call site nobody wants, {name}"), stack, Site::Unwanted, &target);
    }
    for (name, stack, _) in STACKS.into_iter().filter(|(_, stack, _)| !matches!(stack, Stack::Alone)) {
        row(&format!("call site others want, {name}"), stack, Site::Wanted, "-");
    }
}

fn row(name: &str, stack: Stack, site: Site, target: &str) {
    let [ours, empty, none] = [Listener::Ours, Listener::Empty, Listener::None].map(|listener| {
        let arguments = [stack as usize, site as usize, listener as usize].map(|number| number.to_string());
        instructions::each(MODE, &arguments, [FEW, MANY])
    });
    instructions::line(name, ours, none, target);
    instructions::line(&format!("{name}: a layer that wants nothing"), empty, none, "-");
}

/// The other process: `STACK SITE LISTENER VISITS`.
pub fn visit(arguments: &[String]) {
    let numbers: Vec<usize> = arguments.iter().filter_map(|number| number.parse().ok()).collect();
    let [stack, site, listener, visits] = numbers[..] else { panic!("STACK SITE LISTENER VISITS") };
    let (_, stack, _) = STACKS[stack];
    dispatcher::with_default(&listening(stack, listener), || {
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

fn listening(stack: Stack, listener: usize) -> Dispatch {
    let recorder = || {
        let sink = Arc::new(MemorySink::default());
        Recorder::builder().policy(Policy::from_env()).sink(sink).build()
    };
    let empty = filter_fn(|_| false);
    let is_ours = listener == Listener::Ours as usize;
    if let (Stack::EnvFilter, true) = (stack, listener != Listener::None as usize) {
        let others = registry().with(EnvFilter::new("info")).with(quiet());
        return match is_ours {
            true => Dispatch::new(others.with(recorder().layer())),
            false => Dispatch::new(others.with(Empty.with_filter(empty))),
        };
    }
    if is_ours {
        return beside(stack, recorder().layer());
    }
    if listener == Listener::Empty as usize {
        return beside(stack, Empty.with_filter(empty));
    }
    match stack {
        Stack::Alone => Dispatch::new(registry().with(quiet().with_filter(LevelFilter::OFF))),
        Stack::Fmt => Dispatch::new(registry().with(quiet().with_filter(INFO))),
        Stack::OpenTelemetry => Dispatch::new(registry().with(open_telemetry().with_filter(INFO))),
        Stack::EnvFilter | Stack::EnvFilterLast => Dispatch::new(registry().with(EnvFilter::new("info")).with(quiet())),
    }
}

/// A layer with a filter of its own, and after it what else listens.
fn beside(stack: Stack, layer: impl Layer<Registry> + Send + Sync) -> Dispatch {
    let registry = registry().with(layer);
    match stack {
        Stack::Alone => Dispatch::new(registry),
        Stack::Fmt => Dispatch::new(registry.with(quiet().with_filter(INFO))),
        Stack::OpenTelemetry => Dispatch::new(registry.with(open_telemetry().with_filter(others().and(INFO)))),
        Stack::EnvFilter | Stack::EnvFilterLast => Dispatch::new(registry.with(EnvFilter::new("info")).with(quiet())),
    }
}

fn open_telemetry<S>() -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup> + Send + Sync,
{
    tracing_opentelemetry::layer().with_tracer(SdkTracerProvider::builder().build().tracer("benchmark"))
}
