//! A message of which each text was hashed once, for all that is told of it: in what the next model is sent, as what a
//! model answered, as what a tool returned, as what a turn was asked.
//!
//! Keeps the message itself only where the policy shows some of it; otherwise it is wiped as soon as it is measured.

use smallvec::SmallVec;

use super::c1::{self, Hashed, Hasher, ItemWithBlobs, Piece};
use super::classes::{self, Said};
use super::level::Level;
use super::measure::{MAX_TOLD, Telling};
use super::policy::Policy;
use crate::event::{CallKind, Item, Measure, Message, Output, Part, RawText, ResultContent, Role};
use crate::semconv::Field;

/// A message that was measured.
#[allow(missing_debug_implementations)]
pub(crate) struct Heard {
    pub(super) message: Option<Message>,
    pub(super) pieces: SmallVec<[Weighed; 1]>,
    /// Of an assistant's message the ids of its calls, each with its place among them.
    pub(super) calls: Vec<(String, u32)>,
    /// What its texts are by themselves.
    texts: SmallVec<[Measure; 1]>,
}

/// What a tool returned.
pub(crate) enum Returning<'t> {
    /// A text that stands elsewhere, and is copied only where the policy shows some of it.
    Text(&'t str),
    /// Anything else.
    Content(ResultContent),
}

/// A piece of a message that was measured. What may leave of it depends on where it is told.
pub(super) struct Weighed {
    what: What,
    to_model: bool,
    by_model: bool,
}

enum What {
    /// What the call of this id returned.
    Result {
        call: Option<String>,
        told: Measure,
    },
    Rest(ItemWithBlobs),
}

impl Weighed {
    /// The item of what a model is sent; `place` tells the place of a call among those of its message.
    pub(super) fn item(self, hasher: &Hasher, place: impl FnOnce(&str) -> Option<u32>) -> ItemWithBlobs {
        let (mut item, blobs) = match self.what {
            What::Result { call, told } => c1::result_item_of(hasher, call.as_deref().and_then(place), &told),
            What::Rest(item) => item,
        };
        if self.to_model {
            (item.digest, item.length) = (None, None);
        }
        (item, blobs)
    }
}

/// Whether any text is shown under a policy, or a placeholder for it.
pub(super) fn is_shown(policy: &Policy) -> bool {
    policy.levels().most() > Level::Digest || policy.classes().iter().any(super::ClassLevel::has_placeholder)
}

/// Whether a text is the one before, grown.
pub(crate) fn goes_on(before: &Part, text: &Part) -> bool {
    let ((Part::Text(before), Part::Text(text)) | (Part::Reasoning(before), Part::Reasoning(text))) = (before, text)
    else {
        return false;
    };
    let texts = before.expose().zip(text.expose());
    texts.is_some_and(|(before, text)| !before.is_empty() && text.starts_with(before))
}

impl Telling<'_> {
    /// Measures a message.
    pub(crate) fn heard(&self, message: Message) -> Heard {
        self.heard_knowing(message, &[])
    }

    /// The same of a message of which some parts have been hashed.
    pub(crate) fn heard_knowing(&self, message: Message, hashed: &[Hashed]) -> Heard {
        let mut heard = Heard { message: None, pieces: SmallVec::new(), calls: Vec::new(), texts: SmallVec::new() };
        c1::unplaced(&message, |id, piece| {
            let what = match &piece {
                Piece::Result { content, .. } => {
                    What::Result { call: id.map(str::to_owned), told: c1::result(self.any_hasher(), content) }
                }
                Piece::Rest { role, parts } => {
                    let text = |text| heard.texts.push(text);
                    What::Rest(c1::item_and_texts(self.any_hasher(), (*role, parts), hashed, text))
                }
            };
            let weighed = self.weighed(what, &piece);
            heard.pieces.push(weighed);
        });
        if message.role == Role::Assistant {
            heard.calls.extend(c1::named(&message.parts).map(|(id, place)| (id.to_owned(), place)));
        }
        heard.message = Some(message).filter(|_| is_shown(self.policy));
        heard
    }

    /// What the call of this id returned, and the message that tells it. `answer` are the parts of an answer that is not
    /// whole yet, and those of them that have been hashed: of two texts both are hashed sooner than one after the other.
    pub(crate) fn returned_by(
        &self,
        call: &str,
        content: Returning<'_>,
        answer: (&[Part], &mut SmallVec<[Hashed; 1]>),
    ) -> (Measure, Heard) {
        let (parts, hashed) = answer;
        let raw = match &content {
            Returning::Text(text) => match c1::beside(self.any_hasher(), text, parts, hashed) {
                Some(digest) => Measure { digest: Some(digest), length: Some(text.len() as u64), ..Measure::default() },
                None => c1::result_text(self.any_hasher(), text),
            },
            Returning::Content(content) => c1::result(self.any_hasher(), content),
        };
        let mut told = self.may_leave(&[Field::ToolResults], raw.clone());
        let what = What::Result { call: Some(call.to_owned()), told: raw };
        // Its class is all that counts.
        let nothing = ResultContent::Text(RawText::from_static(""));
        let weighed = self.weighed(what, &Piece::Result { ordinal: None, content: &nothing });
        let message = is_shown(self.policy).then(|| {
            let content = match content {
                Returning::Text(text) => ResultContent::Text(RawText::from(text)),
                Returning::Content(content) => content,
            };
            told = self.shown_result(&content, std::mem::take(&mut told));
            let part = Part::ToolResult { call_id: Some(RawText::from(call)), content };
            Message { role: Role::Tool, parts: vec![part] }
        });
        let pieces = SmallVec::from_iter([weighed]);
        (told, Heard { message, pieces, calls: Vec::new(), texts: SmallVec::new() })
    }

    fn weighed(&self, what: What, piece: &Piece<'_>) -> Weighed {
        let levels = self.policy.levels();
        let is_hidden = |said| levels.least() == Level::None && classes::is_hidden(levels, said, piece);
        Weighed { what, to_model: is_hidden(Said::ToModel), by_model: is_hidden(Said::ByModel) }
    }

    fn may_leave(&self, classes: &[Field], mut told: Measure) -> Measure {
        if self.policy.levels().of_all(classes) == Level::None {
            return Measure::default();
        }
        if self.hasher.is_none() {
            told.digest = None;
        }
        told
    }

    /// A message as what a model answered, and why it ended.
    pub(crate) fn answered(&self, heard: &Heard, reasons: &[&str]) -> Output {
        if self.level(Field::Completions) == Level::None {
            return Output::default();
        }
        let blobs_may_leave = self.hasher.is_some() && self.level(Field::Reasoning) > Level::None;
        let mut output = Output::default();
        for piece in heard.pieces.iter().take(MAX_TOLD) {
            let result;
            let (item, blobs): (&Item, &[_]) = match &piece.what {
                What::Rest((item, blobs)) => (item, blobs),
                What::Result { call, told } => {
                    let place = call.as_deref().and_then(|call| heard.place(call));
                    result = c1::result_item_of(self.any_hasher(), place, told);
                    (&result.0, &result.1)
                }
            };
            let digest = item.digest.filter(|_| self.hasher.is_some() && !piece.by_model);
            let length = item.length.filter(|_| !piece.by_model);
            output.items.push(Measure { digest, length, ..Measure::default() });
            if blobs_may_leave {
                output.blobs.extend(blobs.iter().take(MAX_TOLD - output.blobs.len().min(MAX_TOLD)));
            }
        }
        self.shown_output(heard.message.as_slice(), reasons, output)
    }

    /// The last text of an answer, as what its turn answered.
    pub(crate) fn said(&self, heard: &Heard) -> Option<Measure> {
        if self.level(Field::Completions) == Level::None {
            return None;
        }
        let last = heard.texts.iter().rev().find(|text| text.digest.is_some() && text.length != Some(0))?;
        let mut told = [self.may_leave(&[Field::Completions], last.clone())];
        let texts = heard.raw_texts().filter(|text| text.expose().is_some_and(|text| !text.is_empty()));
        if let Some(text) = texts.last() {
            self.shown_returned(CallKind::Turn, &[ResultContent::Text(text)], &mut told);
        }
        let [told] = told;
        Some(told)
    }

    /// The texts of a message as what a turn was asked.
    pub(crate) fn asked(&self, heard: &Heard) -> Vec<Measure> {
        if self.level(Field::Prompts) == Level::None {
            return Vec::new();
        }
        let mut raw = heard.raw_texts();
        let told = heard.texts.iter().map(|text| {
            let mut told = [self.may_leave(&[Field::Prompts], text.clone())];
            if let Some(text) = raw.next() {
                self.shown_given(CallKind::Turn, &[ResultContent::Text(text)], &mut told);
            }
            let [told] = told;
            told
        });
        told.collect()
    }
}

impl Heard {
    /// The place of a call among those of this message.
    fn place(&self, call: &str) -> Option<u32> {
        self.calls.iter().rfind(|(id, _)| id == call).map(|(_, place)| *place)
    }

    /// Its texts, where the policy shows some.
    fn raw_texts(&self) -> impl Iterator<Item = RawText> {
        let parts = self.message.iter().flat_map(|message| c1::without_results(&message.parts));
        parts.filter_map(|part| match part {
            Part::Text(text) => Some(text.expose().map_or_else(|| RawText::oversize(text.len()), RawText::from)),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::RawBytes;
    use crate::privacy::Tally;

    fn policies() -> Vec<Policy> {
        use Field::{Completions, Errors, Prompts, Reasoning, System, ToolArguments, ToolResults};
        let all = [System, Prompts, Completions, Reasoning, ToolArguments, ToolResults, Errors];
        let mut policies: Vec<Policy> = [Level::None, Level::Digest, Level::Preview, Level::Masked]
            .map(|level| Policy::builder().unkeyed_sha256().content(level).build())
            .into();
        for class in all {
            policies.push(Policy::builder().unkeyed_sha256().class(class, Level::None).build());
        }
        policies
    }

    fn call(id: &str) -> Part {
        Part::ToolCall { id: Some(id.into()), name: "t".into(), arguments: r#"{"b":1, "a":2}"#.into() }
    }

    fn result(id: &str, content: ResultContent) -> Part {
        Part::ToolResult { call_id: Some(id.into()), content }
    }

    fn text(text: &str) -> ResultContent {
        ResultContent::Text(text.into())
    }

    fn answers() -> Vec<Vec<Part>> {
        vec![
            vec![Part::Text("one".into())],
            vec![Part::Reasoning("why".into()), Part::Text("one".into()), Part::Text("".into()), call("a")],
            vec![Part::Text("".into())],
            vec![Part::Encrypted(RawBytes::from(b"sealed".to_vec())), call("a"), call("b")],
            vec![call("a"), result("a", text("within")), Part::Text("after".into()), Part::Text("last".into())],
            vec![Part::Text(RawText::oversize(9 << 20)), Part::Other("{}".into())],
            vec![],
        ]
    }

    #[test]
    fn what_was_hashed_once_is_told_as_if_each_had_hashed_it() {
        for policy in policies() {
            let tally = Tally::default();
            let telling = Telling::new(&policy, policy.hasher(), &tally);
            for (answer, again) in answers().into_iter().zip(answers()) {
                let message = Message { role: Role::Assistant, parts: answer };
                let text = message.parts.iter().rev().find_map(|part| match part {
                    Part::Text(text) if !text.is_empty() => text.expose().map(RawText::from),
                    _ => None,
                });
                let said = text.and_then(|text| telling.returned(CallKind::Turn, &[ResultContent::Text(text)]).pop());
                let heard = telling.heard(Message { role: Role::Assistant, parts: again });
                assert_eq!(telling.answered(&heard, &["stop"]), telling.answer(&[message], &["stop"]));
                assert_eq!(telling.said(&heard), said);
            }
            for content in [|| text("two"), || ResultContent::Parts(vec![Part::Text("two".into())])] {
                let (told, heard) =
                    telling.returned_by("a", Returning::Content(content()), (&[], &mut SmallVec::new()));
                assert_eq!(told, telling.result(&content()));
                if let ResultContent::Text(text) = content() {
                    let (same, also) =
                        telling.returned_by("a", Returning::Text(text.expose().unwrap()), (&[], &mut SmallVec::new()));
                    assert_eq!(same, told);
                    let item =
                        |heard: Heard| heard.pieces.into_iter().next().unwrap().item(&Hasher::sha256(), |_| None);
                    assert_eq!(item(also), item(heard));
                }
            }
            let long = "x".repeat(RawText::MAX_BYTES + 1);
            let told = telling.returned_by("a", Returning::Text(&long), (&[], &mut SmallVec::new())).0;
            assert_eq!(told, telling.result(&ResultContent::Text(RawText::from(long))));
            let asked = Message { role: Role::User, parts: vec![Part::Text("a".into()), Part::Text("b".into())] };
            let each = ["a", "b"].map(|asked| telling.given(CallKind::Turn, &[text(asked)]));
            assert_eq!(telling.asked(&telling.heard(asked)), each.into_iter().flatten().collect::<Vec<_>>());
        }
    }

    /// An answer that is not whole yet, of which texts are hashed beside those that its tools returned.
    #[test]
    fn what_is_hashed_beside_another_text_is_told_as_if_it_was_hashed_alone() {
        let long = |word: &str| word.repeat(300);
        let parts = || {
            let call = |id: &str| {
                let arguments = r#"{"path": "src/lib.rs", "first": 1, "count": 200}"#;
                Part::ToolCall { id: Some(id.into()), name: "read".into(), arguments: arguments.into() }
            };
            let texts = [Part::Reasoning("short".into()), Part::Reasoning(long("why ").into()), call("a")];
            let more = [Part::Text(RawText::oversize(9 << 20)), Part::Text(long("so ").into()), call("b")];
            let sealed =
                ["QUJD".to_owned(), long("QUJD")].map(|sealed| Part::Encrypted(RawBytes::from(sealed.into_bytes())));
            texts.into_iter().chain(more).chain(sealed).collect::<Vec<_>>()
        };
        let returned = [("a", "x".to_owned()), ("a", long("one ")), ("b", long("two or more ")), ("c", long("three "))];
        let over = "x".repeat(RawText::MAX_BYTES + 1);
        for policy in policies() {
            let tally = Tally::default();
            let telling = Telling::new(&policy, policy.hasher(), &tally);
            let (answer, mut hashed) = (parts(), SmallVec::new());
            for ((id, text), known) in returned.iter().zip([0, 1, 5, 5]) {
                let alone = telling.returned_by(id, Returning::Text(text), (&[], &mut SmallVec::new()));
                let beside = telling.returned_by(id, Returning::Text(text), (&answer, &mut hashed));
                assert_eq!((beside.0, hashed.len()), (alone.0, known), "{id}");
            }
            assert!(
                telling.returned_by("d", Returning::Text(&over), (&answer, &mut SmallVec::new())).0.digest.is_none()
            );
            let tell = |heard: Heard| {
                let told = (telling.answered(&heard, &[]), telling.said(&heard));
                let item = |piece: Weighed| piece.item(&Hasher::sha256(), |_| None);
                (told, heard.pieces.into_iter().map(item).collect::<Vec<_>>())
            };
            let message = || Message { role: Role::Assistant, parts: parts() };
            assert_eq!(tell(telling.heard_knowing(message(), &hashed)), tell(telling.heard(message())));
        }
    }

    #[test]
    fn a_message_is_kept_only_where_some_of_it_is_shown() {
        for (level, is_kept) in [(Level::None, false), (Level::Digest, false), (Level::Preview, true)] {
            let policy = Policy::builder().unkeyed_sha256().content(level).build();
            let tally = Tally::default();
            let telling = Telling::new(&policy, policy.hasher(), &tally);
            assert_eq!(telling.heard(Message::text(Role::User, "a")).message.is_some(), is_kept, "{level:?}");
        }
    }
}
