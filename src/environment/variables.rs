//! The one array of environment variables. The README's table is tested against it.

/// An environment variable that this crate reads.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What holds where it is not set.
    pub default: &'static str,
    /// What it does, with units.
    pub meaning: &'static str,
}

/// All of them.
pub const VARIABLES: &[Variable] = &[
    Variable {
        name: "VEILSPAN_CONTENT",
        default: "digest",
        meaning: "what leaves of content: `none`, `digest`, `preview`, `masked` or `full`; the I/O journal's `on`, `off` and `redacted` keep their strength",
    },
    Variable {
        name: "VEILSPAN_CONTENT_SYSTEM",
        default: "as `VEILSPAN_CONTENT`",
        meaning: "the same for system instructions and tool definitions alone",
    },
    Variable {
        name: "VEILSPAN_CONTENT_PROMPTS",
        default: "as `VEILSPAN_CONTENT`",
        meaning: "the same for what a model is sent alone",
    },
    Variable {
        name: "VEILSPAN_CONTENT_COMPLETIONS",
        default: "as `VEILSPAN_CONTENT`",
        meaning: "the same for what a model answers alone",
    },
    Variable {
        name: "VEILSPAN_CONTENT_REASONING",
        default: "as `VEILSPAN_CONTENT`",
        meaning: "the same for what a model thinks alone",
    },
    Variable {
        name: "VEILSPAN_CONTENT_TOOL_ARGUMENTS",
        default: "as `VEILSPAN_CONTENT`",
        meaning: "the same for arguments of tool calls alone",
    },
    Variable {
        name: "VEILSPAN_CONTENT_TOOL_RESULTS",
        default: "as `VEILSPAN_CONTENT`",
        meaning: "the same for results of tool calls alone",
    },
    Variable {
        name: "VEILSPAN_CONTENT_ERRORS",
        default: "as `VEILSPAN_CONTENT`",
        meaning: "the same for messages and stacks of errors alone",
    },
    Variable {
        name: "VEILSPAN_CONTENT_MAX",
        default: "masked",
        meaning: "the operator's ceiling over all levels, set in code too; `/etc/veilspan/policy.yaml`, root's own, stands above it",
    },
    Variable {
        name: "VEILSPAN_POLICY_FILE",
        default: "",
        meaning: "the absolute path of a file with `class: level` lines; every variable stands above it",
    },
    Variable {
        name: "VEILSPAN_PREVIEW",
        default: "text",
        meaning: "`placeholder` puts `<redacted len=N>` in the place of each preview",
    },
    Variable {
        name: "VEILSPAN_PREVIEW_CHARS",
        default: "256",
        meaning: "the most characters of a preview; never over 4096 of a message, 1024 of a tool's arguments or result",
    },
    Variable {
        name: "VEILSPAN_DETECTORS",
        default: "default",
        meaning: "what looks for keys, passwords and personal data in text that leaves: `default`, `none` (then `preview` and `masked` mean `digest`), or the absolute path of a file of rules",
    },
    Variable {
        name: "VEILSPAN_ATTRIBUTE_BYTES",
        default: "65536",
        meaning: "the most bytes of one attribute with whole content, at most 262144; longer texts in it are cut, and the JSON stays whole",
    },
    Variable {
        name: "VEILSPAN_PAYLOADS",
        default: "",
        meaning: "the absolute path of a folder of this user's alone in which content that is longer than that is kept whole, at `masked` and `full`, under the reference on its span",
    },
    Variable {
        name: "VEILSPAN_HASH",
        default: "hmac-sha256",
        meaning: "how digests are made: `hmac-sha256`, `sha256` (short texts can be guessed) or `none`",
    },
    Variable {
        name: "VEILSPAN_HASH_KEY",
        default: "kept for the user, or made for the life of the process",
        meaning: "the key of digests, at least 32 bytes, taken as it is",
    },
    Variable {
        name: "VEILSPAN_HASH_KEY_FILE",
        default: "",
        meaning: "the absolute path of a file that holds the key, no link, readable by its owner alone; one newline at its end is not part of the key",
    },
    Variable {
        name: "VEILSPAN_HASH_KEY_ID",
        default: "8 hex digits made from the key",
        meaning: "the name of the key on the wire",
    },
    Variable {
        name: "VEILSPAN_INLINE",
        default: "false",
        meaning: "`true` veils on the thread that records, which waits for it; nothing waits in memory as it was said",
    },
    Variable {
        name: "VEILSPAN_PROPAGATE",
        default: "loopback,mcp",
        meaning: "who is told of a call's trace and identity: `loopback`, `mcp`, host names and `*.domain`, joined by commas; `none` for nobody",
    },
    Variable {
        name: "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
        default: "",
        meaning: "`false`, `no_content` or `event_only` lowers all content to `digest`; nothing raises it",
    },
    Variable { name: "TRACELOOP_TRACE_CONTENT", default: "", meaning: "`false` lowers all content to `digest`" },
    Variable {
        name: "OPENINFERENCE_HIDE_INPUTS",
        default: "",
        meaning: "`true` lowers system instructions, prompts and tool arguments to `digest`",
    },
    Variable {
        name: "OPENINFERENCE_HIDE_OUTPUTS",
        default: "",
        meaning: "`true` lowers completions, reasoning and tool results to `digest`",
    },
    Variable {
        name: "OPENINFERENCE_HIDE_INPUT_MESSAGES",
        default: "",
        meaning: "`true` lowers system instructions and prompts to `digest`",
    },
    Variable {
        name: "OPENINFERENCE_HIDE_OUTPUT_MESSAGES",
        default: "",
        meaning: "`true` lowers completions and reasoning to `digest`",
    },
    Variable {
        name: "OPENINFERENCE_HIDE_INPUT_IMAGES",
        default: "",
        meaning: "`true` lowers system instructions and prompts to `digest`",
    },
    Variable {
        name: "OPENINFERENCE_HIDE_INPUT_TEXT",
        default: "",
        meaning: "`true` lowers system instructions and prompts to `digest`",
    },
    Variable {
        name: "OPENINFERENCE_HIDE_OUTPUT_TEXT",
        default: "",
        meaning: "`true` lowers completions and reasoning to `digest`",
    },
    Variable {
        name: "OPENINFERENCE_HIDE_PROMPTS",
        default: "",
        meaning: "`true` lowers system instructions and prompts to `digest`",
    },
    Variable {
        name: "OPENINFERENCE_HIDE_CHOICES",
        default: "",
        meaning: "`true` lowers completions and reasoning to `digest`",
    },
    Variable {
        name: "OPENINFERENCE_HIDE_LLM_TOOLS",
        default: "",
        meaning: "`true` lowers system instructions and tool definitions to `digest`",
    },
    Variable {
        name: "OPENINFERENCE_HIDE_EMBEDDINGS_TEXT",
        default: "",
        meaning: "`true` lowers system instructions and prompts to `digest`",
    },
    Variable {
        name: "XDG_CONFIG_HOME",
        default: "`.config` in `HOME`",
        meaning: "where `veilspan/hash.key` is kept, as an absolute path",
    },
    Variable {
        name: "XDG_STATE_HOME",
        default: "`.local/state` in `HOME`",
        meaning: "where `veilspan/sent` and `veilspan/hooks` are kept, as an absolute path",
    },
    Variable {
        name: "VEILSPAN_HOOK_BLOCK_MS",
        default: "0",
        meaning: "how many milliseconds a `Stop` or `SessionEnd` hook waits at the most until `veilspan import --follow` has sent what it ends; up to 600000",
    },
    Variable {
        name: "VEILSPAN_BACKEND_HEADERS",
        default: "",
        meaning: "headers of every request to a Jaeger or a Tempo that runs are read from: `authorization=Bearer%20…`, `x-scope-orgid=…`; `name=value` pairs joined by commas, percent-encoded",
    },
    Variable {
        name: "VEILSPAN_BACKEND_CERTIFICATE",
        default: "",
        meaning: "a file of certificates (PEM) to trust there instead of the operating system's",
    },
    Variable { name: "CODEX_HOME", default: "`.codex` in `HOME`", meaning: "where Codex keeps its sessions" },
    Variable {
        name: "CLAUDE_CONFIG_DIR",
        default: "`.claude` in `HOME`",
        meaning: "where Claude Code keeps its sessions",
    },
    Variable { name: "HOME", default: "", meaning: "the user's own folder" },
    Variable {
        name: "VEILSPAN_SPOOL_DIR",
        default: "",
        meaning: "a folder of this user's alone in which spans wait on disk; without it they wait in memory",
    },
    Variable {
        name: "VEILSPAN_SPOOL_BYTES",
        default: "268435456",
        meaning: "how many bytes a process may take there, at least 65536",
    },
    Variable {
        name: "VEILSPAN_SPOOL_FSYNC",
        default: "os",
        meaning: "what outlives more than the process: `os` syncs nothing, `interval` once a second, `always` before a span counts as written",
    },
    Variable {
        name: "VEILSPAN_SPOOL_WAIT",
        default: "",
        meaning: "`written` or `synced`: the start and the end of a call wait for that, 50 ms at the most",
    },
    Variable { name: "OTEL_SDK_DISABLED", default: "false", meaning: "`true` switches the recorder off" },
    Variable { name: "OTEL_TRACES_EXPORTER", default: "otlp", meaning: "`none` switches the recorder off" },
    Variable {
        name: "OTEL_METRICS_EXPORTER",
        default: "none",
        meaning: "`otlp` sends the recorder's own counters as metrics, to where spans are sent unless a variable for metrics says otherwise",
    },
    Variable {
        name: "OTEL_METRIC_EXPORT_INTERVAL",
        default: "60000",
        meaning: "the time between two requests with metrics, in milliseconds",
    },
    Variable {
        name: "OTEL_TRACES_SAMPLER",
        default: "parentbased_always_on",
        meaning: "`always_on`, `always_off`, `traceidratio`, each also with `parentbased_` before it; decided by the rollout's id, so that an agent run is recorded whole or not at all",
    },
    Variable {
        name: "OTEL_TRACES_SAMPLER_ARG",
        default: "1",
        meaning: "the share of agent runs that `traceidratio` records",
    },
    Variable { name: "OTEL_SERVICE_NAME", default: "unknown_service", meaning: "`service.name` of the resource" },
    Variable {
        name: "OTEL_RESOURCE_ATTRIBUTES",
        default: "",
        meaning: "further resource attributes, `key=value` pairs joined by commas, percent-encoded",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_ENDPOINT",
        default: "http://localhost:4317",
        meaning: "where spans are sent; over HTTP `/v1/traces` is appended, and `http://localhost:4318` is the default",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        default: "",
        meaning: "the same for traces alone, taken as it is; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        default: "",
        meaning: "the same for metrics alone, taken as it is; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_INSECURE",
        default: "false",
        meaning: "`true` makes an endpoint without a scheme `http://`; without it such an endpoint is `https://`",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
        default: "",
        meaning: "the same for traces alone; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_METRICS_INSECURE",
        default: "",
        meaning: "the same for metrics alone; wins over the general one",
    },
    Variable { name: "OTEL_EXPORTER_OTLP_PROTOCOL", default: "grpc", meaning: "`grpc` or `http/protobuf`" },
    Variable {
        name: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        default: "",
        meaning: "the same for traces alone; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
        default: "",
        meaning: "the same for metrics alone; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_HEADERS",
        default: "",
        meaning: "metadata of every request, `key=value` pairs joined by commas, percent-encoded",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        default: "",
        meaning: "the same for traces alone; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
        default: "",
        meaning: "the same for metrics alone; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_TIMEOUT",
        default: "10000",
        meaning: "how long one request may take, in milliseconds",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        default: "",
        meaning: "the same for traces alone; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
        default: "",
        meaning: "the same for metrics alone; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_COMPRESSION",
        default: "none",
        meaning: "`gzip` or `zstd` compresses requests",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
        default: "",
        meaning: "the same for traces alone; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION",
        default: "",
        meaning: "the same for metrics alone; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_CERTIFICATE",
        default: "the operating system's",
        meaning: "a PEM file of certificates to trust for `https://`",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
        default: "",
        meaning: "the same for traces alone; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE",
        default: "",
        meaning: "the same for metrics alone; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        default: "",
        meaning: "a PEM file of our own certificate",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
        default: "",
        meaning: "the same for traces alone; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE",
        default: "",
        meaning: "the same for metrics alone; wins over the general one",
    },
    Variable { name: "OTEL_EXPORTER_OTLP_CLIENT_KEY", default: "", meaning: "a PEM file of its key" },
    Variable {
        name: "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
        default: "",
        meaning: "the same for traces alone; wins over the general one",
    },
    Variable {
        name: "OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY",
        default: "",
        meaning: "the same for metrics alone; wins over the general one",
    },
    Variable {
        name: "OTEL_BSP_SCHEDULE_DELAY",
        default: "5000",
        meaning: "how long a span may wait for its batch to fill, in milliseconds",
    },
    Variable {
        name: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        default: "512",
        meaning: "how many spans go into one request at the most",
    },
    Variable {
        name: "OTEL_BSP_EXPORT_TIMEOUT",
        default: "30000",
        meaning: "another bound on the time of one request, in milliseconds",
    },
    Variable {
        name: "OTEL_BSP_MAX_QUEUE_SIZE",
        default: "64 MiB of spans",
        meaning: "how many spans may wait to be sent",
    },
    Variable {
        name: "RUST_LOG",
        default: "veilspan=info",
        meaning: "what the command line logs to stderr, of its own targets alone, and errors in any case",
    },
];
