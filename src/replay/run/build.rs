//! From the graph to steps: what stands below what.
//!
//! A call stands below the call whose span is its parent, a tool that a code cell called below the cell, and the turn of
//! a sub-agent below the call that started it. Everything else stands below its turn. What is nowhere reached that way
//! (its starters form a ring, or it lies too deep) stands below its turn, and a turn at the top.

use std::collections::HashMap;
use std::sync::Arc;

use bytestring::ByteString;

use super::fields::Fields;
use super::hashing::Hashing;
use super::siblings::{Draft, fold, group};
use super::step::{Place, Siblings, Step};
use super::{Field, StepKind, Told};
use crate::event::{Arguments, At, CallKind, Key, MarkKind, Measure, Outcome, SpanId, TraceId};
use crate::reduce::{Call, CallMark, Inference, OtherCall, Rollout, Segment, Thread, ToolCall, Turn};
use crate::semconv::{
    AGENT_NAME, APPROVAL_DECISION, DECISION_CONFIDENCE, ERROR_KIND, FINISH_REASONS, INPUT_TOKENS, OPERATION_ID,
    OUTPUT_TOKENS, PROVIDER_NAME, REPLAY_INTENDED, REPLAY_PROVENANCE, REQUEST_MODEL, TOOL_NAME, USAGE_COST,
};

/// What lies deeper stands further up, so that no input makes anything recurse far.
const DEEPEST: usize = 32;
/// What `veilspan.replay.provenance` says of a step that a recording answered.
const RECORDED: &str = "recorded";

/// One turn, call or decision, and what it stands below.
struct Entry {
    draft: Option<Draft>,
    thread: ByteString,
    turn: ByteString,
    span: Option<(TraceId, SpanId)>,
    hashing: Arc<Hashing>,
    intended: Option<ByteString>,
    recorded: bool,
    parent: Option<usize>,
    /// The entry of its turn; nothing for a turn.
    of_turn: Option<usize>,
}

#[derive(Default)]
struct Builder {
    entries: Vec<Entry>,
    /// The calls that others may stand below, by their spans.
    by_span: HashMap<(TraceId, SpanId), usize>,
    by_key: HashMap<(ByteString, ByteString, Option<Key>), usize>,
    hashings: HashMap<Option<ByteString>, Arc<Hashing>>,
    /// Those of them that there are digests of.
    used: Vec<Arc<Hashing>>,
    tenant: Option<ByteString>,
    count: u64,
}

/// The steps of a rollout, how many there are, and what their digests were made with.
pub(super) fn steps(rollout: &Rollout) -> (Vec<Siblings>, u64, Vec<Arc<Hashing>>) {
    let mut builder = Builder { tenant: rollout.tenant.clone(), ..Builder::default() };
    let mut wanted = Vec::new();
    for (thread, turn) in rollout.turns() {
        builder.turn(thread, turn, &mut wanted);
    }
    builder.hang(wanted);
    let steps = builder.steps();
    (steps, builder.count, builder.used)
}

/// What an entry asks to stand below.
enum Below {
    Span(TraceId, SpanId),
    Node(ByteString, ByteString, Option<Key>),
}

impl Builder {
    fn turn(&mut self, thread: &Thread, turn: &Turn, wanted: &mut Vec<(usize, Below)>) {
        let call = turn.segments.iter().find_map(|segment| segment.call.as_ref());
        let mut fields = Fields::default();
        fields.label(Field::Agent, turn.agent.as_deref());
        fields.label(Field::Outcome, turn.outcome.map(Outcome::as_str));
        fields.put(Field::Duration, turn.duration_nanos().map(nanos));
        let time = |time_unix_nano| At { time_unix_nano, producer: None, seq: None };
        let told = call.and_then(|call| call.opened_at);
        let began = told.or(turn.started_unix_nano.map(time)).unwrap_or(time(0));
        let draft = draft(StepKind::Call(CallKind::Turn), began, turn.ended_at.filter(|_| !turn.end_inferred), fields);
        let place = (&thread.id, &turn.id);
        let entry = self.add(place, call, None, draft);
        self.by_key.insert((thread.id.clone(), turn.id.clone(), None), entry);
        if let Some(node) = &turn.spawned_by {
            wanted.push((entry, Below::Node(node.thread.clone(), node.turn.clone(), node.call)));
        }
        for segment in &turn.segments {
            if let Some(call) = &segment.call {
                self.decisions(place, call, entry, entry);
            }
            self.segment(thread, place, segment, entry, wanted);
        }
    }

    fn segment(
        &mut self,
        thread: &Thread,
        place: (&ByteString, &ByteString),
        segment: &Segment,
        turn: usize,
        wanted: &mut Vec<(usize, Below)>,
    ) {
        let chains = segment.inferences.iter().map(|one| one.input.chain);
        let mut calls: Vec<(&Call, Fields, Option<Key>)> = Vec::new();
        calls.extend(segment.inferences.iter().map(|one| (&one.call, inference(thread, one), None)));
        calls.extend(segment.tool_calls.iter().map(|one| (&one.call, tool(one), one.cell)));
        for cell in &segment.code_cells {
            let mut fields = Fields::default();
            fields.digest(Field::Given, cell.source.digest.as_ref());
            calls.push((&cell.call, fields, None));
        }
        for operation in &segment.terminal_operations {
            calls.push((&operation.call, texts(&operation.request, &operation.result), None));
        }
        for one in [&segment.compactions, &segment.approvals, &segment.others].into_iter().flatten() {
            calls.push((&one.call, other(one), None));
        }
        // The inferences come first, so the chains run beside them.
        let chains = chains.chain(std::iter::repeat(None));
        for ((call, mut fields, cell), chain) in calls.into_iter().zip(chains) {
            ending(call, &mut fields);
            let Some(began) = call.opened_at.or(call.closed_at) else { continue };
            let ended = call.closed_at.filter(|_| !call.end_inferred);
            let mut draft = draft(StepKind::Call(call.key.kind), began, ended, fields);
            draft.operation = call.attrs.get(OPERATION_ID);
            draft.has_failed = call.outcome.is_some_and(Outcome::is_error);
            draft.chain = chain;
            let entry = self.add(place, Some(call), Some(turn), draft);
            self.by_key.insert((place.0.clone(), place.1.clone(), Some(call.key)), entry);
            if let Some(span) = call.span
                && call.key.kind != CallKind::Inference
            {
                self.by_span.entry((span.trace, span.span)).or_insert(entry);
            }
            let parent = call.span.and_then(|span| Some(Below::Span(span.trace, span.parent?)));
            let cell = cell.map(|cell| Below::Node(place.0.clone(), place.1.clone(), Some(cell)));
            wanted.extend(cell.or(parent).map(|below| (entry, below)));
            self.decisions(place, call, turn, entry);
        }
    }

    /// What was decided inside a call.
    fn decisions(&mut self, place: (&ByteString, &ByteString), call: &Call, turn: usize, parent: usize) {
        for mark in call.marks.iter().filter(|mark| mark.kind == MarkKind::Decision) {
            let draft = draft(StepKind::Decision, mark.at, None, decision(mark));
            let entry = self.add(place, Some(call), Some(turn), draft);
            if let Some(entry) = self.entries.get_mut(entry) {
                entry.parent = Some(parent);
            }
        }
    }

    fn add(
        &mut self,
        (thread, turn): (&ByteString, &ByteString),
        call: Option<&Call>,
        of_turn: Option<usize>,
        mut draft: Draft,
    ) -> usize {
        let policy = call.and_then(|call| call.policy.clone());
        let tenant = &self.tenant;
        let hashing = self
            .hashings
            .entry(policy)
            .or_insert_with_key(|policy| Arc::new(Hashing::new(policy.as_deref(), tenant.as_ref())));
        let is_digest = |(_, told): &(Field, Told)| matches!(told, Told::Digest(_) | Told::Digests(_));
        if draft.fields.iter().any(is_digest) && !self.used.contains(hashing) {
            self.used.push(Arc::clone(hashing));
        }
        draft.entries.push(self.entries.len());
        self.entries.push(Entry {
            draft: Some(draft),
            thread: thread.clone(),
            turn: turn.clone(),
            span: call.and_then(|call| call.span).map(|ids| (ids.trace, ids.span)),
            hashing: Arc::clone(hashing),
            intended: call.and_then(|call| call.attrs.get(REPLAY_INTENDED)),
            recorded: call.is_some_and(|call| call.attrs.text(REPLAY_PROVENANCE) == Some(RECORDED)),
            parent: of_turn,
            of_turn,
        });
        self.entries.len() - 1
    }

    /// Hangs each entry below what it asks for, where that is there.
    fn hang(&mut self, wanted: Vec<(usize, Below)>) {
        for (entry, below) in wanted {
            let found = match below {
                Below::Span(trace, span) => self.by_span.get(&(trace, span)).filter(|one| self.same_turn(**one, entry)),
                Below::Node(thread, turn, call) => self.by_key.get(&(thread, turn, call)),
            };
            if let Some(found) = found.copied().filter(|found| *found != entry)
                && let Some(entry) = self.entries.get_mut(entry)
            {
                entry.parent = Some(found);
            }
        }
        for entry in 0..self.entries.len() {
            if !self.ends_at_the_top(entry)
                && let Some(entry) = self.entries.get_mut(entry)
            {
                entry.parent = entry.of_turn;
            }
        }
    }

    fn same_turn(&self, one: usize, other: usize) -> bool {
        let turn = |entry: usize| self.entries.get(entry).map(|entry| entry.of_turn);
        turn(one) == turn(other)
    }

    fn ends_at_the_top(&self, entry: usize) -> bool {
        let mut at = entry;
        for _ in 0..DEEPEST {
            match self.entries.get(at).and_then(|entry| entry.parent) {
                Some(parent) => at = parent,
                None => return true,
            }
        }
        false
    }

    fn steps(&mut self) -> Vec<Siblings> {
        let mut below: Vec<Vec<usize>> = self.entries.iter().map(|_| Vec::new()).collect();
        let mut top = Vec::new();
        for (number, entry) in self.entries.iter().enumerate() {
            match entry.parent.and_then(|parent| below.get_mut(parent)) {
                Some(list) => list.push(number),
                None => top.push(number),
            }
        }
        self.level(top, &mut below, 0)
    }

    fn level(&mut self, entries: Vec<usize>, below: &mut [Vec<usize>], depth: u32) -> Vec<Siblings> {
        let mut drafts: Vec<Draft> =
            entries.iter().filter_map(|entry| self.entries.get_mut(*entry)?.draft.take()).collect();
        drafts.sort_by_key(|draft| draft.began);
        let mut index = 0;
        let mut level = Vec::new();
        for siblings in group(fold(drafts)) {
            let steps = siblings.into_iter().filter_map(|draft| {
                let step = self.step(draft, index, below, depth);
                index += 1;
                step
            });
            level.push(Siblings::new(steps.collect()));
        }
        level
    }

    fn step(&mut self, draft: Draft, index: u64, below: &mut [Vec<usize>], depth: u32) -> Option<Step> {
        let number = self.count;
        self.count += 1;
        let mut inside = Vec::new();
        for entry in &draft.entries {
            inside.append(below.get_mut(*entry)?);
        }
        let below = self.level(inside, below, depth + 1);
        // Of several attempts the last one counts.
        let entry = self.entries.get(*draft.entries.last()?)?;
        let mut fields = draft.fields;
        fields.sort_by_key(|(field, _)| *field);
        fields.shrink_to_fit();
        let mut step = Step {
            kind: draft.kind,
            place: Place {
                thread: entry.thread.clone(),
                turn: entry.turn.clone(),
                span: entry.span,
                index,
                number,
                depth,
            },
            fields,
            chain: draft.chain,
            intended: entry.intended.clone(),
            recorded: entry.recorded,
            below,
            hashing: Arc::clone(&entry.hashing),
            ids: [0; 2],
        };
        step.identify();
        Some(step)
    }
}

fn draft(kind: StepKind, began: At, ended: Option<At>, fields: Fields) -> Draft {
    let fields = fields.finish();
    Draft { kind, began, ended, operation: None, has_failed: false, chain: None, fields, entries: Vec::new() }
}

fn nanos(nanos: u64) -> Told {
    Told::Int(i64::try_from(nanos).unwrap_or(i64::MAX))
}

/// What every call tells of its end.
fn ending(call: &Call, fields: &mut Fields) {
    fields.label(Field::Outcome, call.outcome.map(Outcome::as_str));
    fields.attr(Field::ErrorKind, &call.attrs, ERROR_KIND);
    fields.put(Field::Duration, call.duration_nanos().filter(|_| !call.end_inferred).map(nanos));
}

fn inference(thread: &Thread, inference: &Inference) -> Fields {
    let mut fields = Fields::default();
    let attrs = &inference.call.attrs;
    fields.attr(Field::Provider, attrs, PROVIDER_NAME);
    fields.attr(Field::Model, attrs, REQUEST_MODEL);
    fields.parameters(attrs);
    fields.digest(Field::System, inference.input.system.digest.as_ref());
    fields.digest(Field::Tools, inference.input.tools.as_ref());
    if !inference.output.items.is_empty() {
        let item = |number: u32| thread.items.get(number as usize).and_then(|item| item.item.digest.as_ref());
        fields.digests(Field::Output, inference.output.items.iter().map(item));
    }
    fields.attr(Field::FinishReasons, attrs, FINISH_REASONS);
    fields.put(Field::Retries, Some(Told::Int(0)));
    fields.attr(Field::InputTokens, attrs, INPUT_TOKENS);
    fields.attr(Field::OutputTokens, attrs, OUTPUT_TOKENS);
    fields.attr(Field::Cost, attrs, USAGE_COST);
    fields
}

fn tool(tool: &ToolCall) -> Fields {
    let mut fields = Fields::default();
    fields.attr(Field::Tool, &tool.call.attrs, TOOL_NAME);
    let Arguments { digest, .. } = &tool.arguments;
    fields.digest(Field::Arguments, digest.as_ref());
    fields.digest(Field::Result, tool.result.digest.as_ref());
    fields.put(Field::Retries, Some(Told::Int(0)));
    fields
}

fn other(other: &OtherCall) -> Fields {
    let mut fields = texts(&other.given, &other.returned);
    fields.attr(Field::Approval, &other.call.attrs, APPROVAL_DECISION);
    fields.attr(Field::Agent, &other.call.attrs, AGENT_NAME);
    fields.attr(Field::Model, &other.call.attrs, REQUEST_MODEL);
    fields.attr(Field::Tool, &other.call.attrs, TOOL_NAME);
    fields
}

fn texts(given: &[Measure], returned: &[Measure]) -> Fields {
    let mut fields = Fields::default();
    for (field, texts) in [(Field::Given, given), (Field::Returned, returned)] {
        if !texts.is_empty() {
            fields.digests(field, texts.iter().map(|text| text.digest.as_ref()));
        }
    }
    fields
}

/// A decision's content is its action, then what else could have been done.
fn decision(mark: &CallMark) -> Fields {
    let mut fields = Fields::default();
    if let Some((action, alternatives)) = mark.content.split_first() {
        fields.digest(Field::Action, action.digest.as_ref());
        if !alternatives.is_empty() {
            fields.digests(Field::Alternatives, alternatives.iter().map(|one| one.digest.as_ref()));
        }
    }
    fields.attr(Field::Confidence, &mark.attrs, DECISION_CONFIDENCE);
    fields
}
