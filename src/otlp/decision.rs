//! What an agent decided to do, in the words of producers without a recorder, which write the event by hand.

use super::decode::NotACall;
use super::fields::Core;
use super::view_parts::EventView;
use crate::semconv as s;

/// The attributes that an action may stand in, as far as `privacy` has left it: a digest and a length beside the name.
const ACTIONS: [&str; 2] = ["chosen_action", "action"];

/// Tells of the first that is there, unless our own names tell already.
pub(super) fn content(event: &EventView<'_>, core: &mut Core) -> Result<(), NotACall> {
    if core.tells_action() {
        return Ok(());
    }
    for name in ACTIONS {
        for attribute in event.attributes() {
            let (key, value) = attribute?;
            let id = match key.strip_prefix(name) {
                Some(".digest") => s::DECISION_ACTION_DIGEST.id(),
                Some(".length") => s::DECISION_ACTION_LENGTH.id(),
                _ => continue,
            };
            // What nobody but its sender has measured may be of any kind.
            let _ = core.set(id, &value);
        }
        if core.tells_action() {
            return Ok(());
        }
    }
    Ok(())
}
