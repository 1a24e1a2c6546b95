//! `veilspan cassette serve`: recorded answers over the APIs that agents speak, or answers recorded as they pass.
//!
//! Listens on the loopback alone: what it serves is content. A request that a browser sent for another page is refused.

mod file;
mod passing;
mod record;
mod strict;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use clap::{Args, Subcommand, ValueEnum};

use super::{Failure, stop};
use crate::replay::Missing;

/// The most bytes of a request, and of an answer that is kept.
const MAX_BODY: usize = 64 << 20;

/// How long what is on its way may take once the process is asked to stop.
const PATIENCE: Duration = Duration::from_secs(10);

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
    /// What to serve, named as an input of `reduce` is. With `--mode record` the file of
    /// OTLP JSON lines to write, which is not there yet.
    input: PathBuf,
    /// The address to listen on, of this machine alone.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8089")]
    listen: SocketAddr,
    /// What to do with requests.
    #[arg(long, value_enum, default_value_t = Mode::Strict)]
    mode: Mode,
    /// Whom to ask with `--mode record`: the base URL that an agent would be given.
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Answer what was recorded, and refuse everything else.
    Strict,
    /// Ask the upstream, and keep what it answers for a cassette to serve.
    Record,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Command::Serve(serve) = &arguments.command;
    if !serve.listen.ip().is_loopback() {
        return Err(Failure::Usage(
            "--listen: a cassette serves content, so it listens on the loopback alone".to_owned(),
        ));
    }
    match (serve.mode, &serve.upstream) {
        (Mode::Strict, None) => strict::run(&serve.input, serve.listen),
        (Mode::Record, Some(upstream)) => record::run(&serve.input, serve.listen, upstream),
        (Mode::Strict, Some(_)) => {
            Err(Failure::Usage("--upstream: nobody is asked but with `--mode record`".to_owned()))
        }
        (Mode::Record, None) => Err(Failure::Usage("--mode record: name whom to ask with `--upstream URL`".to_owned())),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|_| Failure::Unavailable("no runtime could be started".to_owned()))
}

/// Serves until the process is asked to stop. `ready` is told the address.
async fn listen(routes: Router, address: SocketAddr, ready: impl FnOnce(SocketAddr)) -> Result<(), Failure> {
    let stop = stop::signal().map_err(|_| Failure::Unavailable("signals cannot be received".to_owned()))?;
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener
        .map_err(|error| Failure::Unavailable(format!("{address}: cannot be listened on: {}", error.kind())))?;
    let routes = routes
        .fallback(async || (StatusCode::NOT_FOUND, Json(Missing::NotARequest.body())))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(of_this_machine));
    ready(listener.local_addr().unwrap_or(address));
    let stopping = Arc::new(tokio::sync::Notify::new());
    let begun = Arc::clone(&stopping);
    let stopped = async {
        stopping.notified().await;
        tokio::time::sleep(PATIENCE).await;
    };
    let begins = async move {
        stop.await;
        begun.notify_one();
    };
    tokio::select! {
        served = async { axum::serve(listener, routes).with_graceful_shutdown(begins).await } => {
            served.map_err(|error| Failure::Unavailable(format!("the cassette stopped: {}", error.kind())))
        }
        // What is still on its way then is cut off.
        () = stopped => Ok(()),
    }
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

/// An answer that says why there is none.
fn refused(path: &'static str, missing: &Missing) -> Response {
    tracing::warn!(target: "veilspan", path, "{missing}");
    let status = StatusCode::from_u16(missing.status()).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(missing.body())).into_response()
}
