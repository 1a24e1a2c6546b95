//! The README is true: its commands run, and its table of variables is the one in code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::process::{Command, Stdio};

use veilspan::environment::VARIABLES;

const README: &str = include_str!("../README.md");

/// The fenced blocks whose opening line is exactly this.
fn blocks(opening: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = README.lines();
    while let Some(line) = lines.next() {
        if line == opening {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(block.join("\n"));
        }
    }
    blocks
}

#[test]
fn every_plain_command_of_the_readme_runs_and_the_first_prints_a_run_without_a_word_of_the_conversation() {
    let commands = blocks("```sh");
    assert!(!commands.is_empty());
    for (place, command) in commands.iter().enumerate() {
        let output = Command::new("bash")
            .args(["-e", "-c", command])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .env_remove("OPENAI_BASE_URL")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{command}\n{stderr}");
        if place == 0 {
            for told in ["2 turns", "4 inferences", "3 tool calls", "execute_tool add", "completed"] {
                assert!(stdout.contains(told), "{told} is missing in\n{stdout}");
            }
            for said in ["Oslo", "warm", "plus", "degrees", "careful", "Here is what"] {
                assert!(!stdout.contains(said) && !stderr.contains(said), "{said} is in\n{stdout}{stderr}");
            }
        }
    }
}

#[test]
fn the_table_of_variables_is_the_one_in_code() {
    let table = README.split("<!-- variables: begin -->\n").nth(1).unwrap();
    let table = table.split("<!-- variables: end -->").next().unwrap();
    let rows: String = VARIABLES
        .iter()
        .map(|variable| {
            let default = if variable.default.is_empty() { String::new() } else { format!("`{}`", variable.default) };
            let default = if variable.default.contains(' ') { variable.default.to_owned() } else { default };
            format!("| `{}` | {default} | {} |\n", variable.name, variable.meaning)
        })
        .collect();
    let expected = format!("| variable | default | meaning |\n|---|---|---|\n{rows}");
    assert_eq!(table, expected, "the README's table should read\n{expected}");
}

#[test]
fn there_is_one_command_that_passes_the_tests() {
    assert_eq!(blocks("```sh test"), ["cargo test"]);
    assert_eq!(blocks("```sh peers").len(), 1);
}
