//! The three APIs, whole and streamed, to real clients.

use futures_util::StreamExt;
use genai::adapter::AdapterKind;
use genai::chat::{ChatOptions, ChatRequest, ChatStreamEvent};
use genai::resolver::{AuthData, Endpoint, ServiceTargetResolver};
use genai::{Client, ModelIden, ServiceTarget};
use serde_json::{Value, json};
use veilspan::event::{Message, Part, Role};

use super::build::Host;
use super::runs::Served;

/// A run of one question, answered `times` times, each time with another number.
fn recorded(times: usize) -> Host {
    let host = Host::new();
    let turn = host.recorder.turn("agent").rollout("r").start();
    for time in 0..times {
        let question = vec![Message::text(Role::User, "how warm is it?")];
        let mut call = turn.inference("openai", "m").input(question).start();
        let parts = vec![
            Part::Reasoning("let me see".into()),
            Part::Text(format!("it is {time} degrees").into()),
            Part::ToolCall {
                id: Some("call_1".into()),
                name: "look_up".into(),
                arguments: r#"{"city":"Oslo"}"#.into(),
            },
        ];
        call.output(Message { role: Role::Assistant, parts }).finish_reason("tool_calls").tokens(9, 4);
        call.finish();
    }
    turn.finish();
    host
}

async fn post(served: &Served, path: &str, body: &Value) -> (u16, Value) {
    let response = reqwest::Client::new().post(format!("{}{path}", served.url)).json(body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn events(served: &Served, path: &str, body: &Value) -> Vec<Value> {
    let response = reqwest::Client::new().post(format!("{}{path}", served.url)).json(body).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.text().await.unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn chat() -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "how warm is it?"}]})
}

fn responses() -> Value {
    json!({"model": "m", "input": [{"role": "user", "content": [{"type": "input_text", "text": "how warm is it?"}]}]})
}

fn anthropic() -> Value {
    json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "text", "text": "how warm is it?"}]}]})
}

fn streamed(mut body: Value) -> Value {
    body["stream"] = true.into();
    body
}

#[tokio::test]
async fn a_recorded_answer_is_given_in_the_shape_of_each_api() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&recorded(3).write(folder.path()));
    let (status, body) = post(&served, "/chat/completions", &chat()).await;
    let message = &body["choices"][0]["message"];
    assert_eq!((status, &message["content"]), (200, &json!("it is 0 degrees")), "{body}");
    assert_eq!(message["tool_calls"][0]["function"], json!({"name": "look_up", "arguments": r#"{"city":"Oslo"}"#}));
    assert_eq!(
        (&body["choices"][0]["finish_reason"], &body["usage"]["total_tokens"]),
        (&json!("tool_calls"), &json!(13))
    );
    let (status, body) = post(&served, "/responses", &responses()).await;
    let kinds: Vec<_> = body["output"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!((status, kinds), (200, vec!["reasoning", "message", "function_call"]));
    assert_eq!(body["output"][1]["content"][0]["text"], "it is 1 degrees");
    let (status, body) = post(&served, "/messages", &anthropic()).await;
    let kinds: Vec<_> =
        body["content"].as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap()).collect();
    assert_eq!((status, kinds), (200, vec!["thinking", "text", "tool_use"]));
    assert_eq!((&body["stop_reason"], &body["content"][2]["input"]), (&json!("tool_use"), &json!({"city": "Oslo"})));
    assert_eq!(body["content"][1]["text"], "it is 2 degrees");
}

#[tokio::test]
async fn a_streamed_answer_adds_up_to_the_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&recorded(3).write(folder.path()));
    let text = |events: &[Value], pointer: &str| -> String {
        events.iter().filter_map(|event| event.pointer(pointer)?.as_str()).collect()
    };
    let of = |events: &[Value], kind: &str| -> Vec<Value> {
        events.iter().filter(|event| event["type"] == kind).cloned().collect()
    };
    let mut body = streamed(chat());
    body["stream_options"] = json!({"include_usage": true});
    let chunks = events(&served, "/chat/completions", &body).await;
    assert_eq!(text(&chunks, "/choices/0/delta/content"), "it is 0 degrees");
    assert_eq!(text(&chunks, "/choices/0/delta/tool_calls/0/function/arguments"), r#"{"city":"Oslo"}"#);
    assert_eq!(text(&chunks, "/choices/0/finish_reason"), "tool_calls");
    assert_eq!(chunks.last().unwrap()["usage"]["prompt_tokens"], 9);
    let told = events(&served, "/responses", &streamed(responses())).await;
    assert_eq!(text(&of(&told, "response.output_text.delta"), "/delta"), "it is 1 degrees");
    assert_eq!(text(&of(&told, "response.function_call_arguments.delta"), "/delta"), r#"{"city":"Oslo"}"#);
    let last = told.last().unwrap();
    assert_eq!(
        (&last["type"], last["response"]["output"].as_array().unwrap().len()),
        (&json!("response.completed"), 3)
    );
    let told = events(&served, "/messages", &streamed(anthropic())).await;
    assert_eq!(text(&told, "/delta/text"), "it is 2 degrees");
    assert_eq!(text(&told, "/delta/partial_json"), r#"{"city":"Oslo"}"#);
    assert_eq!((&told[0]["type"], &told.last().unwrap()["type"]), (&json!("message_start"), &json!("message_stop")));
}

#[tokio::test]
async fn the_genai_client_reads_a_recorded_answer_whole_and_streamed_over_each_api() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&recorded(6).write(folder.path()));
    let mut given = 0;
    for kind in [AdapterKind::OpenAI, AdapterKind::OpenAIResp, AdapterKind::Anthropic] {
        let url = format!("{}/", served.url);
        let resolver = ServiceTargetResolver::from_resolver_fn(move |target: ServiceTarget| {
            Ok(ServiceTarget {
                endpoint: Endpoint::from_owned(url.clone()),
                auth: AuthData::from_single("no key"),
                model: ModelIden::new(kind, target.model.model_name),
            })
        });
        let client = Client::builder().with_service_target_resolver(resolver).build().unwrap();
        let request = || ChatRequest::from_user("how warm is it?");
        let answer = client.exec_chat("gpt-4o-mini", request(), None).await.unwrap();
        assert_eq!(answer.first_text(), Some(&*format!("it is {given} degrees")), "{kind:?}");
        let call = answer.tool_calls()[0];
        assert_eq!((&*call.fn_name, &call.fn_arguments), ("look_up", &json!({"city": "Oslo"})), "{kind:?}");
        assert_eq!((answer.usage.prompt_tokens, answer.usage.completion_tokens), (Some(9), Some(4)), "{kind:?}");
        let options = ChatOptions::default().with_capture_tool_calls(true);
        let mut stream = client.exec_chat_stream("gpt-4o-mini", request(), Some(&options)).await.unwrap().stream;
        let (mut text, mut calls) = (String::new(), Vec::new());
        while let Some(event) = stream.next().await {
            match event.unwrap() {
                ChatStreamEvent::Chunk(chunk) => text.push_str(&chunk.content),
                ChatStreamEvent::End(end) => calls.extend(end.captured_into_tool_calls().unwrap_or_default()),
                _ => {}
            }
        }
        assert_eq!(text, format!("it is {} degrees", given + 1), "{kind:?}");
        assert_eq!(calls.iter().map(|call| &*call.fn_name).collect::<Vec<_>>(), ["look_up"], "{kind:?}");
        given += 2;
    }
}

#[tokio::test]
async fn the_nth_equal_request_gets_the_nth_answer_and_then_none() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&recorded(2).write(folder.path()));
    for number in 0..2 {
        let (_, body) = post(&served, "/chat/completions", &chat()).await;
        assert_eq!(body["choices"][0]["message"]["content"], format!("it is {number} degrees"));
    }
    let (status, body) = post(&served, "/chat/completions", &chat()).await;
    assert_eq!((status, &body["error"]["type"]), (422, &json!("recording_exhausted")));
}
