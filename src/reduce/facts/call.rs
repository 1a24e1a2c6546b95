//! The facts of one call.

use super::observation::{Closing, Observation, Opening};
use super::versions::Versions;

/// Every version of both halves of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::reduce) struct CallFacts {
    pub(in crate::reduce) openings: Versions<Opening>,
    pub(in crate::reduce) closings: Versions<Closing>,
}

impl CallFacts {
    pub(in crate::reduce) fn contains(&self, observation: &Observation) -> bool {
        match observation {
            Observation::Opening(opening) => self.openings.contains(opening),
            Observation::Closing(closing) => self.closings.contains(closing),
        }
    }

    pub(in crate::reduce) fn insert(&mut self, observation: Observation) -> bool {
        match observation {
            Observation::Opening(opening) => self.openings.insert(opening),
            Observation::Closing(closing) => self.closings.insert(closing),
        }
    }
}
