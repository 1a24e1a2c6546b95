//! What a reader told, looked at.

use std::path::PathBuf;

use veilspan::event::{CallKind, CallRecord, Event, Veiled};
use veilspan::import::TracePer;
use veilspan::import::session::{Set, Told};
use veilspan::privacy::Policy;
use veilspan::reduce::{Facts, Rollout};
use veilspan::semconv::{Attr, TOOL_NAME};

pub type Record = CallRecord<Veiled>;

pub fn set() -> Set {
    Set { policy: Policy::builder().unkeyed_sha256().build(), per: TracePer::Turn, grace: 0 }
}

/// The folder of the recordings that stand outside of the repository, or a line that says why nothing is tested.
pub fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("VEILSPAN_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: VEILSPAN_CORPUS names no folder of recordings");
    }
    folder
}

#[derive(Clone, Default)]
pub struct All(pub Vec<Told>);

impl All {
    pub fn records(&self) -> Vec<&Record> {
        let calls = self.0.iter().filter_map(|told| match told {
            Told::Call(record) => Some(&**record),
            Told::Event(_) => None,
        });
        let mut records: Vec<&Record> = calls.collect();
        records.sort_by_key(|record| (record.opened_at, record.closed_at, record.key()));
        records
    }

    pub fn of(&self, kind: CallKind) -> Vec<&Record> {
        self.records().into_iter().filter(|record| record.kind == kind).collect()
    }

    pub fn tool(&self, name: &str) -> &Record {
        self.of(CallKind::Tool).into_iter().find(|tool| tool.opened.attrs.text(TOOL_NAME) == Some(name)).unwrap()
    }

    pub fn sum(&self, attr: Attr<i64>) -> i64 {
        self.records().iter().filter_map(|record| record.closed.attrs.get(attr)).sum()
    }

    pub fn events(&self) -> impl Iterator<Item = Event<Veiled>> {
        self.0.clone().into_iter().flat_map(Told::into_events)
    }

    pub fn rollouts(&self) -> Vec<Rollout> {
        let mut facts = Facts::default();
        self.events().for_each(|event| _ = facts.absorb(&event));
        facts.derive()
    }

    /// All records, so that two readings can be compared whatever the order.
    pub fn sorted(&self) -> Vec<Record> {
        self.records().into_iter().cloned().collect()
    }
}

/// From when to when, in whole seconds since the script's beginning.
pub fn seconds(record: &Record) -> (u64, u64) {
    let second = |nanos: u64| (nanos - super::script::START) / 1_000_000_000;
    (second(record.opened_at.time_unix_nano), second(record.closed_at.time_unix_nano))
}
