//! Sessions as agents write them, of any size.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};

pub const SESSION: &str = "00000000-0000-4000-8000-00000000000a";

#[derive(Clone, Copy)]
pub enum Agent {
    ClaudeCode,
    Codex(Form),
}

/// How Codex writes a session.
#[derive(Clone, Copy)]
pub enum Form {
    /// As the recordings of version 0.123 have it.
    Recorded,
    /// The same without what the runtime told of commands.
    Terse,
    /// As versions before it did.
    Older,
}

pub fn write(agent: Agent, path: &Path, bytes: u64) {
    let mut out = Out { file: BufWriter::new(File::create(path).unwrap()), written: 0, second: 0, parent: None };
    if let Agent::Codex(_) = agent {
        out.codex("session_meta", json!({"id": "s", "model_provider": "openai", "cwd": "/home/me"}));
    }
    let mut turn = 0;
    while out.written < bytes {
        match agent {
            Agent::ClaudeCode => claude(&mut out, turn),
            Agent::Codex(form) => codex(&mut out, form, turn),
        }
        turn += 1;
    }
}

struct Out {
    file: BufWriter<File>,
    written: u64,
    second: u64,
    parent: Option<String>,
}

impl Out {
    fn line(&mut self, mut row: Value) {
        row["timestamp"] = self.time().into();
        self.write(&row.to_string());
    }

    fn time(&mut self) -> String {
        self.second += 1;
        let (day, rest) = (1 + self.second / 86_400 % 28, self.second % 86_400);
        let (hour, minute, second) = (rest / 3600, rest % 3600 / 60, rest % 60);
        format!("2026-01-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
    }

    fn write(&mut self, line: &str) {
        self.written += line.len() as u64 + 1;
        writeln!(self.file, "{line}").unwrap();
    }

    fn claude(&mut self, kind: &str, prompt: &str, message: Value, more: Value) {
        let uuid = format!("row-{}", self.second);
        let mut row = json!({"uuid": uuid, "parentUuid": self.parent, "sessionId": SESSION, "isSidechain": false,
            "promptId": prompt, "cwd": "/home/me/work", "version": "2.1.150", "gitBranch": "main", "userType": "external",
            "type": kind, "message": message});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.parent = Some(uuid);
        self.line(row);
    }

    /// A row of Codex, which tells first of what kind it is.
    fn codex(&mut self, kind: &str, payload: Value) {
        let time = self.time();
        self.write(&format!(r#"{{"timestamp":"{time}","type":"{kind}","payload":{payload}}}"#));
    }

    fn item(&mut self, kind: &str, more: Value) {
        self.told("response_item", kind, more);
    }

    fn event(&mut self, kind: &str, more: Value) {
        self.told("event_msg", kind, more);
    }

    fn told(&mut self, row: &str, kind: &str, more: Value) {
        let (time, more) = (self.time(), more.to_string());
        let more = more.strip_prefix('{').unwrap();
        let line = format!(r#"{{"timestamp":"{time}","type":"{row}","payload":{{"type":"{kind}",{more}}}"#);
        self.write(&line);
    }
}

fn claude(out: &mut Out, turn: usize) {
    let prompt = format!("prompt-{turn}");
    out.claude("user", &prompt, json!({"role": "user", "content": text(turn, 60)}), json!({}));
    for step in 0..6 {
        let id = format!("msg_{turn}_{step}");
        let usage = json!({"input_tokens": 5, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 20_000,
            "output_tokens": 400, "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 300},
            "service_tier": "standard"});
        let said = |block: Value, stop: &str| {
            json!({"id": id, "type": "message", "role": "assistant", "model": "claude-x", "content": [block],
                "stop_reason": stop, "usage": usage})
        };
        let request = json!({"requestId": format!("req_{turn}_{step}")});
        let thought = json!({"type": "thinking", "thinking": text(step, 250), "signature": "c".repeat(300)});
        out.claude("assistant", &prompt, said(thought, "tool_use"), request.clone());
        let tool = format!("toolu_{turn}_{step}");
        let call = json!({"type": "tool_use", "id": tool, "name": "Bash", "input": {"command": text(step, 20)}});
        out.claude("assistant", &prompt, said(call, "tool_use"), request);
        let output = text(turn + step, 500);
        let block = json!({"type": "tool_result", "tool_use_id": tool, "content": output, "is_error": false});
        let known = json!({"toolUseResult": {"stdout": output, "stderr": "", "interrupted": false, "isImage": false}});
        out.claude("user", &prompt, json!({"role": "user", "content": [block]}), known);
    }
    let answer = json!({"id": format!("msg_{turn}_end"), "type": "message", "role": "assistant", "model": "claude-x",
        "content": [{"type": "text", "text": text(turn, 300)}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 5, "output_tokens": 300}});
    out.claude("assistant", &prompt, answer, json!({}));
}

/// The rows of a turn.
fn codex(out: &mut Out, form: Form, turn: usize) {
    let id = format!("turn-{turn}");
    out.event("task_started", json!({"turn_id": id}));
    out.codex("turn_context", json!({"turn_id": id, "model": "gpt-x", "effort": "low", "cwd": "/home/me"}));
    out.event("user_message", json!({"message": text(turn, 60)}));
    let usage = json!({"input_tokens": 20_000, "cached_input_tokens": 19_000, "output_tokens": 400,
        "reasoning_output_tokens": 100, "total_tokens": 20_400});
    let info = match form {
        Form::Older => json!({"last_token_usage": usage}),
        Form::Recorded | Form::Terse => json!({"last_token_usage": usage, "total_token_usage": usage}),
    };
    let counted = json!({"info": info});
    for step in 0..6 {
        let call = format!("call_{turn}_{step}");
        let summary = json!([{"type": "summary_text", "text": text(step, 120)}]);
        let sealed = "QUJD".repeat(500);
        out.item("reasoning", json!({"summary": summary, "encrypted_content": sealed}));
        let (name, command) = match form {
            Form::Older => ("shell", json!({"command": ["bash", "-lc", text(step, 20)]})),
            Form::Recorded | Form::Terse => ("exec_command", json!({"cmd": text(step, 20), "workdir": "/home/me"})),
        };
        let item = json!({"name": name, "call_id": call, "arguments": command.to_string()});
        out.item("function_call", item);
        out.event("token_count", counted.clone());
        let output = text(turn + step, 700);
        if let Form::Recorded = form {
            out.event(
                "exec_command_end",
                json!({"call_id": call, "status": "completed",
                "exit_code": 0, "stdout": output, "stderr": "", "aggregated_output": output}),
            );
        }
        let output = match form {
            Form::Older => json!({"output": output, "metadata": {"exit_code": 0}}).to_string(),
            Form::Recorded | Form::Terse => output,
        };
        out.item("function_call_output", json!({"call_id": call, "output": output}));
    }
    let answer = text(turn, 300);
    let said = json!([{"type": "output_text", "text": answer}]);
    out.item("message", json!({"role": "assistant", "content": said}));
    if let Form::Recorded | Form::Terse = form {
        out.event("agent_message", json!({"message": answer}));
    }
    out.event("token_count", counted);
    out.event("task_complete", json!({"turn_id": id}));
}

fn text(seed: usize, count: usize) -> String {
    const WORDS: [&str; 12] = [
        "file",
        "build",
        "test",
        "\"error\"",
        "src/main.rs:",
        "warning:",
        "the",
        "line\n",
        "    let",
        "fn",
        "=",
        "value;",
    ];
    (0..count).map(|place| format!("{} ", WORDS[(seed * 31 + place * 7 + place / 11) % WORDS.len()])).collect()
}
