//! Reading a log that another process life has left.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::cursor::{Cursor, End, Step};
use super::disk::Disk;
use super::segment::{self, Fsync, HEADER, Header, Segment};
use super::writer::{Held, NO_INDEX};

/// No log is that long: an index beyond it is damage.
const MAX_INDEX: u64 = 1 << 62;

/// What was found on the way through a log, oldest first.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// A whole record.
    Record { kind: u8, index: u64, payload: &'a [u8] },
    /// A record whose payload is damaged.
    Damaged { kind: u8, index: u64 },
    /// Records are missing, or something was not to be recognised as one. What is found next, if anything, has this index.
    Missing { next: Option<u64> },
}

/// What has been left.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// Oldest first. How many of their records are held is what the visitor said.
    pub(crate) segments: VecDeque<Held>,
    pub(crate) next_index: u64,
    /// Records that were damaged or are missing, as far as can be told.
    pub(crate) lost: u64,
    /// All of it was written in this life of the machine.
    pub(crate) is_of_this_boot: bool,
    /// All of it was synced before it counted.
    pub(crate) is_synced: bool,
    /// When its first segment was begun, as its header says.
    pub(crate) created_unix_nano: Option<u64>,
}

/// Reads the log in `disk`; `visit` says of each record whether it is held. Nothing that is found makes it fail.
///
/// # Errors
///
/// The folder, or a file in it, cannot be read.
pub(crate) fn recover(
    disk: &Arc<dyn Disk>,
    boot: [u8; 16],
    mut visit: impl FnMut(Found<'_>) -> bool,
) -> io::Result<Recovered> {
    let mut recovered = Recovered {
        segments: VecDeque::new(),
        next_index: 0,
        lost: 0,
        is_of_this_boot: boot != [0; 16],
        is_synced: true,
        created_unix_nano: None,
    };
    let mut expected = None;
    for (header, segment) in segments(disk)? {
        if let Some(header) = header {
            recovered.is_of_this_boot &= header.boot == boot;
            recovered.is_synced &= header.fsync == Fsync::Always;
            recovered.created_unix_nano = recovered.created_unix_nano.or(Some(header.created_unix_nano));
            missing_before(header.first_index, &mut expected, &mut recovered.lost, &mut visit);
        } else {
            recovered.is_of_this_boot = false;
            recovered.is_synced = false;
        }
        let first_index = header.map_or(expected.unwrap_or_default(), |header| header.first_index);
        let mut held = Held { segment, first_index, held: 0 };
        read(&mut held, &mut expected, &mut recovered.lost, &mut visit)?;
        recovered.segments.push_back(held);
    }
    recovered.next_index = expected.unwrap_or_default();
    Ok(recovered)
}

fn read(
    held: &mut Held,
    expected: &mut Option<u64>,
    lost: &mut u64,
    visit: &mut impl FnMut(Found<'_>) -> bool,
) -> io::Result<()> {
    let mut cursor = Cursor::default();
    let mut is_damaged = false;
    loop {
        let before = cursor.offset();
        match cursor.step(&held.segment)? {
            Step::Record(head, payload) if head.index == NO_INDEX => {
                if let Some(payload) = payload {
                    visit(Found::Record { kind: head.kind, index: NO_INDEX, payload });
                }
            }
            Step::Record(head, _) if head.index >= MAX_INDEX => is_damaged = true,
            Step::Record(head, payload) => {
                // It was written twice, because the first time did not count.
                if expected.is_some_and(|expected| head.index < expected) {
                    continue;
                }
                let had_hole = missing_before(head.index, expected, lost, visit);
                if is_damaged && !had_hole {
                    visit(Found::Missing { next: Some(head.index) });
                }
                is_damaged = false;
                *expected = Some(head.index + 1);
                let found = match payload {
                    Some(payload) => Found::Record { kind: head.kind, index: head.index, payload },
                    None => {
                        *lost += 1;
                        Found::Damaged { kind: head.kind, index: head.index }
                    }
                };
                held.held += u64::from(visit(found));
            }
            Step::Damage => is_damaged = true,
            Step::End(end) => {
                if end == End::Cut {
                    held.segment.length = before;
                }
                break;
            }
        }
    }
    if is_damaged {
        *lost += 1;
        visit(Found::Missing { next: None });
    }
    Ok(())
}

/// Tells of a hole before the record of this index, and answers whether there is one.
fn missing_before(
    index: u64,
    expected: &mut Option<u64>,
    lost: &mut u64,
    visit: &mut impl FnMut(Found<'_>) -> bool,
) -> bool {
    let known = *expected.get_or_insert(index);
    if index <= known || index >= MAX_INDEX {
        return false;
    }
    *lost = lost.saturating_add(index - known);
    *expected = Some(index);
    visit(Found::Missing { next: Some(index) });
    true
}

/// All segments that hold anything, in the order in which they were written; what was only kept ready is removed.
fn segments(disk: &Arc<dyn Disk>) -> io::Result<Vec<(Option<Header>, Segment)>> {
    let mut segments = Vec::new();
    for name in disk.names()? {
        let Some(number) = segment::number(&name) else { continue };
        let file = disk.open(&name)?;
        let length = file.len()?;
        if length < HEADER as u64 {
            // Nothing was ever written behind so short a beginning.
            disk.remove(&name)?;
            continue;
        }
        let segment = Segment { number, file, length };
        let mut beginning = [0; HEADER];
        let read = segment.read(&mut beginning, 0)?;
        let header = beginning.get(..read).and_then(Header::decode);
        let first_index = match header {
            Some(header) => header.first_index,
            None => first_record(&segment)?,
        };
        segments.push((first_index, header, segment));
    }
    // By what is in them: room may have been kept in a segment long before it was written.
    segments.sort_by_key(|(first_index, _, segment)| (*first_index, segment.number));
    Ok(segments.into_iter().map(|(_, header, segment)| (header, segment)).collect())
}

/// The index of the first record of a segment whose header is damaged.
fn first_record(segment: &Segment) -> io::Result<u64> {
    let mut cursor = Cursor::default();
    loop {
        match cursor.step(segment)? {
            Step::Record(head, _) if head.index != NO_INDEX => return Ok(head.index),
            Step::End(_) => return Ok(u64::MAX),
            Step::Record(..) | Step::Damage => {}
        }
    }
}
