//! Bursts and their cost.

use std::time::Instant;

use crate::support::child::Child;
use crate::support::cpu;
use crate::support::table::Rounds;

/// Something that records calls.
pub trait Scenario {
    /// Records so many, one after the other.
    fn burst(&mut self, calls: usize);
    /// Waits until all of them have left.
    fn flush(&mut self);
    /// Whether there is room for more: no call waits for the thread that takes it up.
    fn has_caught_up(&self) -> bool {
        true
    }
}

/// What the rounds of a scenario cost, in nanoseconds a call.
#[derive(Default)]
pub struct Cost {
    /// On the calling thread.
    pub thread: Rounds,
    /// In the process, until all had left.
    pub process: Rounds,
    /// By the clock on the wall, until all had left.
    pub wall: Rounds,
}

pub struct Measured {
    pub name: &'static str,
    pub cost: Cost,
    scenario: Box<dyn Scenario>,
    burst: usize,
    bursts: usize,
    /// Whether its spans reach the sink.
    exports: bool,
}

impl Measured {
    pub fn new(
        name: &'static str,
        burst: usize,
        bursts: usize,
        exports: bool,
        scenario: impl Scenario + 'static,
    ) -> Self {
        let scenario = Box::new(scenario);
        Self { name, cost: Cost::default(), scenario, burst, bursts, exports }
    }

    /// One round, its figures kept unless it is there to warm up. Panics where a span was lost.
    pub fn round(&mut self, sink: &mut Child, is_warm_up: bool) {
        let before = sink.report().spans;
        let (mut thread, process, wall) = (0, cpu::process(), Instant::now());
        for _ in 0..self.bursts {
            let start = cpu::thread();
            self.scenario.burst(self.burst);
            thread += cpu::thread() - start;
            self.scenario.flush();
        }
        let (process, wall) = (cpu::process() - process, wall.elapsed());
        let calls = self.burst * self.bursts;
        let arrived = sink.report().spans - before;
        let expected = if self.exports { calls as u64 } else { 0 };
        assert_eq!(arrived, expected, "{}: spans were lost", self.name);
        if !is_warm_up {
            self.cost.thread.push(thread as f64 / calls as f64);
            self.cost.process.push(process as f64 / calls as f64);
            self.cost.wall.push(wall.as_nanos() as f64 / calls as f64);
        }
    }
}
