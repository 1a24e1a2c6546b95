//! Whether the input had changed, or the same input led to something else.

use veilspan::event::Role;
use veilspan::replay::{InputState, Run, Verdict, diff};

use super::build::{ask, compare, kinds, run, tool};

/// A model asks, a tool answers, the model concludes; twice.
fn agent(prompt: &str, results: [&str; 2], answers: [&str; 4]) -> Run {
    run(|_, turn| {
        let mut history = vec![(Role::User, prompt.to_owned())];
        for (round, result) in results.iter().enumerate() {
            ask(turn, &mut history, answers[2 * round]);
            tool(turn, "search", &format!(r#"{{"q":{round}}}"#), *result);
            history.push((Role::Tool, (*result).to_owned()));
            ask(turn, &mut history, answers[2 * round + 1]);
            history.push((Role::User, "go on".to_owned()));
        }
    })
}

const ANSWERS: [&str; 4] = ["look", "found", "look again", "done"];

fn base() -> Run {
    agent("q", ["1", "2"], ANSWERS)
}

#[test]
fn a_changed_tool_result_is_the_first_divergence_and_what_follows_is_its_consequence() {
    let report = compare(&base(), &agent("q", ["changed", "2"], ["look", "other", "look again", "done"]));
    assert_eq!(kinds(&report), ["result", "output"]);
    let [result, output] = &report.differences[..] else { panic!("{report:#?}") };
    assert_eq!((result.input, result.since), (InputState::Same, None));
    assert_eq!((output.input, output.since), (InputState::Changed, Some(0)));
    assert!(std::ptr::eq(report.first().unwrap(), result));
    assert_eq!(report.affected, 2, "two later requests hold the change, and were answered as before");
    // Where nothing follows from it, it is the only difference.
    let report = compare(&base(), &agent("q", ["changed", "2"], ANSWERS));
    assert_eq!((kinds(&report), report.affected), (vec!["result"], 3));
}

#[test]
fn the_same_input_with_another_output_is_the_models_own_doing() {
    let report = compare(&base(), &agent("q", ["1", "2"], ["look", "found", "elsewhere", "done"]));
    assert_eq!(kinds(&report), ["output"]);
    assert_eq!((report.differences[0].input, report.differences[0].since), (InputState::Same, None));
}

#[test]
fn an_input_that_changed_without_an_earlier_difference_is_told_as_such() {
    let report = compare(&base(), &agent("another q", ["1", "2"], ["see", "found", "look again", "done"]));
    assert_eq!(kinds(&report), ["input", "output"]);
    assert_eq!(report.differences[1].since, Some(0));
    assert_eq!(report.first().unwrap().kind.as_str(), "input");
}

#[test]
fn two_origins_are_two() {
    let with = |one: &'static str, two: &'static str| {
        run(move |_, turn| {
            tool(turn, "A", "{}", one);
            ask(turn, &mut vec![(Role::User, "fresh".to_owned())], "ok");
            tool(turn, "B", "{}", two);
        })
    };
    let report = compare(&with("1", "2"), &with("x", "y"));
    assert_eq!(kinds(&report), ["result", "result"]);
    assert_eq!(report.differences.iter().map(|one| one.since).collect::<Vec<_>>(), [None, None]);
}

#[test]
fn a_change_that_is_meant_is_marked_and_is_no_drift_against_runs_before_it() {
    let with = |intended: bool, result: &'static str| {
        run(move |_, turn| {
            let mut history = vec![(Role::User, "q".to_owned())];
            let mut call = turn.tool("search").arguments(if intended { r#"{"deep":true}"# } else { "{}" });
            if intended {
                call = call.intended("deeper-search");
            }
            let mut call = call.start();
            call.result(result);
            call.finish();
            history.push((Role::Tool, result.to_owned()));
            ask(turn, &mut history, if intended { "more" } else { "less" });
        })
    };
    let (before, after) = (with(false, "1"), with(true, "2"));
    let report = diff(&before, &after);
    assert_eq!(kinds(&report), ["arguments", "result", "output"]);
    assert!(report.differences.iter().all(|one| one.intended.as_deref() == Some("deeper-search")), "{report:#?}");
    assert_eq!((report.verdict(), report.first().is_none()), (Verdict::Same, true));
    // Two runs after it are held against each other as ever.
    assert_eq!(diff(&after, &with(true, "3")).verdict(), Verdict::Drift);
}
