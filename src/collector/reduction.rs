//! Reduction in a pipeline: reads what passes, and adds turns that nobody reported and summaries.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use bytestring::ByteString;

use super::output::Output;
use crate::event::Source;
use crate::otlp::{Request, ResourceSpans, added, decode, dialects};
use crate::reduce::{Counter, Effect, Limits, Pressure, Reducer, Rollout, SynthSpan};
use crate::semconv;

/// The rollouts whose resource is kept, in each of two generations.
const ROLLOUTS: usize = 16_384;
/// The resources that are kept once each.
const RESOURCES: usize = 1024;

/// A reducer, and what it takes to send what it adds.
pub(super) struct Reduction {
    state: Mutex<State>,
}

struct State {
    reducer: Reducer,
    resources: Resources,
    counts: Counts,
}

/// What reduction has told, and what it holds now.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    /// Spans that were added.
    pub(super) added: u64,
    pub(super) findings: u64,
    pub(super) counters: BTreeMap<Counter, u64>,
    pub(super) open_rollouts: u64,
    pub(super) bytes: u64,
}

impl Reduction {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            state: Mutex::new(State {
                reducer: Reducer::new(limits),
                resources: Resources::default(),
                counts: Counts::default(),
            }),
        }
    }

    /// Whether memory is so short that new requests should be refused with a retryable answer.
    pub(super) fn must_refuse(&self) -> bool {
        self.lock().reducer.pressure() == Pressure::Refuse
    }

    /// Takes in what a request tells, and sends what follows from it.
    pub(super) fn absorb(&self, request: &Request, now: u64, output: &Output) {
        let mut state = self.lock();
        let mut effects = Vec::new();
        for resource_spans in request.resources() {
            state.absorb(resource_spans, now, &mut effects);
        }
        state.carry_out(effects, output);
    }

    /// Does what is due.
    pub(super) fn tick(&self, now: u64, output: &Output) {
        let mut state = self.lock();
        let effects = state.reducer.tick(now);
        state.carry_out(effects, output);
    }

    /// Closes what waits for late data alone, and tells how many rollouts stay open.
    pub(super) fn shutdown(&self, now: u64, output: &Output) -> usize {
        let mut state = self.lock();
        let effects = state.reducer.shutdown(now);
        state.carry_out(effects, output);
        state.reducer.open().count()
    }

    /// What was reduced so far.
    pub(super) fn rollouts(&self) -> Vec<Rollout> {
        self.lock().reducer.rollouts()
    }

    /// What it has told so far.
    pub(super) fn counts(&self) -> Counts {
        let state = self.lock();
        let open_rollouts = state.reducer.open().count() as u64;
        Counts { open_rollouts, bytes: state.reducer.bytes() as u64, ..state.counts.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn absorb(&mut self, resource_spans: ResourceSpans<'_>, now: u64, effects: &mut Vec<Effect>) {
        let resource = resource_spans.resource();
        let producer = decode::producer(&resource);
        for span in resource_spans.scopes().flat_map(|scope| scope.spans()) {
            let Ok(view) = span.view() else { continue };
            // What is no call of ours passes without being reduced.
            let Ok(call) = dialects::call(&view, producer) else { continue };
            self.resources.remember((call.scope.tenant.clone(), call.scope.rollout.clone()), &resource);
            for event in call.into_events(Source::Otlp) {
                effects.extend(self.reducer.on(event, now));
            }
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>, output: &Output) {
        for effect in effects {
            match effect {
                Effect::AddSpan(span) => {
                    let resource = self.resources.of(&span);
                    output.add(&added::resource_spans(&resource, &as_added(&span)));
                    self.counts.added += 1;
                }
                Effect::Finding(finding) => {
                    let kind = finding.finding.kind.as_str();
                    tracing::debug!(target: "veilspan", kind, rollout = %finding.rollout, "finding");
                    self.counts.findings += 1;
                }
                Effect::Count(counter, count) => {
                    *self.counts.counters.entry(counter).or_default() += count;
                }
                // The stage's clock ticks by itself.
                _ => {}
            }
        }
    }
}

fn as_added(span: &SynthSpan) -> added::AddedSpan<'_> {
    added::AddedSpan {
        trace: span.trace,
        span: span.span,
        parent: span.parent,
        name: &span.name,
        start_unix_nano: span.start_unix_nano,
        end_unix_nano: span.end_unix_nano,
        attrs: &span.attrs,
        links: &span.links,
        dropped_links: span.dropped_links,
        is_error: span.is_error,
    }
}

type RolloutId = (Option<ByteString>, ByteString);

/// Under which resource a rollout was first seen: what the stage adds to it belongs to the same service.
#[derive(Default)]
struct Resources {
    young: HashMap<RolloutId, Bytes>,
    old: HashMap<RolloutId, Bytes>,
    known: HashSet<Bytes>,
}

impl Resources {
    fn remember(&mut self, (tenant, rollout): RolloutId, resource: &[u8]) {
        if self.young.contains_key(&(tenant.clone(), rollout.clone())) {
            return;
        }
        // Slices of a request would keep the whole of it in memory.
        let detached = |text: &ByteString| ByteString::from(&**text);
        let key = (tenant.as_ref().map(detached), detached(&rollout));
        if self.young.len() >= ROLLOUTS {
            self.old = std::mem::take(&mut self.young);
        }
        let resource = self.old.remove(&key).unwrap_or_else(|| self.interned(resource));
        self.young.insert(key, resource);
    }

    fn of(&self, span: &SynthSpan) -> Bytes {
        let tenant = span.attrs.get(semconv::TENANT_ID);
        let Some(rollout) = span.attrs.get(semconv::ROLLOUT_ID) else { return Bytes::new() };
        let key = (tenant, rollout);
        self.young.get(&key).or_else(|| self.old.get(&key)).cloned().unwrap_or_default()
    }

    fn interned(&mut self, resource: &[u8]) -> Bytes {
        if let Some(known) = self.known.get(resource) {
            return known.clone();
        }
        if self.known.len() >= RESOURCES {
            self.known.clear();
        }
        let resource = Bytes::copy_from_slice(resource);
        self.known.insert(resource.clone());
        resource
    }
}
