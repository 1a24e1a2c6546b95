//! How long a connection may stand on which nothing is said. Time is the test's own.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::body::Body as TonicBody;

use super::super::{Door, Protocol, Tally};
use super::{FRAME_BYTES, HEADER_TIME, PING_EVERY, PING_TIME, serve};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const ACK: u8 = 1;
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Default)]
struct Nobody(Arc<Tally>);

impl Door for Nobody {
    fn tally(&self) -> &Arc<Tally> {
        &self.0
    }

    async fn grpc(&self, _: Request<Incoming>, _: &AtomicU64) -> Response<TonicBody> {
        Response::new(TonicBody::empty())
    }

    async fn http(&self, _: Request<Incoming>, _: &AtomicU64) -> Response<Full<Bytes>> {
        Response::new(Full::default())
    }
}

/// The caller's end of a connection, which is served as long as what keeps the stage from stopping lives.
fn connected(protocol: Protocol) -> (DuplexStream, watch::Sender<bool>) {
    let (caller, stream) = duplex(1 << 16);
    let (going_on, stopping) = watch::channel(false);
    tokio::spawn(serve(stream, protocol, 100, Arc::new(Nobody::default()), stopping));
    (caller, going_on)
}

/// The kind and the flags of the next frame of HTTP/2, and what it holds; nothing where the connection has ended.
async fn frame(stream: &mut DuplexStream) -> Option<(u8, u8, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.ok()?;
    let [a, b, c, kind, flags, ..] = head;
    let mut held = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    stream.read_exact(&mut held).await.ok()?;
    Some((kind, flags, held))
}

async fn say(stream: &mut DuplexStream, kind: u8, flags: u8, held: &[u8]) {
    let head = [0, 0, held.len() as u8, kind, flags, 0, 0, 0, 0];
    stream.write_all(&head).await.unwrap();
    stream.write_all(held).await.unwrap();
}

async fn greeted() -> (DuplexStream, watch::Sender<bool>) {
    let (mut caller, going_on) = connected(Protocol::Grpc);
    caller.write_all(PREFACE).await.unwrap();
    say(&mut caller, SETTINGS, 0, &[]).await;
    (caller, going_on)
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_does_not_answer_a_ping_is_sent_away() {
    let (mut caller, _going_on) = greeted().await;
    let (began, mut asked) = (Instant::now(), None);
    while let Some((kind, ..)) = frame(&mut caller).await {
        if kind == PING {
            asked = asked.or(Some(began.elapsed()));
        }
    }
    let (asked, ended) = (asked.expect("a ping"), began.elapsed());
    assert!((PING_EVERY..HOUR).contains(&asked), "{asked:?}");
    assert!((asked + PING_TIME..HOUR).contains(&ended), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_answers_pings_stays_though_it_asks_for_nothing() {
    let (mut caller, _going_on) = greeted().await;
    let (began, mut pings) = (Instant::now(), 0);
    while began.elapsed() < HOUR {
        let (kind, flags, held) = frame(&mut caller).await.expect("a connection that stands");
        match (kind, flags & ACK) {
            (PING, 0) => {
                pings += 1;
                say(&mut caller, PING, ACK, &held).await;
            }
            (SETTINGS, 0) => say(&mut caller, SETTINGS, ACK, &[]).await,
            _ => {}
        }
    }
    assert!(pings > 10, "{pings}");
}

#[tokio::test(start_paused = true)]
async fn a_caller_is_told_how_long_a_frame_may_be_and_is_sent_away_with_a_longer_one() {
    /// `SETTINGS_MAX_FRAME_SIZE` (RFC 9113, section 6.5.2).
    const MAX_FRAME_SIZE: [u8; 2] = [0, 5];
    let (mut caller, _going_on) = greeted().await;
    let (kind, _, told) = frame(&mut caller).await.unwrap();
    assert_eq!(kind, SETTINGS);
    let longest = told.as_chunks::<6>().0.iter().find_map(|setting| setting.strip_prefix(&MAX_FRAME_SIZE));
    assert_eq!(longest, Some(&FRAME_BYTES.to_be_bytes()[..]));
    let [_, a, b, c] = (FRAME_BYTES + 1).to_be_bytes();
    caller.write_all(&[a, b, c, PING, 0, 0, 0, 0, 0]).await.unwrap();
    let mut last = kind;
    while let Some((kind, ..)) = frame(&mut caller).await {
        last = kind;
    }
    assert_eq!(last, GO_AWAY);
}

#[tokio::test(start_paused = true)]
async fn over_http_a_caller_may_rest_between_requests_but_not_for_ever() {
    let (mut caller, _going_on) = connected(Protocol::Http);
    let mut answer = [0; 1024];
    for _ in 0..5 {
        caller.write_all(b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        let read = caller.read(&mut answer).await.unwrap();
        assert!(answer.get(..read).unwrap().starts_with(b"HTTP/1.1 200"));
        tokio::time::sleep(HEADER_TIME / 2).await;
    }
    let ended = tokio::time::timeout(HOUR, caller.read_to_end(&mut Vec::new())).await;
    assert!(ended.is_ok(), "it stands for an hour");
}
