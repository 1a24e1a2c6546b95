//! Requests that extend a history which is shown only later: by clocks that disagree, or by what was told late.

use std::collections::VecDeque;

use hashbrown::{HashMap, HashSet};

use super::items::{Asked, Install, Step};
use crate::event::Digest;
use crate::reduce::graph::Turn;

#[derive(Default)]
pub(super) struct Waiting {
    /// By the history that they wait for.
    steps: HashMap<Digest, Vec<Step>>,
    /// Those histories, the one that was waited for first in front. What has been shown by now may be among them.
    order: VecDeque<Digest>,
    /// The requests that wait.
    asking: HashSet<Asked>,
    /// What nothing waits for any more.
    given_up: HashSet<Digest>,
    /// All that is ever shown, once somebody asks for it.
    shown: Option<HashMap<Digest, By>>,
}

/// Who shows a history.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    One(Asked),
    Others,
}

impl Waiting {
    /// Whether anybody but the request itself shows this history, sooner or later: no request vouches for its own prefix.
    pub(super) fn is_worth_it(&mut self, chain: &Digest, asked: Asked, turns: &[Turn], installs: &[Install]) -> bool {
        let shown = self.shown.get_or_insert_with(|| all_shown(turns, installs));
        shown.get(chain).is_some_and(|by| *by != By::One(asked)) && !self.given_up.contains(chain)
    }

    /// A request waits.
    pub(super) fn ask(&mut self, chain: Digest, asked: Asked) {
        self.asking.insert(asked);
        let steps = self.steps.entry(chain).or_insert_with(|| {
            self.order.push_back(chain);
            Vec::new()
        });
        steps.push(Step::Request(asked));
    }

    /// A request waits no more.
    pub(super) fn goes_on(&mut self, asked: Asked) {
        if !self.asking.is_empty() {
            self.asking.remove(&asked);
        }
    }

    /// An answer waits with its request. Whether it does.
    pub(super) fn answer(&mut self, chain: Option<Digest>, asked: Asked) -> bool {
        if self.asking.is_empty() || !self.asking.contains(&asked) {
            return false;
        }
        let Some(steps) = chain.and_then(|chain| self.steps.get_mut(&chain)) else { return false };
        steps.push(Step::Response(asked));
        true
    }

    /// What waited for a history.
    pub(super) fn take(&mut self, chain: &Digest) -> Vec<Step> {
        if self.steps.is_empty() { Vec::new() } else { self.steps.remove(chain).unwrap_or_default() }
    }

    /// When nothing else is left, requests wait for one another: what the first of them extends is not known.
    pub(super) fn give_up(&mut self) -> Vec<Step> {
        while let Some(chain) = self.order.pop_front() {
            if let Some(steps) = self.steps.remove(&chain) {
                self.given_up.insert(chain);
                return steps;
            }
        }
        Vec::new()
    }
}

fn all_shown(turns: &[Turn], installs: &[Install]) -> HashMap<Digest, By> {
    let mut all = HashMap::new();
    for (asked, inference) in Asked::all(turns) {
        if let Some(chain) = inference.input.chain.filter(|_| inference.call.opened_at.is_some()) {
            all.entry(chain).and_modify(|by| *by = By::Others).or_insert(By::One(asked));
        }
    }
    all.extend(installs.iter().filter_map(|install| Some((install.chain?, By::Others))));
    all
}
