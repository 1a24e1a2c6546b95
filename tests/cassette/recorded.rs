//! What passes through a cassette to a model is recorded, and served again.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use veilspan::replay::{Verdict, diff};

use super::agent::{agent, model};
use super::build::Host;
use super::runs::{FULL, Served, veilspan};

const CHAT: &str = r#"{"id":"c-1","object":"chat.completion","created":7,"model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"it is 7 degrees","tool_calls":[{"id":"call_1","type":"function","function":{"name":"look_up","arguments":"{\"city\":\"Oslo\"}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}"#;
const RESPONSE: &str = r#"{"id":"r-1","object":"response","created_at":7,"status":"completed","model":"m-1","output":[{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"it is 7 degrees","annotations":[]}]},{"type":"function_call","id":"fc_1","call_id":"call_1","name":"look_up","arguments":"{\"city\":\"Oslo\"}","status":"completed"}],"usage":{"input_tokens":9,"output_tokens":4,"total_tokens":13}}"#;
const MESSAGE: &str = r#"{"id":"m-1","type":"message","role":"assistant","model":"m-1","content":[{"type":"text","text":"it is 7 degrees"},{"type":"tool_use","id":"call_1","name":"look_up","input":{"city":"Oslo"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":4}}"#;

/// The same, streamed.
fn chat_events() -> Vec<String> {
    let chunk = |delta: Value, reason: Option<&str>| {
        let chunk = json!({
            "id": "c-1", "object": "chat.completion.chunk", "created": 7, "model": "m-1",
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
        });
        format!("data: {chunk}\n\n")
    };
    let call = |arguments: &str| json!({"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]});
    vec![
        chunk(json!({"role": "assistant", "content": "it is "}), None),
        chunk(json!({"content": "7 degrees"}), None),
        chunk(json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": ""}}]}), None),
        chunk(call(r#"{"city""#), None),
        chunk(call(r#":"Oslo"}"#), None),
        chunk(json!({}), Some("tool_calls")),
        "data: {\"id\":\"c-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,\"total_tokens\":13}}\n\n".to_owned(),
        "data: [DONE]\n\n".to_owned(),
    ]
}

fn response_events() -> Vec<String> {
    let event = |data: Value| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap());
    vec![
        event(json!({"type": "response.created", "response": {"id": "r-1", "status": "in_progress", "output": []}})),
        event(json!({"type": "response.output_text.delta", "output_index": 0, "delta": "it is 7 degrees"})),
        event(json!({"type": "response.completed", "response": serde_json::from_str::<Value>(RESPONSE).unwrap()})),
    ]
}

fn message_events() -> Vec<String> {
    let event = |data: Value| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap());
    let block = |index: u32, block: Value| {
        event(json!({"type": "content_block_start", "index": index, "content_block": block}))
    };
    let delta =
        |index: u32, delta: Value| event(json!({"type": "content_block_delta", "index": index, "delta": delta}));
    let message = json!({
        "id": "m-1", "type": "message", "role": "assistant", "model": "m-1", "content": [], "stop_reason": null,
        "usage": {"input_tokens": 9, "output_tokens": 1},
    });
    vec![
        event(json!({"type": "message_start", "message": message})),
        block(0, json!({"type": "text", "text": ""})),
        delta(0, json!({"type": "text_delta", "text": "it is "})),
        delta(0, json!({"type": "text_delta", "text": "7 degrees"})),
        event(json!({"type": "content_block_stop", "index": 0})),
        block(1, json!({"type": "tool_use", "id": "call_1", "name": "look_up", "input": {}})),
        delta(1, json!({"type": "input_json_delta", "partial_json": "{\"city\":"})),
        delta(1, json!({"type": "input_json_delta", "partial_json": "\"Oslo\"}"})),
        event(json!({"type": "content_block_stop", "index": 1})),
        event(json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 4}})),
        event(json!({"type": "message_stop"})),
    ]
}

/// The three APIs: path, what is asked, the whole answer, the streamed one.
fn apis() -> [(&'static str, Value, &'static str, Vec<String>); 3] {
    [
        (
            "/chat/completions",
            json!({"model": "m", "messages": [{"role": "user", "content": "how warm?"}]}),
            CHAT,
            chat_events(),
        ),
        ("/responses", json!({"model": "m", "input": "how warm is it?"}), RESPONSE, response_events()),
        (
            "/messages",
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "is it warm?"}]}),
            MESSAGE,
            message_events(),
        ),
    ]
}

/// Starts an upstream that answers by `answer`.
async fn upstream<F>(answer: impl Fn(Uri, HeaderMap, Bytes) -> F + Clone + Send + Sync + 'static) -> String
where
    F: Future<Output = Response> + Send + 'static,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// One that answers each API in its own shape, streamed where that is asked for.
async fn model_of_all_apis() -> String {
    upstream(async |uri: Uri, _: HeaderMap, body: Bytes| {
        let (_, _, whole, events) = apis().into_iter().find(|(path, ..)| uri.path() == format!("/v1{path}")).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        if body["stream"] != true {
            return ([("content-type", "application/json"), ("x-request-id", "1")], whole).into_response();
        }
        let chunks = futures_util::stream::iter(events.into_iter().map(Ok::<_, std::io::Error>));
        ([("content-type", "text/event-stream")], Body::from_stream(chunks)).into_response()
    })
    .await
}

async fn send(url: &str, path: &str, body: &Value) -> reqwest::Response {
    reqwest::Client::new().post(format!("{url}{path}")).json(body).send().await.unwrap()
}

fn streamed(mut body: Value) -> Value {
    body["stream"] = true.into();
    body["stream_options"] = json!({"include_usage": true});
    body
}

fn file(folder: &tempfile::TempDir) -> String {
    folder.path().join("recorded.jsonl").to_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_passed_in_any_shape_passes_unchanged_and_is_served_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    let recording = Served::recording(&path, &model_of_all_apis().await);
    for (api, body, whole, events) in apis() {
        let answer = send(&recording.url, api, &body).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.headers()["x-request-id"], "1");
        assert_eq!(answer.text().await.unwrap(), whole);
        let answer = send(&recording.url, api, &streamed(body)).await;
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.text().await.unwrap(), events.concat());
    }
    assert!(recording.stop().contains("calls=6"));
    let served = Served::start(&path);
    for (api, body, whole, events) in apis() {
        // First what was recorded whole, then what was recorded streamed: both are the same answer.
        for _ in 0..2 {
            let answer: Value = send(&served.url, api, &body).await.json().await.unwrap();
            let expected: Value = serde_json::from_str(whole).unwrap();
            for pointer in ["/choices", "/content", "/stop_reason", "/output/0/content", "/model", "/status"] {
                let (given, expected) = (answer.pointer(pointer), expected.pointer(pointer));
                assert_eq!(given, expected, "{api} {pointer}: {answer:#}");
            }
            assert_eq!(answer["usage"]["total_tokens"], expected["usage"]["total_tokens"], "{api}");
        }
        assert_eq!(send(&served.url, api, &streamed(body)).await.status(), 422, "both were given");
        assert!(!events.is_empty());
    }
}

#[tokio::test]
async fn a_stream_passes_chunk_by_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let url = upstream(move |_, _, _| {
        let gate = Arc::clone(&opened);
        async move {
            let events = futures_util::stream::iter(chat_events()).enumerate().then(move |(place, event)| {
                let gate = Arc::clone(&gate);
                async move {
                    if place > 0 {
                        gate.acquire().await.unwrap().forget();
                    }
                    Ok::<_, std::io::Error>(event)
                }
            });
            ([("content-type", "text/event-stream")], Body::from_stream(events)).into_response()
        }
    })
    .await;
    let recording = Served::recording(&file(&folder), &url);
    let body = streamed(json!({"model": "m", "messages": [{"role": "user", "content": "q"}]}));
    let mut answer = send(&recording.url, "/chat/completions", &body).await.bytes_stream();
    // Each chunk is here while the upstream still waits to send the next.
    for event in chat_events() {
        assert_eq!(answer.next().await.unwrap().unwrap(), event);
        gate.add_permits(1);
    }
    assert!(answer.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_never_ends_keeps_no_cassette_from_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    let url = upstream(async |_, _, _| {
        let first = futures_util::stream::iter([Ok::<_, std::io::Error>(chat_events().remove(0))]);
        let events = first.chain(futures_util::stream::pending());
        ([("content-type", "text/event-stream")], Body::from_stream(events)).into_response()
    })
    .await;
    let recording = Served::recording(&path, &url);
    let body = streamed(json!({"model": "m", "messages": [{"role": "user", "content": "q"}]}));
    let mut answer = send(&recording.url, "/chat/completions", &body).await.bytes_stream();
    answer.next().await.unwrap().unwrap();
    recording.stop();
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains("invoke_agent") && written.contains("\"chat m\""), "both are told: {written}");
}

#[tokio::test]
async fn errors_of_the_upstream_pass_and_are_served_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    let url = upstream(async |_, _, _| {
        let headers = [("retry-after", "3"), ("content-type", "application/json")];
        (StatusCode::TOO_MANY_REQUESTS, headers, r#"{"error":{"message":"canary of the provider"}}"#).into_response()
    })
    .await;
    let recording = Served::recording(&path, &url);
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "q"}]});
    let answer = send(&recording.url, "/chat/completions", &body).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"3".parse().unwrap()));
    assert!(answer.text().await.unwrap().contains("canary of the provider"));
    assert_eq!(send(&recording.url, "/chat/completions", &json!({"model": "m"})).await.status(), 400, "no request");
    let log = recording.stop();
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains("\"429\"") && !written.contains("canary") && !log.contains("canary"), "{log}");
    // An answer beside it, so that there is something to serve.
    let second = tempfile::tempdir().unwrap();
    let answered = file(&second);
    let recording = Served::recording(&answered, "http://127.0.0.1:9");
    let answer = send(&recording.url, "/chat/completions", &body).await;
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["type"], "upstream_unreachable");
    assert!(recording.stop().contains("does not answer"));
    let written = std::fs::read_to_string(&answered).unwrap();
    assert!(written.contains("upstream_unreachable"));
    let host = Host::new();
    let turn = host.recorder.turn("agent").rollout("r").start();
    for attempt in 0..2 {
        let mut call = turn.inference("openai", "m").input(&body).start();
        if attempt == 0 {
            call.fail_with(&veilspan::record::Fault::new("429").retryable(true));
        } else {
            call.answer("fine");
            call.finish();
        }
    }
    turn.finish();
    let served = Served::start(&host.write(second.path()));
    let answer = send(&served.url, "/chat/completions", &body).await;
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["type"], "429");
    assert_eq!(send(&served.url, "/chat/completions", &body).await.status(), 200, "the second attempt was answered");
}

#[tokio::test]
async fn no_credential_is_kept_and_no_trace_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let url = upstream(move |uri: Uri, headers: HeaderMap, _| {
        told.lock().unwrap().push((uri.to_string(), headers));
        async { ([("content-type", "application/json"), ("set-cookie", "canary-cookie")], CHAT).into_response() }
    })
    .await;
    let recording = Served::recording(&path, &url);
    let request = reqwest::Client::new()
        .post(format!("{}/chat/completions?api-key=canary-query", recording.url))
        .header("authorization", "Bearer canary-bearer")
        .header("x-api-key", "canary-key")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .header("baggage", "veilspan.rollout.id=r")
        .json(&json!({"model": "m", "messages": [{"role": "user", "content": "what was said"}]}));
    assert_eq!(request.send().await.unwrap().headers()["set-cookie"], "canary-cookie");
    let log = recording.stop();
    let (uri, headers) = seen.lock().unwrap().remove(0);
    assert_eq!(uri, "/v1/chat/completions?api-key=canary-query");
    assert_eq!(
        (&headers["authorization"], &headers["x-api-key"]),
        (&"Bearer canary-bearer".parse().unwrap(), &"canary-key".parse().unwrap())
    );
    assert!(!headers.contains_key("traceparent") && !headers.contains_key("baggage"));
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains("what was said") && !written.contains("canary"), "{written}");
    assert!(!log.contains("canary") && !log.contains("what was said"), "{log}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn an_agent_against_what_its_model_was_recorded_to_answer_is_free_of_drift() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    let recording = Served::recording(&path, &model().await);
    let first = Host::new();
    assert_eq!(agent(&first, &recording.url, "second").await, None);
    recording.stop();
    let served = Served::start(&path);
    let again = Host::new();
    assert_eq!(agent(&again, &served.url, "second").await, None);
    let report = diff(&first.run(), &again.run());
    assert_eq!(report.verdict(), Verdict::Same, "{:#?}", report.differences);
    assert_eq!((report.steps, report.not_comparable), ([6, 6], 0));
}

#[test]
fn nothing_is_recorded_where_content_may_not_be_kept_or_something_would_be_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    let record = ["cassette", "serve", &path, "--mode", "record"];
    let url = ["--upstream", "http://127.0.0.1:9"];
    let refused = |arguments: &[&str], variables: &[(&str, &str)], said: &str| {
        let output = veilspan(arguments, variables);
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{log}");
        assert!(log.contains(said), "{said}: {log}");
    };
    let asked: Vec<&str> = record.into_iter().chain(url).collect();
    refused(&asked, &[], "VEILSPAN_CONTENT_MAX=full");
    refused(&asked, &[("VEILSPAN_CONTENT_MAX", "masked"), ("VEILSPAN_CONTENT", "full")], "VEILSPAN_CONTENT_MAX=full");
    refused(&asked, &[FULL[0], ("OPENINFERENCE_HIDE_INPUTS", "true")], "lowers it");
    refused(&record, &FULL, "--upstream");
    refused(&["cassette", "serve", &path, "--upstream", "http://127.0.0.1:9"], &FULL, "--mode record");
    refused(&[&record[..], &["--upstream", "127.0.0.1:9"]].concat(), &FULL, "no scheme");
    assert!(!std::path::Path::new(&path).exists());
    std::fs::write(&path, "somebody's\n").unwrap();
    refused(&asked, &FULL, "is there already");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody's\n");
}
