//! One description of the graph: the table, the `.proto` file and `state.json` say the same.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::schema::{Kind, ROLLOUT, Schema};
use super::{NotARollout, state_from_proto};

const PROTO: &str = include_str!("../../../proto/veilspan/v1/rollout.proto");
const JSON: [&str; 3] =
    [include_str!("../text/json.rs"), include_str!("../text/json_call.rs"), include_str!("../text/json_item.rs")];

fn schemas() -> Vec<&'static Schema> {
    reached(vec![&ROLLOUT])
}

/// These, and those that their fields are made of.
fn reached(mut found: Vec<&'static Schema>) -> Vec<&'static Schema> {
    let mut next = 0;
    while let Some(schema) = found.get(next) {
        for field in schema.fields {
            if let Kind::One(inner) | Kind::Many(inner) | Kind::List(inner) | Kind::Flat(inner) = field.kind
                && !found.iter().any(|known| known.name == inner.name)
            {
                found.push(inner);
            }
        }
        next += 1;
    }
    found
}

fn declared(kind: Kind) -> String {
    match kind {
        Kind::Text => "optional string".to_owned(),
        Kind::Uint => "optional uint64".to_owned(),
        Kind::Int => "optional int64".to_owned(),
        Kind::Bool => "optional bool".to_owned(),
        Kind::Texts => "repeated string".to_owned(),
        Kind::Uints => "repeated uint64".to_owned(),
        Kind::Runs => "repeated Run".to_owned(),
        Kind::One(schema) | Kind::Flat(schema) => schema.name.to_owned(),
        Kind::Many(schema) | Kind::List(schema) => format!("repeated {}", schema.name),
        Kind::Attributes => "map<string, AttributeValue>".to_owned(),
    }
}

/// The messages of the file, each as its name and its fields.
fn messages(text: &str) -> BTreeSet<String> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default().trim());
    let mut messages = BTreeSet::new();
    let mut one = String::new();
    for line in code.filter(|line| !line.is_empty()) {
        if line.starts_with("message ") {
            one.clear();
        }
        writeln!(one, "{line}").unwrap();
        if line == "}" && one.starts_with("message ") {
            messages.insert(std::mem::take(&mut one));
        }
    }
    messages
}

/// Holds a file against the messages of these tables; those that stand in the file of the graph may be left out.
pub(crate) fn assert_declared(proto: &str, roots: Vec<&'static Schema>, by_hand: &[&str]) {
    let message = |schema: &Schema| {
        let fields = schema.fields.iter();
        let fields = fields.map(|field| format!("{} {} = {};\n", declared(field.kind), field.name, field.number));
        format!("message {} {{\n{}}}\n", schema.name, fields.collect::<String>())
    };
    let mut of_table: BTreeSet<String> = reached(roots).into_iter().map(message).collect();
    let mut of_file = messages(proto);
    of_file.retain(|message| !by_hand.iter().any(|name| message.starts_with(name)));
    if proto.contains("import \"veilspan/v1/rollout.proto\"") {
        let elsewhere = messages(PROTO);
        of_table.retain(|message| !elsewhere.contains(message));
    }
    let missing: Vec<_> = of_table.difference(&of_file).collect();
    let stale: Vec<_> = of_file.difference(&of_table).collect();
    assert!(missing.is_empty() && stale.is_empty(), "missing: {missing:#?}\nstale: {stale:#?}");
}

#[test]
fn the_proto_file_is_the_table() {
    let by_hand = ["message AttributeValue ", "message Texts ", "message Integers ", "message Run "];
    assert_declared(PROTO, vec![&ROLLOUT], &by_hand);
}

#[test]
fn every_name_that_state_json_writes_is_a_member_of_the_table_and_the_other_way_around() {
    let mut written = BTreeSet::new();
    for line in JSON.iter().flat_map(|source| source.lines()) {
        let rest = line.trim_start_matches(|char: char| char != '"');
        let is_name = line.contains("put(&mut ") || line.trim_start().starts_with("(\"");
        if let Some(name) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next())
            && is_name
        {
            written.insert(name.to_owned());
        }
    }
    let fields = || schemas().into_iter().flat_map(|schema| schema.fields);
    let own = fields().filter(|field| !matches!(field.kind, Kind::Flat(_)));
    let in_table: BTreeSet<String> =
        own.map(|field| field.member.to_owned()).filter(|name| !name.starts_with("gen_ai.")).collect();
    assert_eq!(written, in_table);
}

#[test]
fn the_numbers_of_a_message_are_its_own() {
    for schema in schemas() {
        let numbers: BTreeSet<u32> = schema.fields.iter().map(|field| field.number).collect();
        assert_eq!(numbers.len(), schema.fields.len(), "{}", schema.name);
    }
}

#[test]
fn what_is_no_rollout_is_refused_by_the_name_of_the_field() {
    assert_eq!(state_from_proto(&[0xff]), Err(NotARollout::Malformed));
    assert_eq!(state_from_proto(&[8 << 3]), Err(NotARollout::Malformed));
    // A number where a text should be, and a text that is none.
    assert_eq!(state_from_proto(&[2 << 3, 1]), Err(NotARollout::Field("tenant")));
    assert_eq!(state_from_proto(&[2 << 3 | 2, 1, 0xff]), Err(NotARollout::Field("tenant")));
    // A field of a later version.
    assert!(state_from_proto(&[0xf8, 0x07, 1]).is_ok());
}
