//! Sessions that still run: what is complete is told, what is open is not, and the rest of it comes later.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use veilspan::event::{CallKind, Outcome};
use veilspan::import::claude::{Of, Session};
use veilspan::import::codex::Sessions;
use veilspan::import::ouroboros::Journal;
use veilspan::import::session::{Set, Told, unix_nanos};

use super::codex::FILE;
use super::script::{Claude, Codex, SESSION, START, lines};
use super::told::{All, Record, set};

const GRACE: u64 = 10_000_000_000;

fn at(second: f64) -> u64 {
    START + (second * 1e9) as u64
}

fn second_of(row: &Value) -> f64 {
    (unix_nanos(row["timestamp"].as_str().unwrap()).unwrap() - START) as f64 / 1e9
}

/// What comes into being one after the other: a row of the transcript, or a hook.
#[derive(Clone, Debug)]
enum Comes {
    Row(f64, Value),
    Hook(f64, Value),
}

impl Comes {
    fn time(&self) -> u64 {
        match self {
            Self::Row(second, _) | Self::Hook(second, _) => at(*second),
        }
    }
}

/// A turn of a random kind: how many tools each of its answers calls, and how it ends.
#[derive(Clone, Debug)]
struct Shape {
    answers: Vec<usize>,
    end: u8,
    gap: f64,
}

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let shape = (vec(0..4usize, 0..4), 0..8u8, prop_oneof![Just(0.25), Just(2.0), Just(400.0)]);
    vec(shape.prop_map(|(answers, end, gap)| Shape { answers, end, gap }), 1..5)
}

/// The script of a Claude Code session, in the order in which it would be written.
fn claude(shapes: &[Shape], with_hooks: bool) -> Vec<Comes> {
    let (mut script, mut all, mut now) = (Claude::default(), Vec::new(), 10.0);
    for (number, shape) in shapes.iter().enumerate() {
        let mut step = |by: f64| {
            now += by;
            now
        };
        let hook = |all: &mut Vec<Comes>, second: f64, name: &str, mut payload: Value| {
            payload["session_id"] = SESSION.into();
            payload["hook_event_name"] = name.into();
            if with_hooks {
                all.push(Comes::Hook(second, payload));
            }
        };
        let row = |all: &mut Vec<Comes>, script: &Claude| {
            let row = script.rows.last().unwrap();
            all.push(Comes::Row(second_of(row), row.clone()));
        };
        hook(&mut all, step(shape.gap), "UserPromptSubmit", json!({"prompt": "go"}));
        row(&mut all, script.prompt(step(0.01), &format!("p{number}"), "go"));
        for (place, tools) in shape.answers.iter().enumerate() {
            let id = format!("m{number}-{place}");
            let thought = json!({"type": "thinking", "thinking": "hm"});
            row(&mut all, script.answer(step(1.5), &id, thought, (10, 3), "tool_use"));
            for tool in 0..*tools {
                let name = format!("{id}-{tool}");
                row(&mut all, script.call(step(1.0), &id, (&name, "Bash"), json!({"command": name})));
                hook(&mut all, step(0.1), "PreToolUse", json!({"tool_name": "Bash", "tool_use_id": name}));
                // Results of the first tools stand between the calls of one answer.
                if tool % 2 == 0 {
                    let told = json!({"tool_name": "Bash", "tool_use_id": name, "duration_ms": 50});
                    hook(&mut all, step(0.5), "PostToolUse", told);
                    row(&mut all, script.result(step(0.1), &name, "x", json!({})));
                }
            }
            for tool in (0..*tools).filter(|tool| tool % 2 == 1) {
                row(&mut all, script.result(step(0.7), &format!("{id}-{tool}"), "y", json!({})));
            }
        }
        let id = format!("m{number}-end");
        match shape.end {
            0 => {}
            1 => {
                let text = json!([{"type": "text", "text": "[Request interrupted by user]"}]);
                let said = json!({"type": "user", "message": {"role": "user", "content": text}});
                row(&mut all, script.row(step(1.0), said));
            }
            2 => {
                let error = json!({"id": id, "role": "assistant", "model": "<synthetic>", "content": "API Error"});
                let said = json!({"type": "assistant", "isApiErrorMessage": true, "message": error});
                row(&mut all, script.row(step(1.0), said));
            }
            kind => {
                let thought = json!({"type": "thinking", "thinking": "so"});
                row(&mut all, script.answer(step(1.0), &id, thought, (10, 3), "end_turn"));
                row(&mut all, script.say(step(1.0), &id, "done"));
                hook(&mut all, step(0.2), "Stop", json!({}));
                if kind > 4 {
                    row(&mut all, script.row(step(0.1), json!({"type": "system", "subtype": "turn_duration"})));
                }
                if kind == 6 {
                    let said = json!({"role": "user", "content": "<local-command-caveat>x"});
                    row(&mut all, script.row(step(60.0), json!({"type": "user", "isMeta": true, "message": said})));
                }
                if kind == 7 {
                    let boundary = json!({"type": "system", "subtype": "compact_boundary"});
                    row(&mut all, script.row(step(60.0), boundary));
                    let said = json!({"role": "user", "content": "in short"});
                    let summary = json!({"type": "user", "isCompactSummary": true, "message": said});
                    row(&mut all, script.row(step(0.1), summary));
                }
            }
        }
    }
    all
}

fn read(comes: &[Comes], torn: bool) -> Session {
    let mut session = Session::new(set(), SESSION);
    for one in comes {
        if let Comes::Hook(second, payload) = one {
            assert!(session.hook(payload.to_string().as_bytes(), None, at(*second)));
        }
    }
    let rows = comes.iter().filter_map(|one| match one {
        Comes::Row(_, row) => Some(row.clone()),
        Comes::Hook(..) => None,
    });
    let mut bytes = lines(&rows.collect::<Vec<_>>());
    if torn {
        bytes.extend(b"{\"type\":\"assist");
    }
    session.feed(Of::Session, &bytes);
    session.end_of_file(Of::Session, !torn);
    assert_eq!(session.tally().torn, u64::from(torn));
    session
}

fn told(next: impl FnMut() -> Option<Told>) -> BTreeMap<[u8; 8], Record> {
    let mut spans = BTreeMap::new();
    for record in All(std::iter::from_fn(next).collect()).records() {
        let twice = spans.insert(*record.opened.span.span.as_bytes(), record.clone());
        assert!(twice.is_none(), "told twice: {record:?}");
    }
    spans
}

/// All that is told is part of the whole, as it is told there.
fn assert_part_of(part: &BTreeMap<[u8; 8], Record>, whole: &BTreeMap<[u8; 8], Record>) {
    for (id, record) in part {
        assert_eq!(Some(record), whole.get(id));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_part_of_a_claude_code_session_was_imported_before_the_whole_tells_the_same(
        shapes in shapes(), with_hooks: bool, places in vec(any::<prop::sample::Index>(), 6),
    ) {
        let comes = claude(&shapes, with_hooks);
        let mut session = read(&comes, false);
        session.finish();
        let whole = told(|| session.next_told());
        for place in places {
            let part = &comes[..=place.index(comes.len())];
            let mut session = read(part, place.index(2) == 1);
            let open = session.leave(part.last().unwrap().time() + 1_000_000, GRACE);
            assert_part_of(&told(|| session.next_told()), &whole);
            prop_assert!(open <= 1);
        }
    }

    #[test]
    fn a_claude_code_session_that_is_followed_tells_what_one_tells_that_is_imported(
        shapes in shapes(), with_hooks: bool, portions in vec(1..5usize, 1..20),
    ) {
        let comes = claude(&shapes, with_hooks);
        let mut session = read(&comes, false);
        session.finish();
        let whole = told(|| session.next_told());
        let mut session = Session::new(Set { grace: GRACE, ..set() }, SESSION);
        let (mut rest, mut portion) = (comes.as_slice(), portions.iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at((*portion.next().unwrap()).min(rest.len()));
            session.now(now.last().unwrap().time());
            for one in now {
                match one {
                    Comes::Row(_, row) => session.feed(Of::Session, &lines(std::slice::from_ref(row))),
                    Comes::Hook(second, payload) => {
                        assert!(session.hook(payload.to_string().as_bytes(), None, at(*second)));
                    }
                }
            }
            session.tick(now.last().unwrap().time());
            rest = later;
        }
        session.finish();
        prop_assert_eq!(told(|| session.next_told()), whole);
    }
}

fn codex(shapes: &[Shape]) -> Vec<(f64, Value)> {
    let (mut script, mut now) = (Codex::session(1.0, "main-1"), 10.0);
    for (number, shape) in shapes.iter().enumerate() {
        let turn = format!("t{number}");
        let mut step = |by: f64| {
            now += by;
            now
        };
        script.start(step(shape.gap), &turn).asks(step(0.1), "go");
        for (place, tools) in shape.answers.iter().enumerate() {
            let name = |tool: usize| format!("{turn}-{place}-{tool}");
            script.thinks(step(1.0), "hm");
            for tool in 0..*tools {
                script.calls(step(1.0), &name(tool), "shell", "{}");
            }
            let late = place % 2 == 1;
            if !late {
                script.tokens(step(0.1), 10, 3);
            }
            for tool in 0..*tools {
                script.gets(step(1.0), &name(tool), json!("x"));
            }
            if late {
                script.tokens(step(0.1), 10, 3);
            }
        }
        match shape.end {
            0 => {}
            1 => _ = script.event(step(1.0), "turn_aborted", json!({"turn_id": turn, "reason": "interrupted"})),
            2 => _ = script.event(step(1.0), "error", json!({"message": "no"})).end(step(1.0), &turn),
            3 => {
                let kept = json!([{"type": "message", "role": "user", "content": "go"}]);
                script.row(step(1.0), "compacted", json!({"message": "short", "replacement_history": kept}));
                script.tokens(step(1.0), 1, 1).end(step(1.0), &turn);
            }
            4 => _ = script.says(step(1.0), "done").end(step(1.0), &turn).tokens(step(1.0), 10, 3),
            _ => _ = script.says(step(1.0), "done").tokens(step(1.0), 10, 3).end(step(1.0), &turn),
        }
    }
    script.rows.iter().map(|row| (second_of(row), row.clone())).collect()
}

fn rows(of: &[(f64, Value)]) -> Vec<u8> {
    lines(&of.iter().map(|(_, row)| row.clone()).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_part_of_a_codex_session_was_imported_before_the_whole_tells_the_same(
        shapes in shapes(), places in vec(any::<prop::sample::Index>(), 6), cut in 0..40usize,
    ) {
        let all = codex(&shapes);
        let mut sessions = Sessions::new(set());
        sessions.feed(FILE, &rows(&all));
        sessions.finish(FILE);
        let whole = told(|| sessions.next_told());
        for place in places {
            let part = &all[..=place.index(all.len())];
            let mut sessions = Sessions::new(set());
            let bytes = rows(part);
            sessions.feed(FILE, &bytes[..bytes.len() - cut]);
            let open = sessions.leave(FILE, at(part.last().unwrap().0) + 1_000_000, GRACE);
            assert_part_of(&told(|| sessions.next_told()), &whole);
            prop_assert!(open <= 1 && sessions.take_asides().is_empty());
        }
    }
}

#[test]
fn a_session_that_a_hook_has_ended_leaves_nothing_open() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "go").call(2.0, "m1", ("t1", "Bash"), json!({}));
    let end = |second: f64, name: &str| {
        let mut session = Session::new(set(), SESSION);
        session.feed(Of::Session, &script.bytes());
        let payload = json!({"session_id": SESSION, "hook_event_name": name, "reason": "exit"});
        assert!(session.hook(payload.to_string().as_bytes(), None, at(second)));
        (session.leave(at(3600.0), GRACE), told(|| session.next_told()).len())
    };
    assert_eq!(end(3.0, "SessionEnd"), (0, 3));
    assert_eq!(end(3.0, "SessionStart"), (1, 0));
    assert_eq!(end(0.5, "SessionEnd"), (1, 0), "it was gone on with");
}

#[test]
fn a_stop_that_was_not_one_leaves_the_turn_open() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "go").say(2.0, "m1", "done");
    let leave = |script: &Claude| {
        let mut session = Session::new(set(), SESSION);
        session.feed(Of::Session, &script.bytes());
        (session.leave(at(3600.0), GRACE), told(|| session.next_told()).len())
    };
    assert_eq!(leave(&script), (0, 2));
    let feedback = json!({"role": "user", "content": "Stop hook feedback: tests fail"});
    script.row(3.0, json!({"type": "user", "isMeta": true, "message": feedback}));
    assert_eq!(leave(&script).0, 1);
    script.call(4.0, "m2", ("t1", "Bash"), json!({}));
    assert_eq!(leave(&script).0, 1);
    script.result(5.0, "t1", "x", json!({})).say(6.0, "m3", "done");
    assert_eq!(leave(&script), (0, 5));
}

#[test]
fn a_stop_that_was_not_one_ends_no_turn_of_a_session_that_is_followed() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "go").say(2.0, "m1", "done");
    let feedback = json!({"role": "user", "content": "Stop hook feedback: tests fail"});
    script.row(3.0, json!({"type": "user", "isMeta": true, "message": feedback}));
    let mut session = Session::new(Set { grace: GRACE, ..set() }, SESSION);
    let stop = |session: &mut Session, second: f64| {
        let payload = json!({"session_id": SESSION, "hook_event_name": "Stop"});
        assert!(session.hook(payload.to_string().as_bytes(), None, at(second)));
    };
    session.now(at(3.1));
    stop(&mut session, 2.1);
    session.feed(Of::Session, &script.bytes());
    [3.2, 20.0, 39.0].into_iter().for_each(|second| session.tick(at(second)));
    let early = told(|| session.next_told());
    assert!(early.values().all(|call| call.kind != CallKind::Turn), "the model thinks for long");
    let before = script.rows.len();
    script.call(40.0, "m2", ("t1", "Bash"), json!({})).result(50.0, "t1", "x", json!({})).say(51.0, "m3", "done");
    session.now(at(51.2));
    stop(&mut session, 51.1);
    session.feed(Of::Session, &lines(&script.rows[before..]));
    [51.3, 70.0].into_iter().for_each(|second| session.tick(at(second)));
    let rest = told(|| session.next_told());
    let [turn] = rest.values().filter(|call| call.kind == CallKind::Turn).collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((turn.closed_at.time_unix_nano, turn.closed.outcome), (at(51.1), Some(Outcome::Completed)));
}

#[test]
fn which_of_two_calls_started_a_thread_is_waited_for() {
    let mut parent = Codex::session(1.0, "main-1");
    parent.start(2.0, "t1").calls(3.0, "s1", "spawn_agent", "{}").calls(3.5, "s2", "spawn_agent", "{}");
    let mut child = Codex::default();
    child.row(4.0, "session_meta", json!({"id": "agent-1", "parent_thread_id": "main-1"}));
    child.start(4.5, "c1").says(5.0, "x").tokens(5.0, 1, 1).end(6.0, "c1");
    let import = |parent: &Codex, is_over: bool| {
        let mut sessions = Sessions::new(set());
        let mut open = 0;
        for (name, script) in [(FILE, parent), ("rollout-agent-1.jsonl", &child)] {
            sessions.feed(name, &script.bytes());
            if is_over { sessions.finish(name) } else { open += sessions.leave(name, at(3600.0), GRACE) }
        }
        (open, told(|| sessions.next_told()))
    };
    let (open, before) = import(&parent, false);
    assert_eq!((open, before.len()), (2, 0), "either of them may have started it");
    parent.gets(7.0, "s1", json!({"agent_id": "agent-1"}));
    let (open, known) = import(&parent, false);
    assert_eq!((open, known.values().filter(|record| record.scope.thread == "agent-1").count()), (1, 2));
    let (_, whole) = import(parent.end(8.0, "t1"), true);
    assert_part_of(&known, &whole);
}

#[test]
fn a_call_of_a_journal_that_has_not_returned_is_open() {
    let event = |second: f64, kind: &str| {
        json!({"type": kind, "timestamp": super::script::time(second), "aggregate_type": "x", "aggregate_id": "1",
            "data": {"call_id": "01A", "model_id": "m"}})
    };
    let both = [event(1.0, "llm.call.requested"), event(2.0, "llm.call.returned")];
    for half in &both {
        let mut journal = Journal::new(set(), "j.jsonl");
        journal.feed(&lines(std::slice::from_ref(half)));
        assert_eq!((journal.leave(), journal.next_told()), (1, None));
        journal.finish();
        assert!(journal.next_told().is_some());
    }
    let mut journal = Journal::new(set(), "j.jsonl");
    journal.feed(&lines(&both));
    assert_eq!(journal.leave(), 0);
    let Some(Told::Call(call)) = journal.next_told() else { panic!() };
    assert_eq!((call.kind, call.closed.outcome), (CallKind::Inference, Some(Outcome::Completed)));
}
