//! Reduction in a pipeline: reads what passes, and adds turns that nobody reported and summaries.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::config::InputLogConfig;
use super::input_log::{self, Emission, InputLog, Replayed, Told, detached};
use super::output::Output;
use super::resources::Resources;
use crate::event::{CallRecord, Source, SpanId, TraceId, Veiled};
use crate::export::SpoolError;
use crate::otlp::{Look, Request, added, decode, dialects};
use crate::reduce::{Counter, Effect, Limits, Pressure, Reducer, Rollout, RolloutKey, SynthSpan};

/// A reducer, and what it takes to send what it adds.
pub(super) struct Reduction {
    state: Mutex<State>,
    /// Something waits in the input log.
    due: Notify,
}

struct State {
    reducer: Reducer,
    resources: Resources,
    counts: Counts,
    log: Option<InputLog>,
    /// Spans that a life before this one has emitted: they follow again from what is done again.
    emitted: HashSet<(TraceId, SpanId)>,
}

/// What reduction has told, and what it holds now.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    /// Spans that were added.
    pub(super) added: u64,
    /// Spans that were added and refused for good by those who should take them.
    pub(super) refused: u64,
    pub(super) findings: u64,
    pub(super) counters: BTreeMap<Counter, u64>,
    pub(super) open_rollouts: u64,
    pub(super) bytes: u64,
    pub(super) log_bytes: u64,
    pub(super) log_failures: u64,
    /// Records of the log that a restart could not read.
    pub(super) log_damaged: u64,
}

/// A call of a request, and the resource it stands under.
type Call<'a> = (CallRecord<Veiled>, std::borrow::Cow<'a, [u8]>);

impl Reduction {
    pub(super) fn new(limits: Limits) -> Self {
        Self { state: Mutex::new(State::new(limits)), due: Notify::new() }
    }

    /// One with an input log. What is in there is done again first.
    pub(super) fn with_log(limits: Limits, config: &InputLogConfig, now: u64) -> Result<Self, SpoolError> {
        let mut state = State::new(limits);
        let mut effects = Vec::new();
        let Replayed { log, emitted, damaged } = input_log::replay(config, now, |told| match told {
            Told::Input { now, request, is_wanted } => state.again(now, request, is_wanted, &mut effects),
            Told::Tick(now) => {
                effects.extend(state.reducer.tick(now));
                Vec::new()
            }
            Told::Shutdown(now) => {
                effects.extend(state.reducer.shutdown(now));
                Vec::new()
            }
        })?;
        state.emitted = emitted;
        state.log = Some(log);
        state.counts.log_damaged = damaged;
        if damaged > 0 {
            tracing::warn!(target: "veilspan", damaged, "records of the input log could not be read");
        }
        state.log_effects(effects);
        Ok(Self { state: Mutex::new(state), due: Notify::new() })
    }

    /// Whether there is so little room that new requests should be refused with a retryable answer.
    pub(super) fn must_refuse(&self) -> bool {
        let state = self.lock();
        state.reducer.pressure() == Pressure::Refuse || state.log.as_ref().is_some_and(InputLog::is_full)
    }

    /// Takes in what a request tells, and sends what follows from it.
    ///
    /// # Errors
    ///
    /// It could not be written into the input log, and was not taken in.
    pub(super) fn absorb(&self, request: &Request, now: u64, output: &Output) -> io::Result<()> {
        let calls = calls(request, &|_| true);
        if calls.is_empty() {
            return Ok(());
        }
        let mut state = self.lock();
        if let Some(log) = &mut state.log {
            log.input(now, request.bytes(), rollouts(&calls))?;
        }
        let effects = state.take(calls, now);
        self.carry_out(state, effects, output);
        Ok(())
    }

    /// Does what is due.
    pub(super) fn tick(&self, now: u64, output: &Output) {
        let mut state = self.lock();
        let effects = state.reducer.tick(now);
        if effects.iter().any(|effect| !matches!(effect, Effect::WakeAt(_)))
            && let Some(log) = &mut state.log
        {
            log.time(now, false);
        }
        self.carry_out(state, effects, output);
    }

    /// Lets go of what the input log need not keep.
    pub(super) fn tend(&self, now: u64) {
        let state = &mut *self.lock();
        if let Some(log) = &mut state.log {
            log.tend(now, &state.reducer);
            // What could not be written before may leave now.
            self.due.notify_one();
        }
    }

    /// Closes what waits for late data alone, and tells how many rollouts stay open.
    pub(super) fn shutdown(&self, now: u64, output: &Output) -> usize {
        let mut state = self.lock();
        let effects = state.reducer.shutdown(now);
        if let Some(log) = &mut state.log {
            log.time(now, true);
        }
        let open = state.reducer.open().count();
        self.carry_out(state, effects, output);
        open
    }

    /// What was reduced so far.
    pub(super) fn rollouts(&self) -> Vec<Rollout> {
        self.lock().reducer.rollouts()
    }

    /// What it has told so far.
    pub(super) fn counts(&self) -> Counts {
        let state = self.lock();
        let log = state.log.as_ref();
        Counts {
            open_rollouts: state.reducer.open().count() as u64,
            bytes: state.reducer.bytes() as u64,
            log_bytes: log.map_or(0, InputLog::bytes),
            log_failures: log.map_or(0, InputLog::failures),
            ..state.counts.clone()
        }
    }

    /// What the input log has to send, oldest first; nothing without one.
    pub(super) fn emissions(&self, most: usize) -> Vec<Emission> {
        self.lock().log.as_ref().map(|log| log.due(most)).unwrap_or_default()
    }

    /// These were answered; `refused` for good.
    pub(super) fn settle(&self, emissions: &[Emission], is_refused: bool) {
        let mut state = self.lock();
        if is_refused {
            state.counts.refused += emissions.len() as u64;
        }
        if let Some(log) = &mut state.log {
            log.settle(emissions);
        }
    }

    /// Ends when something may wait in the input log.
    pub(super) async fn due(&self) {
        self.due.notified().await;
    }

    fn carry_out(&self, mut state: MutexGuard<'_, State>, effects: Vec<Effect>, output: &Output) {
        if state.log.is_some() {
            state.log_effects(effects);
            drop(state);
            self.due.notify_one();
        } else {
            state.send_effects(effects, output);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(limits: Limits) -> Self {
        Self {
            reducer: Reducer::new(limits),
            resources: Resources::default(),
            counts: Counts::default(),
            log: None,
            emitted: HashSet::new(),
        }
    }

    fn take(&mut self, calls: Vec<Call<'_>>, now: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (call, resource) in calls {
            self.resources.remember((call.scope.tenant.clone(), call.scope.rollout.clone()), &resource);
            for event in call.into_events(Source::Otlp) {
                effects.extend(self.reducer.on(event, now));
            }
        }
        effects
    }

    /// Takes in a request that was taken in before, as far as its rollouts are wanted; answers with these.
    fn again(
        &mut self,
        now: u64,
        request: Bytes,
        is_wanted: &dyn Fn(&RolloutKey) -> bool,
        effects: &mut Vec<Effect>,
    ) -> Vec<RolloutKey> {
        let Ok(request) = Request::parse(request, Look::Outside) else { return Vec::new() };
        let calls = calls(&request, is_wanted);
        let rollouts = rollouts(&calls);
        effects.extend(self.take(calls, now));
        rollouts
    }

    fn send_effects(&mut self, effects: Vec<Effect>, output: &Output) {
        for effect in effects {
            if let Some(span) = self.told(effect) {
                output.add(&self.field(&span));
            }
        }
    }

    /// Writes what is to leave. What cannot be written now is written with what comes next, and leaves then.
    fn log_effects(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let Some(span) = self.told(effect) else { continue };
            if self.emitted.contains(&(span.trace, span.span)) {
                continue;
            }
            let field = self.field(&span);
            if let Some(log) = &mut self.log {
                log.emit(span.trace, span.span, field);
            }
        }
        if let Some(log) = &mut self.log {
            // Counted there.
            let _ = log.commit();
        }
    }

    /// Counts an effect; the span, where it is one.
    fn told(&mut self, effect: Effect) -> Option<Box<SynthSpan>> {
        match effect {
            Effect::AddSpan(span) => {
                self.counts.added += 1;
                return Some(span);
            }
            Effect::Finding(finding) => {
                let kind = finding.finding.kind.as_str();
                tracing::debug!(target: "veilspan", kind, rollout = %finding.rollout, "finding");
                self.counts.findings += 1;
            }
            Effect::Count(counter, count) => *self.counts.counters.entry(counter).or_default() += count,
            // The stage's clock ticks by itself.
            _ => {}
        }
        None
    }

    fn field(&self, span: &SynthSpan) -> Vec<u8> {
        added::resource_spans(&self.resources.of(span), &as_added(span))
    }
}

/// The calls of a request whose rollouts are wanted. What is no call of ours passes without being reduced.
fn calls<'a>(request: &'a Request, is_wanted: &dyn Fn(&RolloutKey) -> bool) -> Vec<Call<'a>> {
    let mut calls = Vec::new();
    for resource_spans in request.resources() {
        let resource = resource_spans.resource();
        let producer = decode::producer(&resource);
        for span in resource_spans.scopes().flat_map(|scope| scope.spans()) {
            let Ok(view) = span.view() else { continue };
            let Ok(call) = dialects::call(&view, producer) else { continue };
            if is_wanted(&RolloutKey::of(&call.scope)) {
                calls.push((call, resource.clone()));
            }
        }
    }
    calls
}

/// Their rollouts, each once.
fn rollouts(calls: &[Call<'_>]) -> Vec<RolloutKey> {
    let mut keys: Vec<_> = calls.iter().map(|(call, _)| RolloutKey::of(&call.scope)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.iter().map(detached).collect()
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
