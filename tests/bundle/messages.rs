//! Histories as messages, each told once: what `veilspan import` sends of a bundle.

use std::collections::HashMap;

use serde_json::{Value, json};
use veilspan::event::{CallKind, Digest, Given, Histories, Input, Item, Kind, Noted, Role, shape};
use veilspan::import::bundle::{BundleReader, Form};
use veilspan::privacy::c1::{self, Hasher};

use super::build::*;
use super::items::{install, thoughts};

/// What the requests told, in order, and what the compactions did.
fn told(bundle: &Bundle) -> (Vec<Input>, Vec<Histories<veilspan::event::Veiled>>) {
    let mut reader = BundleReader::open(bundle.write(), policy()).unwrap();
    reader.form(Form::Messages);
    let (mut inputs, mut histories) = (Vec::new(), Vec::new());
    for event in reader {
        match event.kind {
            Kind::Opened(_, Given::Request(input)) if event.key.kind == CallKind::Inference => inputs.push(input),
            Kind::Marked(mark) => {
                if let Noted::Histories(both) = mark.noted {
                    histories.push(*both);
                }
            }
            _ => {}
        }
    }
    (inputs, histories)
}

/// Asks for each of these bodies in its thread.
fn asked(bodies: &[(&str, Value)]) -> Bundle {
    let mut bundle = Bundle::new();
    for thread in ["A", "B"] {
        bundle.child(thread, &format!("/root/{thread}"), "R");
        bundle.turn(thread, "t1");
    }
    for (number, (thread, body)) in bodies.iter().enumerate() {
        bundle.ask_in(thread, "t1", &format!("i{number}"), body.clone());
    }
    bundle
}

/// Who knows only what was told: each history by its chain.
#[derive(Default)]
struct Reader(HashMap<Digest, Vec<Item>>);

impl Reader {
    fn read(&mut self, input: &Input) -> Vec<Item> {
        let mut whole = match input.prefix {
            Some(prefix) => self.0.get(&prefix).expect("what was told before").clone(),
            None => Vec::new(),
        };
        whole.extend(input.items.iter().cloned());
        if let Some(chain) = input.chain {
            self.0.insert(chain, whole.clone());
        }
        whole
    }
}

/// Holds what is told of bodies against what each says by itself. Answers which were told whole.
fn hold(bodies: &[(&str, Value)]) -> Vec<bool> {
    let (inputs, _) = told(&asked(bodies));
    assert_eq!(inputs.len(), bodies.len());
    let mut reader = Reader::default();
    for (number, (input, (_, body))) in inputs.iter().zip(bodies).enumerate() {
        let whole = c1::request(&Hasher::sha256(), &shape::request(body.clone()).unwrap());
        assert_eq!(input.chain, whole.heads.last().copied(), "{number}");
        let read = reader.read(input);
        assert!(whole.items.ends_with(&read) && read.len() >= whole.items.len().min(512), "{number}");
        if input.prefix.is_none() {
            assert_eq!((&input.system, input.tools), (&whole.system, whole.tools), "{number}");
            assert_eq!(input.omitted.unwrap_or_default() as usize, whole.items.len().saturating_sub(512));
        }
    }
    inputs.iter().map(|input| input.prefix.is_none()).collect()
}

fn body(input: &[Value]) -> Value {
    json!({"model": "m", "instructions": "be kind", "input": input, "tools": [{"type": "function", "name": "x"}]})
}

#[test]
fn a_history_is_told_once_and_the_sixteenth_request_tells_it_whole() {
    let mut history = vec![developer("rules"), user("hi")];
    let bodies: Vec<_> = (0..40)
        .map(|number| {
            let id = format!("call-{number}");
            history.extend([thoughts(Some("hm"), None, Some("blob")), call(&id, "{}"), output(&id, "done")]);
            ("R", body(&history))
        })
        .collect();
    let whole: Vec<_> = (0..40).map(|number| number % 16 == 0).collect();
    assert_eq!(hold(&bodies), whole);
}

#[test]
fn an_answer_that_goes_on_is_another_message_and_one_that_does_not_is_the_same() {
    let first = [user("hi"), thoughts(Some("hm"), None, None), assistant("half")];
    let more = |more: Value| ("R", body(&[&first[..], &[more]].concat()));
    assert_eq!(hold(&[("R", body(&first)), more(user("go on"))]), [true, false]);
    assert_eq!(hold(&[("R", body(&first)), more(call("call-1", "{}"))]), [true, true]);
    assert_eq!(hold(&[("R", body(&first)), ("R", body(&first[..2])), more(user("go on"))]), [true, true, true]);
}

#[test]
fn a_history_that_goes_back_changes_or_repeats_itself_is_told_as_it_is() {
    let list = |texts: &[&str]| texts.iter().map(|text| user(text)).collect::<Vec<_>>();
    let ask = |texts: &[&str]| ("R", body(&list(texts)));
    let asked = [ask(&["a", "b", "c"]), ask(&["a", "b"]), ask(&["a", "b", "d"]), ask(&["x"]), ask(&[]), ask(&["x"])];
    assert_eq!(hold(&asked), [true, true, false, true, true, false]);
    // A retry sends the same.
    assert_eq!(hold(&[ask(&["a"]), ask(&["a"])]), [true, false]);
}

#[test]
fn instructions_and_tools_that_change_begin_a_history_anew_wherever_they_stand() {
    let with = |instructions: &str, tool: &str| {
        let text = json!([user("hi"), assistant("ho"), user("and")]).to_string();
        let body = format!(r#"{{"input": {text}, "instructions": "{instructions}", "tools": [{{"name": "{tool}"}}]}}"#);
        ("R", serde_json::from_str::<Value>(&body).unwrap())
    };
    let bodies = [with("a", "x"), with("a", "x"), with("b", "x"), with("b", "y"), with("b", "y")];
    assert_eq!(hold(&bodies), [true, false, true, true, false]);
}

#[test]
fn each_thread_goes_on_from_its_own_history() {
    let of = |thread: &'static str, count: usize| {
        (thread, body(&(0..count).map(|number| user(&format!("{thread} {number}"))).collect::<Vec<_>>()))
    };
    let bodies = [of("A", 1), of("B", 2), of("R", 1), of("A", 3), of("B", 3), of("R", 2)];
    assert_eq!(hold(&bodies), [true, true, true, false, false, false]);
}

#[test]
fn of_a_long_history_the_newest_messages_are_told_whole() {
    let list = |count: usize| (0..count).map(|number| user(&number.to_string())).collect::<Vec<_>>();
    let mut bodies: Vec<_> = [600, 601, 1300].map(|count| ("R", body(&list(count)))).into();
    // What was said is further back than what is kept of it.
    bodies.push(("R", body(&[list(650), vec![user("other")]].concat())));
    assert_eq!(hold(&bodies), [true, false, true, true]);
}

#[test]
fn requests_of_other_shapes_are_told_too() {
    let chat = json!({"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "one"}, {"role": "assistant", "content": "two"}]});
    let text = json!({"input": "hi", "instructions": "be kind"});
    let odd = body(&[
        user("a"),
        json!({"type": "new_kind", "x": [1, 2]}),
        json!("bare"),
        json!(7),
        json!([user("in a list")]),
    ]);
    assert_eq!(hold(&[("R", chat), ("R", text), ("R", odd.clone()), ("R", odd)]), [true, true, true, false]);
}

#[test]
fn a_part_of_a_request_is_told_by_itself_and_nothing_goes_on_from_it() {
    let part = |texts: &[&str]| {
        let mut part = body(&texts.iter().map(|text| user(text)).collect::<Vec<_>>());
        part["previous_response_id"] = "resp-1".into();
        ("R", part)
    };
    let bodies =
        [("R", body(&[user("a")])), part(&["a", "b"]), part(&["a", "b", "c"]), ("R", body(&[user("a"), user("b")]))];
    assert_eq!(hold(&bodies), [true, true, true, true]);
}

#[test]
fn a_compaction_tells_both_histories_and_the_next_request_all() {
    let (before, after) = (vec![user("long"), assistant("answer")], vec![user("short")]);
    let mut bundle = Bundle::new();
    bundle.ask_in("R", "t1", "i1", body(&before));
    install(&mut bundle, "c1", json!(before), json!(after));
    bundle.ask_in("R", "t1", "i2", body(&[&after[..], &[user("and")]].concat()));
    let (inputs, histories) = told(&bundle);
    let [Histories { replaced, replacement }] = histories.as_slice() else { panic!("one") };
    assert_eq!((&replaced.items, replaced.chain), (&inputs[0].items, inputs[0].chain));
    let short = c1::request(&Hasher::sha256(), &shape::request(body(&after)).unwrap());
    assert_eq!((&replacement.items, replacement.chain), (&short.items, short.heads.last().copied()));
    assert_eq!((inputs[1].prefix, inputs[1].items.len()), (None, 2));
    // One that is like the one before is no exception.
    let mut bundle = Bundle::new();
    bundle.ask_in("R", "t1", "i1", body(&before));
    install(&mut bundle, "c1", json!(before), json!(before));
    bundle.ask_in("R", "t1", "i2", body(&before));
    assert_eq!(told(&bundle).0[1].prefix, None);
}

#[test]
fn an_answer_is_one_message_whatever_items_it_has() {
    let mut bundle = Bundle::new();
    bundle.ask_in("R", "t1", "i1", body(&[user("hi")]));
    let items = [thoughts(Some("hm"), None, None), assistant("ho"), call("call-1", "{}")];
    bundle.answer("i1", "resp-1", json!(items));
    let mut reader = BundleReader::open(bundle.write(), policy()).unwrap();
    reader.form(Form::Messages);
    let answers: Vec<_> = reader
        .filter_map(|event| match event.kind {
            Kind::Closed(_, veilspan::event::Returned::Answer(output)) => Some(output),
            _ => None,
        })
        .collect();
    let whole = c1::request(&Hasher::sha256(), &shape::request(json!({"input": items})).unwrap());
    assert_eq!((whole.items.len(), whole.items[0].role), (1, Role::Assistant));
    assert_eq!(answers[0].items[0].digest, whole.items[0].digest);
    assert_eq!(answers[0].items.len(), 1);
}

#[test]
fn a_request_that_cannot_be_read_costs_nothing_but_itself() {
    let mut bundle = Bundle::new();
    let list = |count: usize| (0..count).map(|number| user(&number.to_string())).collect::<Vec<_>>();
    bundle.ask_in("R", "t1", "i1", body(&list(2)));
    for (number, broken) in ["{\"input\": [1, 2", "[]", "{\"input\": 7}", "{}"].into_iter().enumerate() {
        bundle.ask_in("R", "t1", &format!("broken-{number}"), body(&[]));
        let path = bundle.folder.path().join(format!("payloads/{}.json", number + 2));
        std::fs::write(path, broken).unwrap();
    }
    bundle.ask_in("R", "t1", "i2", body(&list(3)));
    let (inputs, _) = told(&bundle);
    assert_eq!(inputs.len(), 2);
    let whole = c1::request(&Hasher::sha256(), &shape::request(body(&list(3))).unwrap());
    assert_eq!((inputs[1].chain, inputs[1].items.len()), (whole.heads.last().copied(), 3));
}
