//! Which run is held against which.

use std::collections::HashMap;
use std::sync::Arc;

use bytestring::ByteString;

use crate::event::{CallRecord, Value, Veiled};
use crate::reduce::RolloutKey;
use crate::replay::run::Run;
use crate::semconv::{KeyId, REPLAY_OF};

/// The runs that others are held against, and which are.
#[derive(Clone, Debug, Default)]
pub struct Baselines {
    runs: HashMap<RolloutKey, Arc<Run>>,
    rules: Vec<BaselineRule>,
}

/// Runs with this label are held against this baseline, unless they name one themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineRule {
    /// The name of the label.
    pub key: KeyId,
    /// What it has to be on a call of the run.
    pub value: ByteString,
    /// The rollout of the baseline.
    pub baseline: ByteString,
}

/// The name of a run's baseline, and whether the run has named it itself.
pub(super) struct Named {
    pub(super) name: ByteString,
    pub(super) by_itself: bool,
}

impl Baselines {
    /// These runs, for those that name them by `veilspan.replay.of`.
    pub fn new(runs: impl IntoIterator<Item = Run>) -> Self {
        let key = |run: &Run| RolloutKey { tenant: run.tenant.clone(), rollout: run.rollout.clone() };
        Self { runs: runs.into_iter().map(|run| (key(&run), Arc::new(run))).collect(), rules: Vec::new() }
    }

    /// The same, and for those that a rule names them for. The first rule that fits counts.
    #[must_use]
    pub fn with_rules(mut self, rules: impl IntoIterator<Item = BaselineRule>) -> Self {
        self.rules.extend(rules);
        self
    }

    /// How many runs there are.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether some tenant, or none, has a run of this rollout.
    pub fn contains(&self, rollout: &str) -> bool {
        self.runs.keys().any(|key| key.rollout == rollout)
    }

    pub(super) fn named(&self, call: &CallRecord<Veiled>) -> Option<Named> {
        let attrs = &call.opened.attrs;
        if let Some(name) = attrs.get(REPLAY_OF) {
            return Some(Named { name, by_itself: true });
        }
        let fits =
            |rule: &&BaselineRule| matches!(attrs.value(rule.key), Some(Value::Text(text)) if *text == rule.value);
        // No run is held against itself, also where it has the label that its successors have.
        let rule = self.rules.iter().find(fits).filter(|rule| rule.baseline != call.scope.rollout)?;
        Some(Named { name: rule.baseline.clone(), by_itself: false })
    }

    /// A baseline of the same tenant: what another one's run did is not told here.
    pub(super) fn of(&self, run: &RolloutKey, name: &ByteString) -> Option<Arc<Run>> {
        let key = RolloutKey { tenant: run.tenant.clone(), rollout: name.clone() };
        self.runs.get(&key).map(Arc::clone)
    }
}
