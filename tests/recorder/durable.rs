//! What a sink that outlives the process hears of calls that are open.

use std::sync::{Arc, Mutex};

use veilspan::Recorder;
use veilspan::event::{Key, Record};
use veilspan::intake::{Durable, Refused, Sink};

use super::common::*;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    Opened(String),
    Closed(String),
    Commit,
}

/// Says what it heard, and waits in the first close until it is let go.
struct Keeper {
    heard: Mutex<Vec<Heard>>,
    gate: Mutex<()>,
}

impl Sink for Keeper {
    fn take(&self, record: Record) -> Result<(), Refused> {
        let name = |attrs: &veilspan::event::Attrs| attrs.text(veilspan::semconv::TOOL_NAME).unwrap().to_owned();
        let heard = match record {
            Record::Opened(open) => Heard::Opened(name(&open.opened.attrs)),
            Record::Closed(call) => Heard::Closed(name(&call.opened.attrs)),
        };
        if heard == Heard::Closed("first".to_owned()) {
            drop(self.gate.lock().unwrap());
        }
        self.heard.lock().unwrap().push(heard);
        Ok(())
    }

    fn durable(&self) -> Option<&dyn Durable> {
        Some(self)
    }
}

impl Durable for Keeper {
    fn commit(&self) -> bool {
        self.heard.lock().unwrap().push(Heard::Commit);
        true
    }

    fn forget(&self, _: Key) {}
}

#[test]
fn a_sink_that_keeps_records_hears_of_what_stays_open_and_not_of_what_has_closed_at_once() {
    let sink = Arc::new(Keeper { heard: Mutex::default(), gate: Mutex::new(()) });
    let recorder = Recorder::builder().sink(sink.clone()).policy(unkeyed()).build();
    let held = sink.gate.lock().unwrap();
    recorder.tool("first").start().finish();
    let early = recorder.tool("early").start();
    (0..100).for_each(|_| recorder.tool("brief").start().finish());
    let late = recorder.tool("late").start();
    drop(held);
    assert!(recorder.flush(SOON).complete);
    let heard = sink.heard.lock().unwrap().clone();
    let place = |what: &Heard| heard.iter().position(|heard| heard == what);
    let opened = |name: &str| Heard::Opened(name.to_owned());
    assert!(place(&opened("early")).unwrap() < place(&Heard::Closed("brief".to_owned())).unwrap() + 10);
    assert!(place(&opened("late")).unwrap() + 1 < heard.len() && heard.last() == Some(&Heard::Commit), "{heard:?}");
    // The pipeline may have rested between the start and the end of one or another.
    let brief = heard.iter().filter(|heard| **heard == opened("brief")).count();
    assert!(brief < 50, "{brief}");
    early.finish();
    late.finish();
    assert!(recorder.flush(SOON).complete);
    let heard = sink.heard.lock().unwrap();
    for name in ["early", "late"] {
        assert_eq!(heard.iter().filter(|heard| **heard == opened(name)).count(), 1);
        assert_eq!(heard.iter().filter(|heard| **heard == Heard::Closed(name.to_owned())).count(), 1);
    }
}
