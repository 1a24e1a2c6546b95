//! The forwarders, each a process: gRPC in, the same spans out, the answer only after the next hop's.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use tokio::runtime::Runtime;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use veilspan::Policy;
use veilspan::collector::{Config, Processor, Stage};
use veilspan::environment::Environment;
use veilspan::privacy::Key;

use super::support::child::{Seen, answer};
use super::support::raw::{MAX_BYTES, RawServer, send};
use super::support::sink::listen;

/// Our stage, with the processors that are named.
pub fn ours(next: &str, processors: Vec<Processor>) {
    let config = Config::between(SocketAddr::from(([127, 0, 0, 1], 0)), Some(next)).with_processors(&processors);
    let key = Key::new(vec![7; 32], None).expect("a key");
    let (policy, _) = Policy::builder().key(key).build_in(&Environment::default());
    let stage = Stage::builder(config).policy(policy).start().expect("a stage");
    answer(stage.address().port(), &Seen::default());
}

/// What the generated client and server do: decode everything, encode everything.
pub fn prost(next: &str) {
    #[derive(Clone)]
    struct Forward(TraceServiceClient<Channel>);

    #[tonic::async_trait]
    impl TraceService for Forward {
        async fn export(
            &self,
            request: Request<ExportTraceServiceRequest>,
        ) -> Result<Response<ExportTraceServiceResponse>, Status> {
            self.0.clone().export(request.into_inner()).await
        }
    }

    let (runtime, channel) = start(next);
    let _inside = runtime.enter();
    let client = TraceServiceClient::new(channel).max_decoding_message_size(MAX_BYTES);
    let service = TraceServiceServer::new(Forward(client)).max_decoding_message_size(MAX_BYTES);
    let (port, incoming) = listen();
    runtime.spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    answer(port, &Seen::default());
}

/// A floor: bytes in, the same bytes out, no look inside.
pub fn bytes_only(next: &str) {
    let (runtime, channel) = start(next);
    let _inside = runtime.enter();
    let channel = Arc::new(channel);
    let service = RawServer(move |message: Bytes| {
        let channel = Arc::clone(&channel);
        async move { send(&channel, message).await }
    });
    let (port, incoming) = listen();
    runtime.spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    answer(port, &Seen::default());
}

fn start(next: &str) -> (Runtime, Channel) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let channel = {
        let _inside = runtime.enter();
        Endpoint::from_shared(next.to_owned()).expect("an address").tcp_nodelay(true).connect_lazy()
    };
    (runtime, channel)
}
