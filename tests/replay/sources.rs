//! Recordings from sources that give pages, repeat themselves, and break off.

use veilspan::replay::{MAX_PAGES, NotOneRollout, Recording, Unsure, diff, pages, restorable, restore};

use super::build::{Host, agent, full};

/// A source of so many records.
fn of(records: usize) -> impl FnMut(usize) -> Result<Vec<(usize, usize)>, &'static str> {
    move |offset| Ok((offset..records.min(offset + 100)).map(|number| (number, number)).collect())
}

#[test]
fn c31_pages_are_asked_for_until_one_is_not_full() {
    let all = pages(100, of(207));
    assert_eq!((all.records.len(), all.requests, all.incomplete), (207, 3, false));
    let all = pages(100, of(200));
    assert_eq!((all.records.len(), all.requests, all.incomplete), (200, 3, false));
}

#[test]
fn c32_a_source_that_repeats_itself_ends_as_incomplete() {
    let all = pages(100, |_| Ok::<_, ()>((0..100).map(|number| (number, number)).collect()));
    assert_eq!((all.records.len(), all.requests, all.duplicates, all.incomplete), (100, 2, 100, true));
    // One that always has something new ends too.
    let all = pages(1, |offset| Ok::<_, ()>(vec![(offset, offset)]));
    assert_eq!((all.requests, all.incomplete), (MAX_PAGES, true));
}

#[test]
fn c33_what_came_before_a_page_that_failed_is_kept_and_marked() {
    let mut requests = 0;
    let mut source = of(207);
    let all = pages(100, |offset| {
        requests += 1;
        if requests == 2 { Err("unavailable") } else { source(offset) }
    });
    assert_eq!((all.records.len(), all.incomplete, all.error), (100, true, Some("unavailable")));
    // Of a baseline that is not whole no tail is told as inserted.
    let (_host, mut recording) = agent(full(), "langchain");
    recording.incomplete = true;
    let state = restorable(&recording, "cp-1").unwrap();
    let part = restore(&recording, &state, &mut veilspan::replay::GenericHistory::default()).baseline.unwrap();
    let report = diff(&part, &part);
    assert_eq!(report.unsure, [Unsure::BaselineIncomplete, Unsure::CandidateIncomplete]);
}

#[test]
fn events_that_come_twice_and_in_any_order_are_one_recording() {
    let (host, recording) = agent(full(), "langchain");
    let mut twice = recording.events().to_vec();
    twice.reverse();
    twice.extend(recording.events().iter().cloned());
    let again = Recording::new(twice).unwrap();
    assert_eq!(again.events(), recording.events());
    assert_eq!(again.duplicates, recording.events().len() as u64);
    assert_eq!(Recording::new(Vec::new()).unwrap_err(), NotOneRollout::None);
    let other = Host::with(full());
    other.recorder.turn("agent").rollout("other").start().finish();
    let both = host.recording().events().iter().chain(other.recording().events()).cloned().collect::<Vec<_>>();
    assert_eq!(Recording::new(both).unwrap_err(), NotOneRollout::Several(2));
}
