//! From content as it was said to what may leave.

use std::collections::HashMap;

use bytestring::ByteString;

use super::c1::Hasher;
use super::history::History;
use super::known::Known;
use super::pass::{Labels, Pass};
use super::policy::Policy;
use super::tally::Tally;
use crate::event::{CallKind, Digest, Event, Raw, Scope, Veiled};

/// The tenants whose keys are kept ready.
const TENANTS: usize = 1024;

/// Applies a [`Policy`] to events.
///
/// Holds what has been told of each thread, so the events of one producer must all pass through one.
#[allow(missing_debug_implementations)]
pub struct Veil {
    policy: Policy,
    history: History,
    tenants: HashMap<ByteString, Hasher>,
    known: Known,
    labels: Labels,
    tally: Tally,
}

/// What a [`Veil`] has changed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VeilCounts {
    /// Labels that did not look like one and left as a digest or as `_OTHER`.
    pub labels_replaced: u64,
    /// Labels that were not taken, since there were too many of one call.
    pub labels_left_out: u64,
    /// Whole contents that did not fit into their attribute and were cut.
    pub texts_cut: u64,
    /// Texts that left with something masked in them, a preview and the whole each for itself.
    pub texts_masked: u64,
}

impl Veil {
    /// A veil of this policy, for one producer.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            history: History::default(),
            tenants: HashMap::new(),
            known: Known::default(),
            labels: Labels::default(),
            tally: Tally::default(),
        }
    }

    /// The policy that it applies.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What it has changed so far.
    pub fn counts(&self) -> VeilCounts {
        let (texts_cut, texts_masked) = self.tally.read();
        let Labels { replaced, left_out } = self.labels;
        VeilCounts { labels_replaced: replaced, labels_left_out: left_out, texts_cut, texts_masked }
    }

    /// From now on it applies this one.
    pub fn set_policy(&mut self, policy: Policy) {
        if policy.is(&self.policy) {
            return;
        }
        self.policy = policy;
        // All of these were made under the other one.
        self.tenants.clear();
        self.known = Known::default();
        self.history.forget();
    }

    /// The event, as much as may leave of it. What was said is wiped.
    pub fn event(&mut self, event: Event<Raw>) -> Event<Veiled> {
        self.pass(None, event.scope.tenant.as_ref(), |pass| pass.event(&event))
    }

    /// Runs `work` on what is done to an event of this tenant, `under` the policy under which its call opened, where that is
    /// another one than this veil's.
    pub(crate) fn pass<T>(
        &mut self,
        under: Option<&Policy>,
        tenant: Option<&ByteString>,
        work: impl FnOnce(&mut Pass<'_>) -> T,
    ) -> T {
        let Self { policy, history, tenants, known, labels, tally } = self;
        match under {
            None => {
                let hasher = hasher_of(policy, tenants, tenant);
                work(&mut Pass { hasher, policy, known, labels, tally, history })
            }
            Some(policy) => {
                let hasher = policy.hasher().map(|hasher| hasher.for_tenant(tenant.map(|tenant| &**tenant)));
                let known = &mut Known::default();
                work(&mut Pass { hasher: hasher.as_ref(), policy, known, labels, tally, history })
            }
        }
    }

    /// A call that this veil has passed was accepted for export: the next inference of its thread may build on it.
    pub fn accepted(&mut self, scope: &Scope, kind: CallKind, chain: Option<Digest>) {
        if let (CallKind::Inference, Some(chain)) = (kind, chain) {
            self.history.told(scope, chain);
        }
    }

    /// A call that this veil has passed was lost: every thread tells its history anew.
    pub fn lost(&mut self) {
        self.history.forget();
    }
}

/// The function of one tenant, borrowed: it is too large to be copied for each event.
fn hasher_of<'h>(
    policy: &'h Policy,
    tenants: &'h mut HashMap<ByteString, Hasher>,
    tenant: Option<&ByteString>,
) -> Option<&'h Hasher> {
    let base = policy.hasher()?;
    let Some(tenant) = tenant else { return Some(base) };
    if !tenants.contains_key(tenant) {
        if tenants.len() >= TENANTS {
            tenants.clear();
        }
        tenants.insert(tenant.clone(), base.for_tenant(Some(tenant)));
    }
    tenants.get(tenant)
}
