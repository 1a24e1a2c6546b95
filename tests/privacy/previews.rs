//! Previews, and what stands for them.

use veilspan::Policy;
use veilspan::environment::Environment;
use veilspan::event::Given;
use veilspan::privacy::Level;

use super::recorded::{conversation, inference, policy, recorded, tool};

fn preview_of(policy: Policy, text: &str) -> Option<String> {
    let calls = recorded(policy, |recorder| recorder.inference("p", "m").input(text).start().finish());
    let Given::Request(input) = &calls[0].given else { panic!("a request") };
    assert!(calls[0].closed.error.shown.is_nothing());
    input.shown.preview().map(|preview| preview.to_string())
}

fn arguments_preview_of(policy: Policy, text: &str) -> Option<String> {
    let calls = recorded(policy, |recorder| recorder.tool("t").arguments(text).start().finish());
    tool(&calls).0.shown.preview().map(|preview| preview.to_string())
}

#[test]
fn r21_privacy_on_off_redacted() {
    let under = |word| preview_of(policy(&[("VEILSPAN_CONTENT", word)]), "secret prompt");
    assert_eq!(under("on").as_deref(), Some("secret prompt"));
    assert_eq!(under("redacted").as_deref(), Some("<redacted len=13>"));
    for without in ["off", "none", "digest", "nonsense"] {
        assert_eq!(under(without), None, "{without}");
    }
    let calls = recorded(policy(&[("VEILSPAN_CONTENT", "off")]), |recorder| {
        recorder.inference("p", "m").input("secret prompt").start().finish();
    });
    let (input, _) = inference(&calls);
    assert!(input.items[0].digest.is_some() && input.items[0].length == Some(13));
}

#[test]
fn r23_what_code_says_stands_above_the_environment() {
    let environment = |word: &str| -> Environment { [("VEILSPAN_CONTENT", word)].into_iter().collect() };
    let (on, _) = Policy::builder().content("on").build_in(&environment("off"));
    assert_eq!(preview_of(on, "text").as_deref(), Some("text"));
    let (off, _) = Policy::builder().content("off").build_in(&environment("redacted"));
    assert_eq!(preview_of(off, "text"), None);
    let (short, _) = Policy::builder().content(Level::Preview).preview_chars(3).build_in(&environment("redacted"));
    assert_eq!(preview_of(short, "abcdef").as_deref(), Some("abc… <truncated len=3>"));
}

#[test]
fn r28_a_cap_of_zero_leaves_no_preview() {
    for word in ["on", "redacted"] {
        let none = policy(&[("VEILSPAN_CONTENT", word), ("VEILSPAN_PREVIEW_CHARS", "0")]);
        assert_eq!(preview_of(none, "text"), None);
    }
}

#[test]
fn r29_and_r30_no_cap_raises_the_hard_caps_of_messages_and_tools() {
    let on = |chars| policy(&[("VEILSPAN_CONTENT", "on"), ("VEILSPAN_PREVIEW_CHARS", chars)]);
    let long = "x".repeat(9000);
    let prompt = preview_of(on("1000"), &"x".repeat(2000)).unwrap();
    assert_eq!(prompt, format!("{}… <truncated len=1000>", "x".repeat(1000)));
    for chars in ["9000", "10000", "99999999999"] {
        assert_eq!(preview_of(on(chars), &long).unwrap(), format!("{}… <truncated len=4904>", "x".repeat(4096)));
        let tool = arguments_preview_of(on(chars), &long).unwrap();
        assert_eq!(tool, format!("{}… <truncated len=7976>", "x".repeat(1024)));
    }
    let (by_code, _) =
        Policy::builder().content(Level::Preview).preview_chars(usize::MAX).build_in(&Environment::default());
    assert_eq!(preview_of(by_code, &long).unwrap().chars().filter(|char| *char == 'x').count(), 4096);
}

#[test]
fn r31_the_unit_of_lengths_is_the_same_in_marker_and_placeholder() {
    let text = "ü👨‍👩‍👧‍👦".repeat(100);
    let placeholder = preview_of(policy(&[("VEILSPAN_CONTENT", "redacted")]), &text).unwrap();
    assert_eq!(placeholder, format!("<redacted len={}>", text.chars().count()));
    let cut = preview_of(policy(&[("VEILSPAN_CONTENT", "on"), ("VEILSPAN_PREVIEW_CHARS", "20")]), &text).unwrap();
    let (kept, marker) = cut.split_once('…').unwrap();
    assert_eq!(kept, "ü👨‍👩‍👧‍👦ü👨‍👩‍👧‍👦ü");
    assert_eq!(marker, format!(" <truncated len={}>", text.chars().count() - kept.chars().count()));
}

#[test]
fn r32_the_digest_is_of_the_whole_text_in_every_mode() {
    let [a, b] = ["a", "b"].map(|end| format!("{}{end}", "x".repeat(10_000)));
    let told = |word: &str, text: &str| {
        let calls = recorded(policy(&[("VEILSPAN_CONTENT", word)]), |recorder| {
            recorder.inference("p", "m").input(text).start().finish();
        });
        let (input, _) = inference(&calls);
        (input.shown.preview().cloned(), input.items[0].digest.unwrap())
    };
    assert_eq!(told("on", &a).0, told("on", &b).0);
    assert_ne!(told("on", &a).1, told("on", &b).1);
    for word in ["off", "redacted", "masked"] {
        assert_eq!(told(word, &a).1, told("on", &a).1);
    }
}

#[test]
fn a_person_sees_what_was_asked_and_answered_last_and_no_scaffolding() {
    let calls = recorded(policy(&[("VEILSPAN_CONTENT", "preview")]), conversation);
    let (input, output) = inference(&calls);
    assert_eq!(&**input.shown.preview().unwrap(), "the last question");
    assert_eq!(&**output.shown.preview().unwrap(), "the last answer");
    assert_eq!(&**input.system.shown.preview().unwrap(), "the system text");
    let (arguments, result) = tool(&calls);
    assert_eq!(&**arguments.shown.preview().unwrap(), r#"{"city": "the arguments"}"#);
    assert_eq!(&**result.shown.preview().unwrap(), "the tool result");
    for shown in [&input.shown, &output.shown, &input.system.shown, &input.tools_shown, &arguments.shown] {
        assert!(shown.content().is_none() && shown.reference().is_none());
    }
}

#[test]
fn a_text_is_masked_before_it_is_cut() {
    let key = "ghp_016C7f7e4b2c9D8a3F5e6B1d0A9c8E7f2a4b";
    for before in [200, 240, 250] {
        let text = format!("{} {key} and more {}", "x".repeat(before), "y".repeat(1000));
        let shown = preview_of(policy(&[("VEILSPAN_CONTENT", "on")]), &text).unwrap();
        assert!(!shown.contains("ghp_0"), "{shown}");
    }
}

#[test]
fn a_placeholder_is_never_mistaken_for_one_that_was_said() {
    let said = "<redacted len=1> is what I say";
    let shown = preview_of(policy(&[("VEILSPAN_CONTENT", "redacted")]), said).unwrap();
    assert_eq!(shown, format!("<redacted len={}>", said.chars().count()));
    let said = "<redacted len=999>";
    assert_eq!(preview_of(policy(&[("VEILSPAN_CONTENT", "redacted")]), said).unwrap(), "<redacted len=18>");
}
