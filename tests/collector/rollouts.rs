//! What a program is told that asks a stage about rollouts: a real client, and a real stage in a process of its own.
#![cfg(all(feature = "cli", unix))]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use prost::Message as _;
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};
use veilspan::event::{Message, Role};
use veilspan::privacy::Key;
use veilspan::reduce::state_from_proto;
use veilspan::{Policy, Recorder};

use crate::build::*;
use crate::rollout_messages as v1;
use crate::support::authority::Authority;

const TOKEN: &str = "a-token-of-enough-characters";
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A stage in a process of its own.
struct Process {
    child: Child,
    traces: String,
    rollouts: Option<String>,
}

impl Process {
    /// One that keeps what it gets in a folder, where it looks for recordings too.
    fn start(folder: &Path, level: &str, rollouts: &str) -> Self {
        let config = folder.join("stage.yaml");
        std::fs::create_dir_all(folder.join("runs")).unwrap();
        let yaml = format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\"}}}}}}}}\n\
             processors: {{reduce: {{}}}}\n\
             exporters: {{file: {{path: \"${{env:FOLDER}}/runs/all.jsonl\"}}}}\n\
             service:\n{rollouts}  pipelines: {{traces: {{receivers: [otlp], processors: [reduce], exporters: [file]}}}}\n"
        );
        std::fs::write(&config, yaml).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_veilspan"))
            .args(["collector", "--config"])
            .arg(&config)
            .env_clear()
            .envs([("VEILSPAN_HASH_KEY", KEY), ("VEILSPAN_CONTENT", level), ("VEILSPAN_CONTENT_MAX", "full")])
            .envs([("STAGE_TOKEN", TOKEN), ("FOLDER", folder.to_str().unwrap())])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = said.find_map(|line| line.ok().filter(|line| line.contains("otlp/grpc="))).expect("it is ready");
        let at = |name: &str| Some(ready.split_once(name)?.1.split(['"', ' ']).next()?.to_owned());
        let (traces, rollouts) = (at("otlp/grpc=").unwrap(), at("rollouts/grpc="));
        // Nobody may be stopped by a pipe that is full.
        std::thread::spawn(move || said.for_each(drop));
        Self { child, traces, rollouts }
    }

    async fn channel(&self) -> Channel {
        let url = format!("http://{}", self.rollouts.as_ref().expect("it listens"));
        Endpoint::from_shared(url).unwrap().connect().await.unwrap()
    }

    async fn ask<Q, A>(&self, method: &str, question: Q) -> Result<A, Status>
    where
        Q: prost::Message + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        self.ask_with(method, question, Some(TOKEN), None).await
    }

    async fn ask_with<Q, A>(
        &self,
        method: &str,
        question: Q,
        token: Option<&str>,
        timeout: Option<&'static str>,
    ) -> Result<A, Status>
    where
        Q: prost::Message + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        let mut grpc = tonic::client::Grpc::new(self.channel().await);
        grpc.ready().await.unwrap();
        let mut request = Request::new(question);
        if let Some(token) = token {
            let value: MetadataValue<_> = format!("Bearer {token}").parse().unwrap();
            request.metadata_mut().insert("authorization", value);
        }
        if let Some(timeout) = timeout {
            request.metadata_mut().insert("grpc-timeout", MetadataValue::from_static(timeout));
        }
        let path = format!("/veilspan.v1.RolloutService/{method}").parse().unwrap();
        let codec = tonic_prost::ProstCodec::<Q, A>::default();
        grpc.unary(request, path, codec).await.map(tonic::Response::into_inner)
    }

    /// An agent that was asked something, searches, and answers with what it has found.
    fn run(&self, rollout: &str, found: &str) {
        let key = Key::new(KEY.as_bytes().to_vec(), None).unwrap();
        let full = [("VEILSPAN_CONTENT", "full"), ("VEILSPAN_CONTENT_MAX", "full")].into_iter().collect();
        let policy = Policy::builder().key(key).build_in(&full).0;
        let mut config = veilspan::export::ExporterConfig::default();
        config.endpoint = format!("http://{}", self.traces);
        let recorder = Recorder::exporting(&config, policy).unwrap();
        let mut turn = recorder.turn("planner").rollout(rollout).start();
        turn.ends_rollout();
        let mut asked = turn.inference("openai", "m").input("the canary of a question").start();
        asked.output(Message::text(Role::Assistant, "I will search"));
        asked.finish();
        let mut tool = turn.tool("search").arguments("{}").start();
        tool.result(found);
        tool.finish();
        turn.checkpoint("cp").state(r#"{"own":"canary"}"#).record();
        turn.finish();
        assert!(recorder.shutdown(SOON).complete);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const OPEN: &str = "  rollouts: {endpoint: \"127.0.0.1:0\", auth: {bearer_token: \"${env:STAGE_TOKEN}\"}, recordings: \"${env:FOLDER}/runs\"}\n";

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

async fn with_two_runs(folder: &Path, level: &str) -> Process {
    let stage = Process::start(folder, level, OPEN);
    tokio::task::spawn_blocking(move || {
        stage.run("base", "one canary");
        stage.run("changed", "another canary");
        stage
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_listed_page_by_page_and_told_whole() {
    let folder = tempfile::tempdir().unwrap();
    let stage = with_two_runs(folder.path(), "digest").await;
    for source in ["live", "recorded"] {
        let (mut found, mut token, mut pages) = (Vec::new(), None, 0);
        loop {
            let question = v1::ListRequest { page_size: Some(1), page_token: token, source: some(source) };
            let page: v1::ListResponse = stage.ask("ListRollouts", question).await.unwrap();
            assert!(page.rollouts.len() <= 1, "{page:?}");
            found.extend(page.rollouts);
            pages += 1;
            token = page.next_page_token;
            if token.is_none() || pages > 5 {
                break;
            }
        }
        let names: Vec<_> = found.iter().map(|one| one.rollout.as_deref().unwrap()).collect();
        assert_eq!((names, pages), (vec!["base", "changed"], 2), "{source}");
        assert!(found.iter().all(|one| one.source.as_deref() == Some(source)));
        assert!(found.iter().all(|one| one.agent.as_deref() == Some("planner")));
        let totals = found[0].totals.as_ref().unwrap();
        assert_eq!((totals.turns, totals.tool_calls), (Some(1), Some(1)));
        let question = v1::GetRequest { rollout: some("base"), source: some(source) };
        let told: v1::GetResponse = stage.ask("GetRollout", question).await.unwrap();
        let state = state_from_proto(&told.rollout.unwrap()).unwrap();
        assert_eq!((&state["rollout"], told.source.as_deref()), (&"base".into(), Some(source)));
        assert_eq!(state["threads"][0]["turns"].as_array().unwrap().len(), 1);
        assert!(!state.to_string().contains("canary"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rollouts_are_compared_and_one_is_restored_with_its_replay_and_drift() {
    let folder = tempfile::tempdir().unwrap();
    let stage = with_two_runs(folder.path(), "full").await;
    let source = some("recorded");
    let question = v1::DiffRequest { baseline: some("base"), candidate: some("changed"), source, ..Default::default() };
    let told: v1::DiffResponse = stage.ask("DiffRollouts", question.clone()).await.unwrap();
    let drift = told.drift.unwrap();
    assert_eq!((drift.verdict.as_deref(), told.next_page_token), (Some("drift"), None));
    let drifted: Vec<_> = drift.differences.iter().filter(|one| one.kind.as_deref() == Some("result")).collect();
    assert_eq!((drifted.len(), drifted[0].name.as_deref(), drifted[0].position.len()), (1, Some("search"), 2));
    assert_eq!(drift.differences_count, Some(drift.differences.len() as u64));
    let question = v1::DiffRequest { candidate: some("base"), ..question };
    let same: v1::DiffResponse = stage.ask("DiffRollouts", question).await.unwrap();
    assert_eq!(same.drift.unwrap().verdict.as_deref(), Some("same"));

    let question = v1::RestoreRequest {
        rollout: some("changed"),
        at: some("time=2100-01-01T00:00:00Z"),
        replay_events: Some(true),
        track_drift: Some(true),
        baseline: some("base"),
        source: None,
    };
    let told: v1::RestoreResponse = stage.ask("RestoreRollout", question.clone()).await.unwrap();
    assert_eq!((told.replayed_events_count, told.drift_detected), (Some(0), Some(true)), "nothing came after that");
    let state = told.state.unwrap();
    assert_eq!((state.rollout.as_deref(), state.content.as_deref()), (Some("changed"), Some("whole")));
    assert!(state.messages.concat().contains("the canary of a question"), "{state:?}");
    // From the start on all of it is told again. Without a baseline nothing can be concluded.
    let first = told_at(&stage).await;
    let question = v1::RestoreRequest { at: Some(first), baseline: None, ..question };
    let told: v1::RestoreResponse = stage.ask("RestoreRollout", question.clone()).await.unwrap();
    assert!(told.replayed_events_count > Some(2), "{told:?}");
    assert_eq!((told.drift_detected, told.drift.unwrap().unsure), (Some(false), vec!["no-baseline".to_owned()]));
    let question = v1::RestoreRequest { replay_events: None, track_drift: None, ..question };
    let told: v1::RestoreResponse = stage.ask("RestoreRollout", question).await.unwrap();
    assert_eq!((told.replayed_events_count, told.drift_detected, told.drift), (None, None, None));
}

/// A cut right behind the begin of the changed run.
async fn told_at(stage: &Process) -> String {
    let question = v1::GetRequest { rollout: some("changed"), source: some("recorded") };
    let told: v1::GetResponse = stage.ask("GetRollout", question).await.unwrap();
    let state = state_from_proto(&told.rollout.unwrap()).unwrap();
    let started = &state["threads"][0]["turns"][0]["segments"][0]["started"];
    format!("{}={}", started["producer"].as_str().unwrap(), started["seq"])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_policy_keeps_back_is_not_restored() {
    let folder = tempfile::tempdir().unwrap();
    let stage = with_two_runs(folder.path(), "digest").await;
    let question =
        v1::RestoreRequest { rollout: some("base"), at: some("time=2100-01-01T00:00:00Z"), ..Default::default() };
    let told: v1::RestoreResponse = stage.ask("RestoreRollout", question).await.unwrap();
    assert!(!String::from_utf8_lossy(&told.encode_to_vec()).contains("canary"));
    let state = told.state.unwrap();
    assert_eq!((state.content.as_deref(), state.messages.len()), (Some("nothing"), 0));
    assert!(!state.items.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_credential_or_asks_for_nothing_that_is_there_is_told_so_without_a_value() {
    let folder = tempfile::tempdir().unwrap();
    let stage = with_two_runs(folder.path(), "digest").await;
    let list = || v1::ListRequest::default();
    for token in [None, Some("another-token-of-enough-characters")] {
        let refused = stage.ask_with::<_, v1::ListResponse>("ListRollouts", list(), token, None).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated);
    }
    let get = |rollout: &str| v1::GetRequest { rollout: some(rollout), source: None };
    let restore = |at: &str| v1::RestoreRequest { rollout: some("base"), at: some(at), ..Default::default() };
    let refused = [
        (stage.ask::<_, v1::GetResponse>("GetRollout", get("canary")).await.unwrap_err(), Code::NotFound),
        (stage.ask::<_, v1::GetResponse>("GetRollout", get("")).await.unwrap_err(), Code::InvalidArgument),
        (
            stage.ask::<_, v1::RestoreResponse>("RestoreRollout", restore("canary")).await.unwrap_err(),
            Code::InvalidArgument,
        ),
        (stage.ask::<_, v1::GetResponse>("Canary", get("base")).await.unwrap_err(), Code::Unimplemented),
        (
            stage
                .ask::<_, v1::ListResponse>("ListRollouts", v1::ListRequest { page_token: some("canary"), ..list() })
                .await
                .unwrap_err(),
            Code::InvalidArgument,
        ),
        (
            stage
                .ask::<_, v1::ListResponse>("ListRollouts", v1::ListRequest { source: some("canary"), ..list() })
                .await
                .unwrap_err(),
            Code::InvalidArgument,
        ),
        // A message of another type: its first field is a text where a number should be.
        (
            stage
                .ask::<_, v1::ListResponse>(
                    "ListRollouts",
                    v1::Difference { kind: some("canary"), ..Default::default() },
                )
                .await
                .unwrap_err(),
            Code::InvalidArgument,
        ),
    ];
    for (status, code) in refused {
        assert_eq!(status.code(), code, "{status}");
        assert!(!status.message().contains("canary"), "{status}");
    }
    assert_eq!(Process::start(folder.path(), "digest", "").rollouts, None, "it is off unless it is asked for");
    let alone = "  rollouts: {endpoint: \"127.0.0.1:0\", auth: {bearer_token: \"${env:STAGE_TOKEN}\"}}\n";
    let stage = Process::start(folder.path(), "digest", alone);
    let refused = stage.ask::<_, v1::RestoreResponse>("RestoreRollout", restore("time=2100-01-01T00:00:00Z")).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reduction_holds_is_restored_too_without_what_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let alone = "  rollouts: {endpoint: \"127.0.0.1:0\", auth: {bearer_token: \"${env:STAGE_TOKEN}\"}}\n";
    let live = Process::start(folder.path(), "full", alone);
    let live = tokio::task::spawn_blocking(move || {
        live.run("base", "one canary");
        live
    });
    let live = live.await.unwrap();
    let question = |source: Option<&str>| v1::RestoreRequest {
        rollout: some("base"),
        at: some("cp"),
        replay_events: Some(true),
        track_drift: Some(true),
        baseline: some("base"),
        source: source.map(str::to_owned),
    };
    for source in [None, Some("live")] {
        let told: v1::RestoreResponse = live.ask("RestoreRollout", question(source)).await.unwrap();
        assert!(!String::from_utf8_lossy(&told.encode_to_vec()).contains("canary"));
        assert_eq!((told.source.as_deref(), told.replayed_events_count), (Some("live"), Some(1)), "the turn's end");
        let state = told.state.unwrap();
        assert_eq!((state.content.as_deref(), state.messages.len(), state.items.len()), (Some("nothing"), 0, 3));
        let data = state.data.unwrap();
        assert_eq!((data.digest.is_some(), data.content.as_deref(), data.value), (true, Some("nothing"), None));
        // It may go on.
        assert_eq!(told.drift.unwrap().verdict.as_deref(), Some("inconclusive"));
    }
    let refused = live.ask::<_, v1::RestoreResponse>("RestoreRollout", question(Some("recorded"))).await;
    assert_eq!(refused.unwrap_err().code(), Code::NotFound);
    drop(live);
    // Where it was recorded as well, that is what has content, the agent's own data included.
    let both = Process::start(folder.path(), "full", OPEN);
    let told: v1::RestoreResponse = both.ask("RestoreRollout", question(None)).await.unwrap();
    assert_eq!(told.source.as_deref(), Some("recorded"));
    let state = told.state.unwrap();
    assert_eq!((state.content.as_deref(), state.messages.len()), (Some("whole"), 3));
    let data = state.data.unwrap();
    assert_eq!((data.content.as_deref(), data.value.as_deref()), (Some("whole"), Some(r#"{"own":"canary"}"#)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_ends_when_its_caller_waits_no_longer_and_leaves_room_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let stage = with_two_runs(folder.path(), "digest").await;
    let lines = std::fs::read(folder.path().join("runs/all.jsonl")).unwrap();
    std::fs::write(folder.path().join("runs/much.jsonl"), lines.repeat(4_000)).unwrap();
    let list = || v1::ListRequest { source: some("recorded"), ..Default::default() };
    for _ in 0..4 {
        let late = stage.ask_with::<_, v1::ListResponse>("ListRollouts", list(), Some(TOKEN), Some("1m")).await;
        let code = late.unwrap_err().code();
        // That of a question before may be ending.
        assert!(matches!(code, Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled), "{code:?}");
    }
    std::fs::remove_file(folder.path().join("runs/much.jsonl")).unwrap();
    let begun = std::time::Instant::now();
    while let Err(refused) = stage.ask::<_, v1::ListResponse>("ListRollouts", list()).await {
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(begun.elapsed() < SOON, "room is never made again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_service_answers_who_trusts_it_and_in_plain_text_nobody() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    authority.sign("localhost");
    let secured = format!(
        "  rollouts: {{endpoint: \"127.0.0.1:0\", auth: {{bearer_token: \"${{env:STAGE_TOKEN}}\"}}, \
         tls: {{cert_file: \"{}\", key_file: \"{}\"}}}}\n",
        authority.path("localhost.pem"),
        authority.path("localhost.key"),
    );
    let stage = Process::start(folder.path(), "digest", &secured);
    let port = stage.rollouts.as_ref().unwrap().rsplit(':').next().unwrap().to_owned();
    let plain = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap().connect().await;
    let list = |channel, token: &'static str| async move {
        let mut grpc = tonic::client::Grpc::new(channel);
        grpc.ready().await.map_err(|_| Code::Unavailable)?;
        let mut request = Request::new(v1::ListRequest::default());
        request.metadata_mut().insert("authorization", MetadataValue::try_from(format!("Bearer {token}")).unwrap());
        let codec = tonic_prost::ProstCodec::<v1::ListRequest, v1::ListResponse>::default();
        let path = "/veilspan.v1.RolloutService/ListRollouts".parse().unwrap();
        grpc.unary(request, path, codec).await.map(drop).map_err(|status| status.code())
    };
    if let Ok(channel) = plain {
        assert!(list(channel, TOKEN).await.is_err(), "it is spoken to in plain text");
    }
    let channel = |trusted: &Authority| {
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(trusted.pem()));
        Endpoint::from_shared(format!("https://localhost:{port}")).unwrap().tls_config(tls).unwrap().connect_lazy()
    };
    assert_eq!(list(channel(&authority), TOKEN).await, Ok(()));
    let other = list(channel(&authority), "another-token-of-enough-characters").await;
    assert_eq!(other, Err(Code::Unauthenticated));
    assert_eq!(list(channel(&Authority::new()), TOKEN).await, Err(Code::Unavailable), "nobody it trusts has signed it");
}
