//! The same events as spans: what reduces from events reduces from OTLP to the same bytes.
//!
//! A span tells of a call's beginning and of its end. Two ends of one call are two spans; a call that has only one of the
//! two, what is told of threads, and names that belong to the other half of a call have none: such events are not compared.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use veilspan::event::{Attrs, CallRecord, Event, Key, Kind, Outcome, ProducerId, Scope, Source, Veiled};
use veilspan::otlp::encode::{self, Encoder};
use veilspan::otlp::{Look, Request, assemble, decode};
use veilspan::reduce::Rollout;
use veilspan::semconv::{OPERATION_NAME, Phase};

use super::events::*;

type Call = (Option<ProducerId>, Scope, Key);

/// The records that tell the same; nothing where no records can.
fn records(events: &[Event<Veiled>]) -> Option<Vec<CallRecord<Veiled>>> {
    let mut calls: BTreeMap<Call, [Vec<&Event<Veiled>>; 3]> = BTreeMap::new();
    for event in events {
        let [opened, marked, closed] = calls.entry((event.at.producer, (*event.scope).clone(), event.key)).or_default();
        match event.kind {
            Kind::Opened(..) => opened.push(event),
            Kind::Marked(_) => marked.push(event),
            Kind::Closed(..) => closed.push(event),
            _ => return None,
        }
    }
    let mut records = Vec::new();
    for ((_, _, key), [opened, marked, closed]) in calls {
        let (first, last) = (opened.first()?, closed.first()?);
        if key.occurrence > 0 || marked.len() > CallRecord::<Veiled>::MAX_MARKS {
            return None;
        }
        for place in 0..opened.len().max(closed.len()) {
            let (open, close) = (opened.get(place).unwrap_or(first), closed.get(place).unwrap_or(last));
            let Kind::Opened(told, given) = open.kind.clone() else { unreachable!() };
            let mut record = CallRecord::open(open.scope.clone(), key, open.at, told, given);
            for event in marked.iter().filter(|_| place == 0) {
                let Kind::Marked(mark) = event.kind.clone() else { unreachable!() };
                record.mark(event.at, mark);
            }
            let Kind::Closed(told, returned) = close.kind.clone() else { unreachable!() };
            let is_of = |attrs: &Attrs, phase| attrs.iter().all(|(id, _)| id.name().phase == phase);
            if !told.links.is_empty()
                || !is_of(&told.attrs, Phase::Closed)
                || !is_of(&record.opened.attrs, Phase::Opened)
            {
                return None;
            }
            record.close(close.at, told, returned);
            records.push(record);
        }
    }
    Some(records)
}

/// Encodes and decodes: one request for each producer, as each is a resource of its own.
fn over_the_wire(records: &[CallRecord<Veiled>]) -> Vec<Event<Veiled>> {
    let encoder = Encoder::default();
    let mut events = Vec::new();
    for record in records {
        let mut field = Vec::new();
        encoder.span_field(record, &mut field);
        let resource = encode::resource([], record.opened_at.producer);
        let request = assemble::request(&resource, &encode::scope(), [Bytes::from(field)]);
        let request = Request::parse(request.into_bytes(), Look::Inside).unwrap();
        for resource in request.resources() {
            let producer = decode::producer(&resource.resource());
            for span in resource.scopes().flat_map(|scope| scope.spans()) {
                let call = decode::call(&span.view().unwrap(), producer).unwrap();
                events.extend(call.into_events(Source::Otlp));
            }
        }
    }
    events
}

fn states(events: &[Event<Veiled>]) -> Vec<String> {
    facts(events).derive().iter().map(Rollout::serialise).collect()
}

/// Compares the graphs, where spans can tell of the events. Whether they can.
pub fn is_the_same(events: &[Event<Veiled>]) -> bool {
    let mut events = events.to_vec();
    for event in &mut events {
        event.source = Source::Otlp;
        // What a span is of is said by its operation.
        if let Kind::Opened(opened, _) = &mut event.kind
            && opened.attrs.text(OPERATION_NAME).is_none()
        {
            opened.attrs.set(OPERATION_NAME, event.key.kind.default_operation().into());
        }
    }
    events.sort();
    events.dedup();
    let Some(records) = records(&events) else { return false };
    let told = over_the_wire(&records);
    assert_eq!(states(&events), states(&told));
    true
}

proptest! {
    #[test]
    fn any_calls_reduce_from_spans_as_from_events(calls in super::join::calls()) {
        prop_assert!(is_the_same(&all(&calls)));
    }
}

#[test]
fn two_ends_of_one_call_are_two_spans() {
    let cancelled = inference("r", 1).at(1, 5).outcome(Outcome::Cancelled);
    let completed = inference("r", 1).at(1, 6).outcome(Outcome::Completed);
    assert!(is_the_same(&all(&[cancelled, completed])));
}
