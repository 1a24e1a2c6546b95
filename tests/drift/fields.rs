//! What of two steps that stand for one another differs.

use veilspan::event::{CallKind, Outcome};
use veilspan::record::Operation;
use veilspan::reduce::Severity;
use veilspan::replay::{Field, InputState, Run, StepKind, Verdict, diff};
use veilspan::semconv::DECISION_CONFIDENCE;

use super::build::{
    Host, ask, compare, decided, found, keyed, kinds, reduce, rollout, rollout_with, run, through_otlp, tool,
};

fn sure(confidence: f64) -> Run {
    run(|_, turn| turn.decision("a").confidence(confidence).record())
}

#[test]
fn c01_the_same_action_is_no_difference() {
    let report = compare(&decided("A"), &decided("A"));
    assert!(report.differences.is_empty());
    assert_eq!((report.verdict(), report.not_comparable), (Verdict::Same, 0));
}

#[test]
fn c02_another_action_is_one_critical_difference_with_both_digests_and_both_spans() {
    let (baseline, candidate) = (decided("A"), decided("B"));
    let report = compare(&baseline, &candidate);
    assert_eq!(found(&report), [("action".to_owned(), Severity::Critical)]);
    let one = &report.differences[0];
    let action = |run: &Run| run.step(1).unwrap().told(Field::Action).unwrap().text();
    assert_eq!((one.expected.clone(), one.actual.clone()), (Some(action(&baseline)), Some(action(&candidate))));
    assert_ne!(one.expected, one.actual);
    let span = |run: &Run| run.step(1).unwrap().place.span.unwrap();
    let told = |place: &Option<veilspan::replay::Place>| place.as_ref().unwrap().span.unwrap();
    assert_eq!((told(&one.baseline), told(&one.candidate)), (span(&baseline), span(&candidate)));
    assert_eq!(report.verdict(), Verdict::Drift);
}

#[test]
fn c07_c08_equal_distances_of_confidence_get_equal_severities() {
    for (a, b) in [(0.9, 0.5), (0.7, 0.3), (0.6, 0.2)] {
        assert_eq!(found(&compare(&sure(a), &sure(b))), [("confidence".to_owned(), Severity::Warning)], "{a} {b}");
    }
    for (a, b) in [(0.9, 0.4), (0.7, 0.2), (0.8, 0.3)] {
        assert_eq!(found(&compare(&sure(a), &sure(b))), [("confidence".to_owned(), Severity::Critical)], "{a} {b}");
    }
    assert!(compare(&sure(0.9), &sure(0.51)).differences.is_empty());
}

#[test]
fn c09_a_confidence_that_is_no_finite_number_is_not_comparable_and_counted() {
    for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let report = compare(&sure(odd), &sure(0.5));
        assert!(report.differences.is_empty());
        assert_eq!((report.not_comparable, report.verdict()), (1, Verdict::Inconclusive), "{odd}");
    }
    // Told by one run alone, or as another type.
    assert_eq!(compare(&decided("a"), &sure(0.5)).not_comparable, 1);
    for odd in [veilspan::event::Value::Text("high".into()), veilspan::event::Value::Bool(true)] {
        let mut told = rollout(|_, turn| turn.decision("a").confidence(0.5).record());
        let call = told.threads[0].turns[0].segments[0].call.as_mut().unwrap();
        call.marks[0].attrs.insert(DECISION_CONFIDENCE.id(), odd);
        let report = compare(&Run::of_recording(&told), &sure(0.5));
        assert_eq!((report.differences.len(), report.not_comparable), (0, 1));
    }
}

#[test]
fn c10_a_confidence_above_one_is_one_on_both_sides() {
    assert!(compare(&sure(1.7), &sure(1.0)).differences.is_empty());
    assert_eq!(found(&compare(&sure(1.7), &sure(0.5))), [("confidence".to_owned(), Severity::Critical)]);
    assert_eq!(found(&compare(&sure(-0.4), &sure(0.4))), [("confidence".to_owned(), Severity::Warning)]);
}

#[test]
fn c11_an_action_and_a_confidence_that_differ_are_two_differences_of_one_step() {
    let decide = |action: &'static str, confidence| {
        run(move |_, turn| {
            turn.decision(action).confidence(confidence).record();
        })
    };
    let report = compare(&decide("A", 0.9), &decide("B", 0.1));
    assert_eq!(kinds(&report), ["action", "confidence"]);
    assert_eq!(report.differences[0].baseline, report.differences[1].baseline);
}

#[test]
fn c04_c06_a_tool_is_compared_where_both_runs_name_one() {
    let named = |name: &'static str| run(move |_, turn| tool(turn, name, "{}", "done"));
    assert!(compare(&named("bash"), &named("bash")).differences.is_empty());
    assert_eq!(found(&compare(&named("bash"), &named("python"))), [("tool".to_owned(), Severity::Warning)]);
    let mut nameless = rollout(|_, turn| tool(turn, "bash", "{}", "done"));
    nameless.threads[0].turns[0].segments[0].tool_calls[0].call.attrs.remove(veilspan::semconv::TOOL_NAME.id());
    let report = compare(&named("bash"), &Run::of_recording(&nameless));
    assert_eq!((report.differences.len(), report.not_comparable), (0, 1));
    assert_eq!(report.verdict(), Verdict::Inconclusive);
}

#[test]
fn c14_a_run_that_went_through_otlp_is_the_run_that_was_recorded() {
    let host = Host::new();
    let turn = host.turn("r");
    turn.decision("a").confidence(0.3).alternative("b").record();
    ask(&turn, &mut vec![(veilspan::event::Role::User, "hello".into())], "hi");
    tool(&turn, "bash", r#"{"cmd": "ls"}"#, "a b");
    turn.finish();
    let calls = host.calls();
    let (kept, read) = (reduce(calls.clone()), reduce(through_otlp(calls)));
    let report = compare(&Run::of_recording(&kept), &Run::of_recording(&read));
    assert!(report.differences.is_empty());
    assert_eq!((report.not_comparable, report.verdict()), (0, Verdict::Same));
    let other = decided("b");
    let of = |rollout| kinds(&diff(&Run::of_recording(rollout), &other));
    assert_eq!(of(&kept), of(&read));
}

#[test]
fn c50_digests_of_one_key_are_equal_or_drift_and_those_of_two_keys_are_neither() {
    let with = |key: u8, result: &'static str| {
        Run::of_recording(&rollout_with(keyed(key), move |_, turn| tool(turn, "bash", "{}", result)))
    };
    assert!(compare(&with(1, "done"), &with(1, "done")).differences.is_empty());
    let report = compare(&with(1, "done"), &with(1, "secret"));
    assert_eq!(kinds(&report), ["result"]);
    let one = &report.differences[0];
    for value in [one.expected.as_ref().unwrap(), one.actual.as_ref().unwrap()] {
        assert!(value.starts_with("hmac-sha256:"), "{value}");
    }
    let report = compare(&with(1, "done"), &with(2, "done"));
    assert!(report.differences.is_empty());
    assert_eq!(report.verdict(), Verdict::Inconclusive);
    assert!(report.not_comparable > 0);
    // Structure is compared all the same.
    let longer = Run::of_recording(&rollout_with(keyed(2), |_, turn| {
        tool(turn, "bash", "{}", "done");
        tool(turn, "python", "{}", "done");
    }));
    assert_eq!(kinds(&compare(&with(1, "done"), &longer)), ["insertion"]);
}

#[test]
fn arguments_outcomes_models_parameters_and_finish_reasons_are_compared() {
    let call = |arguments: &'static str| run(move |_, turn| tool(turn, "bash", arguments, "done"));
    assert_eq!(kinds(&compare(&call(r#"{"a":1}"#), &call(r#"{"a":2}"#))), ["arguments"]);
    assert!(compare(&call(r#"{"a":1,"b":2}"#), &call(r#"{ "b": 2, "a": 1.0 }"#)).differences.is_empty());

    let ended = |outcome: Outcome| {
        run(move |_, turn| {
            let call = turn.tool("bash").arguments("{}").start();
            match outcome {
                Outcome::Failed => call.fail("e"),
                Outcome::Timeout => call.time_out(),
                _ => call.finish(),
            }
        })
    };
    let report = compare(&ended(Outcome::Completed), &ended(Outcome::Failed));
    assert_eq!(found(&report), [("outcome".to_owned(), Severity::Critical)]);
    assert_eq!(report.differences[0].input, InputState::Same);
    let report = compare(&ended(Outcome::Timeout), &ended(Outcome::Failed));
    assert!(found(&report).contains(&("outcome".to_owned(), Severity::Warning)));

    let asked = |model: &'static str, temperature: Option<f64>, reason: &'static str| {
        run(move |_, turn| {
            let mut call = turn.inference("openai", model).input("hello");
            if let Some(temperature) = temperature {
                call = call.temperature(temperature);
            }
            let mut call = call.start();
            call.finish_reason(reason);
            call.finish();
        })
    };
    let base = asked("m", Some(0.1 + 0.2), "stop");
    assert!(compare(&base, &asked("m", Some(0.3), "stop")).differences.is_empty(), "float noise is no drift");
    assert_eq!(kinds(&compare(&base, &asked("n", Some(0.3), "stop"))), ["model"]);
    assert_eq!(kinds(&compare(&base, &asked("m", Some(0.5), "stop"))), ["parameter"]);
    assert_eq!(kinds(&compare(&base, &asked("m", None, "stop"))), ["parameter"]);
    assert_eq!(kinds(&compare(&base, &asked("m", Some(0.3), "length"))), ["finish_reasons"]);
}

#[test]
fn time_and_tokens_are_told_and_are_no_drift() {
    let with = |tokens: u64, seconds: u64| {
        run(move |host, turn| {
            let mut call = turn.inference("openai", "m").input("hello").start();
            host.clock.advance(std::time::Duration::from_secs(seconds));
            call.tokens(tokens, 10);
            call.finish();
        })
    };
    let report = compare(&with(1000, 2), &with(2000, 9));
    assert!(report.differences.iter().all(|one| one.severity == Severity::Info));
    assert!(kinds(&report).contains(&"input_tokens") && kinds(&report).contains(&"duration"));
    assert_eq!(report.verdict(), Verdict::Same);
    assert!(compare(&with(1000, 2), &with(1050, 2)).differences.is_empty());
}

#[test]
fn attempts_of_one_request_are_one_step_with_a_count() {
    let tried = |attempts: usize| {
        run(move |_, turn| {
            let operation = Operation::new();
            for attempt in 0..attempts {
                let call = turn.inference("openai", "m").input("hello").attempt_of(&operation).start();
                if attempt + 1 == attempts { call.finish() } else { call.fail("overloaded") }
            }
            tool(turn, "bash", "{}", "done");
        })
    };
    let report = compare(&tried(1), &tried(3));
    assert_eq!(found(&report), [("retries".to_owned(), Severity::Info)]);
    assert_eq!(report.steps, [3, 3]);
    assert_eq!(report.verdict(), Verdict::Same);
}

#[test]
fn a_step_of_another_kind_in_the_place_of_one_is_one_substitution() {
    let report = compare(&decided("a"), &run(|_, turn| tool(turn, "bash", "{}", "done")));
    assert_eq!(found(&report), [("substitution".to_owned(), Severity::Critical)]);
    assert_eq!(report.differences[0].step, StepKind::Call(CallKind::Tool));
}
