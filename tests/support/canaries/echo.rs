//! A sink that says back whatever it is told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};
use veilspan::otlp::{Handler, Reply, TraceServer};

/// What a client takes of a status' text: it travels in a header.
const MAX_STATUS: usize = 2048;

/// An OTLP gRPC receiver that keeps the bytes of each request as they come out of the stream, uncompressed, and answers with
/// them: the first time as a refusal that says so in its text and details, then as a partial success that says so in its
/// message.
pub struct Echo {
    endpoint: String,
    heard: Arc<Heard>,
    runtime: Option<tokio::runtime::Runtime>,
}

#[derive(Default)]
struct Heard {
    requests: Mutex<Vec<Bytes>>,
    calls: AtomicUsize,
}

impl Handler for Heard {
    async fn export(&self, body: Bytes) -> Result<Reply, Status> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let text = String::from_utf8_lossy(&body).into_owned();
        self.requests.lock().unwrap().push(body);
        if call == 0 {
            let short: String = text.chars().take(MAX_STATUS).collect();
            return Err(Status::with_details(Code::Unavailable, short.clone(), Bytes::from(short)));
        }
        // A reason is a constant by its type. What it is said to be here is as long-lived.
        Ok(Reply { rejected: 1, reason: Box::leak(text.into_boxed_str()) })
    }
}

impl Echo {
    pub fn start() -> Self {
        let heard = Arc::new(Heard::default());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let service = TraceServer::new(Arc::clone(&heard));
        runtime.spawn(async move {
            Server::builder().add_service(service).serve_with_incoming(TcpIncoming::from(listener)).await.unwrap();
        });
        Self { endpoint, heard, runtime: Some(runtime) }
    }

    pub fn url(&self) -> String {
        self.endpoint.clone()
    }

    pub fn requests(&self) -> Vec<Bytes> {
        self.heard.requests.lock().unwrap().clone()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
