//! Digests of long contents, made two at a time before they are asked for.

use std::cell::Cell;

use smallvec::SmallVec;

use super::hasher::{Last, finish_all};
use super::normal::{self, Piece};
use super::{Canonical, Hasher, canonical, digest};
#[cfg(feature = "import")]
use crate::event::Role;
use crate::event::{Digest, Message, Part, RawBytes, RawText, ResultContent};

/// What is shorter is hashed as soon as it is put aside.
const LONG: usize = 256;
/// What is hashed beside a text that is long takes hardly longer than that alone: only what is shorter is not worth it.
#[cfg(feature = "import")]
const SHORT: usize = 32;
/// So many stand alone in the events that are looked at together, at the most: more would take memory of their own, and a
/// search that is no longer short.
const MANY: usize = 32;

/// The function D, and what it has made of some contents already. These are to be asked for in the order in which they
/// stand; what is not among them is hashed when it is asked for.
pub(super) struct Ahead<'a> {
    hasher: &'a Hasher,
    made: SmallVec<[(Content<'a>, Digest); 4]>,
    next: Cell<usize>,
}

/// A content, the very same and not one that equals it: what another one is is not known.
#[derive(Clone, Copy)]
enum Content<'a> {
    Text(&'a RawText),
    Bytes(&'a RawBytes),
}

/// The only long content of each of several events, of which the digests are made together. Where there are more in one, these
/// are made beside each other.
#[derive(Default)]
pub(in crate::privacy) struct Foretelling<'a> {
    contents: SmallVec<[&'a RawText; MANY]>,
    last: SmallVec<[Last<'a>; MANY]>,
}

/// The digests of contents, each of the very same and not of one that equals it.
#[derive(Default)]
pub(in crate::privacy) struct Foretold<'a>(SmallVec<[(&'a RawText, Digest); MANY]>);

/// Those at hand.
#[derive(Clone, Copy)]
pub(crate) struct Made<'a>(&'a [(&'a RawText, Digest)]);

/// A content that is long enough, and what it is.
struct Long<'a> {
    content: Content<'a>,
    of: Of<'a>,
}

enum Of<'a> {
    Plain(Plain<'a>),
    Call { name: &'a str, exact: &'a str, arguments: Option<Canonical<'a>> },
}

/// What is hashed as it stands.
#[derive(Clone, Copy)]
enum Plain<'a> {
    Text(&'a str),
    Reasoning(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> Ahead<'a> {
    /// Nothing is made ahead.
    pub(super) const fn nothing(hasher: &'a Hasher) -> Self {
        Self { hasher, made: SmallVec::new_const(), next: Cell::new(0) }
    }

    /// The digests of these pieces are asked for next. Some of them may be made already.
    pub(super) fn of(hasher: &'a Hasher, pieces: &[Piece<'a>], made: Made<'a>) -> Self {
        let mut all = SmallVec::<[Long<'_>; 4]>::new();
        for piece in pieces {
            match piece {
                Piece::Result { content: ResultContent::Text(text), .. } => all.extend(Long::of_text(text, LONG)),
                Piece::Result { content: ResultContent::Parts(_), .. } => {}
                Piece::Rest { parts, .. } => {
                    all.extend(normal::without_results(parts).filter_map(|part| Long::of_part(part, LONG)));
                }
            }
        }
        let digests = match all.as_slice() {
            [] => SmallVec::new(),
            // One alone is hashed when it is asked for, if it was not beside another event's.
            [Long { content: Content::Text(text), .. }] => made.of(text).into_iter().collect(),
            [_] => SmallVec::new(),
            _ => {
                all.iter_mut().for_each(Long::read);
                finish_all(all.iter().map(|long| long.last(hasher)))
            }
        };
        let made = all.iter().map(|long| long.content).zip(digests).collect();
        Self { hasher, made, next: Cell::new(0) }
    }

    /// Of these parts some have been hashed, each by its place and in order; of the others nothing is made ahead but where
    /// none has been.
    #[cfg(feature = "import")]
    pub(super) fn knowing(hasher: &'a Hasher, role: Role, parts: &'a [Part], hashed: &[Hashed]) -> Self {
        if hashed.is_empty() {
            return Self::of(hasher, &[Piece::Rest { role, parts }], Made::NONE);
        }
        let made = hashed.iter().filter_map(|Hashed { place, digest }| match parts.get(*place)? {
            Part::Text(text) | Part::Reasoning(text) | Part::ToolCall { arguments: text, .. } => {
                Some((Content::Text(text), *digest))
            }
            Part::Blob(bytes) | Part::Encrypted(bytes) => Some((Content::Bytes(bytes), *digest)),
            _ => None,
        });
        Self { hasher, made: made.collect(), next: Cell::new(0) }
    }

    pub(super) const fn hasher(&self) -> &'a Hasher {
        self.hasher
    }

    pub(super) fn text(&self, text: &RawText) -> Option<Digest> {
        self.made(Content::Text(text)).or_else(|| Some(digest::text(self.hasher, text.expose()?)))
    }

    pub(super) fn reasoning(&self, text: &RawText) -> Option<Digest> {
        self.made(Content::Text(text)).or_else(|| Some(digest::reasoning(self.hasher, text.expose()?)))
    }

    pub(super) fn call(&self, name: &RawText, arguments: &RawText) -> Option<Digest> {
        let made = self.made(Content::Text(arguments));
        made.or_else(|| Some(digest::call(self.hasher, name.expose()?, arguments.expose()?)))
    }

    pub(super) fn bytes(&self, bytes: &RawBytes) -> Option<Digest> {
        self.made(Content::Bytes(bytes)).or_else(|| Some(digest::blob(self.hasher, bytes.expose()?)))
    }

    fn made(&self, content: Content<'_>) -> Option<Digest> {
        let (known, digest) = self.made.get(self.next.get())?;
        known.is(content).then(|| {
            self.next.set(self.next.get() + 1);
            *digest
        })
    }
}

impl<'a> Foretelling<'a> {
    /// Adds the only long content of these messages, if there is one.
    pub(in crate::privacy) fn add(&mut self, hasher: &Hasher, messages: &'a [Message]) {
        let parts = messages.iter().flat_map(|message| &message.parts);
        let mut all = parts.filter_map(|part| match part {
            Part::ToolResult { content: ResultContent::Text(text), .. } => Long::of_text(text, LONG),
            part => Long::of_part(part, LONG),
        });
        // What is hashed of a call's arguments would have to be kept.
        if let (Some(Long { content: Content::Text(content), of: Of::Plain(plain) }), None) = (all.next(), all.next()) {
            self.contents.push(content);
            self.last.push(plain.last(hasher));
        }
    }

    /// Makes the digests, two at a time. One alone is made when it is asked for.
    pub(in crate::privacy) fn make(self) -> Foretold<'a> {
        let Self { contents, last } = self;
        if contents.len() < 2 {
            return Foretold::default();
        }
        Foretold(contents.into_iter().zip(finish_all(last.into_iter())).collect())
    }
}

impl Foretold<'_> {
    pub(in crate::privacy) fn made(&self) -> Made<'_> {
        Made(&self.0)
    }

    #[cfg(test)]
    pub(in crate::privacy) fn count(&self) -> usize {
        self.0.len()
    }
}

impl Made<'_> {
    pub(crate) const NONE: Self = Self(&[]);

    fn of(self, content: &RawText) -> Option<Digest> {
        self.0.iter().find_map(|(made, digest)| std::ptr::eq(*made, content).then_some(*digest))
    }
}

/// A part of a message that has been hashed, by its place.
#[cfg(feature = "import")]
#[derive(Clone, Copy)]
pub(crate) struct Hashed {
    place: usize,
    digest: Digest,
}

/// The digest of a long text, made beside those of parts of a message after the ones that have been hashed, as many as take
/// as long together. Nothing where there is none.
#[cfg(feature = "import")]
pub(in crate::privacy) fn beside(
    hasher: &Hasher,
    text: &str,
    parts: &[Part],
    hashed: &mut SmallVec<[Hashed; 1]>,
) -> Option<Digest> {
    if !(LONG..=RawText::MAX_BYTES).contains(&text.len()) {
        return None;
    }
    let first = hashed.last().map_or(0, |hashed| hashed.place + 1);
    let mut others = parts.iter().enumerate().skip(first);
    let mut taken = SmallVec::<[(usize, Long<'_>); 4]>::new();
    let mut length = 0;
    while length < text.len()
        && let Some((place, part)) = others.next()
    {
        if let Some(mut other) = Long::of_part(part, SHORT) {
            other.read();
            length += other.length();
            taken.push((place, other));
        }
    }
    if taken.is_empty() {
        return None;
    }
    let others = taken.iter().map(|(_, other)| other.last(hasher));
    let digests = finish_all([Plain::Text(text).last(hasher)].into_iter().chain(others));
    let (told, digests) = digests.split_first()?;
    hashed.extend(taken.iter().zip(digests).map(|((place, _), digest)| Hashed { place: *place, digest: *digest }));
    Some(*told)
}

impl Content<'_> {
    fn is(self, other: Content<'_>) -> bool {
        match (self, other) {
            (Self::Text(one), Content::Text(other)) => std::ptr::eq(one, other),
            (Self::Bytes(one), Content::Bytes(other)) => std::ptr::eq(one, other),
            _ => false,
        }
    }
}

impl<'a> Long<'a> {
    /// A content, where it has at least so many bytes.
    fn of(content: &'a RawText, least: usize, of: impl FnOnce(&'a str) -> Of<'a>) -> Option<Self> {
        let text = content.expose().filter(|text| text.len() >= least)?;
        Some(Self { content: Content::Text(content), of: of(text) })
    }

    fn of_text(text: &'a RawText, least: usize) -> Option<Self> {
        Self::of(text, least, |text| Of::Plain(Plain::Text(text)))
    }

    /// That of a part which is no result, likewise.
    fn of_part(part: &'a Part, least: usize) -> Option<Self> {
        match part {
            Part::Text(text) => Self::of_text(text, least),
            Part::Reasoning(text) => Self::of(text, least, |text| Of::Plain(Plain::Reasoning(text))),
            Part::ToolCall { name, arguments, .. } => {
                let name = name.expose()?;
                Self::of(arguments, least, |exact| Of::Call { name, exact, arguments: None })
            }
            Part::Blob(content) | Part::Encrypted(content) => {
                let bytes = content.expose().filter(|bytes| bytes.len() >= least)?;
                Some(Self { content: Content::Bytes(content), of: Of::Plain(Plain::Bytes(bytes)) })
            }
            _ => None,
        }
    }

    /// Brings the arguments of a call into the form that is hashed.
    fn read(&mut self) {
        if let Of::Call { exact, arguments, .. } = &mut self.of {
            *arguments = canonical(exact);
        }
    }

    #[cfg(feature = "import")]
    const fn length(&self) -> usize {
        match self.of {
            Of::Plain(Plain::Text(text) | Plain::Reasoning(text)) | Of::Call { exact: text, .. } => text.len(),
            Of::Plain(Plain::Bytes(bytes)) => bytes.len(),
        }
    }

    fn last(&self, hasher: &Hasher) -> Last<'_> {
        match &self.of {
            Of::Call { name, exact, arguments } => {
                let arguments = arguments.as_ref().map_or(exact.as_bytes(), Canonical::as_bytes);
                digest::last_of_call(hasher, name, arguments)
            }
            Of::Plain(plain) => plain.last(hasher),
        }
    }
}

impl<'a> Plain<'a> {
    fn last(self, hasher: &Hasher) -> Last<'a> {
        match self {
            Self::Text(text) => Last { hashing: hasher.begin(), piece: text.as_bytes() },
            Self::Reasoning(text) => digest::last_of_reasoning(hasher, text),
            Self::Bytes(piece) => Last { hashing: hasher.begin(), piece },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::{item, result_item};
    use super::super::normal::Calls;
    use super::*;
    use crate::event::{Message, RawBytes, Role};

    fn long(number: usize) -> String {
        format!("{number} ").repeat(LONG * (1 + number % 5))
    }

    fn call(name: &'static str, arguments: String) -> Part {
        Part::ToolCall { id: Some(name.into()), name: name.into(), arguments: arguments.into() }
    }

    fn result(content: ResultContent) -> Part {
        Part::ToolResult { call_id: Some("read".into()), content }
    }

    fn history() -> Vec<Message> {
        let shared: std::sync::Arc<str> = long(3).into();
        let spaced = format!(r#"{{"b": "{}", "a": 1}}"#, long(4));
        let parts = vec![Part::Text(long(5).into()), Part::Reasoning(long(6).into())];
        vec![
            Message::text(Role::User, long(1)),
            Message {
                role: Role::Assistant,
                parts: vec![
                    Part::Reasoning(shared.clone().into()),
                    Part::Text(shared.clone().into()),
                    Part::Text(shared.into()),
                    call("read", spaced),
                    call("short", "{}".to_owned()),
                    call("no", long(7)),
                    Part::Blob(RawBytes::from(vec![7; 1000])),
                    Part::Other(format!("[\"{}\"]", long(8)).into()),
                ],
            },
            Message {
                role: Role::User,
                parts: vec![
                    Part::Text(long(9).into()),
                    result(ResultContent::Parts(parts)),
                    result(ResultContent::Text(long(10).into())),
                    Part::Text("short".into()),
                ],
            },
            Message::text(Role::User, "x".repeat(RawText::MAX_BYTES + 1)),
            Message::text(Role::Assistant, long(11)),
        ]
    }

    #[test]
    fn what_is_made_ahead_is_what_is_made_when_it_is_asked_for() {
        for hasher in [Hasher::sha256(), Hasher::hmac_sha256(b"key")] {
            let messages = history();
            let (mut calls, mut pieces) = (Calls::default(), Vec::new());
            messages.iter().for_each(|message| calls.pieces(message, |piece| pieces.push(piece)));
            let items = |ahead: &Ahead<'_>| -> Vec<_> {
                let of_piece = |piece: &Piece<'_>| match piece {
                    Piece::Result { ordinal, content } => result_item(ahead, *ordinal, content),
                    Piece::Rest { role, parts } => item(ahead, *role, parts),
                };
                pieces.iter().map(of_piece).collect()
            };
            let ahead = Ahead::of(&hasher, &pieces, Made::NONE);
            assert_eq!(items(&ahead), items(&Ahead::nothing(&hasher)));
            assert_eq!((ahead.next.get(), ahead.made.len()), (10, 10), "each was asked for");
        }
    }

    #[test]
    fn what_was_foretold_of_a_content_is_told_of_it_and_of_no_equal_one() {
        let hasher = Hasher::sha256();
        let messages = [Message::text(Role::User, long(1)), Message::text(Role::User, long(1))];
        let Part::Text(first) = &messages[0].parts[0] else { panic!("a text") };
        // One that nobody would make of it.
        let sign = Digest { bytes: [7; 32], ..hasher.digest(&[]) };
        let foretold = Foretold([(first, sign)].into_iter().collect());
        let told = |message: &Message| {
            let pieces = [Piece::Rest { role: message.role, parts: &message.parts }];
            let Piece::Rest { role, parts } = &pieces[0] else { unreachable!() };
            item(&Ahead::of(&hasher, &pieces, foretold.made()), *role, parts).0.digest
        };
        assert_eq!(told(&messages[0]), Some(sign));
        assert_eq!(told(&messages[1]), Some(hasher.digest(&[long(1).as_bytes()])));
    }
}
