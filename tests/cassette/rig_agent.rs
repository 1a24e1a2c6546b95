//! An agent of rig's asks a cassette in its model's place.

use super::runs::{Model, Served};
use super::weather::{agent, model};

#[tokio::test]
async fn an_agent_of_rig_is_answered_by_what_its_model_was_recorded_to_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recorded.jsonl").to_str().unwrap().to_owned();
    let Model { url, requests } = model().await;
    let recording = Served::recording(&path, &url);
    let first = agent(&recording.url).prompt("How warm is it in Oslo?").await.unwrap();
    assert!(recording.stop().contains("calls=2"));
    let asked = requests.lock().unwrap().len();
    assert_eq!(asked, 2, "for the tool, and for the answer");
    let served = Served::start(&path);
    let again = agent(&served.url).prompt("How warm is it in Oslo?").await.unwrap();
    assert_eq!(format!("{again:?}"), format!("{first:?}"));
    assert_eq!(requests.lock().unwrap().len(), asked, "nobody else was asked");
    // What it was not recorded to be asked it does not answer.
    assert!(agent(&served.url).prompt("And in Rome?").await.is_err());
}
