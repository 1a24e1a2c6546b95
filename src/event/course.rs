//! From ticks of a counter to the kernel's time: what has been seen of both, and the line that is drawn through it.
//!
//! Whoever reads by the line reads on beyond the last look, so a line holds for a tenth of a second or so. The next one begins
//! where the last has come to, and makes up for what it was wrong by little by little; where there is none, the kernel's time
//! is read, though nothing before the end of the last one. So time read by them never steps back, unless it was wrong by
//! more than ten milliseconds. Nothing is calibrated by waiting: what is looked at anyhow is enough.

/// A line: so many nanoseconds at so many ticks, and how many come with each tick.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    pub(super) ticks: u64,
    pub(super) nanos: u64,
    /// Nanoseconds a tick, times 2^32. Zero where there is no line.
    pub(super) rate: u64,
}

/// Ticks for which a line holds: 54 ms at 5 GHz, 134 at 2.
const HOLDS: u64 = 1 << 28;

impl Line {
    /// The time at a tick; nothing before the line begins, and where it does not hold any more.
    #[inline]
    pub(super) const fn at(&self, ticks: u64) -> Option<u64> {
        let since = ticks.wrapping_sub(self.ticks);
        if since >= HOLDS || self.rate == 0 {
            return None;
        }
        Some(self.after(since))
    }

    /// The time where the line does not hold, by the kernel's: what was read by its end may be a little later, and nobody is
    /// to read anything earlier after that.
    pub(super) const fn beyond(&self, nanos: u64) -> u64 {
        let end = self.after(HOLDS - 1);
        if end > nanos && end - nanos <= TOO_WRONG { end } else { nanos }
    }

    /// What is left of it where it holds no longer, after this tick.
    const fn ended(&self, ticks: u64) -> Self {
        let nanos = match self.at(ticks) {
            Some(nanos) => nanos,
            None => self.after(HOLDS - 1),
        };
        Self { ticks, nanos, rate: 0 }
    }

    #[inline]
    const fn after(&self, ticks: u64) -> u64 {
        // Below 2^28 times 2^35.
        self.nanos.wrapping_add((ticks * self.rate) >> 32)
    }
}

/// What both said at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) ticks: u64,
    pub(super) nanos: u64,
}

/// What has been seen so far, and the line that is drawn.
#[derive(Debug, Default)]
pub(super) struct Course {
    seen: Option<Seen>,
    line: Line,
}

/// Looks between which the counter's speed is measured.
#[derive(Clone, Copy, Debug)]
struct Seen {
    first: Look,
    /// Takes the place of the first.
    middle: Look,
    last: Look,
}

/// Ticks between two looks, at the least: 2 ms at 4 GHz.
const BETWEEN: u64 = 1 << 23;
/// A speed is measured over so many nanoseconds, at the least; a look is exact to some ten.
const SHORTEST: u64 = 4_000_000;
/// Over twice as many at the most: the kernel changes its mind about how fast the counter goes.
const HALF: u64 = 500_000_000;
/// A speed that is another one by more than a part of so many is a new one, and no error of measuring.
const NEW_SPEED: u64 = 5_000;
/// Nanoseconds in which a line makes up for what the one before was wrong by. More than the longest that one holds at 1.5 GHz,
/// so that it never makes up for too much.
const TO_MAKE_UP: i64 = 200_000_000;
/// What is wrong by more was stopped meanwhile, or set.
const TOO_WRONG: u64 = 10_000_000;

impl Course {
    /// Whether it is time to look again.
    pub(super) fn is_due(&self, ticks: u64) -> bool {
        self.seen.is_none_or(|seen| ticks.wrapping_sub(seen.last.ticks) >= BETWEEN)
    }

    /// What there is to read by where the counter is not to be read any more.
    pub(super) const fn over(&self, ticks: u64) -> Line {
        self.line.ended(ticks)
    }

    /// The line to read by from this look on.
    pub(super) fn after(&mut self, look: Look) -> Line {
        self.line = self.next(look).unwrap_or_else(|| self.line.ended(look.ticks));
        self.line
    }

    /// Nothing where it has to be looked again first.
    fn next(&mut self, look: Look) -> Option<Line> {
        let begun = Seen { first: look, middle: look, last: look };
        let mut seen = self.seen.replace(begun)?;
        // Nobody has looked for long: much may have happened.
        if look.ticks.wrapping_sub(seen.last.ticks) >= HOLDS {
            return None;
        }
        let latest = rate(seen.last, look)?;
        let mut overall = rate(seen.first, look)?;
        if overall.abs_diff(latest) > overall / NEW_SPEED {
            (seen.first, seen.middle, overall) = (seen.last, seen.last, latest);
        }
        if look.nanos.saturating_sub(seen.middle.nanos) >= HALF {
            (seen.first, seen.middle) = (seen.middle, look);
        }
        seen.last = look;
        if look.nanos.saturating_sub(seen.first.nanos) < SHORTEST {
            self.seen = Some(seen);
            return self.line.at(look.ticks).map(|_| self.line);
        }
        let Some(told) = self.line.at(look.ticks) else {
            self.seen = Some(seen);
            let told = self.line.beyond(look.nanos);
            return Some(Line { ticks: look.ticks, nanos: told, rate: toward(look.nanos, told, overall) });
        };
        if told.abs_diff(look.nanos) > TOO_WRONG {
            return None;
        }
        self.seen = Some(seen);
        Some(Line { ticks: look.ticks, nanos: told, rate: toward(look.nanos, told, overall) })
    }
}

/// The rate that makes up for what is told wrongly: a twentieth more or less at the most, so that time goes on.
const fn toward(nanos: u64, told: u64, rate: u64) -> u64 {
    let behind = nanos.cast_signed().wrapping_sub(told.cast_signed());
    rate.saturating_add_signed(rate.cast_signed().saturating_mul(behind) / TO_MAKE_UP)
}

/// How fast the counter went between two looks; nothing where it did not go as a processor's does.
fn rate(from: Look, to: Look) -> Option<u64> {
    let (ticks, nanos) = (to.ticks.wrapping_sub(from.ticks), to.nanos.checked_sub(from.nanos)?);
    let rate = (u128::from(nanos) << 32).checked_div(u128::from(ticks))?;
    // Between a quarter of a gigahertz and thirty-two.
    u64::try_from(rate).ok().filter(|rate| (1 << 27..1 << 34).contains(rate))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Looks at a counter of 2.6 GHz, whose nanoseconds the kernel makes longer or shorter by so many millionths from one
    /// look to the next.
    struct World {
        ticks: u64,
        nanos: f64,
        line: Line,
        read: u64,
    }

    impl World {
        /// Time passes; whoever reads meanwhile reads nothing that is earlier than what was read before. Answers by how much the
        /// most wrong was wrong.
        fn pass(&mut self, millis: f64, millionths: i32) -> f64 {
            const STEPS: u32 = 16;
            let mut wrong = 0.0_f64;
            for _ in 0..STEPS {
                self.ticks = self.ticks.wrapping_add((millis * 2.6e6 / f64::from(STEPS)) as u64);
                self.nanos += millis * 1e6 / f64::from(STEPS) * (1.0 + f64::from(millionths) / 1e6);
                let read = self.line.at(self.ticks).unwrap_or_else(|| self.line.beyond(self.nanos as u64));
                assert!(read >= self.read, "it stepped back from {} to {read}", self.read);
                self.read = read;
                wrong = wrong.max((read as f64 - self.nanos).abs());
            }
            wrong
        }
    }

    fn world() -> World {
        World { ticks: u64::MAX - (1 << 33), nanos: 1e15, line: Line::default(), read: 0 }
    }

    proptest! {
        /// However often the kernel speeds its time up or slows it down by up to two percent: time goes on, also while the
        /// counter comes round, and where nobody has looked for so long that the kernel is asked.
        #[test]
        fn time_never_steps_back_and_stays_near_the_kernels(
            looks in prop::collection::vec(
                (prop_oneof![8 => 4.0f64..50.0, 1 => 50.0f64..300.0], -20_000i32..20_000, -100i32..100, 0u8..4),
                1..200,
            ),
        ) {
            let (mut course, mut world, mut speed) = (Course::default(), world(), 0);
            for (millis, new_speed, off, change) in looks {
                if change == 0 {
                    speed = new_speed;
                }
                let wrong = world.pass(millis, speed);
                prop_assert!(wrong < 1e7, "{wrong}");
                let look = Look { ticks: world.ticks, nanos: (world.nanos + f64::from(off)) as u64 };
                world.line = course.after(look);
            }
        }

        /// Where the kernel leaves its time alone, that is followed to a few microseconds, at once and for good.
        #[test]
        fn a_steady_clock_is_followed_closely(
            speed in -500i32..500,
            looks in prop::collection::vec((4.0f64..50.0, -60i32..60), 3..200),
        ) {
            let (mut course, mut world, mut is_read) = (Course::default(), world(), false);
            for (millis, off) in looks {
                let wrong = world.pass(millis, speed);
                prop_assert!(wrong < 5_000.0, "{wrong}");
                is_read |= world.read > 0;
                let look = Look { ticks: world.ticks, nanos: (world.nanos + f64::from(off)) as u64 };
                world.line = course.after(look);
            }
            prop_assert!(is_read);
        }
    }

    #[test]
    fn a_counter_that_went_on_or_began_anew_while_nobody_looked_is_not_read_by() {
        for jump in [HOLDS, 1 << 40, u64::MAX - (1 << 45), u64::MAX / 2] {
            let (mut course, mut world) = (Course::default(), world());
            for _ in 0..4 {
                world.pass(20.0, 0);
                world.line = course.after(Look { ticks: world.ticks, nanos: world.nanos as u64 });
            }
            assert!(world.line.at(world.ticks).is_some());
            world.ticks = world.ticks.wrapping_add(jump);
            assert!(world.line.at(world.ticks).is_none());
            world.line = course.after(Look { ticks: world.ticks, nanos: world.nanos as u64 });
            assert!(world.line.at(world.ticks).is_none());
        }
    }

    #[test]
    fn what_the_kernel_has_set_is_not_followed_but_asked_anew() {
        let (mut course, mut world) = (Course::default(), world());
        for _ in 0..4 {
            world.pass(20.0, 0);
            world.line = course.after(Look { ticks: world.ticks, nanos: world.nanos as u64 });
        }
        world.nanos += 1e9;
        world.pass(20.0, 0);
        world.line = course.after(Look { ticks: world.ticks, nanos: world.nanos as u64 });
        assert!(world.line.at(world.ticks).is_none());
    }
}
