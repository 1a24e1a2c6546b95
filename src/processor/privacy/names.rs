//! Names of spans, and what W3C Trace Context carries beside the ids.

use std::borrow::Cow;

use super::rules::Rules;
use crate::event::CallKind;
use crate::semconv::{self, Attr};

use bytestring::ByteString;

/// What a span's name may begin with before a label, beside the operations of our calls: the conventions' other
/// operations and MCP's methods, and our summaries.
const OPERATIONS: &[&str] =
    &["create_agent", "fetch_response", "plan", "prompts/get", "resources/read", "rollout", "tools/call"];

/// What stands in the place of a span's name; nothing where it stays.
pub(super) fn span_name<'r>(rules: &Rules<'r>, name: &'r str) -> Option<Cow<'r, str>> {
    let is_target = |label: &str| !label.is_empty() && rules.stays(label);
    if rules.stays(name) || name.split_once(' ').is_some_and(|(word, label)| is_operation(word) && is_target(label)) {
        rules.see_name(name);
        return None;
    }
    let text = |name: Attr<ByteString>| rules.attributes().text(name.id());
    let Some(operation) = text(semconv::OPERATION_NAME).filter(|operation| is_operation(operation)) else {
        return Some(Cow::Owned(rules.replaced(name)));
    };
    let target = match CallKind::of_operation(operation) {
        Some(kind) => kind.target(),
        None => matches!(operation, "create_agent" | "plan").then_some(semconv::AGENT_NAME),
    };
    rules.count_replaced();
    let target = target.and_then(text).filter(|target| !target.is_empty()).map(|target| rules.label(target));
    Some(target.map_or(Cow::Borrowed(operation), |target| Cow::Owned(format!("{operation} {target}"))))
}

fn is_operation(word: &str) -> bool {
    OPERATIONS.contains(&word) || CallKind::of_operation(word).is_some()
}

/// Whether a `tracestate` is labels alone. Its members are vendors' own, and could be anything.
pub(super) fn is_safe_trace_state(rules: &Rules<'_>, state: &str) -> bool {
    is_of_labels(state, |label| !label.is_empty() && rules.stays(label))
}

fn is_of_labels(state: &str, is_label: impl Fn(&str) -> bool) -> bool {
    let is_safe = |member: &str| {
        member.trim_matches([' ', '\t']).split_once('=').is_some_and(|(key, value)| is_label(key) && is_label(value))
    };
    state.is_empty() || state.split(',').all(is_safe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privacy::is_label;

    #[test]
    fn a_trace_state_of_labels_is_safe() {
        for (state, is_safe) in [
            ("", true),
            ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", true),
            ("a=b, t@v=c", true),
            ("a=two words", false),
            ("a", false),
            ("a=b,", false),
        ] {
            assert_eq!(is_of_labels(state, is_label), is_safe, "{state}");
        }
    }
}
