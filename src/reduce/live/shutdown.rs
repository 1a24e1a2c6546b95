//! The end of a stage.

use super::{Effect, Reducer};

impl Reducer {
    pub(super) fn close_what_waits(&mut self, effects: &mut Vec<Effect>) {
        for deadline in self.deadlines.take_graces() {
            self.run(deadline, effects);
        }
    }
}
