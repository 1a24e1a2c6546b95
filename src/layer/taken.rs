//! The layer's own filter.

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing_subscriber::layer::{Context, Filter};

use super::call_site::{self, Verdict};

/// Lets through the call sites that tell of a turn, an inference or a tool call, events that tell of errors, and nothing
/// else. Errors outside of a GenAI span find no call to tell of.
#[derive(Debug)]
pub struct Taken {
    pub(super) is_enabled: bool,
}

impl Taken {
    fn takes(&self, verdict: Verdict) -> bool {
        self.is_enabled && (verdict.is_gen_ai() || verdict.is_error())
    }
}

impl<S> Filter<S> for Taken {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.takes(call_site::of(metadata))
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.takes(call_site::register(metadata)) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // Which level a library gives its spans is not known before it makes them.
        (!self.is_enabled).then_some(LevelFilter::OFF)
    }
}
