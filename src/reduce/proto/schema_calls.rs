//! The same of calls.

use super::schema::Kind::{Attributes, Bool, Flat, Many, One, Runs, Text, Texts, Uint, Uints};
use super::schema::{AT, Schema, field};

pub(super) static CALL: Schema = Schema {
    name: "Call",
    fields: &[
        field(1, "id", Text),
        field(2, "trace", Text),
        field(3, "span", Text),
        field(4, "parent", Text),
        field(5, "started", One(&AT)),
        field(6, "ended", One(&AT)),
        field(7, "duration_nanos", Uint),
        field(8, "outcome", Text),
        field(9, "end_inferred", Bool),
        field(10, "late", Bool),
        field(11, "policy", Text),
        field(12, "attributes", Attributes),
        field(13, "error", One(&MEASURE)),
        field(14, "marks", Many(&MARK)),
        field(15, "conflicts", Many(&CONFLICT)),
    ],
};

static MARK: Schema = Schema {
    name: "Mark",
    fields: &[
        field(1, "kind", Text),
        field(2, "at", One(&AT)),
        field(3, "attributes", Attributes),
        field(4, "content", Many(&MEASURE)),
    ],
};

static CONFLICT: Schema = Schema { name: "Conflict", fields: &[field(1, "outcome", Text), field(2, "at", One(&AT))] };

static MEASURE: Schema = Schema { name: "Measure", fields: &[field(1, "digest", Text), field(2, "length", Uint)] };

static ARGUMENTS: Schema = Schema {
    name: "Arguments",
    fields: &[field(1, "digest", Text), field(2, "exact", Text), field(3, "length", Uint)],
};

pub(super) static INFERENCE: Schema = Schema {
    name: "Inference",
    fields: &[
        field(1, "call", Flat(&CALL)),
        field(2, "gap", Bool),
        field(3, "started_tool_calls", Texts),
        field(4, "input", One(&INPUT)),
        field(5, "output", One(&OUTPUT)),
    ],
};

static INPUT: Schema = Schema {
    name: "Input",
    fields: &[
        field(1, "prefix", Text),
        field(2, "chain", Text),
        field(3, "omitted", Uint),
        field(4, "system", One(&MEASURE)),
        field(5, "tools", Text),
        field(6, "told", Uint),
        field(7, "items", Runs),
        field(8, "blobs", Texts),
    ],
};

static OUTPUT: Schema = Schema { name: "Output", fields: &[field(1, "items", Runs), field(2, "blobs", Texts)] };

pub(super) static TOOL_CALL: Schema = Schema {
    name: "ToolCall",
    fields: &[
        field(1, "call", Flat(&CALL)),
        field(2, "arguments", One(&ARGUMENTS)),
        field(3, "result", One(&MEASURE)),
        field(4, "occurrence", Uint),
        field(5, "placeholders", Uint),
        field(6, "call_items", Uints),
        field(7, "output_items", Uints),
        field(8, "runtime", One(&RUNTIME)),
        field(9, "code_cell", Text),
        field(10, "terminal_operation", Text),
    ],
};

static RUNTIME: Schema = Schema {
    name: "Runtime",
    fields: &[
        field(1, "began", One(&AT)),
        field(2, "ended", One(&AT)),
        field(3, "outcome", Text),
        field(4, "evidence", Texts),
    ],
};

pub(super) static CODE_CELL: Schema = Schema {
    name: "CodeCell",
    fields: &[
        field(1, "call", Flat(&CALL)),
        field(2, "reported", Bool),
        field(3, "source", One(&MEASURE)),
        field(4, "status", Text),
        field(5, "responded", One(&AT)),
        field(6, "yielded", One(&AT)),
        field(7, "source_item", Uint),
        field(8, "output_items", Uints),
        field(9, "nested_tool_calls", Texts),
        field(10, "waits", Texts),
    ],
};

pub(super) static TERMINAL_OPERATION: Schema = Schema {
    name: "TerminalOperation",
    fields: &[
        field(1, "call", Flat(&CALL)),
        field(2, "request", Many(&MEASURE)),
        field(3, "result", Many(&MEASURE)),
        field(4, "tool_call", Text),
    ],
};

pub(super) static OTHER_CALL: Schema = Schema {
    name: "OtherCall",
    fields: &[
        field(1, "call", Flat(&CALL)),
        field(2, "kind", Text),
        field(3, "given", Many(&MEASURE)),
        field(4, "returned", Many(&MEASURE)),
    ],
};
