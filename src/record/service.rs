//! A `tower` layer: what a service does for a request finds the recorder, and the call that the peer told of.

use std::fmt;
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use super::ambient::Instrumented;
use super::recorder::Recorder;

/// Wraps a service of HTTP requests: around each of them runs the recorder ([`Recorder::current`]), and calls are part of
/// the call that the request's headers tell of ([`Recorder::extract`]).
#[derive(Clone, Debug)]
pub struct RecorderLayer {
    recorder: Recorder,
}

impl RecorderLayer {
    /// Around each request runs this recorder.
    pub const fn new(recorder: Recorder) -> Self {
        Self { recorder }
    }
}

impl<S> Layer<S> for RecorderLayer {
    type Service = RecorderService<S>;

    fn layer(&self, service: S) -> RecorderService<S> {
        RecorderService { service, recorder: self.recorder.clone() }
    }
}

/// A service around whose requests a recorder runs. See [`RecorderLayer`].
#[derive(Clone)]
pub struct RecorderService<S> {
    service: S,
    recorder: Recorder,
}

impl<S, B> Service<http::Request<B>> for RecorderService<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(task)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let around = self.recorder.extract(request.headers());
        let response = around.in_scope(|| self.service.call(request));
        around.instrument(response)
    }
}

impl<S> fmt::Debug for RecorderService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecorderService").finish_non_exhaustive()
    }
}
