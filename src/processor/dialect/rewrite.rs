//! One span under the conventions' names.

use std::ops::Range;

use bytestring::ByteString;

use super::options::{DialectOptions, Originals, Stamp};
use super::originals::{Told, has_any};
use crate::event::{CallKind, Digest, TraceId, Value};
use crate::otlp::dialects::{Translated, translated};
use crate::otlp::encode::Encoder;
use crate::otlp::wire::{Malformed, Wire};
use crate::otlp::writer::put_bytes;
use crate::otlp::{AnyView, SpanView};
use crate::privacy::is_label;
use crate::processor::privacy::{Pair, Splice, ranged};
use crate::semconv::{self as s, KeyId};

const NAME: u32 = 5;
const ATTRIBUTES: u8 = 9;

/// A span that leaves in another form.
pub(super) struct Rewritten {
    pub(super) bytes: Vec<u8>,
    /// The rollout that it got, if it got one.
    pub(super) stamped: Option<Stamped>,
}

/// Where a rollout is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamped {
    /// An attribute of the span, which is of this trace.
    Attribute(TraceId),
    /// The trace itself.
    Trace(TraceId),
}

/// The span as it leaves; nothing where it stays as it is. One that cannot be read stays.
pub(super) fn span(options: &DialectOptions, encoder: &Encoder, bytes: &[u8]) -> Option<Rewritten> {
    let view = SpanView::parse(bytes).ok()?;
    let speaks_otherwise = has_any(&view);
    // Who speaks the conventions' language and needs no rollout has nothing to be told.
    if !speaks_otherwise && options.stamp.is_none() {
        return None;
    }
    let mut translated = translated(&view).ok()?;
    let turn = translated.identity.take();
    let stamped = match (&options.stamp, turn, view.trace_id()) {
        (Some(stamp), Some(turn), Some(trace)) => {
            let (rollout, stamped) = match rollout(stamp, &view, &translated) {
                Some(rollout) => (rollout, Stamped::Attribute(trace)),
                None => (turn.clone(), Stamped::Trace(trace)),
            };
            translated.added.push((s::ROLLOUT_ID.id(), Value::Text(rollout)));
            if text(&view, s::TURN_ID.key()).is_none() {
                translated.added.push((s::TURN_ID.id(), Value::Text(turn)));
            }
            Some(stamped)
        }
        _ => None,
    };
    let bytes = rewritten(options, encoder, &view, &translated).ok()??;
    Some(Rewritten { bytes, stamped })
}

fn rewritten(
    options: &DialectOptions,
    encoder: &Encoder,
    view: &SpanView<'_>,
    translated: &Translated,
) -> Result<Option<Vec<u8>>, Malformed> {
    let told = Told::of(view, translated);
    let (left_out, name) = match options.originals {
        Originals::Drop => {
            let left_out = left_out(view.bytes(), &told)?;
            // The name of a span is a word of its dialect too.
            let name = translated.kind.filter(|_| !left_out.is_empty()).map(|kind| name(kind, view, translated));
            (left_out, name.filter(|name| name != view.name()))
        }
        Originals::Keep => (Vec::new(), None),
    };
    let mut left_out = left_out.into_iter().peekable();
    let mut splice = Splice::new(view.bytes());
    for field in ranged(view.bytes()) {
        let (range, field) = field?;
        if left_out.next_if_eq(&range).is_some() {
            splice.replace(range);
        } else if let (NAME, Some(name)) = (field.number, &name) {
            put_bytes(splice.replace(range), NAME, name.as_bytes());
        }
    }
    encoder.attributes(ATTRIBUTES, &translated.added, splice.append());
    Ok(splice.finish())
}

/// Where the attributes stand that have been told under other names.
fn left_out(bytes: &[u8], told: &Told) -> Result<Vec<Range<usize>>, Malformed> {
    let mut left_out = Vec::new();
    for field in ranged(bytes) {
        let (range, field) = field?;
        if let (9, Wire::Bytes(attribute)) = (field.number, field.value) {
            let pair = Pair::parse(attribute)?;
            if told.covers(pair.key, &pair.value) {
                left_out.push(range);
            }
        }
    }
    Ok(left_out)
}

/// The name that the conventions have for such a span: its operation, and what it is about.
fn name(kind: CallKind, view: &SpanView<'_>, translated: &Translated) -> String {
    let said = |key: &str, id: KeyId| {
        let of_added = translated.added.iter().find(|(added, _)| *added == id);
        match of_added {
            Some((_, Value::Text(text))) => Some(text.to_string()),
            _ => text(view, key).map(str::to_owned),
        }
    };
    let operation = said(s::OPERATION_NAME.key(), s::OPERATION_NAME.id());
    let operation = operation.unwrap_or_else(|| kind.default_operation().to_owned());
    let target = kind.target().and_then(|target| said(target.key(), target.id())).filter(|target| !target.is_empty());
    target.map_or_else(|| operation.clone(), |target| format!("{operation} {target}"))
}

/// The first attribute that names a rollout: by a label, or by what `privacy` has put in the place of another text.
fn rollout(stamp: &Stamp, view: &SpanView<'_>, translated: &Translated) -> Option<ByteString> {
    let of_added = |key: &str| {
        let mut named = translated.added.iter().filter(|(id, _)| id.name().key == key);
        named.find_map(|(_, value)| match value {
            Value::Text(text) => Some(&**text),
            _ => None,
        })
    };
    let names = stamp.attributes.iter();
    // A conversation that only some spans of a run name would tear it apart.
    let names = names.filter(|name| translated.has_conversation || *name != s::CONVERSATION_ID.key());
    let mut found = names.filter_map(|name| {
        let label = text(view, name).or_else(|| of_added(name)).filter(|text| is_label(text));
        let digest = || text(view, &format!("{name}.digest")).filter(|text| text.parse::<Digest>().is_ok());
        label.or_else(digest).map(ByteString::from)
    });
    found.next()
}

fn text<'a>(view: &SpanView<'a>, key: &str) -> Option<&'a str> {
    let mut named = view.attributes().flatten().filter(|(known, _)| *known == key);
    named.find_map(|(_, value)| match value {
        AnyView::Text(text) => Some(text),
        _ => None,
    })
}
