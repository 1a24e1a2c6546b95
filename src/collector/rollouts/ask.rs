//! What is asked.

use serde_json::{Map, Value};
use tonic::Status;

use super::schema;
use crate::reduce::RolloutKey;
use crate::reduce::proto::{Schema, from_proto};

/// A method of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    List,
    Get,
    Restore,
    Diff,
}

impl Method {
    /// The method at a path.
    pub(super) fn at(path: &str) -> Option<Self> {
        match path.strip_prefix("/veilspan.v1.RolloutService/")? {
            "ListRollouts" => Some(Self::List),
            "GetRollout" => Some(Self::Get),
            "RestoreRollout" => Some(Self::Restore),
            "DiffRollouts" => Some(Self::Diff),
            _ => None,
        }
    }

    const fn question(self) -> &'static Schema {
        match self {
            Self::List => &schema::LIST_REQUEST,
            Self::Get => &schema::GET_REQUEST,
            Self::Restore => &schema::RESTORE_REQUEST,
            Self::Diff => &schema::DIFF_REQUEST,
        }
    }

    pub(super) const fn answer(self) -> &'static Schema {
        match self {
            Self::List => &schema::LIST_RESPONSE,
            Self::Get => &schema::GET_RESPONSE,
            Self::Restore => &schema::RESTORE_RESPONSE,
            Self::Diff => &schema::DIFF_RESPONSE,
        }
    }
}

/// Where a rollout is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Live,
    Recorded,
}

impl Source {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Recorded => "recorded",
        }
    }
}

/// A request, read.
pub(super) struct Ask(Map<String, Value>);

impl Ask {
    pub(super) fn read(method: Method, message: &[u8]) -> Result<Self, Status> {
        let fields = from_proto(method.question(), message);
        fields.map(Self).map_err(|error| Status::invalid_argument(format!("not a question: {error}")))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name).and_then(Value::as_u64)
    }

    /// How many are wanted, where nobody says or says too many so many.
    pub(super) fn page_size(&self, most: usize) -> usize {
        let wanted = self.number("page_size").and_then(|size| usize::try_from(size).ok());
        wanted.filter(|size| *size > 0).unwrap_or(most).min(most)
    }

    /// The rollout that a field names, of the tenant that is asked for.
    pub(super) fn rollout(&self, name: &'static str) -> Result<RolloutKey, Status> {
        let rollout = self.text(name).ok_or_else(|| Status::invalid_argument(format!("`{name}` is missing")))?;
        Ok(RolloutKey { tenant: self.text("tenant").map(Into::into), rollout: rollout.into() })
    }

    /// Where to look; everywhere, where nobody says.
    pub(super) fn source(&self) -> Result<Option<Source>, Status> {
        match self.text("source") {
            None => Ok(None),
            Some("live") => Ok(Some(Source::Live)),
            Some("recorded") => Ok(Some(Source::Recorded)),
            Some(_) => Err(Status::invalid_argument("`source` is `live` or `recorded`")),
        }
    }
}
