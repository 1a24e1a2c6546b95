//! rig itself, with all that it can be made to say: nothing of it is in the bytes of either exporter.

use std::fmt;
use std::io::Write;
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use futures_util::StreamExt;
use opentelemetry_proto::tonic::trace::v1::Span;
use rig::Agent;
use rig::prelude::*;
use rig::providers::openai::{OpenAIConfig, Route};
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;
use tracing::{info_span, trace};
use tracing_subscriber::prelude::*;
use veilspan::export::ExporterConfig;
use veilspan::layer::others;
use veilspan::{Policy, Recorder};

use super::stack::{SOON, Sdk, policy};
use super::support::leaks::holds;
use super::support::receiver::{Behaviour, Receiver, text};

/// A text that no rule takes for a label.
fn planted(place: &str) -> String {
    format!("canary of {place} with blanks")
}

/// A model that does what the last question says.
async fn complete(Json(request): Json<Value>) -> Response {
    let messages = request["messages"].as_array().unwrap();
    let question = messages.iter().rfind(|message| message["role"] == "user").unwrap()["content"].to_string();
    let message = match messages.last().unwrap()["role"].as_str() {
        Some("tool") => json!({ "role": "assistant", "content": planted("the answer") }),
        _ if question.contains("refuse") => {
            let error = json!({ "error": { "message": planted("the refusal"), "type": planted("its type") } });
            return (StatusCode::BAD_REQUEST, Json(error)).into_response();
        }
        _ if question.contains("babble") => return planted("the babble").into_response(),
        _ => {
            let arguments = json!({ "how": question, "what": planted("the arguments") }).to_string();
            let function = json!({ "name": "look_up", "arguments": arguments });
            let call = json!({ "index": 0, "id": planted("the call id"), "type": "function", "function": function });
            json!({ "role": "assistant", "content": planted("the thought"), "tool_calls": [call] })
        }
    };
    let reason = if message["tool_calls"].is_array() { "tool_calls" } else { "stop" };
    let usage = json!({ "prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18 });
    let head = json!({ "id": planted("the response id"), "created": 1, "model": planted("the model"), "usage": usage });
    let whole = |object: &str, key: &str| {
        let mut answer = head.clone();
        answer["object"] = json!(object);
        answer["choices"] = json!([{ "index": 0, key: message, "finish_reason": reason }]);
        answer
    };
    if request["stream"] != true {
        return Json(whole("chat.completion", "message")).into_response();
    }
    let body = format!("data: {}\n\ndata: [DONE]\n\n", whole("chat.completion.chunk", "delta"));
    ([("content-type", "text/event-stream")], body).into_response()
}

fn start_model() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, Router::new().route("/v1/chat/completions", post(complete))).await.unwrap();
        });
    });
    url
}

#[derive(Debug)]
struct Failure;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&planted("the tool's error"))
    }
}

impl std::error::Error for Failure {}

/// A tool that does what it is told.
struct LookUp;

impl PortableTool for LookUp {
    const NAME: &'static str = "look_up";
    type Args = Value;
    type Output = String;
    type Error = Failure;

    fn description(&self) -> String {
        planted("the description")
    }

    fn parameters(&self) -> Value {
        json!({ "type": "object", "properties": { "what": { "type": "string" } } })
    }

    async fn call(&self, arguments: Value) -> Result<String, Failure> {
        trace!(body = planted("an event of the tool"), "{}", planted("its message"));
        let how = arguments["how"].as_str().unwrap_or_default();
        if how.contains("fail") {
            return Err(Failure);
        }
        if how.contains("panic") {
            std::panic::resume_unwind(Box::new(planted("the panic")));
        }
        Ok(planted("the result"))
    }
}

fn agent(base_url: &str) -> Agent {
    let openai = OpenAIConfig::new(planted("the key")).with_base_url(base_url).with_route(Route::Chat).client();
    AgentBuilder::new(openai.completion("gpt-x"))
        .name(planted("the agent's name"))
        .preamble(planted("the preamble"))
        .tool(LookUp)
        .default_max_turns(3)
        .record_content_telemetry(true)
        .build()
}

/// Every way in which a run can go, whole and streamed.
fn run_all(agent: &Agent) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for how in ["answer", "fail", "refuse", "babble", "panic"] {
        let question = format!("{}: {how}", planted("the question"));
        let whole = AssertUnwindSafe(|| runtime.block_on(agent.prompt(question.clone()).into_future()).is_ok());
        let whole = catch_unwind(whole);
        let streamed = AssertUnwindSafe(|| {
            runtime.block_on(async {
                let items: Vec<_> = agent.prompt(question.clone()).stream().collect().await;
                items.iter().all(Result::is_ok)
            })
        });
        let streamed = catch_unwind(streamed);
        for ended in [whole, streamed] {
            assert_eq!(ended.is_err(), how == "panic", "{how}");
            assert_eq!(ended.unwrap_or_default(), ["answer", "fail"].contains(&how), "{how}");
        }
    }
}

#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs it all beside an exporter of OpenTelemetry and a layer that prints everything. Answers what our exporter sent.
fn recorded(policy: Policy, inside: impl FnOnce(&dyn Fn())) -> Vec<Span> {
    let receiver = Receiver::start(Behaviour::Accept);
    let mut config = ExporterConfig::default();
    config.endpoint = receiver.url();
    let recorder = Recorder::exporting(&config, policy).unwrap();
    let (sdk, printed) = (Sdk::new(), Printed::default());
    let lines = printed.clone();
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(sdk.tracer()).with_filter(others()))
        .with(recorder.layer())
        .with(tracing_subscriber::fmt::layer().with_writer(move || lines.clone()).with_filter(LevelFilter::TRACE));
    let agent = agent(&start_model());
    tracing::subscriber::with_default(subscriber, || inside(&|| run_all(&agent)));
    assert!(recorder.shutdown(SOON).complete);
    assert_eq!(recorder.counts().dropped.calls(), 0);

    // It was all there to be leaked.
    let printed = printed.0.lock().unwrap().clone();
    for place in ["the question", "the preamble", "the arguments", "the result", "the answer", "an event of the tool"] {
        assert!(holds(&printed, &planted(place)), "{place} was not said");
    }
    let exported = format!("{:?}", sdk.spans());
    assert!(!holds(exported.as_bytes(), "canary of"), "{exported}");
    assert!(!holds(&receiver.bytes(), "canary of"));
    receiver.spans()
}

fn outcomes(spans: &[Span], operation: &str) -> Vec<String> {
    let of_operation = spans.iter().filter(|span| text(span, "gen_ai.operation.name") == Some(operation));
    let mut spans: Vec<_> = of_operation.collect();
    spans.sort_by_key(|span| span.start_time_unix_nano);
    spans.iter().map(|span| text(span, "veilspan.outcome").unwrap().to_owned()).collect()
}

#[test]
fn nothing_that_rig_says_is_in_the_bytes_of_either_exporter() {
    let spans = recorded(policy(), |run| run());
    assert!(spans.iter().all(|span| text(span, "gen_ai.operation.name").is_some()));
    let twice = |outcomes: &[&str]| -> Vec<String> {
        outcomes.iter().flat_map(|outcome| [*outcome, *outcome]).map(str::to_owned).collect()
    };
    // rig tells of no failure of a request: what is known is that no answer came.
    let turns = ["completed", "completed", "abandoned", "abandoned", "failed"];
    assert_eq!(outcomes(&spans, "invoke_agent"), twice(&turns));
    let chats = ["completed", "completed", "completed", "completed", "abandoned", "abandoned", "completed"];
    assert_eq!(outcomes(&spans, "chat"), twice(&chats));
    assert_eq!(outcomes(&spans, "execute_tool"), twice(&["completed", "failed", "failed"]));
}

#[test]
fn nothing_that_rig_says_inside_a_span_of_the_service_is_in_the_bytes_of_either_exporter() {
    let spans = recorded(policy(), |run| info_span!("server").in_scope(run));
    // rig takes the service's span for its agent's: there is no turn, and each call stands alone.
    assert!(outcomes(&spans, "invoke_agent").is_empty());
    assert!(spans.iter().all(|span| !span.parent_span_id.is_empty()));
}

#[test]
fn a_turn_that_the_service_opens_is_that_of_what_rig_does_inside() {
    let turn = || info_span!("turn", gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "weather");
    let spans = recorded(policy(), |run| turn().in_scope(run));
    let turns: Vec<_> = spans.iter().filter(|span| span.name == "invoke_agent weather").collect();
    assert_eq!(turns.len(), 1);
    assert!(outcomes(&spans, "chat").len() > 10);
    let inside = spans.iter().filter(|span| span.span_id != turns[0].span_id);
    for span in inside {
        assert_eq!(span.trace_id, turns[0].trace_id);
        assert_eq!(text(span, "veilspan.turn.id"), text(turns[0], "veilspan.turn.id"));
        assert_eq!(span.parent_span_id, turns[0].span_id, "{}", span.name);
    }
}
