//! The objects of Codex' shape, one function each.

use bytestring::ByteString;
use serde_json::{Map, Value, json};

use super::codex_names::{Names, began};
use super::codex_words::{always, kind, role, runtime_status};
use crate::event::{At, Attrs, EdgeKind, ItemKind, ItemPart, Measure, Outcome, PartKind};
use crate::reduce::derive::cell_status;
use crate::reduce::graph::{
    Call, CodeCell, Edge, Inference, Producer, Rollout, TerminalOperation, Thread, ToolCall, Turn, VisibleItem,
};
use crate::semconv::{
    CODE_CELL_ID, CODE_CELL_RUNTIME_ID, ERROR_KIND, EVIDENCE_INVOCATION, EVIDENCE_REQUEST, EVIDENCE_RESPONSE,
    EVIDENCE_RESULT, MCP_CALL_ID, MCP_SERVER, PROVIDER_NAME, REQUEST_MODEL, RESPONSE_ID, TERMINAL_CHUNK_ID,
    TERMINAL_CWD, TERMINAL_EXIT_CODE, TERMINAL_ID, TERMINAL_MAX_TOKENS, TERMINAL_OPERATION, TERMINAL_ORIGINAL_TOKENS,
    TERMINAL_YIELD_MS, TOOL_CALL_ID, TOOL_KIND, TOOL_NAME, TOOL_NAMESPACE, TOOL_REQUESTER, TOOL_RUNTIME_ID,
    UPSTREAM_REQUEST_ID,
};

impl Names {
    pub(super) fn thread(&self, thread: &Thread) -> Value {
        let agent = &thread.agent;
        let parent = self.parent(thread);
        let origin = match parent {
            Some(parent) => json!({
                "type": "spawned", "parent_thread_id": &**parent,
                "spawn_edge_id": format!("edge:spawn:{parent}:{}", thread.id),
                "task_name": agent.task.as_deref().or(last_of(agent.path.as_deref())).unwrap_or(&thread.id),
                "agent_role": agent.role.as_deref().unwrap_or_default(),
            }),
            None => json!({"type": "root"}),
        };
        let status = match (thread.ended_at, thread.outcome) {
            (Some(_), Some(Outcome::Failed)) => "failed",
            (Some(_), Some(Outcome::Cancelled)) => "aborted",
            (Some(_), _) => "completed",
            (None, _) => "running",
        };
        let path = match (&agent.path, parent) {
            (Some(path), _) => format!("/{path}"),
            (None, None) => "/root".to_owned(),
            (None, Some(_)) => format!("/root/{}", thread.id),
        };
        json!({
            "thread_id": &*thread.id, "agent_path": path,
            "nickname": agent.nickname.as_deref(), "origin": origin, "default_model": agent.model.as_deref(),
            "execution": self.window(self.thread_began(thread), thread.ended_at, status),
            "conversation_item_ids": (0u32..).zip(&thread.items).map(|(number, _)| self.item(thread, number)).collect::<Vec<_>>(),
        })
    }

    pub(super) fn visible(&self, thread: &Thread, number: u32, item: &VisibleItem) -> Value {
        let facet = item.facet.as_ref();
        let payload = self.payload(thread, number);
        let parts: Vec<Value> = match facet {
            Some(facet) if facet.kind == ItemKind::Unknown => {
                vec![
                    json!({"type": "payload_ref", "label": facet.name.as_deref().unwrap_or_default(), "raw_payload_id": payload}),
                ]
            }
            Some(facet) => facet.parts.iter().map(|one| part(one, payload)).collect(),
            None => {
                let digest = item.item.digest.map(|digest| digest.to_string());
                vec![json!({"type": "text", "text": digest.unwrap_or_default()})]
            }
        };
        let producers: Vec<Value> = item
            .produced_by
            .iter()
            .map(|producer| match producer {
                Producer::Inference(key) => json!({"type": "inference", "inference_call_id": self.call(*key)}),
                Producer::Tool(key) => json!({"type": "tool", "tool_call_id": self.call(*key)}),
                Producer::CodeCell(key) => json!({"type": "code_cell", "code_cell_id": self.call(*key)}),
                Producer::Compaction(id) => {
                    let name = self.compaction_of_item(thread, number);
                    json!({"type": "compaction", "compaction_id": name.as_deref().unwrap_or(id)})
                }
            })
            .collect();
        let mut value = json!({
            "item_id": self.item(thread, number), "thread_id": &*thread.id, "codex_turn_id": self.turn(thread, &item.turn),
            "first_seen_at_unix_ms": item.first_seen_unix_nano / 1_000_000, "role": role(item),
            "channel": facet.and_then(|facet| facet.channel).map(|channel| channel.as_str()),
            "kind": facet.map_or("message", |facet| kind(facet.kind)), "body": {"parts": parts},
            "call_id": facet.and_then(|facet| facet.call_id.as_deref()), "produced_by": producers,
        });
        if let (Some([author, recipient]), Value::Object(value)) =
            (facet.and_then(|facet| facet.between.as_ref()), &mut value)
        {
            let message = json!({"author": format!("/{author}"), "recipient": format!("/{recipient}")});
            value.insert("agent_message".to_owned(), message);
        }
        value
    }

    pub(super) fn inference(&self, thread: &Thread, turn: &Turn, inference: &Inference) -> Value {
        let attrs = &inference.call.attrs;
        let counts = [
            ("input_tokens", crate::semconv::INPUT_TOKENS),
            ("cached_input_tokens", crate::semconv::CACHE_READ_TOKENS),
            ("output_tokens", crate::semconv::OUTPUT_TOKENS),
            ("reasoning_output_tokens", crate::semconv::REASONING_TOKENS),
        ];
        let usage: Option<Map<String, Value>> =
            counts.into_iter().map(|(name, attr)| Some((name.to_owned(), Value::from(attrs.get(attr)?)))).collect();
        // What ended with its turn ended as that did.
        let call = &inference.call;
        let is_aborted = call.end_inferred && call.outcome == Some(Outcome::Cancelled) && is_aborted(turn);
        let status = if is_aborted { "aborted" } else { status(call.outcome, Some(attrs)) };
        let value = json!({
            "inference_call_id": self.call(inference.call.key), "thread_id": &*thread.id, "codex_turn_id": self.turn(thread, &turn.id),
            "execution": self.execution_as(call, status), "model": attrs.text(REQUEST_MODEL),
            "provider_name": attrs.text(PROVIDER_NAME), "response_id": attrs.text(RESPONSE_ID),
            "upstream_request_id": attrs.text(UPSTREAM_REQUEST_ID),
            "request_item_ids": self.items(thread, &inference.input.items),
            "response_item_ids": self.items(thread, &inference.output.items),
            "tool_call_ids_started_by_response": self.calls(&inference.started), "usage": usage,
            "raw_request_payload_id": attrs.text(EVIDENCE_REQUEST), "raw_response_payload_id": attrs.text(EVIDENCE_RESPONSE),
        });
        always(value, &["model", "provider_name", "raw_request_payload_id"])
    }

    pub(super) fn tool(&self, thread: &Thread, turn: &Turn, tool: &ToolCall) -> Value {
        let attrs = &tool.call.attrs;
        let requester = match (attrs.text(TOOL_REQUESTER), tool.cell) {
            (_, Some(cell)) => json!({"type": "code_cell", "code_cell_id": self.call(cell)}),
            _ => json!({"type": "model"}),
        };
        let kind = match attrs.text(TOOL_KIND) {
            Some("mcp") => {
                let by_runtime = || tool.call.marks.iter().find_map(|mark| mark.attrs.get(MCP_SERVER));
                json!({"type": "mcp", "server": attrs.get(MCP_SERVER).or_else(by_runtime).as_deref(), "tool": attrs.text(TOOL_NAME)})
            }
            Some(kind) if KINDS.contains(&kind) => json!({"type": kind}),
            _ => json!({"type": "other", "name": attrs.text(TOOL_NAME)}),
        };
        let summary = match tool.terminal {
            Some(operation) => json!({"type": "terminal", "operation_id": self.operation(operation)}),
            None => {
                let name = attrs.text(TOOL_NAME);
                let label = match attrs.text(TOOL_NAMESPACE).zip(name) {
                    Some((namespace, name)) => Some(format!("{namespace}.{name}")),
                    None => name.map(str::to_owned),
                };
                json!({"type": "generic", "label": label, "input_preview": null, "output_preview": null})
            }
        };
        let correlated = tool.call.marks.iter().find_map(|mark| mark.attrs.get(MCP_CALL_ID));
        json!({
            "tool_call_id": self.call(tool.call.key), "mcp_call_id": correlated.as_deref(),
            "model_visible_call_id": attrs.text(TOOL_CALL_ID), "code_mode_runtime_tool_id": attrs.text(TOOL_RUNTIME_ID),
            "thread_id": &*thread.id, "started_by_codex_turn_id": self.turn(thread, &turn.id), "execution": self.execution(&tool.call),
            "requester": requester, "kind": always(kind, &["name", "server", "tool"]),
            "model_visible_call_item_ids": self.list(thread, &tool.call_items),
            "model_visible_output_item_ids": self.list(thread, &tool.output_items),
            "terminal_operation_id": tool.terminal.map(|key| self.operation(key)), "summary": always(summary, &["label"]),
            "raw_invocation_payload_id": attrs.text(EVIDENCE_INVOCATION), "raw_result_payload_id": attrs.text(EVIDENCE_RESULT),
            "raw_runtime_payload_ids": tool.runtime.evidence.iter().map(|id| &**id).collect::<Vec<&str>>(),
        })
    }

    pub(super) fn cell(&self, thread: &Thread, turn: &Turn, cell: &CodeCell) -> Value {
        // What comes after the end says nothing of when the cell first answered, unless that end was its turn's.
        let end = cell.call.closed_at.filter(|_| !cell.call.end_inferred);
        let responded = cell.responded_at.map(|at| end.map_or(at, |end| at.min(end)));
        let value = json!({
            "code_cell_id": self.call(cell.call.key), "model_visible_call_id": cell.call.attrs.text(CODE_CELL_ID),
            "thread_id": &*thread.id, "codex_turn_id": self.turn(thread, &turn.id),
            "source_item_id": cell.source_item.map(|number| self.item(thread, number)),
            "output_item_ids": self.list(thread, &cell.output_items),
            "runtime_cell_id": cell.call.attrs.text(CODE_CELL_RUNTIME_ID), "execution": self.execution(&cell.call),
            "runtime_status": runtime_status(cell, cell_status(cell).as_deref()),
            "initial_response_at_unix_ms": millis(responded),
            "initial_response_seq": responded.and_then(|at| at.seq),
            "yielded_at_unix_ms": millis(cell.yielded_at), "yielded_seq": cell.yielded_at.and_then(|at| at.seq),
            "source_js": digest(&cell.source), "nested_tool_call_ids": self.calls(&cell.nested),
            "wait_tool_call_ids": self.calls(&cell.waits),
        });
        always(value, &["model_visible_call_id", "source_item_id", "source_js"])
    }

    pub(super) fn terminal(&self, thread: &Thread, operation: &TerminalOperation, tool: Option<&ToolCall>) -> Value {
        let attrs = &operation.call.attrs;
        let (wait, tokens) = (attrs.get(TERMINAL_YIELD_MS), attrs.get(TERMINAL_MAX_TOKENS));
        let is_write = attrs.text(TERMINAL_OPERATION) == Some("write_stdin");
        let words: Vec<_> = operation.request.iter().map(|word| digest(word).unwrap_or_default()).collect();
        let request = if is_write {
            json!({"type": "write_stdin", "stdin": words.first(), "yield_time_ms": wait, "max_output_tokens": tokens})
        } else {
            let shown = words.join(" ");
            json!({
                "type": "exec_command", "command": words, "display_command": shown, "cwd": attrs.text(TERMINAL_CWD),
                "yield_time_ms": wait, "max_output_tokens": tokens,
            })
        };
        let part = |place: usize| operation.result.get(place).and_then(digest);
        let result = operation.call.closed_at.map(|_| always(json!({
            "exit_code": attrs.get(TERMINAL_EXIT_CODE), "stdout": part(0), "stderr": part(1), "formatted_output": part(2),
            "original_token_count": attrs.get(TERMINAL_ORIGINAL_TOKENS), "chunk_id": attrs.text(TERMINAL_CHUNK_ID),
        }), &["stdout", "stderr"]));
        let observations: Vec<Value> = tool
            .filter(|tool| !tool.call_items.is_empty() || !tool.output_items.is_empty())
            .map(|tool| {
                json!({
                    "call_item_ids": self.list(thread, &tool.call_items),
                    "output_item_ids": self.list(thread, &tool.output_items), "source": "direct_tool_call",
                })
            })
            .into_iter()
            .collect();
        let evidence = tool.map(|tool| tool.runtime.evidence.iter().map(|id| id.to_string()).collect::<Vec<_>>());
        let value = json!({
            "operation_id": self.operation(operation.call.key), "terminal_id": attrs.get(TERMINAL_ID).map(|id| self.terminal_id(thread, &id)),
            "tool_call_id": operation.tool.map(|tool| self.call(tool)),
            "kind": if is_write { "write_stdin" } else { "exec_command" }, "execution": self.execution(&operation.call),
            "request": always(request, &["cwd", "stdin"]), "result": result, "model_observations": observations,
            "raw_payload_ids": evidence.unwrap_or_default(),
        });
        always(value, &["tool_call_id"])
    }

    pub(super) fn attempt(&self, thread: &Thread, turn: &Turn, call: &Call) -> Value {
        let attrs = &call.attrs;
        let value = json!({
            "compaction_request_id": self.call(call.key), "compaction_id": self.compaction_of_attempt(thread, call),
            "thread_id": &*thread.id, "codex_turn_id": self.turn(thread, &turn.id), "execution": self.execution(call),
            "model": attrs.text(REQUEST_MODEL), "provider_name": attrs.text(PROVIDER_NAME),
            "raw_request_payload_id": attrs.text(EVIDENCE_REQUEST), "raw_response_payload_id": attrs.text(EVIDENCE_RESPONSE),
        });
        always(value, &["compaction_id", "model", "provider_name", "raw_request_payload_id"])
    }

    pub(super) fn turn_of(&self, thread: &Thread, turn: &Turn) -> Value {
        let status = if is_aborted(turn) { "aborted" } else { status(turn.outcome, None) };
        json!({
            "codex_turn_id": self.turn(thread, &turn.id), "thread_id": &*thread.id, "input_item_ids": [],
            "execution": self.window(began(turn), turn.ended_at, status),
        })
    }

    /// Codex has edges of five kinds, and drops those that arrived nowhere but the ones of spawned threads.
    pub(super) fn edge(&self, rollout: &Rollout, edge: &Edge) -> Option<(String, Value)> {
        let kind = match edge.kind? {
            EdgeKind::Spawn => "spawn_agent",
            EdgeKind::Task => "assign_agent_task",
            EdgeKind::Message => "send_message",
            EdgeKind::Result => "agent_result",
            EdgeKind::Close => "close_agent",
            _ => return None,
        };
        let to = edge.to.thread()?;
        if !rollout.threads.iter().any(|thread| thread.id == *to) {
            return None;
        }
        let thread = |thread: &ByteString| json!({"type": "thread", "thread_id": &**thread});
        let item = |thread: &ByteString, number: u32| json!({"type": "conversation_item", "item_id": self.item_of(thread, number)});
        let from = edge.from.node.as_ref()?;
        let source = match (edge.from.item, from.call) {
            (Some(number), _) => item(&from.thread, number),
            (None, Some(call)) => json!({"type": "tool_call", "tool_call_id": self.call(call)}),
            (None, None) => thread(&from.thread),
        };
        let target = match edge.to.item {
            Some(number) => item(to, number),
            None if matches!(edge.kind, Some(EdgeKind::Spawn | EdgeKind::Close)) => thread(to),
            None => return None,
        };
        let id = match (edge.kind, &edge.id, from.call) {
            (Some(EdgeKind::Spawn), ..) => format!("edge:spawn:{}:{to}", from.thread),
            (_, Some(id), _) => id.to_string(),
            (_, None, Some(call)) => format!("edge:tool:{}", self.call(call)),
            _ => format!("edge:agent_result:{}:{}:{to}", from.thread, from.turn),
        };
        // One that is known by its ends alone was there when the turn began that it led to.
        let turn = || {
            edge.to
                .node
                .as_ref()
                .and_then(|node| rollout.turns().find(|(at, turn)| (&at.id, &turn.id) == (&node.thread, &node.turn)))
        };
        let started = edge.started_at.or(edge.ended_at).or_else(|| began(turn()?.1));
        let value = json!({
            "edge_id": id, "kind": kind, "source": source, "target": target,
            "started_at_unix_ms": millis(started).unwrap_or_default(), "ended_at_unix_ms": millis(edge.ended_at),
            "carried_item_ids": edge.items.iter().map(|number| self.item_of(to, *number)).collect::<Vec<_>>(),
            "carried_raw_payload_ids": edge.evidence.iter().map(|id| &**id).collect::<Vec<&str>>(),
        });
        Some((id, value))
    }
}

/// The kinds of tools that Codex tells by a word alone.
const KINDS: [&str; 10] = [
    "exec_command",
    "write_stdin",
    "apply_patch",
    "web",
    "image_generation",
    "spawn_agent",
    "assign_agent_task",
    "send_message",
    "wait_agent",
    "close_agent",
];

/// The last step of a path.
fn last_of(path: Option<&str>) -> Option<&str> {
    path?.rsplit('/').find(|step| !step.is_empty())
}

pub(super) fn status(outcome: Option<Outcome>, attrs: Option<&Attrs>) -> &'static str {
    let aborted = attrs.is_some_and(|attrs| attrs.text(ERROR_KIND) == Some("aborted"));
    match outcome {
        None | Some(Outcome::Abandoned) => "running",
        Some(Outcome::Completed) => "completed",
        Some(Outcome::Cancelled) if aborted => "aborted",
        Some(Outcome::Cancelled | Outcome::Denied) => "cancelled",
        Some(Outcome::Failed | Outcome::Timeout | Outcome::Disconnected) => "failed",
    }
}

fn is_aborted(turn: &Turn) -> bool {
    let spans = turn.segments.iter().filter_map(|segment| segment.call.as_ref());
    turn.outcome == Some(Outcome::Cancelled)
        && spans
            .filter(|span| span.outcome == turn.outcome)
            .any(|span| status(span.outcome, Some(&span.attrs)) == "aborted")
}

pub(super) fn millis(at: Option<At>) -> Option<u64> {
    at.map(|at| at.time_unix_nano / 1_000_000)
}

fn digest(measure: &Measure) -> Option<String> {
    measure.digest.map(|digest| digest.to_string())
}

fn part(part: &ItemPart, payload: &str) -> Value {
    let digest = part.digest.map(|digest| digest.to_string()).unwrap_or_default();
    match part.kind {
        PartKind::Text => json!({"type": "text", "text": digest}),
        PartKind::Summary => json!({"type": "summary", "text": digest}),
        PartKind::Encoded => json!({"type": "encoded", "label": "encrypted_content", "value": digest}),
        PartKind::Json => json!({"type": "json", "summary": digest, "raw_payload_id": payload}),
        PartKind::Code => json!({"type": "code", "language": "javascript", "source": digest}),
        PartKind::Reference => json!({"type": "payload_ref", "label": digest, "raw_payload_id": payload}),
    }
}
