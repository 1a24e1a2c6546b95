//! Between processes: W3C Trace Context for the trace and baggage for our identity, in HTTP headers and in MCP's
//! `params._meta`. Told only to those whom [`Propagation`](crate::intake::Propagation) names, never from inside of a
//! model's call, and only ids that look like labels and that no detector knows.

use std::sync::Arc;

use bytestring::ByteString;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};

use super::ambient::Context;
use super::place::{Origin, Place};
use super::recorder::Recorder;
use crate::event::{CallKind, SpanId, TraceId};
use crate::intake::Identity;
use crate::privacy::{Detectors, is_label};
use crate::semconv::{ROLLOUT_ID, TENANT_ID, THREAD_ID, TURN_ID};

const TRACEPARENT: &str = "traceparent";
const BAGGAGE: &str = "baggage";
/// What W3C Baggage says that everybody takes.
const MAX_BAGGAGE: usize = 8192;

impl Context {
    /// Tells a peer over HTTP of this place, where the peer's host may know of it: `traceparent`, and our identity beside
    /// whatever the `baggage` has. Says whether it did.
    pub fn inject(&self, to: &http::Uri, headers: &mut HeaderMap) -> bool {
        let allowed = |origin: &Origin| to.host().is_some_and(|host| origin.desk.propagation().allows_host(host));
        let Some((parent, identity)) = self.told(allowed) else { return false };
        let Ok(parent) = HeaderValue::from_str(&parent) else { return false };
        headers.insert(HeaderName::from_static(TRACEPARENT), parent);
        let before = headers.get(BAGGAGE).and_then(|value| value.to_str().ok());
        if let Some(Ok(value)) = joined(before, &identity).map(|joined| HeaderValue::from_str(&joined)) {
            headers.insert(HeaderName::from_static(BAGGAGE), value);
        }
        true
    }

    /// The same to an MCP server, by the `params._meta` of a request.
    pub fn inject_meta(&self, meta: &mut Map<String, Value>) -> bool {
        let Some((parent, identity)) = self.told(|origin| origin.desk.propagation().allows_mcp()) else { return false };
        meta.insert(TRACEPARENT.to_owned(), Value::String(parent));
        let joined = joined(meta.get(BAGGAGE).and_then(Value::as_str), &identity);
        if let Some(value) = joined {
            meta.insert(BAGGAGE.to_owned(), Value::String(value));
        }
        true
    }

    /// What is told: the `traceparent`, and our members of the baggage.
    fn told(&self, allowed: impl FnOnce(&Origin) -> bool) -> Option<(String, Vec<String>)> {
        let origin = self.origin().filter(|origin| allowed(origin))?;
        let asks_a_model = |kind| matches!(kind, CallKind::Inference | CallKind::Embeddings | CallKind::Compaction);
        if self.call.is_some_and(|key| asks_a_model(key.kind)) {
            return None;
        }
        let Place { scope, trace, span, .. } = origin.parent.as_ref()?;
        let sampled = u8::from(origin.desk.samples(&scope.rollout));
        // An id that is a text would be told in words. Without the whole path the parts of it would mean something else.
        let path = [(ROLLOUT_ID, &scope.rollout), (THREAD_ID, &scope.thread), (TURN_ID, &scope.turn)];
        let path = path.into_iter().chain(scope.tenant.as_ref().map(|tenant| (TENANT_ID, tenant)));
        let detectors = Detectors::default_set();
        let is_told = path.clone().all(|(_, id)| is_label(id) && !detectors.hits(id));
        let member =
            |(name, id): (_, &ByteString)| format!("{}={}", key_of(name), utf8_percent_encode(id, NON_ALPHANUMERIC));
        let members = if is_told { path.map(member).collect() } else { Vec::new() };
        Some((format!("00-{trace}-{span}-{sampled:02x}"), members))
    }
}

fn key_of(name: crate::semconv::Attr<ByteString>) -> &'static str {
    name.key()
}

/// Ours after those of others; nothing where that would be too long, or where there is nothing of ours.
fn joined(before: Option<&str>, ours: &[String]) -> Option<String> {
    let is_ours = |member: &&str| {
        let key = member.split('=').next().unwrap_or_default().trim();
        [ROLLOUT_ID, THREAD_ID, TURN_ID, TENANT_ID].iter().any(|name| name.key() == key)
    };
    let others = before.into_iter().flat_map(|before| before.split(',')).map(str::trim);
    let others = others.filter(|member| !member.is_empty() && !is_ours(member));
    let all: Vec<&str> = others.chain(ours.iter().map(String::as_str)).collect();
    let joined = all.join(",");
    (!ours.is_empty() && joined.len() <= MAX_BAGGAGE).then_some(joined)
}

impl Recorder {
    /// The place that a peer told of in HTTP headers: what runs inside of it is part of the peer's call, and has the
    /// identity that the peer told. Where it told nothing, or nothing that can be read, it is as if nobody had called.
    pub fn extract(&self, headers: &HeaderMap) -> Context {
        let parent = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
        let baggage = headers.get_all(BAGGAGE).iter().filter_map(|value| value.to_str().ok());
        self.told_by_peer(parent, baggage)
    }

    /// The same of an MCP request's `params._meta`.
    pub fn extract_meta(&self, meta: &Map<String, Value>) -> Context {
        let text = |key| meta.get(key).and_then(Value::as_str);
        self.told_by_peer(text(TRACEPARENT), text(BAGGAGE))
    }

    fn told_by_peer<'a>(&self, parent: Option<&str>, baggage: impl IntoIterator<Item = &'a str>) -> Context {
        let Some(desk) = self.desk() else { return Context::default() };
        let mut origin = Origin { desk: Arc::clone(desk), parent: None, remote: None };
        if let Some((trace, span)) = parent.and_then(parse_parent) {
            let identity = identity(baggage);
            if identity.rollout.is_some() {
                let scope = identity.scope_of_peer();
                origin.parent = Some(Place { scope: Arc::new(scope), trace, span, is_remote: true });
            } else {
                origin.remote = Some((trace, span));
            }
        }
        Context::of_recorder(Some(origin))
    }
}

/// Of a version that is to come the part that is known counts, as the specification says.
fn parse_parent(text: &str) -> Option<(TraceId, SpanId)> {
    let mut parts = text.trim().split('-');
    let version = parts.next().filter(|version| version.len() == 2 && *version != "ff")?;
    let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let (trace, span) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let flags = parts.next().filter(|flags| flags.len() == 2 && is_hex(flags));
    let whole = is_hex(version) && flags.is_some() && (version != "00" || parts.next().is_none());
    whole.then_some((trace, span))
}

fn identity<'a>(baggage: impl IntoIterator<Item = &'a str>) -> Identity {
    let mut identity = Identity::default();
    for member in baggage.into_iter().flat_map(|baggage| baggage.split(',')) {
        let Some((key, value)) = member.split(';').next().and_then(|member| member.split_once('=')) else { continue };
        let Ok(value) = percent_decode_str(value.trim()).decode_utf8() else { continue };
        // What another process tells is checked before it becomes part of ours.
        if !is_label(&value) {
            continue;
        }
        let place = match key.trim() {
            key if key == ROLLOUT_ID.key() => &mut identity.rollout,
            key if key == THREAD_ID.key() => &mut identity.thread,
            key if key == TURN_ID.key() => &mut identity.turn,
            key if key == TENANT_ID.key() => &mut identity.tenant,
            _ => continue,
        };
        *place = Some(ByteString::from(value.as_ref()));
    }
    identity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_by_the_letter_of_its_specification() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(parse_parent(good).is_some());
        assert!(parse_parent(&good.replacen("00", "cc", 1)).is_some());
        assert!(parse_parent(&format!("{}-more", good.replacen("00", "cc", 1))).is_some());
        for wrong in [
            "",
            "00",
            &good.replacen("00", "ff", 1),
            &good.to_uppercase(),
            &format!("{good}-more"),
            &good.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &good.replace("b7ad6b7169203331", &"0".repeat(16)),
            &good.replace("-01", ""),
            &good.replace("-01", "-0g"),
        ] {
            assert!(parse_parent(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn ours_is_added_to_the_baggage_of_others_and_replaced_in_it() {
        let ours = ["veilspan.rollout.id=r".to_owned()];
        assert_eq!(
            joined(Some("a=b;p=1, veilspan.rollout.id=old"), &ours).as_deref(),
            Some("a=b;p=1,veilspan.rollout.id=r")
        );
        assert_eq!(joined(None, &[]), None);
        assert_eq!(joined(Some(&"x".repeat(9000)), &ours), None);
    }
}
