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
    let user = container.lines().find_map(|line| line.strip_prefix("USER ")).unwrap();
    let is_somebody = |id: &str| id.parse::<u32>().is_ok_and(|id| id > 0);
    assert!(user.split(':').all(is_somebody), "{user}: a name says nothing to who may not run root");
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

/// The real program on what the manifest says, on ports that are free.
#[test]
#[cfg(all(feature = "cli", unix))]
fn the_stage_of_the_manifest_starts_answers_its_probes_and_its_end_and_writes_nothing() {
    use std::io::{BufRead, BufReader, Read, Write};

    let documents = documents();
    let of_kind = |kind: &str| documents.iter().find(|document| document["kind"] == kind).unwrap();
    let pod = &of_kind("Deployment")["spec"]["template"]["spec"];
    let container = pod["containers"].as_array().unwrap().iter().find(|one| one["name"] == "veilspan").unwrap();
    let yaml = of_kind("ConfigMap")["data"]["veilspan.yaml"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("veilspan.yaml");
    std::fs::write(&file, yaml).unwrap();
    let veilspan = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_veilspan"));
        // As there: no home, no place of its own, and the variables that the manifest sets.
        command.args(arguments).env_clear().current_dir(folder.path());
        for variable in container["env"].as_array().unwrap() {
            command.env(variable["name"].as_str().unwrap(), "0123456789abcdef0123456789abcdef");
        }
        command
    };
    let path = file.to_str().unwrap();
    assert!(veilspan(&["collector", "validate", path]).output().unwrap().status.success());

    let free = yaml.replace(":14317", ":0").replace(":18888", ":0");
    assert_eq!(free.matches(":0\n").count(), 2, "both listeners: {free}");
    std::fs::write(&file, free).unwrap();
    let listed = container["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    let arguments: Vec<&str> = listed.map(|word| if word.ends_with(".yaml") { path } else { word }).collect();
    let mut child = veilspan(&arguments).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let served = said.find(|line| line.contains("metrics and health are served")).expect("it starts");
    let ready = said.find(|line| line.contains("the stage is ready")).expect("it is ready");
    assert!(ready.contains("content=digest;hash=hmac-sha256;"), "{ready}");
    let port: u16 = {
        let address = served.split_once("address=").unwrap().1;
        let digits: String = address.rsplit(':').next().unwrap().chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    };
    for probe in ["livenessProbe", "readinessProbe"] {
        let path = container[probe]["httpGet"]["path"].as_str().unwrap();
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        // A probe names the pod's address.
        write!(stream, "GET {path} HTTP/1.1\r\nhost: 10.1.2.3:18888\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert!(said.any(|line| line.contains("the stage has stopped")));
    assert!(child.wait().unwrap().success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the root is read-only");
}

#[test]
fn what_the_unit_keeps_has_a_place_that_is_its_own() {
    let unit = text("veilspan.service");
    let has = |line: &str| unit.lines().any(|found| found == line);
    assert!(has("DynamicUser=yes") && has("StateDirectory=veilspan") && has("StateDirectoryMode=0700"));
    // Whoever it runs as has no home, and the root is read-only but for its state.
    assert!(has("Environment=XDG_CONFIG_HOME=/var/lib/veilspan"));
    for line in text("gateway.yaml").lines().filter(|line| line.contains("/var/lib/")) {
        assert!(line.contains("/var/lib/veilspan/"), "{line}");
    }
}
