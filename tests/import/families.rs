//! Codex: several files, compactions, and what makes no difference.

use serde_json::json;
use veilspan::event::{CallKind, Given, MarkKind, Noted, Outcome};
use veilspan::import::codex::Sessions;
use veilspan::semconv::{
    COMPACTION_REPLACED, COMPACTION_TRIGGER, INPUT_TOKENS, OUTPUT_TOKENS, REASONING_LEVEL, REQUEST_MODEL, THREAD_FILE,
    USAGE_MISSING, USAGE_TOTAL,
};

use super::codex::{FILE, drain, read, read_all};
use super::script::{Codex, START};
use super::told::{All, Record, seconds, set};

const CHILD: &str = "rollout-agent-1.jsonl";

fn parent(say: impl Fn(&mut Codex)) -> Codex {
    let mut script = Codex::session(1.0, "main-1");
    script.start(11.0, "t1").asks(11.0, "go").calls(12.0, "call_spawn", "spawn_agent", "{\"prompt\":\"x\"}");
    script.tokens(12.5, 100, 20);
    say(&mut script);
    script
}

fn child(second: f64) -> Codex {
    let mut script = Codex::default();
    let meta =
        json!({"id": "agent-1", "parent_thread_id": "main-1", "thread_source": "subagent", "model_provider": "openai"});
    script.row(second, "session_meta", meta);
    script
}

fn works(script: &mut Codex, second: f64, turn: &str) {
    script.start(second, turn).asks(second, "x").calls(second + 1.0, "e1", "exec_command", "{}").tokens(
        second + 1.0,
        9,
        9,
    );
    script
        .gets(second + 2.0, "e1", json!("y"))
        .says(second + 3.0, "done")
        .tokens(second + 3.0, 50, 10)
        .end(second + 4.0, turn);
}

fn turns(told: &All) -> Vec<(String, (u64, u64))> {
    told.of(CallKind::Turn).iter().map(|turn| (turn.scope.turn.to_string(), seconds(turn))).collect()
}

#[test]
fn t26_a_sub_agents_turn_is_a_child_of_the_call_that_started_it() {
    let script = parent(|script| _ = script.gets(13.0, "call_spawn", json!("{\"agent_id\":\"agent-1\"}")));
    let mut of_child = child(13.0);
    works(&mut of_child, 14.0, "sub-1");
    let mut sessions = Sessions::new(set());
    sessions.feed(FILE, &script.bytes());
    sessions.feed(CHILD, &of_child.bytes());
    sessions.finish(CHILD);
    let told = drain(&mut sessions);
    assert_eq!(turns(&told), [("sub-1".to_owned(), (14, 18))], "the main turn is still open");
    let (turn, spawn) = (told.of(CallKind::Turn)[0], told.tool("spawn_agent"));
    assert_eq!(turn.opened.span.parent, Some(spawn.opened.span.span));
    assert_eq!(turn.opened.span.trace, spawn.opened.span.trace);
    assert_eq!((&*turn.scope.rollout, &*turn.scope.thread), ("main-1", "agent-1"));
    assert_eq!(turn.opened.attrs.text(THREAD_FILE), Some(CHILD));
    sessions.finish(FILE);
    let rest = drain(&mut sessions);
    assert_eq!(rest.of(CallKind::Turn)[0].opened.attrs.text(THREAD_FILE), Some(FILE));
}

#[test]
fn t28_and_t29_threads_are_timed_each_by_itself_however_their_rows_are_mixed() {
    let script = parent(|script| {
        script.calls(13.0, "call_spawn_2", "spawn_agent", "{}");
        script.event(13.1, "collab_agent_spawn_end", json!({"call_id": "call_spawn", "new_thread_id": "agent-1"}));
        script.event(13.2, "collab_agent_spawn_end", json!({"call_id": "call_spawn_2", "new_thread_id": "agent-2"}));
        script.end(60.0, "t1");
    });
    let mut one = child(14.0);
    works(&mut one, 15.0, "sub-1");
    let mut other = child(14.5);
    other.rows[0]["payload"]["id"] = "agent-2".into();
    works(&mut other, 30.0, "sub-2");
    let files = [(FILE, script.bytes()), (CHILD, one.bytes()), ("rollout-agent-2.jsonl", other.bytes())];
    let apart = read_all(&files);
    let mut sessions = Sessions::new(set());
    sessions.feed(FILE, &files[0].1);
    for (one, other) in files[1].1.chunks(97).zip(files[2].1.chunks(97)) {
        sessions.feed(files[1].0, one);
        sessions.feed(files[2].0, other);
    }
    let rest = |bytes: &[u8], other: &[u8]| bytes.len().div_ceil(97).min(other.len().div_ceil(97)) * 97;
    for place in [1, 2] {
        let from = rest(&files[1].1, &files[2].1).min(files[place].1.len());
        sessions.feed(files[place].0, &files[place].1[from..]);
    }
    files.iter().for_each(|(name, _)| sessions.finish(name));
    let mixed = drain(&mut sessions);
    assert_eq!(mixed.sorted(), apart.sorted());
    let starts: Vec<_> = apart
        .of(CallKind::Inference)
        .iter()
        .filter(|call| call.scope.thread != "main-1")
        .map(|call| seconds(call))
        .collect();
    assert_eq!(starts, [(15, 16), (17, 18), (30, 31), (32, 33)]);
    sessions.finish(CHILD);
    assert!(drain(&mut sessions).0.is_empty(), "what has ended stays as it was told");
}

#[test]
fn t31_what_an_ancestor_told_is_history_and_no_call() {
    let mut script = Codex::session(1.0, "main-1");
    script.start(11.0, "P").asks(11.0, "go").says(12.0, "x").tokens(12.0, 100, 20).end(13.0, "P");
    let mut of_child = child(20.0);
    let mut copied = script.clone();
    // Times may be those of the copy.
    copied.rows.iter_mut().for_each(|row| row["timestamp"] = super::script::time(20.0).into());
    of_child.rows.extend(copied.rows);
    of_child.start(21.0, "C").says(22.0, "y").tokens(22.0, 50, 10).end(23.0, "C");
    for told in [read_all(&[(FILE, script.bytes()), (CHILD, of_child.bytes())]), {
        let mut fork = of_child.clone();
        fork.rows[0]["payload"] = json!({"id": "agent-1", "forked_from_id": "main-1"});
        read_all(&[(FILE, script.bytes()), (CHILD, fork.bytes())])
    }] {
        assert_eq!(turns(&told), [("P".to_owned(), (11, 13)), ("C".to_owned(), (21, 23))]);
        assert_eq!((told.sum(INPUT_TOKENS), told.sum(OUTPUT_TOKENS)), (150, 30));
        let [first, second] = told.of(CallKind::Inference).try_into().unwrap();
        let items = |record: &Record| match &record.given {
            veilspan::event::Given::Request(input) => input.items.len(),
            _ => 0,
        };
        assert_eq!((items(first), items(second)), (1, 2), "what was copied is part of what the model saw");
    }
}

#[test]
fn t31_a_context_holds_in_the_thread_that_copied_it() {
    let model = |own: Option<&str>| {
        let mut script = Codex::session(1.0, "main-1");
        script.start(11.0, "P").asks(11.0, "go").says(12.0, "x").tokens(12.0, 100, 20).end(13.0, "P");
        let mut fork = Codex::default();
        fork.row(20.0, "session_meta", json!({"id": "fork-1", "forked_from_id": "main-1"}));
        fork.rows.extend(script.rows.clone());
        if let Some(own) = own {
            fork.row(20.5, "turn_context", json!({"model": own, "effort": "high"}));
        }
        fork.start(21.0, "C").says(22.0, "y").tokens(22.0, 50, 10).end(23.0, "C");
        let told = read_all(&[(FILE, script.bytes()), (CHILD, fork.bytes())]);
        let [_, own] = told.of(CallKind::Inference).try_into().unwrap();
        [REQUEST_MODEL, REASONING_LEVEL].map(|field| own.opened.attrs.text(field).unwrap_or_default().to_owned())
    };
    assert_eq!(model(None), ["gpt-5.5", "low"]);
    assert_eq!(model(Some("gpt-6")), ["gpt-6", "high"]);
}

#[test]
fn t31_without_its_ancestor_the_ids_and_the_times_say_what_was_copied() {
    let id = |millis: u64| format!("{:08x}-{:04x}-7000-8000-000000000000", millis >> 16, millis & 0xffff);
    let (old, own, new) =
        (id(START / 1_000_000 + 10_000), id(START / 1_000_000 + 20_000), id(START / 1_000_000 + 21_000));
    let mut script = Codex::default();
    script.row(20.0, "session_meta", json!({"id": own, "parent_thread_id": "main-1"}));
    script.row(20.0, "session_meta", json!({"id": "main-1"}));
    script.start(20.0, &old).says(20.0, "x").tokens(20.0, 100, 20).end(20.0, &old);
    script.start(21.0, &new).says(22.0, "y").tokens(22.0, 50, 10).end(23.0, &new);
    let told = read_all(&[(CHILD, script.bytes())]);
    assert_eq!(turns(&told), [(new, (21, 23))]);
}

#[test]
fn t32_however_a_spawn_is_told_the_tree_is_the_same() {
    let is_childs = |record: &Record| record.scope.thread == "agent-1";
    let told_ways = [
        parent(|script| _ = script.gets(13.0, "call_spawn", json!("{\"agent_id\":\"agent-1\"}"))),
        parent(|script| {
            script.event(13.0, "collab_agent_spawn_end", json!({"call_id": "call_spawn", "new_thread_id": "agent-1"}));
        }),
        parent(|script| {
            let told = json!({"event_id": "call_spawn", "agent_thread_id": "agent-1", "kind": "started"});
            script.event(13.0, "sub_agent_activity", told.clone()).event(13.0, "sub_agent_activity", told);
        }),
    ];
    let mut alone = child(13.0);
    alone.rows[0]["payload"] = json!({"id": "agent-1", "model_provider": "openai"});
    let read = |script: &Codex, of_child: &Codex| {
        let (mut script, mut of_child) = (script.clone(), of_child.clone());
        script.end(30.0, "t1");
        works(&mut of_child, 14.0, "sub-1");
        let told = read_all(&[(FILE, script.bytes()), (CHILD, of_child.bytes())]);
        assert_eq!(told.rollouts().len(), 1);
        told.sorted().into_iter().filter(is_childs).collect::<Vec<_>>()
    };
    let tree = read(&parent(|_| {}), &child(13.0));
    assert_eq!((tree.len(), &*tree[0].scope.rollout), (4, "main-1"));
    for script in &told_ways {
        assert_eq!(read(script, &child(13.0)), tree);
        assert_eq!(read(script, &alone), tree, "the parent alone tells whose it is");
        // The child's first row may have been read before the parent has told.
        let mut sessions = Sessions::new(set());
        sessions.feed(CHILD, &alone.bytes());
        sessions.feed(FILE, &script.bytes());
        let mut rest = Codex::default();
        works(&mut rest, 14.0, "sub-1");
        sessions.feed(CHILD, &rest.bytes());
        sessions.finish(CHILD);
        assert_eq!(drain(&mut sessions).sorted().into_iter().filter(is_childs).collect::<Vec<_>>(), tree);
    }
}

#[test]
fn t32_what_is_told_of_a_call_counts_whatever_its_name() {
    let told = |name: &str, say: &dyn Fn(&mut Codex)| {
        let mut script = Codex::session(1.0, "main-1");
        script.start(11.0, "t1").asks(11.0, "go").calls(12.0, "call_spawn", name, "{}").tokens(12.5, 100, 20);
        say(&mut script);
        // Of the thread that runs already it is told too.
        script.calls(13.5, "call_send", "send_input", "{}");
        let sent = json!({"event_id": "call_send", "agent_thread_id": "agent-1", "kind": "interacted"});
        script.event(13.6, "sub_agent_activity", sent).gets(13.7, "call_send", json!("{\"agent_id\":\"agent-1\"}"));
        script.end(30.0, "t1");
        let mut of_child = child(13.0);
        works(&mut of_child, 14.0, "sub-1");
        let told = read_all(&[(FILE, script.bytes()), (CHILD, of_child.bytes())]);
        let turn = told.of(CallKind::Turn).into_iter().find(|turn| turn.scope.thread == "agent-1").unwrap();
        assert_eq!(turn.opened.span.parent, Some(told.tool(name).opened.span.span), "{name}");
    };
    let ended = json!({"call_id": "call_spawn", "new_thread_id": "agent-1"});
    let end = |script: &mut Codex| _ = script.event(13.0, "collab_agent_spawn_end", ended.clone());
    for name in ["spawn_agent", "multi_agent.spawn_agent", "mcp__agents__spawn_agent", "delegate"] {
        told(name, &end);
    }
    told("multi_agent.spawn_agent", &|script| _ = script.gets(13.0, "call_spawn", json!("{\"agent_id\":\"agent-1\"}")));
    told("multi_agent.spawn_agent", &|_| {});
}

#[test]
fn t32_what_a_hook_tells_of_a_call_counts_before_any_guess() {
    let hook = json!({"hook_event_name": "PostToolUse", "session_id": "main-1", "tool_name": "spawn_agent",
        "tool_use_id": "call_spawn", "tool_response": {"agent_id": "agent-1"}});
    let mut script = parent(|script| _ = script.calls(12.7, "call_other", "spawn_agent", "{}"));
    script.end(30.0, "t1");
    let mut alone = child(13.0);
    alone.rows[0]["payload"] = json!({"id": "agent-1"});
    for (mut of_child, is_early) in [(child(13.0), true), (child(13.0), false), (alone.clone(), true), (alone, false)] {
        works(&mut of_child, 14.0, "sub-1");
        let mut sessions = Sessions::new(set());
        let tell = |sessions: &mut Sessions| assert!(sessions.hook(hook.to_string().as_bytes(), None, START));
        if is_early {
            tell(&mut sessions);
        }
        sessions.feed(FILE, &script.bytes());
        if !is_early {
            tell(&mut sessions);
        }
        sessions.feed(CHILD, &of_child.bytes());
        [FILE, CHILD].into_iter().for_each(|file| sessions.finish(file));
        let told = drain(&mut sessions);
        let spawn = told.of(CallKind::Tool)[0].opened.span.span;
        let turn = told.of(CallKind::Turn).into_iter().find(|turn| turn.scope.thread == "agent-1").unwrap();
        assert_eq!((turn.opened.span.parent, &*turn.scope.rollout), (Some(spawn), "main-1"));
    }
}

fn compacting() -> Codex {
    let mut script = Codex::session(1.0, "main-1");
    script.start(11.0, "t1").asks(11.0, "go").says(12.0, "x").tokens(12.0, 1, 1).end(13.0, "t1");
    script.start(20.0, "tc");
    let kept = json!([
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]},
        {"type": "compaction", "encrypted_content": "c2VjcmV0"},
    ]);
    script.row(22.0, "compacted", json!({"message": "", "replacement_history": kept, "window_id": "w1"}));
    script.usage(22.5, json!({"total_tokens": 6451})).end(23.0, "tc");
    script
}

fn compacted(hook_first: bool) -> All {
    let mut sessions = Sessions::new(set());
    let hook = json!({"session_id": "main-1", "hook_event_name": "PreCompact", "turn_id": "tc", "trigger": "manual"});
    let tell = |sessions: &mut Sessions| assert!(sessions.hook(hook.to_string().as_bytes(), None, START));
    if hook_first {
        tell(&mut sessions);
    }
    sessions.feed(FILE, &compacting().bytes());
    if !hook_first {
        tell(&mut sessions);
    }
    sessions.finish(FILE);
    drain(&mut sessions)
}

#[test]
fn t23_and_t25_a_compaction_tells_what_it_replaced_and_its_inference() {
    let told = compacted(true);
    assert_eq!(compacted(false).sorted(), told.sorted());
    let [compaction] = told.of(CallKind::Compaction).try_into().unwrap();
    assert_eq!(seconds(compaction), (20, 22));
    assert_eq!(compaction.opened.attrs.text(COMPACTION_TRIGGER), Some("manual"));
    let installed = &compaction.marks[0].mark;
    assert_eq!((installed.kind, installed.attrs.get(COMPACTION_REPLACED)), (MarkKind::CompactionInstalled, Some(2)));
    let Noted::Histories(histories) = &installed.noted else { panic!() };
    assert_eq!((histories.replaced.items.len(), histories.replacement.items.len()), (2, 2));
    assert_eq!(histories.replacement.blobs.len(), 1);
    let inference = told.of(CallKind::Inference)[1];
    assert_eq!(inference.opened.span.parent, Some(compaction.opened.span.span));
    assert_eq!(inference.closed.attrs.get(USAGE_TOTAL), Some(6451));
    assert_eq!(turns(&told)[1], ("tc".to_owned(), (20, 23)), "it ends with its own row");
    assert_eq!(told.of(CallKind::Turn)[1].closed.outcome, Some(Outcome::Completed));
}

#[test]
fn t23_what_is_answered_after_a_compaction_is_no_part_of_it() {
    let mut script = Codex::session(1.0, "main-1");
    script.start(3.0, "t1").says(5.0, "before").tokens(6.0, 10, 1);
    let kept = json!([{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "kept"}]}]);
    script.row(7.0, "compacted", json!({"message": "short", "replacement_history": kept}));
    script.says(8.0, "after").tokens(9.0, 20, 2).says(10.0, "then").tokens(11.0, 30, 3).end(12.0, "t1");
    let told = read(&script);
    let inferences = told.of(CallKind::Inference);
    let spent: Vec<_> = inferences.iter().map(|call| (seconds(call), call.closed.attrs.get(INPUT_TOKENS))).collect();
    assert_eq!(spent, [((3, 5), Some(10)), ((5, 7), None), ((7, 8), Some(20)), ((8, 10), Some(30))]);
    let (turn, compaction) = (told.of(CallKind::Turn)[0], told.of(CallKind::Compaction)[0]);
    let parents: Vec<_> = inferences.iter().map(|call| call.opened.span.parent).collect();
    let [of_turn, of_compaction] = [turn, compaction].map(|call| Some(call.opened.span.span));
    assert_eq!(parents, [of_turn, of_compaction, of_turn, of_turn]);
    let Given::Request(last) = &inferences[3].given else { panic!() };
    let lengths: Vec<_> = last.items.iter().map(|item| item.length).collect();
    assert_eq!(lengths.last(), Some(&Some(5)), "what was answered is shown next: {lengths:?}");
}

#[test]
fn t21_tokens_and_an_end_that_come_late_belong_to_their_turn() {
    let mut sessions = Sessions::new(set());
    let mut script = Codex::session(1.0, "main-1");
    script.start(11.0, "t1").says(12.0, "x");
    sessions.feed(FILE, &script.bytes());
    let stop = json!({"session_id": "main-1", "hook_event_name": "Stop", "turn_id": "t1"});
    assert!(sessions.hook(stop.to_string().as_bytes(), None, START + 12_000_000_000));
    (1..20).for_each(|second| sessions.tick(START + second * 1_000_000_000));
    let mut late = Codex::default();
    late.tokens(14.0, 7, 3).end(15.0, "t1");
    sessions.feed(FILE, &late.bytes());
    sessions.finish(FILE);
    let told = drain(&mut sessions);
    assert_eq!(turns(&told), [("t1".to_owned(), (11, 15))]);
    assert_eq!((told.sum(INPUT_TOKENS), told.sum(OUTPUT_TOKENS)), (7, 3));
}

#[test]
fn t35_reading_again_tells_the_same() {
    assert_eq!(read(&compacting()).sorted(), read(&compacting()).sorted());
}

#[test]
fn t43_a_long_session_is_told_whole_in_bounded_portions() {
    let mut script = Codex::session(1.0, "main-1");
    let prompt = "p".repeat(8 << 10);
    for turn in 0..256 {
        let (second, id) = (10.0 + f64::from(turn), format!("t{turn}"));
        script.start(second, &id).asks(second, &prompt).says(second, "x").tokens(second, 1, 1).end(second, &id);
    }
    let bytes = script.bytes();
    let mut sessions = Sessions::new(set());
    let mut inferences = 0;
    for portion in bytes.chunks(64 << 10) {
        sessions.feed(FILE, portion);
        let told = drain(&mut sessions);
        assert!(told.0.len() < 100, "nothing is held back");
        inferences += told.of(CallKind::Inference).len();
        assert!(told.records().iter().all(|call| call.closed.attrs.text(USAGE_MISSING).is_none()));
    }
    sessions.finish(FILE);
    assert_eq!(inferences + drain(&mut sessions).of(CallKind::Inference).len(), 256);
}

#[test]
fn t46_looking_ends_nothing() {
    let mut script = Codex::session(1.0, "main-1");
    script.start(11.0, "t1").calls(12.0, "c1", "shell", "{}").tokens(12.5, 1, 1).gets(13.0, "c1", json!("x"));
    script.calls(14.0, "c2", "shell", "{}").tokens(14.5, 1, 1).gets(15.0, "c2", json!("x")).says(16.0, "y");
    script.tokens(16.0, 1, 1).end(17.0, "t1").start(18.0, "t2").says(19.0, "z").tokens(19.0, 1, 1).end(20.0, "t2");
    let whole = read(&script);
    let mut sessions = Sessions::new(set());
    let mut told = All::default();
    for (place, row) in script.rows.iter().enumerate() {
        sessions.feed(FILE, &super::script::lines(std::slice::from_ref(row)));
        told.0.extend(drain(&mut sessions).0);
        // No row has ended a turn by then.
        if !(12..15).contains(&place) {
            sessions.tick(START + 3600 * 1_000_000_000 * (place as u64 + 1));
        }
        told.0.extend(drain(&mut sessions).0);
    }
    sessions.finish(FILE);
    told.0.extend(drain(&mut sessions).0);
    assert_eq!(told.sorted(), whole.sorted());
}
