//! Recorded answers, given again: to model requests over the APIs that agents speak, and to tool calls in a library.
//!
//! A request is matched by the chain digest of all that it holds, the n-th equal request with the n-th recorded answer.
//! An error that was recorded is an answer like any other. What was not recorded is not answered: the refusal names the nearest recording by its span, and the first message that
//! is not the recorded one by its pointer and both digests, never by what it says. Nothing is ever asked of a model, and
//! no tool is run that was not declared fit for it.
//!
//! Answers are served from content, so the recording has to hold it (level `full`, or `masked` where nothing was masked).

mod answer;
mod anthropic;
mod api;
mod chat;
mod gather;
mod missing;
mod reply;
mod responses;
mod tools;

pub use api::{Api, Served, Streamed};
pub use gather::{Gathered, Gathering};
pub use missing::{Missing, Nearest};
pub use tools::{Effect, Provenance, ToolAnswer, ToolRefused};

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use self::reply::Reply;
use crate::event::{CallKind, Digest, Event, Given, Input, Kind, Opened, Request, Shown, SpanIds, Veiled, shape};
use crate::privacy::{Policy, c1};
use crate::replay::recording::Recording;
use crate::replay::whole::Whole;

/// Recorded answers. `Debug` tells counts alone.
pub struct Cassette {
    entries: Vec<Entry>,
    by_chain: HashMap<Digest, Vec<usize>>,
    tools: tools::Tools,
    hashers: Vec<c1::Hasher>,
    /// How often each request was answered, by the place of the first that equals it.
    given: Mutex<HashMap<usize, usize>>,
    /// How many model requests of the recording have an answer without its content.
    pub without_content: u64,
}

/// One recorded model request.
struct Entry {
    span: SpanIds,
    /// The chain before its first message and after each, unkeyed, where its content was kept.
    heads: Vec<Digest>,
    /// Whether its producer told of the tools that were offered.
    tells_tools: bool,
    reply: Reply,
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
        let hashers = recording.hashers(Some(policy));
        let mut cassette = Self {
            entries: Vec::new(),
            by_chain: HashMap::new(),
            tools: tools::Tools::new(recording, &hashers, policy),
            hashers,
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
                cassette.add(opened, input, end, policy);
            }
        }
        cassette
    }

    fn add(&mut self, opened: &Opened<Veiled>, input: &Input, end: &Event<Veiled>, policy: &Policy) {
        let reply = Reply::read(end, &Whole::new(&self.hashers, opened.policy.as_ref(), Some(policy)));
        self.without_content += u64::from(matches!(reply, Reply::Lost));
        let heads = request_of(input).map(|request| c1::request(&c1::Hasher::sha256(), &request).heads);
        let heads = heads.unwrap_or_default();
        let mut chains: Vec<Digest> = input.chain.into_iter().chain(heads.last().copied()).collect();
        chains.dedup();
        let tells_tools = input.tools.is_some() || !input.tools_shown.is_nothing();
        let place = self.entries.len();
        for chain in &chains {
            self.by_chain.entry(*chain).or_default().push(place);
        }
        self.entries.push(Entry { span: opened.span, heads, tells_tools, reply });
    }

    /// How many answers there are, with all of their content.
    pub fn len(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.reply, Reply::Answer(_))).count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What came of the next recorded request that equals this one.
    fn find(&self, request: Request) -> Result<&Reply, Missing> {
        let asked = self.asked(request);
        let mut places = self.places(&asked.chains);
        if places.is_empty() {
            places = self.places(&asked.without_tools);
            places.retain(|place| self.entries.get(*place).is_some_and(|entry| !entry.tells_tools));
        }
        let Some(first) = places.first() else { return Err(self.missing(&asked)) };
        let exhausted = Missing::Exhausted { recorded: places.len() };
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let count = given.entry(*first).or_default();
        let place = places.get(*count).ok_or(exhausted)?;
        *count += 1;
        self.entries.get(*place).map(|entry| &entry.reply).ok_or(Missing::NotRecorded(None))
    }

    /// The recorded requests that have one of these chain digests, in order.
    fn places(&self, chains: &[Digest]) -> Vec<usize> {
        let mut places: Vec<usize> =
            chains.iter().filter_map(|chain| self.by_chain.get(chain)).flatten().copied().collect();
        places.sort_unstable();
        places.dedup();
        places
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
        let known = self.entries.iter().filter(|entry| !entry.heads.is_empty());
        // Of several that are as near the first is told.
        let nearest =
            known.map(|entry| (shared(entry), entry)).reduce(|best, one| if one.0 > best.0 { one } else { best });
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
