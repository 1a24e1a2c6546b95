use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn form(text: &str) -> Option<String> {
    canonical(text).map(|canonical| String::from_utf8(canonical.as_bytes().to_vec()).unwrap())
}

fn is(text: &str, expected: &str) {
    assert_eq!(form(text).as_deref(), Some(expected), "{text}");
}

#[test]
fn the_example_of_rfc_8785_comes_out_as_printed_there() {
    let text = r#"{
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    }"#;
    let expected = concat!(
        r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
        r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#,
    );
    is(text, expected);
}

#[test]
fn keys_are_ordered_by_utf_16_code_units() {
    let text = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#;
    is(text, "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}");
}

#[test]
fn objects_are_ordered_at_every_depth() {
    is(r#"{"b":{"d":[{"f":1,"e":2}],"c":{}},"a":[]}"#, r#"{"a":[],"b":{"c":{},"d":[{"e":2,"f":1}]}}"#);
    is(
        r#"[{"b":1,"a":2},{"a":1,"b":2},{"b":{"z":1,"y":2},"a":2}]"#,
        r#"[{"a":2,"b":1},{"a":1,"b":2},{"a":2,"b":{"y":2,"z":1}}]"#,
    );
}

#[test]
fn numbers_are_written_as_ecmascript_does_and_integers_keep_their_literal() {
    for (text, expected) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("1.0", "1"),
        ("1e3", "1000"),
        ("1e21", "1e+21"),
        ("1e-7", "1e-7"),
        ("0.000001", "0.000001"),
        ("9007199254740993", "9007199254740993"),
        ("-123456789012345678901234567890", "-123456789012345678901234567890"),
        ("12345678901234567890.0", "12345678901234567000"),
        ("5e-324", "5e-324"),
        ("1e-400", "0"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
    ] {
        is(text, expected);
    }
}

#[test]
fn what_counts_as_not_json_has_no_form() {
    let beyond_a_double = format!("1{}", "0".repeat(309));
    let texts = [
        "",
        " ",
        "nul",
        "nulll",
        "tru",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "Infinity",
        "1 2",
        "[1,]",
        "[,1]",
        "[1",
        "]",
        "{",
        "}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1 \"b\":2}",
        "[}",
        "{]",
        "{\"a\":1]",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "\"\t\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\\ud800\"",
        "\"\\u+123\"",
        "1e400",
        "-1e400",
        "\u{feff}1",
        "1\u{a0}",
        "//\n1",
        &beyond_a_double,
    ];
    for text in texts {
        assert!(form(text).is_none(), "{text:?}");
    }
}

#[test]
fn a_key_twice_counts_as_not_json_however_it_is_written() {
    assert!(form(r#"{"a":1,"a":2}"#).is_none());
    assert!(form(r#"{"a":1,"b":0,"\u0061":2}"#).is_none());
    assert!(form(r#"{"b":0,"é":1,"a":2,"\u00e9":1}"#).is_none());
    assert!(form(r#"[{"a":1},{"a":{"a":2}}]"#).is_some());
    // The composed and the decomposed letter are two keys.
    assert!(form("{\"\u{e9}\":1,\"e\u{301}\":2}").is_some());
}

#[test]
fn nesting_ends_at_128_and_exhausts_no_stack() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(form(&nested(128)).is_some());
    assert!(form(&nested(129)).is_none());
    assert!(form(&nested(1_000_000)).is_none());
    assert!(form(&"{\"a\":".repeat(1_000_000)).is_none());
}

#[test]
fn what_is_canonical_is_not_copied() {
    for text in [r#"{"a":[1,2.5,"x\n\u001f\"é"],"b":{}}"#, "null", "\"\"", "[]"] {
        assert!(canonical(text).unwrap().is_exact(), "{text}");
    }
    assert!(!canonical(r#"{"b":1,"a":2}"#).unwrap().is_exact());
    assert!(!canonical(" 1").unwrap().is_exact());
    assert!(!canonical("1 ").unwrap().is_exact());
}

/// Canonical JSON another way, over a tree.
fn independent(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_f64() => ryu_js::Buffer::new().format(number.as_f64().unwrap()).to_owned(),
        Value::Array(values) => format!("[{}]", values.iter().map(independent).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<_>>());
            let members =
                members.iter().map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), independent(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        _ => value.to_string(),
    }
}

fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[a-c]{0,2}", "[\\x00-\\x7f]{0,12}", "\\PC{0,12}", "[\u{e000}-\u{ffff}😀]{1,3}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Writes a value with blanks everywhere, members in reverse and every character escaped that can be.
fn disguised(value: &Value) -> String {
    let text = |text: &str| {
        let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        format!("\"{escaped}\"")
    };
    match value {
        Value::String(string) => text(string),
        Value::Array(values) => format!("[ {} ]", values.iter().map(disguised).collect::<Vec<_>>().join("\n,\t")),
        Value::Object(members) => {
            let members = members.iter().rev().map(|(key, value)| format!("{} :\r\n{}", text(key), disguised(value)));
            format!(" {{ {} }}", members.collect::<Vec<_>>().join(" , "))
        }
        _ => value.to_string(),
    }
}

proptest! {
    #[test]
    fn the_form_is_its_own_form_and_what_a_tree_gives(value in values()) {
        let text = value.to_string();
        let once = form(&text).unwrap();
        prop_assert_eq!(&once, &independent(&value));
        prop_assert!(canonical(&once).unwrap().is_exact());
        prop_assert_eq!(form(&serde_json::to_string_pretty(&value).unwrap()), Some(once));
    }

    #[test]
    fn blanks_order_and_escapes_do_not_matter(value in values()) {
        prop_assert_eq!(form(&disguised(&value)), form(&value.to_string()));
    }

    #[test]
    fn no_text_makes_it_panic_and_serde_json_reads_what_it_takes(text in "\\PC{0,40}|[\\[\\]{}:,\"\\\\u0-9eE.+ \n-]{0,40}") {
        if let Some(form) = form(&text) {
            prop_assert!(serde_json::from_str::<Value>(&form).is_ok());
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok());
        }
    }

    #[test]
    fn a_damaged_text_makes_it_neither_panic_nor_disagree(value in values(), place in any::<prop::sample::Index>(), byte in 0_u8..128) {
        let mut text = disguised(&value).into_bytes();
        let place = place.index(text.len());
        text[place] = byte;
        if let Ok(text) = String::from_utf8(text) {
            // serde_json lets the last of two equal keys win; all else it refuses, so do we.
            if serde_json::from_str::<Value>(&text).is_err() {
                prop_assert!(form(&text).is_none());
            }
        }
    }
}

/// What is told by a look alone is what writing it tells.
fn looks_right(text: &str) {
    let written = writer::Writer::new(text.as_bytes()).write();
    let is_canonical = matches!(written, Some(None));
    assert!(is_canonical || !exact::is_canonical(text.as_bytes(), |_| {}), "{text}");
    // Texts with a key that has escapes are left to the writer.
    let has_escaped_key = text.contains("\\");
    let mut seen = Vec::new();
    let looked = exact::is_canonical(text.as_bytes(), |piece| seen.extend_from_slice(piece));
    assert!(has_escaped_key || is_canonical == looked, "{text}");
    assert_eq!(seen, text.as_bytes(), "whatever it tells, it hands on all of the text in order");
}

#[test]
fn a_look_tells_the_same_as_writing_at_the_edges() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let keys = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let texts = [
        "",
        "0",
        "-0",
        "-1",
        "01",
        "1.0",
        "1.5",
        "1e3",
        "1e+21",
        "[]",
        "[ ]",
        "{}",
        "{ }",
        "[1,2]",
        "[1,]",
        "[,]",
        "{,}",
        "[}",
        "{]",
        "\"\"",
        "\"a",
        "\"\u{7f}\"",
        "\"a\tb\"",
        r#""a\tb""#,
        r#""a\/b""#,
        r#""\u0041""#,
        r#"{"":1}"#,
        r#"{"":1,"":2}"#,
        r#"{"a":1,"b":2}"#,
        r#"{"b":1,"a":2}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"a":{"a":[{"b":{}}]},"b":[]}"#,
        r#"{"a":{"z":1},"b":2}"#,
        r#"{"a" :1}"#,
        r#"{"a":1}}"#,
        r#"[1]2"#,
        r#"{"a"}"#,
        r#"{"a":}"#,
        "nul",
        "null",
        "nulll",
        "[true,false,null]",
        "\u{feff}1",
        "{\"\u{ffff}\":1,\"\u{10000}\":2}",
        "{\"\u{10000}\":1,\"\u{ffff}\":2}",
        "12345678901234567890",
        "123456789012345",
        "1234567890123456",
        "-123456789.01234",
        "0.5",
        "-0.5",
        "0.05",
        "0.0000001",
        "0.50",
        "-0.0",
        "1.",
        "1.e5",
        "1e5",
        "-",
        "-a",
        "00",
        "10.10",
        "1234567890.123456",
        "[0.25,1,-7,120]",
    ];
    let long = format!(r#"{{"a":"{}","b":[{}1],"c":"{}"}}"#, "x".repeat(200), "0.25,".repeat(60), "y\\n".repeat(90));
    (0..=long.len()).for_each(|length| looks_right(long.get(..length).unwrap()));
    texts.into_iter().for_each(looks_right);
    [127, 128, 129].into_iter().for_each(|depth| looks_right(&deep(depth)));
    [127, 128, 129].into_iter().for_each(|depth| looks_right(&keys(depth)));
}

proptest! {
    #[test]
    fn a_look_tells_the_same_as_writing(text in r#"([\[\]{}:,]|"[ab\\n]{0,2}"|-?[0-9]{1,2}(\.[05]{1,2})?|true|null| ){0,12}"#) {
        looks_right(&text);
    }

    #[test]
    fn a_canonical_form_is_its_own(text in r#"([\[\]{}:,]|"[abé\u{10000}]{0,2}"|[0-9]){0,12}"#) {
        looks_right(&text);
        if let Some(form) = form(&text) {
            looks_right(&form);
            prop_assert!(exact::is_canonical(form.as_bytes(), |_| {}), "{}", form);
        }
    }
}
