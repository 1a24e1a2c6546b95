//! One pass over a request, down to its spans.

use std::ops::Range;

use super::form::Form;
use super::request::Look;
use super::wire::{Field, Fields, Malformed, Wire};

/// What lies where in a request.
#[derive(Clone)]
pub(super) struct Index {
    pub(super) resources: Vec<Group>,
    pub(super) scopes: Vec<Group>,
    pub(super) spans: Vec<Entry>,
    pub(super) envelope_is_canonical: bool,
}

/// A `ResourceSpans` or a `ScopeSpans`.
#[derive(Clone, Copy)]
pub(super) struct Group {
    pub(super) body: Part,
    /// Its resource or scope, as it stands last; empty where there is none.
    pub(super) owner: Part,
    /// Whether its resource or scope stands in several parts, which are one message together.
    pub(super) owner_is_split: bool,
    /// Nothing where nobody has looked.
    pub(super) form: Option<Form>,
    pub(super) schema_url: Part,
    /// The places of its scopes, or of its spans.
    pub(super) members: Part,
}

impl Group {
    /// How its resource or scope is written, of which `owner` is what stands last.
    pub(super) fn owner_form(&self, body: &[u8], owner: &[u8], form: fn(&[u8]) -> Form) -> Form {
        if self.owner_is_split { form(&join(body)).max(Form::Loose) } else { form(owner) }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) body: Part,
    /// Nothing where nobody has looked.
    pub(super) form: Option<Form>,
}

/// A range in 32 bits: a request of more is refused, and the index of a large one is half as large.
#[derive(Clone, Copy, Default)]
pub(super) struct Part {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Part {
    pub(super) const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The parts of field 1 put together. That is how protobuf defines a message which stands twice.
pub(super) fn join(group: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    for field in Fields::new(group).flatten() {
        if let Field { number: 1, value: Wire::Bytes(part), .. } = field {
            message.extend_from_slice(part);
        }
    }
    message
}

/// The index of a request of less than 4 GiB.
pub(super) fn walk(bytes: &[u8], look: Look) -> Result<Index, Malformed> {
    let index = Index { resources: Vec::new(), scopes: Vec::new(), spans: Vec::new(), envelope_is_canonical: true };
    let mut walk = Walk { bytes, look, index };
    walk.request()?;
    Ok(walk.index)
}

/// The most resources and scopes of a request together. A batch has one for each producer and instrumentation.
const MOST_GROUPS: usize = 1 << 16;
/// So many spans there may be however short they are. Beyond them each has to be half as long as one that names its trace
/// and itself: the index of a request is no longer than the request then.
const MOST_SHORT_SPANS: usize = 1 << 16;
const SHORT: usize = 16;

struct Walk<'a> {
    bytes: &'a [u8],
    look: Look,
    index: Index,
}

impl<'a> Walk<'a> {
    fn request(&mut self) -> Result<(), Malformed> {
        let mut fields = Fields::new(self.bytes);
        while let Some(field) = fields.next() {
            let field = field?;
            self.index.envelope_is_canonical &= field.minimal && field.number == 1;
            match (field.number, field.value) {
                (1, Wire::Bytes(body)) => {
                    let group = self.resource_spans(body, part(fields.position(), body))?;
                    self.require_room_for_a_group()?;
                    self.index.resources.push(group);
                }
                (1, _) => return Err(Malformed),
                _ => {}
            }
        }
        Ok(())
    }

    fn resource_spans(&mut self, bytes: &'a [u8], body: Part) -> Result<Group, Malformed> {
        let first = self.index.scopes.len();
        let mut group = self.group(bytes, body, |walk, bytes, body| {
            let scope = walk.scope_spans(bytes, body)?;
            walk.require_room_for_a_group()?;
            walk.index.scopes.push(scope);
            Ok(())
        })?;
        group.members = Part { start: first as u32, end: self.index.scopes.len() as u32 };
        group.form = self.owner_form(&group, bytes, Form::of_resource);
        Ok(group)
    }

    fn scope_spans(&mut self, bytes: &'a [u8], body: Part) -> Result<Group, Malformed> {
        let first = self.index.spans.len();
        let mut group = self.group(bytes, body, |walk, bytes, body| {
            if walk.index.spans.len() >= MOST_SHORT_SPANS + walk.bytes.len() / SHORT {
                return Err(Malformed);
            }
            let form = (walk.look == Look::Inside).then(|| Form::of_span(bytes));
            walk.index.spans.push(Entry { body, form });
            Ok(())
        })?;
        group.members = Part { start: first as u32, end: self.index.spans.len() as u32 };
        group.form = self.owner_form(&group, bytes, Form::of_scope);
        Ok(group)
    }

    /// `ResourceSpans` and `ScopeSpans` have fields of the same numbers: 1 the owner, 2 the members, 3 the schema URL.
    fn group(
        &mut self,
        bytes: &'a [u8],
        body: Part,
        mut member: impl FnMut(&mut Self, &'a [u8], Part) -> Result<(), Malformed>,
    ) -> Result<Group, Malformed> {
        let mut group = Group {
            body,
            owner: Part::default(),
            owner_is_split: false,
            form: None,
            schema_url: Part::default(),
            members: Part::default(),
        };
        let (mut owners, mut schema_urls) = (0, 0);
        let mut fields = Fields::new(bytes);
        while let Some(field) = fields.next() {
            let field = field?;
            self.index.envelope_is_canonical &= field.minimal && matches!(field.number, 1..=3);
            let end = body.start as usize + fields.position();
            match (field.number, field.value) {
                (1, Wire::Bytes(owner)) => {
                    owners += 1;
                    group.owner = part(end, owner);
                }
                (2, Wire::Bytes(bytes)) => member(self, bytes, part(end, bytes))?,
                (3, Wire::Bytes(url)) => {
                    std::str::from_utf8(url).map_err(|_| Malformed)?;
                    schema_urls += 1;
                    group.schema_url = part(end, url);
                }
                (1..=3, _) => return Err(Malformed),
                _ => {}
            }
        }
        group.owner_is_split = owners > 1;
        self.index.envelope_is_canonical &= owners <= 1 && schema_urls <= 1;
        Ok(group)
    }

    fn require_room_for_a_group(&self) -> Result<(), Malformed> {
        let groups = self.index.resources.len() + self.index.scopes.len();
        if groups < MOST_GROUPS { Ok(()) } else { Err(Malformed) }
    }

    fn owner_form(&self, group: &Group, bytes: &[u8], form: fn(&[u8]) -> Form) -> Option<Form> {
        let owner = || self.bytes.get(group.owner.range()).unwrap_or_default();
        (self.look == Look::Inside).then(|| group.owner_form(bytes, owner(), form))
    }
}

/// Where the content of a field lies that ends at `end`. The caller has made sure that 32 bits suffice.
const fn part(end: usize, content: &[u8]) -> Part {
    Part { start: (end - content.len()) as u32, end: end as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message field of what is given.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut field = Vec::new();
        crate::otlp::writer::put_bytes(&mut field, u32::from(number), content);
        field
    }

    #[test]
    fn an_index_is_no_longer_than_what_it_is_of() {
        let of_spans = |span: &[u8], count: usize| field(1, &field(2, &span.repeat(count)));
        let spans = |bytes: &[u8]| walk(bytes, Look::Outside).map(|index| index.spans.len());
        // Spans that say nothing at all take two bytes.
        assert_eq!(spans(&of_spans(&[0x12, 0], 50_000)), Ok(50_000));
        assert_eq!(spans(&of_spans(&[0x12, 0], 100_000)), Err(Malformed));
        let with_ids = field(2, &[field(1, &[1; 16]), field(2, &[2; 8])].concat());
        assert_eq!(spans(&of_spans(&with_ids, 500_000)), Ok(500_000));
        let groups = |bytes: &[u8]| walk(bytes, Look::Inside).map(|index| index.resources.len() + index.scopes.len());
        assert_eq!(groups(&[0x0a, 0].repeat(60_000)), Ok(60_000));
        assert_eq!(groups(&[0x0a, 0].repeat(70_000)), Err(Malformed));
        assert_eq!(groups(&field(1, &[0x12, 0].repeat(70_000))), Err(Malformed));
    }
}
