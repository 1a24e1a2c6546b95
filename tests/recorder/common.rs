//! Recorders into a sink in memory.

use std::sync::Arc;
use std::time::Duration;

use veilspan::event::{CallRecord, Given, Returned, Veiled};
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

pub const SOON: Duration = Duration::from_secs(10);

pub fn unkeyed() -> Policy {
    Policy::builder().unkeyed_sha256().build_in(&Default::default()).0
}

pub fn recorder_with(policy: Policy) -> (Recorder, Arc<MemorySink>) {
    let sink = Arc::new(MemorySink::default());
    (Recorder::builder().sink(sink.clone()).policy(policy).build(), sink)
}

pub fn recorder() -> (Recorder, Arc<MemorySink>) {
    recorder_with(unkeyed())
}

pub fn calls(recorder: &Recorder, sink: &MemorySink) -> Vec<CallRecord<Veiled>> {
    assert!(recorder.flush(SOON).complete);
    sink.calls()
}

pub fn inference(call: &CallRecord<Veiled>) -> (&veilspan::event::Input, &veilspan::event::Output) {
    match (&call.given, &call.returned) {
        (Given::Request(request), Returned::Answer(answer)) => (request, answer),
        other => panic!("not an inference: {other:?}"),
    }
}
