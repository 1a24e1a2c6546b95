//! Codex: what the model is shown after a user has taken turns back.

use serde_json::json;
use veilspan::event::{CallKind, Digest, Given};
use veilspan::import::codex::Sessions;

use super::codex::FILE;
use super::script::Codex;
use super::told::{All, set};

fn read(scripts: &[(&str, &Codex)]) -> All {
    let mut sessions = Sessions::new(set());
    for (name, script) in scripts {
        sessions.feed(name, &script.bytes());
        sessions.finish(name);
    }
    All(std::iter::from_fn(|| sessions.next_told()).collect())
}

/// The chain of the last request, how long the messages are that it tells, and how many it leaves out.
fn last(told: &All) -> (Option<Digest>, Vec<u64>, Option<u64>) {
    let inferences = told.of(CallKind::Inference);
    let Given::Request(input) = &inferences.last().unwrap().given else { panic!() };
    (input.chain, input.items.iter().map(|item| item.length.unwrap()).collect(), input.omitted)
}

/// A turn of two messages.
fn turn(script: &mut Codex, second: f64, id: &str, (asked, said): (&str, &str)) {
    script.start(second, id).asks(second, asked).says(second + 0.5, said).tokens(second + 0.6, 1, 1);
    script.end(second + 0.7, id);
}

fn shorten(script: &mut Codex, second: f64) {
    let content = json!([{"type": "input_text", "text": "in short"}]);
    let kept = json!([{"type": "message", "role": "user", "content": content}]);
    script.row(second, "compacted", json!({"message": "in short", "replacement_history": kept}));
}

fn take_back(script: &mut Codex, second: f64, turns: u64) {
    script.event(second, "thread_rolled_back", json!({"num_turns": turns}));
}

/// Asks in a last turn, and compares with a session in which nothing was taken back.
fn assert_shown(mut script: Codex, kept: &[(&str, &str)]) {
    let mut plain = Codex::session(1.0, "main-1");
    for (place, turn_) in kept.iter().enumerate() {
        turn(&mut plain, 2.0 + place as f64, &format!("k{place}"), *turn_);
    }
    for script in [&mut script, &mut plain] {
        turn(script, 50.0, "last", ("seven77", "eight888"));
    }
    let (told, plain) = (read(&[(FILE, &script)]), read(&[(FILE, &plain)]));
    let mut lengths: Vec<u64> = kept.iter().flat_map(|(asked, said)| [asked.len() as u64, said.len() as u64]).collect();
    lengths.push(7);
    let (chain, items, omitted) = last(&told);
    assert_eq!((chain, omitted), (last(&plain).0, None));
    assert_eq!(items, lengths);
    let turns = told.of(CallKind::Turn);
    let links: Vec<_> = turns.last().unwrap().opened.links.iter().map(|link| link.span).collect();
    let before = (!kept.is_empty()).then(|| turns[kept.len() - 1].opened.span.span);
    assert_eq!(links, before.into_iter().collect::<Vec<_>>(), "it follows the turn that was kept");
}

#[test]
fn a_turn_that_was_taken_back_is_shown_no_more() {
    let mut script = Codex::session(1.0, "main-1");
    turn(&mut script, 2.0, "t1", ("one", "four"));
    turn(&mut script, 4.0, "t2", ("three", "five5"));
    take_back(&mut script, 6.0, 1);
    assert_shown(script, &[("one", "four")]);
}

#[test]
fn a_history_that_was_replaced_in_a_turn_that_was_taken_back_is_back() {
    let mut script = Codex::session(1.0, "main-1");
    turn(&mut script, 2.0, "t1", ("one", "four"));
    script.start(4.0, "t2").asks(4.0, "three");
    shorten(&mut script, 5.0);
    script.tokens(5.1, 1, 1).says(6.0, "five5").tokens(6.1, 1, 1).end(6.2, "t2");
    take_back(&mut script, 7.0, 1);
    assert_shown(script, &[("one", "four")]);
}

#[test]
fn a_turn_in_which_nobody_asked_is_not_counted_where_turns_are_taken_back() {
    let mut script = Codex::session(1.0, "main-1");
    turn(&mut script, 2.0, "t1", ("one", "four"));
    turn(&mut script, 4.0, "t2", ("three", "five5"));
    script.start(6.0, "t3");
    shorten(&mut script, 6.1);
    script.tokens(6.2, 1, 1).end(6.3, "t3");
    take_back(&mut script, 7.0, 1);
    assert_shown(script.clone(), &[("one", "four")]);
    take_back(&mut script, 8.0, 1);
    assert_shown(script, &[]);
}

#[test]
fn turns_that_an_ancestor_took_back_or_had_are_taken_back_in_a_fork_too() {
    let mut parent = Codex::session(1.0, "main-1");
    turn(&mut parent, 2.0, "t1", ("one", "four"));
    turn(&mut parent, 4.0, "t2", ("three", "five5"));
    take_back(&mut parent, 6.0, 1);
    turn(&mut parent, 7.0, "t3", ("six666", "nine99999"));
    for (back, lengths) in [(0, vec![3, 4, 6, 9, 3]), (1, vec![3, 4, 3])] {
        let mut fork = Codex::default();
        fork.row(20.0, "session_meta", json!({"id": "fork-1", "forked_from_id": "main-1", "model_provider": "openai"}));
        fork.rows.extend(parent.rows.clone());
        fork.start(21.0, "f1").asks(21.0, "ten").says(22.0, "a").tokens(22.1, 1, 1).end(22.2, "f1");
        if back > 0 {
            fork.event(23.0, "thread_rolled_back", json!({"num_turns": 1 + back}));
            fork.start(24.0, "f2").asks(24.0, "ten").says(25.0, "b").tokens(25.1, 1, 1).end(25.2, "f2");
        }
        let told = read(&[(FILE, &parent), ("rollout-fork-1.jsonl", &fork)]);
        assert_eq!((last(&told).1, last(&told).2), (lengths, None), "{back}");
    }
}
