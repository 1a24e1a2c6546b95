//! Which call of which turn, in a few bytes.
//!
//! What says the same is equal, and none is how another one begins.

use super::row::{RowReader, RowWriter};
use super::tables::Tables;
use crate::event::{CallId, CallKind, Key, KeyIdentity, SpanId};

/// The first byte: the kind, how it is told which of them it is, and whether that is used more than once.
const KIND: u8 = 0x0f;
const HOW: u8 = 4;
const OF_HOW: u8 = 7;
const IS_AGAIN: u8 = 0x80;

const _: () = assert!(CallKind::ALL.len() <= KIND as usize + 1);

/// It is told by nothing else.
const NONE: u8 = 0;
/// By the two halves of an id.
const CALL: u8 = 1;
const SPAN: u8 = 2;
/// By an id of one of the first processes, beside the first of that; from here on.
const OWN: u8 = 3;
/// By an id of one of the others, which is told of next.
const OWN_OF: u8 = 7;

/// The processes whose call ids are written as what tells them apart.
const PROCESSES: usize = 16;

impl Tables {
    /// Which call of which turn.
    pub(super) fn ident(&mut self, turn: u32, key: Key, row: &mut RowWriter) -> Option<()> {
        row.number(u64::from(turn));
        self.key(key, row)
    }

    pub(super) fn key(&mut self, key: Key, row: &mut RowWriter) -> Option<()> {
        let kind = CallKind::ALL.iter().position(|known| *known == key.kind).unwrap_or_default() as u8;
        let kind = if key.occurrence == 0 { kind } else { kind | IS_AGAIN };
        match key.id {
            KeyIdentity::None => row.byte(kind | NONE << HOW),
            KeyIdentity::Call(id) => self.call_id(kind, id, row),
            KeyIdentity::Span(trace, span) => {
                row.byte(kind | SPAN << HOW);
                self.trace(trace, row)?;
                row.raw(span.as_bytes());
            }
        }
        if key.occurrence != 0 {
            row.number(u64::from(key.occurrence));
        }
        Some(())
    }

    /// The ids of one process share their second half, and the first halves are near one another.
    fn call_id(&mut self, kind: u8, id: CallId, row: &mut RowWriter) {
        let (high, low) = ((id.as_u128() >> 64) as u64, id.as_u128() as u64);
        let known = self.own.iter().position(|(known, _)| *known == low);
        let place = known.unwrap_or(self.own.len());
        if known.is_none() && place < PROCESSES {
            self.own.push((low, high));
        }
        let Some((_, first)) = self.own.get(place) else {
            row.byte(kind | CALL << HOW);
            row.number(high);
            return row.number(low);
        };
        let place = place as u8;
        if place < OWN_OF - OWN {
            row.byte(kind | (OWN + place) << HOW);
        } else {
            row.byte(kind | OWN_OF << HOW);
            row.byte(place);
        }
        row.signed(high.wrapping_sub(*first) as i64);
    }

    /// The call of an ident, behind which the reader stands then.
    pub(super) fn read_ident(&self, row: &mut RowReader<'_>) -> Key {
        row.number();
        self.read_key(row)
    }

    pub(super) fn read_key(&self, row: &mut RowReader<'_>) -> Key {
        let first = row.byte();
        let kind = kind_of(first);
        let occurrence = |row: &mut RowReader<'_>| if first & IS_AGAIN == 0 { 0 } else { row.index() };
        // Ids of our own, which are most, are made where they stay: they need not be waited for.
        let id = match first >> HOW & OF_HOW {
            NONE => KeyIdentity::None,
            CALL => KeyIdentity::Call(CallId::from(u128::from(row.number()) << 64 | u128::from(row.number()))),
            SPAN => {
                let trace = self.read_trace(row);
                let span = SpanId::from_bytes(row.raw());
                trace.zip(span).map_or(KeyIdentity::None, |(trace, span)| KeyIdentity::Span(trace, span))
            }
            how => {
                let place = if how == OWN_OF { row.byte() } else { how - OWN };
                let (low, first) = self.own.get(usize::from(place)).copied().unwrap_or_default();
                let id = CallId::from(u128::from(first.wrapping_add(row.signed() as u64)) << 64 | u128::from(low));
                return Key { kind, id: KeyIdentity::Call(id), occurrence: occurrence(row) };
            }
        };
        Key { kind, id, occurrence: occurrence(row) }
    }
}

/// The kind of the call of an ident that begins here, without the turn.
pub(super) fn kind_of(first: u8) -> CallKind {
    CallKind::ALL.get(usize::from(first & KIND)).copied().unwrap_or(CallKind::Turn)
}

/// The ident with which these bytes begin.
pub(super) fn ident_of(bytes: &[u8]) -> &[u8] {
    let mut row = RowReader { rest: bytes };
    row.number();
    let first = row.byte();
    match first >> HOW & OF_HOW {
        NONE => {}
        CALL => {
            row.number();
            row.number();
        }
        SPAN => {
            row.number();
            let _: [u8; 8] = row.raw();
        }
        how => {
            if how == OWN_OF {
                row.byte();
            }
            row.number();
        }
    }
    if first & IS_AGAIN != 0 {
        row.number();
    }
    bytes.get(..bytes.len() - row.rest.len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::TraceId;

    #[test]
    fn an_ident_is_read_as_it_was_told_and_ends_where_it_ends() {
        let mut tables = Tables::default();
        let span = KeyIdentity::Span(TraceId::from_bytes([3; 16]).unwrap(), SpanId::from_bytes([9; 8]).unwrap());
        let call = |high: u64, low: u64| KeyIdentity::Call(CallId::from(u128::from(high) << 64 | u128::from(low)));
        let calls = (0..3 * PROCESSES as u64).flat_map(|low| [call(u64::MAX - low, low), call(7 * low, low)]);
        let ids: Vec<KeyIdentity> = [KeyIdentity::None, span].into_iter().chain(calls).collect();
        let mut all = Vec::new();
        for (number, id) in ids.into_iter().enumerate() {
            for occurrence in [0, 1, u32::MAX] {
                let kind = CallKind::ALL[number % CallKind::ALL.len()];
                let key = Key { kind, id, occurrence };
                let mut row = RowWriter::default();
                tables.ident(number as u32 * 40, key, &mut row).unwrap();
                let length = row.bytes().len();
                row.raw(b"what comes after it");
                let mut again = RowWriter::default();
                tables.ident(number as u32 * 40, key, &mut again).unwrap();
                assert_eq!((ident_of(row.bytes()), again.bytes().len()), (again.bytes(), length));
                let mut reader = RowReader { rest: row.bytes() };
                assert_eq!((tables.read_ident(&mut reader), reader.rest), (key, &b"what comes after it"[..]));
                all.push(again.bytes().to_vec());
            }
        }
        for (at, one) in all.iter().enumerate() {
            assert!(all.iter().enumerate().all(|(other, bytes)| other == at || !bytes.starts_with(one)));
        }
    }
}
