//! The store of one folder, and the thread that writes.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use super::counts::{Counters, Fate, PayloadCounts};
use super::disk::Disk;
use super::error::FolderProblem;
use super::queue::{Offered, Payload, Queue};
use crate::event::hex;
use crate::privacy::policy::Levels;

/// The store of one folder. Cheap to clone; all that name the same folder in one process share one.
#[derive(Clone)]
pub(crate) struct Payloads(Arc<Handle>);

struct Handle(Arc<Shared>);

struct Shared {
    disk: Disk,
    state: Mutex<State>,
    /// There is something to write, or nobody left to offer it.
    work: Condvar,
    /// Nothing is left to write.
    idle: Condvar,
    counters: Counters,
}

#[derive(Default)]
struct State {
    queue: Queue,
    has_thread: bool,
    is_closed: bool,
}

/// The stores of this process, so that one folder has one queue and one thread.
static STORES: Mutex<Vec<Weak<Handle>>> = Mutex::new(Vec::new());

impl Payloads {
    /// The store of a folder, which is made where its parent is there. Its thread starts with the first payload.
    pub(super) fn open(path: &Path) -> Result<Self, FolderProblem> {
        let disk = Disk::make(path)?;
        let mut stores = unpoisoned(STORES.lock());
        stores.retain(|store| store.strong_count() > 0);
        let mut open = stores.iter().filter_map(Weak::upgrade);
        if let Some(known) = open.find(|handle| handle.0.disk.place() == disk.place()) {
            return Ok(Self(known));
        }
        let shared = Shared {
            disk,
            state: Mutex::default(),
            work: Condvar::new(),
            idle: Condvar::new(),
            counters: Counters::default(),
        };
        let handle = Arc::new(Handle(Arc::new(shared)));
        stores.push(Arc::downgrade(&handle));
        Ok(Self(handle))
    }

    /// Takes a payload to be written. `false`: there is no room, and no reference is to be given.
    pub(in crate::privacy) fn offer(&self, payload: Payload) -> bool {
        let shared = &self.0.0;
        let mut state = shared.state();
        let offered = state.queue.offer(payload);
        match offered {
            Offered::Taken if !state.has_thread => {
                state.has_thread = start(shared);
                if !state.has_thread {
                    let lost = state.queue.clear();
                    shared.counters.add(Fate::Failed, lost);
                    return false;
                }
            }
            Offered::Taken => shared.work.notify_one(),
            Offered::Known => _ = shared.counters.add(Fate::Known, 1),
            Offered::OverBound => _ = shared.counters.add(Fate::OverBound, 1),
        }
        offered != Offered::OverBound
    }

    /// What waits and may not leave under these levels is not written.
    pub(crate) fn lower(&self, levels: &Levels) {
        let withdrawn = self.0.0.state().queue.lower(levels);
        self.0.0.counters.add(Fate::Withdrawn, withdrawn);
    }

    /// Waits until all that was taken is written, or `deadline` has passed, and says whether nothing is left.
    pub(crate) fn flush(&self, deadline: Instant) -> bool {
        let shared = &self.0.0;
        let mut state = shared.state();
        while !state.queue.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = shared.idle.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        shared.disk.sync();
        true
    }

    pub(crate) fn counts(&self) -> PayloadCounts {
        self.0.0.counters.read()
    }

    /// Whether they are one and the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Starts the thread, and says whether there is one.
fn start(shared: &Arc<Shared>) -> bool {
    let shared = Arc::clone(shared);
    std::thread::Builder::new().name("veilspan-payloads".to_owned()).spawn(move || shared.run()).is_ok()
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        unpoisoned(self.state.lock())
    }

    fn run(&self) {
        self.disk.clear_up();
        let mut state = self.state();
        loop {
            if let Some((name, text)) = state.queue.next() {
                drop(state);
                let fate = self.write(hex::encode(&name.bytes, &mut [0; 64]), text.as_bytes());
                drop(text);
                state = self.state();
                state.queue.done();
                if self.counters.add(fate, 1) == 0 && fate == Fate::Failed {
                    drop(state);
                    // Once: the count tells how often.
                    tracing::warn!(
                        target: "veilspan",
                        "a payload cannot be written into the folder of VEILSPAN_PAYLOADS, and is lost with those that \
                         follow until it can"
                    );
                    state = self.state();
                }
            } else if state.is_closed {
                return;
            } else {
                self.idle.notify_all();
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn write(&self, name: &str, text: &[u8]) -> Fate {
        self.disk.store(name, text, &|| self.state().queue.may_leave()).unwrap_or(Fate::Failed)
    }
}

impl Drop for Handle {
    /// The thread writes what it has, and ends.
    fn drop(&mut self) {
        self.0.state().is_closed = true;
        self.0.work.notify_all();
    }
}

impl fmt::Debug for Payloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payloads").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

fn unpoisoned<T>(locked: Result<T, PoisonError<T>>) -> T {
    locked.unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::event::{Algorithm, Digest};
    use crate::privacy::Level;
    use crate::semconv::Field;

    fn payload(name: u8, bytes: usize) -> Payload {
        let name = Digest { algorithm: Algorithm::Sha256, bytes: [name; 32] };
        let levels = Levels::all(Level::Masked);
        Payload { name, text: "x".repeat(bytes).into(), classes: &[Field::Prompts], levels }
    }

    #[test]
    fn where_the_disk_stalls_no_more_is_taken_than_the_bound_and_a_flush_ends_at_its_deadline() {
        let folder = tempfile::tempdir().unwrap();
        let store = Payloads::open(&folder.path().join("payloads")).unwrap();
        // As if there were a thread, in the middle of a write that never ends.
        store.0.0.state().has_thread = true;
        let taken = (0..10).filter(|name| store.offer(payload(*name, 8 << 20))).count();
        assert_eq!(taken, 3);
        assert_eq!(store.counts(), PayloadCounts { over_bound: 7, ..PayloadCounts::default() });
        assert!(!store.flush(Instant::now()));
        store.lower(&Levels::all(Level::Digest));
        assert!(store.flush(Instant::now()));
        assert_eq!(store.counts().withdrawn, 3);
    }

    #[test]
    fn all_that_name_one_folder_share_a_store_and_its_thread_ends_with_the_last_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("payloads");
        let [one, other] = [(); 2].map(|()| Payloads::open(&path).unwrap());
        assert!(one.is(&other) && one.offer(payload(1, 10)));
        let shared = Arc::downgrade(&one.0.0);
        drop(one);
        assert!(other.offer(payload(2, 10)));
        drop(other);
        let written = || std::fs::read_dir(&path).unwrap().count();
        for _ in 0..2000 {
            if shared.strong_count() == 0 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert_eq!((shared.strong_count(), written()), (0, 3), "both, and the folder for what is new");
    }
}
