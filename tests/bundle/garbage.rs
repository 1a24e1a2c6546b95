//! Whatever stands between the records of a bundle, or in the place of its files: nothing else is lost, nobody panics.

use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};
use veilspan::reduce::Rollout;

use super::build::*;

fn run() -> Bundle {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([call("call-1", "{}")]));
    let invocation = json!({"tool_name": "exec_command", "payload": {"type": "function", "arguments": "{}"}});
    bundle.tool("call-1", json!({"type": "exec_command"}), invocation);
    bundle.tool_end("call-1", "completed", json!({"type": "direct_response", "response_item": output("call-1", "x")}));
    bundle.ask_in("R", "t1", "i2", json!({"previous_response_id": "resp-1", "input": [output("call-1", "x")]}));
    bundle.answer("i2", "resp-2", json!([assistant("done")]));
    bundle.end_turn("R", "t1", "completed");
    bundle
}

/// The graph without what was set aside.
fn rest(rollout: &Rollout) -> String {
    let mut rest = rollout.clone();
    rest.quarantine.clear();
    rest.findings.retain(|finding| finding.kind != veilspan::reduce::FindingKind::Quarantined);
    rest.serialise()
}

/// Lines that are no records: bytes, JSON of another shape, records that lack what a record needs.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let no_line_end = |bytes: Vec<u8>| bytes.into_iter().map(|byte| if byte == b'\n' { b' ' } else { byte }).collect();
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "[a-z\"\\\\]{0,8}".prop_map(Value::from),
        Just(json!([])),
    ];
    let lacking = (scalar.clone(), scalar.clone(), scalar).prop_map(|(seq, time, payload)| {
        json!({"schema_version": 1, "seq": seq, "wall_time_unix_ms": time, "payload": payload}).to_string().into_bytes()
    });
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..200).prop_map(no_line_end),
        "[\\[\\]{}\",:0-9a-z ]{1,60}".prop_map(String::into_bytes),
        (1usize..5000).prop_map(|depth| vec![b'['; depth]),
        lacking,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn garbage_between_records_changes_nothing_but_the_quarantine(
        all in prop::collection::vec((garbage(), 0usize..12), 1..8)
    ) {
        let bundle = run();
        let clean = bundle.reduce();
        let mut lines: Vec<Vec<u8>> = bundle.lines.iter().map(|line| line.clone().into_bytes()).collect();
        for (line, place) in all {
            lines.insert(place.min(lines.len()), line);
        }
        let log = lines.join(&b'\n');
        fs::write(bundle.folder.path().join("trace.jsonl"), [&log[..], b"\n"].concat()).unwrap();
        let dirty = reduce(&read(bundle.folder.path()));
        prop_assert_eq!(rest(&dirty), rest(&clean));
    }

    #[test]
    fn whatever_stands_in_a_file_of_a_bundle_the_rest_is_read(
        file in 1usize..8,
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "[\\[\\]{}\",:0-9a-z ]{0,80}".prop_map(String::into_bytes),
            (1usize..5000).prop_map(|depth| vec![b'['; depth]),
        ],
    ) {
        let bundle = run();
        let name = match file {
            7 => "manifest.json".to_owned(),
            number => format!("payloads/{number}.json"),
        };
        bundle.write();
        fs::write(bundle.folder.path().join(name), bytes).unwrap();
        let rollout = reduce(&read(bundle.folder.path()));
        prop_assert_eq!(&*rollout.id, "R");
        prop_assert_eq!(thread(&rollout, "R").turns.len(), 1);
        prop_assert!(rollout.quarantine.len() <= 2);
    }
}
