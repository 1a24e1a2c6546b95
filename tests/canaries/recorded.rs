//! Through the recorder: onto the wire, onto the disk, into a sink, and through a stage.

use std::path::Path;
use std::time::Duration;

use std::sync::Arc;
use veilspan::collector::{Config, Stage};
use veilspan::environment::Environment;
use veilspan::export::{ExporterConfig, Protocol, SpoolConfig};
use veilspan::privacy::Level;
use veilspan::reduce::{Facts, tree};
use veilspan::semconv::Field;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

use super::policies::{every_level, every_policy};
use super::scenario::{record_everything, record_late};
use crate::support::canaries::{Class, Echo, Exits, Logs, Plants, Shape, bytes_of};
use crate::support::http_receiver::HttpReceiver;

pub const SOON: Duration = Duration::from_secs(60);

/// A folder that the spool takes for its own.
pub fn private() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o700)).tempdir().unwrap()
}

fn config(endpoint: String, folder: Option<&Path>) -> ExporterConfig {
    let mut config = ExporterConfig::default();
    config.endpoint = endpoint;
    config.batch_delay = Duration::from_millis(20);
    config.headers.push(("authorization".to_owned(), "zebra-header".into()));
    config.spool = folder.map(SpoolConfig::new);
    config
}

/// Records everything towards an endpoint, and more after the shutdown; answers what was planted.
fn record_to(config: &ExporterConfig, policy: &Policy, shape: Shape, resource: bool) -> (Plants, String) {
    let mut plants = Plants::new(shape);
    let mut config = config.clone();
    if resource {
        config.resource.push(("service.name".to_owned(), plants.label("service name")));
        config.resource.push(("team.words".to_owned(), plants.label("resource attribute")));
        config.resource.push((plants.label("resource key"), "x".to_owned()));
    }
    let recorder = Recorder::exporting(&config, policy.clone()).unwrap();
    let open = record_everything(&recorder, &mut plants);
    recorder.flush(SOON);
    recorder.shutdown(SOON);
    record_late(open, &mut plants);
    (plants, format!("{recorder:?} {config:?} {policy:?} {:?}", recorder.counts()))
}

/// What must be seen, lest nothing is found for want of anything to find.
fn assert_seen(exits: &Exits<'_>, policy: &Policy, shape: Shape) {
    let labels = exits.seen().filter(|canary| canary.class == Class::Label).count();
    assert_eq!(labels > 30, shape == Shape::Label, "{labels} labels under {}", policy.snapshot());
    for field in Field::ALL {
        let is_seen = exits.seen().any(|canary| canary.class == Class::Content(fields_of(field)));
        let level = policy.levels().of_all(&[field]);
        let shown = if shape == Shape::Secret { level == Level::Full } else { level >= Level::Preview };
        // A thought is a part of what was said, which has a class beside its own.
        assert!(field == Field::Reasoning || is_seen == shown, "{field:?} as {shape:?} under {}", policy.snapshot());
    }
}

pub fn fields_of(field: Field) -> &'static [Field] {
    &Field::ALL[Field::ALL.iter().position(|other| *other == field).unwrap()..][..1]
}

#[test]
fn what_a_recorder_is_told_leaves_as_the_policy_says_and_stands_where_the_table_says() {
    let logs = Logs::of_process();
    for policy in every_policy() {
        for shape in Shape::ALL {
            let mark = Logs::of_process().mark();
            let echo = Echo::start();
            let folder = private();
            let (plants, printed) = record_to(&config(echo.url(), Some(folder.path())), &policy, shape, true);
            let mut exits = Exits::of(&plants, &policy);
            exits.requests("the wire", &echo.requests());
            exits.veiled("the spool", &bytes_of(folder.path()));
            exits.silent("debug output", printed.as_bytes());
            exits.named("logs", &logs.since(mark));
            exits.assert_kept();
            assert_seen(&exits, &policy, shape);
        }
    }
    assert!(logs.mark() > 0);
}

#[test]
fn what_waits_on_disk_for_a_peer_that_never_answers_is_veiled() {
    let nowhere = format!("http://{}", std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    for policy in every_level() {
        for shape in Shape::ALL {
            let mark = Logs::of_process().mark();
            let folder = private();
            let mut config = config(nowhere.clone(), Some(folder.path()));
            config.timeout = Duration::from_millis(100);
            let mut plants = Plants::new(shape);
            let recorder = Recorder::exporting(&config, policy.clone()).unwrap();
            let open = record_everything(&recorder, &mut plants);
            recorder.shutdown(Duration::from_millis(300));
            let mut exits = Exits::of(&plants, &policy);
            exits.veiled("the spool", &bytes_of(folder.path()));
            exits.named("logs", &Logs::of_process().since(mark));
            exits.assert_kept();
            let labels = exits.seen().filter(|canary| canary.class == Class::Label).count();
            assert_eq!(labels > 30, shape == Shape::Label, "{labels} labels");
            record_late(open, &mut plants);
        }
    }
}

#[test]
fn what_passes_a_stage_on_its_way_is_veiled_before_and_behind_it() {
    for (mine, stages) in [(Level::Full, Level::Digest), (Level::Masked, Level::Preview), (Level::None, Level::Full)] {
        let environment = super::policies::without_ceiling();
        let policy = |level| Policy::builder().content(level).unkeyed_sha256().build_in(&environment).0;
        for shape in Shape::ALL {
            let mark = Logs::of_process().mark();
            let echo = Echo::start();
            let stage_config = Config::between(([127, 0, 0, 1], 0).into(), Some(&echo.url()));
            let stage = Stage::builder(stage_config).policy(policy(stages)).start().unwrap();
            let endpoint = format!("http://{}", stage.address());
            let (plants, _) = record_to(&config(endpoint, None), &policy(mine), shape, false);
            let printed = format!("{stage:?}");
            stage.shutdown(SOON);
            let strictest = policy(mine.min(stages));
            let mut exits = Exits::of(&plants, &strictest);
            exits.requests("the wire", &echo.requests());
            exits.silent("debug output", printed.as_bytes());
            exits.named("logs", &Logs::of_process().since(mark));
            exits.assert_kept();
            assert!(!echo.requests().is_empty());
        }
    }
}

#[test]
fn what_is_sent_over_http_is_veiled_too() {
    for policy in every_level() {
        for shape in Shape::ALL {
            let mark = Logs::of_process().mark();
            let receiver = HttpReceiver::start();
            let mut config = config(receiver.url(), None);
            config.protocol = Protocol::HttpProtobuf;
            let (plants, _) = record_to(&config, &policy, shape, true);
            let seen = receiver.seen();
            let requests: Vec<_> = seen.iter().map(|seen| seen.body.clone()).collect();
            let mut exits = Exits::of(&plants, &policy);
            exits.requests("the wire", &requests);
            exits.silent(
                "headers",
                format!("{:?}", seen.iter().map(|seen| &seen.headers).collect::<Vec<_>>()).as_bytes(),
            );
            exits.named("logs", &Logs::of_process().since(mark));
            exits.assert_kept();
            assert_seen(&exits, &policy, shape);
        }
    }
}

#[test]
fn peers_are_told_of_names_alone() {
    for shape in Shape::ALL {
        let policy = &every_level()[1];
        let mut plants = Plants::new(shape);
        let recorder = Recorder::builder().sink(Arc::new(MemorySink::default())).policy(policy.clone()).build();
        let turn =
            recorder.turn(&plants.label("agent")).tenant(&plants.label("tenant")).rollout(&plants.label("rollout"));
        let turn = turn.thread(&plants.label("thread")).turn_id(&plants.label("turn")).start();
        let tool = turn.tool(&plants.label("tool")).arguments(plants.hidden("arguments")).start();
        let (mut headers, mut meta) = (http::HeaderMap::new(), serde_json::Map::new());
        assert!(tool.context().inject(&"http://127.0.0.1/".parse().unwrap(), &mut headers));
        assert!(tool.context().inject_meta(&mut meta));
        let mut exits = Exits::of(&plants, policy);
        exits.named("headers", format!("{headers:?}").as_bytes());
        exits.named("meta", format!("{meta:?}").as_bytes());
        exits.assert_kept();
        assert_eq!(exits.seen().count(), if shape == Shape::Label { 4 } else { 0 });
    }
}

#[test]
fn what_stands_behind_privacy_in_the_process_is_veiled() {
    for policy in every_policy() {
        for shape in Shape::ALL {
            let mut plants = Plants::new(shape);
            let sink = Arc::new(MemorySink::default());
            let recorder = Recorder::builder().sink(sink.clone()).policy(policy.clone()).build();
            let open = record_everything(&recorder, &mut plants);
            assert!(recorder.shutdown(SOON).complete);
            record_late(open, &mut plants);
            let mut facts = Facts::default();
            sink.events().iter().for_each(|event| {
                facts.absorb(event);
            });
            let graphs = facts.derive();
            let mut exits = Exits::of(&plants, &policy);
            exits.veiled("records", format!("{:?}", sink.records()).as_bytes());
            exits.veiled("events", format!("{:?}", sink.events()).as_bytes());
            exits.veiled("facts", format!("{facts:?}").as_bytes());
            exits.veiled("graphs", format!("{graphs:?}").as_bytes());
            for graph in &graphs {
                exits.veiled("state.json", graph.serialise().as_bytes());
                exits.veiled("tree", tree(graph).as_bytes());
            }
            exits.assert_kept();
            assert!(!graphs.is_empty());
        }
    }
}

#[test]
fn a_policy_that_cannot_be_read_lets_nothing_leave_and_is_not_repeated() {
    let environments: [&[(&str, &str)]; 3] = [
        &[("VEILSPAN_CONTENT", "zebra value"), ("VEILSPAN_HASH", "zebra value")],
        &[("VEILSPAN_HASH_KEY", "zebra-key-0123456789abcdef0123456789abcdef")],
        &[("VEILSPAN_HASH_KEY", "zebra short"), ("OTEL_SERVICE_NAME", "zebra service name")],
    ];
    for variables in environments {
        let mark = Logs::of_process().mark();
        let environment: Environment = variables.iter().copied().collect();
        let (policy, mut warnings) = Policy::builder().build_in(&environment);
        let echo = Echo::start();
        let (mut config, more) = ExporterConfig::from_environment(&environment);
        config.endpoint = echo.url();
        warnings.extend(more);
        veilspan::environment::warn_once(&warnings);
        let (plants, printed) = record_to(&config, &policy, Shape::Free, false);
        let mut exits = Exits::of(&plants, &policy);
        exits.requests("the wire", &echo.requests());
        exits.assert_kept();
        let wire: Vec<u8> = echo.requests().concat();
        for bytes in [
            printed.as_bytes(),
            format!("{environment:?} {warnings:?}").as_bytes(),
            &wire,
            &Logs::of_process().since(mark),
        ] {
            for (_, value) in variables {
                assert!(!crate::support::leaks::holds(bytes, value), "{value} under {variables:?}");
            }
        }
    }
}
