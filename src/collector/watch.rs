//! gRPC's `Health/Watch`: whether the stage serves, now and whenever that changes.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::health::{Health, NOT_SERVING};
use crate::otlp::framed;

/// A change is told at most so much late: part of what is known of the workers follows from time alone.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// gRPC's `UNAVAILABLE`.
const GONE: HeaderValue = HeaderValue::from_static("14");

/// The answer to one who watches. It ends with the stage.
pub(super) struct Watch {
    health: Arc<Health>,
    /// What is told of a service that is not there, as long as it is not.
    unknown: Option<u8>,
    told: Option<u8>,
    is_over: bool,
    ticks: Interval,
}

impl Watch {
    pub(super) fn new(health: Arc<Health>, unknown: Option<u8>) -> Self {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { health, unknown, told: None, is_over: false, ticks }
    }
}

impl Body for Watch {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            if self.is_over {
                return Poll::Ready(None);
            }
            let is_stopping = self.health.is_stopping();
            let status = if is_stopping { NOT_SERVING } else { self.unknown.unwrap_or_else(|| self.health.status()) };
            if self.told.replace(status) != Some(status) {
                return Poll::Ready(Some(Ok(Frame::data(framed(&Health::message(status))))));
            }
            if is_stopping {
                self.is_over = true;
                let mut trailers = HeaderMap::with_capacity(1);
                trailers.insert("grpc-status", GONE);
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
            ready!(self.ticks.poll_tick(context));
        }
    }
}
