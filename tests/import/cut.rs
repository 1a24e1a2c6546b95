//! A session of Codex is told alike, and in the same order, however its bytes are cut.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use veilspan::import::codex::Sessions;

use super::codex::{FILE, drain};
use super::script::Codex;
use super::told::{All, set};

/// Rows of all kinds in any order; texts are short, or long enough to be hashed beside each other.
fn rows() -> impl Strategy<Value = String> {
    let text = |number: u8, is_long: bool| {
        if is_long { format!("{number} \"said\"\n").repeat(60) } else { format!("{number}") }
    };
    vec((0..16u8, 0..4u8, any::<bool>(), 0..3u8), 1..40).prop_map(move |steps| {
        let mut script = Codex::session(1.0, "main-1");
        script.start(2.0, "t1");
        let mut bytes = Vec::new();
        for (step, (what, number, is_long, later)) in steps.into_iter().enumerate() {
            let (at, id, text) = (3.0 + step as f64 + f64::from(later), format!("c{number}"), text(number, is_long));
            match what {
                0 | 1 => script.thinks(at, &text),
                2 | 3 => script.calls(at, &id, "exec_command", &json!({"cmd": text}).to_string()),
                4 | 5 => script.tokens(at, 10, 5),
                6 | 7 => script.gets(at, &id, text.into()),
                8 => {
                    script.gets(at, &id, json!({"output": text, "metadata": {"exit_code": number}}).to_string().into())
                }
                9 => script.event(
                    at,
                    "exec_command_end",
                    json!({"call_id": id, "exit_code": number, "stdout": text, "aggregated_output": text}),
                ),
                10 => script.says(at, &text),
                11 => script.asks(at, &text),
                12 => script.end(at, "t1"),
                13 => script.start(at, &format!("t{number}")),
                14 => script.event(at, "token_count", json!({"info": null})),
                _ => script.row(at, "compacted", json!({"message": text})),
            };
            if what == 15 && is_long {
                bytes.extend(script.bytes());
                bytes.extend_from_slice(b"{\"type\": broken\n");
                script.rows.clear();
            }
        }
        bytes.extend(script.bytes());
        String::from_utf8(bytes).unwrap()
    })
}

fn read<'p>(portions: impl Iterator<Item = &'p [u8]>) -> All {
    let mut sessions = Sessions::new(set());
    let mut told = All::default();
    for portion in portions {
        sessions.feed(FILE, portion);
        told.0.extend(drain(&mut sessions).0);
    }
    sessions.finish(FILE);
    told.0.extend(drain(&mut sessions).0);
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn rows_are_told_in_the_same_order_however_the_file_is_cut(file in rows(), portion in 1..3000usize) {
        let bytes = file.as_bytes();
        let whole = read([bytes].into_iter());
        let line_by_line = read(bytes.split_inclusive(|byte| *byte == b'\n'));
        prop_assert!(whole.0 == line_by_line.0);
        prop_assert!(whole.0 == read(bytes.chunks(portion)).0);
    }
}
