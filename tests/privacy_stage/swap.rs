//! A policy that is swapped while the stage is at work.

use bytes::Bytes;
use prost::Message;
use veilspan::Policy;
use veilspan::otlp::assemble::patched;
use veilspan::otlp::{Look, Request};
use veilspan::processor::privacy::Privacy;

use super::build::{attribute, of_spans, span, text};

fn under(content: &str, more: &[(&str, &str)]) -> Policy {
    let environment = [("VEILSPAN_CONTENT", content)].into_iter().chain(more.iter().copied());
    Policy::builder().build_in(&environment.collect()).0
}

fn through(stage: &Privacy, said: &str) -> String {
    let call = span([
        attribute("gen_ai.operation.name", text("execute_tool")),
        attribute("gen_ai.tool.call.result", text(said)),
    ]);
    let request = Request::parse(Bytes::from(of_spans([call]).encode_to_vec()), Look::Inside).unwrap();
    let patches = stage.request(&request);
    String::from_utf8_lossy(&patched(&request, &patches).into_bytes()).into_owned()
}

#[test]
fn the_next_request_leaves_under_the_policy_that_was_set_last() {
    let stage = Privacy::new(under("masked", &[]));
    for (content, leaves) in [("masked", true), ("digest", false), ("preview", true), ("none", false), ("masked", true)]
    {
        stage.set_policy(under(content, &[]));
        assert!(stage.policy().snapshot().starts_with(&format!("content={content};")));
        assert_eq!(through(&stage, "the words").contains("the words"), leaves, "{content}");
    }
}

#[cfg(unix)]
#[test]
fn a_stage_keeps_long_content_whole_and_counts_what_it_cuts_and_masks() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("payloads");
    let more = [
        ("VEILSPAN_PAYLOADS", folder.to_str().unwrap()),
        ("VEILSPAN_ATTRIBUTE_BYTES", "500"),
        ("VEILSPAN_HASH_KEY", "0123456789abcdef0123456789abcdef"),
    ];
    let stage = Privacy::new(under("masked", &more));
    let key = "ghp_016C7f7e4b2c9D8a3F5e6B1d0A9c8E7f2a4b";
    let left = through(&stage, &format!("{} {key} the end", "word ".repeat(500)));
    assert!(left.contains("veilspan.tool.result.ref") && left.contains("gen_ai.tool.call.result_ref"));
    assert!(!left.contains(key) && !left.contains("the end"));
    let counts = stage.counts();
    assert_eq!((counts.texts_cut, counts.texts_masked), (1, 2), "the preview and the whole");
    for _ in 0..2000 {
        if stage.payload_counts().written == 1 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(stage.payload_counts().written, 1);
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = files.filter(|path| path.is_file()).collect();
    let whole = std::fs::read_to_string(&kept[0]).unwrap();
    assert_eq!(kept.len(), 1);
    assert!(whole.ends_with("the end") && whole.contains("[redacted:"));
    assert!(!whole.contains(key));
}
