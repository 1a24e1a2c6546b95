//! What holds for detectors on any text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]

use std::borrow::Cow;
use std::sync::LazyLock;

use proptest::prelude::*;
use veilspan::privacy::Detectors;

static DETECTORS: LazyLock<Detectors> = LazyLock::new(|| {
    let file =
        "enable: [ip-address]\nrules:\n  - name: employee-id\n    pattern: 'EMP-[0-9]{6}'\n    keywords: [emp-]\n";
    Detectors::parse(file).unwrap()
});

/// Pieces that rules look at, and that encodings are made of, in any order and glued to each other.
fn pieces() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "password",
        "=",
        ": ",
        "\"",
        "'",
        "\\\"",
        "\\",
        "\\n",
        "\\u0040",
        "%40",
        "%",
        "%25",
        "\n",
        "\r\n",
        " ",
        "hunter2",
        "s3cr3t!",
        "api_key",
        "token",
        "Bearer ",
        "Basic ",
        "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "jane",
        "@",
        "example.com",
        "://",
        "postgres",
        ":",
        "/",
        "4111 1111 1111 1111",
        "+49 30 901820",
        "DE89370400440532013000",
        "sk-",
        "ghp_",
        "AKIA",
        "IOSFODNN7EXAMPLE",
        "0123456789abcdef0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9",
        ".eyJzdWIiOiIxIn0.",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "MIIEvQIBADANBgkqhkiG9w0BAQ",
        "[redacted:",
        "]",
        "{",
        "}",
        "[",
        ",",
        "amFuZUBleGFtcGxlLmNvbQ",
        "EMP-",
        "123456",
        "10.0.0.1",
        "ü",
        "密码：",
        "пароль",
        "🔑",
        "Cookie: ",
        "sid=",
        ";",
        "<",
        ">",
        "--password ",
        "\0",
        "é",
    ];
    prop::collection::vec(prop_oneof![4 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => "[ -~]{0,12}", 1 => any::<String>()], 0..24)
        .prop_map(|pieces| pieces.concat())
}

/// JSON with such pieces as keys and texts, and JSON in its texts.
fn documents() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        pieces().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        Just(serde_json::json!(4_111_111_111_111_111_u64)),
        Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec((pieces(), inner.clone()), 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            inner.prop_map(|value| serde_json::Value::from(value.to_string())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn masking_twice_equals_masking_once(text in pieces()) {
        let once = DETECTORS.mask(&text);
        let twice = DETECTORS.mask(&once);
        prop_assert_eq!(&*twice, &*once);
    }

    #[test]
    fn hits_are_in_order_apart_and_on_boundaries_and_any_is_told(text in pieces()) {
        let hits = DETECTORS.find(&text);
        let mut end = 0;
        for hit in &hits {
            prop_assert!(hit.range.start >= end && hit.range.end > hit.range.start);
            prop_assert!(text.get(hit.range.clone()).is_some());
            end = hit.range.end;
        }
        prop_assert_eq!(DETECTORS.hits(&text), !hits.is_empty());
        // What a hit has outside of JSON's texts stays, so that a text with a hit may be its own mask; not the other way.
        prop_assert!(!hits.is_empty() || matches!(DETECTORS.mask(&text), Cow::Borrowed(_)));
    }

    #[test]
    fn any_text_is_taken(text in any::<String>()) {
        let _ = DETECTORS.mask(&text);
    }

    #[test]
    fn json_stays_json(document in documents()) {
        let text = serde_json::json!([document]).to_string();
        let masked = DETECTORS.mask(&text);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&masked).is_ok(), "{text}\n{masked}");
    }
}

#[test]
fn a_number_in_json_is_replaced_by_a_text() {
    let masked = DETECTORS.mask("{\"card\": 4111111111111111, \"n\": [5555555555554444]}");
    assert_eq!(masked, "{\"card\": \"[redacted:card-number]\", \"n\": [\"[redacted:card-number]\"]}");
}

#[test]
fn secrets_are_found_under_every_encoding_and_in_each_other() {
    use base64::Engine;
    let encode = |text: &str| base64::prelude::BASE64_STANDARD.encode(text);
    let percent =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let json = |text: &str| serde_json::json!({ "v": text }).to_string();
    let unicode = |text: &str| text.chars().map(|char| format!("\\u{:04x}", char as u32)).collect::<String>();
    let secret = "write to jane.doe@example.com, please";
    type Encoding<'e> = (&'e str, &'e dyn Fn(&str) -> String);
    let encodings: [Encoding<'_>; 4] =
        [("base64", &encode), ("percent", &percent), ("json", &json), ("unicode", &unicode)];
    for (outer_name, outer) in encodings {
        assert!(DETECTORS.hits(&outer(secret)), "{outer_name}");
        for (inner_name, inner) in encodings {
            // Escapes by number stand in a text of JSON alone.
            let text = outer(&inner(secret));
            assert!(DETECTORS.hits(&text), "{inner_name} in {outer_name}: {text}");
            let masked = DETECTORS.mask(&text).into_owned();
            assert!(!DETECTORS.hits(&masked), "{inner_name} in {outer_name}: {masked}");
        }
    }
    let mut deep = format!("password={}", "hunter22");
    for _ in 0..5 {
        deep = json(&deep);
    }
    assert!(!DETECTORS.mask(&deep).contains("hunter22"));
}

#[test]
fn what_is_nested_too_deep_to_look_into_does_not_leave() {
    use base64::Engine;
    let mut text = "nothing to see here at all".to_owned();
    for _ in 0..6 {
        text = base64::prelude::BASE64_STANDARD.encode(text);
    }
    assert!(!DETECTORS.hits(&text));
    for _ in 0..6 {
        text = base64::prelude::BASE64_STANDARD.encode(text);
    }
    assert_eq!(DETECTORS.mask(&text), "[redacted:nested]");
}

#[test]
fn a_long_text_of_near_misses_costs_work_for_each_byte_once() {
    // Each repeats what begins a rule and does not go on as the rule does: work for every byte, and none for all of them.
    for piece in [
        "sk-",
        "password=",
        "eyJ",
        "://a:",
        "AKIA",
        "-----BEGIN PRIVATE KEY-----",
        "@a",
        "1 ",
        "+1 ",
        "\\\\",
        "%25",
        "IDw/",
        "Cookie: a=",
        "\"token\":\"",
        "a@b.c",
        "00",
        "API_KEY=",
        "pw=$a1b2[",
        "login(\"a\",",
        " -u a -p",
        "insert into t (password",
        "secret:|\n  ",
    ] {
        let text = piece.repeat((16 << 10) / piece.len());
        let _ = DETECTORS.hits(&text);
        let _ = DETECTORS.find(&text);
    }
}
