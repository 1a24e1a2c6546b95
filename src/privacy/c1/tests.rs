use super::*;
use crate::event::{Digest, Item, Message, Part, RawBytes, RawText, Request, ResultContent, Role, ToolDefinition};

static PLAIN: Hasher = Hasher::sha256();

fn text(text: &str) -> Part {
    Part::Text(text.into())
}

fn call(id: &str, name: &'static str) -> Part {
    Part::ToolCall { id: Some(id.into()), name: RawText::from_static(name), arguments: RawText::from_static("{}") }
}

fn answer_to(id: &str, content: &str) -> Part {
    Part::ToolResult { call_id: Some(id.into()), content: ResultContent::Text(content.into()) }
}

fn encrypted(bytes: &[u8]) -> Part {
    Part::Encrypted(RawBytes::from(bytes.to_vec()))
}

fn oversize() -> RawText {
    "x".repeat(RawText::MAX_BYTES + 1).into()
}

fn digests(messages: Vec<Message>) -> RequestDigests {
    request(&PLAIN, &Request { messages, ..Request::default() })
}

fn assistant(parts: Vec<Part>) -> Message {
    Message { role: Role::Assistant, parts }
}

fn user(parts: Vec<Part>) -> Message {
    Message { role: Role::User, parts }
}

fn only_item(parts: Vec<Part>) -> Item {
    let mut items = digests(vec![user(parts)]).items;
    assert_eq!(items.len(), 1);
    items.remove(0)
}

fn expected_result(ordinal: Option<u32>, content: &str) -> Option<Digest> {
    Some(digest::message(&PLAIN, [&digest::result(&PLAIN, ordinal, &digest::text(&PLAIN, content))]))
}

#[test]
fn results_are_messages_of_their_own_before_the_rest() {
    let seen = digests(vec![
        assistant(vec![call("a", "add"), text("then"), call("b", "sub")]),
        user(vec![text("so?"), answer_to("b", "1"), answer_to("a", "2"), text("")]),
    ]);
    let shown: Vec<_> = seen.items.iter().map(|item| (item.role.as_str(), &*item.part_kinds, item.length)).collect();
    let expected = [
        ("assistant", "tool_call+text+tool_call", Some(8)),
        ("tool", "tool_call_response", Some(1)),
        ("tool", "tool_call_response", Some(1)),
        ("user", "text", Some(3)),
    ];
    assert_eq!(shown, expected);
    assert_eq!(seen.items[1].digest, expected_result(Some(1), "1"));
    assert_eq!(seen.items[2].digest, expected_result(Some(0), "2"));
    assert_eq!(seen.items[3].digest, Some(digest::text(&PLAIN, "so?")));
    assert_eq!(seen.heads.len(), 5);
    // Nothing but an empty text is no rest.
    assert_eq!(digests(vec![user(vec![answer_to("a", "2"), text("")])]).items.len(), 1);
}

#[test]
fn a_result_belongs_to_the_last_message_with_its_call() {
    let ordinals = |messages: Vec<Message>| digests(messages).items.last().unwrap().digest;
    let result = || user(vec![answer_to("a", "5")]);
    assert_eq!(ordinals(vec![result()]), expected_result(None, "5"));
    let once = assistant(vec![call("a", "add")]);
    let again = assistant(vec![call("b", "add"), call("a", "add")]);
    assert_eq!(ordinals(vec![once, again, result()]), expected_result(Some(1), "5"));
    let after = vec![assistant(vec![call("b", "x"), call("a", "x")]), assistant(vec![text("hm")]), result()];
    assert_eq!(ordinals(after), expected_result(Some(1), "5"));
    // A call that the user's message holds was not made by the model.
    assert_eq!(ordinals(vec![user(vec![call("a", "x")]), result()]), expected_result(None, "5"));
    let nameless = Part::ToolResult { call_id: None, content: ResultContent::Text("5".into()) };
    assert_eq!(ordinals(vec![assistant(vec![call("a", "x")]), user(vec![nameless])]), expected_result(None, "5"));
}

#[test]
fn an_empty_text_counts_only_where_it_is_alone() {
    let empty = Some(digest::text(&PLAIN, ""));
    assert_eq!(only_item(vec![text("")]).digest, empty);
    assert_eq!(only_item(vec![text(""), text("")]).digest, empty);
    assert_eq!(only_item(vec![text(""), encrypted(b"x")]).digest, empty);
    assert_eq!(only_item(vec![text(""), text("hi")]).digest, Some(digest::text(&PLAIN, "hi")));
    assert_eq!(only_item(vec![text(""), call("a", "x")]).digest, only_item(vec![call("b", "x")]).digest);
    assert_eq!(only_item(vec![]).digest, Some(digest::message(&PLAIN, [])));
    assert_eq!(only_item(vec![text(""), text("hi")]).part_kinds, "text");
}

#[test]
fn encrypted_blobs_are_keys_of_their_item_and_no_part_of_its_digest() {
    let seen = digests(vec![user(vec![text("a")]), assistant(vec![encrypted(b"key"), text("hi")])]);
    assert_eq!(seen.items[1].digest, Some(digest::text(&PLAIN, "hi")));
    assert_eq!(seen.items[1].part_kinds, "encrypted+text");
    assert_eq!(seen.items[1].length, Some(2));
    assert_eq!(seen.blobs[0].as_slice(), []);
    assert_eq!(seen.blobs[1].as_slice(), [digest::blob(&PLAIN, b"key")]);
    let output = answer(&PLAIN, &[assistant(vec![encrypted(b"key"), text("hi")])]);
    assert_eq!(output.blobs, [digest::blob(&PLAIN, b"key")]);
    assert_eq!(output.items[0].digest, seen.items[1].digest);
}

#[test]
fn every_kind_of_part_has_its_digest_length_and_word() {
    let blob = || Part::Blob(RawBytes::from(vec![1, 2, 3]));
    let cases = [
        (text("hé"), "text", 3, digest::text(&PLAIN, "hé")),
        (Part::Reasoning("abc".into()), "reasoning", 3, digest::reasoning(&PLAIN, "abc")),
        (call("1", "add"), "tool_call", 2, digest::call(&PLAIN, "add", "{}")),
        (blob(), "blob", 3, digest::blob(&PLAIN, &[1, 2, 3])),
        (Part::Reference("u".into()), "uri", 0, digest::reference(&PLAIN, "u")),
        (Part::Other("{ }".into()), "other", 0, digest::other(&PLAIN, "{}")),
    ];
    for (part, kind, length, digest) in cases {
        let is_text = matches!(part, Part::Text(_));
        let item = only_item(vec![part]);
        assert_eq!((&*item.part_kinds, item.length), (kind, Some(length)));
        assert_eq!(item.digest, Some(if is_text { digest } else { digest::message(&PLAIN, [&digest]) }));
    }
}

#[test]
fn the_chain_stops_where_content_was_not_taken() {
    let long = RawText::MAX_BYTES as u64 + 1;
    let messages = vec![user(vec![text("a")]), user(vec![text("b"), Part::Text(oversize())]), user(vec![text("c")])];
    let seen = digests(messages);
    assert_eq!((seen.items[1].digest, seen.items[1].length), (None, Some(long + 1)));
    assert_eq!(seen.items[1].part_kinds, "text+oversize");
    assert!(seen.items[2].digest.is_some());
    assert_eq!(seen.heads.len(), 2);
    let result = Part::ToolResult { call_id: None, content: ResultContent::Text(oversize()) };
    let item = only_item(vec![result]);
    assert_eq!((item.digest, item.length, &*item.part_kinds), (None, Some(long), "oversize"));
    let system = request(&PLAIN, &Request { system: vec![oversize()], ..Request::default() });
    assert_eq!((system.system.digest, system.system.length, system.heads.len()), (None, Some(long), 0));
    let tool = ToolDefinition { name: oversize(), description: None, parameters: None };
    let tools = request(&PLAIN, &Request { tools: vec![tool], ..Request::default() });
    assert_eq!((tools.tools, tools.heads.len()), (None, 0));
}

#[test]
fn a_result_is_its_text_or_its_parts_as_a_message() {
    let one = result(&PLAIN, &ResultContent::Parts(vec![text("5")]));
    assert_eq!(one, result(&PLAIN, &ResultContent::Text("5".into())));
    let two = result(&PLAIN, &ResultContent::Parts(vec![text("5"), Part::Reference("u".into())]));
    let parts = [digest::text(&PLAIN, "5"), digest::reference(&PLAIN, "u")];
    assert_eq!(two.digest, Some(digest::message(&PLAIN, &parts)));
    assert_eq!(two.length, Some(1));
}

#[test]
fn results_in_results_end_somewhere() {
    let nest = |inner| Part::ToolResult { call_id: None, content: ResultContent::Parts(vec![inner]) };
    assert!(only_item(vec![(0..10).fold(text("x"), |inner, _| nest(inner))]).digest.is_some());
    assert!(only_item(vec![(0..100).fold(text("x"), |inner, _| nest(inner))]).digest.is_none());
}

#[test]
fn system_parts_are_joined_by_a_blank_line() {
    let measure = |parts: &[&str]| system(&PLAIN, &parts.iter().map(|part| (*part).into()).collect::<Vec<_>>());
    assert_eq!(measure(&["a", "b"]), measure(&["a\n\nb"]));
    assert_eq!(measure(&["a", "", "b", ""]), measure(&["a\n\nb"]));
    assert_eq!(measure(&["a", "b"]).length, Some(4));
    assert_eq!(measure(&[""]).digest, Some(digest::text(&PLAIN, "")));
    assert_eq!(measure(&[]).digest, None);
}

#[test]
fn a_chain_goes_on_from_any_of_its_heads() {
    let seen = digests(vec![user(vec![text("a")]), assistant(vec![text("b")])]);
    let mut chain = Chain::resume(&PLAIN, seen.heads[1]);
    chain.push(Role::Assistant, &digest::text(&PLAIN, "b"));
    assert_eq!(chain.head(), seen.heads[2]);
}

#[test]
fn a_name_cannot_pass_for_arguments() {
    assert_ne!(digest::call(&PLAIN, "a", "1"), digest::call(&PLAIN, "a1", ""));
}
