//! Which policy holds for which event, while policies are swapped.
//!
//! A call keeps the policy that was set when it opened. One that is set later lowers it, whatever has not been encoded,
//! and raises nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use super::newest::{Newest, Swap};
use crate::event::{CallRecord, Veiled};
use crate::privacy::{Policy, Veil, lower};

/// The pipeline's view of the policies.
pub(super) struct Policies {
    newest: Arc<Newest>,
    version: u64,
    /// The one that was set last.
    last: Policy,
    /// The one that was set when the events in hand were recorded.
    in_order: Policy,
    /// Those that hold for events which are still to come.
    coming: VecDeque<Swap>,
    /// Those that held before, each with the number of the first event that it did not hold for any more.
    past: VecDeque<Swap>,
}

/// So many policies of before are known. What opened under an older one is told under what all of them let leave.
const PAST: usize = 16;

impl Policies {
    pub(super) fn new(newest: Arc<Newest>, policy: Policy) -> Self {
        Self {
            newest,
            version: 0,
            last: policy.clone(),
            in_order: policy,
            coming: VecDeque::new(),
            past: VecDeque::new(),
        }
    }

    /// Lets `veil` apply what holds for a call that opens with the event of this number. Events come in order.
    pub(super) fn look(&mut self, seq: Option<u64>, veil: &mut Veil) {
        if self.newest.version() != self.version || !self.coming.is_empty() {
            self.look_closely(seq, veil);
        }
    }

    #[cold]
    fn look_closely(&mut self, seq: Option<u64>, veil: &mut Veil) {
        let swaps = self.newest.since(&mut self.version);
        let mut is_other = !swaps.is_empty();
        for swap in swaps {
            self.last = swap.policy.clone();
            self.coming.push_back(swap);
        }
        while let Some(swap) = self.coming.pop_front_if(|swap| seq.is_some_and(|seq| swap.seq <= seq)) {
            let before = std::mem::replace(&mut self.in_order, swap.policy);
            self.pass(Swap { seq: swap.seq, policy: before });
            is_other = true;
        }
        if is_other {
            veil.set_policy(self.in_order.lowered_to(&self.last));
        }
    }

    fn pass(&mut self, before: Swap) {
        self.past.push_back(before);
        if self.past.len() > PAST
            && let Some(oldest) = self.past.pop_front()
            && let Some(next) = self.past.front_mut()
        {
            next.policy = next.policy.lowered_to(&oldest.policy);
        }
    }

    /// The policy under which a call opened that is told late, where another one holds by now. What has been set since then
    /// lowers it, as it does for calls that were told at once.
    pub(super) fn before(&self, seq: Option<u64>) -> Option<Policy> {
        let mut since =
            self.past.iter().skip_while(|swap| seq.is_none_or(|seq| seq >= swap.seq)).map(|swap| &swap.policy);
        let opened_under = since.next()?.clone();
        let lowered = since.fold(opened_under, |policy, later| policy.lowered_to(later));
        Some(lowered.lowered_to(&self.in_order).lowered_to(&self.last))
    }

    /// What holds for an event of a call that opened under `policy`, where that is another one than the veil's.
    pub(super) fn other(&self, policy: Option<&Policy>, veil: &Veil) -> Option<Policy> {
        policy.filter(|policy| !policy.is(veil.policy())).map(|policy| policy.lowered_to(&self.last))
    }

    /// A policy may have been set while an event was veiled: what was handed on to be kept has to be allowed by that too.
    pub(super) fn lower_stores(&self) {
        self.newest.lower_stores_after(self.version);
    }

    /// Takes out of a call what was veiled under `policy` and may not leave any more.
    pub(super) fn lower(&self, policy: &Policy, record: &mut CallRecord<Veiled>) {
        if policy.is(&self.last) {
            return;
        }
        let lowered = policy.lowered_to(&self.last);
        if !lowered.is(policy) {
            lower::record(record, policy.levels(), lowered.levels());
            record.opened.policy = Some(lowered.snapshot().clone());
        }
    }
}
