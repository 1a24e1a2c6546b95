//! The calls that have opened and not closed.

use super::calls::Calls;
use super::open_call::OpenCall;
use crate::event::Key;

/// So many are looked for by comparing.
const AT_HAND: usize = 4;

/// Calls between their two events, each under its key. The last ones lie at hand: most calls of a thread that records one after
/// the other close before the next one opens, and those of a few threads before a few others do, so that they need no place of
/// their own.
#[derive(Default)]
pub(super) struct OpenCalls {
    at_hand: [Option<(Key, OpenCall)>; AT_HAND],
    /// Which of them gives way next.
    oldest: usize,
    others: Calls<Box<OpenCall>>,
}

impl OpenCalls {
    /// Adds a call, whose key no other has.
    pub(super) fn insert(&mut self, key: Key, call: OpenCall) {
        let place = match self.at_hand.iter_mut().find(|place| place.is_none()) {
            Some(free) => Some(free),
            None => {
                self.oldest = (self.oldest + 1) % AT_HAND;
                self.at_hand.get_mut(self.oldest)
            }
        };
        if let Some((key, before)) = place.and_then(|place| place.replace((key, call))) {
            self.others.insert(key, Box::new(before));
        }
    }

    /// Takes a call out.
    pub(super) fn remove(&mut self, key: &Key) -> Option<OpenCall> {
        match self.at_hand.iter_mut().find(|place| is_of(place, key)) {
            Some(place) => place.take().map(|(_, call)| call),
            None => self.others.remove(key).map(|call| *call),
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&OpenCall> {
        match self.at_hand.iter().find(|place| is_of(place, key)) {
            Some(place) => place.as_ref().map(|(_, call)| call),
            None => self.others.get(key).map(|call| &**call),
        }
    }

    /// All of them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &OpenCall)> {
        let at_hand = self.at_hand.iter().flatten().map(|(key, call)| (key, call));
        at_hand.chain(self.others.iter().map(|(key, call)| (key, &**call)))
    }
}

fn is_of(place: &Option<(Key, OpenCall)>, key: &Key) -> bool {
    place.as_ref().is_some_and(|(of, _)| of == key)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::{At, CallIds, CallKind, KeyIdentity, Opened, SpanId, SpanIds, TraceId, Veiled};
    use crate::intake::NOWHERE;
    use crate::intake::open_call::Then;
    use crate::privacy::Policy;

    #[test]
    fn each_call_is_found_once_under_its_key_however_many_are_open() {
        let (policy, _) = Policy::builder().no_digests().build_in(&crate::environment::Environment::default());
        let span = SpanIds { trace: TraceId::random(), span: SpanId::random(), parent: None, parent_is_remote: false };
        let call = |number: u64| {
            let at = At { time_unix_nano: number, producer: None, seq: Some(number) };
            let opened: Opened<Veiled> = Opened { span, attrs: Default::default(), links: Vec::new(), policy: None };
            OpenCall::new(Arc::clone(&NOWHERE), at, (opened, None), Then { losses: 0, policy: policy.clone() })
        };
        let ids = CallIds::default();
        let key = || Key { kind: CallKind::Tool, id: KeyIdentity::Call(ids.next(0)), occurrence: 0 };
        for most in [1, AT_HAND, AT_HAND + 1, 50] {
            let (mut calls, mut open) = (OpenCalls::default(), Vec::new());
            for number in 0..500 {
                let key = key();
                calls.insert(key, call(number));
                open.push((key, number));
                assert_eq!(calls.iter().count(), open.len());
                if open.len() == most {
                    // Neither the first nor the last as a rule.
                    let (key, number) = open.remove(number as usize * 7 % most);
                    assert_eq!(calls.get(&key).unwrap().opened_at().time_unix_nano, number);
                    assert_eq!(calls.remove(&key).unwrap().opened_at().time_unix_nano, number);
                    assert!(calls.get(&key).is_none() && calls.remove(&key).is_none());
                }
            }
            for (key, number) in open {
                assert_eq!(calls.remove(&key).unwrap().opened_at().time_unix_nano, number);
            }
            assert_eq!(calls.iter().count(), 0);
        }
    }
}
