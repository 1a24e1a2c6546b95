//! A policy that is swapped while the plug-in is at work.

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::{SpanExporter, SpanProcessor};
use veilspan::Policy;
use veilspan::processor::{PolicyHandle, RedactingExporter, RedactingProcessor, ReducingProcessor};

use super::build::{Kept, now, span};

fn under(content: &str) -> Policy {
    Policy::builder().build_in(&[("VEILSPAN_CONTENT", content)].into_iter().collect()).0
}

/// Whether the words are in what was handed on since the last look, under which policy.
fn told(kept: &Kept) -> (bool, String) {
    let spans = kept.inside(|inside| std::mem::take(&mut inside.spans));
    let printed = format!("{spans:?}");
    let policy = printed.split("content=").nth(1).and_then(|rest| rest.split(';').next());
    (printed.contains("the words"), policy.unwrap_or_default().to_owned())
}

fn swapped(handle: &PolicyHandle, kept: &Kept, hand_over: impl Fn()) {
    for (content, leaves) in [("masked", true), ("digest", false), ("preview", true), ("none", false), ("masked", true)]
    {
        handle.set_policy(under(content));
        assert!(handle.policy().snapshot().starts_with(&format!("content={content};")));
        hand_over();
        let (has_words, policy) = told(kept);
        assert_eq!(has_words, leaves, "{content}");
        assert!(policy.is_empty() || policy == content, "{policy} under {content}");
    }
}

#[test]
fn what_is_handed_on_after_a_swap_leaves_under_the_new_policy() {
    let call = || {
        let said = KeyValue::new("gen_ai.tool.call.result", "the words");
        span([KeyValue::new("gen_ai.operation.name", "execute_tool"), said])
    };
    let kept = Kept::default();
    let exporter = RedactingExporter::new(kept.clone(), under("digest"));
    swapped(&exporter.policy_handle(), &kept, || now(exporter.export(vec![call()])).unwrap());
    let processor = RedactingProcessor::new(kept.clone(), under("digest"));
    swapped(&processor.policy_handle(), &kept, || processor.on_end(call()));
    let processor = ReducingProcessor::new(kept.clone(), under("digest"));
    swapped(&processor.policy_handle(), &kept, || processor.on_end(call()));
}
