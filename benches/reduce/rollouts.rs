//! Rollouts without end: each opens a turn and a model request in it, and nothing of it ever comes again.

use std::collections::BTreeMap;

use veilspan::event::{Event, Kind, Veiled};
use veilspan::reduce::{Counter, Effect, Limits, Reason, Reducer};

use super::events;

/// The most memory that they took, beside what there was before, and the budget; in bytes.
pub fn open(number: u64) -> (usize, usize) {
    let limits = Limits::default();
    let (mut reducer, before, mut most) = (Reducer::new(limits.clone()), resident(), 0);
    let mut counted: BTreeMap<Counter, u64> = BTreeMap::new();
    let mut taken = 0;
    for portion in 0.. {
        let mut events: Vec<Event<Veiled>> = events::portion(portion);
        events.retain(|event| matches!(event.kind, Kind::Opened(..)));
        for (event, place) in events.into_iter().zip(0u64..) {
            if taken == number {
                break;
            }
            let mut scope = (*event.scope).clone();
            scope.rollout = format!("rollout-{portion}-{place}").into();
            let event = Event { scope: scope.into(), ..event };
            for effect in reducer.on(event, taken * 1_000) {
                if let Effect::Count(counter, count) = effect {
                    *counted.entry(counter).or_default() += count;
                }
            }
            taken += 1;
        }
        assert!(reducer.bytes() <= limits.bytes, "{} are held of {}", reducer.bytes(), limits.bytes);
        most = most.max(resident());
        if taken == number {
            break;
        }
    }
    let open = reducer.open().count() as u64;
    let evicted = counted.get(&Counter::RolloutsClosed(Reason::Evicted)).copied().unwrap_or_default();
    assert_eq!(open + evicted, number, "what was let go is counted: {counted:?}");
    eprintln!("# {open} stayed open, {evicted} were let go; {counted:?}");
    (most.saturating_sub(before), limits.bytes)
}

/// The memory of this process, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kibibytes.unwrap_or_default() << 10
}
