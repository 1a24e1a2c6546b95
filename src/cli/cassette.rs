//! `veilspan cassette serve`: recorded answers over the APIs that agents speak.
//!
//! Listens on the loopback alone: what it serves is content. A request that a browser sent for another page is refused.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Failure, input, stop};
use crate::replay::{Api, Cassette, Missing, Served};

/// The most bytes of a request.
const MAX_BODY: usize = 64 << 20;

/// Recorded answers, given again.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Serve),
}

/// Serve the recorded answers of a run as OpenAI's and Anthropic's APIs do. A request that was not recorded is refused.
#[derive(Debug, Args)]
struct Serve {
    /// A Codex bundle, OTLP JSON lines, or `latest` for the newest bundle.
    input: PathBuf,
    /// The address to listen on, of this machine alone.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8089")]
    listen: SocketAddr,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Command::Serve(serve) = &arguments.command;
    if !serve.listen.ip().is_loopback() {
        return Err(Failure::Usage(
            "--listen: a cassette serves content, so it listens on the loopback alone".to_owned(),
        ));
    }
    let policy = super::policy();
    let recording = input::recording(&serve.input, &policy)?;
    let cassette = Cassette::new(&recording, &policy);
    let without_content = cassette.without_content;
    if cassette.is_empty() {
        let path = serve.input.display();
        return Err(Failure::BadData(format!(
            "{path}: holds no answer with all of its content; it is kept where VEILSPAN_CONTENT and VEILSPAN_CONTENT_MAX \
             are `full`, when it is recorded and here"
        )));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_| Failure::Unavailable("no runtime could be started".to_owned()))?;
    let stop = {
        let _inside = runtime.enter();
        stop::signal().map_err(|_| Failure::Unavailable("signals cannot be received".to_owned()))?
    };
    let answers = cassette.len();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(serve.listen).await;
        let listener = listener.map_err(|error| {
            Failure::Unavailable(format!("{}: cannot be listened on: {}", serve.listen, error.kind()))
        })?;
        let address = listener.local_addr().unwrap_or(serve.listen);
        tracing::info!(target: "veilspan", listen = %address, answers, without_content, "the cassette is ready");
        let served = axum::serve(listener, routes(cassette)).with_graceful_shutdown(stop).await;
        served.map_err(|error| Failure::Unavailable(format!("the cassette stopped: {}", error.kind())))
    })
}

fn routes(cassette: Cassette) -> Router {
    let mut router = Router::new();
    for api in Api::ALL {
        // Clients differ in whether their base URL ends in the version.
        for path in [api.path().to_owned(), format!("/v1{}", api.path())] {
            router = router.route(&path, post(move |state, body| answer(api, state, body)));
        }
    }
    router
        .fallback(async || (StatusCode::NOT_FOUND, Json(Missing::NotARequest.body())))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(of_this_machine))
        .with_state(Arc::new(cassette))
}

/// Refuses what a page in a browser could send: it names an origin, or came by a name of somebody else's.
async fn of_this_machine(request: Request, next: Next) -> Response {
    let by_name = |headers: &HeaderMap| {
        let host = headers.get(header::HOST)?.to_str().ok()?;
        let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let name = name.map_or(host, |(name, _)| name).trim_matches(['[', ']']);
        let address = name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        (address || name.eq_ignore_ascii_case("localhost")).then_some(())
    };
    if request.headers().contains_key(header::ORIGIN) || by_name(request.headers()).is_none() {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

async fn answer(api: Api, State(cassette): State<Arc<Cassette>>, body: Bytes) -> Response {
    let served = serde_json::from_slice::<Value>(&body).map_err(|_| Missing::NotARequest);
    match served.and_then(|body| cassette.answer(api, &body)) {
        Ok(Served::Whole(body)) => Json(body).into_response(),
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
        Err(missing) => {
            tracing::warn!(target: "veilspan", path = api.path(), "{missing}");
            let status = StatusCode::from_u16(missing.status()).unwrap_or(StatusCode::BAD_REQUEST);
            (status, Json(missing.body())).into_response()
        }
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
