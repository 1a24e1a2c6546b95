//! The name of a rollout among all.

use bytestring::ByteString;

use super::detach::detach;
use crate::event::Scope;

/// Which rollout: ids are scoped by their tenant, so that two tenants may use the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RolloutKey {
    /// Whose data it is.
    pub tenant: Option<ByteString>,
    /// The rollout's id.
    pub rollout: ByteString,
}

impl RolloutKey {
    /// The rollout of a scope.
    pub fn of(scope: &Scope) -> Self {
        Self { tenant: scope.tenant.clone(), rollout: scope.rollout.clone() }
    }

    /// Whether it is the rollout of this scope.
    pub(crate) fn is_of(&self, scope: &Scope) -> bool {
        self.rollout == scope.rollout && self.tenant == scope.tenant
    }

    /// The same, which holds nothing else in memory.
    pub(crate) fn detached(&self) -> Self {
        Self { tenant: self.tenant.as_ref().map(detach), rollout: detach(&self.rollout) }
    }

    pub(in crate::reduce) fn bytes(&self) -> usize {
        self.rollout.len() + self.tenant.as_ref().map_or(0, |tenant| tenant.len())
    }
}
