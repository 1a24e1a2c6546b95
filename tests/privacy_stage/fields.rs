//! Every string and bytes field of OTLP's trace messages has a class, and what is planted in it leaves as that says.
//!
//! The fields are read out of the `.proto` files of the `opentelemetry-proto` that is built with, so that a field which a
//! later version adds has none, and fails here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use veilspan::privacy::Level;
use veilspan::semconv::{Class, FieldClass, WIRE_FIELDS};

use super::build::{every_policy, veiled};

/// A field of a message: its type, its name, its number.
#[derive(Clone, Debug)]
struct Field {
    kind: String,
    name: String,
    number: u32,
}

/// The fields of each message, by its full name.
type Messages = BTreeMap<String, Vec<Field>>;

const REQUEST: &str = "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest";
const RESPONSE: &str = "opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse";

fn protos() -> PathBuf {
    // Packages of other platforms need not be there.
    let host = Command::new(env!("CARGO")).arg("-vV").output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let found: Vec<_> = packages.iter().filter(|package| package["name"] == "opentelemetry-proto").collect();
    assert_eq!(found.len(), 1, "one version of OTLP is built with");
    let manifest = Path::new(found[0]["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().join("src/proto/opentelemetry-proto/opentelemetry/proto")
}

fn messages() -> Messages {
    let folder = protos();
    let mut messages = Messages::new();
    for file in ["collector/trace/v1/trace_service", "trace/v1/trace", "resource/v1/resource", "common/v1/common"] {
        let text = std::fs::read_to_string(folder.join(file).with_extension("proto")).unwrap();
        let lines = text.lines().map(|line| line.split("//").next().unwrap());
        let spaced: String = lines.flat_map(|line| line.chars().chain(['\n'])).flat_map(spaced).collect();
        let tokens: Vec<&str> = spaced.split_whitespace().collect();
        let package = tokens.iter().position(|token| *token == "package").unwrap();
        block(&mut tokens[package + 3..].iter().copied(), tokens[package + 1], &mut messages);
    }
    messages
}

fn spaced(char: char) -> Vec<char> {
    if "{};=[]".contains(char) { vec![' ', char, ' '] } else { vec![char] }
}

/// Reads what stands between the braces of a message, or in a file.
fn block<'t>(tokens: &mut impl Iterator<Item = &'t str>, scope: &str, messages: &mut Messages) {
    let mut statement = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            "}" => return,
            "{" => match statement[..] {
                ["message", name] => {
                    let name = format!("{scope}.{name}");
                    messages.entry(name.clone()).or_default();
                    block(tokens, &name, messages);
                }
                ["oneof", _] => block(tokens, scope, messages),
                _ => skip(tokens),
            },
            ";" => match statement[..] {
                [.., kind, name, "=", number] if statement[0] != "option" => {
                    let kind = kind.to_owned();
                    let field = Field { kind, name: name.to_owned(), number: number.parse().unwrap() };
                    messages.get_mut(scope).unwrap().push(field);
                }
                _ => assert!(matches!(statement[..], [] | ["option" | "import" | "reserved", ..]), "{statement:?}"),
            },
            token => {
                statement.push(token);
                continue;
            }
        }
        statement.clear();
    }
}

fn skip<'t>(tokens: &mut impl Iterator<Item = &'t str>) {
    let mut depth = 1;
    while depth > 0 {
        match tokens.next().unwrap() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
    }
}

/// The message that a type means, where it means one.
fn resolved(messages: &Messages, scope: &str, kind: &str) -> Option<String> {
    let mut scope = Some(scope);
    while let Some(outer) = scope {
        let name = format!("{outer}.{kind}");
        if messages.contains_key(&name) {
            return Some(name);
        }
        scope = outer.rsplit_once('.').map(|(outer, _)| outer);
    }
    messages.contains_key(kind).then(|| kind.to_owned())
}

const fn is_text(kind: &str) -> bool {
    matches!(kind.as_bytes(), b"string" | b"bytes")
}

/// Every way from a message to a string or bytes field: messages and fields by turns. A message is entered twice at most.
fn paths(messages: &Messages, message: &str, path: &mut Vec<(String, Field)>, found: &mut Vec<Vec<(String, Field)>>) {
    if path.iter().filter(|(known, _)| known == message).count() >= 2 {
        return;
    }
    for field in &messages[message] {
        path.push((message.to_owned(), field.clone()));
        if is_text(&field.kind) {
            found.push(path.clone());
        } else if let Some(inner) = resolved(messages, message, &field.kind) {
            paths(messages, &inner, path, found);
        }
        path.pop();
    }
}

fn all_paths(messages: &Messages, root: &str) -> Vec<Vec<(String, Field)>> {
    let mut found = Vec::new();
    paths(messages, root, &mut Vec::new(), &mut found);
    found
}

fn short(message: &str) -> &str {
    message.strip_prefix("opentelemetry.proto.").unwrap()
}

#[test]
fn every_string_and_bytes_field_of_otlps_trace_messages_has_a_class() {
    let messages = messages();
    let reached = |root| all_paths(&messages, root).into_iter().map(|path| path.last().unwrap().clone());
    let there: BTreeSet<(String, String, u32)> = reached(REQUEST)
        .chain(reached(RESPONSE))
        .map(|(message, field)| (short(&message).to_owned(), field.name, field.number))
        .collect();
    let classed: BTreeSet<_> =
        WIRE_FIELDS.iter().map(|field| (field.message.to_owned(), field.name.to_owned(), field.number)).collect();
    assert!(there.len() > 15, "the descriptors were read");
    let missing: Vec<_> = there.difference(&classed).collect();
    assert!(missing.is_empty(), "fields without a class: {missing:?}");
    let gone: Vec<_> = classed.difference(&there).collect();
    assert!(gone.is_empty(), "classes of fields that are not there: {gone:?}");
    assert_eq!(classed.len(), WIRE_FIELDS.len(), "each once");
}

fn put(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, out);
    prost::encoding::encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn attribute(key: &str, value: &str) -> Vec<u8> {
    let (mut any, mut pair) = (Vec::new(), Vec::new());
    put(&mut any, 1, value.as_bytes());
    put(&mut pair, 1, key.as_bytes());
    put(&mut pair, 2, &any);
    pair
}

/// What a message needs to be one of a GenAI call, apart from the field `number`, in the order of fields.
fn around(message: &str, number: u32) -> (Vec<u8>, Vec<u8>) {
    let mut fields: Vec<(u32, Vec<u8>)> = match short(message) {
        "trace.v1.ResourceSpans" => {
            let (before, after) = around("opentelemetry.proto.trace.v1.Span", 0);
            let mut scope = Vec::new();
            put(&mut scope, 2, &[before, after].concat());
            vec![(2, scope)]
        }
        "trace.v1.ScopeSpans" => {
            let (before, after) = around("opentelemetry.proto.trace.v1.Span", 0);
            vec![(2, [before, after].concat())]
        }
        "trace.v1.Span" => vec![(1, vec![1; 16]), (2, vec![2; 8]), (9, attribute("gen_ai.operation.name", "chat"))],
        "trace.v1.Span.Link" => vec![(1, vec![3; 16]), (2, vec![4; 8])],
        "common.v1.KeyValue" => vec![(1, b"some.key".to_vec()), (2, vec![0x0a, 1, b'x'])],
        _ => Vec::new(),
    };
    let is_repeated = matches!((short(message), number), ("trace.v1.Span", 9) | ("trace.v1.ScopeSpans", 2))
        || (short(message), number) == ("trace.v1.ResourceSpans", 2);
    fields.retain(|(known, _)| *known != number || is_repeated);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (known, bytes) in fields {
        put(if known <= number { &mut before } else { &mut after }, known, &bytes);
    }
    (before, after)
}

/// A request with `planted` at the end of a path.
fn request(path: &[(String, Field)], planted: &[u8]) -> Vec<u8> {
    path.iter().rev().fold(planted.to_vec(), |inner, (message, field)| {
        let (mut bytes, after) = around(message, field.number);
        put(&mut bytes, field.number, &inner);
        bytes.extend_from_slice(&after);
        bytes
    })
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

#[test]
fn what_is_planted_in_any_field_leaves_as_its_class_says() {
    let messages = messages();
    let paths = all_paths(&messages, REQUEST);
    assert!(paths.len() > 60);
    for path in &paths {
        let (message, field) = path.last().unwrap();
        let known = WIRE_FIELDS.iter().find(|known| (known.message, known.name) == (short(message), &*field.name));
        let class = known.unwrap().class;
        let place: Vec<_> = path.iter().map(|(_, field)| &*field.name).collect();
        for policy in every_policy() {
            let leaves = |planted: &[u8]| holds(&veiled(&policy, &request(path, planted)), planted);
            assert!(!leaves(b"a canary with blanks"), "{place:?} under {policy:?}");
            // A trace state is made of labels.
            let label: &[u8] = if field.name == "trace_state" { b"canary=label" } else { b"canary.label" };
            let leaves_as_label = matches!(class, FieldClass::Of(Class::Label));
            // What stands inside a value is of its key's class, and so is the key of an attribute of which nothing is told.
            let is_inside = path.iter().any(|(message, _)| short(message) == "common.v1.AnyValue");
            let is_of_nothing = short(message) == "common.v1.KeyValue" && policy.level() == Level::None;
            if !is_inside && !is_of_nothing {
                assert_eq!(leaves(label), leaves_as_label, "{place:?} under {policy:?}");
            }
            if let FieldClass::Id(length) = class {
                assert!(leaves(&vec![0xc4; length]), "{place:?}");
            }
        }
    }
}
