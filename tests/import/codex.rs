//! Codex: turns, inferences and tools of one file.

use serde_json::json;
use veilspan::event::{CallKind, Given, Outcome, Returned};
use veilspan::import::codex::Sessions;
use veilspan::semconv::{
    CACHE_CREATION_TOKENS, CACHE_READ_TOKENS, END_INFERRED, ERROR_KIND, INPUT_TOKENS, MCP_SERVER, OUTPUT_TOKENS,
    PERMISSION_REQUESTED, REASONING_LEVEL, REASONING_TOKENS, REQUEST_MODEL, SKILL_TRIGGER, SKILLS, TERMINAL_EXIT_CODE,
    THREAD_FILE, TOOL_NAME, USAGE_COST, USAGE_MISSING, USAGE_TOTAL,
};

use super::script::Codex;
use super::told::{All, Record, corpus, seconds, set};

pub const FILE: &str = "rollout-main-1.jsonl";

pub fn drain(sessions: &mut Sessions) -> All {
    All(std::iter::from_fn(|| sessions.next_told()).collect())
}

pub fn read_all(files: &[(&str, Vec<u8>)]) -> All {
    let mut sessions = Sessions::new(set());
    for (name, bytes) in files {
        sessions.feed(name, bytes);
    }
    for (name, _) in files {
        sessions.finish(name);
    }
    drain(&mut sessions)
}

pub fn read(script: &Codex) -> All {
    read_all(&[(FILE, script.bytes())])
}

fn only(told: &All, kind: CallKind) -> Record {
    let [one] = told.of(kind).try_into().unwrap();
    one.clone()
}

fn spans(told: &All, kind: CallKind) -> Vec<(u64, u64)> {
    told.of(kind).into_iter().map(seconds).collect()
}

fn started() -> Codex {
    let mut script = Codex::session(1.0, "main-1");
    script.start(11.0, "t1");
    script
}

fn digests(record: &Record) -> Vec<String> {
    match &record.given {
        Given::Request(input) => input.items.iter().map(|item| item.digest.unwrap().to_string()).collect(),
        _ => panic!("no request"),
    }
}

fn sha256(text: &str) -> String {
    use veilspan::privacy::c1::{Hasher, digest};
    digest::text(&Hasher::sha256(), text).to_string()
}

#[test]
fn t01_a_turn_with_one_answer_and_one_tool() {
    let mut script = Codex::session(1.0, "main-1");
    script.start(3.0, "t1").asks(4.0, "list").thinks(5.0, "I'll run ls").says(6.0, "Running");
    script.calls(7.0, "c1", "shell", "{\"command\":[\"ls\"]}").tokens(8.0, 100, 20).gets(9.0, "c1", json!("a\nb"));
    let told = read(script.end(10.0, "t1"));
    let (turn, inference) = (only(&told, CallKind::Turn), only(&told, CallKind::Inference));
    assert_eq!((seconds(&turn), turn.closed.outcome), ((3, 10), Some(Outcome::Completed)));
    assert_eq!(turn.opened.attrs.text(THREAD_FILE), Some(FILE));
    let (Given::Texts(asked), Returned::Texts(answered)) = (&turn.given, &turn.returned) else { panic!() };
    assert_eq!(asked[0].digest.unwrap().to_string(), sha256("list"));
    assert_eq!(answered[0].digest.unwrap().to_string(), sha256("Running"));
    assert_eq!(seconds(&inference), (3, 7));
    assert_eq!(inference.opened.attrs.text(REQUEST_MODEL), Some("gpt-5.5"));
    assert_eq!(inference.opened.attrs.text(REASONING_LEVEL), Some("low"));
    assert_eq!((told.sum(INPUT_TOKENS), told.sum(OUTPUT_TOKENS)), (100, 20));
    assert_eq!(inference.closed.attrs.get(USAGE_TOTAL), None, "it is what the two come to");
    let Returned::Answer(answer) = &inference.returned else { panic!() };
    assert_eq!((answer.items.len(), answer.blobs.len()), (1, 1));
    let tool = told.tool("shell");
    assert_eq!((seconds(tool), tool.opened.span.parent), ((7, 9), Some(turn.opened.span.span)));
    let [rollout] = told.rollouts().try_into().unwrap();
    assert_eq!((rollout.totals.turns, rollout.totals.inferences, rollout.totals.tool_calls), (1, 1, 1));
    assert_eq!(rollout.findings, []);
}

#[test]
fn t02_a_late_first_output_does_not_shorten_the_inference() {
    let told = read(started().says(15.0, "x").tokens(15.0, 1, 1).end(16.0, "t1"));
    assert_eq!(spans(&told, CallKind::Inference), [(11, 15)]);
}

#[test]
fn t03_tokens_that_are_told_after_the_tool_do_not_lengthen_the_inference() {
    let mut script = started();
    script.says(12.0, "x").calls(13.0, "c1", "shell", "{}").gets(14.0, "c1", json!("y")).tokens(15.0, 1, 1);
    let told = read(script.end(16.0, "t1"));
    assert_eq!((spans(&told, CallKind::Inference), spans(&told, CallKind::Tool)), (vec![(11, 13)], vec![(13, 14)]));
}

#[test]
fn t04_an_answer_that_only_calls_a_tool_is_an_inference() {
    let mut script = started();
    script.calls(30.0, "c1", "shell", "{}").gets(32.0, "c1", json!("y")).tokens(32.0, 1, 1);
    let told = read(script.end(33.0, "t1"));
    assert_eq!((spans(&told, CallKind::Inference), spans(&told, CallKind::Tool)), (vec![(11, 30)], vec![(30, 32)]));
}

#[test]
fn t05_inferences_and_tools_follow_each_other_without_a_gap() {
    let mut script = started();
    script.says(11.0, "x").calls(12.0, "c1", "shell", "{}").tokens(13.0, 1, 1).gets(14.0, "c1", json!("y"));
    let told = read(script.says(18.0, "z").tokens(18.0, 1, 1).end(19.0, "t1"));
    assert_eq!(spans(&told, CallKind::Inference), [(11, 12), (14, 18)]);
    assert_eq!(spans(&told, CallKind::Tool), [(12, 14)]);
}

#[test]
fn t06_and_t07_why_an_inference_has_no_tokens_is_told() {
    let missing = |usage: Option<serde_json::Value>| {
        let mut script = started();
        script.says(12.0, "x");
        if let Some(usage) = usage {
            script.usage(13.0, usage);
        }
        let told = read(script.end(14.0, "t1"));
        let inference = only(&told, CallKind::Inference);
        assert_eq!((seconds(&inference), inference.closed.attrs.get(INPUT_TOKENS)), ((11, 12), None));
        inference.closed.attrs.text(USAGE_MISSING).unwrap().to_owned()
    };
    assert_eq!(missing(Some(json!({}))), "missing");
    assert_eq!(missing(Some(json!(null))), "missing");
    assert_eq!(missing(Some(json!({"words": 3}))), "unrecognised");
    assert_eq!(missing(None), "no_token_count");
    let nothing = read(started().says(12.0, "x").event(13.0, "token_count", json!({"info": null})).end(14.0, "t1"));
    assert_eq!(only(&nothing, CallKind::Inference).closed.attrs.text(USAGE_MISSING), Some("missing"));
}

#[test]
fn t06_a_count_of_limits_alone_hides_no_tokens() {
    let limits = json!({"info": null, "rate_limits": {"primary": {"used_percent": 3.0}}});
    let mut script = started();
    script.says(12.0, "a").event(12.5, "token_count", limits.clone()).tokens(13.0, 100, 20);
    script.calls(14.0, "c1", "shell", "{}").event(14.5, "token_count", limits).gets(15.0, "c1", json!("x"));
    script.tokens(15.5, 7, 3).says(18.0, "b").end(19.0, "t1");
    let told = read(&script);
    assert_eq!(spans(&told, CallKind::Inference), [(11, 12), (12, 14), (15, 18)]);
    assert_eq!((told.sum(INPUT_TOKENS), told.sum(OUTPUT_TOKENS)), (107, 23));
    let missing: Vec<_> =
        told.of(CallKind::Inference).iter().map(|call| call.closed.attrs.text(USAGE_MISSING)).collect();
    assert_eq!(missing, [None, None, Some("no_token_count")]);
}

#[test]
fn t08_tokens_are_read_under_all_their_names() {
    let usage = json!({
        "prompt_tokens": 100, "completion_tokens": 14, "cost": 0.1234,
        "prompt_tokens_details": {"cached_tokens": 25, "cache_creation_tokens": 7},
        "completion_tokens_details": {"reasoning_tokens": 4},
    });
    let told = read(started().says(12.0, "x").usage(13.0, usage).end(14.0, "t1"));
    let attrs = only(&told, CallKind::Inference).closed.attrs;
    let counts = [INPUT_TOKENS, OUTPUT_TOKENS, CACHE_READ_TOKENS, CACHE_CREATION_TOKENS, REASONING_TOKENS];
    assert_eq!(counts.map(|attr| attrs.get(attr).unwrap()), [100, 14, 25, 7, 4]);
    assert_eq!(attrs.get(USAGE_COST), Some(0.1234));
    let codex = json!({"input_tokens": 9, "cached_input_tokens": 3, "cache_write_input_tokens": 2, "output_tokens": 1});
    let told = read(started().says(12.0, "x").usage(13.0, codex).end(14.0, "t1"));
    let attrs = only(&told, CallKind::Inference).closed.attrs;
    assert_eq!((attrs.get(CACHE_READ_TOKENS), attrs.get(CACHE_CREATION_TOKENS)), (Some(3), Some(2)));
}

#[test]
fn t10_thoughts_that_only_the_provider_reads_are_an_inference_without_text() {
    let mut script = started();
    script.item(12.0, "reasoning", json!({"summary": [], "encrypted_content": "c2VjcmV0"}));
    let told = read(script.tokens(13.0, 1, 1).end(14.0, "t1"));
    let inference = only(&told, CallKind::Inference);
    let Returned::Answer(answer) = &inference.returned else { panic!() };
    assert_eq!((seconds(&inference), answer.blobs.len()), ((11, 12), 1));
    assert_eq!(answer.items[0].length, Some(0), "nothing but the blob");
}

#[test]
fn t11_and_t12_the_next_request_ends_with_what_was_answered_and_what_the_tool_returned() {
    let mut script = started();
    script.asks(11.0, "list").thinks(12.0, "why").calls(13.0, "c1", "shell", "{\"b\": 1, \"a\": 2}").tokens(13.0, 1, 1);
    script.gets(14.0, "c1", json!("y")).says(15.0, "z").tokens(15.0, 1, 1);
    let told = read(script.end(16.0, "t1"));
    let [first, second] = told.of(CallKind::Inference).try_into().unwrap();
    let (Given::Request(before), Given::Request(after)) = (&first.given, &second.given) else { panic!() };
    assert_eq!(digests(first), [sha256("list")]);
    assert_eq!((after.prefix, after.items.len()), (before.chain, 2));
    assert_eq!(after.items[0].part_kinds, "reasoning+encrypted+tool_call");
    let Returned::Answer(answer) = &first.returned else { panic!() };
    assert_eq!(answer.items[0].digest, after.items[0].digest);
    assert_eq!(after.items[1].part_kinds, "tool_call_response");
    let Given::Arguments(arguments) = &told.tool("shell").given else { panic!() };
    assert_eq!(arguments.length, Some(16), "as it was written, spaces and all");
    assert!(arguments.exact.is_some(), "the digest is that of the canonical form, and the exact one is told beside");
    let [rollout] = told.rollouts().try_into().unwrap();
    assert_eq!(rollout.findings, []);
}

#[test]
fn t13_custom_tools_and_tool_search_have_names() {
    let mut script = started();
    script.item(12.0, "custom_tool_call", json!({"call_id": "c1", "name": "apply_patch", "input": "*** Begin"}));
    script.item(13.0, "custom_tool_call_output", json!({"call_id": "c1", "output": "ok"}));
    script.item(14.0, "tool_search_call", json!({"call_id": "c2", "arguments": {"query": "x"}}));
    script.item(15.0, "tool_search_output", json!({"call_id": "c2", "result": "found"}));
    let told = read(script.tokens(16.0, 1, 1).end(17.0, "t1"));
    let Given::Arguments(arguments) = &told.tool("apply_patch").given else { panic!() };
    assert_eq!(arguments.digest.unwrap().to_string(), sha256("*** Begin"));
    assert_eq!((seconds(told.tool("apply_patch")), seconds(told.tool("tool_search"))), ((12, 13), (14, 15)));
}

#[test]
fn t14_a_call_without_an_output_is_abandoned_at_the_end_of_its_turn() {
    let told = read(started().calls(12.0, "c1", "shell", "{}").tokens(13.0, 1, 1).end(16.0, "t1"));
    let tool = told.tool("shell");
    assert_eq!((seconds(tool), tool.closed.outcome), ((12, 16), Some(Outcome::Abandoned)));
    assert_eq!(tool.closed.attrs.get(END_INFERRED), Some(true));
}

#[test]
fn t16_what_is_told_twice_is_one() {
    let mut script = started();
    script.start(11.0, "t1").row(11.5, "session_meta", json!({"id": "main-1", "cwd": "/elsewhere"}));
    script.calls(12.0, "c1", "shell", "{}").calls(12.5, "c1", "shell", "{}").tokens(13.0, 1, 1);
    let told = read(script.gets(14.0, "c1", json!("x")).gets(14.5, "c1", json!("x")).end(16.0, "t1"));
    assert_eq!((told.of(CallKind::Turn).len(), told.of(CallKind::Tool).len()), (1, 1));
    assert_eq!(told.rollouts().len(), 1);
}

#[test]
fn t17_failures_of_tools_are_told_in_several_ways() {
    let outcome = |output: serde_json::Value| {
        let told = read(started().calls(12.0, "c1", "shell", "{}").gets(13.0, "c1", output).end(16.0, "t1"));
        let tool = told.tool("shell").clone();
        let kind = tool.closed.attrs.text(ERROR_KIND).map(str::to_owned);
        let error = tool.closed.error.digest.map(|digest| digest.to_string());
        (tool.closed.outcome.unwrap(), kind, error, tool.closed.attrs.get(TERMINAL_EXIT_CODE))
    };
    let failed = |kind: &str, error: &str, code| (Outcome::Failed, Some(kind.to_owned()), Some(sha256(error)), code);
    let fine = |code| (Outcome::Completed, None, None, code);
    assert_eq!(outcome(json!({"status": "failed", "error": "boom"})), failed("tool_error", "boom", None));
    assert_eq!(outcome(json!({"output": "two\nlines", "exit_code": 2})), failed("exit_code", "two", Some(2)));
    assert_eq!(outcome(json!("{\"output\":\"x\",\"metadata\":{\"exit_code\":3}}")), failed("exit_code", "x", Some(3)));
    assert_eq!(outcome(json!("Exit code 1\nmore")), failed("exit_code", "Exit code 1", Some(1)));
    assert_eq!(outcome(json!("Error: no\nmore")), failed("tool_error", "Error: no", None));
    assert_eq!(outcome(json!("Exit code 0\nmore")), fine(Some(0)));
    assert_eq!(outcome(json!("Wall time: 1s\nProcess exited with code 0\nOutput:\nx")), fine(Some(0)));
    assert_eq!(outcome(json!("fine")), fine(None));
    // As Codex itself writes what a command did, and what a tool of its own returned.
    let freeform = "Exit code: 3\nWall time: 0.1 seconds\nOutput:\nboom";
    assert_eq!(outcome(json!(freeform)), failed("exit_code", "Exit code: 3", Some(3)));
    assert_eq!(outcome(json!({"content": "no\nmore", "success": false})), failed("tool_error", "no", None));
    assert_eq!(outcome(json!("{\"content\":\"no\",\"success\":false}")), failed("tool_error", "no", None));
    assert_eq!(outcome(json!({"content": "yes", "success": true})), fine(None));
    let list = json!([{"type": "input_image", "image_url": "x"}, {"type": "input_text", "text": "Exit code 4\nmore"}]);
    assert_eq!(outcome(list), failed("exit_code", "Exit code 4", Some(4)));
    assert_eq!(outcome(json!([{"type": "input_text", "text": "fine"}])), fine(None));
}

#[test]
fn t18_a_call_that_asks_for_more_than_its_sandbox_says_so() {
    let escalated = "{\"cmd\":\"x\",\"sandbox_permissions\":\"require_escalated\",\"justification\":\"because\",\"prefix_rule\":[\"x\"]}";
    let mut script = started();
    script.calls(12.0, "c1", "shell", "{\"cmd\":\"x\"}").calls(13.0, "c2", "shell", escalated).tokens(14.0, 1, 1);
    let told = read(script.end(15.0, "t1"));
    let asked: Vec<_> =
        told.of(CallKind::Tool).iter().map(|tool| tool.opened.attrs.get(PERMISSION_REQUESTED)).collect();
    assert_eq!(asked, [None, Some(true)]);
}

#[test]
fn t19_a_skill_that_was_asked_for_is_named_on_its_load_and_its_turn() {
    let load = "{\"command\":[\"cat\",\"skills/review/SKILL.md\"]}";
    let turn = |prompt: &str| {
        let told =
            read(started().asks(11.0, prompt).calls(12.0, "c1", "shell", load).tokens(13.0, 1, 1).end(14.0, "t1"));
        let tool = told.tool("skill:review").clone();
        let listed = only(&told, CallKind::Turn).opened.attrs.get(SKILLS).unwrap();
        assert_eq!(listed, ["review"]);
        tool.opened.attrs.text(SKILL_TRIGGER).unwrap().to_owned()
    };
    assert_eq!(turn("$review this"), "explicit");
    assert_eq!(turn("look at it"), "implicit");
    let bare = read(started().asks(11.0, "/skills").says(12.0, "none").tokens(13.0, 1, 1).end(14.0, "t1"));
    assert_eq!(only(&bare, CallKind::Turn).opened.attrs.get(SKILLS), None);
}

#[test]
fn half_a_sign_where_a_text_was_cut_costs_neither_its_row_nor_its_call() {
    let mut script = started();
    script.calls(12.0, "c1", "shell", "{}").tokens(12.5, 1, 1).gets(13.0, "c1", json!("cut HALF"));
    let whole = String::from_utf8(script.end(16.0, "t1").bytes()).unwrap();
    let told = read_all(&[(FILE, whole.replace("HALF", "\\ud83d").into_bytes())]);
    let tool = told.tool("shell");
    assert_eq!((seconds(tool), tool.closed.outcome), ((12, 13), Some(Outcome::Completed)));
    let Returned::Result(result) = &tool.returned else { panic!() };
    assert_eq!(result.digest.unwrap().to_string(), sha256("cut \u{fffd}"));
}

#[test]
fn t22_two_turns_are_two_traces_and_the_second_follows_the_first() {
    let mut script = started();
    script.says(12.0, "x").tokens(12.0, 1, 1).end(13.0, "t1").start(20.0, "t2").says(21.0, "y").tokens(21.0, 1, 1);
    let told = read(script.end(22.0, "t2"));
    let [first, second] = told.of(CallKind::Turn).try_into().unwrap();
    assert_ne!(first.opened.span.trace, second.opened.span.trace);
    let link = second.opened.links[0];
    assert_eq!((link.trace, link.span), (first.opened.span.trace, first.opened.span.span));
    let [rollout] = told.rollouts().try_into().unwrap();
    assert!(rollout.last_unix_nano >= Some(second.closed_at.time_unix_nano));
    assert_eq!(rollout.edges.len(), 1);
}

#[test]
fn t33_a_turn_that_was_interrupted_is_cancelled_and_so_is_its_open_tool() {
    let mut script = started();
    script.calls(12.0, "c1", "shell", "{}");
    script.event(13.0, "turn_aborted", json!({"turn_id": "t1", "reason": "interrupted"}));
    script.start(20.0, "t2").says(21.0, "y").tokens(21.0, 5, 1).end(22.0, "t2");
    let told = read(&script);
    let outcomes: Vec<_> = told.of(CallKind::Turn).iter().map(|turn| (seconds(turn), turn.closed.outcome)).collect();
    assert_eq!(outcomes, [((11, 13), Some(Outcome::Cancelled)), ((20, 22), Some(Outcome::Completed))]);
    let tool = told.tool("shell");
    assert_eq!((seconds(tool), tool.closed.outcome), ((12, 13), Some(Outcome::Cancelled)));
    assert_eq!(told.of(CallKind::Inference).len(), 2);
}

#[test]
fn the_recorded_sessions_of_codex_tell_what_they_hold() {
    let Some(folder) = corpus() else { return };
    let of = |name: &str| {
        let file = format!("rollout-{name}.jsonl");
        let bytes = std::fs::read(folder.join("codex").join(&file)).unwrap();
        (file, bytes)
    };
    let count = |told: &All| [CallKind::Turn, CallKind::Inference, CallKind::Tool].map(|kind| told.of(kind).len());
    let one = |name: &str| {
        let (file, bytes) = of(name);
        read_all(&[(&file, bytes)])
    };
    let basic = one("basic-main");
    assert_eq!(count(&basic), [1, 2, 1]);
    assert_eq!((basic.sum(INPUT_TOKENS), basic.sum(OUTPUT_TOKENS), basic.sum(CACHE_READ_TOKENS)), (250, 50, 50));
    assert_eq!(count(&one("two-turns-main"))[0], 2);
    let tools = one("tools-main");
    assert_eq!(count(&tools), [1, 1, 3]);
    assert_eq!(tools.tool("linear__create_issue").opened.attrs.text(MCP_SERVER), Some("linear"));
    assert_eq!(tools.tool("local_shell").closed.attrs.get(TERMINAL_EXIT_CODE), Some(0));
    assert!(tools.of(CallKind::Tool).iter().all(|tool| tool.closed.outcome == Some(Outcome::Completed)));
    let ((parent, parents), (child, childs)) = (of("parent"), of("child-thread-child"));
    let family = read_all(&[(&parent, parents), (&child, childs)]);
    assert_eq!(count(&family), [2, 2, 2]);
    let spawn = family.tool("spawn_agent");
    let turns = family.of(CallKind::Turn);
    assert_eq!(turns[0].closed.outcome, Some(Outcome::Cancelled));
    assert_eq!(
        (turns[1].opened.span.trace, turns[1].opened.span.parent),
        (spawn.opened.span.trace, Some(spawn.opened.span.span))
    );
    assert_eq!(family.tool("exec_command").closed.outcome, Some(Outcome::Failed));
    assert_eq!(family.rollouts().len(), 1);
    assert_eq!(family.of(CallKind::Tool)[0].opened.attrs.text(TOOL_NAME), Some("spawn_agent"));
}
