use veilspan::reduce::tree;

use super::events::*;

fn run() -> Vec<Call> {
    let mut calls = vec![
        turn("run", 1).at(1, 9),
        inference("run", 2).at(1, 2).chain(None, 0xa1).answer(0x9f).tokens(300, 20).finish("tool_calls"),
        tool("run", 3).at(2, 6).parent(1),
        turn("run", 4).thread("sub").turn("child").at(3, 5).parent(3),
        inference("run", 5).thread("sub").turn("child").at(3, 4).tokens(904, 76).finish("stop"),
        inference("run", 6).at(7, 8).chain(Some(0xa1), 0xa2),
    ];
    calls[3].opened.set(veilspan::semconv::AGENT_NAME, text("helper"));
    calls
}

#[test]
fn the_tree_shows_a_run_at_a_glance() {
    let expected = "\
rollout run  completed  2 turns  3 inferences  1 tool call  1,204 in / 96 out tokens
└─ turn planner  completed  8.00 s  300 in / 20 out tokens
   ├─ chat gpt-x  completed  1.00 s  300 → 20 tokens  tool_calls  in 1 message a1a1a1a1…  out 9f9f9f9f…
   ├─ execute_tool add  completed  4.00 s  arguments 1c1c1c1c…  result 99999999…
   │  └─ turn helper  completed  2.00 s  904 in / 76 out tokens
   │     └─ chat gpt-x  completed  1.00 s  904 → 76 tokens  stop
   └─ chat gpt-x  completed  1.00 s  in 1 message a2a2a2a2…
";
    assert_eq!(tree(&reduce(&all(&run()))), expected);
}

#[test]
fn findings_stand_at_the_end_of_the_tree() {
    let rollout = reduce(&inference("run", 2).both());
    let expected = "\
rollout run  open  1 turn  1 inference  0 tool calls
├─ turn tu  open  not reported
│  └─ chat gpt-x  completed  1.00 s
└─ finding orphan  thread th  turn tu
";
    assert_eq!(tree(&rollout), expected);
}

#[test]
fn turns_that_start_each_other_are_each_shown_once() {
    let ring = [
        turn("run", 1).turn("a").parent(4),
        tool("run", 2).turn("a"),
        turn("run", 3).thread("sub").turn("b").parent(2),
        tool("run", 4).thread("sub").turn("b"),
    ];
    let text = tree(&reduce(&all(&ring)));
    assert_eq!(text.matches("turn planner").count(), 2);
}

#[test]
fn ten_thousand_agents_deep_is_still_a_tree() {
    let calls: Vec<Call> = (0..10_000u64)
        .flat_map(|depth| {
            let thread = format!("{depth}");
            let mut agent = turn("run", 2 * depth).thread(&thread);
            agent.parent = (2 * depth).checked_sub(1);
            [agent, tool("run", 2 * depth + 1).thread(&thread)]
        })
        .collect();
    let rollout = facts(&all(&calls)).derive().remove(0);
    assert_eq!(tree(&rollout).matches("turn planner").count(), 10_000);
}

#[test]
fn state_json_says_its_version_and_leaves_out_what_is_not_known() {
    let json = reduce(&all(&run())).to_json();
    assert_eq!(json["version"], 2);
    assert_eq!(json["rollout"], "run");
    assert_eq!(json["totals"]["gen_ai.usage.input_tokens"], 1204);
    assert!(json["totals"].get("gen_ai.usage.reasoning.output_tokens").is_none());
    assert!(json.get("tenant").is_none());
    assert!(json.get("findings").is_none());
    let tool = &json["threads"][1]["turns"][0]["segments"][0]["tool_calls"][0];
    assert_eq!(tool["duration_nanos"], 4 * SECOND);
    assert_eq!(tool["arguments"]["digest"], digest(0x1c).to_string());
    assert_eq!(tool["started"]["unix_nano"], 2 * SECOND);
    assert_eq!(json["threads"][0]["turns"][0]["spawned_by"]["call"], tool["id"]);
}

#[test]
fn codex_state_has_one_root_and_tells_who_started_the_others() {
    let state = reduce(&all(&run())).to_codex_state();
    let origins = ["th", "sub"].map(|thread| state["threads"][thread]["origin"]["type"].as_str().unwrap());
    assert_eq!(origins, ["root", "spawned"]);
    assert_eq!(state["threads"]["sub"]["origin"]["parent_thread_id"], "th");
    let began = |thread: &str| state["threads"][thread]["execution"]["started_at_unix_ms"].clone();
    assert_eq!((began("th"), began("sub")), (1000.into(), 3000.into()), "with their turns, before any call");
    assert_eq!(state["interaction_edges"]["edge:spawn:th:sub"]["started_at_unix_ms"], 3000);
}
