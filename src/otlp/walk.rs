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
    pub(super) form: Form,
    pub(super) schema_url: Part,
    /// The places of its scopes, or of its spans.
    pub(super) members: Part,
}

#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) body: Part,
    pub(super) form: Form,
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
            let form = if walk.look == Look::Inside { Form::of_span(bytes) } else { Form::Loose };
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
            form: Form::Canonical,
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

    fn owner_form(&self, group: &Group, bytes: &[u8], form: fn(&[u8]) -> Form) -> Form {
        match self.look {
            Look::Outside => Form::Loose,
            Look::Inside if group.owner_is_split => form(&join(bytes)).max(Form::Loose),
            Look::Inside => form(self.bytes.get(group.owner.range()).unwrap_or_default()),
        }
    }
}

/// Where the content of a field lies that ends at `end`. The caller has made sure that 32 bits suffice.
const fn part(end: usize, content: &[u8]) -> Part {
    Part { start: (end - content.len()) as u32, end: end as u32 }
}
