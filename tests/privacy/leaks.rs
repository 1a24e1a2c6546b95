//! What settings let nobody open by accident. The rules stand in `tests/conformance/leaks.md`.

use veilspan::Policy;
use veilspan::environment::Environment;
use veilspan::event::Algorithm;
use veilspan::privacy::c1::{Hasher, digest};
use veilspan::privacy::{Key, Level};

fn under(variables: &[(&str, &str)]) -> Policy {
    let key = Key::new(vec![7; 32], None).unwrap();
    Policy::builder().key(key).build_in(&variables.iter().copied().collect()).0
}

#[test]
fn l13_whoever_says_nothing_gets_no_digest_that_a_table_finds() {
    let said_nothing = Policy::builder().build_in(&Environment::default()).0;
    assert_eq!(said_nothing.algorithm(), Some(Algorithm::HmacSha256));
    // A key that cannot be used makes digests neither weaker nor plain.
    for unusable in ["", "short", "0123456789012345678901234567890"] {
        let policy = Policy::builder().build_in(&[("VEILSPAN_HASH_KEY", unusable)].into_iter().collect()).0;
        assert_eq!(policy.algorithm(), None, "{unusable:?}");
    }
    let keyed = digest::text(&Hasher::hmac_sha256(&[7; 32]), "yes");
    assert_ne!(keyed.bytes, digest::text(&Hasher::sha256(), "yes").bytes);
}

#[test]
fn l14_another_librarys_switch_lowers_and_never_raises() {
    const SWITCHES: [&str; 3] =
        ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "TRACELOOP_TRACE_CONTENT", "OPENINFERENCE_HIDE_INPUTS"];
    const WORDS: [&str; 16] = [
        "true",
        "True",
        "1",
        "yes",
        "on",
        "SPAN_ONLY",
        "EVENT_ONLY",
        "SPAN_AND_EVENT",
        "NO_CONTENT",
        "false",
        "0",
        "no",
        "off",
        "",
        "nonsense",
        "full",
    ];
    for own in Level::ALL {
        let alone = under(&[("VEILSPAN_CONTENT", own.as_str()), ("VEILSPAN_CONTENT_MAX", "full")]);
        for switch in SWITCHES {
            for word in WORDS {
                let with = [("VEILSPAN_CONTENT", own.as_str()), ("VEILSPAN_CONTENT_MAX", "full"), (switch, word)];
                let policy = under(&with);
                let raised = veilspan::semconv::Field::ALL
                    .into_iter()
                    .find(|field| policy.levels().of(*field) > alone.levels().of(*field));
                assert_eq!(raised, None, "{switch}={word} at {own}");
            }
        }
    }
    let hidden = under(&[("VEILSPAN_CONTENT", "masked"), (SWITCHES[0], "NO_CONTENT")]);
    assert_eq!(hidden.levels().most(), Level::Digest, "content is hidden where another library's switch says so");
}
