//! The README is true: its commands run, and its table of variables is the one in code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods
)]

use std::process::{Command, Stdio};

use veilspan::environment::{NOT_READ, VARIABLES};

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

/// What the plain commands print, in their order.
const TOLD: &[&[&str]] = &[
    &["2 turns", "4 inferences", "3 tool calls", "execute_tool add", "completed"],
    &["chat gpt-x", "execute_tool temperature", "invoke_agent planner", "veilspan.input.chain"],
];

#[test]
fn every_plain_command_of_the_readme_runs_and_prints_what_happened_without_a_word_of_the_conversation() {
    let commands = blocks("```sh");
    assert_eq!(commands.len(), TOLD.len());
    for (command, told) in commands.iter().zip(TOLD) {
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
        for told in *told {
            assert!(stdout.contains(told), "{told} is missing in\n{stdout}");
        }
        for said in ["Oslo", "warm", "plus", "degrees", "careful", "Here is what", "Let me look"] {
            assert!(!stdout.contains(said) && !stderr.contains(said), "{said} is in\n{stdout}{stderr}");
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
fn the_variables_that_are_not_read_are_those_in_code_and_no_others() {
    let table = README.split("<!-- not read: begin -->\n").nth(1).unwrap();
    let table = table.split("<!-- not read: end -->").next().unwrap();
    let rows: String = NOT_READ.iter().map(|(name, why)| format!("| `{name}` | {why} |\n")).collect();
    let expected = format!("| variable | why it is not read |\n|---|---|\n{rows}");
    assert_eq!(table, expected, "the README's table should read\n{expected}");
    assert!(NOT_READ.iter().all(|(name, _)| VARIABLES.iter().all(|read| read.name != *name)));
}

#[test]
fn the_versions_are_those_that_the_manifest_asks_for() {
    let manifest = include_str!("../Cargo.toml");
    let table = README.split("<!-- versions: begin -->\n").nth(1).unwrap();
    let table = table.split("<!-- versions: end -->").next().unwrap();
    let rows: Vec<Vec<_>> = table.lines().skip(2).map(|row| row.split('|').map(str::trim).collect()).collect();
    assert_eq!(rows.len(), 6);
    for row in rows {
        let (name, version) = (row[1].trim_matches('`'), row[2]);
        let asked_for = manifest.lines().filter(|line| line.split(" = ").next() == Some(name));
        let quoted = asked_for.map(|line| line.split('"').nth(1).unwrap());
        // A feature may have the same name.
        let asked_for: Vec<_> = quoted.filter(|word| word.starts_with(|first: char| first.is_ascii_digit())).collect();
        assert!(!asked_for.is_empty(), "{name}");
        for asked_for in asked_for {
            let is_that = asked_for == version || asked_for.starts_with(&format!("{version}."));
            assert!(is_that, "{name}: {asked_for}, and the README says {version}");
        }
    }
    let rust = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    assert!(README.contains(&format!("Rust {rust} or later")));
}

#[test]
fn there_is_one_command_that_passes_the_tests() {
    assert_eq!(blocks("```sh test"), ["cargo test"]);
    assert_eq!(blocks("```sh peers").len(), 1);
}

/// What a console prints for each command of a block. Ids of new runs are another each time.
#[cfg(feature = "cli")]
fn same_but_for_new_ids(printed: &str) -> String {
    let words: Vec<&str> = printed.split_inclusive([' ', '\n']).collect();
    let is_short_id = |word: &str| {
        word.trim_end()
            .strip_suffix('…')
            .is_some_and(|id| id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let word = |(place, word): (usize, &&str)| {
        let is_run = place > 0 && words[place - 1] == "rollout "
            || words.get(place + 1).is_some_and(|next| next.starts_with('('));
        if is_run && is_short_id(word) { format!("########{}", &word[8..]) } else { (*word).to_owned() }
    };
    words.iter().enumerate().map(word).collect()
}

/// A port that was free a moment ago.
#[cfg(feature = "cli")]
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[cfg(all(feature = "cli", unix))]
#[test]
fn every_command_of_the_chapter_on_replay_prints_what_stands_below_it() {
    const MARK: &str = "@@ the next command @@";
    let chapter = README.split("\n## ").find(|chapter| chapter.starts_with("Restore, replay, drift")).unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_veilspan")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let (mut lines, mut blocks, mut commands) = (chapter.lines(), 0, 0);
    while let Some(line) = lines.next() {
        if line != "```console" {
            continue;
        }
        blocks += 1;
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let here = format!("127.0.0.1:{}", free_port());
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"), folder.path().join("tests")).unwrap();
        let mut script = String::from("trap 'kill $(jobs -p) 2>/dev/null' EXIT\n");
        let mut expected: Vec<String> = Vec::new();
        for line in block {
            match line.strip_prefix("$ ") {
                Some(command) => {
                    script.push_str(&format!("echo '{MARK}'\n{command}\n").replace("127.0.0.1:8089", &here));
                    if command.ends_with('&') {
                        script.push_str(&format!(
                            "for try in $(seq 600); do (: > /dev/tcp/{}) 2>/dev/null && break; sleep 0.1; done\n",
                            here.replace(':', "/")
                        ));
                    }
                    expected.push(String::new());
                }
                None => expected.last_mut().unwrap().push_str(&format!("{line}\n")),
            }
        }
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", &path)
            .env("VEILSPAN_HASH", "sha256")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let printed: Vec<&str> = stdout.split(&format!("{MARK}\n")).skip(1).collect();
        assert_eq!(printed.len(), expected.len(), "{stderr}");
        for (printed, expected) in printed.iter().zip(&expected) {
            assert_eq!(same_but_for_new_ids(printed), same_but_for_new_ids(expected), "{stderr}");
            commands += 1;
        }
    }
    assert!(blocks >= 5 && commands >= 12, "{blocks} blocks, {commands} commands");
}
