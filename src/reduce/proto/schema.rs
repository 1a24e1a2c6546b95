//! Which field of which message stands for which member of `state.json`.

use super::schema_calls::{CALL, CODE_CELL, INFERENCE, OTHER_CALL, TERMINAL_OPERATION, TOOL_CALL};

/// A message.
pub(crate) struct Schema {
    /// As the `.proto` file calls it: for tests, which hold the two against each other.
    #[cfg_attr(not(test), allow(dead_code))]
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [Field],
}

/// A field of a message.
pub(crate) struct Field {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    /// Its name in `state.json`.
    pub(crate) member: &'static str,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Uint,
    Int,
    Bool,
    Texts,
    Uints,
    /// Runs of numbers: `3` or `0-17`.
    Runs,
    One(&'static Schema),
    Many(&'static Schema),
    /// The same, where an empty list is written too.
    List(&'static Schema),
    /// A message whose members stand among those around it.
    Flat(&'static Schema),
    /// Names with values of several types.
    Attributes,
}

pub(crate) const fn field(number: u32, name: &'static str, kind: Kind) -> Field {
    Field { number, name, member: name, kind }
}

/// A field that is called otherwise in `state.json`.
const fn renamed(number: u32, name: &'static str, member: &'static str, kind: Kind) -> Field {
    Field { number, name, member, kind }
}

use Kind::{Bool, Flat, Int, List, Many, One, Runs, Text, Texts, Uint, Uints};

pub(crate) static ROLLOUT: Schema = Schema {
    name: "Rollout",
    fields: &[
        field(1, "version", Uint),
        field(2, "tenant", Text),
        field(3, "rollout", Text),
        field(4, "generation", Uint),
        field(5, "closed", Text),
        field(6, "outcome", Text),
        field(7, "root", Text),
        field(8, "recording", Text),
        field(9, "started_unix_nano", Uint),
        field(10, "last_unix_nano", Uint),
        field(11, "totals", One(&TOTALS)),
        field(12, "threads", List(&THREAD)),
        field(13, "edges", Many(&EDGE)),
        field(14, "findings", Many(&FINDING)),
        field(15, "quarantine", Many(&QUARANTINED)),
        field(16, "evidence", Many(&EVIDENCE)),
    ],
};

pub(crate) static TOTALS: Schema = Schema {
    name: "Totals",
    fields: &[
        field(1, "turns", Uint),
        field(2, "inferences", Uint),
        field(3, "tool_calls", Uint),
        field(4, "late", Uint),
        field(5, "errors", Uint),
        field(6, "wait_nanos", Uint),
        field(7, "late_nanos", Uint),
        field(8, "inference_nanos", Uint),
        field(9, "tool_nanos", Uint),
        renamed(10, "input_tokens", "gen_ai.usage.input_tokens", Int),
        renamed(11, "output_tokens", "gen_ai.usage.output_tokens", Int),
        renamed(12, "cache_read_tokens", "gen_ai.usage.cache_read.input_tokens", Int),
        renamed(13, "cache_creation_tokens", "gen_ai.usage.cache_creation.input_tokens", Int),
        renamed(14, "reasoning_tokens", "gen_ai.usage.reasoning.output_tokens", Int),
    ],
};

static THREAD: Schema = Schema {
    name: "Thread",
    fields: &[
        field(1, "id", Text),
        field(2, "agent", One(&AGENT)),
        field(3, "started", One(&AT)),
        field(4, "ended", One(&AT)),
        field(5, "outcome", Text),
        field(6, "turns", List(&TURN)),
        field(7, "items", Many(&ITEM)),
        field(8, "compactions", Many(&COMPACTION)),
        field(9, "terminals", Many(&TERMINAL_SESSION)),
        field(10, "admissions", Many(&OTHER_CALL)),
    ],
};

static AGENT: Schema = Schema {
    name: "Agent",
    fields: &[
        field(1, "path", Text),
        field(2, "nickname", Text),
        field(3, "role", Text),
        field(4, "task", Text),
        field(5, "model", Text),
        field(6, "parent", Text),
    ],
};

pub(super) static AT: Schema =
    Schema { name: "At", fields: &[field(1, "unix_nano", Uint), field(2, "producer", Text), field(3, "seq", Uint)] };

static TURN: Schema = Schema {
    name: "Turn",
    fields: &[
        field(1, "id", Text),
        field(2, "agent", Text),
        field(3, "reported", Bool),
        field(4, "started_unix_nano", Uint),
        field(5, "ended", One(&AT)),
        field(6, "duration_nanos", Uint),
        field(7, "outcome", Text),
        field(8, "end_inferred", Bool),
        field(9, "waiting", Bool),
        field(10, "spawned_by", One(&NODE)),
        field(11, "totals", One(&TOTALS)),
        field(12, "segments", List(&SEGMENT)),
    ],
};

static SEGMENT: Schema = Schema {
    name: "Segment",
    fields: &[
        field(1, "call", Flat(&CALL)),
        field(2, "index", Int),
        field(3, "inferences", Many(&INFERENCE)),
        field(4, "tool_calls", Many(&TOOL_CALL)),
        field(5, "code_cells", Many(&CODE_CELL)),
        field(6, "terminal_operations", Many(&TERMINAL_OPERATION)),
        field(7, "compaction_attempts", Many(&OTHER_CALL)),
        field(8, "approvals", Many(&OTHER_CALL)),
        field(9, "others", Many(&OTHER_CALL)),
    ],
};

static ITEM: Schema = Schema {
    name: "Item",
    fields: &[
        field(1, "digest", Text),
        field(2, "role", Text),
        field(3, "length", Uint),
        field(4, "part_kinds", Text),
        field(5, "turn", Text),
        field(6, "first_seen_unix_nano", Uint),
        field(7, "kind", Text),
        field(8, "channel", Text),
        field(9, "call_id", Text),
        field(10, "name", Text),
        field(11, "author", Text),
        field(12, "recipient", Text),
        field(13, "parts", Many(&PART)),
        field(14, "produced_by", Many(&PRODUCER)),
    ],
};

static PART: Schema =
    Schema { name: "Part", fields: &[field(1, "kind", Text), field(2, "digest", Text), field(3, "length", Uint)] };

static PRODUCER: Schema = Schema {
    name: "Producer",
    fields: &[
        field(1, "inference", Text),
        field(2, "tool_call", Text),
        field(3, "code_cell", Text),
        field(4, "compaction", Text),
    ],
};

static COMPACTION: Schema = Schema {
    name: "Compaction",
    fields: &[
        field(1, "id", Text),
        field(2, "turn", Text),
        field(3, "installed", One(&AT)),
        field(4, "marker", Uint),
        field(5, "attempts", Texts),
        field(6, "replaced", Runs),
        field(7, "replacement", Runs),
        field(8, "chain", Text),
        field(9, "evidence", Text),
    ],
};

static TERMINAL_SESSION: Schema = Schema {
    name: "TerminalSession",
    fields: &[field(1, "id", Text), field(2, "started", One(&AT)), field(3, "operations", List(&TERMINAL_USE))],
};

static TERMINAL_USE: Schema =
    Schema { name: "TerminalUse", fields: &[field(1, "turn", Text), field(2, "operation", Text)] };

static EDGE: Schema = Schema {
    name: "Edge",
    fields: &[
        field(1, "kind", Text),
        field(2, "from", One(&END)),
        field(3, "to", One(&END)),
        field(4, "started", One(&AT)),
        field(5, "ended", One(&AT)),
        field(6, "id", Text),
        field(7, "items", Uints),
        field(8, "evidence", Texts),
    ],
};

static END: Schema = Schema {
    name: "End",
    fields: &[
        field(1, "thread", Text),
        field(2, "turn", Text),
        field(3, "call", Text),
        field(4, "item", Uint),
        field(5, "trace", Text),
        field(6, "span", Text),
    ],
};

static NODE: Schema =
    Schema { name: "Node", fields: &[field(1, "thread", Text), field(2, "turn", Text), field(3, "call", Text)] };

static FINDING: Schema = Schema {
    name: "Finding",
    fields: &[
        field(1, "kind", Text),
        field(2, "severity", Text),
        field(3, "thread", Text),
        field(4, "turn", Text),
        field(5, "call", Text),
        field(6, "subject", Text),
        field(7, "expected", Text),
        field(8, "actual", Text),
        field(9, "count", Uint),
    ],
};

static QUARANTINED: Schema =
    Schema { name: "Quarantined", fields: &[field(1, "place", Text), field(2, "reason", Text)] };

static EVIDENCE: Schema = Schema {
    name: "Evidence",
    fields: &[field(1, "at", One(&AT)), field(2, "reference", Text), field(3, "kind", Text)],
};
