//! What is told of a configuration that cannot be used.

use super::Config;
use super::tests::{EXAMPLE, read, with_pipeline};

#[test]
fn errors_name_the_line_the_place_and_what_is_allowed_and_no_value() {
    let cases = [
        (
            "processors: [canary]",
            "line 6: service.pipelines.traces.processors[0]: expected one of `privacy`, `dialect`, `reduce`, `replay`, alone",
        ),
        ("processors: [reduce, [canary]]", "line 6: service.pipelines.traces.processors[1]: expected one of `privacy`"),
        ("processors: [reduce/]", "line 6: service.pipelines.traces.processors[0]: expected one of `privacy`"),
        ("canary: 1", "line 6: service.pipelines.traces: an unknown key; allowed are"),
        ("processors: canary", "line 6: service.pipelines.traces.processors: expected a list of names, such as"),
        ("processors: [reduce, reduce]", "line 6: service.pipelines.traces.processors[1]: `reduce` stands there twice"),
    ];
    for (pipeline, start) in cases {
        let error = with_pipeline(pipeline).unwrap_err().to_string();
        assert!(error.starts_with(start) && !error.contains("canary"), "{error}");
    }
    let of_the_example = [
        (":-127.0.0.1:14317", "", "line 8: STAGE_LISTEN: not set"),
        (":-127.0.0.1:14317", "-canary", "line 8: a variable: not set"),
        ("127.0.0.1:14317", "0.0.0.0:14317", "line 8: receivers.otlp.protocols.grpc.endpoint: not a loopback address"),
        ("127.0.0.1:14317", "canary", "line 8: receivers.otlp.protocols.grpc.endpoint: expected an address"),
    ];
    for (from, to, start) in of_the_example {
        let error = read(&EXAMPLE.replace(from, to)).unwrap_err().to_string();
        assert!(error.starts_with(start) && !error.contains("canary"), "{error}");
    }
    let within = |open: &str, close: &str| open.repeat(25) + &close.repeat(25);
    let deep = ["- ".repeat(25), within("[", "]"), within("{a: ", "}"), "- ".repeat(100_000)];
    for yaml in deep {
        let error = read(&yaml).unwrap_err().to_string();
        assert!(
            error.starts_with("line 1: the file: values stand in each other deeper than any"),
            "{error}: {yaml:.20}"
        );
    }
    assert!(read(&"- ".repeat(24)).unwrap_err().to_string().starts_with("line 1: the file: expected a map"));
    for (yaml, start) in [
        ("a: [canary", "line "),
        ("service: {}\nservice: {}", "line 2: the file: a key stands here that stood there before"),
        ("service:\n\tcanary: {}", "line 2: the file: not YAML"),
        ("canary: {}", "line 1: the file: an unknown key"),
        ("- canary", "line 1: the file: expected a map"),
        ("", "line 1: service: missing"),
    ] {
        let error = read(yaml).unwrap_err().to_string();
        assert!(error.starts_with(start) && !error.contains("canary"), "{error}");
    }
}

/// Block by block, as people write it.
const BLOCKS: &str = "receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:14317
processors:
  privacy:
exporters:
  otlp:
    endpoint: http://127.0.0.1:24317
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [privacy]
      exporters: [otlp]
";

#[test]
fn errors_stand_at_the_key_that_is_wrong_and_say_what_is_expected_of_it() {
    assert!(read(BLOCKS).is_ok());
    let grpc = "        endpoint: 127.0.0.1:14317\n";
    let export = "    endpoint: http://127.0.0.1:24317\n";
    let and = |before: &str, more: &str| (before.to_owned(), format!("{before}{more}"));
    let instead = |before: &str, now: &str| (before.to_owned(), now.to_owned());
    for ((from, to), expected) in [
        (
            instead("receivers: [otlp]", "receivers: [jaeger]"),
            "line 14: service.pipelines.traces.receivers[0]: expected `otlp`, alone or with a name of its own behind a slash",
        ),
        (
            instead("receivers: [otlp]", "receivers:\n        - otlp\n        - canary"),
            "line 16: service.pipelines.traces.receivers[1]: expected `otlp`",
        ),
        (
            instead("  otlp:\n    protocols:", "  canary:\n    protocols:"),
            "line 2: receivers: an unknown name; expected `otlp`, alone",
        ),
        (
            and(grpc, "        keepalive:\n          server_parameters:\n            canary: 1\n"),
            "line 6: receivers.otlp.protocols.grpc: an unknown key; allowed are `endpoint`",
        ),
        (instead(grpc, ""), "line 4: receivers.otlp.protocols.grpc.endpoint: missing; expected an address such as"),
        (
            instead(grpc, "        endpoint: 14317\n"),
            "line 5: receivers.otlp.protocols.grpc.endpoint: expected an address",
        ),
        (instead("127.0.0.1:14317", "${canary}"), "line 5: a variable: expected `${env:NAME}`"),
        (instead("127.0.0.1:14317", "\"${env:canary\""), "line 5: a variable: expected `${env:NAME}`"),
        (instead("http://127.0.0.1:24317", "24317"), "line 10: exporters.otlp.endpoint: expected `http://host:port`"),
        (and(export, "    compression: off\n"), "line 11: exporters.otlp.compression: expected one of `none`"),
        (
            and(export, "    headers: {a: b, x-scope: 1}\n"),
            "line 11: exporters.otlp.headers: expected a text; a number needs",
        ),
        (
            and(export, "    headers:\n      ok: a\n      can ary: a\n"),
            "line 13: exporters.otlp.headers: this cannot be the name",
        ),
        (
            and(export, "    headers:\n      ok: \"can\\nary\"\n"),
            "line 12: exporters.otlp.headers: this cannot be the value",
        ),
        (
            and(export, "    tls:\n      insecure: true\n"),
            "line 12: exporters.otlp.tls.insecure: an endpoint that begins",
        ),
        (and(export, "    timeout: 25h\n"), "line 11: exporters.otlp.timeout: expected a time from `1ms` to `24h`"),
        (
            instead("service:\n", "service:\n  telemetry:\n    metrics:\n      address: 127.0.0.1:14317\n"),
            "line 13: service.telemetry.metrics: `receivers.otlp` listens on this address already",
        ),
    ] {
        assert!(BLOCKS.contains(&from), "{from}");
        let error = read(&BLOCKS.replacen(&from, &to, 1)).unwrap_err().to_string();
        assert!(error.starts_with(expected) && !error.contains("canary"), "{error}");
    }
}

#[test]
fn what_no_pipeline_uses_is_checked_all_the_same() {
    for (section, unused, expected) in [
        (
            "receivers:\n",
            "  otlp/b:\n    protocols:\n      canary:\n",
            "line 4: receivers.otlp/b.protocols: an unknown key",
        ),
        (
            "processors:\n",
            "  dialect:\n    originals: canary\n",
            "line 8: processors.dialect.originals: expected one of",
        ),
        ("exporters:\n", "  file:\n    path: canary\n", "line 10: exporters.file.path: expected an absolute path"),
        ("exporters:\n", "  otlp/b:\n    endpont: canary\n", "line 10: exporters.otlp/b: an unknown key"),
        (
            "exporters:\n",
            "  otlphttp:\n    logs_endpoint: canary\n",
            "line 10: exporters.otlphttp.logs_endpoint: expected",
        ),
    ] {
        let error = read(&BLOCKS.replacen(section, &format!("{section}{unused}"), 1)).unwrap_err().to_string();
        assert!(error.starts_with(expected) && !error.contains("canary"), "{error}");
    }
    let for_logs = "exporters:\n  otlphttp:\n    logs_endpoint: http://127.0.0.1:1/v1/logs\n";
    assert!(read(&BLOCKS.replacen("exporters:\n", for_logs, 1)).is_ok());
}

#[test]
fn what_a_variable_says_may_be_a_number_or_a_flag() {
    let yaml = BLOCKS.replacen(
        "    endpoint: http://127.0.0.1:24317\n",
        "    endpoint: http://127.0.0.1:24317\n    best_effort: ${env:FLAG}\n    timeout: ${env:TIME}\n",
        1,
    );
    let said = |name: &str| Some(if name == "FLAG" { "true" } else { "3s" }.to_owned());
    assert!(Config::from_yaml(&yaml, &said).unwrap().pipelines[0].exporters[0].best_effort);
}
