//! Whose turn it is to veil: that of the pipeline's thread, or of whoever has just handed something in, where callers veil
//! what they say (`VEILSPAN_INLINE`).

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};

use super::Sink;
use super::guarded::{begun, drained};
use super::pipeline::Pipeline;
use super::queue::{Asked, Batch};

/// The pipeline, for one thread at a time.
pub(super) struct Turns {
    turn: Mutex<Turn>,
    sink: Arc<dyn Sink>,
}

struct Turn {
    pipeline: Pipeline,
    batch: Batch,
}

thread_local! {
    static IS_IN_ITS_TURN: Cell<bool> = const { Cell::new(false) };
}

impl Turns {
    pub(super) fn new(pipeline: Pipeline, sink: Arc<dyn Sink>) -> Self {
        Self { turn: Mutex::new(Turn { pipeline, batch: Batch::default() }), sink }
    }

    /// Veils what waits, answers who waits for that, and says whether more may come. While the sink drains, others may veil.
    pub(super) fn take(&self) -> bool {
        let flushes = self.with(|turn| {
            turn.pipeline.turn(&mut turn.batch, true);
            std::mem::take(&mut turn.batch.flushes)
        });
        let mut may_come = true;
        for flush in flushes.into_iter().flatten() {
            let is_last = flush.last.is_some();
            match flush.asked {
                Asked::Pipeline { is_alone, answer } => {
                    let complete = is_alone || drained(&*self.sink, flush.deadline, is_last);
                    self.look();
                    // Nobody may be waiting any more.
                    let _ = answer.send(complete);
                }
                Asked::Sink(number) => {
                    self.look();
                    begun(&*self.sink, number);
                }
            }
            may_come &= !is_last;
        }
        if may_come {
            self.look();
        }
        may_come
    }

    /// Veils what waits; who waits for a flush is left to the pipeline's thread. When it returns nothing waits that this
    /// thread has handed in before: where another veils it, that is waited for.
    #[cold]
    pub(super) fn take_inline(&self) {
        self.with(|turn| turn.pipeline.turn(&mut turn.batch, false));
    }

    fn look(&self) {
        self.with(|turn| turn.pipeline.look());
    }

    /// Nothing on a thread that is in its turn: what a sink records itself is veiled in the next one.
    fn with<T>(&self, run: impl FnOnce(&mut Turn) -> T) -> Option<T> {
        let _mine = Mine::take()?;
        Some(run(&mut self.turn.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// This thread is in its turn.
struct Mine;

impl Mine {
    fn take() -> Option<Self> {
        let is_free = IS_IN_ITS_TURN.try_with(|is_in| !is_in.replace(true)).unwrap_or(false);
        // Made only where it is free: whoever drops one ends a turn.
        is_free.then(|| Self)
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        // Gone with its thread.
        let _ = IS_IN_ITS_TURN.try_with(|is_in| is_in.set(false));
    }
}
