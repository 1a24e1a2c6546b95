//! An OTLP receiver that keeps what it gets, and behaves as it is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tonic::codec::CompressionEncoding;
use tonic::transport::ServerTlsConfig;
use tonic::{Request, Response, Status};

/// How a [`Receiver`] answers.
#[derive(Clone)]
pub enum Behaviour {
    Accept,
    /// Refuses with this status for good.
    Refuse(Status),
    /// Refuses so many times with this status, then accepts.
    RefuseFirst(usize, Status),
    /// Rejects so many spans of each request.
    Reject(i64),
    /// Never answers.
    Stall,
}

struct State {
    behaviour: Behaviour,
    requests: Vec<ExportTraceServiceRequest>,
    calls: usize,
    headers: Vec<tonic::metadata::MetadataMap>,
}

/// An OTLP gRPC receiver on a port of its own, stopped when dropped.
pub struct Receiver {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    runtime: Option<tokio::runtime::Runtime>,
}

struct Service(Arc<Mutex<State>>);

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let behaviour = {
            let mut state = self.0.lock().unwrap();
            state.calls += 1;
            state.headers.push(request.metadata().clone());
            match &mut state.behaviour {
                Behaviour::RefuseFirst(0, _) => Behaviour::Accept,
                Behaviour::RefuseFirst(left, status) => {
                    *left -= 1;
                    Behaviour::Refuse(status.clone())
                }
                other => other.clone(),
            }
        };
        let partial_success = match behaviour {
            Behaviour::Refuse(status) => return Err(status),
            Behaviour::Stall => std::future::pending().await,
            Behaviour::Reject(rejected_spans) => {
                Some(ExportTracePartialSuccess { rejected_spans, error_message: "what the peer says".to_owned() })
            }
            _ => None,
        };
        self.0.lock().unwrap().requests.push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse { partial_success }))
    }
}

impl Receiver {
    pub fn start(behaviour: Behaviour) -> Self {
        Self::start_with(behaviour, None)
    }

    /// One that speaks TLS as it is told.
    pub fn start_with(behaviour: Behaviour, tls: Option<ServerTlsConfig>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Self::serve(listener, behaviour, tls, 64 << 20)
    }

    /// One that takes messages of so many bytes at the most.
    pub fn start_small(max_bytes: usize) -> Self {
        Self::serve(std::net::TcpListener::bind("127.0.0.1:0").unwrap(), Behaviour::Accept, None, max_bytes)
    }

    /// One at an address that was free a moment ago.
    pub fn start_at(address: SocketAddr) -> Self {
        Self::serve(std::net::TcpListener::bind(address).unwrap(), Behaviour::Accept, None, 64 << 20)
    }

    fn serve(
        listener: std::net::TcpListener,
        behaviour: Behaviour,
        tls: Option<ServerTlsConfig>,
        max_bytes: usize,
    ) -> Self {
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { behaviour, requests: Vec::new(), calls: 0, headers: Vec::new() }));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let service = TraceServiceServer::new(Service(Arc::clone(&state)))
            .max_decoding_message_size(max_bytes)
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd);
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let incoming = tonic::transport::server::TcpIncoming::from(listener);
            let mut server = tonic::transport::Server::builder();
            if let Some(tls) = tls {
                server = server.tls_config(tls).unwrap();
            }
            server.add_service(service).serve_with_incoming(incoming).await.unwrap();
        });
        Self { address, state, runtime: Some(runtime) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn behave(&self, behaviour: Behaviour) {
        self.state.lock().unwrap().behaviour = behaviour;
    }

    pub fn calls(&self) -> usize {
        self.state.lock().unwrap().calls
    }

    pub fn headers(&self) -> Vec<tonic::metadata::MetadataMap> {
        self.state.lock().unwrap().headers.clone()
    }

    pub fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        self.state.lock().unwrap().requests.clone()
    }

    pub fn spans(&self) -> Vec<Span> {
        let requests = self.requests().into_iter();
        let resources = requests.flat_map(|request| request.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// All bytes of all requests.
    pub fn bytes(&self) -> Vec<u8> {
        self.requests().iter().flat_map(Message::encode_to_vec).collect()
    }

    /// Waits until so many spans have come.
    pub fn wait_for_spans(&self, count: usize) -> Vec<Span> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let spans = self.spans();
            if spans.len() >= count || Instant::now() > deadline {
                return spans;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The value of a span's attribute.
pub fn attribute<'a>(span: &'a Span, key: &str) -> Option<&'a Value> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    found.value.as_ref()?.value.as_ref()
}

/// The text of a span's attribute.
pub fn text<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    match attribute(span, key) {
        Some(Value::StringValue(text)) => Some(text),
        _ => None,
    }
}

/// The number in a span's attribute.
pub fn int(span: &Span, key: &str) -> Option<i64> {
    match attribute(span, key) {
        Some(Value::IntValue(number)) => Some(*number),
        _ => None,
    }
}
