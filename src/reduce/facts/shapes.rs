//! Attributes as rows tell of them.
//!
//! Which attributes of which types stand together is kept once, and with it the texts that most calls of a kind say alike: a
//! row tells the place of that, and then the values that are its own.

use super::reading::Reading;
use super::row::{RowReader, RowWriter};
use super::table::{Mark, Table};
use super::tables::Tables;
use crate::event::{Attrs, Value};
use crate::semconv::{
    AGENT_ID, AGENT_NAME, CONVERSATION_ID, KeyId, OPERATION_NAME, PROVIDER_NAME, REQUEST_MODEL, RESPONSE_ID,
    RESPONSE_MODEL, SERVER_ADDRESS, TOOL_CALL_ID, TOOL_KIND, TOOL_NAME, TOOL_REQUESTER, TOOL_TYPE,
};

/// The types of values, as shapes tell of them.
const TEXT: u8 = 0;
const INT: u8 = 1;
const DOUBLE: u8 = 2;
const FALSE: u8 = 3;
const TRUE: u8 = 4;
const TEXTS: u8 = 5;
const INTS: u8 = 6;
/// A text that stands by itself in the row.
const ALONE: u8 = 7;
/// A text that stands in the shape.
const SAID: u8 = 8;

/// The most shapes that tell of texts. Where there are more of them than that, texts do not repeat together.
const MOST_SAYING: u32 = 256;
/// The longest text in a shape.
const LONGEST: usize = 64;
/// As many are tried before they are looked up.
const RECENT: usize = 8;

#[derive(Clone, Debug, Default)]
pub(super) struct Shapes {
    table: Table,
    /// Those that were had last.
    recent: Vec<Recent>,
    /// Which of these gives way next.
    oldest: usize,
    held: usize,
}

/// A shape that was had lately, as it is compared.
#[derive(Clone, Debug)]
struct Recent {
    sum: u32,
    place: u32,
    entries: Vec<Entry>,
    /// The texts of those that say one.
    texts: Vec<u8>,
    /// Whether all that has this form is told of by this shape.
    is_one_for_all: bool,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    id: KeyId,
    kind: u8,
    /// Of its text, if it says one.
    length: u8,
}

impl Shapes {
    pub(super) const fn mark(&self) -> Mark {
        self.table.mark()
    }

    pub(super) fn back_to(&mut self, mark: Mark) {
        self.table.back_to(mark);
        self.recent.retain(|recent| recent.place < mark.0);
        self.held = self.recent.iter().map(Recent::held).sum();
    }

    pub(super) const fn held(&self) -> usize {
        self.table.held() + self.held
    }

    pub(super) fn get(&self, place: u32) -> &[u8] {
        self.table.get(place).unwrap_or_default()
    }

    #[inline]
    fn recent_of(&self, attrs: &Attrs) -> Option<usize> {
        let sum = sum_of(attrs);
        self.recent.iter().position(|recent| recent.sum == sum && recent.is_of(attrs))
    }

    #[inline]
    fn kind(&self, recent: usize, number: usize) -> u8 {
        let entry = self.recent.get(recent).and_then(|recent| recent.entries.get(number));
        entry.map_or(ALONE, |entry| entry.kind)
    }

    fn remember(&mut self, recent: Recent) -> usize {
        self.held += recent.held();
        if self.recent.len() < RECENT {
            self.recent.push(recent);
            return self.recent.len() - 1;
        }
        let at = self.oldest % RECENT;
        self.oldest = at + 1;
        if let Some(place) = self.recent.get_mut(at) {
            self.held -= place.held();
            *place = recent;
        }
        at
    }
}

impl Recent {
    fn held(&self) -> usize {
        size_of::<Self>() + self.entries.capacity() * size_of::<Entry>() + self.texts.capacity()
    }

    fn is_of(&self, attrs: &Attrs) -> bool {
        let mut texts = self.texts.as_slice();
        let mut is_told_so = |entry: &Entry, value: &Value| match (entry.kind, value) {
            (SAID, Value::Text(text)) => {
                let Some((said, rest)) = texts.split_at_checked(usize::from(entry.length)) else { return false };
                texts = rest;
                text.as_bytes() == said
            }
            (TEXT | ALONE, Value::Text(_))
            | (INT, Value::Int(_))
            | (DOUBLE, Value::Double(_))
            | (FALSE, Value::Bool(false))
            | (TRUE, Value::Bool(true))
            | (TEXTS, Value::Texts(_))
            | (INTS, Value::Ints(_)) => true,
            _ => false,
        };
        self.is_one_for_all
            && self.entries.len() == attrs.len()
            && self
                .entries
                .iter()
                .zip(attrs.iter())
                .all(|(entry, (id, value))| entry.id == id && is_told_so(entry, value))
    }
}

/// Near enough to tell most apart.
fn sum_of(attrs: &Attrs) -> u32 {
    attrs.iter().fold(0u32, |sum, (id, value)| {
        let length = if let Value::Text(text) = value { text.len() as u32 } else { 0 };
        sum.wrapping_mul(31).wrapping_add(u32::from(id.0) << 8).wrapping_add(length)
    })
}

impl Tables {
    /// Their shape by its place, then what that does not say.
    pub(super) fn attrs(&mut self, attrs: &Attrs, row: &mut RowWriter) -> Option<()> {
        let recent = match self.shapes.recent_of(attrs) {
            Some(recent) => recent,
            None => self.shape(attrs)?,
        };
        row.number(u64::from(self.shapes.recent.get(recent)?.place));
        for (number, (id, value)) in attrs.iter().enumerate() {
            match value {
                Value::Text(text) => match self.shapes.kind(recent, number) {
                    SAID => {}
                    TEXT => self.text_of(id, text, row)?,
                    _ => {
                        row.number(text.len() as u64);
                        row.raw(text.as_bytes());
                    }
                },
                Value::Int(number) => row.signed(*number),
                Value::Double(number) => row.raw(&number.to_bits().to_be_bytes()),
                Value::Bool(_) => {}
                Value::Texts(texts) => {
                    row.number(texts.len() as u64);
                    texts.iter().try_for_each(|text| self.text(text, row))?;
                }
                Value::Ints(numbers) => {
                    row.number(numbers.len() as u64);
                    numbers.iter().for_each(|number| row.signed(*number));
                }
            }
        }
        Some(())
    }

    /// Looks a shape up, which is added where it is new. Answers where it stands among the recent ones.
    ///
    /// What is told again must be told in the same bytes, so a form that was told without its texts once, because there were
    /// too many, never is told with them.
    #[cold]
    fn shape(&mut self, attrs: &Attrs) -> Option<usize> {
        let mut place = None;
        if attrs.iter().any(|(id, value)| is_said(id, value)) {
            let saying = self.written(attrs, true)?;
            place = match self.shapes.table.find(saying.bytes()) {
                None if self.shapes.table.len() < MOST_SAYING => Some(self.shapes.table.place(saying.bytes())?),
                known => known,
            };
        }
        let says = place.is_some();
        let place = match place {
            Some(place) => place,
            None => {
                let silent = self.written(attrs, false)?;
                self.shapes.table.place(silent.bytes())?
            }
        };
        let mut recent =
            Recent { sum: sum_of(attrs), place, entries: Vec::new(), texts: Vec::new(), is_one_for_all: true };
        recent.entries.reserve_exact(attrs.len());
        for (id, value) in attrs.iter() {
            let kind = type_of(id, value, says);
            let said: &str = match value {
                Value::Text(text) if kind == SAID => text,
                _ => "",
            };
            recent.texts.extend_from_slice(said.as_bytes());
            recent.entries.push(Entry { id, kind, length: said.len() as u8 });
            recent.is_one_for_all &= kind != TEXT || !is_mostly_alike(id);
        }
        recent.texts.shrink_to_fit();
        Some(self.shapes.remember(recent))
    }

    fn written(&mut self, attrs: &Attrs, says: bool) -> Option<RowWriter> {
        let mut shape = RowWriter::default();
        shape.number(attrs.len() as u64);
        for (id, value) in attrs.iter() {
            shape.number(u64::from(id.0));
            let kind = type_of(id, value, says);
            shape.byte(kind);
            if let (SAID, Value::Text(text)) = (kind, value) {
                self.text(text, &mut shape)?;
            }
        }
        Some(shape)
    }
}

fn type_of(id: KeyId, value: &Value, says: bool) -> u8 {
    match value {
        Value::Text(_) if is_of_one_call(id) => ALONE,
        Value::Text(_) if says && is_said(id, value) => SAID,
        Value::Text(_) => TEXT,
        Value::Int(_) => INT,
        Value::Double(_) => DOUBLE,
        Value::Bool(false) => FALSE,
        Value::Bool(true) => TRUE,
        Value::Texts(_) => TEXTS,
        Value::Ints(_) => INTS,
    }
}

/// Whether a text is mostly told of one call alone: an entry of its own would take more than it takes itself.
fn is_of_one_call(id: KeyId) -> bool {
    id == TOOL_CALL_ID.id() || id == RESPONSE_ID.id()
}

fn is_said(id: KeyId, value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.len() <= LONGEST) && is_mostly_alike(id)
}

/// Whether many calls say the same of it, and have the rest of what they say in common too.
fn is_mostly_alike(id: KeyId) -> bool {
    let of_model = [OPERATION_NAME, PROVIDER_NAME, REQUEST_MODEL, RESPONSE_MODEL, CONVERSATION_ID, SERVER_ADDRESS];
    let of_agent_or_tool = [AGENT_ID, AGENT_NAME, TOOL_NAME, TOOL_TYPE, TOOL_KIND, TOOL_REQUESTER];
    of_model.iter().chain(&of_agent_or_tool).any(|attr| attr.id() == id)
}

/// What a shape tells of, one after the other.
pub(super) struct ShapeReader<'a> {
    rest: RowReader<'a>,
    left: usize,
}

impl ShapeReader<'_> {
    /// Of nothing at all.
    pub(super) const fn none() -> Self {
        Self { rest: RowReader { rest: &[] }, left: 0 }
    }

    /// How many there still are.
    pub(super) const fn left(&self) -> usize {
        self.left
    }

    /// The next one, and the type of its value, which is to be read before the one after it.
    #[inline]
    pub(super) fn next(&mut self) -> Option<(KeyId, u8)> {
        self.left = self.left.checked_sub(1)?;
        Some((KeyId(self.rest.number() as u16), self.rest.byte()))
    }
}

impl Reading<'_> {
    /// Attributes, with room for as many more.
    pub(super) fn read_attrs(&self, row: &mut RowReader<'_>, more: usize) -> Attrs {
        let mut shape = self.read_shape(row);
        let count = shape.left();
        let mut attrs = Vec::with_capacity(if count == 0 { 0 } else { count + more });
        while let Some((id, kind)) = shape.next() {
            self.push_value(&mut attrs, (id, kind), &mut shape, row);
        }
        Attrs::in_order(attrs)
    }

    /// Which attributes of which types follow.
    #[inline]
    pub(super) fn read_shape(&self, row: &mut RowReader<'_>) -> ShapeReader<'_> {
        let mut rest = RowReader { rest: self.tables().shapes.get(row.index()) };
        let left = rest.count();
        ShapeReader { rest, left }
    }

    /// Adds what a shape told of last. A number is written where it stays: as a value that is moved it would be waited for.
    #[inline]
    pub(super) fn push_value(
        &self,
        attrs: &mut Vec<(KeyId, Value)>,
        (id, kind): (KeyId, u8),
        shape: &mut ShapeReader<'_>,
        row: &mut RowReader<'_>,
    ) {
        match kind {
            INT => attrs.push((id, Value::Int(row.signed()))),
            _ => attrs.push((id, self.read_value(kind, shape, row))),
        }
    }

    /// The value of what a shape told of last.
    #[inline]
    pub(super) fn read_value(&self, kind: u8, shape: &mut ShapeReader<'_>, row: &mut RowReader<'_>) -> Value {
        match kind {
            SAID => Value::Text(self.read_text(&mut shape.rest)),
            TEXT => Value::Text(self.read_text(row)),
            INT => Value::Int(row.signed()),
            DOUBLE => Value::Double(f64::from_bits(u64::from_be_bytes(row.raw()))),
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            ALONE => Value::Text(row.text().into()),
            TEXTS => Value::Texts((0..row.count()).map(|_| self.read_text(row)).collect()),
            _ => Value::Ints((0..row.count()).map(|_| row.signed()).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rollout::RolloutFacts;
    use super::*;
    use crate::event::Attrs;
    use crate::reduce::RolloutKey;
    use crate::semconv::{ERROR_TYPE, FINISH_REASONS, INPUT_TOKENS, ROLLOUT_END, TEMPERATURE};

    fn attrs(number: usize) -> Attrs {
        let mut attrs = Attrs::default();
        attrs.set(OPERATION_NAME, "chat".into());
        attrs.set(REQUEST_MODEL, format!("model-{}", number % 401).repeat(1 + number % 3 * 5).into());
        attrs.set(TEMPERATURE, number as f64);
        attrs.set(INPUT_TOKENS, number as i64 - 1_000);
        attrs.set(ROLLOUT_END, number.is_multiple_of(2));
        attrs.set(FINISH_REASONS, vec!["stop".into(); number % 3]);
        attrs.set(TOOL_CALL_ID, format!("call-{number}").into());
        if number.is_multiple_of(5) {
            attrs.set(ERROR_TYPE, format!("error-{}", number % 7).into());
        }
        attrs
    }

    #[test]
    fn attributes_are_told_again_in_the_same_bytes_and_read_as_they_were() {
        let mut facts = RolloutFacts::new(RolloutKey { tenant: None, rollout: "r".into() });
        let written = |tables: &mut Tables, number: usize| {
            let mut row = RowWriter::default();
            tables.attrs(&attrs(number), &mut row).unwrap();
            row.bytes().to_vec()
        };
        let all: Vec<Vec<u8>> = (0..3_000).map(|number| written(&mut facts.tables, number)).collect();
        assert!(facts.tables.shapes.table.len() > MOST_SAYING, "so many texts that some are told apart");
        for step in 0..6_000 {
            let number = step * 1_237 % all.len();
            assert_eq!(written(&mut facts.tables, number), all[number], "{number}");
        }
        for facts in [Reading::of(&facts), Reading::of_all(&facts)] {
            for (number, row) in all.iter().enumerate() {
                let mut row = RowReader { rest: row };
                assert_eq!((facts.read_attrs(&mut row, 0), row.rest), (attrs(number), &[][..]));
            }
        }
    }

    #[test]
    fn what_is_taken_back_is_told_of_no_more() {
        let mut tables = Tables::default();
        let mut row = RowWriter::default();
        tables.attrs(&attrs(0), &mut row).unwrap();
        let (mark, held) = (tables.marks(), tables.shapes.held());
        (1..4).for_each(|number| tables.attrs(&attrs(number), &mut row).unwrap());
        tables.back_to(&mark);
        assert_eq!((tables.shapes.held(), tables.shapes.recent.len()), (held, 1));
        let (mut one, mut again) = (RowWriter::default(), RowWriter::default());
        tables.attrs(&attrs(7), &mut one).unwrap();
        tables.attrs(&attrs(7), &mut again).unwrap();
        assert_eq!(one.bytes(), again.bytes());
    }
}
