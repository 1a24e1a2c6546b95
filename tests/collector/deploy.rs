//! What is shown for running a stage agrees with itself.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use veilspan::collector::Config;

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/deploy").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn config(yaml: &str) -> Config {
    Config::from_yaml(yaml, &|_| None).unwrap()
}

fn documents() -> Vec<Value> {
    text("kubernetes.yaml").split("\n---\n").map(|document| serde_saphyr::from_str(document).unwrap()).collect()
}

#[test]
fn the_manifest_runs_a_valid_stage_that_can_be_probed_and_cannot_write() {
    let documents = documents();
    let of_kind = |kind: &str| documents.iter().find(|document| document["kind"] == kind).unwrap();
    let config = config(of_kind("ConfigMap")["data"]["veilspan.yaml"].as_str().unwrap());
    let pod = &of_kind("Deployment")["spec"]["template"]["spec"];
    let container = pod["containers"].as_array().unwrap().iter().find(|one| one["name"] == "veilspan").unwrap();
    let ports: BTreeMap<_, _> = container["ports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|port| (port["name"].as_str(), &port["containerPort"]))
        .collect();
    for probe in ["livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["path"], "/healthz");
        let port = ports[&container[probe]["httpGet"]["port"].as_str()].as_u64().unwrap();
        assert_eq!(port, u64::from(config.telemetry.unwrap().port()));
    }
    // A probe comes from outside of the pod; spans do not.
    assert!(!config.telemetry.unwrap().ip().is_loopback());
    let grpc = config.pipelines[0].receivers[0].grpc.as_ref().unwrap();
    assert!(grpc.address.ip().is_loopback());
    let security = &container["securityContext"];
    assert_eq!((&security["readOnlyRootFilesystem"], &security["runAsNonRoot"]), (&true.into(), &true.into()));
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() > 10, "longer than the stage drains");
    let collector: Value =
        serde_saphyr::from_str(of_kind("ConfigMap")["data"]["otelcol.yaml"].as_str().unwrap()).unwrap();
    let next = collector["exporters"]["otlp/veilspan"]["endpoint"].as_str().unwrap();
    assert_eq!(next, grpc.address.to_string());
    let back = collector["receivers"]["otlp/veilspan"]["protocols"]["grpc"]["endpoint"].as_str().unwrap();
    assert!(of_kind("ConfigMap")["data"]["veilspan.yaml"].as_str().unwrap().contains(back));
}

#[test]
fn the_unit_and_the_container_start_the_command_that_there_is() {
    let command = "/usr/local/bin/veilspan collector --config /etc/veilspan/veilspan.yaml";
    let unit = text("veilspan.service");
    assert!(unit.lines().any(|line| line == format!("ExecStart={command}")));
    let stop = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")?.strip_suffix('s')).unwrap();
    assert!(stop.parse::<u64>().unwrap() > 10, "longer than the stage drains");
    let container = text("Containerfile");
    let list = |key: &str| -> Vec<String> {
        serde_json::from_str(container.lines().find_map(|line| line.strip_prefix(key)).unwrap()).unwrap()
    };
    assert_eq!([list("ENTRYPOINT "), list("CMD ")].concat().join(" "), command);
    assert!(container.contains("USER nonroot"));
    let ports: Vec<u16> = config(&text("veilspan.yaml")).pipelines[0]
        .receivers
        .iter()
        .flat_map(|receiver| receiver.grpc.iter().chain(&receiver.http))
        .map(|listen| listen.address.port())
        .collect();
    let exposed = container.lines().find_map(|line| line.strip_prefix("EXPOSE ")).unwrap();
    assert!(ports.iter().all(|port| exposed.split(' ').any(|exposed| exposed == port.to_string())), "{exposed}");
}

#[test]
#[cfg(target_os = "linux")]
fn systemd_knows_every_setting_of_the_unit_where_it_can_be_asked() {
    let Ok(output) = std::process::Command::new("systemd-analyze").arg("--version").output() else { return };
    if !output.status.success() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("veilspan.service");
    // The program need not be installed where this runs.
    std::fs::write(&unit, text("veilspan.service").replace("/usr/local/bin/veilspan", "/bin/true")).unwrap();
    let output =
        std::process::Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("Unknown") && !said.contains("Failed to parse"), "{said}");
}
