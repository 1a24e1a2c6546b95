//! Objects in the pass: keys, and the order of members.

use std::cmp::Ordering;

use super::escape;
use super::member::{Key, Keys, Member};
use super::writer::{Open, Writer};

impl Writer<'_> {
    /// Reads a key and its colon, and opens the member.
    pub(super) fn key(&mut self) -> Option<()> {
        self.skip_whitespace();
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.place();
        let first = self.next + 1;
        let escapes = self.string()?;
        let characters = first..self.next - 1;
        let key = if escapes {
            let from = self.resolved_keys.len();
            escape::unescape(self.input.get(characters)?, &mut self.resolved_keys);
            Key::Resolved(from..self.resolved_keys.len())
        } else {
            Key::Input(characters)
        };
        self.note_order(&key)?;
        self.members.push(Member { key, place: start..start });
        self.skip_whitespace();
        if self.peek()? != b':' {
            return None;
        }
        self.next += 1;
        Some(())
    }

    /// Nothing if the key is that of the member before.
    fn note_order(&mut self, key: &Key) -> Option<()> {
        let keys = Keys { input: self.input, resolved: &self.resolved_keys };
        if let Some(Open::Object { first_member, in_order }) = self.open.last_mut()
            && let Some(before) = self.members.get(*first_member..).and_then(<[Member]>::last)
        {
            match keys.compare(&before.key, key) {
                Ordering::Less => {}
                Ordering::Equal => return None,
                Ordering::Greater => *in_order = false,
            }
        }
        Some(())
    }

    /// Puts the members of the innermost object in order. Nothing if two have one key.
    pub(super) fn reorder(&mut self, first_member: usize) -> Option<()> {
        self.copy_up_to(self.next);
        let keys = Keys { input: self.input, resolved: &self.resolved_keys };
        let members = self.members.get_mut(first_member..)?;
        let start = members.first()?.place.start;
        // A member ends where the comma before the next one stands.
        let mut end = self.out.len();
        for member in members.iter_mut().rev() {
            member.place.end = end;
            end = member.place.start.saturating_sub(1);
        }
        members.sort_unstable_by(|a, b| keys.compare(&a.key, &b.key));
        let is_twice = |pair: &[Member]| matches!(pair, [a, b] if keys.compare(&a.key, &b.key) == Ordering::Equal);
        if members.windows(2).any(is_twice) {
            return None;
        }
        self.reordered.clear();
        self.reordered.reserve(self.out.capacity());
        for (nth, member) in members.iter().enumerate() {
            if nth > 0 {
                self.reordered.push(b',');
            }
            self.reordered.extend_from_slice(self.out.get(member.place.clone())?);
        }
        self.out.truncate(start);
        self.out.extend_from_slice(&self.reordered);
        self.members.truncate(first_member);
        Some(())
    }
}
