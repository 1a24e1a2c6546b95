//! Everything public that can be printed, by what it holds: the list in `debug.txt` and the public interface are the same.
//!
//! | | |
//! |---|---|
//! | `silent` | holds what was said, or a key: made here with everything planted, and printed |
//! | `closed` | the same; printed where it is used, in the other files of this folder |
//! | `veiled` | stands behind the policy, and prints what that lets leave |
//! | `error` | tells a kind and a place, and nothing of what it is about |
//! | `plain` | holds no text of a caller's: numbers, words of ours, configuration |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList, any_value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use veilspan::environment::Environment;
use veilspan::otlp::assemble::{Patch, Patches};
use veilspan::otlp::wire::{Field, Wire};
use veilspan::otlp::{AnyView, Look, Request, Segments, SpanView};
use veilspan::privacy::c1::Hasher;
use veilspan::privacy::detect::Detectors;
use veilspan::privacy::{Key, Level};
use veilspan::{Policy, Recorder};

use crate::support::canaries::Plants;

/// What was printed, and of which types.
#[derive(Default)]
pub struct Printed {
    pub text: String,
    types: BTreeSet<String>,
}

impl Printed {
    pub fn of<T: Debug>(&mut self, shown: &T) {
        self.text.push_str(&format!("{shown:?} {shown:#?}\n"));
        self.types.insert(last(std::any::type_name::<T>()).to_owned());
    }

    /// Fails where one of the types that have to be silent has not been printed.
    pub fn assert_complete(&self) {
        let listed = listed();
        let silent = listed.iter().filter(|(_, kind)| **kind == "silent").map(|(path, _)| last(path));
        let missing: Vec<_> = silent.filter(|name| !self.types.contains(*name)).collect();
        assert!(missing.is_empty(), "not printed: {missing:?}");
    }
}

/// The name of a type without its path and what it is made of.
fn last(path: &str) -> &str {
    let path = path.split('<').next().unwrap();
    path.rsplit("::").next().unwrap()
}

fn listed() -> BTreeMap<&'static str, &'static str> {
    include_str!("debug.txt")
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(kind, path)| (path, kind))
        .collect()
}

#[test]
fn everything_public_that_can_be_printed_is_listed_by_what_it_holds() {
    const TRAIT: &str = " core::fmt::Debug for ";
    let public = include_str!("../../public-api.txt").lines().filter(|line| line.starts_with("impl"));
    let printable = public.filter_map(|line| line.split_once(TRAIT)).map(|(_, path)| path);
    let printable: BTreeSet<_> = printable
        .map(|path| path.split(['<', ' ']).next().unwrap())
        .filter(|path| path.starts_with("veilspan::"))
        .collect();
    let listed = listed();
    let known: BTreeSet<_> = listed.keys().copied().collect();
    let missing: Vec<_> = printable.difference(&known).collect();
    assert!(missing.is_empty(), "say in debug.txt what these hold: {missing:?}");
    let gone: Vec<_> = known.difference(&printable).collect();
    assert!(gone.is_empty(), "no longer public: {gone:?}");
    assert!(
        printable.len() > 200
            && listed.values().all(|kind| ["silent", "closed", "veiled", "error", "plain"].contains(kind))
    );
}

/// Prints what holds bytes as they came, settings and keys.
pub fn print_what_is_raw(printed: &mut Printed, policy: &Policy, p: &mut Plants) {
    let text = |said: String| Some(AnyValue { value: Some(any_value::Value::StringValue(said)) });
    let of = |key: String, value| KeyValue { key, value, ..KeyValue::default() };
    let said = AnyValue { value: text(p.hidden("value")).unwrap().value }.encode_to_vec();
    printed.of(&AnyView::parse(&said).unwrap());
    let values = ArrayValue { values: vec![text(p.hidden("element")).unwrap()] };
    let values = AnyValue { value: Some(any_value::Value::ArrayValue(values)) }.encode_to_vec();
    let AnyView::Array(values) = AnyView::parse(&values).unwrap() else { panic!("an array") };
    printed.of(&values);
    let members = KeyValueList { values: vec![of(p.hidden("member"), text(p.hidden("member's value")))] };
    let members = AnyValue { value: Some(any_value::Value::KvlistValue(members)) }.encode_to_vec();
    let AnyView::Map(members) = AnyView::parse(&members).unwrap() else { panic!("a map") };
    printed.of(&members);
    let mut span =
        Span { name: p.hidden("name of a span"), trace_id: vec![1; 16], span_id: vec![2; 8], ..Span::default() };
    span.attributes.push(of(p.hidden("attribute"), text(p.hidden("attribute's value"))));
    let bytes = span.encode_to_vec();
    printed.of(&SpanView::parse(&bytes).unwrap());
    printed.of(&Wire::Bytes(&bytes));
    printed.of(&Field { number: 1, value: Wire::Bytes(&bytes), minimal: true });
    printed.of(&Patch::Replace(bytes.clone().into()));
    let mut patches = Patches::default();
    patches.span(0, Patch::Replace(bytes.clone().into()));
    printed.of(&patches);
    printed.of(&Segments::from(bytes::Bytes::from(bytes)));
    let scopes = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { scope_spans: scopes, ..ResourceSpans::default() }],
    };
    printed.of(&Request::parse(request.encode_to_vec().into(), Look::Inside).unwrap());
    let key = || Key::new(b"zebra-key-0123456789abcdef0123456789abcdef".to_vec(), None).unwrap();
    printed.of(&key());
    printed.of(&Hasher::hmac_sha256(p.hidden("key of a hasher").as_bytes()));
    printed.of(policy);
    printed.of(&Policy::builder().key(key()).content(Level::Full));
    printed.of(&Recorder::builder().policy(policy.clone()));
    let value = p.hidden("value of a variable");
    printed.of(&[("VEILSPAN_CONTENT", &*value)].into_iter().collect::<Environment>());
    let rule = format!(
        "rules:\n  - name: mine\n    pattern: '{}'\n",
        p.hidden("pattern of a rule").replace(['\'', '\n'], ".")
    );
    printed.of(&Detectors::parse(&rule).unwrap());
    assert!(!printed.text.contains("zebra-key"), "{}", printed.text);
}
