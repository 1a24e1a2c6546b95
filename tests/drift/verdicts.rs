//! What two runs are to one another.

use veilspan::reduce::{Finding, FindingKind, Reason, Rollout};
use veilspan::replay::{Run, Unsure, Verdict, diff};

use super::build::{rollout, tool, tools};

fn two() -> Rollout {
    rollout(|_, turn| {
        tool(turn, "A", "{}", "done");
        tool(turn, "B", "{}", "done");
    })
}

fn empty() -> Run {
    let mut rollout = two();
    rollout.threads.clear();
    Run::of_recording(&rollout)
}

#[test]
fn c20_without_a_baseline_nothing_can_be_concluded() {
    let report = diff(&empty(), &tools(&["A"]));
    assert_eq!((report.verdict(), report.differences.len()), (Verdict::Inconclusive, 0));
    assert!(report.unsure.contains(&Unsure::NoBaseline));
    assert_eq!(report.to_json()["unsure"][0], "no-baseline");
    assert_eq!(diff(&tools(&["A"]), &empty()).verdict(), Verdict::Drift);
}

#[test]
fn a_run_that_was_closed_before_it_ended_is_inconclusive() {
    let whole = tools(&["A", "B", "C"]);
    for reason in [Reason::Idle, Reason::Evicted] {
        let mut cut = two();
        cut.closed = Some(reason);
        let cut = Run::of(&cut);
        for report in [diff(&whole, &cut), diff(&cut, &whole), diff(&cut, &cut)] {
            assert_eq!((report.verdict(), report.differences.len()), (Verdict::Inconclusive, 0), "{reason}");
        }
    }
    let mut ended = two();
    ended.closed = Some(Reason::Ended);
    assert_eq!(diff(&Run::of(&ended), &tools(&["A", "B"])).verdict(), Verdict::Same);
}

#[test]
fn c33_of_a_run_of_which_some_is_missing_no_tail_is_told_as_left_out() {
    let mut part = two();
    part.findings.push(Finding {
        kind: FindingKind::Truncated,
        thread: None,
        turn: None,
        call: None,
        subject: None,
        expected: None,
        actual: None,
        count: 3,
    });
    let report = diff(&tools(&["A", "B", "C"]), &Run::of_recording(&part));
    assert_eq!((report.differences.len(), report.pending, report.verdict()), (0, 1, Verdict::Inconclusive));
    assert_eq!(report.unsure, [Unsure::CandidateIncomplete]);
    let report = diff(&tools(&["X", "B", "C"]), &Run::of_recording(&part));
    assert_eq!((report.differences.len(), report.verdict()), (1, Verdict::Drift));
}

#[test]
fn runs_without_anything_in_common_are_compared_within_the_bounds() {
    let many = |prefix: &str| {
        let names: Vec<String> = (0..3_000).map(|number| format!("{prefix}{number}")).collect();
        tools(&names.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let report = diff(&many("a"), &many("b"));
    assert!(report.approximate);
    assert_eq!((report.differences.len(), report.verdict()), (3_000, Verdict::Drift));
}
