//! What waits in memory.

use std::time::Duration;

use super::*;

const BARE: Rank = Rank::TurnEnd;

fn outbox(batch_spans: usize, batch_bytes: usize, queue_bytes: usize) -> Outbox {
    Outbox::new(Limits {
        batch_spans,
        batch_bytes,
        batch_delay: Duration::from_secs(3600),
        queue_bytes,
        queue_spans: 6,
    })
}

fn sent(outbox: &Outbox) -> Vec<u64> {
    let mut counts = Vec::new();
    while let Next::Send(batch) = outbox.next() {
        counts.push(batch.count);
        outbox.settle(&batch, &mut || {});
    }
    counts
}

#[test]
fn batches_are_cut_by_count_and_by_bytes() {
    let by_count = outbox(2, 1000, 1000);
    (0..5).for_each(|_| assert!(by_count.push(&[0; 10], BARE).is_ok()));
    assert_eq!(sent(&by_count), [2, 2]);
    by_count.hurry(false);
    assert_eq!(sent(&by_count), [1]);
    let by_bytes = outbox(100, 25, 1000);
    (0..5).for_each(|_| assert!(by_bytes.push(&[0; 10], BARE).is_ok()));
    assert_eq!(sent(&by_bytes), [2, 2]);
}

#[test]
fn what_does_not_fit_any_more_is_whole_in_the_next_batch_and_what_is_refused_in_none() {
    let outbox = outbox(100, 25, 60);
    for n in 0..5 {
        assert!(outbox.write(1, BARE, |out| out.extend_from_slice(&[n; 10])).is_ok());
        assert!(outbox.write(1, BARE, |out| out.extend_from_slice(&[9; 26])).is_err(), "it is too long");
    }
    assert!(outbox.write(1, BARE, |out| out.extend_from_slice(&[9; 11])).is_err(), "there is no room");
    outbox.hurry(false);
    let batches = std::iter::from_fn(|| match outbox.next() {
        Next::Send(batch) => Some(batch.spans),
        _ => None,
    });
    assert!(batches.eq([[[0; 10], [1; 10]].concat(), [[2; 10], [3; 10]].concat(), vec![4; 10]]));
}

#[test]
fn one_huge_span_is_refused_alone() {
    let outbox = outbox(10, 25, 1000);
    assert!(outbox.push(&[0; 10], BARE).is_ok());
    assert_eq!(outbox.push(&[0; 26], BARE), Err(NotTaken::Lost(Drop::SpanTooLarge)));
    assert_eq!(outbox.push(&[0; 26], Rank::Content), Err(NotTaken::Content), "it may be shorter without");
    assert!(outbox.push(&[0; 10], BARE).is_ok());
    outbox.hurry(true);
    assert_eq!(sent(&outbox), [2]);
}

#[test]
fn what_waits_is_bounded_in_bytes_until_it_is_answered() {
    let outbox = outbox(1, 25, 30);
    let full = Err(NotTaken::Lost(Drop::ExportQueueFull));
    assert!(outbox.push(&[0; 20], BARE).is_ok());
    assert_eq!(outbox.push(&[0; 20], BARE), full);
    let Next::Send(batch) = outbox.next() else { panic!("a full batch is due") };
    assert_eq!(outbox.push(&[0; 20], BARE), full, "it is in flight");
    outbox.again(vec![batch]);
    assert_eq!(outbox.waiting(), 1);
    assert_eq!(sent(&outbox), [1]);
    assert!(outbox.push(&[0; 20], BARE).is_ok());
}

#[test]
fn where_room_runs_short_content_goes_first_and_the_end_of_a_turn_last() {
    let outbox = outbox(1, 1600, 1600);
    let push = |rank| outbox.push(&[0; 100], rank).is_ok();
    let mut taken = Vec::new();
    for rank in [Rank::Content, Rank::Completed, Rank::Failed, Rank::TurnEnd] {
        // Each span counts against the number of spans as well: it is sent, and its bytes stay in flight.
        let mut count = 0;
        while push(rank) {
            count += 1;
            assert!(matches!(outbox.next(), Next::Send(_)));
            outbox.lock().spans = 0;
        }
        taken.push(count);
    }
    assert_eq!(taken, [12, 2, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn the_first_span_wakes_a_sender_that_sleeps_and_none_that_will_look_by_itself() {
    const DELAY: Duration = Duration::from_secs(3600);
    let outbox = outbox(2, 25, 1000);
    assert!(matches!(outbox.next(), Next::Wait(None)));
    assert_eq!(outbox.push(&[0; 10], BARE), Ok(true), "it sleeps");
    assert!(matches!(outbox.next(), Next::Wait(Some(_))));
    assert_eq!(outbox.push(&[0; 10], BARE), Ok(true), "a batch is full");
    assert_eq!(sent(&outbox), [2]);
    // However often it looks meanwhile: when a batch is answered, and when somebody flushes.
    for _ in 0..3 {
        assert!(matches!(outbox.next(), Next::Wait(Some(until)) if until == Instant::now() + DELAY));
        assert_eq!(outbox.push(&[0; 10], BARE), Ok(false), "it looks again by itself");
        outbox.hurry(false);
        assert_eq!(sent(&outbox), [1]);
        outbox.calm();
    }
    tokio::time::advance(DELAY / 2).await;
    assert_eq!(outbox.push(&[0; 10], BARE), Ok(false));
    assert!(matches!(outbox.next(), Next::Wait(Some(until)) if until == Instant::now() + DELAY), "a span is due then");
    tokio::time::advance(DELAY).await;
    assert_eq!(sent(&outbox), [1]);
    tokio::time::advance(DELAY).await;
    assert!(matches!(outbox.next(), Next::Wait(None)), "and when nothing has come it sleeps");
    assert_eq!(outbox.push(&[0; 10], BARE), Ok(true));
}

#[test]
fn a_closed_outbox_stops_when_it_is_empty_and_takes_nothing() {
    let outbox = outbox(10, 25, 30);
    assert!(outbox.push(&[0; 20], BARE).is_ok());
    outbox.hurry(true);
    assert_eq!(outbox.push(&[0; 1], BARE), Err(NotTaken::Lost(Drop::ShutDown)));
    assert_eq!(sent(&outbox), [1]);
    assert!(matches!(outbox.next(), Next::Stop));
    assert!(outbox.wait_for_all(std::time::Instant::now()));
}

#[test]
fn who_announced_a_flush_waits_for_what_is_there_when_it_begins() {
    let outbox = outbox(100, 1000, 1000);
    let soon = || std::time::Instant::now() + Duration::from_secs(10);
    let (early, late, nothing) = (outbox.announce(), outbox.announce(), outbox.announce());
    assert!(!outbox.begin(nothing) && outbox.wait(nothing, soon()), "nothing waits");
    assert!(outbox.push(&[0; 10], BARE).is_ok());
    assert!(sent(&outbox).is_empty(), "nobody hurries yet");
    assert!(!outbox.wait(early, std::time::Instant::now()), "it has not begun");
    assert!(!outbox.begin(early) && !outbox.is_hurried(), "nobody waits for it any more");
    assert!(outbox.begin(late) && outbox.is_hurried());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| outbox.wait(late, soon()));
        assert_eq!(sent(&outbox), [1]);
        assert!(waiting.join().unwrap());
    });
    assert!(!outbox.is_hurried(), "who has waited hurries nobody");
    let ticket = outbox.announce();
    assert!(outbox.push(&[0; 10], BARE).is_ok() && outbox.begin(ticket));
    assert!(!outbox.wait(ticket, std::time::Instant::now()) && !outbox.is_hurried());
    outbox.abandon();
    let ticket = outbox.announce();
    assert!(!outbox.wait(ticket, soon()), "what was given up is never sent");
}
