//! What has left, as a reader of the spans sees it.

use std::error::Error;
use std::fmt::Write;

use veilspan::collector::Capture;
use veilspan::event::{Source, SpanId};
use veilspan::otlp::{Look, Request, decode};
use veilspan::reduce::{Facts, tree};
use veilspan::semconv;

/// The runs that the spans tell of.
pub(crate) fn runs(captured: &Capture) -> Result<String, Box<dyn Error>> {
    let mut facts = Facts::default();
    for request in captured.requests() {
        let request = Request::parse(request, Look::Outside)?;
        for resource in request.resources() {
            let producer = decode::producer(&resource.resource());
            for span in resource.scopes().flat_map(|scope| scope.spans()) {
                // The rollout's summary is no call: what it says is what is printed below.
                let Ok(call) = decode::call(&span.view()?, producer) else { continue };
                call.into_events(Source::Otlp).for_each(|event| {
                    facts.absorb(&event);
                });
            }
        }
    }
    Ok(facts.derive().iter().map(tree).collect())
}

/// The calls that are attempts of something.
pub(crate) fn attempts(captured: &Capture) -> Result<String, Box<dyn Error>> {
    let mut told = Vec::new();
    for request in captured.requests() {
        let request = Request::parse(request, Look::Outside)?;
        for span in request.resources().flat_map(|resource| resource.scopes()).flat_map(|scope| scope.spans()) {
            let Ok(call) = decode::call(&span.view()?, None) else { continue };
            let Some(number) = call.opened.attrs.get(semconv::ATTEMPT) else { continue };
            let outcome = call.closed.outcome.map_or("open", |outcome| outcome.as_str());
            let kind = call.closed.attrs.text(semconv::ERROR_KIND).unwrap_or("-");
            let chunks = call.closed.attrs.get(semconv::OUTPUT_CHUNKS).unwrap_or(0);
            told.push((number, format!("attempt {number}: {outcome} {kind}, {chunks} chunks\n")));
        }
    }
    told.sort();
    Ok(told.into_iter().map(|(_, line)| line).collect())
}

/// The spans as the traces that they make, whoever made them.
pub(crate) fn traces(captured: &Capture) -> Result<String, Box<dyn Error>> {
    let mut spans = Vec::new();
    for request in captured.requests() {
        let request = Request::parse(request, Look::Outside)?;
        for span in request.resources().flat_map(|resource| resource.scopes()).flat_map(|scope| scope.spans()) {
            let view = span.view()?;
            spans.push(Seen {
                id: view.span_id(),
                parent: view.parent_span_id(),
                start: view.start_time_unix_nano(),
                name: view.name().to_owned(),
            });
        }
    }
    spans.sort_by_key(|span| span.start);
    let mut told = String::new();
    let has_no_parent_here = |span: &&Seen| span.parent.is_none() || !spans.iter().any(|other| other.id == span.parent);
    for root in spans.iter().filter(has_no_parent_here) {
        tell(&spans, root, 0, &mut told)?;
    }
    Ok(told)
}

struct Seen {
    id: Option<SpanId>,
    parent: Option<SpanId>,
    start: u64,
    name: String,
}

fn tell(spans: &[Seen], span: &Seen, depth: usize, told: &mut String) -> std::fmt::Result {
    writeln!(told, "{:1$}{2}", "", depth * 2, span.name)?;
    spans.iter().filter(|other| other.parent == span.id).try_for_each(|inner| tell(spans, inner, depth + 1, told))
}
