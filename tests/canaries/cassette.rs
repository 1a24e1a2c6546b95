//! Through a cassette: what it refuses and what it logs, what it writes while it records, and what the commands say of that.

use serde_json::{Value, json};
use veilspan::Policy;
use veilspan::privacy::Level;
use veilspan::semconv::Field;

use super::policies::{every_level, without_ceiling};
use super::recorded::private;
use crate::runs::{FULL, Model, Says, Served, veilspan};
use crate::support::canaries::{Exits, Plants, Shape};

const PROMPTS: &[Field] = &[Field::Prompts];
const ANSWERS: &[Field] = &[Field::Completions];
const ARGUMENTS: &[Field] = &[Field::ToolArguments];
const RESULTS: &[Field] = &[Field::ToolResults];
const SYSTEM: &[Field] = &[Field::System];

/// A request with something planted wherever an agent says something, or a client names itself.
struct Asked {
    body: Value,
    headers: Vec<(&'static str, String)>,
}

impl Asked {
    fn new(plants: &mut Plants) -> Self {
        let arguments = json!({"path": plants.said(ARGUMENTS, "argument of a call")}).to_string();
        let call = json!({"id": "call_1", "type": "function", "function": {"name": "read", "arguments": arguments}});
        let body = json!({
            "model": plants.label("model"),
            "messages": [
                {"role": "system", "content": plants.said(SYSTEM, "instructions")},
                {"role": "user", "content": plants.said(PROMPTS, "question")},
                {"role": "assistant", "content": plants.said(PROMPTS, "earlier answer"), "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", "content": plants.said(RESULTS, "result")},
            ],
            "tools": [{"type": "function", "function": {"name": "read", "description": plants.said(SYSTEM, "tool")}}],
            "user": plants.hidden("member that nobody reads"),
        });
        let headers = ["authorization", "x-api-key", "x-anything", "user-agent"];
        // A header holds no lines.
        let header = |name: &'static str| (name, plants.hidden(name).replace('\n', " ").replace('ü', "u"));
        Self { body, headers: headers.map(header).into() }
    }

    async fn send(&self, url: &str) -> (u16, Vec<u8>) {
        let mut request = reqwest::Client::new().post(format!("{url}/chat/completions")).json(&self.body);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }
}

fn full() -> Policy {
    Policy::builder().content(Level::Full).build_in(&without_ceiling()).0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cassette_keeps_what_was_said_in_its_file_and_says_nothing_of_it_elsewhere() {
    let trace = [&FULL[..], &[("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")]].concat();
    for shape in Shape::ALL {
        let folder = private();
        let file = folder.path().join("recorded.jsonl").to_str().unwrap().to_owned();
        let mut plants = Plants::new(shape);
        let answer = plants.said(ANSWERS, "answer");
        let (asked, other) = (Asked::new(&mut plants), Asked::new(&mut plants));
        let model = Model::start(move |_| Says::Text(answer.clone())).await;
        let recording = Served::with(&[&file, "--mode", "record", "--upstream", &model.url], &trace);
        assert_eq!(asked.send(&recording.url).await.0, 200);
        let recorded = recording.stop();
        let unreachable = folder.path().join("unreachable.jsonl").to_str().unwrap().to_owned();
        let failing = ["--mode", "record", "--upstream", "http://127.0.0.1:9"];
        let recording = Served::with(&[&[&*unreachable], &failing[..]].concat(), &trace);
        let (status, failed) = asked.send(&recording.url).await;
        let unanswered = recording.stop();
        let served = Served::with(&[&file], &trace);
        let (refusal, refused) = other.send(&served.url).await;
        let given = asked.send(&served.url).await;
        let (exhausted, spent) = asked.send(&served.url).await;
        assert_eq!((status, refusal, given.0, exhausted), (502, 422, 200, 422));
        let serving = served.stop();

        let policy = full();
        let mut exits = Exits::of(&plants, &policy);
        for (exit, bytes) in [("a failure", &failed), ("a refusal", &refused), ("the last refusal", &spent)] {
            exits.silent(exit, bytes);
        }
        for (exit, log) in
            [("log of recording", recorded), ("of an upstream that is gone", unanswered), ("of serving", serving)]
        {
            exits.silent(exit, log.as_bytes());
        }
        exits.veiled("the file", &std::fs::read(&file).unwrap());
        exits.assert_kept();
        // What was said is there, and nothing else that was sent.
        assert_eq!(exits.seen().filter(|canary| canary.place == "question").count(), 1);
        read_again(&plants, &file);
    }
}

/// What the commands print and log of a file with content in it, under each level.
fn read_again(plants: &Plants, file: &str) {
    for policy in every_level() {
        let variables =
            [("VEILSPAN_CONTENT_MAX", "full"), ("VEILSPAN_CONTENT", policy.level().as_str()), ("RUST_LOG", "trace")];
        let mut exits = Exits::of(plants, &policy);
        let at = "2100-01-01T00:00:00Z";
        for command in [&["restore", file, "--at", at][..], &["replay", file], &["diff", file, file], &["reduce", file]]
        {
            let output = veilspan(command, &variables);
            exits.veiled(&format!("{command:?} prints"), &output.stdout);
            exits.named(&format!("{command:?} logs"), &output.stderr);
        }
        exits.assert_kept();
        let shown = match plants.shape() {
            Shape::Free => policy.level() >= Level::Preview,
            Shape::Label => true,
            Shape::Secret => policy.level() == Level::Full,
        };
        assert_eq!(exits.seen().next().is_some(), shown, "{:?} under {}", plants.shape(), policy.snapshot());
    }
}
