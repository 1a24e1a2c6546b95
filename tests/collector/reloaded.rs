//! SIGHUP: the command reads its configuration again, whole or not at all, and nothing that it took is lost.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Lines, RecvTimeoutError, channel};
use std::time::Duration;

use prost::Message as _;
use rustix::process::{Pid, Signal, kill_process};
use veilspan::otlp::{Client, ClientOptions};

use crate::build::{SOON, eventually, request, span};
use crate::support::receiver::{Behaviour, Receiver};

/// The command, and what it says.
struct Running {
    child: Child,
    said: Lines<String>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_veilspan")), arguments)
    }

    fn run(mut command: Command, arguments: &[&str]) -> Self {
        command
            .arg("collector")
            .args(arguments)
            .env_clear()
            .env("VEILSPAN_HASH_KEY", "0123456789abcdef0123456789abcdef");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (say, said) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(say.send(line))));
        Self { child, said }
    }

    fn says(&self, what: &str) -> String {
        let mut before = String::new();
        loop {
            match self.said.recv_timeout(SOON) {
                Ok(line) if line.contains(what) => return line,
                Ok(line) => before.push_str(&line),
                Err(_) => panic!("it says `{what}`: {before}"),
            }
        }
    }

    fn is_ready(&self) -> SocketAddr {
        let line = self.says("the stage is ready");
        let (_, address) = line.split_once("otlp/grpc=").unwrap();
        address.split(['"', ' ']).next().unwrap().parse().unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// And what it has said till then.
    fn ends_well(mut self) -> String {
        let mut said = String::new();
        loop {
            match self.said.recv_timeout(SOON) {
                Ok(line) => said.push_str(&line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {said}"),
            }
        }
        assert!(said.contains("the stage has stopped"), "{said}");
        assert!(self.child.wait().unwrap().success());
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write(folder: &Path, listen: &str, next: &Receiver) -> String {
    let file = folder.join("veilspan.yaml");
    let yaml = format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"{listen}\"}}}}}}}}\n\
         processors: {{privacy: {{}}, reduce: {{}}}}\n\
         exporters: {{otlp: {{endpoint: \"{}\"}}}}\n\
         service:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      processors: [privacy, reduce]\n      exporters: [otlp]\n\
         \x20     input_log: {{directory: \"{}\"}}\n",
        next.url(),
        folder.join("log").display(),
    );
    std::fs::write(&file, yaml).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Sends a span once.
fn export(address: SocketAddr, name: &str) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let body = request(&[span(name, Vec::new()).encode_to_vec()], &[]);
    runtime.block_on(async {
        let client = Client::new(&ClientOptions::new(format!("http://{address}"))).unwrap();
        let accepted = client.export(bytes::Bytes::from(body).into()).await.map_err(|error| error.to_string())?;
        assert_eq!(accepted.rejected_spans, 0);
        Ok(())
    })
}

/// Sends a span until it is taken, as an exporter does.
fn send(address: SocketAddr, name: &str) {
    let began = std::time::Instant::now();
    while let Err(error) = export(address, name) {
        assert!(began.elapsed() < SOON, "{error}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn names(receiver: &Receiver) -> Vec<String> {
    let mut names: Vec<_> = receiver.spans().into_iter().map(|span| span.name).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn a_configuration_is_read_again_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = [(); 2].map(|()| Receiver::start(Behaviour::Accept));
    let file = write(folder.path(), "127.0.0.1:0", &before);
    let running = Running::start(&["--config", &file]);
    let address = running.is_ready();
    send(address, "a");

    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, good.replace("exporters: [otlp]", "exporters: [other]")).unwrap();
    running.signal(Signal::HUP);
    let refusal = running.says("nothing was reloaded");
    assert!(refusal.contains("line 9: service.pipelines.traces.exporters"), "it says what is wrong: {refusal}");
    send(address, "b");
    assert_eq!(names(&before), ["a", "b"]);

    write(folder.path(), &address.to_string(), &after);
    running.signal(Signal::HUP);
    assert_eq!(running.is_ready(), address);
    running.says("the configuration was reloaded");
    send(address, "c");
    assert_eq!((names(&before), names(&after)), (vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]));

    // What can be read and yet not be started.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    write(folder.path(), &taken.local_addr().unwrap().to_string(), &before);
    running.signal(Signal::HUP);
    running.says("nothing was reloaded");
    assert_eq!(running.is_ready(), address);
    send(address, "d");
    assert_eq!(names(&after), ["c", "d"]);
    running.signal(Signal::TERM);
    running.ends_well();
}

#[test]
fn what_is_sent_while_it_is_read_again_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(Behaviour::Accept);
    let file = write(folder.path(), "127.0.0.1:0", &receiver);
    let running = Running::start(&["--config", &file]);
    let address = running.is_ready();
    write(folder.path(), &address.to_string(), &receiver);
    let is_over = Arc::new(AtomicBool::new(false));
    let sending = std::thread::spawn({
        let is_over = Arc::clone(&is_over);
        move || {
            let names = (0..).map(|number| format!("span-{number:05}")).take_while(|_| !is_over.load(Ordering::SeqCst));
            names.inspect(|name| send(address, name)).collect::<Vec<_>>()
        }
    });
    for _ in 0..3 {
        let arrived = receiver.calls();
        eventually("a span passes", || receiver.calls() > arrived);
        running.signal(Signal::HUP);
        running.says("the configuration was reloaded");
    }
    is_over.store(true, Ordering::SeqCst);
    let sent = sending.join().unwrap();
    assert!(names(&receiver) == sent, "{:?} of {sent:?}", names(&receiver));
    running.signal(Signal::TERM);
    running.ends_well();
}

/// Whether SIGHUP, which is the first of all signals, is ignored by this process.
fn ignores_hangups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|ignored| u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 == 1)
}

#[test]
fn without_a_file_there_is_nothing_to_read_again_and_it_ends_in_order() {
    // A process of one that ignores hang-ups ignores them too: the next test is about such.
    if ignores_hangups() {
        return;
    }
    let receiver = Receiver::start(Behaviour::Accept);
    let running = Running::start(&["--listen", "127.0.0.1:0", "--export", &receiver.url()]);
    send(running.is_ready(), "a");
    running.signal(Signal::HUP);
    running.ends_well();
    assert_eq!(names(&receiver), ["a"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_hangup_that_is_ignored_stays_ignored_where_there_is_nothing_to_read_again() {
    let receiver = Receiver::start(Behaviour::Accept);
    // As `nohup` starts it.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_veilspan")]);
    let running = Running::run(shell, &["--listen", "127.0.0.1:0", "--export", &receiver.url()]);
    let address = running.is_ready();
    running.signal(Signal::HUP);
    std::thread::sleep(Duration::from_millis(200));
    send(address, "a");
    running.signal(Signal::TERM);
    running.ends_well();
    assert_eq!(names(&receiver), ["a"]);
}

#[test]
fn who_is_asked_to_stop_while_it_is_read_again_does_not_begin_again() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(Behaviour::Stall);
    let file = write(folder.path(), "127.0.0.1:0", &receiver);
    let running = Running::start(&["--config", &file]);
    let address = running.is_ready();
    // A request that is being answered keeps the stage from ending at once.
    let sending = std::thread::spawn(move || drop(export(address, "a")));
    eventually("the request is with the next hop", || receiver.calls() > 0);
    running.signal(Signal::HUP);
    std::thread::sleep(Duration::from_millis(200));
    running.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(200));
    drop(receiver);
    sending.join().unwrap();
    assert_eq!(running.ends_well().matches("the stage is ready").count(), 0);
}
