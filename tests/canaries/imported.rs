//! Through both importers and the hook: sessions that others wrote, onto the wire, into our own files and onto the terminal.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use veilspan::privacy::Level;
use veilspan::semconv::Field::{self, Completions, Errors, Prompts, Reasoning, System, ToolArguments, ToolResults};

use super::policies::every_level;
use super::recorded::private;
use crate::support::canaries::{Class, Echo, Exits, Plants, Shape, bytes_of};

const SESSION: &str = "00000000-0000-4000-8000-00000000000a";
const THOUGHT: &[Field] = &[Completions, Reasoning];
const FAILURE: &[Field] = &[ToolResults, Errors];

fn rows(rows: &[Value]) -> Vec<u8> {
    rows.iter().enumerate().flat_map(|(second, row)| timed(second, row).into_bytes()).collect()
}

fn timed(second: usize, row: &Value) -> String {
    let mut row = row.clone();
    row["timestamp"] = format!("2026-01-01T00:00:{second:02}.000Z").into();
    format!("{row}\n")
}

/// A transcript of Claude Code in which all that can be said is planted.
fn claude(plants: &mut Plants) -> Vec<u8> {
    let (folder, branch, user) = (plants.hidden("folder"), plants.hidden("branch"), plants.hidden("user"));
    let model = plants.label("model");
    let row = |kind: &str, more: Value| {
        let mut row = json!({"type": kind, "sessionId": SESSION, "promptId": "p1", "cwd": folder, "gitBranch": branch,
            "userType": user, "isSidechain": false});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let said = |id: &str, block: Value| {
        let message =
            json!({"id": id, "role": "assistant", "model": model, "content": [block], "usage": {"input_tokens": 1}});
        row("assistant", json!({"uuid": format!("{id}-{}", block["type"]), "message": message}))
    };
    let asked = |content: Value, more: Value| {
        let mut row = row("user", json!({"message": {"role": "user", "content": content}}));
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let image =
        json!({"type": "image", "source": {"type": "url", "url": plants.said(&[Prompts], "address of an image")}});
    let mut all = vec![
        asked(json!([{"type": "text", "text": plants.said(&[Prompts], "prompt")}, image]), json!({"uuid": "row-1"})),
        said(
            "m1",
            json!({"type": "thinking", "thinking": plants.said(THOUGHT, "thought"),
            "signature": plants.hidden("signature")}),
        ),
        said("m1", json!({"type": "text", "text": plants.said(&[Completions], "first words")})),
    ];
    let arguments = json!({"command": plants.said(&[ToolArguments], "argument"), (plants.said(&[ToolArguments], "name of an argument")): 1});
    all.push(said("m1", json!({"type": "tool_use", "id": "t1", "name": "Bash", "input": arguments})));
    let result = json!({"type": "tool_result", "tool_use_id": "t1", "content": plants.said(FAILURE, "failure"), "is_error": true});
    let known = json!({"stdout": plants.hidden("copy of a result"), "filePath": plants.hidden("path of a file")});
    all.push(asked(json!([result]), json!({"toolUseResult": known})));
    all.push(said("m2", json!({"type": "tool_use", "id": "t2", "name": "Task", "input": {"prompt": plants.said(&[ToolArguments], "task")}})));
    let result = json!([{"type": "text", "text": plants.said(&[ToolResults], "result")}]);
    let started = json!({"agentId": plants.label("sub-agent"), "agentType": plants.label("kind of sub-agent")});
    all.push(asked(
        json!([{"type": "tool_result", "tool_use_id": "t2", "content": result}]),
        json!({"toolUseResult": started}),
    ));
    all.push(row("system", json!({"subtype": "api_error", "uuid": "row-9", "error": {"status": 529, "message": plants.hidden("error of the service")}})));
    all.push(row("system", json!({"subtype": "compact_boundary", "uuid": "row-10", "compactMetadata": {"trigger": plants.label("trigger")}})));
    all.push(asked(json!(plants.said(&[Prompts], "summary")), json!({"isCompactSummary": true})));
    let typed = json!({"type": "queued_command", "prompt": plants.said(&[Prompts], "words while it worked"),
        "source": plants.hidden("source of words")});
    all.push(row("attachment", json!({"uuid": "row-12", "attachment": typed})));
    let listed = json!({"type": "skill_listing", "prompt": plants.hidden("prompt of no person")});
    all.push(row("attachment", json!({"uuid": "row-13", "attachment": listed})));
    all.push(row(&plants.hidden("kind of a row"), json!({"content": plants.hidden("row of an unknown kind")})));
    all.push(said("m3", json!({"type": "text", "text": plants.said(&[Completions], "answer")})));
    all.push(row("system", json!({"subtype": "turn_duration", "content": plants.hidden("notice")})));
    let mut bytes = rows(&all);
    bytes.extend_from_slice(format!("{{\"broken\": \"{}\n", word(&plants.hidden("broken line"))).as_bytes());
    bytes
}

/// The word of a planted text, which stands in JSON as it is.
fn word(text: &str) -> &str {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).find(|word| word.starts_with("zebra")).unwrap()
}

/// A session of Codex in which all that can be said is planted.
fn codex(plants: &mut Plants) -> Vec<u8> {
    let git = json!({"repository_url": format!("https://{}@host/x", plants.hidden("password")), "branch": plants.hidden("branch")});
    let meta = json!({"id": "main-1", "cwd": plants.hidden("folder"), "git": git, "model_provider": plants.label("provider"),
        "originator": plants.hidden("originator"), "base_instructions": {"text": plants.said(&[System], "instructions")}});
    let context = json!({"model": plants.label("model"), "effort": plants.label("effort"), "cwd": plants.hidden("folder of a turn")});
    let event = |kind: &str, mut more: Value| {
        more["type"] = kind.into();
        json!({"type": "event_msg", "payload": more})
    };
    let item = |kind: &str, mut more: Value| {
        more["type"] = kind.into();
        json!({"type": "response_item", "payload": more})
    };
    let thought = json!([{"type": "summary_text", "text": plants.said(THOUGHT, "thought")}]);
    let words = json!([{"type": "output_text", "text": plants.said(&[Completions], "words")}]);
    let arguments = json!({"command": [plants.said(&[ToolArguments], "command")],
        "justification": plants.said(&[ToolArguments], "justification"), "sandbox_permissions": "require_escalated"});
    let failed =
        json!({"output": plants.said(FAILURE, "output that failed"), "metadata": {"exit_code": 2}}).to_string();
    let usage = json!({"info": {"last_token_usage": {"input_tokens": 1}, "note": plants.hidden("note")}});
    let search = json!({"query": plants.said(&[ToolArguments], "search")});
    let kept = json!([{"type": "message", "role": "user", "content": [{"type": "input_text", "text": plants.said(&[Prompts], "kept message")}]}]);
    rows(&[
        json!({"type": "session_meta", "payload": meta}),
        json!({"type": "turn_context", "payload": context}),
        event("task_started", json!({"turn_id": "turn-1"})),
        event("user_message", json!({"message": plants.said(&[Prompts], "prompt")})),
        item("reasoning", json!({"summary": thought, "encrypted_content": plants.said(THOUGHT, "sealed thought")})),
        item("message", json!({"role": "assistant", "content": words})),
        item("function_call", json!({"call_id": "c1", "name": "shell", "arguments": arguments.to_string()})),
        event("token_count", usage),
        event(
            "exec_command_end",
            json!({"call_id": "c1", "exit_code": 2, "stdout": plants.hidden("copy of an output")}),
        ),
        item("function_call_output", json!({"call_id": "c1", "output": failed})),
        item(
            "custom_tool_call",
            json!({"call_id": "c2", "name": "apply_patch", "input": plants.said(&[ToolArguments], "patch")}),
        ),
        item("custom_tool_call_output", json!({"call_id": "c2", "output": plants.said(&[ToolResults], "result")})),
        item("web_search_call", json!({"id": "c3", "status": "completed", "action": search})),
        event("error", json!({"message": plants.hidden("error")})),
        event(&plants.hidden("kind of an event"), json!({"text": plants.hidden("event of an unknown kind")})),
        json!({"type": "compacted", "payload": {"message": plants.said(&[Prompts, Completions], "summary"),
            "replacement_history": kept, "trigger": plants.label("trigger")}}),
        event(
            "task_complete",
            json!({"turn_id": "turn-1", "last_agent_message": plants.said(&[Completions], "last words")}),
        ),
    ])
}

/// What an agent tells its hooks of the session of [`claude`].
fn hooks(plants: &mut Plants) -> Vec<Value> {
    let common = json!({"session_id": SESSION, "cwd": plants.hidden("folder of a hook"), "permission_mode": plants.hidden("mode"),
        "transcript_path": format!("/home/{}/{SESSION}.jsonl", plants.hidden("home"))});
    let hook = |name: &str, more: Value| {
        let mut hook = common.clone();
        hook["hook_event_name"] = name.into();
        hook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        hook
    };
    let mut all = vec![
        hook("SessionStart", json!({"model": plants.label("model of a hook"), "source": plants.hidden("source")})),
        hook("UserPromptSubmit", json!({"prompt": plants.said(&[Prompts], "prompt of a hook")})),
    ];
    let tool = plants.label("tool of a hook");
    let input = json!({"command": plants.said(&[ToolArguments], "argument of a hook")});
    all.push(hook("PreToolUse", json!({"tool_use_id": "t9", "tool_name": tool, "tool_input": input})));
    all.push(hook("PermissionRequest", json!({"tool_name": tool, "permission_id": plants.label("permission")})));
    let output = json!({"stdout": plants.said(&[ToolResults], "result of a hook")});
    all.push(hook(
        "PostToolUse",
        json!({"tool_use_id": "t9", "tool_name": tool, "tool_input": input, "tool_response": output}),
    ));
    all.push(hook("Notification", json!({"message": plants.hidden("notification")})));
    all.push(hook("Stop", json!({"last_assistant_message": plants.said(&[Completions], "last words of a hook")})));
    all
}

fn veilspan(home: &Path, level: Level, arguments: &[&str], told: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_veilspan"))
        .args(arguments)
        .env_clear()
        .envs([("VEILSPAN_CONTENT_MAX", "full"), ("VEILSPAN_CONTENT", level.as_str()), ("RUST_LOG", "trace")])
        .envs(["HOME", "TMPDIR"].map(|name| (name, home)))
        .current_dir(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    _ = child.stdin.take().unwrap().write_all(told);
    child.wait_with_output().unwrap()
}

/// Writes a session into a folder that is named by something that never leaves.
fn written(plants: &mut Plants, folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let folder = folder.join(plants.hidden("name of the folder"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join(name), bytes).unwrap();
    folder.join(name)
}

#[test]
fn what_stands_in_a_session_leaves_by_no_exit_of_an_import_that_the_policy_does_not_open() {
    for policy in every_level() {
        for shape in Shape::ALL {
            for agent in ["claude-code", "codex"] {
                let mut plants = Plants::new(shape);
                let (home, folder) = (private(), private());
                let (name, bytes) = match agent {
                    "codex" => ("rollout-main-1.jsonl".to_owned(), codex(&mut plants)),
                    _ => (format!("{SESSION}.jsonl"), claude(&mut plants)),
                };
                let path = written(&mut plants, folder.path(), &name, &bytes);
                // Nobody goes on with it.
                let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(7 * 24 * 60 * 60);
                std::fs::File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
                let told = if agent == "codex" { Vec::new() } else { hooks(&mut plants) };
                let mut printed = Vec::new();
                for hook in told {
                    let output = veilspan(
                        home.path(),
                        policy.level(),
                        &["hook", "--source", agent],
                        hook.to_string().as_bytes(),
                    );
                    printed.extend([output.stdout, output.stderr].concat());
                }
                let journals = bytes_of(&home.path().join(".local/state/veilspan/hooks"));
                assert_eq!(journals.is_empty(), agent == "codex");
                let (echo, path) = (Echo::start(), path.to_str().unwrap());
                let sent =
                    veilspan(home.path(), policy.level(), &["import", agent, path, "--endpoint", &echo.url()], b"");
                let dry = veilspan(home.path(), policy.level(), &["import", agent, path, "--dry-run"], b"");

                let mut exits = Exits::of(&plants, &policy);
                exits.silent("what a hook prints", &printed);
                // Of what was said a journal holds digests and lengths at every level.
                exits.named("the journal of hooks", &journals);
                exits.requests("the wire", &echo.requests());
                exits.veiled("files", &bytes_of(home.path()));
                exits.silent("stdout", &sent.stdout);
                exits.named("stderr", &sent.stderr);
                exits.veiled("a dry run", &dry.stdout);
                exits.named("stderr of a dry run", &dry.stderr);
                exits.assert_kept();
                let count = |of: fn(&Class) -> bool| exits.seen().filter(|canary| of(&canary.class)).count();
                let said = String::from_utf8_lossy(&sent.stderr);
                assert!(!echo.requests().is_empty(), "{said}");
                let labels = count(|class| matches!(class, Class::Label));
                assert_eq!(labels >= 3, shape == Shape::Label, "{labels} labels of {agent}: {said}");
                let shown = policy.level() >= if shape == Shape::Secret { Level::Full } else { Level::Preview };
                let contents = count(|class| matches!(class, Class::Content(_)));
                assert_eq!(contents > 0, shown, "{contents} texts of {agent} under {}: {said}", policy.snapshot());
            }
        }
    }
}
