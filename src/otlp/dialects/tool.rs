//! What a tool was called with and what it returned, as far as `privacy` has left it: a digest and a length beside the name
//! of the attribute that it stood in.

use crate::otlp::SpanView;
use crate::otlp::decode::NotACall;
use crate::otlp::fields::Core;
use crate::semconv as s;

/// The attributes, and what they hold.
const ARGUMENTS: [&str; 4] = ["tool.parameters", "ai.toolCall.args", "traceloop.entity.input", "input.value"];
const RESULTS: [&str; 3] = ["ai.toolCall.result", "traceloop.entity.output", "output.value"];

/// Tells of the first that is there, unless the conventions' own names tell already. The digest is that of the text as it
/// stood: of arguments the exact one.
pub(super) fn content(span: &SpanView<'_>, core: &mut Core) -> Result<(), NotACall> {
    let is_told = |names: [s::KeyId; 2]| {
        span.attributes().flatten().any(|(key, _)| s::lookup(key).is_some_and(|id| names.contains(&id)))
    };
    let (digest, length) = (s::TOOL_ARGUMENTS_EXACT.id(), s::TOOL_ARGUMENTS_LENGTH.id());
    if !is_told([s::TOOL_ARGUMENTS_DIGEST.id(), length]) {
        take(span, core, &ARGUMENTS, digest, length)?;
    }
    let (digest, length) = (s::TOOL_RESULT_DIGEST.id(), s::TOOL_RESULT_LENGTH.id());
    if !is_told([digest, length]) {
        take(span, core, &RESULTS, digest, length)?;
    }
    Ok(())
}

fn take(
    span: &SpanView<'_>,
    core: &mut Core,
    names: &[&str],
    digest: s::KeyId,
    length: s::KeyId,
) -> Result<(), NotACall> {
    for name in names {
        let mut is_there = false;
        for (key, value) in span.attributes().flatten() {
            let id = match key.strip_prefix(name) {
                Some(".digest") => digest,
                Some(".length") => length,
                _ => continue,
            };
            // What nobody but its sender has measured may be of any kind.
            is_there |= core.set(id, &value).is_ok();
        }
        if is_there {
            return Ok(());
        }
    }
    Ok(())
}
