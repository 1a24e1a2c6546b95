//! The receiver behind everything that is measured: a process of its own that walks lengths and counts spans.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use super::child::{Seen, answer};
use super::raw::RawServer;

pub const MODE: &str = "sink";

pub fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let seen = Arc::new(Seen::default());
    let _inside = runtime.enter();
    let (port, incoming) = listen();
    let service = RawServer({
        let seen = Arc::clone(&seen);
        move |message: Bytes| {
            seen.spans.fetch_add(spans(&message), Ordering::SeqCst);
            seen.requests.fetch_add(1, Ordering::SeqCst);
            let seen = Arc::clone(&seen);
            async move {
                while seen.holds.load(Ordering::SeqCst) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                Ok(Bytes::new())
            }
        }
    });
    runtime.spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    answer(port, &seen);
}

/// A listener on a free port, for a tonic server. Needs a runtime.
pub fn listen() -> (u16, TcpIncoming) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a listener");
    let port = listener.local_addr().expect("its address").port();
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    (port, TcpIncoming::from(listener).with_nodelay(Some(true)))
}

/// How many spans a request holds. Panics on what is no protobuf: nothing that is measured may send such a thing.
fn spans(request: &[u8]) -> u64 {
    let mut count = 0;
    fields(request, 1, |resource| fields(resource, 2, |scope| fields(scope, 2, |_| count += 1)));
    count
}

/// Calls `found` with each field of this number that has a length.
fn fields<'m>(mut message: &'m [u8], number: u64, mut found: impl FnMut(&'m [u8])) {
    while !message.is_empty() {
        let key = varint(&mut message);
        match key & 7 {
            0 => {
                varint(&mut message);
            }
            1 => message = &message[8..],
            2 => {
                let length = varint(&mut message) as usize;
                let (content, rest) = message.split_at(length);
                if key >> 3 == number {
                    found(content);
                }
                message = rest;
            }
            5 => message = &message[4..],
            other => panic!("wire type {other}"),
        }
    }
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for place in 0.. {
        let byte = message[0];
        *message = &message[1..];
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            break;
        }
    }
    value
}
