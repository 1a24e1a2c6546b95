//! Lives and deaths: what one process leaves, and what the next makes of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::forgetful::Forgetful;
use crate::export::envelope::Envelope;
use crate::export::limits::Limits;
use crate::export::spool::adopt::{Adopted, adopt};
use crate::export::spool::journal::{Journal, NoRoom};
use crate::export::spool::log::{Disk, Fsync, Log, Options, Settled};
use crate::export::spool::recent::Recent;
use crate::export::spool::records::{self, ENVELOPE};
use crate::otlp::SpanView;
use crate::otlp::writer::{put_bytes, put_key};

const LIMITS: Limits = Limits {
    batch_spans: 1000,
    batch_bytes: 1 << 20,
    batch_delay: Duration::ZERO,
    queue_bytes: usize::MAX,
    queue_spans: usize::MAX,
};
const ENOUGH: u64 = 1 << 40;

fn envelope() -> Envelope {
    Envelope::Scoped { resource: Bytes::from_static(b"\x0a\x00"), scope: Bytes::new() }
}

fn options(fsync: Fsync, boot: u8) -> Options {
    let preamble = Some((ENVELOPE, records::envelope(&envelope())));
    Options { segment_bytes: 1 << 10, fsync, boot: [boot; 16], preamble }
}

fn life(disk: &Forgetful, fsync: Fsync) -> Journal {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let settled = Settled::open(Arc::clone(&disk), fsync == Fsync::Always).unwrap();
    let log = Log::new(disk, options(fsync, 1), VecDeque::new(), 0);
    Journal::new(log, settled, Arc::new(envelope()), false)
}

/// Memory for so many bytes of what has just been written.
fn held(bytes: usize) -> Recent {
    Recent::new(&Limits { batch_spans: 3, queue_bytes: bytes, ..LIMITS })
}

fn next_life(disk: &Forgetful, fsync: Fsync, boot: u8) -> Adopted {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    adopt(&disk, &options(fsync, boot), 0).unwrap()
}

/// A span of this call, which began at 100: as a field.
fn span(id: u128, name: &str, end: u64) -> Vec<u8> {
    let mut span = Vec::new();
    put_bytes(&mut span, 1, &(id | 1 << 100).to_be_bytes());
    put_bytes(&mut span, 2, &(id as u64 | 1 << 60).to_be_bytes());
    put_bytes(&mut span, 5, name.as_bytes());
    for (number, time) in [(7, 100), (8, end)] {
        put_key(&mut span, number, 1);
        span.extend_from_slice(&u64::to_le_bytes(time));
    }
    let mut field = Vec::new();
    put_bytes(&mut field, 2, &span);
    field
}

fn open(journal: &mut Journal, id: u128) {
    begin(journal, id, ENOUGH).unwrap();
}

fn begin(journal: &mut Journal, id: u128, room: u64) -> Result<(), NoRoom> {
    journal.open(id, 100, &span(id, "open", 100), room)
}

fn close(journal: &mut Journal, id: u128, at: u64) {
    journal.close(id, at, &span(id, "closed", at), ENOUGH).unwrap();
}

/// All that is sent, by call: the name and the end of its span, and the indices to settle.
fn sent(journal: &mut Journal) -> (BTreeMap<u128, (String, u64)>, Vec<u64>) {
    let (mut told, mut indices) = (BTreeMap::new(), Vec::new());
    loop {
        let (more, read) = portion(journal);
        if read.is_empty() {
            return (told, indices);
        }
        let before = told.len();
        told.extend(more);
        assert_eq!(told.len(), before + read.len(), "a call is told once");
        indices.extend(read);
        assert!(indices.is_sorted(), "in the order in which they closed");
    }
}

/// The same of one request.
fn portion(journal: &mut Journal) -> (BTreeMap<u128, (String, u64)>, Vec<u64>) {
    let portion = journal.read(&LIMITS).unwrap();
    let mut scope = Vec::new();
    put_bytes(&mut scope, 2, &portion.spans);
    let mut request = Vec::new();
    put_bytes(&mut request, 1, &scope);
    let request = crate::otlp::Request::parse(request.into(), crate::otlp::Look::Outside).unwrap();
    let told = request.spans().map(|entry| {
        let view: SpanView<'_> = entry.view().unwrap();
        let id = u128::from_be_bytes(*view.trace_id().unwrap().as_bytes()) & !(1 << 100);
        (id, (view.name().to_owned(), view.end_time_unix_nano()))
    });
    (told.collect(), portion.indices)
}

fn names(told: &BTreeMap<u128, (String, u64)>) -> Vec<(u128, &str)> {
    told.iter().map(|(id, (name, _))| (*id, name.as_str())).collect()
}

#[test]
fn what_was_open_at_the_death_is_told_as_abandoned_with_the_last_sign_of_life_as_its_end() {
    let disk = Forgetful::default();
    let mut journal = life(&disk, Fsync::Os);
    (1..=3).for_each(|id| open(&mut journal, id));
    close(&mut journal, 2, 700);
    journal.commit(0).unwrap();
    open(&mut journal, 4);
    drop(journal);
    let mut adopted = next_life(&disk, Fsync::Os, 1);
    assert_eq!((adopted.abandoned, adopted.unknown, adopted.damaged), (2, 0, 0));
    let (told, indices) = sent(&mut adopted.journal);
    assert_eq!(names(&told), [(1, "open"), (2, "closed"), (3, "open")], "the fourth was never written");
    assert_eq!((told[&1].1, told[&3].1), (700, 700));
    // Whoever dies while it takes over leaves the same closes to the next.
    drop(adopted);
    let mut again = next_life(&disk, Fsync::Os, 1);
    assert_eq!(again.abandoned, 0);
    assert_eq!(sent(&mut again.journal).0, told);
    // What was answered is not sent again.
    again.journal.settle(&indices).unwrap();
    drop(again);
    let mut third = next_life(&disk, Fsync::Os, 1);
    assert_eq!((third.journal.waiting, sent(&mut third.journal).0.len()), (0, 0));
}

#[test]
fn what_has_closed_keeps_no_room() {
    let disk = Forgetful::default();
    let mut journal = life(&disk, Fsync::Os);
    (1..=3).for_each(|id| open(&mut journal, id));
    assert!(journal.bytes() > journal.log.bytes(), "room is kept for three closes");
    close(&mut journal, 1, 200);
    journal.lose(3, 200);
    journal.commit(1_000).unwrap();
    close(&mut journal, 2, 300);
    journal.commit(1_000).unwrap();
    assert_eq!(journal.bytes(), journal.log.bytes());
    drop(journal);
    let mut adopted = next_life(&disk, Fsync::Os, 1);
    assert_eq!((adopted.abandoned, adopted.unknown, adopted.damaged), (0, 0, 0));
    assert_eq!(names(&sent(&mut adopted.journal).0), [(1, "closed"), (2, "closed")]);
}

#[test]
fn what_comes_too_fast_for_memory_is_read_from_the_disk_in_its_place() {
    let disk = Forgetful::default();
    let mut journal = life(&disk, Fsync::Os).holding(held(300));
    let mut all = Vec::new();
    for round in 0..20 {
        for id in 10 * round..10 * (round + 1) {
            close(&mut journal, id, 300);
        }
        journal.commit(0).unwrap();
        // Now some of what waits, now all of it.
        let (told, indices) = if round % 4 == 0 { sent(&mut journal) } else { portion(&mut journal) };
        assert_eq!(told.len(), indices.len());
        journal.settle(&indices).unwrap();
        journal.clean(0).unwrap();
        all.extend(indices);
    }
    all.extend(sent(&mut journal).1);
    assert_eq!(all, (0..200).collect::<Vec<_>>(), "each once, and in order");
    assert_eq!((journal.unread.spans, journal.unread.bytes), (0, 0));
}

#[test]
fn a_clock_that_jumps_neither_ends_a_call_before_it_began_nor_holds_back_what_was_left() {
    let disk = Forgetful::default();
    let mut journal = life(&disk, Fsync::Os);
    // Its spans say that they began at 100.
    journal.open(1, 5, &span(1, "open", 100), ENOUGH).unwrap();
    journal.close(2, 7, &span(2, "closed", 300), ENOUGH).unwrap();
    journal.commit(u64::MAX).unwrap();
    drop(journal);
    let mut adopted = next_life(&disk, Fsync::Os, 1);
    assert_eq!((adopted.abandoned, adopted.unknown, adopted.damaged, adopted.lived), (1, 0, 0, Duration::ZERO));
    let (told, _) = sent(&mut adopted.journal);
    assert_eq!((told[&1].1, told[&2].1), (100, 300));
}

#[test]
fn a_close_that_could_not_be_kept_is_never_told_as_abandoned() {
    let disk = Forgetful::default();
    let mut journal = life(&disk, Fsync::Os);
    (1..=2).for_each(|id| open(&mut journal, id));
    journal.lose(1, 200);
    journal.commit(0).unwrap();
    let mut adopted = next_life(&disk, Fsync::Os, 1);
    assert_eq!(names(&sent(&mut adopted.journal).0), [(2, "open")]);
}

#[test]
fn after_a_loss_of_power_only_what_was_always_synced_tells_of_calls_that_were_open() {
    for (fsync, expected) in [(Fsync::Os, (0, 1)), (Fsync::Interval, (0, 1)), (Fsync::Always, (1, 0))] {
        let disk = Forgetful::default();
        let mut journal = life(&disk, fsync);
        open(&mut journal, 1);
        journal.commit(0).unwrap();
        let adopted = next_life(&disk, fsync, 2);
        assert_eq!((adopted.abandoned, adopted.unknown), expected, "{fsync:?}");
    }
}

#[test]
fn no_flipped_byte_makes_a_call_both_finished_and_abandoned() {
    let disk = Forgetful::default();
    let mut journal = life(&disk, Fsync::Os);
    (1..=3).for_each(|id| open(&mut journal, id));
    close(&mut journal, 2, 700);
    journal.commit(0).unwrap();
    // The close of the second call was sent, and answered or not.
    let name = "0000000000000001.seg";
    for place in 0..disk.content(name).len() {
        let disk = disk.copy();
        disk.change(name, |bytes| bytes[place] ^= 0x40);
        let mut adopted = next_life(&disk, Fsync::Os, 1);
        let (told, _) = sent(&mut adopted.journal);
        assert_ne!(told.get(&2).map(|(name, _)| name.as_str()), Some("open"), "{place}");
        let kept = told.len() as u64 + adopted.unknown + adopted.damaged;
        assert!(kept >= 3, "{place}: nothing goes uncounted: {told:?}");
    }
}

#[test]
fn a_call_that_stays_open_for_long_does_not_keep_the_segments_of_others() {
    let disk = Forgetful::default();
    let mut journal = life(&disk, Fsync::Os);
    open(&mut journal, 1);
    for id in 2..200 {
        open(&mut journal, id);
        close(&mut journal, id, 300);
        journal.commit(0).unwrap();
        let (_, indices) = sent(&mut journal);
        journal.settle(&indices).unwrap();
        journal.clean(0).unwrap();
        assert!(journal.log.segments().len() <= 6, "{id}");
    }
    let mut adopted = next_life(&disk, Fsync::Os, 1);
    assert_eq!((adopted.abandoned, adopted.damaged), (1, 0));
    assert_eq!(names(&sent(&mut adopted.journal).0), [(1, "open")]);
}

#[test]
fn a_close_has_room_when_nothing_else_has() {
    let disk = Forgetful::default();
    let mut journal = life(&disk, Fsync::Os);
    let mut opened = 0;
    while {
        let room = 20_000u64.saturating_sub(journal.bytes());
        begin(&mut journal, opened, room).is_ok()
    } {
        opened += 1;
    }
    assert!(opened > 5);
    for id in 0..opened {
        let more = vec![b'x'; 1000];
        let field = span(id, std::str::from_utf8(&more).unwrap(), 100);
        assert!(journal.close(id, 300, &field, 0).is_ok(), "{id}");
    }
    assert!(journal.bytes() <= 20_000);
    assert!(journal.close(999, 300, &span(999, "unheard of", 1), 0).is_err());
}

#[derive(Clone, Debug)]
enum Step {
    Open,
    Close(usize),
    Commit,
    Send,
    Clean,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Open),
        3 => any::<usize>().prop_map(Step::Close),
        3 => Just(Step::Commit),
        1 => Just(Step::Send),
        1 => Just(Step::Clean),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever is done before the power goes, whatever the disk keeps of what was not synced, and however often the disk
    /// fails: what counted is told, once, as it was sent or as what it was.
    #[test]
    fn what_counted_before_the_power_went_is_told_and_nothing_is_both_finished_and_abandoned(
        steps in proptest::collection::vec(step(), 1..80),
        failing in proptest::option::of(0usize..40),
        keeps in 0usize..200,
        memory in prop_oneof![Just(0usize), 0usize..600, Just(1 << 20)],
    ) {
        let disk = Forgetful::default();
        let mut journal = life(&disk, Fsync::Always).holding(held(memory));
        disk.fail_syncs_after(failing);
        let (mut next, mut open_now) = (0u128, Vec::new());
        let (mut counted_open, mut counted_closed): (Vec<u128>, Vec<u128>) = Default::default();
        let (mut new_open, mut new_closed) = (Vec::new(), Vec::new());
        let mut answered = BTreeMap::new();
        for step in steps {
            match step {
                Step::Open => {
                    open(&mut journal, next);
                    open_now.push(next);
                    new_open.push(next);
                    next += 1;
                }
                Step::Close(which) if !open_now.is_empty() => {
                    let id = open_now.swap_remove(which % open_now.len());
                    close(&mut journal, id, 300);
                    new_closed.push(id);
                }
                Step::Close(_) => {}
                Step::Commit => {
                    if journal.commit(0).is_ok() {
                        counted_open.append(&mut new_open);
                        counted_closed.append(&mut new_closed);
                    } else {
                        disk.fail_syncs_after(None);
                    }
                }
                Step::Send => {
                    let (told, indices) = sent(&mut journal);
                    prop_assert!(told.keys().all(|id| counted_closed.contains(id)), "nothing is sent before it counts");
                    answered.extend(told);
                    // Where this fails they are sent again.
                    let _ = journal.settle(&indices);
                }
                Step::Clean => {
                    // It may write what is pending, and fail after that.
                    let _ = journal.clean(0);
                    if journal.pending() == 0 {
                        counted_open.append(&mut new_open);
                        counted_closed.append(&mut new_closed);
                    }
                }
            }
        }
        drop(journal);
        disk.fail_syncs_after(None);
        disk.lose_power(|_| keeps);
        let mut adopted = next_life(&disk, Fsync::Always, 2);
        let (told, _) = sent(&mut adopted.journal);
        prop_assert_eq!(adopted.unknown, 0);
        for (id, span) in &answered {
            prop_assert!(told.get(id).is_none_or(|copy| copy == span), "all copies are equal");
        }
        for id in &counted_closed {
            prop_assert!(told.contains_key(id) || answered.contains_key(id));
            prop_assert!(told.get(id).is_none_or(|(name, _)| name == "closed"));
        }
        for id in counted_open.iter().filter(|id| !counted_closed.contains(id)) {
            prop_assert!(told.contains_key(id), "{} was open", id);
        }
    }
}
