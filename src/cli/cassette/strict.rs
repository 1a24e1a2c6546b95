//! Answers what was recorded, and nothing else.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;

use super::{Failure, listen, refused, runtime};
use crate::cli::{input, policy};
use crate::replay::{Api, Cassette, Missing, Served};

pub(super) fn run(path: &Path, address: SocketAddr) -> Result<(), Failure> {
    let policy = policy();
    let recording = input::whole_recording(path, &policy)?;
    let cassette = Cassette::new(&recording, &policy);
    if cassette.is_empty() {
        let path = path.display();
        return Err(Failure::BadData(format!(
            "{path}: holds no answer with all of its content; it is kept where VEILSPAN_CONTENT and VEILSPAN_CONTENT_MAX \
             are `full`, when it is recorded and here"
        )));
    }
    let (answers, without_content) = (cassette.len(), cassette.without_content);
    runtime()?.block_on(listen(routes(cassette), address, |listen| {
        tracing::info!(target: "veilspan", %listen, answers, without_content, "the cassette is ready");
    }))
}

fn routes(cassette: Cassette) -> Router {
    let mut router = Router::new();
    for api in Api::ALL {
        // Clients differ in whether their base URL ends in the version.
        for path in [api.path().to_owned(), format!("/v1{}", api.path())] {
            router = router.route(&path, post(move |state, body| answer(api, state, body)));
        }
    }
    router.with_state(Arc::new(cassette))
}

async fn answer(api: Api, State(cassette): State<Arc<Cassette>>, body: Bytes) -> Response {
    let served = serde_json::from_slice::<Value>(&body).map_err(|_| Missing::NotARequest);
    match served.and_then(|body| cassette.answer(api, &body)) {
        Ok(Served::Whole(body)) => Json(body).into_response(),
        Ok(Served::Failure { status, body }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Json(body)).into_response()
        }
        Ok(Served::Stream(events)) => {
            let events = events.into_iter().map(|streamed| {
                let event = Event::default().data(streamed.data);
                Ok::<_, Infallible>(match streamed.event {
                    Some(name) => event.event(name),
                    None => event,
                })
            });
            Sse::new(Iterated(events)).into_response()
        }
        Err(missing) => refused(api.path(), &missing),
    }
}

/// An iterator as a stream that is always ready.
struct Iterated<I>(I);

impl<I: Iterator + Unpin> futures_core::Stream for Iterated<I> {
    type Item = I::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}
