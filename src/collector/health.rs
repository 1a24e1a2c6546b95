//! Whether the stage works: its threads and tasks, not its process.
//!
//! Each task that the stage cannot do without holds a [`Worker`]; one that ends before the stage stops makes it unhealthy
//! for good. A beat, renewed by a task of its own, tells that the runtime still runs anything at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body::Body;
use tonic::Status;
use tonic::body::Body as TonicBody;

use super::watch::Watch;
use crate::otlp::wire::{Fields, Wire};
use crate::otlp::{Gate, unary, unary_body};

/// gRPC's health protocol, as its paths begin.
pub(super) const SERVICE: &str = "/grpc.health.v1.Health/";
const CHECK: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";
/// What may be asked after: the server as a whole, and the one service it has.
const SERVICES: [&[u8]; 2] = [b"", b"opentelemetry.proto.collector.trace.v1.TraceService"];
const SERVING: u8 = 1;
pub(super) const NOT_SERVING: u8 = 2;
const SERVICE_UNKNOWN: u8 = 3;

/// A runtime that has not beaten for so long is stuck.
const STUCK: Duration = Duration::from_secs(10);

/// What is known of the stage's workers.
#[derive(Debug)]
pub(super) struct Health {
    began: Instant,
    /// Milliseconds since then.
    beaten: AtomicU64,
    has_lost_a_worker: AtomicBool,
    is_stopping: AtomicBool,
}

/// Lives as long as what it stands for.
#[derive(Debug)]
pub(super) struct Worker(Arc<Health>);

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.0.is_stopping.load(Ordering::Relaxed) {
            self.0.has_lost_a_worker.store(true, Ordering::Relaxed);
            tracing::error!(target: "veilspan", "a worker of the stage has ended");
        }
    }
}

impl Health {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            beaten: AtomicU64::new(0),
            has_lost_a_worker: AtomicBool::new(false),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// To be held by what the stage cannot do without.
    pub(super) fn worker(self: &Arc<Self>) -> Worker {
        Worker(Arc::clone(self))
    }

    /// The runtime runs.
    pub(super) fn beat(&self) {
        self.beaten.store(self.now(), Ordering::Relaxed);
    }

    /// From now on it is no fault that workers end, and nobody should send anything more.
    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_serving(&self) -> bool {
        let since = self.now().saturating_sub(self.beaten.load(Ordering::Relaxed));
        let is_stuck = u128::from(since) > STUCK.as_millis();
        !is_stuck && !self.has_lost_a_worker.load(Ordering::Relaxed) && !self.is_stopping.load(Ordering::Relaxed)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    /// What is said of it.
    pub(super) fn status(&self) -> u8 {
        if self.is_serving() { SERVING } else { NOT_SERVING }
    }

    /// The message that says so.
    pub(super) const fn message(status: u8) -> [u8; 2] {
        [1 << 3, status]
    }

    /// Answers `grpc.health.v1.Health`.
    pub(super) async fn answer<B: Body>(
        self: &Arc<Self>,
        request: Request<B>,
        gate: &Arc<Gate>,
    ) -> http::Response<TonicBody> {
        match request.uri().path() {
            CHECK => unary(request, gate, MOST, |message| async move { self.check(&message) }).await,
            WATCH => unary_body(request, gate, MOST, |message| async move { self.watch(&message) }).await,
            _ => Status::unimplemented("no such method").into_http(),
        }
    }

    fn check(&self, message: &[u8]) -> Result<Bytes, Status> {
        if !is_known(message)? {
            return Err(Status::not_found("no such service"));
        }
        Ok(Bytes::copy_from_slice(&Self::message(self.status())))
    }

    /// One that asks after a service which is not there is told so, and may wait for it.
    fn watch(self: &Arc<Self>, message: &[u8]) -> Result<TonicBody, Status> {
        let unknown = (!is_known(message)?).then_some(SERVICE_UNKNOWN);
        Ok(TonicBody::new(Watch::new(Arc::clone(self), unknown)))
    }
}

/// The longest question.
const MOST: usize = 4096;

/// Whether a question is about a service that is there.
fn is_known(message: &[u8]) -> Result<bool, Status> {
    let mut service = &b""[..];
    for field in Fields::new(message) {
        match field.map(|field| (field.number, field.value)) {
            Ok((1, Wire::Bytes(name))) => service = name,
            Ok(_) => {}
            Err(_) => return Err(Status::invalid_argument("not a health check")),
        }
    }
    Ok(SERVICES.contains(&service))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[test]
    fn a_worker_that_ends_before_the_stage_stops_makes_it_unhealthy_for_good() {
        let health = Arc::new(Health::new());
        let worker = health.worker();
        assert!(health.is_serving());
        assert_eq!(health.check(&[]).unwrap(), [8, 1][..]);
        drop(worker);
        assert!(!health.is_serving());
        health.beat();
        assert_eq!(health.check(&[]).unwrap(), [8, 2][..]);
        assert_eq!(health.check(&[0x0a, 1, b'x']).unwrap_err().code(), tonic::Code::NotFound);
        assert_eq!(health.check(&[0x0a, 9]).unwrap_err().code(), tonic::Code::InvalidArgument);
    }

    #[tokio::test]
    async fn one_who_watches_is_told_of_each_change_and_of_the_end() {
        let health = Arc::new(Health::new());
        let worker = health.worker();
        health.beat();
        let (mut known, mut unknown) = (health.watch(&[]).unwrap(), health.watch(&[0x0a, 1, b'x']).unwrap());
        let told = |frame: Option<Result<http_body::Frame<Bytes>, _>>| -> Result<Bytes, http::HeaderMap> {
            let frame: Result<http_body::Frame<Bytes>, Status> = frame.unwrap();
            frame.unwrap().into_data().map_err(|frame| frame.into_trailers().unwrap())
        };
        assert_eq!(told(known.frame().await).unwrap(), [0, 0, 0, 0, 2, 8, 1][..]);
        assert_eq!(told(unknown.frame().await).unwrap(), [0, 0, 0, 0, 2, 8, 3][..]);
        drop(worker);
        assert_eq!(told(known.frame().await).unwrap(), [0, 0, 0, 0, 2, 8, 2][..]);
        health.stop();
        assert_eq!(told(unknown.frame().await).unwrap(), [0, 0, 0, 0, 2, 8, 2][..]);
        for body in [&mut known, &mut unknown] {
            assert_eq!(told(body.frame().await).unwrap_err()["grpc-status"], "14");
            assert!(body.frame().await.is_none());
        }
        assert_eq!(health.watch(&[0x0a, 9]).unwrap_err().code(), tonic::Code::InvalidArgument);
    }

    #[test]
    fn a_stage_that_stops_serves_no_more_and_has_lost_nobody() {
        let health = Arc::new(Health::new());
        let worker = health.worker();
        health.stop();
        drop(worker);
        assert!(!health.is_serving() && !health.has_lost_a_worker.load(Ordering::Relaxed));
    }
}
