//! Which points a history has passed on its way to where it stands: it may go back to one of them, and go on in another way.

use crate::event::Digest;

/// The newest branches that are remembered: to one before them nothing of what was said is brought back.
const REMEMBERED: usize = 64;

/// A point of a history: how many messages there were, and their chain where all of them have digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(super) count: u64,
    pub(super) head: Option<Digest>,
    /// On which branch the last of the messages was said; 0 before the first one.
    branch: u32,
}

impl Place {
    /// Before the first message.
    pub(super) const fn before_all(head: Option<Digest>) -> Self {
        Self { count: 0, head, branch: 0 }
    }
}

/// The branches on which the messages of a history were said, each with how many there were before it.
pub(super) struct Course(Vec<(u32, u64)>);

impl Course {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// A course of which nothing is known but that it leads here.
    pub(super) fn to(place: &Place) -> Self {
        Self(if place.count > 0 { vec![(place.branch, 0)] } else { Vec::new() })
    }

    /// Whether a history of this course that stands at `now` passed a place.
    pub(super) fn has_passed(&self, place: &Place, now: &Place) -> bool {
        let Some(at) = self.0.iter().position(|(branch, _)| *branch == place.branch) else { return false };
        let until = self.0.get(at + 1).map_or(now.count, |(_, before)| *before);
        place.count <= until
    }

    /// Goes back to a place.
    pub(super) fn cut(&mut self, place: &Place) {
        self.0.retain(|(_, before)| *before < place.count);
    }

    /// What is said from `place` on is said on another branch.
    pub(super) fn part(&mut self, branch: u32, place: &mut Place) {
        if self.0.len() >= REMEMBERED {
            self.0.remove(0);
        }
        self.0.push((branch, place.count));
        place.branch = branch;
    }
}

#[cfg(test)]
mod tests {
    use super::super::conversation::Conversation;
    use super::super::policy::Policy;
    use super::*;
    use crate::event::{Input, Item, Message, Role};

    fn history() -> Conversation {
        Conversation::new(Policy::builder().unkeyed_sha256().build(), Vec::new())
    }

    fn hear(history: &mut Conversation, texts: &[&str]) {
        for text in texts {
            let heard = history.telling().heard(Message::text(Role::User, *text));
            history.push(heard);
        }
    }

    /// What a keyframe tells: the chain, the messages, how many it leaves out.
    type Told = (Option<Digest>, Vec<Item>, Option<u64>);

    fn told(history: &mut Conversation) -> Told {
        let Input { prefix, chain, items, omitted, .. } = history.request();
        assert_eq!(prefix, None);
        (chain, items, omitted)
    }

    /// The same where all of these messages are known, or the newest alone.
    fn all(texts: &[&str]) -> Told {
        let mut whole = history();
        hear(&mut whole, texts);
        told(&mut whole)
    }

    fn last(texts: &[&str]) -> Told {
        let (chain, mut items, _) = all(texts);
        let omitted = items.len() as u64 - 1;
        (chain, items.split_off(items.len() - 1), Some(omitted))
    }

    #[test]
    fn a_history_that_went_back_to_before_it_was_replaced_is_the_one_before() {
        for replacement in [&["short"][..], &["short", "and", "more"], &[]] {
            let mut history = history();
            hear(&mut history, &["one", "two"]);
            let place = history.place();
            hear(&mut history, &["three"]);
            history.replace(replacement.iter().map(|text| Message::text(Role::User, *text)).collect());
            hear(&mut history, &["five", "six"]);
            history.request();
            history.rewind(place);
            hear(&mut history, &["seven"]);
            assert_eq!(told(&mut history), all(&["one", "two", "seven"]));
        }
    }

    #[test]
    fn of_a_branch_that_was_left_the_chain_alone_is_known() {
        let mut history = history();
        hear(&mut history, &["one"]);
        let fork = history.place();
        hear(&mut history, &["left"]);
        let left = history.place();
        history.rewind(fork);
        hear(&mut history, &["two", "three"]);
        history.rewind(left);
        hear(&mut history, &["four"]);
        assert_eq!(told(&mut history), last(&["one", "left", "four"]));
        hear(&mut history, &["five"]);
        assert_eq!(history.request().items.len(), 1);
        history.rewind(left);
        hear(&mut history, &["six"]);
        assert_eq!(told(&mut history), last(&["one", "left", "six"]));
        history.rewind(history.beginning());
        hear(&mut history, &["anew"]);
        assert_eq!(told(&mut history), all(&["anew"]));
    }

    #[test]
    fn of_a_history_before_the_one_that_was_replaced_last_the_chain_alone_is_known() {
        let mut history = history();
        hear(&mut history, &["one", "two"]);
        let place = history.place();
        for _ in 0..2 {
            history.replace(vec![Message::text(Role::User, "short")]);
            hear(&mut history, &["three", "four", "five"]);
        }
        history.rewind(place);
        hear(&mut history, &["six"]);
        assert_eq!(told(&mut history), last(&["one", "two", "six"]));
    }

    #[test]
    fn a_history_that_went_back_often_is_what_it_were_had_nothing_been_left() {
        let mut history = history();
        let texts: Vec<String> = (0..3 * REMEMBERED).map(|round| round.to_string()).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for text in &texts {
            let place = history.place();
            hear(&mut history, &["a", "b", "c"]);
            history.rewind(place);
            hear(&mut history, &[text]);
        }
        assert_eq!(told(&mut history), all(&texts));
    }
}
