//! What stands in a record.

use bytestring::ByteString;

use crate::event::{SpanId, TraceId};
use crate::reduce::{GoesOn, RolloutKey};

/// A request as it left `privacy`, and when the reducer took it in.
pub(super) const INPUT: u8 = 16;
/// Time passed, and something closed.
pub(super) const TICK: u8 = 17;
/// The stage stopped in order.
pub(super) const SHUTDOWN: u8 = 18;
/// A span of the stage's own.
pub(super) const EMIT: u8 = 19;
/// Nothing is known of a rollout any more.
pub(super) const GONE: u8 = 20;

/// Where a rollout goes on of which nothing else is known.
pub(super) const NEXT: u8 = 21;

/// A record, read.
#[derive(Debug)]
pub(super) enum Entry<'a> {
    Input { now: u64, request: &'a [u8] },
    Tick { now: u64 },
    Shutdown { now: u64 },
    Emit { trace: TraceId, span: SpanId, field: &'a [u8] },
    Gone(RolloutKey),
    Next(RolloutKey, GoesOn),
}

/// Nothing where it is no record of ours.
pub(super) fn read(kind: u8, payload: &[u8]) -> Option<Entry<'_>> {
    let now = |bytes: &[u8]| Some(u64::from_le_bytes(bytes.try_into().ok()?));
    match kind {
        INPUT => {
            let (time, request) = payload.split_at_checked(8)?;
            Some(Entry::Input { now: now(time)?, request })
        }
        TICK => Some(Entry::Tick { now: now(payload)? }),
        SHUTDOWN => Some(Entry::Shutdown { now: now(payload)? }),
        EMIT => {
            let (trace, rest) = payload.split_at_checked(16)?;
            let (span, field) = rest.split_at_checked(8)?;
            let trace = TraceId::from_bytes(trace.try_into().ok()?)?;
            let span = SpanId::from_bytes(span.try_into().ok()?)?;
            Some(Entry::Emit { trace, span, field })
        }
        GONE => rollout(payload).map(Entry::Gone),
        NEXT => next(payload),
        _ => None,
    }
}

/// A rollout's key in two parts: whether and how long a tenant is, and it; then the rollout.
pub(super) fn of_rollout(key: &RolloutKey) -> (Vec<u8>, Vec<u8>) {
    let mut tenant = Vec::new();
    match &key.tenant {
        Some(name) => {
            tenant.push(1);
            tenant.extend_from_slice(&u32::try_from(name.len()).unwrap_or(u32::MAX).to_le_bytes());
            tenant.extend_from_slice(name.as_bytes());
        }
        None => tenant.push(0),
    }
    (tenant, key.rollout.as_bytes().to_vec())
}

/// Where a rollout goes on: its generation, whether a summary is resumed and which, and the rollout.
pub(super) fn of_next(key: &RolloutKey, GoesOn { generation, resumes }: GoesOn) -> Vec<u8> {
    let mut payload = generation.to_le_bytes().to_vec();
    match resumes {
        Some((trace, span)) => {
            payload.push(1);
            payload.extend_from_slice(trace.as_bytes());
            payload.extend_from_slice(span.as_bytes());
        }
        None => payload.push(0),
    }
    let (tenant, rollout) = of_rollout(key);
    payload.extend_from_slice(&tenant);
    payload.extend_from_slice(&rollout);
    payload
}

fn next(payload: &[u8]) -> Option<Entry<'_>> {
    let (generation, rest) = payload.split_first_chunk()?;
    let (has_summary, rest) = rest.split_first()?;
    let (resumes, rest) = match has_summary {
        0 => (None, rest),
        _ => {
            let (trace, rest) = rest.split_first_chunk()?;
            let (span, rest) = rest.split_first_chunk()?;
            (Some((TraceId::from_bytes(*trace)?, SpanId::from_bytes(*span)?)), rest)
        }
    };
    Some(Entry::Next(rollout(rest)?, GoesOn { generation: u64::from_le_bytes(*generation), resumes }))
}

fn rollout(payload: &[u8]) -> Option<RolloutKey> {
    let (has_tenant, rest) = payload.split_first()?;
    let text = |bytes: &[u8]| Some(ByteString::from(std::str::from_utf8(bytes).ok()?));
    if *has_tenant == 0 {
        return Some(RolloutKey { tenant: None, rollout: text(rest)? });
    }
    let (length, rest) = rest.split_at_checked(4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?);
    let (tenant, rollout) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some(RolloutKey { tenant: Some(text(tenant)?), rollout: text(rollout)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollout_is_read_as_it_was_written_and_nothing_else_is_one() {
        for tenant in [None, Some(""), Some("a tenant")] {
            let key = RolloutKey { tenant: tenant.map(ByteString::from), rollout: ByteString::from("a rollout") };
            let (first, second) = of_rollout(&key);
            let payload = [first, second].concat();
            assert!(matches!(read(GONE, &payload), Some(Entry::Gone(found)) if found == key));
            for resumes in [None, TraceId::from_bytes([1; 16]).zip(SpanId::from_bytes([2; 8]))] {
                let goes_on = GoesOn { generation: 7, resumes };
                let payload = of_next(&key, goes_on);
                assert!(
                    matches!(read(NEXT, &payload), Some(Entry::Next(found, read)) if found == key && read == goes_on)
                );
                assert!(read(NEXT, &payload[..9]).is_none());
            }
        }
        for odd in [&[][..], &[1], &[1, 9, 0, 0, 0, b'x'], &[0, 0xff]] {
            assert!(read(GONE, odd).is_none(), "{odd:?}");
        }
        assert!(read(EMIT, &[0; 23]).is_none() && read(INPUT, &[1]).is_none() && read(99, &[]).is_none());
    }
}
