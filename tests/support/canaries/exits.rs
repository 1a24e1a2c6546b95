//! What was found where something leaves, held against a policy.

use std::collections::BTreeSet;
use std::path::Path;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use prost::Message;
use veilspan::Policy;
use veilspan::semconv::{self, lookup};

use super::plants::{Canary, Class, Plants};
use super::search::Search;

/// What is told of the exits of one run.
pub struct Exits<'r> {
    plants: &'r Plants,
    policy: &'r Policy,
    search: Search,
    leaks: Vec<String>,
    seen: BTreeSet<usize>,
}

impl<'r> Exits<'r> {
    pub fn of(plants: &'r Plants, policy: &'r Policy) -> Self {
        let search = Search::new(plants.planted().iter().map(|canary| canary.word.as_str()));
        Self { plants, policy, search, leaks: Vec::new(), seen: BTreeSet::new() }
    }

    /// An exit where nothing that was planted may be, whatever the policy: errors, `Debug` of what holds content.
    pub fn silent(&mut self, exit: &str, bytes: &[u8]) {
        self.look(exit, bytes, |_, _| false);
    }

    /// An exit for names and ids that may leave, and for nothing that was said: logs.
    pub fn named(&mut self, exit: &str, bytes: &[u8]) {
        self.look(exit, bytes, |exits, canary| {
            canary.class == Class::Label && exits.plants.may_leave(canary, exits.policy)
        });
    }

    /// An exit behind the policy: what it lets leave may be here, and nothing else.
    pub fn veiled(&mut self, exit: &str, bytes: &[u8]) {
        self.look(exit, bytes, |exits, canary| exits.plants.may_leave(canary, exits.policy));
    }

    /// The same of requests as they are sent; and whatever may leave stands under a key of its class.
    pub fn requests(&mut self, exit: &str, requests: &[Bytes]) {
        for request in requests {
            self.veiled(exit, request);
            let request = ExportTraceServiceRequest::decode(request.clone()).unwrap();
            for (place, text) in texts(&request) {
                self.look(&format!("{exit}, at {place:?}"), text.as_bytes(), |_, canary| is_of_class(canary, place));
            }
        }
    }

    /// The planted texts that were found where they may be.
    pub fn seen(&self) -> impl Iterator<Item = &Canary> {
        self.seen.iter().map(|place| &self.plants.planted()[*place])
    }

    pub fn leaks(&self) -> &[String] {
        &self.leaks
    }

    /// Fails with every leak, where there is one.
    pub fn assert_kept(&self) {
        let snapshot = self.policy.snapshot();
        assert!(self.leaks.is_empty(), "{:?} under {snapshot}:\n{}", self.plants.shape(), self.leaks.join("\n"));
    }

    fn look(&mut self, exit: &str, bytes: &[u8], may: impl Fn(&Self, &Canary) -> bool) {
        for found in self.search.find(bytes) {
            let canary = &self.plants.planted()[found.word];
            if may(self, canary) {
                self.seen.insert(found.word);
                continue;
            }
            let around = &bytes[found.at.saturating_sub(60)..bytes.len().min(found.at + 60)];
            let around = String::from_utf8_lossy(around);
            self.leaks.push(format!("{} ({:?}) in {exit} as {}: {around:?}", canary.place, canary.class, found.form));
        }
    }
}

/// Where a text of a request stands.
#[derive(Clone, Copy, Debug)]
enum Place<'r> {
    /// In the value of an attribute of a span, an event or a link.
    Attribute(&'r str),
    /// In the value of an attribute of a resource.
    Resource(&'r str),
    ResourceKey,
    SpanName,
    /// Anywhere else: in a key, an event's name, a state, a status, a scope, a schema's address.
    Elsewhere(&'static str),
}

/// Whether a planted text that may leave may do so here.
fn is_of_class(canary: &Canary, place: Place<'_>) -> bool {
    let class = |key| lookup(key).map(|id| id.name().class);
    match (canary.class, place) {
        (Class::Label, Place::SpanName | Place::Resource(_) | Place::ResourceKey) => true,
        // A part of the messages by the conventions' schema.
        (Class::Label, Place::Attribute("gen_ai.output.messages")) => true,
        (Class::Label, Place::Attribute(key)) => {
            matches!(class(key), Some(semconv::Class::Label | semconv::Class::Reason | semconv::Class::Policy))
        }
        // A part of another producer's span: what stands there is what was planted there.
        (Class::Label | Class::Content(_), Place::Elsewhere(what)) => canary.place.contains(what),
        (Class::Content(_), Place::Attribute(key)) => class(key).is_none_or(semconv::Class::is_content),
        _ => false,
    }
}

/// Every text of a request, and where it stands.
fn texts(request: &ExportTraceServiceRequest) -> Vec<(Place<'_>, String)> {
    use Place::{Attribute, Elsewhere, Resource, SpanName};
    let mut texts = Vec::new();
    for resource in &request.resource_spans {
        let attributes = resource.resource.iter().flat_map(|resource| &resource.attributes);
        attributes.for_each(|attribute| under(Resource(&attribute.key), attribute, &mut texts));
        texts.push((Elsewhere("schema"), resource.schema_url.clone()));
        for scope in &resource.scope_spans {
            texts.push((Elsewhere("scope"), format!("{:?} {:?}", scope.scope, scope.schema_url)));
            for span in &scope.spans {
                texts.push((SpanName, span.name.clone()));
                texts.push((Elsewhere("state"), span.trace_state.clone()));
                texts.push((Elsewhere("status"), format!("{:?}", span.status)));
                texts.extend(span.events.iter().map(|event| (Elsewhere("event's name"), event.name.clone())));
                texts.extend(span.links.iter().map(|link| (Elsewhere("link's state"), link.trace_state.clone())));
                let events = span.events.iter().flat_map(|event| &event.attributes);
                let links = span.links.iter().flat_map(|link| &link.attributes);
                for attribute in span.attributes.iter().chain(events).chain(links) {
                    under(Attribute(&attribute.key), attribute, &mut texts);
                }
            }
        }
    }
    texts
}

fn under<'r>(place: Place<'r>, attribute: &'r KeyValue, texts: &mut Vec<(Place<'r>, String)>) {
    let key = if matches!(place, Place::Resource(_)) { Place::ResourceKey } else { Place::Elsewhere("key") };
    texts.push((key, attribute.key.clone()));
    texts.push((place, format!("{:?}", attribute.value)));
}

/// The names and bytes of all files in a folder and below it.
pub fn bytes_of(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        bytes.extend_from_slice(path.as_os_str().as_encoded_bytes());
        bytes.push(b'\n');
        // What is gone by now has left nothing behind.
        match path.symlink_metadata() {
            Ok(entry) if entry.is_dir() => bytes.extend(bytes_of(&path)),
            Ok(entry) if entry.is_file() => bytes.extend(std::fs::read(&path).unwrap_or_default()),
            _ => {}
        }
    }
    bytes
}
