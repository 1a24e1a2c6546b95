//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::accept::stopped;
use super::door::Door;
use super::hello::Heard;
use super::tally::Tally;
use super::{Protocol, credential};

/// A caller who has not said hello by then, in TLS or behind it, is sent away.
pub(super) const HELLO: Duration = Duration::from_secs(10);
/// How long a connection over HTTP/1.1 may stand between two requests, or in the middle of a header.
const HEADER_TIME: Duration = Duration::from_secs(60);
/// After so long without a word a connection over HTTP/2 is asked whether it still is one, and given so long to say so.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIME: Duration = Duration::from_secs(20);
/// All names and values of a request together.
const HEADER_BYTES: u32 = 16 << 10;
/// A message comes in frames of this length from whoever is ready to send such. In those of 16 KiB that HTTP/2 begins with,
/// each is read in two steps and a copy.
const FRAME_BYTES: u32 = 128 << 10;
/// The preface of HTTP/2 (RFC 9113, section 3.4) and an empty frame of settings.
const PREFACE: u64 = 24 + 9;
/// A connection that is to end, and on which nothing was asked for so long, is over.
const QUIET: Duration = Duration::from_millis(500);

const _: () = assert!(credential::MOST < HEADER_BYTES as usize);

/// Serves one connection until it ends, or until the stage stops and it has nothing more to answer.
pub(super) async fn serve<D: Door, S>(
    stream: S,
    protocol: Protocol,
    max_streams: u32,
    door: Arc<D>,
    stopping: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (stream, heard) = Heard::new(stream);
    let (stream, open) = (TokioIo::new(stream), Arc::new(AtomicU64::new(0)));
    let tally = Arc::clone(door.tally());
    let counted = Arc::clone(&open);
    let is_silent = move |least| heard.load(Ordering::Relaxed) < least;
    match protocol {
        Protocol::Grpc => {
            let service = service_fn(move |request| {
                let (door, open) = (Arc::clone(&door), Arc::clone(&counted));
                async move { Ok::<_, Infallible>(door.grpc(request, &open).await) }
            });
            let connection = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .max_concurrent_streams(max_streams)
                .max_header_list_size(HEADER_BYTES)
                .max_frame_size(FRAME_BYTES)
                .keep_alive_interval(PING_EVERY)
                .keep_alive_timeout(PING_TIME)
                .serve_connection(stream, service);
            let silent = move || is_silent(PREFACE);
            drive(connection, |it| it.graceful_shutdown(), silent, &open, &tally, stopping).await;
        }
        Protocol::Http => {
            let service = service_fn(move |request| {
                let (door, open) = (Arc::clone(&door), Arc::clone(&counted));
                async move { Ok::<_, Infallible>(door.http(request, &open).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIME)
                .max_buf_size(HEADER_BYTES as usize * 2)
                .serve_connection(stream, service);
            let silent = move || is_silent(1);
            drive(connection, |it| it.graceful_shutdown(), silent, &open, &tally, stopping).await;
        }
    }
}

async fn drive<C: Future<Output = Result<(), hyper::Error>>>(
    connection: C,
    finish: impl Fn(Pin<&mut C>),
    is_silent: impl Fn() -> bool,
    open: &AtomicU64,
    tally: &Tally,
    mut stopping: watch::Receiver<bool>,
) {
    let mut connection = pin!(connection);
    let mut hello = pin!(tokio::time::sleep(HELLO));
    let mut is_greeted = false;
    loop {
        tokio::select! {
            // What the peer has said is heard before it is asked whether it said anything.
            biased;
            // How it ended is the peer's affair.
            _ = connection.as_mut() => return,
            () = hello.as_mut(), if !is_greeted => {
                if is_silent() {
                    Tally::add(&tally.connections_silent);
                    return;
                }
                is_greeted = true;
            }
            () = stopped(&mut stopping) => break,
        }
    }
    finish(connection.as_mut());
    // A peer that is gone does not say goodbye: nobody waits for it where it has asked for nothing.
    let mut quiet = 0;
    while quiet < 2 {
        tokio::select! {
            _ = connection.as_mut() => return,
            () = tokio::time::sleep(QUIET / 2) => {
                quiet = if open.load(Ordering::Relaxed) == 0 { quiet + 1 } else { 0 };
            }
        }
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
