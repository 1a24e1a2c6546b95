//! The sink: keeps what it has seen, and answers as it is told.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;
use tonic::{Code, Status};
use veilspan::otlp::{Handler, Reply, TraceServer};

#[derive(Clone, Copy, Debug)]
pub enum Mood {
    Accept,
    /// Takes it, and says that so many spans were refused.
    Reject(i64),
    /// Takes it, and answers with this code.
    Refuse(i32),
    /// Takes it, and never answers.
    Stall,
}

/// What came.
#[derive(Default)]
pub struct Seen {
    pub requests: u64,
    pub answered: u64,
    /// Requests with a span that had been answered before.
    pub again_after_an_answer: u64,
    /// Hash of the bytes, and whether it was answered so that it need not come again.
    pub spans: HashMap<Vec<u8>, (u64, bool)>,
    pub different: u64,
    pub abandoned: u64,
    /// By process: the places of all events that were told.
    pub seqs: BTreeMap<String, BTreeSet<i64>>,
}

struct State {
    mood: Mood,
    seen: Seen,
}

struct Keeper(Arc<Mutex<State>>);

pub struct Sink {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Sink {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State { mood: Mood::Accept, seen: Seen::default() }));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let service = TraceServer::new(Arc::new(Keeper(Arc::clone(&state))));
        runtime.spawn(async move {
            let incoming = tonic::transport::server::TcpIncoming::from(listener);
            tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
        });
        Self { state, address, _runtime: runtime }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn set(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    pub fn seen(&self) -> Seen {
        std::mem::take(&mut self.state.lock().unwrap().seen)
    }
}

impl Handler for Keeper {
    async fn export(&self, body: Bytes) -> Result<Reply, Status> {
        let mood = {
            let mut state = self.0.lock().unwrap();
            let mood = state.mood;
            let settles = match mood {
                Mood::Accept | Mood::Reject(_) => true,
                Mood::Refuse(code) => is_final(Code::from(code)),
                Mood::Stall => false,
            };
            state.seen.take(&body, settles);
            mood
        };
        match mood {
            Mood::Accept => Ok(Reply::default()),
            Mood::Reject(rejected) => Ok(Reply { rejected, reason: "for no reason" }),
            Mood::Refuse(code) => Err(Status::new(Code::from(code), "for no reason")),
            Mood::Stall => std::future::pending().await,
        }
    }
}

/// Whether a span that is refused so need not come again. One that is too long may come again in a shorter request.
fn is_final(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown | Code::InvalidArgument | Code::AlreadyExists | Code::FailedPrecondition | Code::Internal
    )
}

impl Seen {
    fn take(&mut self, body: &[u8], settles: bool) {
        let request = ExportTraceServiceRequest::decode(body).expect("a request");
        self.requests += 1;
        self.answered += u64::from(settles);
        let mut came_again = false;
        for resource in request.resource_spans {
            let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
            let process = text(&attributes, "service.instance.id").expect("a process").to_owned();
            let seqs = self.seqs.entry(process).or_default();
            for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                let mut hasher = DefaultHasher::new();
                span.encode_to_vec().hash(&mut hasher);
                let hash = hasher.finish();
                let id = [&span.trace_id[..], &span.span_id].concat();
                if let Some((before, answered)) = self.spans.get_mut(&id) {
                    self.different += u64::from(*before != hash);
                    came_again |= *answered;
                    *answered |= settles;
                    continue;
                }
                self.spans.insert(id, (hash, settles));
                self.abandoned += u64::from(flag(&span.attributes, "veilspan.end.inferred"));
                seqs.extend(int(&span.attributes, "veilspan.seq"));
                seqs.extend(int(&span.attributes, "veilspan.seq.end"));
            }
        }
        self.again_after_an_answer += u64::from(came_again);
    }
}

fn value<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?.value.as_ref()
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    match value(attributes, key) {
        Some(Value::StringValue(text)) => Some(text),
        _ => None,
    }
}

fn int(attributes: &[KeyValue], key: &str) -> Option<i64> {
    match value(attributes, key) {
        Some(Value::IntValue(number)) => Some(*number),
        _ => None,
    }
}

fn flag(attributes: &[KeyValue], key: &str) -> bool {
    matches!(value(attributes, key), Some(Value::BoolValue(true)))
}
