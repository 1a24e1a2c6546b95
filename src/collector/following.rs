//! What follows from what passes a pipeline: turns that nobody reported, summaries, drift, findings.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::config::InputLogConfig;
use super::input_log::{self, Emission, Input, InputLog, Replayed};
use super::output::{Findings, Output};
use super::resources::Resources;
use crate::event::{CallRecord, SpanId, TraceId, Veiled};
use crate::export::SpoolError;
use crate::otlp::{Known, Look, Request, added, decode, dialects};
use crate::processor::follow::{FindingCounts, Follow, ReductionCounts, Told};
use crate::reduce::{Pressure, Reducer, Rollout, RolloutKey, SynthEvent, SynthSpan};
use crate::replay::ComparisonCounts;
use crate::semconv;

/// What follows, and what it takes to send what is added.
pub(super) struct Following {
    state: Mutex<State>,
    findings: Findings,
    /// Something waits in the input log.
    due: Notify,
    has_log: bool,
}

struct State {
    follow: Follow,
    resources: Resources,
    refused: u64,
    log: Option<InputLog>,
    log_damaged: u64,
    /// Spans that a life before this one has emitted: they follow again from what is done again.
    emitted: HashSet<(TraceId, SpanId)>,
    told_before: u64,
}

/// What has been told, and what is held now.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) reduction: ReductionCounts,
    pub(super) findings: FindingCounts,
    /// Nothing where no runs are compared.
    pub(super) compared: Option<ComparisonCounts>,
    /// Spans that were added and refused for good by those who should take them.
    pub(super) refused: u64,
    pub(super) open_rollouts: u64,
    pub(super) bytes: u64,
    pub(super) log_bytes: u64,
    pub(super) log_failures: u64,
    /// Records of the log that a restart could not read.
    pub(super) log_damaged: u64,
    /// Spans that were not told because a life before this one had decided to send them.
    pub(super) told_before: u64,
}

/// A call of a request, and the resource it stands under.
type Call<'a> = (CallRecord<Veiled>, Cow<'a, [u8]>);

/// As many calls are read before they are taken in together: their records stay in the nearest caches, and whoever waits
/// for the lock does so seldom.
const TOGETHER: usize = 32;

impl Following {
    /// What `follow` tells, findings as log records too.
    pub(super) fn new(follow: Follow, findings: Findings) -> Self {
        Self { state: Mutex::new(State::new(follow)), findings, due: Notify::new(), has_log: false }
    }

    /// One with an input log. What is in there is done again first. Its findings were told before as log records: these are
    /// not written there, so that none comes twice.
    pub(super) fn with_log(
        follow: Follow,
        findings: Findings,
        config: &InputLogConfig,
        now: u64,
    ) -> Result<Self, SpoolError> {
        let mut state = State::new(follow);
        let mut told = Vec::new();
        let Replayed { log, emitted, damaged } = input_log::replay(config, now, |input| match input {
            Input::Request { now, request, is_wanted } => state.again(now, request, is_wanted, &mut told),
            Input::Tick(now) => {
                told.extend(state.follow.tick(now).0);
                Vec::new()
            }
            Input::Shutdown(now) => {
                told.extend(state.follow.shutdown(now));
                Vec::new()
            }
            Input::GoesOn(rollout, goes_on) => {
                state.follow.recall(rollout, goes_on);
                Vec::new()
            }
        })?;
        state.emitted = emitted;
        state.log = Some(log);
        state.log_damaged = damaged;
        if damaged > 0 {
            tracing::warn!(target: "veilspan", damaged, "records of the input log could not be read");
        }
        state.log_spans(&told);
        Ok(Self { state: Mutex::new(state), findings, due: Notify::new(), has_log: true })
    }

    /// Whether there is so little room that new requests should be refused with a retryable answer.
    pub(super) fn must_refuse(&self) -> bool {
        let state = self.lock();
        state.follow.reducer().pressure() == Pressure::Refuse || state.log.as_ref().is_some_and(InputLog::is_full)
    }

    /// Takes in what a request tells, and sends what follows from it.
    ///
    /// # Errors
    ///
    /// It could not be written into the input log, and was not taken in.
    pub(super) fn absorb(&self, request: &Request, now: u64, output: &Output) -> io::Result<()> {
        let mut calls = Vec::with_capacity(TOGETHER);
        each_call(request, |call| {
            calls.push(call);
            // The log has to know the rollouts of all before any is taken in.
            if calls.len() == TOGETHER && !self.has_log {
                let mut state = self.lock();
                let told = state.take(calls.drain(..), now);
                self.carry_out(state, &told, now, output);
            }
        });
        if calls.is_empty() {
            return Ok(());
        }
        let mut state = self.lock();
        if let Some(log) = &mut state.log {
            log.input(now, request.bytes(), rollouts(&calls))?;
        }
        let told = state.take(calls, now);
        self.carry_out(state, &told, now, output);
        Ok(())
    }

    /// Does what is due.
    pub(super) fn tick(&self, now: u64, output: &Output) {
        let mut state = self.lock();
        let (told, was_due) = state.follow.tick(now);
        if was_due && let Some(log) = &mut state.log {
            log.time(now, false);
        }
        self.carry_out(state, &told, now, output);
    }

    /// Lets go of what the input log need not keep.
    pub(super) fn tend(&self, now: u64) {
        let state = &mut *self.lock();
        if let Some(log) = &mut state.log {
            log.tend(now, state.follow.reducer());
            // What could not be written before may leave now.
            self.due.notify_one();
        }
    }

    /// Closes what waits for late data alone, and tells how many rollouts stay open.
    pub(super) fn shutdown(&self, now: u64, output: &Output) -> usize {
        let mut state = self.lock();
        let told = state.follow.shutdown(now);
        if let Some(log) = &mut state.log {
            log.time(now, true);
        }
        let open = state.follow.reducer().open().count();
        self.carry_out(state, &told, now, output);
        open
    }

    /// Looks at what reduction holds. Spans wait for that long.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Reducer) -> T) -> T {
        look(self.lock().follow.reducer())
    }

    /// What was reduced so far.
    pub(super) fn rollouts(&self) -> Vec<Rollout> {
        self.lock().follow.reducer().rollouts()
    }

    /// What it has told so far.
    pub(super) fn counts(&self) -> Counts {
        let state = self.lock();
        let log = state.log.as_ref();
        let reducer = state.follow.reducer();
        Counts {
            reduction: state.follow.counts().clone(),
            findings: state.follow.findings().clone(),
            compared: state.follow.compared(),
            refused: state.refused,
            open_rollouts: reducer.open().count() as u64,
            bytes: reducer.bytes() as u64,
            log_bytes: log.map_or(0, InputLog::bytes),
            log_failures: log.map_or(0, InputLog::failures),
            log_damaged: state.log_damaged,
            told_before: state.told_before,
        }
    }

    /// The log records of findings, on their way.
    pub(super) const fn findings(&self) -> &Findings {
        &self.findings
    }

    /// What the input log has to send, oldest first; nothing without one.
    pub(super) fn emissions(&self, most: usize) -> Vec<Emission> {
        self.lock().log.as_ref().map(|log| log.due(most)).unwrap_or_default()
    }

    /// These were answered; `refused` for good.
    pub(super) fn settle(&self, emissions: &[Emission], is_refused: bool) {
        let mut state = self.lock();
        if is_refused {
            state.refused += emissions.len() as u64;
        }
        if let Some(log) = &mut state.log {
            log.settle(emissions);
        }
    }

    /// Ends when something may wait in the input log.
    pub(super) async fn due(&self) {
        self.due.notified().await;
    }

    fn carry_out(&self, mut state: MutexGuard<'_, State>, told: &[Told], now: u64, output: &Output) {
        for finding in told.iter().filter_map(Told::finding) {
            self.findings.add(&state.resources.of(&finding.run), finding, now);
        }
        if state.log.is_some() {
            state.log_spans(told);
            drop(state);
            self.due.notify_one();
        } else {
            for span in told.iter().filter_map(Told::span) {
                output.add(&state.field(span));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(follow: Follow) -> Self {
        let (resources, emitted) = (Resources::default(), HashSet::new());
        Self { follow, resources, refused: 0, log: None, log_damaged: 0, emitted, told_before: 0 }
    }

    fn take<'a>(&mut self, calls: impl IntoIterator<Item = Call<'a>>, now: u64) -> Vec<Told> {
        let mut told = Vec::new();
        for (call, resource) in calls {
            self.resources.remember(&call.scope, &resource);
            told.extend(self.follow.take(call, now));
        }
        told
    }

    /// Takes in a request that was taken in before, as far as its rollouts are wanted; answers with these.
    fn again(
        &mut self,
        now: u64,
        request: Bytes,
        is_wanted: &dyn Fn(&RolloutKey) -> bool,
        told: &mut Vec<Told>,
    ) -> Vec<RolloutKey> {
        let Ok(request) = Request::parse(request, Look::Outside) else { return Vec::new() };
        let mut calls = Vec::new();
        each_call(&request, |call| {
            if is_wanted(&RolloutKey::of(&call.0.scope)) {
                calls.push(call);
            }
        });
        let rollouts = rollouts(&calls);
        told.extend(self.take(calls, now));
        rollouts
    }

    /// Writes what is to leave. What cannot be written now is written with what comes next, and leaves then.
    fn log_spans(&mut self, told: &[Told]) {
        for span in told.iter().filter_map(Told::span) {
            if self.emitted.contains(&(span.trace, span.span)) {
                self.told_before += 1;
                continue;
            }
            let field = self.field(span);
            if let Some(log) = &mut self.log {
                log.emit(span.trace, span.span, field);
            }
        }
        if let Some(log) = &mut self.log {
            // Counted there.
            let _ = log.commit();
        }
    }

    fn field(&self, span: &SynthSpan) -> Vec<u8> {
        let run = span
            .attrs
            .get(semconv::ROLLOUT_ID)
            .map(|rollout| RolloutKey { tenant: span.attrs.get(semconv::TENANT_ID), rollout });
        field(&run.map(|run| self.resources.of(&run)).unwrap_or_default(), span)
    }
}

/// The calls of a request. What is no call of ours passes without being reduced.
fn each_call<'a>(request: &'a Request, mut take: impl FnMut(Call<'a>)) {
    let mut known = Known::of_request();
    for resource_spans in request.resources() {
        let resource = resource_spans.resource();
        let producer = decode::producer(&resource);
        for span in resource_spans.scopes().flat_map(|scope| scope.spans()) {
            let Ok(view) = span.view() else { continue };
            if let Ok(call) = dialects::call_among(&view, producer, &mut known) {
                take((call, resource.clone()));
            }
        }
    }
}

/// Their rollouts, each once.
fn rollouts(calls: &[Call<'_>]) -> Vec<RolloutKey> {
    let mut keys: Vec<_> = calls.iter().map(|(call, _)| RolloutKey::of(&call.scope)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.iter().map(RolloutKey::detached).collect()
}

fn field(resource: &[u8], span: &SynthSpan) -> Vec<u8> {
    let events: Vec<_> = span.events.iter().map(event).collect();
    let span = added::AddedSpan {
        trace: span.trace,
        span: span.span,
        parent: span.parent,
        name: &span.name,
        start_unix_nano: span.start_unix_nano,
        end_unix_nano: span.end_unix_nano,
        attrs: &span.attrs,
        links: &span.links,
        dropped_links: span.dropped_links,
        events: &events,
        dropped_events: span.dropped_events,
        is_error: span.is_error,
    };
    added::resource_spans(resource, &span)
}

fn event(event: &SynthEvent) -> added::AddedEvent<'_> {
    added::AddedEvent { name: SynthEvent::NAME, at_unix_nano: event.at_unix_nano, attrs: &event.attrs }
}
