//! What a cassette refuses.

use std::process::Command;

use serde_json::{Value, json};
use veilspan::Policy;
use veilspan::event::{Message, Role};

use super::build::Host;
use super::runs::Served;

fn recorded(policy: Policy) -> Host {
    let host = Host::with(policy);
    let turn = host.recorder.turn("agent").rollout("r").start();
    let mut call = turn.inference("openai", "m").system("be brief").input("planted question").start();
    call.output(Message::text(Role::Assistant, "planted answer"));
    call.finish();
    turn.finish();
    host
}

async fn send(url: &str, body: String, headers: &[(&str, &str)]) -> (u16, String) {
    let mut request = reqwest::Client::new().post(url).body(body).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn what_was_not_recorded_is_refused_without_a_word_of_what_was() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&recorded(super::build::full()).write(folder.path()));
    let chat = format!("{}/chat/completions", served.url);
    let other = json!({"model": "m", "messages": [{"role": "user", "content": "another planted question"}]});
    for (body, status, kind) in [
        (other.to_string(), 422, "not_recorded"),
        ("{".to_owned(), 400, "invalid_request_error"),
        ("[]".to_owned(), 400, "invalid_request_error"),
        (json!({"model": "m"}).to_string(), 400, "invalid_request_error"),
    ] {
        let (told, text) = send(&chat, body, &[]).await;
        let error: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((told, &error["error"]["type"]), (status, &json!(kind)), "{text}");
        assert!(!text.contains("planted") && !text.contains("brief"), "{text}");
    }
    assert_eq!(send(&format!("{}/embeddings", served.url), "{}".to_owned(), &[]).await.0, 404);
    let log = served.stop();
    assert!(log.contains("no answer was recorded") && !log.contains("planted"), "{log}");
}

#[tokio::test]
async fn a_page_in_a_browser_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(&recorded(super::build::full()).write(folder.path()));
    let chat = format!("{}/chat/completions", served.url);
    for headers in
        [[("origin", "http://127.0.0.1")], [("host", "evil.example")], [("host", "127.0.0.1.evil.example:80")]]
    {
        assert_eq!(send(&chat, "{}".to_owned(), &headers).await.0, 403, "{headers:?}");
    }
    assert_eq!(send(&chat, "{}".to_owned(), &[("host", "localhost:1")]).await.0, 400);
}

#[test]
fn a_recording_without_content_and_an_address_of_others_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let digests = Policy::builder().unkeyed_sha256().build_in(&Default::default()).0;
    let path = recorded(digests).write(folder.path());
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_veilspan"))
            .args(["cassette", "serve"])
            .args(arguments)
            .env_clear()
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, log) = run(&[&path]);
    assert_eq!(code, Some(65));
    assert!(log.contains("VEILSPAN_CONTENT_MAX"), "{log}");
    let (code, log) = run(&[&path, "--listen", "0.0.0.0:0"]);
    assert_eq!(code, Some(64));
    assert!(log.contains("loopback"), "{log}");
    // Content that the reader's own policy holds back is not served.
    let full = recorded(super::build::full()).write(folder.path());
    assert_eq!(run(&[&full]).0, Some(65));
}
