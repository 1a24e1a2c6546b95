use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::*;

/// What was read, as `serde_json` has it.
fn value(node: Node<'_>) -> Value {
    if node.is_object() {
        return Value::Object(
            node.members().map(|(name, value)| (name.to_owned(), self::value(value))).collect::<Map<_, _>>(),
        );
    }
    if node.is_array() {
        return Value::Array(node.elements().map(value).collect());
    }
    match node.text() {
        Some(text) => Value::String(text.into_owned()),
        // Of a number beyond a double there is no value.
        None => serde_json::from_str(node.json()).unwrap_or_default(),
    }
}

fn read(text: &str) -> Result<Value, Unread> {
    let mut tape = Tape::default();
    let whole = tape.read(text, Escapes::Unescaped, value);
    for escapes in [Escapes::Left, Escapes::LeftIn("a"), Escapes::LeftIn(""), Escapes::LeftOf(&["a", "b"])] {
        assert_eq!(whole, tape.read(text, escapes, value), "{text}");
    }
    assert!(tape.is_wiped());
    whole
}

#[test]
fn runs_of_any_length_between_escapes_are_copied_whole() {
    let run = |length: usize| ('0'..='Z').cycle().take(length).collect::<String>();
    for length in 0..200 {
        for rest in [0, 1, 31, 32, 33, 63, 64, 65, 66, 130] {
            let value = json!(format!("{}\n{}\u{1}{}\"", run(rest), run(length), run(rest)));
            assert_eq!(read(&value.to_string()), Ok(value), "{length} {rest}");
        }
    }
}

#[test]
fn escapes_are_left_in_one_member_alone_and_what_stands_there_again_is_itself() {
    let long = "a\n\"b\" ".repeat(50);
    let others = [long.clone(), format!("{long}x"), format!("x{long}"), long.replace('b', "c"), String::new()];
    for other in others {
        let json = json!({"a": &long, "b": {"c": &other, "b": [&long]}, "d": {"b": &long}, "e": &other});
        let is_left = |node: Node<'_>| {
            assert_eq!(value(node), json);
            let within = |name: &str| node.get("b").unwrap().get(name).unwrap();
            let strings =
                [within("c"), within("b").elements().next().unwrap(), node.get("d").unwrap().get("b").unwrap()];
            let left = strings.map(|string| string.as_str().is_none());
            assert_eq!(left, [!other.is_empty(), true, false]);
            assert_eq!(node.get("e").unwrap().as_str(), Some(&*other));
        };
        let mut tape = Tape::default();
        tape.read(&json.to_string(), Escapes::LeftIn("b"), is_left).unwrap();
        assert!(tape.is_wiped());
    }
}

#[test]
fn escapes_are_left_of_members_of_some_names_and_of_nothing_that_only_equals_one() {
    let text = "a\n\"b\" ".repeat(50);
    let json = json!({"out": &text, "a": {"err": &text, "b": &text}, "c": ["out", &text], "out\n": &text});
    let is_left = |node: Node<'_>| {
        assert_eq!(value(node), json);
        let (within, listed) = (node.get("a").unwrap(), node.get("c").unwrap().elements().nth(1));
        let left = [node.get("out"), within.get("err"), within.get("b"), listed, node.get("out\n")];
        assert_eq!(left.map(|string| string.unwrap().as_str().is_none()), [true, true, false, false, false]);
    };
    let mut tape = Tape::default();
    tape.read(&json.to_string(), Escapes::LeftOf(&["out", "err"]), is_left).unwrap();
    assert!(tape.is_wiped());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[ -~\\n\\t\"\\\\]{0,200}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((".{0,20}", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(written in any_json()) {
        prop_assert_eq!(&read(&written.to_string()), &Ok(written.clone()));
        prop_assert_eq!(read(&serde_json::to_string_pretty(&written).unwrap()), Ok(written));
    }

    /// A byte of a text that is JSON is replaced, left out, or said twice.
    #[test]
    fn what_is_broken_is_refused_as_serde_json_refuses_it(
        written in any_json(), place in any::<prop::sample::Index>(), how in 0..3usize, with in "[ -~\\n]"
    ) {
        let mut text: Vec<char> = written.to_string().chars().collect();
        let place = place.index(text.len());
        let with = with.chars().next().unwrap();
        match how {
            0 => text[place] = with,
            1 => _ = text.remove(place),
            _ => text.insert(place, with),
        }
        same(&text.into_iter().collect::<String>());
    }

    #[test]
    fn no_text_is_read_as_what_it_is_not(text in "[\\[\\]{}:,\"\\\\u0-9a-fA-F.eE+ \\-truls\\n]{0,60}") {
        same(&text);
    }
}

fn same(text: &str) {
    match (read(text), serde_json::from_str::<Value>(text)) {
        (Ok(read), Ok(known)) => assert_eq!(read, known, "{text}"),
        (Err(_), Err(_)) => {}
        (Err(error), Ok(_)) => panic!("{error:?}: {text}"),
        // A number beyond a double stands in no value.
        (Ok(_), Err(_)) => assert!(serde_json::from_str::<IgnoredAny>(text).is_ok(), "{text}"),
    }
}

#[test]
fn strings_of_every_length_end_where_they_end() {
    for length in 0..150 {
        for escape in ["", "\\n", "\\\"", "\\u00e9", "\\ud83d\\ude00", "é", "😀"] {
            for tail in ["", "x", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"] {
                let text = format!("[\"{}{escape}{tail}\",\"{escape}\"]", "x".repeat(length));
                assert_eq!(read(&text).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
            }
        }
    }
}

#[test]
fn half_a_pair_of_surrogates_is_no_character() {
    for half in
        [r#""\ud83d""#, r#""\ude00""#, r#""\ud83d\n""#, r#""\ud83d\ud83d""#, r#""\ud83dxxxxxxxxxxxxxxxxxxxxxxx""#]
    {
        assert_eq!(read(half), Err(Unread::NotJson), "{half}");
    }
}

#[test]
fn of_a_name_that_stands_twice_the_last_value_counts() {
    let mut tape = Tape::default();
    let found =
        tape.read(r#"{"a": 1, "b": 2, "\u0061": 3}"#, Escapes::Left, |node| node.get("a").and_then(Node::as_i64));
    assert_eq!(found, Ok(Some(3)));
}

#[test]
fn members_are_read_as_what_they_are_and_nothing_else() {
    let text = r#"{"s": "a\n", "e": "", "i": -7, "u": 18446744073709551615, "f": 1.5, "t": true, "n": null, "o": {}, "l": [1]}"#;
    let mut tape = Tape::default();
    let read = tape.read(text, Escapes::Unescaped, |node| {
        let get = |name| node.get(name).unwrap();
        assert_eq!(
            (node.word("s"), node.word("e"), get("e").as_str(), node.word("i")),
            (Some("a\n"), None, Some(""), None)
        );
        assert_eq!(
            (get("i").as_i64(), get("i").as_u64(), get("u").as_u64(), get("u").as_i64()),
            (Some(-7), None, Some(u64::MAX), None)
        );
        assert_eq!((get("f").as_f64(), get("f").as_i64(), get("s").as_f64()), (Some(1.5), None, None));
        assert_eq!(
            (get("t").as_bool(), get("n").as_bool(), get("n").is_null(), get("t").is_null()),
            (Some(true), None, true, false)
        );
        assert!(get("o").is_object() && get("l").is_array() && !get("o").is_array() && get("l").get("1").is_none());
        assert_eq!((get("l").json(), get("s").json()), ("[1]", r#""a\n""#));
        assert_eq!(node.numbers().collect::<Vec<_>>(), ["-7", "18446744073709551615", "1.5", "1"]);
        assert!(node.get("x").is_none() && get("l").members().next().is_none() && node.elements().next().is_none());
    });
    assert_eq!(read, Ok(()));
}

#[test]
fn depth_exhausts_no_stack_and_values_without_number_no_memory() {
    let deep = "[".repeat(1 << 20) + &"]".repeat(1 << 20);
    let mut tape = Tape::default();
    assert_eq!(tape.read(&deep, Escapes::Left, |node| node.json().len()), Ok(2 << 20));
    let many = format!("[{}1]", "1,".repeat(5 << 20));
    assert_eq!(tape.read(&many, Escapes::Left, |_| ()), Err(Unread::TooLarge));
    assert_eq!(tape.read(&json!({"a": 1}).to_string(), Escapes::Left, |node| node.json().len()), Ok(7));
    assert!(tape.is_wiped());
}
