//! The words of constants are all that the crate writes under their names: what is read here is the source itself, so that a
//! new word that the table lacks is noticed before a stage takes it for somebody else's.

use veilspan::event::{CallKind, EdgeKind, Outcome, Role};
use veilspan::semconv::{self, Attr, is_constant};

/// Which of the functions `as_str` of a file gives the words of which names.
macro_rules! written {
    ($($file:literal, $which:literal => $($name:ident)*;)*) => {
        [$((include_str!(concat!("../../src/", $file)), $which, vec![$((semconv::$name.id(), semconv::$name.key())),*])),*]
    };
}

fn words(source: &str, which: usize) -> Vec<&str> {
    let body = source.split("fn as_str(self)").nth(which + 1).expect("it is there");
    let body = body.split("\n    }\n").next().unwrap();
    body.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[test]
fn every_word_that_is_written_under_a_constant_is_one_of_its_words() {
    let written = written![
        "event/outcome.rs", 0 => OUTCOME RUNTIME_STATUS;
        "event/link.rs", 0 => EDGE_KIND;
        "event/raw.rs", 0 => INPUT_ROLES COMPACTION_ROLES;
        "reduce/graph/rollout.rs", 0 => ROLLOUT_REASON;
        "reduce/graph/finding.rs", 0 => FINDING_KIND;
        "reduce/graph/finding.rs", 1 => FINDING_SEVERITY;
        "replay/drift/difference.rs", 0 => FINDING_KIND;
        "replay/drift/difference.rs", 1 => FINDING_INPUT;
        "replay/drift/report.rs", 0 => REPLAY_VERDICT;
        "replay/drift/report.rs", 1 => REPLAY_UNSURE;
        "replay/run/fields.rs", 0 => FINDING_KIND;
        "replay/run/step.rs", 0 => FINDING_STEP;
    ];
    for (source, which, names) in written {
        let words = words(source, which);
        assert!(!words.is_empty());
        for word in words {
            assert!(names.iter().all(|(id, _)| is_constant(*id, word)), "`{word}` under {names:?}");
        }
    }
    let holds = |name: Attr<_>, word: &str| assert!(is_constant(name.id(), word), "`{word}` under {}", name.key());
    CallKind::ALL.iter().for_each(|kind| holds(semconv::FINDING_STEP, kind.default_operation()));
    Outcome::ALL.iter().for_each(|outcome| holds(semconv::OUTCOME, outcome.as_str()));
    EdgeKind::ALL.iter().for_each(|kind| holds(semconv::EDGE_KIND, kind.as_str()));
    for role in Role::ALL {
        assert!(is_constant(semconv::INPUT_ROLES.id(), role.as_str()));
    }
}
