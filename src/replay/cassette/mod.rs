//! Recorded answers, given again: to model requests over the APIs that agents speak, and to tool calls in a library.
//!
//! A request is matched by the chain digest of all that it holds, the n-th equal request with the n-th recorded answer.
//! What was not recorded is not answered: the refusal names the nearest recording by its span, and the first message that
//! is not the recorded one by its pointer and both digests, never by what it says. Nothing is ever asked of a model, and
//! no tool is run that was not declared fit for it.
//!
//! Answers are served from content, so the recording has to hold it (level `full`, or `masked` where nothing was masked).

mod answer;
mod anthropic;
mod api;
mod chat;
mod missing;
mod responses;
mod tools;

pub use api::{Api, Served, Streamed};
pub use missing::{Missing, Nearest};
pub use tools::{Effect, Provenance, ToolAnswer, ToolRefused};

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use self::answer::Recorded;
use crate::event::{CallKind, Digest, Event, Given, Input, Kind, Request, Returned, Shown, SpanIds, Veiled, shape};
use crate::privacy::{Policy, c1};
use crate::replay::recording::Recording;

/// Recorded answers. `Debug` tells counts alone.
pub struct Cassette {
    entries: Vec<Entry>,
    by_chain: HashMap<Digest, Vec<usize>>,
    tools: tools::Tools,
    hashers: Vec<c1::Hasher>,
    /// How often each request was answered.
    given: Mutex<HashMap<Digest, usize>>,
    /// How many model requests of the recording have an answer without its content.
    pub without_content: u64,
}

/// One recorded model request.
struct Entry {
    span: SpanIds,
    /// The chain digests that a request equal to it may have.
    chains: Vec<Digest>,
    /// The chain before its first message and after each, unkeyed, where its content was kept.
    heads: Vec<Digest>,
    /// Whether its producer told of the tools that were offered.
    tells_tools: bool,
    answer: Recorded,
}

/// A request, as digests.
struct Asked {
    /// Its chain digests, by each way of hashing.
    chains: Vec<Digest>,
    /// The same of the request without its tools.
    without_tools: Vec<Digest>,
    heads: Vec<Digest>,
}

impl Cassette {
    /// The answers of a recording. The policy says which key its digests may have been made with.
    pub fn new(recording: &Recording, policy: &Policy) -> Self {
        let mut cassette = Self {
            entries: Vec::new(),
            by_chain: HashMap::new(),
            tools: tools::Tools::new(recording),
            hashers: hashers(recording, policy),
            given: Mutex::default(),
            without_content: 0,
        };
        let events = recording.events();
        let closed: HashMap<_, _> = events
            .iter()
            .filter(|event| event.key.kind == CallKind::Inference && matches!(event.kind, Kind::Closed(..)))
            .map(|event| ((&event.scope, event.key), event))
            .collect();
        for event in events {
            if let Kind::Opened(opened, Given::Request(input)) = &event.kind
                && let Some(end) = closed.get(&(&event.scope, event.key))
            {
                cassette.add(opened.span, input, end);
            }
        }
        cassette
    }

    fn add(&mut self, span: SpanIds, input: &Input, end: &Event<Veiled>) {
        let Kind::Closed(closed, Returned::Answer(output)) = &end.kind else { return };
        let Some(answer) = Recorded::read(closed, output) else {
            self.without_content += u64::from(!output.items.is_empty());
            return;
        };
        let heads = request_of(input).map(|request| c1::request(&c1::Hasher::sha256(), &request).heads);
        let heads = heads.unwrap_or_default();
        let mut chains: Vec<Digest> = input.chain.into_iter().chain(heads.last().copied()).collect();
        chains.dedup();
        let tells_tools = input.tools.is_some() || !input.tools_shown.is_nothing();
        let place = self.entries.len();
        for chain in &chains {
            self.by_chain.entry(*chain).or_default().push(place);
        }
        self.entries.push(Entry { span, chains, heads, tells_tools, answer });
    }

    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The next recorded answer to a request.
    fn find(&self, request: Request) -> Result<&Recorded, Missing> {
        let asked = self.asked(request);
        let of = |chains: &[Digest]| chains.iter().find_map(|chain| self.by_chain.get(chain));
        let places = of(&asked.chains).or_else(|| {
            let without = of(&asked.without_tools)?;
            without
                .iter()
                .all(|place| self.entries.get(*place).is_some_and(|entry| !entry.tells_tools))
                .then_some(without)
        });
        let Some(places) = places else { return Err(self.missing(&asked)) };
        let first = places.first().and_then(|place| self.entries.get(*place)).and_then(|entry| entry.chains.first());
        let Some(first) = first else { return Err(self.missing(&asked)) };
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let count = given.entry(*first).or_default();
        let place = places.get(*count).ok_or(Missing::Exhausted { recorded: places.len() })?;
        *count += 1;
        self.entries.get(*place).map(|entry| &entry.answer).ok_or(Missing::Exhausted { recorded: places.len() })
    }

    fn asked(&self, mut request: Request) -> Asked {
        let chains = |request: &Request| -> Vec<Vec<Digest>> {
            self.hashers.iter().map(|hasher| c1::request(hasher, request).heads).collect()
        };
        let last = |heads: &[Vec<Digest>]| heads.iter().filter_map(|heads| heads.last().copied()).collect();
        let all = chains(&request);
        request.tools.clear();
        let without = chains(&request);
        Asked { chains: last(&all), without_tools: last(&without), heads: all.into_iter().next().unwrap_or_default() }
    }

    /// The recorded request that shares the longest beginning with this one.
    fn missing(&self, asked: &Asked) -> Missing {
        let shared =
            |entry: &Entry| asked.heads.iter().zip(&entry.heads).take_while(|(one, other)| one == other).count();
        let nearest = self.entries.iter().map(|entry| (shared(entry), entry)).max_by_key(|(shared, _)| *shared);
        let nearest = nearest.map(|(shared, entry)| missing::Nearest {
            span: entry.span,
            // The first head stands for the instructions and the tools.
            messages: shared.saturating_sub(1),
            shares_setting: shared > 0,
            expected: entry.heads.get(shared).copied(),
            actual: asked.heads.get(shared).copied(),
        });
        Missing::NotRecorded(nearest)
    }
}

/// The ways in which digests of the recording may have been made.
fn hashers(recording: &Recording, policy: &Policy) -> Vec<c1::Hasher> {
    let mut tenants: Vec<_> = recording.events().iter().map(|event| event.scope.tenant.clone()).collect();
    tenants.sort_unstable();
    tenants.dedup();
    let keyed = policy
        .hasher()
        .into_iter()
        .flat_map(|hasher| tenants.iter().map(|tenant| hasher.for_tenant(tenant.as_deref())).collect::<Vec<_>>());
    std::iter::once(c1::Hasher::sha256()).chain(keyed).collect()
}

/// A recorded request as it was made, where all of it was kept.
fn request_of(input: &Input) -> Option<Request> {
    let json = |shown: &Shown| serde_json::from_str::<serde_json::Value>(shown.content()?).ok();
    let system = json(&input.system.shown);
    if system.is_none() && input.system.digest.is_some() {
        return None;
    }
    Some(Request {
        system: system.map(shape::genai::system).unwrap_or_default(),
        tools: json(&input.tools_shown).as_ref().map(shape::genai::tools).unwrap_or_default(),
        messages: shape::genai::messages(json(&input.shown)?),
    })
}

impl std::fmt::Debug for Cassette {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cassette").field("answers", &self.entries.len()).finish_non_exhaustive()
    }
}
