//! The shape that Codex' own reducer writes, field by field.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use veilspan::reduce::Rollout;

use super::build::*;
use super::fixtures::{bundles, stands_beside};

/// The members of each object, as Codex names them. One behind a `?` is left out where there is nothing to say.
const OBJECTS: [(&str, &str); 12] = [
    ("threads", "thread_id agent_path nickname origin execution default_model conversation_item_ids"),
    ("codex_turns", "codex_turn_id thread_id execution input_item_ids"),
    (
        "conversation_items",
        "item_id thread_id codex_turn_id first_seen_at_unix_ms role channel kind ?agent_message body call_id produced_by",
    ),
    (
        "inference_calls",
        "inference_call_id thread_id codex_turn_id execution model provider_name response_id upstream_request_id \
         request_item_ids response_item_ids tool_call_ids_started_by_response usage raw_request_payload_id \
         raw_response_payload_id",
    ),
    (
        "tool_calls",
        "tool_call_id mcp_call_id model_visible_call_id code_mode_runtime_tool_id thread_id started_by_codex_turn_id \
         execution requester kind model_visible_call_item_ids model_visible_output_item_ids terminal_operation_id summary \
         raw_invocation_payload_id raw_result_payload_id raw_runtime_payload_ids",
    ),
    (
        "code_cells",
        "code_cell_id model_visible_call_id thread_id codex_turn_id source_item_id output_item_ids runtime_cell_id \
         execution runtime_status initial_response_at_unix_ms initial_response_seq yielded_at_unix_ms yielded_seq \
         source_js nested_tool_call_ids wait_tool_call_ids",
    ),
    ("terminal_sessions", "terminal_id thread_id created_by_operation_id operation_ids execution"),
    (
        "terminal_operations",
        "operation_id terminal_id tool_call_id kind execution request result model_observations raw_payload_ids",
    ),
    (
        "compactions",
        "compaction_id thread_id codex_turn_id installed_at_unix_ms marker_item_id request_ids input_item_ids \
         replacement_item_ids",
    ),
    (
        "compaction_requests",
        "compaction_request_id compaction_id thread_id codex_turn_id execution model provider_name \
         raw_request_payload_id raw_response_payload_id",
    ),
    (
        "interaction_edges",
        "edge_id kind source target started_at_unix_ms ended_at_unix_ms carried_item_ids carried_raw_payload_ids",
    ),
    ("raw_payloads", "raw_payload_id kind path"),
];

/// The members of the objects inside of those, by the member that holds them and their `type`.
const INSIDE: [(&str, &str, &str); 27] = [
    ("execution", "", "started_at_unix_ms started_seq ended_at_unix_ms ended_seq status"),
    ("origin", "root", "type"),
    ("origin", "spawned", "type parent_thread_id spawn_edge_id task_name agent_role"),
    ("usage", "", "input_tokens cached_input_tokens output_tokens reasoning_output_tokens"),
    ("agent_message", "", "author recipient"),
    ("body", "", "parts"),
    ("parts", "text", "type text"),
    ("parts", "summary", "type text"),
    ("parts", "encoded", "type label value"),
    ("parts", "json", "type summary raw_payload_id"),
    ("parts", "code", "type language source"),
    ("parts", "payload_ref", "type label raw_payload_id"),
    ("produced_by", "inference", "type inference_call_id"),
    ("produced_by", "tool", "type tool_call_id"),
    ("produced_by", "code_cell", "type code_cell_id"),
    ("produced_by", "compaction", "type compaction_id"),
    ("requester", "model", "type"),
    ("requester", "code_cell", "type code_cell_id"),
    ("summary", "terminal", "type operation_id"),
    ("summary", "generic", "type label input_preview output_preview"),
    ("request", "exec_command", "type command display_command cwd yield_time_ms max_output_tokens"),
    ("request", "write_stdin", "type stdin yield_time_ms max_output_tokens"),
    ("result", "", "exit_code stdout stderr formatted_output original_token_count chunk_id"),
    ("model_observations", "", "call_item_ids output_item_ids source"),
    ("anchor", "conversation_item", "type item_id"),
    ("anchor", "tool_call", "type tool_call_id"),
    ("anchor", "thread", "type thread_id"),
];

/// What Codex itself never fills in, or what is no digest, label or number.
const NEVER: [&str; 3] =
    ["codex_turns.input_item_ids", "summary:generic.input_preview", "summary:generic.output_preview"];

/// Which map a member that ends so names an entry of. The edge of a thread that was started is named before it is seen.
const REFERENCES: [(&str, &str); 14] = [
    ("thread_id", "threads"),
    ("parent_thread_id", "threads"),
    ("codex_turn_id", "codex_turns"),
    ("started_by_codex_turn_id", "codex_turns"),
    ("item_id", "conversation_items"),
    ("item_ids", "conversation_items"),
    ("inference_call_id", "inference_calls"),
    ("code_cell_id", "code_cells"),
    ("operation_id", "terminal_operations"),
    ("operation_ids", "terminal_operations"),
    ("terminal_id", "terminal_sessions"),
    ("payload_id", "raw_payloads"),
    ("payload_ids", "raw_payloads"),
    ("request_ids", "compaction_requests"),
];

/// What may be null in Codex' shape; nothing else is.
const NULLS: [&str; 27] = [
    "ended_at_unix_ms",
    "ended_seq",
    "nickname",
    "default_model",
    "codex_turn_id",
    "channel",
    "call_id",
    "response_id",
    "upstream_request_id",
    "usage",
    "raw_response_payload_id",
    "raw_invocation_payload_id",
    "raw_result_payload_id",
    "mcp_call_id",
    "model_visible_call_id",
    "code_mode_runtime_tool_id",
    "started_by_codex_turn_id",
    "terminal_operation_id",
    "input_preview",
    "output_preview",
    "runtime_cell_id",
    "initial_response_at_unix_ms",
    "initial_response_seq",
    "yielded_at_unix_ms",
    "yielded_seq",
    "terminal_id",
    "result",
];
/// The same, by the object that alone may lack it.
const NULLS_OF: [&str; 6] = [
    "request:exec_command.yield_time_ms",
    "request:exec_command.max_output_tokens",
    "request:write_stdin.yield_time_ms",
    "request:write_stdin.max_output_tokens",
    "result.exit_code",
    "result.formatted_output",
];
const NULLS_OF_RESULTS: [&str; 2] = ["result.original_token_count", "result.chunk_id"];

/// The words that Codex has, by the member that holds one of them.
const WORDS: [(&str, &str); 7] = [
    ("conversation_items.role", "system developer user assistant tool"),
    ("conversation_items.channel", "analysis commentary final summary"),
    (
        "conversation_items.kind",
        "message reasoning function_call function_call_output custom_tool_call custom_tool_call_output compaction_marker",
    ),
    ("execution.status", "running completed failed cancelled aborted"),
    ("code_cells.runtime_status", "starting running yielded completed failed terminated"),
    ("terminal_operations.kind", "exec_command write_stdin"),
    ("interaction_edges.kind", "spawn_agent assign_agent_task send_message agent_result close_agent"),
];

/// What a kind of tool has beside its `type`.
const TOOLS: [(&str, &str); 12] = [
    ("exec_command", ""),
    ("write_stdin", ""),
    ("apply_patch", ""),
    ("mcp", "server tool"),
    ("web", ""),
    ("image_generation", ""),
    ("spawn_agent", ""),
    ("assign_agent_task", ""),
    ("send_message", ""),
    ("wait_agent", ""),
    ("close_agent", ""),
    ("other", "name"),
];

struct Checked<'a> {
    state: &'a Value,
    /// The members that had something to say.
    told: BTreeSet<String>,
}

impl Checked<'_> {
    fn object(&mut self, name: &str, members: &str, value: &Value) {
        let object = value.as_object().unwrap_or_else(|| panic!("{name} is no object: {value}"));
        let known: BTreeMap<&str, bool> = members
            .split_whitespace()
            .map(|member| member.strip_prefix('?').map_or((member, true), |member| (member, false)))
            .collect();
        for member in object.keys() {
            assert!(known.contains_key(member.as_str()), "{name} has {member}");
        }
        for (member, is_always) in known {
            assert!(!is_always || object.contains_key(member), "{name} has no {member}: {value}");
            let path = format!("{name}.{member}");
            let inner = &value[member];
            let is_empty = inner.is_null() || inner.as_array().is_some_and(Vec::is_empty);
            if !is_empty {
                self.told.insert(path.clone());
            }
            let may_be_null = NULLS.contains(&member) && (name, member) != ("code_cells", "model_visible_call_id")
                || NULLS_OF.contains(&path.as_str())
                || NULLS_OF_RESULTS.contains(&path.as_str());
            assert!(may_be_null || !is_always || !inner.is_null(), "{path} is null");
            if let Some((_, words)) = WORDS.iter().find(|(of, _)| *of == path).filter(|_| !inner.is_null()) {
                assert!(words.split(' ').any(|word| inner == word), "{path} is {inner}");
            }
            if path == "tool_calls.kind" {
                let has: BTreeSet<&str> = inner.as_object().unwrap().keys().map(String::as_str).collect();
                let known = TOOLS.iter().find(|(kind, _)| inner["type"] == *kind).unwrap_or_else(|| panic!("{inner}"));
                assert_eq!(has, known.1.split_whitespace().chain(["type"]).collect());
                assert!(inner.as_object().unwrap().values().all(Value::is_string), "{inner}");
            }
            self.refers(name, member, inner);
            self.inside(name, member, inner);
        }
    }

    fn inside(&mut self, name: &str, member: &str, value: &Value) {
        if let Some(list) = value.as_array() {
            return list.iter().for_each(|one| self.inside(name, member, one));
        }
        let holder = if matches!(member, "source" | "target") { "anchor" } else { member };
        if value.is_object() && (name, member) != ("raw_payloads", "kind") && (name, member) != ("tool_calls", "kind") {
            let tag = value["type"].as_str().unwrap_or_default();
            let of_kind = INSIDE.iter().find(|(known, kind, _)| (*known, *kind) == (holder, tag));
            let (_, _, members) = of_kind.unwrap_or_else(|| panic!("{name}.{member} is a {tag:?}: {value}"));
            let path = if tag.is_empty() { holder.to_owned() } else { format!("{holder}:{tag}") };
            self.object(&path, members, value);
        }
    }

    /// Whatever names an entry names one that is there.
    fn refers(&self, name: &str, member: &str, value: &Value) {
        let longest = REFERENCES.iter().filter(|(end, _)| {
            member == *end || member.ends_with(&format!("_{end}")) && !member.ends_with("code_mode_runtime_tool_id")
        });
        let Some((_, map)) = longest.max_by_key(|(end, _)| end.len()) else { return };
        for id in value.as_array().map_or_else(|| vec![value], |all| all.iter().collect()) {
            // Nothing is named by an empty text.
            if let Some(id) = id.as_str().filter(|id| !id.is_empty()) {
                assert!(self.state[*map].get(id).is_some(), "{name}.{member} names {id:?}, which is not in {map}");
            }
        }
    }
}

/// What the fixtures lack: a write to a terminal, an agent that is closed, content by reference, all that bounds a command.
fn written() -> Rollout {
    let mut bundle = Bundle::new();
    bundle.child("C", "/root/child", "R");
    let image = json!({"type": "input_image", "image_url": "https://example.com/a.png"});
    bundle.ask("i1", json!([{"type": "message", "role": "user", "content": [image]}]));
    let function = |name: &str, arguments: &str| json!({"tool_name": name, "payload": {"type": "function", "arguments": arguments}});
    bundle.tool("c1", json!({"type": "exec_command"}), function("exec_command", "{}"));
    let command = json!({"call_id": "c1", "process_id": "pty-1", "command": ["ls"], "cwd": "/w", "yield_time_ms": 250,
        "max_output_tokens": 2000});
    bundle.tool_begin("c1", command);
    let arguments = r#"{"session_id": "pty-1", "chars": "q", "yield_time_ms": 250, "max_output_tokens": 2000}"#;
    bundle.tool("c2", json!({"type": "write_stdin"}), function("write_stdin", arguments));
    let value = json!({"output": "bye", "exit_code": 0, "original_token_count": 9, "chunk_id": "chunk-1"});
    bundle.tool_end("c2", "completed", json!({"type": "code_mode_response", "value": value}));
    bundle.tool("c3", json!({"type": "close_agent"}), function("close_agent", "{}"));
    bundle.tool_done("c3", "completed", json!({"call_id": "c3", "sender_thread_id": "R", "receiver_thread_id": "C"}));
    bundle.end_turn("R", "t1", "completed");
    bundle.at(None, None, json!({"type": "rollout_ended", "status": "completed"}));
    bundle.reduce()
}

/// What Codex never wrote, and would not have read: elements and tools of unknown kinds, a cell whose source nobody saw, ends
/// without a beginning, a thread of which only its name is known.
fn odd() -> Rollout {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([{"type": "hologram", "x": 1}, user("hi")]));
    bundle.answer(
        "i1",
        "resp-1",
        json!([{"type": "hologram", "y": 1}, {"type": "message", "role": "oracle", "content": []}]),
    );
    bundle.told(json!({"type": "code_cell_started", "runtime_cell_id": "7", "model_visible_call_id": "exec-1", "source_js": "x()"}));
    let by_cell = json!({"type": "code_cell", "runtime_cell_id": "7"});
    let call = json!({
        "type": "tool_call_started", "tool_call_id": "n1", "model_visible_call_id": null, "code_mode_runtime_tool_id": null,
        "requester": by_cell, "kind": {"type": "teleport"}, "summary": {"type": "generic"}, "invocation_payload": null,
    });
    bundle.told(call);
    bundle.answer("i9", "resp-9", json!([assistant("late")]));
    bundle.tool_end("t9", "completed", json!({"type": "error", "error": "x"}));
    bundle.turn("C", "t7");
    bundle.end_turn("R", "t1", "completed");
    bundle.at(None, None, json!({"type": "rollout_ended", "status": "completed"}));
    bundle.reduce()
}

#[test]
fn b30_codex_state_has_no_word_that_codex_has_not() {
    let state = odd().to_codex_state();
    let items = state["conversation_items"].as_object().unwrap();
    let holograms: Vec<_> = items.values().filter(|item| item["body"]["parts"][0]["label"] == "hologram").collect();
    let roles: BTreeSet<&str> = holograms.iter().map(|item| item["role"].as_str().unwrap()).collect();
    assert_eq!(roles, BTreeSet::from(["assistant", "user"]));
    assert_eq!(holograms[0]["body"]["parts"][0]["raw_payload_id"], "raw_payload:1");
    assert_eq!(state["code_cells"]["code_cell:exec-1"]["runtime_status"], "starting");
    assert_eq!(state["tool_calls"]["n1"]["kind"]["type"], "other");
}

#[test]
fn every_object_and_field_of_codex_state_is_made_and_names_what_is_there() {
    let mut told = BTreeSet::new();
    let fixtures = bundles().into_iter().map(|bundle| reduce(&read(&bundle)));
    for state in fixtures.chain([written(), odd()]).map(|rollout| rollout.to_codex_state()) {
        let mut checked = Checked { state: &state, told: BTreeSet::new() };
        let whole = "schema_version trace_id rollout_id started_at_unix_ms ended_at_unix_ms status root_thread_id";
        let names: BTreeSet<&str> = whole.split_whitespace().chain(OBJECTS.map(|(map, _)| map)).collect();
        assert_eq!(state.as_object().unwrap().keys().map(String::as_str).collect::<BTreeSet<_>>(), names);
        for name in names {
            assert!(!state[name].is_null(), "{name}");
        }
        for (map, members) in OBJECTS {
            for (id, object) in state[map].as_object().unwrap() {
                checked.object(map, members, object);
                let own = members.split_whitespace().next().unwrap();
                assert_eq!(object[own].as_str(), Some(id.as_str()), "an entry stands under its own id");
            }
        }
        told.extend(checked.told);
    }
    let inside = INSIDE.iter().map(|(holder, tag, members)| match *tag {
        "" => ((*holder).to_owned(), *members),
        tag => (format!("{holder}:{tag}"), *members),
    });
    let all = OBJECTS.iter().map(|(map, members)| ((*map).to_owned(), *members)).chain(inside);
    let paths = all.flat_map(|(name, members)| {
        members.split_whitespace().map(move |member| format!("{name}.{}", member.trim_start_matches('?')))
    });
    let missing: Vec<String> = paths.filter(|path| !NEVER.contains(&path.as_str()) && !told.contains(path)).collect();
    assert!(missing.is_empty(), "no bundle fills {missing:?}");
}

#[test]
fn codex_state_is_what_stands_beside_a_bundle() {
    for bundle in bundles() {
        let text = format!("{:#}\n", reduce(&read(&bundle)).to_codex_state());
        stands_beside(&bundle.join("expected.codex.json"), &text);
    }
}

#[test]
fn a_recording_that_stops_leaves_open_what_was_open() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hello")]));
    let rollout = reduce(&read(bundle.write()));
    let turn = &rollout.threads[0].turns[0];
    assert_eq!((rollout.closed, rollout.outcome, turn.outcome, turn.ended_at), (None, None, None, None));
    let call = &turn.segments[0].inferences[0].call;
    assert_eq!((call.outcome, call.closed_at, call.end_inferred), (None, None, false));
    let json = rollout.to_json();
    assert!(json.get("closed").is_none() && json["threads"][0]["turns"][0].get("outcome").is_none(), "{json}");
    let state = rollout.to_codex_state();
    for execution in [&state["codex_turns"]["t1"]["execution"], &state["inference_calls"]["i1"]["execution"]] {
        assert_eq!((&execution["status"], &execution["ended_seq"]), (&"running".into(), &Value::Null));
    }
    assert_eq!((&state["status"], &state["ended_at_unix_ms"]), (&"running".into(), &Value::Null));
    assert!(veilspan::reduce::tree(&rollout).lines().next().unwrap().contains("open"), "a person sees that it goes on");
}
