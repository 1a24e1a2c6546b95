//! The log alone: what counts is found again, and nothing else.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::forgetful::Forgetful;
use crate::export::spool::log::{Disk, Found, Fsync, Log, NO_INDEX, Options, Recovered, recover};

const KIND: u8 = 7;
const BOOT: [u8; 16] = [1; 16];

fn options(fsync: Fsync) -> Options {
    Options { segment_bytes: 1 << 10, fsync, boot: BOOT, preamble: Some((9, Bytes::from_static(b"who"))) }
}

fn log(disk: &Forgetful, fsync: Fsync) -> Log {
    Log::new(Arc::new(disk.clone()), options(fsync), VecDeque::new(), 0)
}

/// Payloads by index, and how often something was missing or damaged.
fn found(disk: &Forgetful) -> (Vec<(u64, Vec<u8>)>, usize, Recovered) {
    let (mut records, mut holes) = (Vec::new(), 0);
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let recovered = recover(&disk, BOOT, |found| {
        match found {
            Found::Record { index: NO_INDEX, payload, .. } => assert_eq!(payload, b"who"),
            Found::Record { kind, index, payload } => {
                assert_eq!(kind, KIND);
                records.push((index, payload.to_vec()));
            }
            Found::Damaged { .. } | Found::Missing { .. } => holes += 1,
        }
        true
    })
    .unwrap();
    (records, holes, recovered)
}

fn payload(index: u64) -> Vec<u8> {
    vec![index as u8; 40 + (index as usize * 37) % 300]
}

fn append(log: &mut Log, indices: std::ops::Range<u64>) {
    for index in indices {
        assert_eq!(log.append(KIND, &[&payload(index)], true), index);
    }
}

fn whole(indices: std::ops::Range<u64>) -> Vec<(u64, Vec<u8>)> {
    indices.map(|index| (index, payload(index))).collect()
}

#[test]
fn what_was_committed_is_found_again_in_order_over_many_segments() {
    let disk = Forgetful::default();
    let mut log = log(&disk, Fsync::Os);
    for start in (0..60).step_by(3) {
        append(&mut log, start..start + 3);
        log.commit(5).unwrap();
    }
    append(&mut log, 60..61);
    let (records, holes, recovered) = found(&disk);
    assert_eq!(records, whole(0..60), "what is only pending does not count");
    assert_eq!((holes, recovered.lost, recovered.next_index), (0, 0, 60));
    assert!(recovered.segments.len() > 5 && recovered.is_of_this_boot && !recovered.is_synced);
    assert_eq!(recovered.segments.iter().map(|held| held.held).sum::<u64>(), 60);
    assert_eq!(recovered.created_unix_nano, Some(5));
}

#[test]
fn a_segment_that_cannot_be_written_is_left_and_nothing_is_lost_or_there_twice() {
    for fsync in [Fsync::Os, Fsync::Always] {
        for good in 0..12 {
            let disk = Forgetful::default();
            let mut log = log(&disk, fsync);
            let (mut next, mut failures) = (0, 0);
            disk.fail_writes_after(Some(good));
            for _ in 0..10 {
                append(&mut log, next..next + 2);
                next += 2;
                if log.commit(0).is_err() {
                    failures += 1;
                    disk.fail_writes_after(None);
                }
            }
            log.commit(0).unwrap();
            let (records, holes, recovered) = found(&disk);
            assert_eq!(records, whole(0..20), "{good}");
            assert_eq!((holes, recovered.next_index), (0, 20));
            assert!(failures <= 1);
        }
    }
}

#[test]
fn what_could_not_be_synced_does_not_count_until_it_is_synced_elsewhere() {
    for good in 0..20 {
        let disk = Forgetful::default();
        let mut log = log(&disk, Fsync::Always);
        disk.fail_syncs_after(Some(good));
        let mut counts = 0;
        for start in 0..10 {
            append(&mut log, start..start + 1);
            match log.commit(0) {
                Ok(()) => counts = start + 1,
                Err(_) => disk.fail_syncs_after(None),
            }
        }
        disk.lose_power(|_| 0);
        let (records, _, _) = found(&disk);
        assert_eq!(records, whole(0..counts), "{good}");
        assert!(counts >= 9);
    }
}

#[test]
fn a_disk_that_is_full_for_long_does_not_fill_with_beginnings() {
    let disk = Forgetful::default();
    let mut log = log(&disk, Fsync::Os);
    append(&mut log, 0..2);
    log.commit(0).unwrap();
    disk.set_room(Some(100));
    append(&mut log, 2..4);
    for _ in 0..20 {
        disk.set_room(Some(100));
        assert!(log.commit(0).is_err());
    }
    assert!(disk.names().unwrap().len() <= 2, "{:?}", disk.names());
    disk.set_room(None);
    log.commit(0).unwrap();
    assert_eq!(found(&disk).0, whole(0..4));
}

#[test]
fn segments_go_oldest_first_once_nothing_in_them_is_held() {
    let disk = Forgetful::default();
    let mut log = log(&disk, Fsync::Always);
    for start in 0..20 {
        append(&mut log, start..start + 1);
        log.commit(0).unwrap();
    }
    let before = log.segments().len();
    (5..20).for_each(|index| log.release(index));
    assert!(log.removable().is_none(), "the oldest is still held");
    (0..5).for_each(|index| log.release(index));
    while log.removable().is_some() {
        log.remove_oldest().unwrap();
    }
    assert!(before > 2);
    assert_eq!(log.segments().len(), 1, "the one that is written stays");
    disk.lose_power(|_| 0);
    let (records, holes, _) = found(&disk);
    assert!(holes == 0 && records.last().unwrap().0 == 19);
}

#[test]
fn every_length_that_a_segment_may_be_cut_to_leaves_what_lies_before() {
    let disk = Forgetful::default();
    let mut log = log(&disk, Fsync::Os);
    append(&mut log, 0..4);
    log.commit(0).unwrap();
    let name = "0000000000000001.seg";
    let length = disk.content(name).len();
    let mut seen = std::collections::BTreeSet::new();
    for cut in 0..=length {
        let disk = disk.copy();
        disk.change(name, |bytes| bytes.truncate(cut));
        let (records, holes, _) = found(&disk);
        assert_eq!(records, whole(0..records.len() as u64), "{cut}");
        assert_eq!(holes, 0, "a tail that was cut off is no damage: {cut}");
        seen.insert(records.len());
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[test]
fn every_byte_of_a_segment_flipped_costs_one_record_at_the_most_and_is_told() {
    let disk = Forgetful::default();
    let mut log = log(&disk, Fsync::Os);
    append(&mut log, 0..4);
    log.commit(0).unwrap();
    let name = "0000000000000001.seg";
    for place in 0..disk.content(name).len() {
        for bit in [0x01, 0x80] {
            let disk = disk.copy();
            disk.change(name, |bytes| bytes[place] ^= bit);
            let (records, holes, _) = found(&disk);
            assert!(records.len() >= 3, "{place}: {}", records.len());
            assert!(records.iter().all(|(index, bytes)| *bytes == payload(*index)), "{place}");
            if records.len() == 3 {
                assert_eq!(holes, 1, "{place}");
            }
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic_or_lose_its_place(
        rubbish in proptest::collection::vec(any::<u8>(), 0..600),
        at in 0usize..2000,
        replaces in any::<bool>(),
    ) {
        let disk = Forgetful::default();
        let mut log = log(&disk, Fsync::Os);
        append(&mut log, 0..4);
        log.commit(0).unwrap();
        let name = "0000000000000001.seg";
        disk.change(name, |bytes| {
            let at = at.min(bytes.len());
            let end = if replaces { (at + rubbish.len()).min(bytes.len()) } else { at };
            bytes.splice(at..end, rubbish.clone());
        });
        let (records, _, _) = found(&disk);
        prop_assert!(records.iter().all(|(index, bytes)| *bytes == payload(*index)));
    }
}
