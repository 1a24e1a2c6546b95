//! Traces of a back end, by their ids: `jaeger+http://HOST:PORT/ID` and `tempo+https://HOST/PATH/ID`, several ids joined by
//! commas.
//!
//! A run may have several traces, each of whose turns is linked to the one before: what a span of the run is linked to is
//! read too. Each request has a deadline, and so have all of them. A span that comes twice counts once. Where a trace
//! cannot be had that is known to be a part of the run, the rest is read, and marked as incomplete.

use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use http::header::{ACCEPT, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Limited};
use tokio::time::Instant;

use super::access::Access;
use super::{Aside, answers};
use crate::cli::Failure;
use crate::collector::recordings::{calls, veiled};
use crate::environment::Environment;
use crate::event::{CallRecord, EdgeKind, Event, Source, SpanId, TraceId, Veiled};
use crate::otlp::PlainClient;
use crate::privacy::Policy;
use crate::processor::privacy::Privacy;
use crate::replay::{Gather, MAX_PAGES, Pages};

/// How long a connection, one answer, and all of them may take.
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(120);
/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 256 << 20;

/// Traces of a back end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Traces {
    kind: Kind,
    base: String,
    ids: Vec<TraceId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Jaeger,
    Tempo,
}

/// Why a trace cannot be had. Says no word of the back end's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Unread {
    #[error("there is no such trace")]
    Missing,
    #[error("no answer in time, or none at all")]
    Unanswered,
    #[error("it answers {0}")]
    Status(u16),
    #[error("the answer is longer than 256 MiB")]
    TooLong,
    #[error("the answer is no trace")]
    NotATrace,
}

/// Whom to ask, and what it wants to see each time.
struct Peer {
    client: PlainClient,
    headers: HeaderMap,
}

/// The spans of one trace.
struct Answer {
    spans: Vec<((TraceId, SpanId), CallRecord<Veiled>)>,
    /// Spans that are no call.
    others: u64,
    /// The back end says that it could not read all of it.
    is_partial: bool,
}

impl Traces {
    /// The traces that an input names; nothing where it names a file.
    pub(super) fn named(input: &Path) -> Option<Result<Self, Failure>> {
        let text = input.to_str()?;
        let kinds = [("jaeger+", Kind::Jaeger), ("tempo+", Kind::Tempo)];
        let (kind, url) = kinds.into_iter().find_map(|(prefix, kind)| Some((kind, text.strip_prefix(prefix)?)))?;
        // A file may be called so too.
        url.contains("://").then(|| {
            Self::parse(kind, url).ok_or_else(|| {
                Failure::Usage(
                    "a back end's trace is named `jaeger+http://HOST:PORT/ID` or `tempo+http://HOST:PORT/ID`, with ids of \
                     up to 32 hex digits, joined by commas, and no name or password"
                        .to_owned(),
                )
            })
        })
    }

    fn parse(kind: Kind, url: &str) -> Option<Self> {
        let (base, ids) = url.rsplit_once('/')?;
        let address = base.split_once("://")?.1;
        if address.is_empty() || address.contains('@') {
            return None;
        }
        let ids: Option<Vec<TraceId>> = ids.split(',').map(|id| format!("{:0>32}", id.trim()).parse().ok()).collect();
        Some(Self { kind, base: base.to_owned(), ids: ids? })
    }

    /// Reads them, event by event.
    pub(super) fn read(&self, policy: &Policy, take: &mut impl FnMut(Event<Veiled>)) -> Result<Aside, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|_| Failure::Unavailable("no runtime could be started".to_owned()))?;
        let _inside = runtime.enter();
        let Access { headers, tls } = Access::from_environment(&Environment::from_process())?;
        let client = PlainClient::new(&self.base, &tls, CONNECT).map_err(|error| Failure::Usage(error.to_string()))?;
        let peer = Peer { client, headers };
        let privacy = Privacy::new(policy.clone());
        let read = runtime.block_on(self.all(&peer, &privacy));
        let Read { pages, others, asked } = read;
        if let (true, Some((trace, unread))) = (pages.records.is_empty(), pages.error) {
            return Err(self.failure(trace, unread));
        }
        if let Some((trace, error)) = pages.error {
            tracing::warn!(target: "veilspan", %trace, %error, "a trace of the run cannot be had");
        }
        // What a span is linked to may be another run's.
        let given: HashSet<(Option<ByteString>, ByteString)> =
            pages.records.iter().filter(|call| asked.contains(&call.opened.span.trace)).map(of_rollout).collect();
        let of_run = pages.records.into_iter().filter(|call| given.contains(&of_rollout(call)));
        of_run.for_each(|call| call.into_events(Source::Otlp).for_each(&mut *take));
        Ok(Aside { lines: 0, spans: others, incomplete: pages.incomplete })
    }

    async fn all(&self, peer: &Peer, privacy: &Privacy) -> Read {
        let until = Instant::now() + PATIENCE;
        let asked: HashSet<TraceId> = self.ids.iter().copied().collect();
        let (mut known, mut wanted) = (asked.clone(), VecDeque::from(self.ids.clone()));
        let (mut gathered, mut others) = (Gather::default(), 0);
        while let Some(trace) = wanted.pop_front() {
            if gathered.pages.requests >= MAX_PAGES {
                gathered.pages.incomplete = true;
                break;
            }
            let wait = ANSWER.min(until.saturating_duration_since(Instant::now()));
            let answer = tokio::time::timeout(wait, self.trace(peer, privacy, trace)).await;
            match answer.unwrap_or(Err(Unread::Unanswered)) {
                Ok(answer) => {
                    let links = answer.spans.iter().flat_map(|(_, call)| &call.opened.links);
                    let parts = links.filter(|link| link.kind.is_some_and(is_of_one_run)).map(|link| link.trace);
                    wanted.extend(parts.filter(|trace| known.insert(*trace)));
                    others += answer.others;
                    gathered.pages.incomplete |= answer.is_partial;
                    gathered.take(answer.spans);
                }
                Err(unread) => gathered.failed((trace, unread)),
            }
        }
        Read { pages: gathered.pages, others, asked }
    }

    async fn trace(&self, peer: &Peer, privacy: &Privacy, trace: TraceId) -> Result<Answer, Unread> {
        let read = match self.kind {
            Kind::Jaeger => answers::jaeger(&self.get(peer, &format!("/api/v3/traces/{trace}?raw_traces=true")).await?),
            Kind::Tempo => match self.get(peer, &format!("/api/v2/traces/{trace}")).await {
                // Before 2.7 there was no such path.
                Err(Unread::Missing) => answers::old_tempo(self.get(peer, &format!("/api/traces/{trace}")).await?),
                answer => answers::tempo(&answer?),
            },
        };
        let (request, is_partial) = read.ok_or(Unread::NotATrace)?;
        let mut answer = Answer { spans: Vec::new(), others: 0, is_partial };
        if request.is_empty() {
            return Err(Unread::Missing);
        }
        answer.others = calls(&veiled(request, privacy).ok_or(Unread::NotATrace)?, &mut |call| {
            answer.spans.push(((call.opened.span.trace, call.opened.span.span), call));
        });
        Ok(answer)
    }

    async fn get(&self, peer: &Peer, path: &str) -> Result<Bytes, Unread> {
        let mut headers = peer.headers.clone();
        let accepted = match self.kind {
            Kind::Jaeger => "application/json",
            Kind::Tempo => "application/protobuf",
        };
        headers.insert(ACCEPT, HeaderValue::from_static(accepted));
        let answer =
            peer.client.send(Method::GET, path, headers, Bytes::new()).await.map_err(|_| Unread::Unanswered)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(Unread::Missing),
            status => return Err(Unread::Status(status.as_u16())),
        }
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
        body.map(|body| body.to_bytes()).map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() { Unread::TooLong } else { Unread::Unanswered }
        })
    }

    fn failure(&self, trace: TraceId, unread: Unread) -> Failure {
        let name = match self.kind {
            Kind::Jaeger => "jaeger",
            Kind::Tempo => "tempo",
        };
        let text = format!("{name} at {}, trace {trace}: {unread}", self.base);
        match unread {
            Unread::Missing | Unread::TooLong | Unread::NotATrace => Failure::BadData(text),
            Unread::Unanswered | Unread::Status(_) => Failure::Unavailable(text),
        }
    }
}

struct Read {
    pages: Pages<CallRecord<Veiled>, (TraceId, Unread)>,
    others: u64,
    asked: HashSet<TraceId>,
}

fn of_rollout(call: &CallRecord<Veiled>) -> (Option<ByteString>, ByteString) {
    (call.scope.tenant.clone(), call.scope.rollout.clone())
}

/// Whether both ends of such a link are part of one run.
fn is_of_one_run(kind: EdgeKind) -> bool {
    !matches!(kind, EdgeKind::Replay)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a clock that passes over what is only waited for.
    #[tokio::test(start_paused = true)]
    async fn a_back_end_that_never_answers_is_given_up_at_its_deadlines() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let client = PlainClient::new(&base, &Default::default(), CONNECT).unwrap();
        let peer = Peer { client, headers: HeaderMap::new() };
        let privacy = Privacy::new(Policy::builder().build_in(&Default::default()).0);
        let traces = |count: u8| Traces {
            kind: Kind::Jaeger,
            base: base.clone(),
            ids: (1..=count).map(|id| TraceId::from_bytes([id; 16]).unwrap()).collect(),
        };
        for (count, most) in [(1, ANSWER), (100, PATIENCE)] {
            let begun = Instant::now();
            let Read { pages, .. } = traces(count).all(&peer, &privacy).await;
            assert!(begun.elapsed() <= most + Duration::from_secs(1), "{count}");
            assert_eq!((pages.requests, pages.incomplete), (usize::from(count), true));
            assert_eq!(pages.error.map(|(_, unread)| unread), Some(Unread::Unanswered));
        }
    }
}
