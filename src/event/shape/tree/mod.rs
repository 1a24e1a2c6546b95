//! JSON read for once: its strings stand in the text that it is read from.
//!
//! Promises to take what [`serde_json::from_str`] takes, and to say the same of it: of a key that stands twice the last
//! value, and no more than 127 arrays and objects in each other. What has escapes, and so had to be copied, is wiped.
//! Costs a vector for each array and object, and nothing for a string without escapes.

mod node;
mod read;
mod string;
#[cfg(test)]
mod tests;
mod write;

use serde_json::Number;

pub(crate) use string::Text;

/// A JSON value.
#[derive(Default)]
#[allow(missing_debug_implementations)]
pub(crate) enum Tree<'a> {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    String(Text<'a>),
    Array {
        elements: Vec<Self>,
        /// Where it stands, if that is how it would be written again.
        text: Option<&'a str>,
    },
    Object {
        /// In the order in which they stand; each key once.
        members: Vec<(Text<'a>, Self)>,
        text: Option<&'a str>,
    },
}

impl<'a> Tree<'a> {
    /// An array.
    pub(crate) const fn array(elements: Vec<Self>) -> Self {
        Self::Array { elements, text: None }
    }

    /// An object. Of a key that stands twice the last value counts, in the place of the first.
    pub(crate) fn object(mut members: Vec<(Text<'a>, Self)>) -> Self {
        unique(&mut members);
        Self::Object { members, text: None }
    }

    fn member_named(&self, key: &str) -> Option<&Self> {
        let Self::Object { members, .. } = self else { return None };
        members.iter().find(|(name, _)| name.as_str() == key).map(|(_, value)| value)
    }

    /// A member, which is a null afterwards.
    pub(crate) fn take(&mut self, key: &str) -> Option<Self> {
        let Self::Object { members, text } = self else { return None };
        let (_, value) = members.iter_mut().find(|(name, _)| name.as_str() == key)?;
        *text = None;
        Some(std::mem::take(value))
    }
}

/// Objects of so few members are looked through one by one.
const FEW: usize = 16;

/// Leaves of members with the same key the first, with the value of the last, and says whether there were any.
fn unique(members: &mut Vec<(Text<'_>, Tree<'_>)>) -> bool {
    let is_unique = if members.len() <= FEW {
        let mut rest = members.as_slice();
        loop {
            let Some(((key, _), after)) = rest.split_first() else { break true };
            if after.iter().any(|(other, _)| other.as_str() == key.as_str()) {
                break false;
            }
            rest = after;
        }
    } else {
        let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        keys.is_sorted_by(|one, other| one < other)
    };
    if !is_unique {
        join(members);
    }
    !is_unique
}

#[cold]
fn join(members: &mut Vec<(Text<'_>, Tree<'_>)>) {
    let mut places = (0..members.len()).collect::<Vec<_>>();
    let key = |place: &usize| members.get(*place).map(|(key, _)| key.as_str());
    // By key, and those of one key in the order in which they stand.
    places.sort_by(|one, other| key(one).cmp(&key(other)));
    let (mut moves, mut is_first) = (Vec::new(), vec![true; members.len()]);
    for same in places.chunk_by(|one, other| key(one) == key(other)) {
        let [first, others @ ..] = same else { continue };
        moves.extend(others.last().map(|last| (*first, *last)));
        for place in others {
            if let Some(is_first) = is_first.get_mut(*place) {
                *is_first = false;
            }
        }
    }
    for (first, last) in moves {
        let value = members.get_mut(last).map(|(_, value)| std::mem::take(value));
        if let (Some(value), Some((_, place))) = (value, members.get_mut(first)) {
            *place = value;
        }
    }
    let mut is_first = is_first.into_iter();
    members.retain(|_| is_first.next().unwrap_or(true));
}
