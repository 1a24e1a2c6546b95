//! Where a call belongs, fixed when it opens.

use std::sync::Arc;

use bytestring::ByteString;

use crate::event::{Scope, SpanIds};

/// What a caller said of a call's place.
#[derive(Clone, Default)]
pub(crate) struct Identity {
    pub(crate) tenant: Option<ByteString>,
    pub(crate) rollout: Option<ByteString>,
    pub(crate) thread: Option<ByteString>,
    pub(crate) turn: Option<ByteString>,
}

impl Identity {
    /// Says nothing.
    pub(crate) const fn is_empty(&self) -> bool {
        self.tenant.is_none() && self.rollout.is_none() && self.thread.is_none() && self.turn.is_none()
    }

    /// The scope of a call of another process, as far as it told.
    pub(crate) fn scope_of_peer(self) -> Scope {
        let rollout = self.rollout.unwrap_or_default();
        Scope {
            tenant: self.tenant,
            thread: self.thread.unwrap_or_else(|| rollout.clone()),
            turn: self.turn.unwrap_or_else(|| rollout.clone()),
            rollout,
        }
    }

    /// What was said first, then the call that this one is part of, then its own span as the outermost one.
    pub(crate) fn scope(self, parent: Option<&Arc<Scope>>, span: SpanIds) -> Arc<Scope> {
        let said = match parent {
            Some(scope) if self.is_empty() => return Arc::clone(scope),
            Some(parent) => Self {
                tenant: self.tenant.or_else(|| parent.tenant.clone()),
                rollout: self.rollout.or_else(|| Some(parent.rollout.clone())),
                thread: self.thread.or_else(|| Some(parent.thread.clone())),
                turn: self.turn.or_else(|| Some(parent.turn.clone())),
            },
            None => self,
        };
        let own = match (&said.rollout, &said.thread, &said.turn) {
            (Some(_), Some(_), Some(_)) => ByteString::new(),
            _ => span.own_id(),
        };
        Arc::new(Scope {
            tenant: said.tenant,
            rollout: said.rollout.unwrap_or_else(|| own.clone()),
            thread: said.thread.unwrap_or_else(|| own.clone()),
            turn: said.turn.unwrap_or(own),
        })
    }
}
