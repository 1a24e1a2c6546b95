//! An OTLP/HTTP receiver that keeps what it gets, and answers as it is told.

use std::collections::VecDeque;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Response, Uri};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// An answer; without a status there is none, ever.
#[derive(Clone, Default)]
pub struct Answer {
    pub status: Option<u16>,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn of(status: u16) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn saying(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// As the specification has it, of what kind soever.
    pub fn protobuf(status: u16, message: &impl Message) -> Self {
        Self::of(status).with("content-type", "application/x-protobuf").saying(message.encode_to_vec())
    }
}

/// A request as it came, and when.
#[derive(Clone)]
pub struct Seen {
    pub at: Instant,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body, unpacked.
    pub fn plain(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.header("content-encoding") {
            Some("gzip") => flate2::read::GzDecoder::new(&*self.body).read_to_end(&mut bytes).map(|_| ()).unwrap(),
            Some("zstd") => bytes = zstd::decode_all(&*self.body).unwrap(),
            _ => bytes = self.body.to_vec(),
        }
        bytes
    }

    pub fn message(&self) -> ExportTraceServiceRequest {
        ExportTraceServiceRequest::decode(&*self.plain()).unwrap()
    }
}

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    then: Option<Answer>,
    seen: Vec<Seen>,
    connections: usize,
}

/// A receiver on a port of its own, stopped when dropped.
pub struct HttpReceiver {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl HttpReceiver {
    /// One that takes everything.
    pub fn start() -> Self {
        Self::serve(Answer::of(200), None)
    }

    /// The same at this address.
    pub fn start_at(address: SocketAddr) -> Self {
        Self::serve_at(address, Answer::of(200), None)
    }

    /// One that always answers this.
    pub fn answering(answer: Answer) -> Self {
        Self::serve(answer, None)
    }

    /// One that takes everything over TLS.
    pub fn over_tls(config: ServerConfig) -> Self {
        Self::serve(Answer::of(200), Some(config))
    }

    fn serve(then: Answer, tls: Option<ServerConfig>) -> Self {
        Self::serve_at(SocketAddr::from(([127, 0, 0, 1], 0)), then, tls)
    }

    fn serve_at(address: SocketAddr, then: Answer, tls: Option<ServerConfig>) -> Self {
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { then: Some(then), ..State::default() }));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (service, counted) = (Arc::clone(&state), Arc::clone(&state));
        let app = Router::new().fallback(move |uri, headers, body| answer(Arc::clone(&service), uri, headers, body));
        runtime.spawn(async move {
            let tcp = Counted { listener: TcpListener::from_std(listener).unwrap(), state: counted };
            match tls {
                None => axum::serve(tcp, app).await.unwrap(),
                Some(config) => {
                    axum::serve(Tls { tcp, acceptor: TlsAcceptor::from(Arc::new(config)) }, app).await.unwrap();
                }
            }
        });
        Self { address, state, runtime: Some(runtime) }
    }

    /// From now on it always answers this.
    pub fn always(&self, answer: Answer) {
        self.state.lock().unwrap().then = Some(answer);
    }

    /// Answers these first, one after the other.
    pub fn first(self, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.state.lock().unwrap().answers.extend(answers);
        self
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    pub fn spans(&self) -> Vec<Span> {
        let resources = self.seen().into_iter().flat_map(|seen| seen.message().resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }
}

impl Drop for HttpReceiver {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(state: Arc<Mutex<State>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let answer = {
        let mut state = state.lock().unwrap();
        state.seen.push(Seen { at: Instant::now(), uri, headers, body });
        state.answers.pop_front().or_else(|| state.then.clone()).unwrap()
    };
    let Some(status) = answer.status else { return std::future::pending().await };
    let mut response = Response::builder().status(status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).unwrap()
}

struct Counted {
    listener: TcpListener,
    state: Arc<Mutex<State>>,
}

impl axum::serve::Listener for Counted {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let accepted = self.listener.accept().await.unwrap();
        self.state.lock().unwrap().connections += 1;
        accepted
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

struct Tls {
    tcp: Counted,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TlsStream<TcpStream>, SocketAddr) {
        loop {
            let (stream, address) = self.tcp.accept().await;
            // Who does not trust us, or is not trusted, has no connection.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
