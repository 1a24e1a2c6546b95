//! Passes requests on to a model, and records what passes through the public recorder.
//!
//! A request goes on as it came, and so does its answer, chunk by chunk. What is recorded are bodies: no header is, so no
//! credential. What names a trace is not passed on: a model's address is told nothing of it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::file::RecordFile;
use super::passing::Passing;
use super::{Failure, PATIENCE, listen, refused, runtime};
use crate::event::shape;
use crate::otlp::{PlainClient, TlsFiles};
use crate::privacy::{Level, Policy};
use crate::record::{Context, Fault, Inference, Recorder};
use crate::replay::{Api, Missing};

/// How long a connection may take. An answer may take as long as it does.
const CONNECT: Duration = Duration::from_secs(10);
/// What the transport alone can say, and what names a trace.
const NOT_PASSED: [&str; 16] = [
    "accept-encoding",
    "baggage",
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What every request needs.
struct Upstream {
    client: PlainClient,
    recorder: Recorder,
    /// The turn that all of them are part of.
    turn: Context,
}

pub(super) fn run(path: &Path, address: SocketAddr, upstream: &str) -> Result<(), Failure> {
    let policy = Policy::builder().keep_key().content(Level::Full).build();
    if policy.levels().least() < Level::Full {
        let allowed = policy.ceiling().0;
        return Err(Failure::Usage(format!(
            "--mode record: keeps what is said as it is, and here no more than `{allowed}` may leave; set \
             VEILSPAN_CONTENT_MAX=full, and nothing that lowers it"
        )));
    }
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let client = PlainClient::new(upstream, &TlsFiles::default(), CONNECT)
        .map_err(|error| Failure::Usage(format!("--upstream: {error}")))?;
    let file = RecordFile::create(path)?;
    let recorder = Recorder::builder().sink(Arc::new(file)).policy(policy.for_reading()).build();
    if !recorder.is_enabled() {
        return Err(Failure::Unavailable("no recorder could be started".to_owned()));
    }
    let mut turn = recorder.turn("cassette").start();
    turn.ends_rollout();
    let asked = Upstream { client, recorder: recorder.clone(), turn: turn.context() };
    let served = runtime.block_on(listen(routes(asked), address, |listen| {
        tracing::info!(target: "veilspan", %listen, "the cassette records");
    }));
    turn.finish();
    let drained = recorder.shutdown(PATIENCE);
    let (recorded, lost) = (drained.counts.recorded, drained.counts.dropped.calls());
    tracing::info!(target: "veilspan", calls = recorded.saturating_sub(1), lost, "recorded");
    if lost > 0 || !drained.complete {
        return Err(Failure::Unavailable(format!("{}: not all that passed could be written", path.display())));
    }
    served
}

fn routes(upstream: Upstream) -> Router {
    let mut router = Router::new();
    for api in Api::ALL {
        for version in ["", "/v1"] {
            let answer = move |state, uri, headers, body| pass(api, version, state, uri, headers, body);
            router = router.route(&format!("{version}{}", api.path()), post(answer));
        }
    }
    router.with_state(Arc::new(upstream))
}

async fn pass(
    api: Api,
    version: &'static str,
    State(upstream): State<Arc<Upstream>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let read = serde_json::from_slice::<Value>(&body).ok().filter(|body| shape::request(body).is_some());
    let Some(read) = read else { return refused(api.path(), &Missing::NotARequest) };
    // Either base URL may end in the version, and the other not.
    let version = if upstream.client.base_path().ends_with("/v1") { "" } else { version };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("{version}{}{query}", api.path());
    let mut call = upstream.begin(api, read);
    let asked = upstream.client.send(Method::POST, &path, passed(&headers), body);
    let Ok(answer) = call.observe(asked).await else {
        call.fail_with(&Fault::new("upstream_unreachable").retryable(true));
        tracing::warn!(target: "veilspan", path = api.path(), "the upstream does not answer");
        let error = json!({"type": "upstream_unreachable", "message": "the upstream does not answer"});
        return (StatusCode::BAD_GATEWAY, Json(json!({"type": "error", "error": error}))).into_response();
    };
    let (head, body) = answer.into_parts();
    let is_stream =
        head.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let passing = Passing::new(api, head.status, is_stream, body, call);
    let mut response = Response::new(Body::from_stream(passing));
    *response.status_mut() = head.status;
    *response.headers_mut() = passed(&head.headers);
    response
}

/// The headers that go on.
fn passed(headers: &HeaderMap) -> HeaderMap {
    let goes_on = |name: &HeaderName| !NOT_PASSED.contains(&name.as_str());
    headers.iter().filter(|(name, _)| goes_on(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Upstream {
    /// Begins the record of a request.
    fn begin(&self, api: Api, body: Value) -> Inference {
        let provider = match api {
            Api::Chat | Api::Responses => "openai",
            Api::Anthropic => "anthropic",
        };
        let (host, port) = self.client.address();
        let model = body.get("model").and_then(Value::as_str).unwrap_or_default();
        let call = self.turn.in_scope(|| self.recorder.inference(provider, model));
        call.server(host, port).input(body).start()
    }
}
