//! An agent of rig's is recorded, its run taken up from a checkpoint, and goes on from there.

use tracing_subscriber::prelude::*;
use veilspan::replay::{Kept, RigHistory, restorable, restore};

use super::build::{Host, full};
use super::runs::Model;
use super::weather::{agent, model};

#[tokio::test]
async fn an_agent_of_rig_goes_on_from_where_its_run_was_restored() {
    let Model { url, requests } = model().await;
    let host = Host::with(full());
    let subscriber = tracing_subscriber::registry().with(host.recorder.layer());
    let guard = tracing::subscriber::set_default(subscriber);
    agent(&url).prompt("How warm is it in Oslo?").await.unwrap();
    drop(guard);
    let recording = host.recording();
    let last = recording.events().last().unwrap().at;
    let cut = veilspan::replay::Cut::behind(last).unwrap();
    let state = restorable(&recording, &cut.to_string()).unwrap();
    assert_eq!(state.kept, Kept::Whole, "{state:?}");

    let mut target = RigHistory::default();
    let restored = restore(&recording, &state, &mut target);
    assert_eq!((restored.taken_as, restored.error), ("rig", None));
    let history: Vec<rig::completion::Message> = serde_json::from_value(target.0.into()).unwrap();
    let before = requests.lock().unwrap().len();
    let answer = agent(&url).prompt("And tomorrow?").history(history).await.unwrap();
    let requests = requests.lock().unwrap();
    let sent = requests[before]["messages"].as_array().unwrap();
    let roles: Vec<_> = sent.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "assistant", "user"]);
    assert_eq!(sent[2]["tool_calls"][0]["function"]["name"], "look_up");
    assert!(sent[3]["content"].to_string().contains("7 degrees in Oslo"), "{sent:#?}");
    assert!(format!("{answer:?}").contains("answer after 6 messages"), "{answer:?}");
}
