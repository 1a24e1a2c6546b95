//! The specification's variables for traces that do not apply. The README's second table is tested against it.

const BOUNDS: &str = "a span of ours has bounds of its own, and a digest that is cut is worth nothing";
const INSIDE: &str = "what is told inside a call is bounded by the recorder";

/// Variables that are not read, each with the reason. In an SDK pipeline of the host's its own reading of them holds.
pub const NOT_READ: &[(&str, &str)] = &[
    ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", BOUNDS),
    ("OTEL_ATTRIBUTE_COUNT_LIMIT", BOUNDS),
    ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", BOUNDS),
    ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", BOUNDS),
    ("OTEL_SPAN_EVENT_COUNT_LIMIT", INSIDE),
    ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", INSIDE),
    ("OTEL_SPAN_LINK_COUNT_LIMIT", "links are identity: a run falls apart without them"),
    ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "a link has one attribute"),
    ("OTEL_PROPAGATORS", "W3C Trace Context and Baggage are what is carried"),
    ("OTEL_CONFIG_FILE", "there is one place for a setting, and that is a variable"),
];
