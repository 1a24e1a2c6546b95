//! Histories of which a part never arrives.

use veilspan::event::{Event, Item, Kind, Measure, Role, Veiled};
use veilspan::reduce::{FindingKind, Rollout, derive};

use super::events::*;

fn item(byte: u8, role: Role) -> Item {
    Item { digest: Some(digest(byte)), role, length: Some(2), part_kinds: text("text") }
}

/// A request at this second, of the history `prefix`, which adds these messages by turns of a user and an assistant, and is
/// answered a half of a second later.
fn request(number: u64, second: u64, prefix: Option<u8>, chain: u8, told: &[(u8, Role)], answer: u8) -> Call {
    let mut request = inference("r", number).chain(prefix, chain).answer(answer);
    request.input.items = told.iter().map(|(byte, role)| item(*byte, *role)).collect();
    (request.from, request.to) = (second * SECOND, second * SECOND + SECOND / 2);
    request
}

/// A keyframe and three requests of which each goes on from the one before.
fn chain() -> [Call; 4] {
    [
        request(1, 1, None, 101, &[(1, Role::User)], 2),
        request(2, 2, Some(101), 102, &[(2, Role::Assistant), (3, Role::User)], 4),
        request(3, 3, Some(102), 103, &[(4, Role::Assistant), (5, Role::User)], 6),
        request(4, 4, Some(103), 104, &[(6, Role::Assistant), (7, Role::User)], 8),
    ]
}

/// What each request shows, and what it answers, by the bytes of the digests.
fn shown(rollout: &Rollout) -> Vec<(Vec<u8>, Vec<u8>)> {
    let thread = &rollout.threads[0];
    let byte = |number: u32| thread.items[number as usize].item.digest.unwrap().bytes[0];
    let inferences = thread.turns.iter().flat_map(|turn| turn.inferences());
    let of_one = |one: &veilspan::reduce::Inference| {
        (one.input.items.iter().map(byte).collect(), one.output.items.iter().map(byte).collect())
    };
    inferences.map(of_one).collect()
}

fn gaps(rollout: &Rollout) -> usize {
    rollout.findings.iter().filter(|finding| finding.kind == FindingKind::Gap).count()
}

#[test]
fn reduction_a13_what_goes_on_from_a_gap_begins_where_that_does() {
    let [_, second, third, fourth] = chain();
    let rollout = reduce(&all(&[second, third, fourth]));
    let expected = [(vec![2, 3], vec![4]), (vec![2, 3, 4, 5], vec![6]), (vec![2, 3, 4, 5, 6, 7], vec![8])];
    assert_eq!(shown(&rollout), expected);
    assert_eq!((rollout.threads[0].items.len(), gaps(&rollout)), (7, 1), "each item once, and one gap");
}

#[test]
fn openings_alone_of_a_chain_without_its_keyframe_have_items_that_are_there() {
    let [_, second, third, _] = chain();
    let rollout = reduce(&[second.open(), third.open()]);
    assert_eq!(shown(&rollout), [(vec![2, 3], vec![]), (vec![2, 3, 4, 5], vec![])]);
    assert_eq!(rollout.threads[0].items.len(), 4);
}

#[test]
fn a_whole_list_after_a_gap_is_compared_with_what_was_known_on_both_sides_of_it() {
    let [first, _, third, fourth] = chain();
    let all_said = (1..10).map(|byte| (byte, if byte % 2 == 0 { Role::Assistant } else { Role::User }));
    let whole = request(5, 5, None, 105, &all_said.collect::<Vec<_>>(), 10);
    let rollout = reduce(&all(&[first, third, fourth, whole]));
    assert_eq!(shown(&rollout)[2], (vec![4, 5, 6, 7], vec![8]), "before it stands what was lost");
    assert_eq!(shown(&rollout)[3], ((1..10).collect(), vec![10]));
    // One message was seen by the last request alone, and one was never said before.
    assert_eq!(rollout.threads[0].items.len(), 10);
}

#[test]
fn requests_that_wait_for_one_another_are_gaps_in_the_order_of_their_times() {
    let one = request(1, 1, Some(102), 101, &[(1, Role::User)], 2);
    let other = request(2, 2, Some(101), 102, &[(3, Role::User)], 4);
    let after = request(3, 3, Some(102), 103, &[(5, Role::User)], 6);
    let rollout = reduce(&all(&[one, other, after]));
    assert_eq!(shown(&rollout), [(vec![1], vec![2]), (vec![1, 3], vec![4]), (vec![1, 3, 5], vec![6])]);
}

#[test]
fn a_request_does_not_wait_for_what_another_version_of_a_request_would_have_shown() {
    let first = request(1, 1, None, 101, &[(1, Role::User)], 2);
    let mut told_again = first.open();
    if let Kind::Opened(_, veilspan::event::Given::Request(input)) = &mut told_again.kind {
        input.chain = Some(digest(150));
    }
    told_again.at.time_unix_nano += 1;
    let second = request(2, 2, Some(150), 102, &[(3, Role::User)], 4);
    let third = request(3, 3, Some(101), 103, &[(2, Role::Assistant), (5, Role::User)], 6);
    let mut events: Vec<Event<Veiled>> = all(&[first, second, third]);
    events.push(told_again);
    let rollout = reduce(&events);
    let firsts: Vec<u64> = rollout.threads[0].items.iter().map(|item| item.first_seen_unix_nano / SECOND).collect();
    assert!(firsts.is_sorted(), "items are numbered as they were seen: {firsts:?}");
}

#[test]
fn a_history_that_is_told_whole_later_is_whole_for_who_goes_on_from_it() {
    let [_, second, third, _] = chain();
    let again = request(5, 2, None, 102, &[(1, Role::User), (2, Role::Assistant), (3, Role::User)], 4);
    let rollout = reduce(&all(&[second, again, third]));
    assert_eq!(shown(&rollout).last().unwrap().0, [1, 2, 3, 4, 5]);
}

#[test]
fn an_answer_that_nobody_saw_the_beginning_of_has_items_that_are_there() {
    let [first, second, third, _] = chain();
    let closings: Vec<Event<Veiled>> = [&first, &second].map(Call::close).into_iter().chain(third.both()).collect();
    let rollout = reduce(&closings);
    let measure =
        |call: &Call| call.output.items.iter().map(|Measure { digest, .. }| digest.unwrap().bytes[0]).collect();
    assert_eq!(shown(&rollout)[0], (vec![], measure(&first)));
    assert_eq!(shown(&rollout)[2].0, [4, 5]);
}

#[test]
fn what_goes_on_from_a_generation_before_stands_where_it_was_said() {
    let mut reducer = reducer();
    feed(&mut reducer, &[turn("r", 9).ends_rollout(), request(1, 1, None, 101, &[(1, Role::User)], 2)], 0);
    reducer.tick(10 * SECOND);
    let again = request(2, 20, Some(101), 102, &[(2, Role::Assistant), (3, Role::User)], 4);
    let whole = request(3, 22, None, 103, &[(5, Role::User)], 6);
    feed(&mut reducer, &[again, whole].map(|one| one.turn("next")), 23);
    let rollout = derive(reducer.open().next().unwrap());
    assert_eq!((rollout.generation, gaps(&rollout)), (1, 0));
    assert_eq!(shown(&rollout), [(vec![2, 3], vec![4]), (vec![5], vec![6])]);
    let firsts: Vec<u64> = rollout.threads[0].items.iter().map(|item| item.first_seen_unix_nano / SECOND).collect();
    assert_eq!(firsts, [20, 20, 20, 22, 22]);
}
