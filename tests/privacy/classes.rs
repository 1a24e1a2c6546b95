//! Each class of content leaves by its own level, wherever it stands.

use veilspan::event::{CallRecord, Veiled};
use veilspan::otlp::encode::Encoder;
use veilspan::privacy::Level;
use veilspan::semconv::Field;
use veilspan::{Policy, environment::Environment};

use super::recorded::{conversation, inference, recorded, tool};

/// What stands in the conversation, and the classes that it belongs to.
const SAID: &[(&str, &[Field])] = &[
    ("the system text", &[Field::System]),
    ("the tool description", &[Field::System]),
    ("the first question", &[Field::Prompts]),
    ("the first answer", &[Field::Prompts, Field::Completions]),
    ("the reasoning", &[Field::Prompts, Field::Completions, Field::Reasoning]),
    ("the last question", &[Field::Prompts]),
    ("the last answer", &[Field::Completions]),
    ("the answer's reasoning", &[Field::Completions, Field::Reasoning]),
    ("the answer's arguments", &[Field::Completions, Field::ToolArguments]),
    ("the arguments", &[Field::ToolArguments]),
    ("the tool result", &[Field::ToolResults]),
];

fn bytes(calls: &[CallRecord<Veiled>]) -> String {
    let mut bytes = Vec::new();
    calls.iter().for_each(|call| Encoder::default().span(call, &mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn policy(general: Level, class: Field, level: Level) -> Policy {
    let environment: Environment =
        [("VEILSPAN_CONTENT_MAX", "full"), ("VEILSPAN_HASH", "sha256")].into_iter().collect();
    Policy::builder().content(general).class(class, level).build_in(&environment).0
}

#[test]
fn whole_content_is_shown_where_all_of_its_classes_allow_and_nowhere_else() {
    for general in Level::ALL {
        for class in Field::ALL {
            for level in Level::ALL {
                let policy = policy(general, class, level);
                let wire = bytes(&recorded(policy.clone(), conversation));
                for (said, classes) in SAID {
                    let least = policy.levels().of_all(classes);
                    let shown = wire.contains(said);
                    if least >= Level::Masked {
                        assert!(shown, "{said} with {} under {general}, {class:?} {level}", least);
                    }
                    if least < Level::Preview {
                        assert!(!shown, "{said} under {general}, {class:?} {level}");
                    }
                }
            }
        }
    }
}

#[test]
fn of_a_class_at_none_neither_digest_nor_length_is_told() {
    for class in Field::ALL {
        let policy = policy(Level::Digest, class, Level::None);
        let calls = recorded(policy, conversation);
        let (input, output) = inference(&calls);
        let (arguments, result) = tool(&calls);
        let told = |class_is: Field, told: bool| assert_eq!(told, class != class_is, "{class_is:?} under {class:?}");
        told(Field::System, input.system.digest.is_some() && input.system.length.is_some() && input.tools.is_some());
        told(Field::Prompts, !input.items.is_empty());
        told(Field::Completions, !output.items.is_empty());
        told(Field::ToolArguments, arguments.digest.is_some() && arguments.length.is_some());
        told(Field::ToolResults, result.digest.is_some() && result.length.is_some());
        // A chain and a message are digests of all that they are made of.
        let whole = matches!(class, Field::Errors);
        assert_eq!(input.chain.is_some(), whole, "{class:?}");
        if class == Field::Reasoning {
            assert_eq!(input.items[1].digest.or(output.items[0].digest), None);
            assert_eq!(input.items[1].length.or(output.items[0].length), None);
            assert!(input.items[0].digest.is_some());
        }
    }
}

#[test]
fn at_none_a_call_tells_its_labels_and_numbers_alone() {
    let none = Policy::builder().content(Level::None).build_in(&Environment::default()).0;
    let calls = recorded(none, conversation);
    let (input, output) = inference(&calls);
    assert_eq!((input, output), (&Default::default(), &Default::default()));
    assert_eq!(tool(&calls), (&Default::default(), &Default::default()));
    assert_eq!(calls[0].opened.policy.as_deref(), Some("content=none;hash=none;form=c1"));
}

#[test]
fn what_a_detector_hits_leaves_at_full_alone() {
    let key = "ghp_016C7f7e4b2c9D8a3F5e6B1d0A9c8E7f2a4b";
    for level in Level::ALL {
        let calls = recorded(policy(level, Field::Errors, level), |recorder| {
            recorder.inference("p", "m").input(format!("my key is {key}, keep it")).start().finish();
            recorder.tool("t").arguments(format!(r#"{{"key":"{key}"}}"#)).start().finish();
        });
        assert_eq!(bytes(&calls).contains(key), level == Level::Full, "{level}");
        assert_eq!(bytes(&calls).contains("[redacted:"), matches!(level, Level::Preview | Level::Masked), "{level}");
    }
}

#[test]
fn a_label_that_a_detector_hits_leaves_as_its_digest() {
    let key = "ghp_016C7f7e4b2c9D8a3F5e6B1d0A9c8E7f2a4b";
    let calls = recorded(policy(Level::Digest, Field::Errors, Level::Digest), |recorder| {
        let mut call = recorder.inference("p", key).conversation(key).start();
        call.finish_reason(key);
        call.fail(key);
        let turn = recorder.turn(key).tenant(key).rollout(key).thread(key).turn_id(key).start();
        turn.tool(key).call_id(key).start().finish();
        turn.finish();
    });
    assert!(!bytes(&calls).contains(key) && bytes(&calls).contains("id:sha256:"));
    assert!(!format!("{calls:?}").contains(key));
}
