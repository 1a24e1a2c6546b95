//! A peer whose name points elsewhere by and by, asked for through the system's own resolver: in a child with a network and a
//! `resolv.conf` of its own, against a name server beside it. Needs no more than a user has where user namespaces are on.
#![cfg(all(feature = "collector", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::disallowed_methods)]

mod support;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::http_receiver::{Answer, HttpReceiver};
use support::receiver::{Behaviour, Receiver};
use veilspan::export::{ExporterConfig, Protocol};
use veilspan::{Policy, Recorder};

const PART: &str = "VEILSPAN_TEST_RESOLVER";
const SOON: Duration = Duration::from_secs(60);
const PORT: u16 = 4317;

/// A name server that knows one address for every name, or none.
struct Names {
    address: Mutex<Option<Ipv4Addr>>,
    asked: AtomicUsize,
}

impl Names {
    fn serve() -> Arc<Self> {
        let names = Arc::new(Self { address: Mutex::default(), asked: AtomicUsize::new(0) });
        let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
        let served = Arc::clone(&names);
        std::thread::spawn(move || {
            let mut query = [0; 512];
            while let Ok((length, client)) = socket.recv_from(&mut query) {
                let _ = socket.send_to(&served.answer(&query[..length]), client);
            }
        });
        names
    }

    /// RFC 1035, section 4: the question again, and for an address of version 4 the one that is known, to be kept by nobody.
    fn answer(&self, query: &[u8]) -> Vec<u8> {
        const HEADER: usize = 12;
        self.asked.fetch_add(1, Ordering::Relaxed);
        let name = query[HEADER..].iter().position(|byte| *byte == 0).unwrap();
        let question = &query[HEADER..HEADER + name + 5];
        let is_v4 = question[name + 1..name + 3] == [0, 1];
        let address = *self.address.lock().unwrap();
        let found = address.filter(|_| is_v4);
        let unknown = u8::from(address.is_none()) * 3;
        let mut answer =
            [&query[..2], &[0x81, 0x80 | unknown, 0, 1, 0, u8::from(found.is_some()), 0, 0, 0, 0]].concat();
        answer.extend_from_slice(question);
        if let Some(address) = found {
            answer.extend_from_slice(&[0xc0, HEADER as u8, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
            answer.extend_from_slice(&address.octets());
        }
        answer
    }

    fn point_to(&self, receiver: SocketAddr) {
        let SocketAddr::V4(address) = receiver else { panic!("an address of version 4") };
        *self.address.lock().unwrap() = Some(*address.ip());
    }
}

enum Either {
    Grpc(Receiver),
    Http(HttpReceiver),
}

impl Either {
    fn start(protocol: Protocol, host: u8) -> Self {
        let address = SocketAddr::from(([127, 0, 0, host], PORT));
        match protocol {
            Protocol::Grpc => Self::Grpc(Receiver::start_at(address)),
            _ => Self::Http(HttpReceiver::start_at(address)),
        }
    }

    fn stall(&self) {
        match self {
            Self::Grpc(receiver) => receiver.behave(Behaviour::Stall),
            Self::Http(receiver) => receiver.always(Answer::default()),
        }
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Grpc(receiver) => receiver.address,
            Self::Http(receiver) => receiver.address,
        }
    }

    /// How many spans it has answered for.
    fn spans(&self) -> usize {
        match self {
            Self::Grpc(receiver) => receiver.spans().len(),
            Self::Http(receiver) => receiver.spans().len(),
        }
    }
}

fn host() {
    let names = Names::serve();
    for (n, protocol) in [Protocol::Grpc, Protocol::HttpProtobuf].into_iter().enumerate() {
        *names.address.lock().unwrap() = None;
        let mut config = ExporterConfig::default();
        config.endpoint = format!("http://collector-{n}.example:{PORT}/v1/traces");
        config.protocol = protocol;
        config.timeout = Duration::from_secs(2);
        let recorder = Recorder::exporting(&config, Policy::builder().build_in(&Default::default()).0).unwrap();
        let record = |calls: usize| (0..calls).for_each(|_| recorder.tool("t").start().finish());

        record(3);
        assert!(!recorder.flush(Duration::from_secs(1)).complete, "nobody knows the name");
        let first = Either::start(protocol, 2);
        names.point_to(first.address());
        assert!(recorder.flush(SOON).complete, "{protocol}: {:?}", recorder.counts());
        assert_eq!(first.spans(), 3);

        // It goes, and the name points to another.
        let second = Either::start(protocol, 3);
        names.point_to(second.address());
        drop(first);
        record(4);
        assert!(recorder.flush(SOON).complete, "{protocol}: {:?}", recorder.counts());
        assert_eq!(second.spans(), 4);

        // It falls silent on a connection that stands.
        second.stall();
        let third = Either::start(protocol, 4);
        names.point_to(third.address());
        record(5);
        assert!(recorder.flush(SOON).complete, "{protocol}: {:?}", recorder.counts());
        assert_eq!((third.spans(), recorder.counts().sent), (5, 12));
        assert_eq!(recorder.counts().dropped.calls(), 0);
    }
    assert!(names.asked.load(Ordering::Relaxed) >= 8, "the resolver was asked");
}

/// The other test's child; nothing of its own.
#[test]
fn the_host() {
    if std::env::var(PART).is_ok() {
        host();
    }
}

#[test]
fn a_name_that_points_elsewhere_is_looked_up_again_whether_its_old_peer_has_gone_or_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = folder.path().join("resolv.conf");
    std::fs::write(&resolver, "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n").unwrap();
    let apart = |as_whom: &[&str], script: &str| {
        let mut command = Command::new("unshare");
        command.args(as_whom).args(["--mount", "--net", "--propagation", "private", "sh", "-c"]).arg(script);
        command.arg(&resolver).arg(std::env::current_exe().unwrap());
        command
    };
    let set_up = "ip link set lo up && mount --bind \"$0\" /etc/resolv.conf";
    // As root of a namespace of its own, or else as the one of the machine.
    let mut ways = [&["--user", "--map-root-user"][..], &[]].into_iter();
    let may = |way: &&[&str]| apart(way, set_up).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    let Some(way) = ways.find(may) else {
        let why = "not shown: a peer's name that moves needs user namespaces or root, `unshare`, `ip` and `mount`";
        assert!(std::env::var_os("CI").is_none(), "{why}");
        // Past the harness, which keeps what a test that passes has printed.
        return writeln!(std::io::stderr(), "{why}").unwrap();
    };
    let mut host = apart(way, &format!("{set_up} && exec \"$1\" --exact the_host --nocapture"));
    let output = host.env(PART, "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
