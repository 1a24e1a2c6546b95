use super::*;
use crate::processor::dialect::{DialectOptions, Originals, Stamp};

pub(super) const EXAMPLE: &str = include_str!("../../../examples/collector/veilspan.yaml");

fn none(_: &str) -> Option<String> {
    None
}

pub(super) fn read(yaml: &str) -> Result<Config, ConfigError> {
    Config::from_yaml(yaml, &none)
}

pub(super) fn with_pipeline(pipeline: &str) -> Result<Config, ConfigError> {
    read(&format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\"}}}}}}}}\n\
         processors: {{privacy: {{}}, reduce: {{}}}}\n\
         exporters: {{otlp: {{endpoint: \"http://127.0.0.1:1\"}}, file: {{path: /tmp/out}}}}\n\
         service:\n  pipelines:\n    traces: {{receivers: [otlp], exporters: [otlp], {pipeline}}}\n"
    ))
}

fn with_grpc(grpc: &str) -> Result<Config, ConfigError> {
    read(&format!(
        "receivers:\n  otlp:\n    protocols:\n      grpc: {{{grpc}}}\n\
         exporters: {{otlp: {{endpoint: \"http://127.0.0.1:1\"}}}}\n\
         service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp]}}}}}}\n"
    ))
}

fn processors(config: Result<Config, ConfigError>) -> Vec<Processor> {
    config.unwrap().pipelines.remove(0).processors
}

#[test]
fn the_example_is_read_with_its_defaults_and_with_variables() {
    let config = read(EXAMPLE).unwrap();
    let pipeline = &config.pipelines[0];
    assert_eq!(pipeline.receivers[0].grpc.as_ref().unwrap().address, "127.0.0.1:14317".parse().unwrap());
    let ExporterKind::Otlp(exporter) = &pipeline.exporters[0].kind else { panic!("an otlp exporter") };
    assert_eq!(exporter.endpoint, "http://127.0.0.1:24317");
    assert_eq!(pipeline.processors, [Processor::Privacy, Processor::Reduce]);
    let set = |name: &str| (name == "STAGE_LISTEN").then(|| "127.0.0.1:7".to_owned());
    let config = Config::from_yaml(EXAMPLE, &set).unwrap();
    assert_eq!(config.pipelines[0].receivers[0].grpc.as_ref().unwrap().address.port(), 7);
    let listens = |at: &str| Config::from_yaml(EXAMPLE, &|name| (name == "STAGE_LISTEN").then(|| at.to_owned()));
    let address = listens("localhost:4317").unwrap().pipelines[0].receivers[0].grpc.as_ref().unwrap().address;
    assert_eq!(address, "127.0.0.1:4317".parse().unwrap());
    assert!(["localhost", "localhost:", "localhost:99999", "local:4317"].iter().all(|at| listens(at).is_err()));
}

#[test]
fn privacy_is_first_unless_it_is_switched_off_by_name() {
    assert_eq!(processors(with_pipeline("processors: []")), [Processor::Privacy]);
    assert_eq!(processors(with_pipeline("processors: [reduce]")), [Processor::Privacy, Processor::Reduce]);
    assert_eq!(processors(with_pipeline("processors: [reduce], privacy: off")), [Processor::Reduce]);
    assert!(with_pipeline("processors: [reduce, privacy]").is_err());
    assert!(with_pipeline("processors: [privacy], privacy: off").is_err());
    assert!(with_pipeline("processors: [reduce], privacy: maybe").is_err());
}

#[test]
fn privacy_is_for_genai_spans_unless_all_are_named() {
    let of = |options: &str| {
        read(&format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\"}}}}}}}}\n\
             processors: {{privacy: {{{options}}}}}\n\
             exporters: {{otlp: {{endpoint: \"http://127.0.0.1:1\"}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], processors: [privacy], exporters: [otlp]}}}}}}\n"
        ))
    };
    for (options, all) in [("", false), ("spans: genai", false), ("spans: all", true)] {
        assert_eq!(of(options).unwrap().pipelines[0].veils_all_spans, all, "{options}");
    }
    assert!(!with_pipeline("processors: [reduce]").unwrap().pipelines[0].veils_all_spans);
    let error = of("spans: canary").unwrap_err().to_string();
    assert_eq!(error, "line 2: processors.privacy.spans: expected one of `genai`, `all`");
}

#[test]
fn what_is_not_veiled_is_not_stored() {
    let stored = "receivers: {otlp: {protocols: {http: {endpoint: \"127.0.0.1:0\"}}}}\n\
         exporters: {file: {path: /tmp/out}}\n\
         service: {pipelines: {traces: {receivers: [otlp], exporters: [file]PRIVACY}}}\n";
    assert!(read(&stored.replace("PRIVACY", "")).is_ok());
    let error = read(&stored.replace("PRIVACY", ", privacy: off")).unwrap_err().to_string();
    assert!(error.contains("stores what it gets"), "{error}");
}

#[test]
fn beyond_this_machine_a_listener_needs_tls_and_a_credential_or_says_that_it_is_open() {
    let open = "endpoint: \"0.0.0.0:4317\"";
    let tls = "tls: {cert_file: /c, key_file: /k}";
    assert!(with_grpc(open).is_err());
    assert!(with_grpc(&format!("{open}, {tls}")).is_err());
    assert!(with_grpc(&format!("{open}, auth: {{bearer_token_file: /t}}")).is_err());
    assert!(with_grpc(&format!("{open}, {tls}, auth: {{bearer_token_file: /t}}")).is_ok());
    assert!(with_grpc(&format!("{open}, tls: {{cert_file: /c, key_file: /k, client_ca_file: /a}}")).is_ok());
    assert!(with_grpc(&format!("{open}, insecure: true")).is_ok());
    let relative = with_grpc(&format!("{open}, tls: {{cert_file: c, key_file: /k}}")).unwrap_err().to_string();
    assert!(relative.starts_with("line 4: ") && relative.contains("tls.cert_file: expected an absolute path"));
}

#[test]
fn a_token_comes_from_a_variable_or_a_file_and_never_stands_in_the_configuration() {
    let local = "endpoint: \"127.0.0.1:0\"";
    let written = with_grpc(&format!("{local}, auth: {{bearer_token: canary-token}}")).unwrap_err().to_string();
    assert!(written.contains("a secret does not belong") && !written.contains("canary"), "{written}");
    let default = format!("{local}, auth: {{bearer_token: \"${{env:T:-canary}}\"}}");
    assert!(with_grpc(&default).is_err(), "a default is written in the file too");
    let yaml = format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{{local}, auth: {{bearer_token: \"${{env:T}}\"}}}}}}}}}}\n\
         exporters: {{otlp: {{endpoint: \"http://127.0.0.1:1\", headers: {{x-key: canary-key}}}}}}\n\
         service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp]}}}}}}\n"
    );
    let config = Config::from_yaml(&yaml, &|_| Some("canary-token".to_owned())).unwrap();
    assert!(!format!("{config:?}").contains("canary"));
}

#[test]
fn several_pipelines_have_receivers_addresses_and_files_of_their_own() {
    let two = "receivers:\n\
         \x20 otlp: {protocols: {grpc: {endpoint: \"127.0.0.1:1\"}}}\n\
         \x20 otlp/b: {protocols: {grpc: {endpoint: \"127.0.0.1:2\"}, http: {endpoint: \"127.0.0.1:3\"}}}\n\
         exporters:\n\
         \x20 otlphttp: {endpoint: \"http://127.0.0.1:4/\"}\n\
         \x20 otlp/x: {endpoint: \"http://127.0.0.1:5\", best_effort: true, compression: gzip, timeout: 3s}\n\
         service:\n\
         \x20 telemetry: {metrics: {address: \"127.0.0.1:9\"}}\n\
         \x20 pipelines:\n\
         \x20   traces: {receivers: [otlp], exporters: [otlphttp, otlp/x]}\n\
         \x20   traces/b: {receivers: [otlp/b], exporters: [otlphttp]}\n";
    let config = read(two).unwrap();
    assert_eq!(config.pipelines.len(), 2);
    let ExporterKind::Otlp(http) = &config.pipelines[1].exporters[0].kind else { panic!("an otlp exporter") };
    assert_eq!(http.endpoint, "http://127.0.0.1:4/v1/traces");
    let second = &config.pipelines[0].exporters[1];
    assert!(second.best_effort && !config.pipelines[0].exporters[0].best_effort);
    for (from, to, problem) in [
        ("traces/b: {receivers: [otlp/b]", "traces/b: {receivers: [otlp]", "stands in two pipelines"),
        ("127.0.0.1:3", "127.0.0.1:1", "listens on this address already"),
        ("127.0.0.1:9", "127.0.0.1:2", "listens on this address already"),
        ("[otlphttp, otlp/x]", "[otlphttp, otlp/y]", "`otlp/y` is not defined under `exporters`"),
        ("timeout: 3s", "timeout: 3", "expected a time"),
        ("timeout: 3s", "timeout: 99h", "expected a time"),
        ("compression: gzip", "compression: snappy", "expected one of `none`, `gzip`, `zstd`"),
        ("best_effort: true", "best_effort: perhaps", "expected `true` or `false`"),
        ("http://127.0.0.1:5", "127.0.0.1:5", "expected `http://host:port`"),
    ] {
        assert_ne!(two.replace(from, to), two);
        let error = read(&two.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn a_dialect_step_drops_what_it_has_told_and_stamps_by_choice_alone() {
    let with = |settings: &str| {
        let yaml = format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\"}}}}}}}}\n\
             processors: {{dialect: {settings}}}\n\
             exporters: {{otlp: {{endpoint: \"http://127.0.0.1:1\"}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], processors: [dialect], exporters: [otlp]}}}}}}\n"
        );
        read(&yaml)
    };
    let options = |settings: &str| match processors(with(settings)).as_slice() {
        [Processor::Privacy, Processor::Dialect(options)] => options.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(options("{}"), DialectOptions::default());
    assert_eq!(options("{}").originals, Originals::Drop);
    assert_eq!(options("{originals: keep, stamp: {}}").stamp, Some(Stamp::default()));
    let named = options("{stamp: {attributes: [my.run]}}");
    assert_eq!(named.stamp, Some(Stamp { attributes: vec!["my.run".to_owned()] }));
    assert_eq!(options("{stamp: {attributes: []}}").stamp, Some(Stamp { attributes: Vec::new() }));
    for (settings, problem) in [
        ("{originals: gone}", "line 2: processors.dialect.originals: expected one of `drop`, `keep`"),
        ("{stamp: true}", "processors.dialect.stamp: expected a map"),
        ("{stamp: {attributes: my.run}}", "expected a list of names of attributes"),
        ("{stamp: {attributes: [\"two words\"]}}", "expected a list of names of attributes"),
        ("{stamps: {}}", "an unknown key"),
    ] {
        let error = with(settings).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn an_input_log_stands_behind_privacy_and_before_reduction_and_in_a_folder_of_its_own() {
    let log = "input_log: {directory: /tmp/log, max_mib: 64, fsync: interval}";
    let config = with_pipeline(&format!("processors: [reduce], {log}")).unwrap();
    let expected =
        InputLogConfig { directory: "/tmp/log".into(), max_bytes: 64 << 20, fsync: crate::export::Fsync::Interval };
    assert_eq!(config.pipelines[0].input_log, Some(expected));
    for (pipeline, problem) in [
        (format!("processors: [], {log}"), "both have to stand in the pipeline"),
        (format!("processors: [reduce], privacy: off, {log}"), "both have to stand in the pipeline"),
        ("processors: [reduce], input_log: {}".to_owned(), "input_log.directory: missing"),
        ("processors: [reduce], input_log: {directory: log}".to_owned(), "expected an absolute path"),
        ("processors: [reduce], input_log: {directory: /l, fsync: often}".to_owned(), "`os`, `interval`, `always`"),
        ("processors: [reduce], input_log: {directory: /l, max_mib: 1}".to_owned(), "from 16 to"),
    ] {
        let error = with_pipeline(&pipeline).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
    let mut twice = config.clone();
    let mut second = config.pipelines[0].clone();
    second.receivers[0].name = "otlp/b".to_owned();
    twice.pipelines.push(second);
    assert!(twice.check().unwrap_err().to_string().contains("has its log in this folder"));
    assert!(config.with_processors(&[Processor::Privacy]).check().is_err());
}

#[test]
fn replay_knows_its_baselines_and_rules_name_labels() {
    let with = |replay: &str, pipeline: &str| {
        read(&format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\"}}}}}}}}\n\
             processors:\n  replay: {{{replay}}}\n\
             exporters: {{otlp: {{endpoint: \"http://127.0.0.1:1\"}}, file: {{path: /tmp/out}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], processors: [replay], exporters: [otlp]{pipeline}}}}}}}\n"
        ))
    };
    let rule = "baselines: /runs, rules: [{attribute: gen_ai.agent.name, value: a, baseline: b}]";
    let config = with(rule, ", findings: [otlp]").unwrap();
    assert_eq!(config.pipelines[0].processors, [Processor::Privacy, Processor::Replay]);
    assert_eq!((config.pipelines[0].replay.as_ref().unwrap().rules.len(), config.pipelines[0].findings.len()), (1, 1));
    let wrong = [
        ("", "", "line 3: processors.replay.baselines: missing"),
        ("baselines: runs", "", "line 3: processors.replay.baselines: expected an absolute path"),
        ("baselines: /runs, rules: x", "", "line 3: processors.replay.rules: expected a list"),
        (
            "baselines: /runs, rules: [{attribute: canary, value: a, baseline: b}]",
            "",
            "line 3: processors.replay.rules[0].attribute: expected the name of a label",
        ),
        (
            "baselines: /runs, rules: [{attribute: gen_ai.input.messages, value: a, baseline: b}]",
            "",
            "line 3: processors.replay.rules[0].attribute: expected the name of a label",
        ),
        (
            "baselines: /runs, rules: [{attribute: gen_ai.agent.name, value: a}]",
            "",
            "line 3: processors.replay.rules[0].baseline: missing",
        ),
        ("baselines: /runs", ", findings: [file]", "line 4: exporters.file: a `file` exporter keeps spans alone"),
        (
            "baselines: /runs",
            ", findings: [otlp/x]",
            "line 5: service.pipelines.traces.findings: `otlp/x` is not defined",
        ),
    ];
    for (replay, pipeline, expected) in wrong {
        let error = with(replay, pipeline).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let error = with_pipeline("processors: [], findings: [otlp]").unwrap_err().to_string();
    assert!(error.contains("neither `reduce` nor `replay`"), "{error}");
    let mut unsaid = Config::default().with_processors(&[Processor::Privacy, Processor::Replay]);
    unsaid.pipelines[0].replay = None;
    assert!(unsaid.check().unwrap_err().to_string().contains("needs to know its baselines"));
}

#[test]
fn programs_may_ask_about_rollouts_where_that_is_said_and_only_behind_privacy() {
    let with = |rollouts: &str, pipeline: &str| {
        read(&format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\"}}}}}}}}\n\
             exporters: {{otlp: {{endpoint: \"http://127.0.0.1:1\"}}}}\n\
             service:\n  rollouts: {{{rollouts}}}\n\
             \x20 pipelines: {{traces: {{receivers: [otlp], exporters: [otlp]{pipeline}}}}}\n"
        ))
    };
    let config = with("endpoint: \"127.0.0.1:0\", recordings: /runs", "").unwrap();
    assert_eq!(config.rollouts.unwrap().recordings.unwrap().to_str(), Some("/runs"));
    assert!(Config::default().rollouts.is_none(), "it is off unless it is asked for");
    for (rollouts, pipeline, expected) in [
        ("", "", "line 4: service.rollouts.endpoint: missing"),
        ("endpoint: \"0.0.0.0:1\"", "", "line 4: service.rollouts.endpoint: not a loopback address"),
        (
            "endpoint: \"127.0.0.1:0\", recordings: runs",
            "",
            "line 4: service.rollouts.recordings: expected an absolute path",
        ),
        ("endpoint: \"127.0.0.1:0\"", ", privacy: off", "line 4: service.rollouts: it shows what passes"),
    ] {
        let error = with(rollouts, pipeline).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
