//! Where a call stands, for others to belong to it or to refer to it.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::event::{Scope, SpanId, TraceId};
use crate::intake::Desk;

/// The call that a new one is part of.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) scope: Arc<Scope>,
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) is_remote: bool,
}

/// Who records a new call, and what it is part of.
#[derive(Clone)]
pub(super) struct Origin {
    pub(super) desk: Arc<Desk>,
    pub(super) parent: Option<Place>,
    /// The span of another process that it is part of, where nothing is known of that span's identity.
    pub(super) remote: Option<(TraceId, SpanId)>,
}

/// A [`Place`] that somebody lends: to begin a call there, nothing has to be shared first.
#[derive(Clone, Copy)]
pub(super) struct LentPlace<'a> {
    pub(super) scope: &'a Arc<Scope>,
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) is_remote: bool,
}

/// An [`Origin`] that somebody lends.
#[derive(Clone, Copy)]
pub(super) struct LentOrigin<'a> {
    pub(super) desk: &'a Arc<Desk>,
    pub(super) parent: Option<LentPlace<'a>>,
    pub(super) remote: Option<(TraceId, SpanId)>,
}

impl Place {
    pub(super) const fn lend(&self) -> LentPlace<'_> {
        let Self { scope, trace, span, is_remote } = self;
        LentPlace { scope, trace: *trace, span: *span, is_remote: *is_remote }
    }
}

impl Origin {
    pub(super) fn lend(&self) -> LentOrigin<'_> {
        LentOrigin { desk: &self.desk, parent: self.parent.as_ref().map(Place::lend), remote: self.remote }
    }
}

impl LentOrigin<'_> {
    /// One to keep.
    pub(super) fn to_origin(self) -> Origin {
        let parent = self.parent.map(|LentPlace { scope, trace, span, is_remote }| Place {
            scope: Arc::clone(scope),
            trace,
            span,
            is_remote,
        });
        Origin { desk: Arc::clone(self.desk), parent, remote: self.remote }
    }
}

/// Where a call stands: for a later turn to follow it, for another to be linked to it, for a resumption in another process.
///
/// Of a disabled recorder it is empty, and whatever is given an empty one goes without.
#[derive(Clone, Default)]
pub struct CallRef {
    pub(super) place: Option<Place>,
    /// Of a turn: its part between waits.
    pub(super) segment: u32,
}

/// A text that is no reference. Says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a reference to a call")]
pub struct InvalidReference;

impl CallRef {
    /// A call that was recorded elsewhere, by its identity path and its span.
    pub(crate) fn of_span(scope: Scope, trace: TraceId, span: SpanId) -> Self {
        Self { place: Some(Place { scope: Arc::new(scope), trace, span, is_remote: true }), segment: 0 }
    }

    /// The identity path of the call; nothing where the recorder is disabled.
    pub fn scope(&self) -> Option<&Scope> {
        self.place.as_ref().map(|place| &*place.scope)
    }

    /// The reference as a text, to be kept and read again by [`from_token`](Self::from_token). Holds the ids as the caller
    /// gave them, so whoever keeps it keeps them.
    pub fn to_token(&self) -> String {
        Value::Object(self.to_json()).to_string()
    }

    /// Reads what [`to_token`](Self::to_token) wrote.
    ///
    /// # Errors
    ///
    /// The text is something else.
    pub fn from_token(token: &str) -> Result<Self, InvalidReference> {
        let value: Value = serde_json::from_str(token).map_err(|_| InvalidReference)?;
        Self::from_json(&value)
    }

    pub(super) fn to_json(&self) -> Map<String, Value> {
        let mut token = Map::new();
        let mut put = |key: &str, value: Value| drop(token.insert(key.to_owned(), value));
        put("segment", json!(self.segment));
        if let Some(Place { scope, trace, span, .. }) = &self.place {
            put("trace", json!(trace.to_string()));
            put("span", json!(span.to_string()));
            put("tenant", json!(scope.tenant.as_deref()));
            put("rollout", json!(&*scope.rollout));
            put("thread", json!(&*scope.thread));
            put("turn", json!(&*scope.turn));
        }
        token
    }

    pub(super) fn from_json(token: &Value) -> Result<Self, InvalidReference> {
        let text = |key: &str| token.get(key).and_then(Value::as_str);
        let segment = token.get("segment").and_then(Value::as_u64).and_then(|segment| u32::try_from(segment).ok());
        let segment = segment.ok_or(InvalidReference)?;
        if token.get("trace").is_none() {
            return Ok(Self { place: None, segment });
        }
        let id = |key| text(key).map(Scope::id).ok_or(InvalidReference);
        let scope = Scope {
            tenant: text("tenant").map(Scope::id),
            rollout: id("rollout")?,
            thread: id("thread")?,
            turn: id("turn")?,
        };
        let trace = text("trace").and_then(|id| id.parse().ok()).ok_or(InvalidReference)?;
        let span = text("span").and_then(|id| id.parse().ok()).ok_or(InvalidReference)?;
        Ok(Self { place: Some(Place { scope: Arc::new(scope), trace, span, is_remote: true }), segment })
    }
}

impl fmt::Debug for CallRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallRef").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_as_it_was_written_and_nothing_else_is() {
        let scope = Scope { tenant: None, rollout: "r".into(), thread: "th".into(), turn: "two words".into() };
        let (trace, span) = (TraceId::random(), SpanId::random());
        let place = Place { scope: Arc::new(scope), trace, span, is_remote: false };
        let reference = CallRef { place: Some(place), segment: 3 };
        let read = CallRef::from_token(&reference.to_token()).unwrap();
        assert_eq!((read.scope(), read.segment), (reference.scope(), 3));
        assert!(CallRef::from_token(&CallRef::default().to_token()).unwrap().place.is_none());
        for wrong in ["", "{}", "null", "[]", "{\"segment\":-1}", "{\"segment\":0,\"trace\":\"0\"}"] {
            assert_eq!(CallRef::from_token(wrong).unwrap_err(), InvalidReference, "{wrong}");
        }
    }
}
