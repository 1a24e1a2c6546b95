//! What is asked of call sites where a filtered layer is the only one of the whole process.

use tracing::span::{Attributes, Id};
use tracing::{Metadata, Subscriber, info_span, subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use veilspan_filtered::{Direct, KnowsItsSpans};

struct Wanted;

impl KnowsItsSpans for Wanted {
    fn forget(&mut self) {}
}

impl<S: Subscriber> Layer<S> for Wanted {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        assert_eq!(attributes.metadata().target(), "wanted");
    }
}

#[test]
fn a_span_that_nobody_wants_is_not_made() {
    let is_wanted = |metadata: &Metadata<'_>| metadata.target() == "wanted";
    let subscriber = tracing_subscriber::registry().with(Direct::new(Wanted, filter_fn(is_wanted)));
    assert!(subscriber::set_global_default(subscriber).is_ok());
    assert!(info_span!(target: "other", "other").is_disabled());
    assert!(!info_span!(target: "wanted", "ours").is_disabled());
}
