//! What is in force, and where it came from.

use super::*;
use crate::environment::{Environment, Warning};
use crate::privacy::label::is_policy;

fn under(variables: &[(&str, &str)]) -> (Policy, Vec<Warning>) {
    Policy::builder().build_in(&variables.iter().copied().collect())
}

fn level(value: &str) -> Level {
    under(&[("VEILSPAN_CONTENT", value)]).0.level()
}

#[test]
fn unset_is_keyed_digests_with_an_ephemeral_key() {
    let (policy, warnings) = under(&[]);
    assert_eq!(policy.level(), Level::Digest);
    assert_eq!(policy.algorithm(), Some(Algorithm::HmacSha256));
    assert!(policy.key_id().unwrap().starts_with("ephemeral-"));
    assert!(policy.snapshot().starts_with("content=digest;hash=hmac-sha256;form=c1;key=ephemeral-"));
    assert!(is_policy(policy.snapshot()));
    assert!(warnings.is_empty());
}

#[test]
fn r22_env_parsing() {
    for digest in [" OFF ", "REDACTED", "digest", "Digest\n"] {
        assert_eq!(level(digest), Level::Digest, "{digest}");
    }
    for none in ["", " ", "1", "true", "0", "false", "of", "none", " NONE "] {
        assert_eq!(level(none), Level::None, "{none}");
    }
    assert_eq!(under(&[("VEILSPAN_CONTENT", "of")]).1.len(), 1);
    assert!(under(&[("VEILSPAN_CONTENT", "none")]).1.is_empty());
}

#[test]
fn the_operators_ceiling_stands_over_code_and_environment() {
    let none = [("VEILSPAN_CONTENT_MAX", "none"), ("VEILSPAN_CONTENT", "digest")].into_iter().collect();
    let (policy, _) = Policy::builder().content(Level::Digest).build_in(&none);
    assert_eq!(policy.level(), Level::None);
    assert_eq!(under(&[("VEILSPAN_CONTENT_MAX", "digset")]).0.level(), Level::None);
    let (policy, _) = Policy::builder().content(Level::None).build_in(&Environment::default());
    assert_eq!(policy.level(), Level::None);
}

#[test]
fn r25_a_misspelt_name_of_a_privacy_variable_means_none() {
    for name in [
        "VEILSPAN_CONTENTS",
        "VEILSPAN_CONTENT_PROMPT",
        "VEILSPAN_HASHKEY",
        "VEILSPAN_DETECTORS_FILE",
        "VEILSPAN_POLICY",
    ] {
        let (policy, warnings) = under(&[(name, "digest")]);
        assert_eq!(policy.level(), Level::None, "{name}");
        assert_eq!(warnings.len(), 1);
    }
    let (policy, warnings) = under(&[("VEILSPAN_SPOOOL", "x")]);
    assert_eq!((policy.level(), warnings.len()), (Level::Digest, 1));
}

#[test]
fn a_key_that_cannot_be_used_means_no_digests_and_never_another_algorithm() {
    let short = [("VEILSPAN_HASH_KEY", "short")];
    let empty = [("VEILSPAN_HASH_KEY", "")];
    let missing = [("VEILSPAN_HASH_KEY_FILE", "/nonexistent/key")];
    for variables in [short, empty, missing] {
        let (policy, warnings) = under(&variables);
        assert_eq!(policy.algorithm(), None);
        assert_eq!(policy.snapshot(), "content=digest;hash=none;form=c1");
        assert_eq!(warnings.len(), 1);
    }
}

#[test]
fn an_unknown_algorithm_means_no_digests() {
    let (policy, warnings) = under(&[("VEILSPAN_HASH", "md5")]);
    assert_eq!((policy.algorithm(), warnings.len()), (None, 1));
    assert_eq!(under(&[("VEILSPAN_HASH", " SHA256 ")]).0.algorithm(), Some(Algorithm::Sha256));
}

#[test]
fn a_key_has_the_id_it_was_given_or_one_made_from_it() {
    let key = "k".repeat(32);
    let (policy, _) = under(&[("VEILSPAN_HASH_KEY", &key), ("VEILSPAN_HASH_KEY_ID", "prod-1")]);
    assert_eq!(policy.key_id(), Some("prod-1"));
    let (policy, _) = under(&[("VEILSPAN_HASH_KEY", &key)]);
    assert_eq!(policy.key_id().map(str::len), Some(8));
    assert!(!format!("{policy:?}").contains(&key));
}

fn class(policy: &Policy, class: Field) -> (Level, Origin) {
    policy.classes().iter().find(|known| known.class == class).map(|known| (known.level, known.origin)).unwrap()
}

#[test]
fn a_class_has_the_level_of_its_variable_and_all_others_the_general_one() {
    for (named, name) in Field::ALL.map(|class| (class, variables::variable_of(class))) {
        let (policy, warnings) = under(&[("VEILSPAN_CONTENT", "preview"), (name, " NONE ")]);
        assert!(warnings.is_empty());
        for other in Field::ALL {
            let expected = if other == named {
                (Level::None, Origin::Variable(name))
            } else {
                (Level::Preview, Origin::Variable("VEILSPAN_CONTENT"))
            };
            assert_eq!(class(&policy, other), expected, "{name}");
        }
        assert!(policy.snapshot().starts_with("content=preview;hash=hmac-sha256;form=c1;key=ephemeral-"));
        assert!(policy.snapshot().ends_with(&format!(";{}=none", named.as_str())));
        assert!(is_policy(policy.snapshot()));
        let (policy, warnings) = under(&[(name, "som")]);
        assert_eq!((class(&policy, named).0, policy.level(), warnings.len()), (Level::None, Level::Digest, 1));
    }
}

#[test]
fn the_first_source_that_says_something_decides_each_class() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.yaml");
    std::fs::write(&file, "content: masked\nprompts: none\nreasoning: preview\n").unwrap();
    let file = file.to_str().unwrap();
    let (policy, warnings) = under(&[("VEILSPAN_POLICY_FILE", file)]);
    assert!(warnings.is_empty());
    assert_eq!(class(&policy, Field::Prompts), (Level::None, Origin::PolicyFile));
    assert_eq!(class(&policy, Field::Reasoning), (Level::Preview, Origin::PolicyFile));
    assert_eq!(class(&policy, Field::Errors), (Level::Masked, Origin::PolicyFile));

    let variables =
        [("VEILSPAN_POLICY_FILE", file), ("VEILSPAN_CONTENT", "digest"), ("VEILSPAN_CONTENT_ERRORS", "none")];
    let (policy, _) = under(&variables);
    assert_eq!(class(&policy, Field::Prompts), (Level::Digest, Origin::Variable("VEILSPAN_CONTENT")));
    assert_eq!(class(&policy, Field::Errors), (Level::None, Origin::Variable("VEILSPAN_CONTENT_ERRORS")));

    let builder = Policy::builder().content(Level::Preview).class(Field::Prompts, Level::Masked);
    let (policy, _) = builder.build_in(&variables.into_iter().collect());
    assert_eq!(class(&policy, Field::Prompts), (Level::Masked, Origin::Code));
    assert_eq!(class(&policy, Field::Errors), (Level::Preview, Origin::Code));
}

#[test]
fn full_needs_a_ceiling_that_says_so() {
    assert_eq!(under(&[("VEILSPAN_CONTENT", "full")]).0.level(), Level::Masked);
    let (policy, _) = under(&[("VEILSPAN_CONTENT", "full"), ("VEILSPAN_CONTENT_MAX", "full")]);
    assert_eq!(policy.level(), Level::Full);
    let (policy, _) = Policy::builder().content(Level::Full).build_in(&Environment::default());
    assert_eq!(class(&policy, Field::System), (Level::Masked, Origin::Variable("VEILSPAN_CONTENT_MAX")));
}

#[test]
fn switches_of_others_lower_and_never_raise() {
    let masked = ("VEILSPAN_CONTENT", "masked");
    for (name, value) in [
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "False"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "NO_CONTENT"),
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "event_only"),
        ("TRACELOOP_TRACE_CONTENT", "false"),
    ] {
        let builder = Policy::builder().content(Level::Masked);
        let (policy, warnings) = builder.build_in(&[(name, value)].into_iter().collect());
        assert_eq!((policy.level(), policy.level_origin()), (Level::Digest, Origin::Variable(name)), "{value}");
        assert!(warnings.is_empty() && policy.levels() == &Levels::all(Level::Digest));
        assert_eq!(under(&[(name, value), ("VEILSPAN_CONTENT", "none")]).0.level(), Level::None);
    }
    for (name, value) in [
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "span_and_event"),
        ("TRACELOOP_TRACE_CONTENT", "true"),
        ("OPENINFERENCE_HIDE_INPUTS", "false"),
    ] {
        assert_eq!(under(&[(name, value)]).0.level(), Level::Digest);
        assert_eq!(under(&[masked, (name, value)]).0.level(), Level::Masked);
    }
    let (policy, _) = under(&[masked, ("OPENINFERENCE_HIDE_OUTPUTS", "TRUE")]);
    assert_eq!(class(&policy, Field::Completions).0, Level::Digest);
    assert_eq!(class(&policy, Field::Prompts).0, Level::Masked);
    let (policy, warnings) = under(&[masked, ("OPENINFERENCE_HIDE_INPUTS", "maybe")]);
    assert_eq!((class(&policy, Field::Prompts).0, warnings.len()), (Level::None, 1));
}

#[cfg(unix)]
#[test]
fn the_operators_file_stands_above_everything_and_has_to_be_the_operators() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.yaml");
    std::fs::write(&file, "content: preview\nprompts: none\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let owner = std::fs::metadata(&file).unwrap().uid();
    let environment: Environment =
        [("VEILSPAN_CONTENT_MAX", "full"), ("VEILSPAN_CONTENT", "full")].into_iter().collect();
    let build = |owner| Policy::builder().class(Field::Prompts, Level::Full).build_under(&environment, &file, owner);
    let (policy, warnings) = build(owner);
    assert!(warnings.is_empty());
    assert_eq!(policy.ceiling(), (Level::Preview, Origin::OperatorFile));
    assert_eq!(class(&policy, Field::Prompts), (Level::None, Origin::OperatorFile));
    assert_eq!(class(&policy, Field::Errors), (Level::Preview, Origin::OperatorFile));

    let (policy, warnings) = build(owner + 1);
    assert_eq!((policy.levels(), warnings.len()), (&Levels::all(Level::None), 1));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert_eq!(build(owner).0.levels(), &Levels::all(Level::None));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(build(owner).0.levels(), &Levels::all(Level::Full));
}

#[test]
fn a_policy_file_that_cannot_be_read_means_none() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.yaml");
    std::fs::write(&broken, "content: masked\nunknown: 1\n").unwrap();
    for path in ["/nonexistent/policy.yaml", "policy.yaml", "", "/", broken.to_str().unwrap()] {
        let (policy, warnings) = under(&[("VEILSPAN_POLICY_FILE", path)]);
        assert_eq!((policy.levels(), warnings.len()), (&Levels::all(Level::None), 1), "{path}");
        assert!(!warnings[0].message.contains("unknown"));
    }
    let with_variable = [("VEILSPAN_POLICY_FILE", broken.to_str().unwrap()), ("VEILSPAN_CONTENT", "digest")];
    assert_eq!(under(&with_variable).0.level(), Level::Digest, "a variable stands above the file");
}

#[test]
fn r28_a_cap_that_is_no_number_means_none_with_one_warning() {
    for chars in ["-5", "", "many", "2.5"] {
        let (policy, warnings) = under(&[("VEILSPAN_PREVIEW_CHARS", chars)]);
        assert_eq!((policy.levels(), warnings.len()), (&Levels::all(Level::None), 1), "{chars}");
    }
    for (chars, kept) in [("0", 0), (" 3 ", 3), ("5000", 4096), ("99999999999999999999999", 4096)] {
        assert_eq!(under(&[("VEILSPAN_PREVIEW_CHARS", chars)]).0.preview_chars(), kept);
    }
    let (policy, warnings) = under(&[("VEILSPAN_PREVIEW", "")]);
    assert_eq!((policy.levels(), warnings.len()), (&Levels::all(Level::None), 1));
    assert!(under(&[("VEILSPAN_PREVIEW", "Placeholder")]).0.has_placeholders());
}

#[test]
fn without_detectors_preview_and_masked_mean_digest() {
    for (detectors, warned) in [("none", 0), ("None ", 0), ("", 1), ("/nonexistent/rules", 1), ("rules", 1)] {
        for content in ["preview", "masked"] {
            let (policy, warnings) = under(&[("VEILSPAN_DETECTORS", detectors), ("VEILSPAN_CONTENT", content)]);
            assert_eq!((policy.level(), warnings.len()), (Level::Digest, warned), "{detectors}");
        }
    }
    assert_eq!(under(&[("VEILSPAN_DETECTORS", "DEFAULT"), ("VEILSPAN_CONTENT", "masked")]).0.level(), Level::Masked);
}

#[test]
fn r25_a_word_from_code_is_parsed_or_taken_for_none() {
    for (word, level) in [("off", Level::Digest), ("Off", Level::Digest), ("42", Level::None), ("", Level::None)] {
        let (policy, _) = Policy::builder().content(word).build_in(&Environment::default());
        assert_eq!(policy.level(), level, "{word}");
    }
}

#[test]
fn lowering_takes_the_more_private_level_of_each_class_and_says_so() {
    let (masked, _) =
        under(&[("VEILSPAN_CONTENT", "masked"), ("VEILSPAN_CONTENT_ERRORS", "none"), ("VEILSPAN_HASH", "sha256")]);
    let (preview, _) = under(&[("VEILSPAN_CONTENT", "preview"), ("VEILSPAN_CONTENT_PROMPTS", "full")]);
    let lowered = masked.lowered_to(&preview);
    assert_eq!(lowered.snapshot(), "content=preview;hash=sha256;form=c1;prompts=masked;errors=none");
    assert_eq!(masked.lowered_to(&masked).snapshot(), masked.snapshot());
    let (none, _) = under(&[("VEILSPAN_CONTENT", "none")]);
    assert_eq!(masked.lowered_to(&none).snapshot(), "content=none;hash=none;form=c1");
}
