//! The spool as a queue: our own journal, and those that were taken over.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::Plan;
use super::adopt::{self, Adopted};
use super::error::{Problem, SpoolError};
use super::home::{Home, Life};
use super::journal::{Amount, Journal};
use super::log::{Disk, Fsync, Log, Options, Settled, boot};
use super::recent::Recent;
use super::records::{self, ENVELOPE};
use crate::event::{Clock, ProducerId};
use crate::export::barrier::Barriers;
use crate::export::batch::Batch;
use crate::export::envelope::Envelope;
use crate::export::limits::{Limits, Rank};
use crate::export::outbox::NotTaken;
use crate::intake::{Counters, Drop};

/// How often it is looked for folders whose process is gone.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often what was written is synced, with [`Fsync::Interval`].
pub(super) const SYNC_EVERY: Duration = Duration::from_secs(1);
/// How long a disk that has failed is left alone.
const REST: Duration = Duration::from_secs(1);
/// Of a shorter life nothing can be told of the rate at which it recorded.
const SHORTEST_LIFE: f64 = 0.1;
/// While nothing can be written, so many times what is gathered for one write may wait in memory.
const PENDING_WRITES: usize = 8;

/// The spool of one exporter.
pub(in crate::export) struct Spool {
    pub(super) home: Home,
    pub(super) options: Options,
    pub(super) limits: Limits,
    pub(super) budget: usize,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) counters: Arc<Counters>,
    pub(super) stock: Mutex<Stock>,
    /// Never held while the disk is waited for.
    pub(super) mood: Mutex<Mood>,
    pub(super) settled: Condvar,
}

pub(super) struct Stock {
    pub(super) life: Option<Life>,
    pub(super) own: Journal,
    pub(super) others: Vec<Other>,
    pub(super) known: HashSet<String>,
    /// Folders that could not be taken over this time.
    pub(super) skipped: HashSet<String>,
    pub(super) next_other: u64,
    pub(super) again: VecDeque<Batch>,
    pub(super) in_flight: u64,
    /// The time of what is about to be written together.
    pub(super) now: u64,
    /// When the first span came that has not been read yet.
    pub(super) since: Option<Instant>,
    pub(super) rests_until: Option<Instant>,
    pub(super) looked: Option<Instant>,
    pub(super) synced: Option<Instant>,
    /// The bytes of what was set aside.
    pub(super) aside: u64,
}

/// What another process life has left.
pub(super) struct Other {
    pub(super) number: u64,
    pub(super) life: Life,
    pub(super) journal: Journal,
    /// What it left is sent no faster than twice the rate at which it came.
    pub(super) rate: f64,
    pub(super) not_before: Option<Instant>,
}

#[derive(Default)]
pub(super) struct Mood {
    /// How many want everything that waits to be sent without delay.
    pub(super) hurrying: usize,
    pub(super) barriers: Barriers,
    /// The index behind the last span of our own log that was taken.
    pub(super) below: u64,
    pub(super) closed: bool,
    pub(super) abandoned: bool,
    pub(super) waiting: u64,
}

impl Mood {
    pub(super) const fn is_hurried(&self) -> bool {
        self.hurrying > 0 || self.closed
    }
}

impl Spool {
    pub(in crate::export) fn open(
        plan: &Plan<'_>,
        limits: Limits,
        envelope: &Envelope,
        producer: ProducerId,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
    ) -> Result<Self, SpoolError> {
        let home = Home::open(plan.folder)?;
        let life = home.begin(producer)?;
        let failed = |error| SpoolError::new(Problem::Begin, error);
        let disk: Arc<dyn Disk> = Arc::new(life.disk().map_err(failed)?);
        let options = Options {
            // Room is kept in whole segments: a small disk takes small ones.
            segment_bytes: (plan.bytes / 16).min(life.free_bytes() / 16).clamp(16 << 10, 4 << 20),
            fsync: plan.fsync,
            boot: boot(),
            preamble: Some((ENVELOPE, records::envelope(envelope))),
        };
        let settled = Settled::open(Arc::clone(&disk), plan.fsync == Fsync::Always).map_err(failed)?;
        let log = Log::new(disk, options.clone(), VecDeque::new(), 0);
        let payload = records::envelope(envelope);
        let envelope = records::read_envelope(&payload)
            .unwrap_or(Envelope::Scoped { resource: Bytes::new(), scope: Bytes::new() });
        let own = Journal::new(log, settled, Arc::new(envelope), false).holding(Recent::new(&limits));
        let known = HashSet::from([life.name().to_owned()]);
        let stock = Stock {
            life: Some(life),
            own,
            others: Vec::new(),
            known,
            skipped: HashSet::new(),
            next_other: 1,
            again: VecDeque::new(),
            in_flight: 0,
            now: 0,
            since: None,
            rests_until: None,
            looked: None,
            synced: None,
            aside: home.bytes_aside(),
        };
        Ok(Self {
            home,
            options,
            limits,
            budget: usize::try_from(plan.bytes).unwrap_or(usize::MAX),
            clock,
            counters,
            stock: Mutex::new(stock),
            mood: Mutex::default(),
            settled: Condvar::new(),
        })
    }

    /// Takes the opening of a call: the span that will tell of it if nothing else does.
    pub(in crate::export) fn open_call(&self, id: u128, field: &[u8], rank: Rank) -> Result<(), Drop> {
        let mut stock = self.stock();
        if stock.own.pending() > self.options.commit_bytes() * (PENDING_WRITES / 2) {
            return Err(Drop::SpoolFailed);
        }
        let room = self.room(&stock, rank);
        let now = self.now(&mut stock);
        stock.own.open(id, now, field, room).map_err(|_| Drop::SpoolFull)?;
        self.write_if_full(&mut stock);
        Ok(())
    }

    /// Takes the span of a call that has closed. `Ok(true)`: the sender has to look.
    pub(in crate::export) fn close_call(&self, id: u128, field: &[u8], rank: Rank) -> Result<bool, NotTaken> {
        let mut stock = self.stock();
        let lost = |reason| if rank == Rank::Content { NotTaken::Content } else { NotTaken::Lost(reason) };
        if field.len() > self.limits.batch_bytes {
            return Err(lost(Drop::SpanTooLarge));
        }
        let patience = if rank == Rank::Content { PENDING_WRITES / 2 } else { PENDING_WRITES };
        if stock.own.pending() > self.options.commit_bytes() * patience {
            return Err(lost(Drop::SpoolFailed));
        }
        let room = self.room(&stock, rank);
        let now = self.now(&mut stock);
        stock.own.close(id, now, field, room).map_err(|_| lost(Drop::SpoolFull))?;
        stock.since.get_or_insert_with(Instant::now);
        let mut mood = self.mood();
        mood.waiting = stock.own.waiting;
        mood.below = stock.own.log.next_index();
        drop(mood);
        Ok(self.write_if_full(&mut stock) && self.is_portion(&stock))
    }

    /// The time, looked at once for what is written together.
    fn now(&self, stock: &mut Stock) -> u64 {
        if stock.own.pending() == 0 || stock.rests_until.is_some() {
            stock.now = self.clock.unix_nanos();
        }
        stock.now
    }

    /// An open call has lost its close: nothing is to be told of it.
    pub(in crate::export) fn lose_call(&self, id: u128) {
        self.stock().own.lose(id, self.clock.unix_nanos());
    }

    /// Writes what was taken. Whether all of it counts, and whether the sender has to look.
    pub(in crate::export) fn commit(&self) -> (bool, bool) {
        let mut stock = self.stock();
        let is_written = self.write(&mut stock);
        let is_first = stock.own.unread.spans > 0 && stock.in_flight == 0;
        (is_written, is_first || self.is_portion(&stock))
    }

    /// Whether as much is there as one request may hold.
    pub(super) fn is_portion(&self, stock: &Stock) -> bool {
        let Amount { spans, bytes } = stock.own.unread;
        spans >= self.limits.batch_spans as u64 || bytes >= self.limits.batch_bytes as u64
    }

    fn write_if_full(&self, stock: &mut Stock) -> bool {
        stock.own.pending() >= self.options.commit_bytes() && self.write(stock)
    }

    pub(super) fn write(&self, stock: &mut Stock) -> bool {
        if stock.own.pending() == 0 {
            return true;
        }
        if stock.rests_until.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        match stock.own.commit(self.clock.unix_nanos()) {
            Ok(()) => {
                self.counters.add_written(stock.own.take_written());
                stock.rests_until = None;
                true
            }
            Err(_) => {
                self.counters.add_spool_failure();
                stock.rests_until = Instant::now().checked_add(REST);
                false
            }
        }
    }

    fn room(&self, stock: &Stock, rank: Rank) -> u64 {
        let others: u64 = stock.others.iter().map(|other| other.journal.bytes()).sum();
        let taken = stock.own.bytes().saturating_add(others).saturating_add(stock.aside);
        (rank.of(self.budget) as u64).saturating_sub(taken)
    }

    /// Takes over one folder whose process is gone, where there is one.
    pub(super) fn look_for_the_dead(&self) -> bool {
        let (known, skipped) = {
            let stock = self.stock();
            (stock.known.clone(), stock.skipped.clone())
        };
        let Ok(Some(life)) = self.home.adopt(|name| known.contains(name) || skipped.contains(name)) else {
            self.stock().skipped.clear();
            return false;
        };
        let now = self.clock.unix_nanos();
        let name = life.name().to_owned();
        let adopted = life.disk().and_then(|disk| {
            let disk: Arc<dyn Disk> = Arc::new(disk);
            adopt::adopt(&disk, &self.options, now)
        });
        let Ok(Adopted { journal, abandoned, unknown, damaged, lived }) = adopted else {
            // Its lock goes with it: whoever looks next, we among them, tries again.
            self.counters.add_spool_failure();
            self.stock().skipped.insert(name);
            return true;
        };
        self.counters.add_adopted(journal.waiting, abandoned);
        self.counters.add_dropped(Drop::EndUnknown, unknown);
        self.counters.add_dropped(Drop::SpoolDamaged, damaged);
        let rate = 1.75 * journal.unread.bytes as f64 / lived.as_secs_f64().max(SHORTEST_LIFE);
        let mut stock = self.stock();
        let number = stock.next_other;
        stock.next_other += 1;
        stock.known.insert(name);
        stock.others.push(Other { number, life, journal, rate: rate.max(1.0), not_before: None });
        drop(stock);
        self.bury(number);
        true
    }

    /// Removes a folder in which nothing is left.
    pub(super) fn bury(&self, number: u64) {
        let mut stock = self.stock();
        let is_done = |other: &Other| other.number == number && other.journal.waiting == 0;
        let Some(place) = stock.others.iter().position(is_done) else { return };
        let mut other = stock.others.swap_remove(place);
        drop(stock);
        if other.journal.clean(self.clock.unix_nanos()).is_ok() {
            self.home.remove(other.life);
        }
    }

    /// Whether what is written is synced before it counts.
    pub(super) fn is_synced(&self) -> bool {
        self.options.fsync == Fsync::Always
    }

    pub(super) fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn mood(&self) -> MutexGuard<'_, Mood> {
        self.mood.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
