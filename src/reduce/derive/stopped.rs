//! Tool calls that stopped for a person: what they returned then stands in for their result.

use std::collections::BTreeMap;

use super::{call, segment};
use crate::event::Outcome;
use crate::reduce::graph::{OtherCall, ToolCall};
use crate::semconv::{APPROVAL_DECISION, APPROVAL_INDEX, TOOL_CALL_ID, TOOL_NAME};

/// A call that stopped for an approval and the call that went on after it are one, under one id of the provider.
pub(super) fn fold(tools: &mut Vec<ToolCall>) {
    segment::sort(tools, |tool| &tool.call);
    if !tools.iter().any(|tool| call::returned_placeholder(&tool.call)) {
        return;
    }
    let name = |tool: &ToolCall| Some((tool.call.attrs.get(TOOL_CALL_ID)?, tool.call.attrs.get(TOOL_NAME)?));
    let mut stopped: BTreeMap<_, u32> = BTreeMap::new();
    let mut last: BTreeMap<_, usize> = BTreeMap::new();
    for (number, tool) in tools.iter().enumerate() {
        last.extend(name(tool).map(|name| (name, number)));
    }
    let mut number = 0;
    tools.retain_mut(|tool| {
        let here = number;
        number += 1;
        let Some(name) = name(tool) else { return true };
        if call::returned_placeholder(&tool.call) && last.get(&name).is_some_and(|last| *last > here) {
            *stopped.entry(name).or_default() += 1 + tool.placeholders;
            return false;
        }
        tool.placeholders += stopped.remove(&name).unwrap_or_default();
        true
    });
}

/// A call that stopped and was refused then was denied, whoever told so, and did not fail. Of several that one decision may
/// be about it is the first.
pub(super) fn deny(tools: &mut [ToolCall], approvals: &[OtherCall]) {
    let mut denials: Vec<_> = approvals.iter().map(|approval| &approval.call).collect();
    denials.retain(|call| call.attrs.text(APPROVAL_DECISION) == Some("denied") && call.closed_at.is_some());
    if denials.is_empty() {
        return;
    }
    denials.sort_by_key(|call| (call.opened_at, call.attrs.get(APPROVAL_INDEX), call.key));
    for denial in denials {
        let id = denial.attrs.get(TOOL_CALL_ID);
        let name = denial.attrs.get(TOOL_NAME);
        if id.is_none() && name.is_none() {
            continue;
        }
        let is_it = |tool: &&mut ToolCall| {
            let attrs = &tool.call.attrs;
            call::returned_placeholder(&tool.call)
                && (id.is_none() || attrs.get(TOOL_CALL_ID) == id)
                && (name.is_none() || attrs.get(TOOL_NAME) == name)
                && tool.call.seen_at() <= denial.closed_at
        };
        if let Some(tool) = tools.iter_mut().find(is_it) {
            tool.call.outcome = Some(Outcome::Denied);
            tool.call.closed_at = denial.closed_at;
            tool.call.end_inferred = true;
        }
    }
}
