//! What the sender sees of the spool.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::Instant;

use super::journal::{Journal, Portion};
use super::log::Fsync;
use super::stock::{LOOK_EVERY, Other, SYNC_EVERY, Spool, Stock};
use crate::export::batch::{Batch, Origin};
use crate::export::queue::{Next, Queue};
use crate::intake::Drop;

/// What was left behind never waits longer between two requests.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The number of our own log.
const OWN: u64 = 0;

impl Spool {
    /// What is due of our own log.
    fn own_portion(&self, stock: &mut Stock, is_hurried: bool) -> Result<Option<Batch>, Option<Instant>> {
        let unread = stock.own.unread;
        if unread.spans == 0 {
            return Err(None);
        }
        let since = *stock.since.get_or_insert_with(Instant::now);
        let due = since.checked_add(self.limits.batch_delay);
        let is_due = is_hurried || self.is_portion(stock) || due.is_some_and(|due| due <= Instant::now());
        if !is_due {
            return Err(due);
        }
        let portion = stock.own.read(&self.limits);
        stock.since = (stock.own.unread.spans > 0).then(Instant::now);
        Ok(self.batch(OWN, portion, stock))
    }

    /// What is due of those that were taken over.
    fn other_portion(&self, stock: &mut Stock) -> Result<Option<Batch>, Option<Instant>> {
        let now = Instant::now();
        let waits = |other: &&mut Other| other.journal.unread.spans > 0;
        let is_due = |other: &Other| other.not_before.is_none_or(|not_before| not_before <= now);
        let Some(other) = stock.others.iter_mut().filter(waits).find(|other| is_due(other)) else {
            return Err(stock.others.iter_mut().filter(waits).filter_map(|other| other.not_before).min());
        };
        let portion = other.journal.read(&self.limits);
        let bytes = portion.as_ref().map_or(0, |portion| portion.spans.len());
        let pause = Duration::try_from_secs_f64(bytes as f64 / other.rate).unwrap_or(LONGEST_PAUSE);
        other.not_before = Instant::now().checked_add(pause.min(LONGEST_PAUSE));
        let number = other.number;
        Ok(self.batch(number, portion, stock))
    }

    fn batch(&self, log: u64, portion: std::io::Result<Portion>, stock: &mut Stock) -> Option<Batch> {
        let Ok(Portion { spans, indices, unreadable }) = portion else {
            // What cannot be read now stays where it is; it is read when the spool is next opened.
            self.counters.add_spool_failure();
            return None;
        };
        if !unreadable.is_empty() {
            self.counters.add_dropped(Drop::SpoolDamaged, unreadable.len() as u64);
            self.settle_in(stock, log, &unreadable);
        }
        let envelope = match stock.journal(log) {
            Some(journal) if !indices.is_empty() => std::sync::Arc::clone(&journal.envelope),
            _ => return None,
        };
        stock.in_flight += indices.len() as u64;
        let count = indices.len() as u64;
        Some(Batch { spans, count, attempts: 0, origin: Origin::Log { log, indices, envelope } })
    }

    fn settle_in(&self, stock: &mut Stock, log: u64, indices: &[u64]) {
        let now = self.clock.unix_nanos();
        let Some(journal) = stock.journal(log) else { return };
        // Where this fails they are sent again after a restart: at least once is the promise.
        if journal.settle(indices).and_then(|()| journal.clean(now)).is_err() {
            self.counters.add_spool_failure();
        }
        self.counters.add_written(stock.own.take_written());
        let mut mood = self.mood();
        mood.waiting = stock.own.waiting;
        let is_over = log == OWN && mood.barriers.settle(indices.iter().copied());
        drop(mood);
        if is_over {
            self.settled.notify_all();
        }
    }
}

impl Stock {
    fn journal(&mut self, log: u64) -> Option<&mut Journal> {
        if log == OWN {
            return Some(&mut self.own);
        }
        self.others.iter_mut().find(|other| other.number == log).map(|Other { journal, .. }| journal)
    }
}

impl Queue for Spool {
    fn next(&self) -> Next {
        let (is_hurried, is_closed) = {
            let mood = self.mood();
            (mood.is_hurried(), mood.closed)
        };
        let mut stock = self.stock();
        if let Some(batch) = stock.again.pop_front() {
            stock.in_flight += batch.count;
            return Next::Send(batch);
        }
        let mut due = None;
        // A portion may turn out to be empty: what it would have held is damaged.
        for _ in 0..2 {
            match self.own_portion(&mut stock, is_hurried) {
                Ok(Some(batch)) => return Next::Send(batch),
                Ok(None) => {}
                Err(later) => {
                    due = later;
                    break;
                }
            }
        }
        if is_closed {
            if stock.in_flight == 0 && stock.own.unread.spans == 0 {
                return Next::Stop;
            }
            return Next::Wait(due);
        }
        match self.other_portion(&mut stock) {
            Ok(Some(batch)) => return Next::Send(batch),
            Ok(None) => {}
            Err(later) => due = [due, later].into_iter().flatten().min(),
        }
        Next::Wait(due)
    }

    fn settle(&self, batch: &Batch, count: &mut dyn FnMut()) {
        let Origin::Log { log, indices, .. } = &batch.origin else { return };
        let mut stock = self.stock();
        stock.in_flight = stock.in_flight.saturating_sub(batch.count);
        count();
        self.settle_in(&mut stock, *log, indices);
        let gone = stock.journal(*log).map(Journal::take_gone);
        drop(stock);
        drop(gone);
        if *log != OWN {
            self.bury(*log);
        }
    }

    fn set_aside(&self, batch: &Batch, reason: Drop) -> bool {
        self.keep_aside(batch, reason)
    }

    fn again(&self, batches: Vec<Batch>) {
        let mut stock = self.stock();
        for batch in batches.into_iter().rev() {
            stock.in_flight = stock.in_flight.saturating_sub(batch.count);
            stock.again.push_front(batch);
        }
    }

    fn tend(&self) -> Option<Duration> {
        let now = Instant::now();
        let mut stock = self.stock();
        // What the pipeline gathers it writes itself, unless the disk has failed meanwhile.
        if stock.rests_until.is_some() {
            self.write(&mut stock);
        }
        let is_idle_for = |since: Option<Instant>, every| since.is_none_or(|since| now.duration_since(since) >= every);
        if self.options.fsync == Fsync::Interval && stock.own.log.is_unsynced() && is_idle_for(stock.synced, SYNC_EVERY)
        {
            stock.synced = Some(now);
            if stock.own.log.sync().is_err() {
                self.counters.add_spool_failure();
            }
        }
        let wakes_soon = stock.own.log.is_unsynced() && self.options.fsync == Fsync::Interval
            || stock.own.pending() > 0 && stock.rests_until.is_some();
        let looks = is_idle_for(stock.looked, LOOK_EVERY) && !self.mood().closed;
        drop(stock);
        if looks && !self.look_for_the_dead() {
            self.stock().looked = Some(now);
        }
        let again = if looks && self.stock().looked != Some(now) { Duration::ZERO } else { LOOK_EVERY };
        Some(if wakes_soon { again.min(SYNC_EVERY) } else { again })
    }

    fn waiting(&self) -> u64 {
        self.mood().waiting
    }

    fn backlog_bytes(&self) -> u64 {
        let stock = self.stock();
        let again = stock.again.iter().filter(|batch| batch.is_own()).map(|batch| batch.spans.len() as u64);
        stock.own.unread.bytes + again.sum::<u64>()
    }

    fn hurry(&self, last: bool) {
        let mut mood = self.mood();
        mood.hurrying += 1;
        mood.closed |= last;
    }

    fn calm(&self) {
        let mut mood = self.mood();
        mood.hurrying = mood.hurrying.saturating_sub(1);
    }

    fn is_hurried(&self) -> bool {
        self.mood().is_hurried()
    }

    fn is_abandoned(&self) -> bool {
        self.mood().abandoned
    }

    fn wait_for_all(&self, deadline: std::time::Instant) -> bool {
        let mut mood = self.mood();
        let left = mood.waiting;
        if left == 0 || mood.abandoned {
            return left == 0;
        }
        let below = mood.below;
        let ticket = mood.barriers.enter(below, left);
        let is_over = loop {
            if mood.abandoned || mood.barriers.is_over(ticket) {
                break mood.barriers.is_over(ticket);
            }
            let left = deadline.checked_duration_since(std::time::Instant::now());
            let Some(left) = left.filter(|left| !left.is_zero()) else { break false };
            let waited = self.settled.wait_timeout(mood, left);
            mood = waited.map(|(mood, _)| mood).unwrap_or_else(|poisoned| poisoned.into_inner().0);
        };
        mood.barriers.leave(ticket);
        is_over
    }

    /// Nothing is lost: what waits is on disk.
    fn abandon(&self) -> u64 {
        let mut mood = self.mood();
        mood.closed = true;
        mood.abandoned = true;
        drop(mood);
        self.settled.notify_all();
        0
    }
}

impl std::ops::Drop for Spool {
    /// Leaves the folder to whoever takes it over, or removes it where nothing is left.
    fn drop(&mut self) {
        let now = self.clock.unix_nanos();
        let Stock { life, own, .. } = self.stock.get_mut().unwrap_or_else(PoisonError::into_inner);
        // What cannot be written now was never told of as written.
        let is_written = own.commit(now).is_ok();
        own.log.close();
        let is_done = is_written && own.waiting == 0 && !own.has_open_calls() && own.clean(now).is_ok();
        if let Some(life) = life.take().filter(|_| is_done) {
            self.home.remove(life);
        }
    }
}
