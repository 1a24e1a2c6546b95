//! What runs around a call follows threads and tasks, and nothing else does.

use http::Request;
use tower_layer::Layer;
use tower_service::Service;
use veilspan::Recorder;
use veilspan::event::CallKind;
use veilspan::record::{Context, RecorderLayer};

use super::common::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_the_recorder_and_the_call_around_follow_scopes_threads_and_tasks() {
    let (one, first) = recorder();
    let (two, second) = recorder();
    assert!(!Recorder::current().is_enabled());
    let turn = one.turn("a").start();
    let spawned = turn.in_scope(|| {
        one.tool("inside").start().finish();
        two.in_scope(|| {
            Recorder::current().tool("two").start().finish();
            // The inner scope is another recorder's: this one's call is still part of its own turn.
            one.tool("still inside").start().finish();
        });
        Recorder::current().tool("restored").start().finish();
        let context = Context::current();
        std::thread::spawn(move || context.in_scope(|| Recorder::current().tool("thread").start().finish()))
            .join()
            .unwrap();
        tokio::spawn(Context::current().instrument(async {
            tokio::task::yield_now().await;
            Recorder::current().tool("task").start().finish();
        }))
    });
    spawned.await.unwrap();
    one.tool("outside").start().finish();
    assert!(!Recorder::current().is_enabled());
    turn.finish();
    let calls = calls(&one, &first);
    let turn = calls.last().unwrap();
    let inside: Vec<bool> = calls.iter().map(|call| call.opened.span.parent == Some(turn.opened.span.span)).collect();
    assert_eq!(inside, [true, true, true, true, true, false, false]);
    let other = super::common::calls(&two, &second);
    assert_eq!((other.len(), other[0].opened.span.parent), (1, None));
}

#[test]
fn a_scope_is_left_by_a_panic_too() {
    let (recorder, _sink) = recorder();
    let panicked =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| recorder.in_scope(|| panic!("of the host"))));
    assert!(panicked.is_err());
    assert!(!Recorder::current().is_enabled());
}

#[tokio::test]
async fn what_a_call_observes_is_part_of_it() {
    let (recorder, sink) = recorder();
    let mut tool = recorder.tool("research").start();
    let host = recorder.clone();
    tool.observe(async move { host.turn("worker").start().finish() }).await;
    tool.finish();
    let calls = calls(&recorder, &sink);
    assert_eq!((calls[0].kind, calls[1].kind), (CallKind::Turn, CallKind::Tool));
    assert_eq!(calls[0].opened.span.parent, Some(calls[1].opened.span.span));
    assert_eq!(calls[0].scope.rollout, calls[1].scope.rollout);
    assert_ne!(calls[0].scope.thread, calls[1].scope.thread);
}

struct Echo;

impl Service<Request<()>> for Echo {
    type Response = bool;
    type Error = std::convert::Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<bool, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        let before = Recorder::current().is_enabled();
        Box::pin(async move {
            tokio::task::yield_now().await;
            Recorder::current().turn("served").start().finish();
            Ok(before && Recorder::current().is_enabled())
        })
    }
}

#[tokio::test]
async fn a_service_in_the_tower_layer_finds_the_recorder_and_its_peers_call() {
    let (recorder, sink) = recorder();
    let turn = recorder.turn("client").start();
    let mut request = Request::new(());
    assert!(turn.context().inject(&"http://127.0.0.1:8080/x".parse().unwrap(), request.headers_mut()));
    let (server, served) = super::common::recorder();
    let mut service = RecorderLayer::new(server.clone()).layer(Echo);
    assert!(service.call(request).await.unwrap());
    assert!(service.call(Request::new(())).await.unwrap());
    turn.finish();
    let (client, served) = (calls(&recorder, &sink).remove(0), calls(&server, &served));
    assert_eq!(served[0].opened.span.parent, Some(client.opened.span.span));
    assert!(served[0].opened.span.parent_is_remote);
    assert_eq!(served[0].opened.span.trace, client.opened.span.trace);
    assert_eq!(served[0].scope.rollout, client.scope.rollout);
    assert_eq!(served[1].opened.span.parent, None);
}
