//! Ids: of calls and producers (ULIDs of our own), of traces and spans (W3C Trace Context).

use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::hex;

/// A text that is no id of the kind asked for. Says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {expected}")]
pub struct InvalidId {
    expected: &'static str,
}

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ULID_CHARS: usize = 26;

fn write_ulid(id: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(encode_ulid(id, &mut [0; ULID_CHARS]))
}

fn encode_ulid(id: u128, buffer: &mut [u8; ULID_CHARS]) -> &str {
    *buffer = ulid_digits(id);
    std::str::from_utf8(buffer).unwrap_or_default()
}

fn ulid_digits(id: u128) -> [u8; ULID_CHARS] {
    let mut buffer = [0; ULID_CHARS];
    // Words are shifted faster than what takes two of them: twelve digits of five bits fill most of one.
    const DIGITS: usize = 12;
    let words = [id as u64, (id >> 60) as u64, (id >> 120) as u64];
    for (digits, mut rest) in buffer.rchunks_mut(DIGITS).zip(words) {
        for place in digits.iter_mut().rev() {
            *place = CROCKFORD.get(rest as usize & 31).copied().unwrap_or(b'0');
            rest >>= 5;
        }
    }
    buffer
}

fn parse_ulid(text: &str) -> Option<u128> {
    // 26 digits hold 130 bits: a first digit above 7 would overflow.
    if text.len() != ULID_CHARS || text.as_bytes().first().is_none_or(|first| *first > b'7') {
        return None;
    }
    text.bytes().try_fold(0u128, |id, byte| {
        let digit = CROCKFORD.iter().position(|symbol| *symbol == byte)?;
        Some(id << 5 | digit as u128)
    })
}

macro_rules! ulid {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        // Two words, not one number of 16 bytes: that is aligned to 16, and so would be all that holds one.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name {
            high: u64,
            low: u64,
        }

        impl $name {
            /// The id as a number; its first 48 bits are milliseconds since 1970.
            pub const fn as_u128(self) -> u128 {
                (self.high as u128) << 64 | self.low as u128
            }

            /// The 26 characters on the wire, written into `buffer`.
            pub fn encode(self, buffer: &mut [u8; 26]) -> &str {
                encode_ulid(self.as_u128(), buffer)
            }
        }

        impl From<u128> for $name {
            fn from(id: u128) -> Self {
                Self { high: (id >> 64) as u64, low: id as u64 }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_ulid(self.as_u128(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_ulid(self.as_u128(), f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse_ulid(text).map(Self::from).ok_or(InvalidId { expected: $what })
            }
        }
    };
}

ulid! {
    /// Our own id of a call: a ULID, strictly increasing in a process.
    CallId, "call id"
}
impl CallId {
    /// The characters on the wire, where nobody needs to know that they are text.
    pub(crate) fn digits(self) -> [u8; 26] {
        ulid_digits(self.as_u128())
    }
}

ulid! {
    /// The id of one process life: a ULID that scopes `veilspan.seq`.
    ProducerId, "producer id"
}

impl ProducerId {
    /// A new one, for a process that starts at `unix_nanos`.
    pub fn generate(unix_nanos: u64) -> Self {
        let millis = (unix_nanos / 1_000_000) & ((1 << 48) - 1);
        Self { high: (millis << 16) | (random() & 0xffff), low: random() }
    }
}

/// A random number of the operating system's. A generator of our own would be the same in each child of a `fork`. Where the
/// system gives none, the standard library's keys for hashing and the process' number stand in for it.
fn random() -> u64 {
    getrandom::u64().unwrap_or_else(|_| mixed(RandomState::new().hash_one(std::process::id())))
}

/// The process for which something random was drawn.
#[derive(Debug)]
struct DrawnIn(AtomicU32);

impl DrawnIn {
    fn this_process() -> Self {
        Self(AtomicU32::new(std::process::id()))
    }

    /// Whether it has to be drawn again: this process was forked off the one that did.
    fn has_gone(&self) -> bool {
        let process = std::process::id();
        self.0.swap(process, Ordering::Relaxed) != process
    }
}

/// Makes [`CallId`]s that increase strictly, whatever the clock does.
#[derive(Debug)]
pub struct CallIds {
    /// 48 bits of milliseconds and 16 bits of count: full counts run into the next millisecond.
    last: AtomicU64,
    random: AtomicU64,
    drawn_in: DrawnIn,
}

impl Default for CallIds {
    fn default() -> Self {
        Self { last: AtomicU64::new(0), random: AtomicU64::new(random()), drawn_in: DrawnIn::this_process() }
    }
}

impl CallIds {
    /// Those of this process: ids are strictly increasing in it, whoever asks for them.
    pub fn of_process() -> &'static Self {
        static OF_PROCESS: LazyLock<CallIds> = LazyLock::new(CallIds::default);
        &OF_PROCESS
    }

    /// The next id, for a call that opens at `unix_nanos`.
    pub fn next(&self, unix_nanos: u64) -> CallId {
        let now = (unix_nanos / 1_000_000) << 16;
        let next = |last: u64| Some(now.max(last.saturating_add(1)));
        let previous = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_else(|last| last);
        let high = now.max(previous.saturating_add(1));
        CallId { high, low: self.random.load(Ordering::Relaxed) }
    }

    /// Parts from a process that this one was forked off.
    fn part(&self) {
        if self.drawn_in.has_gone() {
            self.random.store(random(), Ordering::Relaxed);
        }
    }
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The id with these bytes, unless they are all zero, which the specification reserves.
            pub fn from_bytes(bytes: [u8; $bytes]) -> Option<Self> {
                (bytes != [0; $bytes]).then_some(Self(bytes))
            }

            /// The bytes on the wire.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = InvalidId;

            fn try_from(bytes: &[u8]) -> Result<Self, InvalidId> {
                let bytes = bytes.try_into().map_err(|_| InvalidId { expected: $what })?;
                Self::from_bytes(bytes).ok_or(InvalidId { expected: $what })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(hex::encode(&self.0, &mut [0; 2 * $bytes]))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                hex::decode(text).and_then(Self::from_bytes).ok_or(InvalidId { expected: $what })
            }
        }
    };
}

hex_id! {
    /// A trace id of W3C Trace Context: 16 bytes, not all zero.
    TraceId, 16, "trace id"
}
hex_id! {
    /// A span id of W3C Trace Context: 8 bytes, not all zero.
    SpanId, 8, "span id"
}

/// Where the numbers of ids come from: two random words for the life of the process, and a count, of which each thread takes
/// a block at a time. The child of a `fork` draws its own words when it makes a recorder.
///
/// A generator of the operating system's, or one that is filled from it once in a while, would make a system call now and
/// then. Ids have to differ, not to be secret: each number is another one's image under a function that has no two equal
/// images, so none comes twice before the count has come round.
struct Numbers {
    starts: [AtomicU64; 2],
    count: AtomicU64,
    drawn_in: DrawnIn,
}

static NUMBERS: LazyLock<Numbers> = LazyLock::new(|| Numbers {
    starts: [AtomicU64::new(random()), AtomicU64::new(random())],
    count: AtomicU64::new(0),
    drawn_in: DrawnIn::this_process(),
});

/// So many numbers a thread takes at once.
const BLOCK: u64 = 1 << 10;

thread_local! {
    /// The next of this thread's numbers; the first of a block is not taken yet.
    static NEXT_HERE: Cell<u64> = const { Cell::new(0) };
}

impl Numbers {
    fn next(&self) -> [u64; 2] {
        let here = NEXT_HERE.get();
        let count = if here.is_multiple_of(BLOCK) { self.count.fetch_add(BLOCK, Ordering::Relaxed) } else { here };
        NEXT_HERE.set(count.wrapping_add(1));
        let step = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.starts.each_ref().map(|start| mixed(start.load(Ordering::Relaxed).wrapping_add(step)))
    }

    fn part(&self) {
        if self.drawn_in.has_gone() {
            self.starts.iter().for_each(|start| start.store(random(), Ordering::Relaxed));
        }
    }
}

/// The last step of SplitMix64 (Steele, Lea and Flood, 2014).
const fn mixed(mut number: u64) -> u64 {
    number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// Asks the operating system for what random ids are made of, so that no call has to. In the child of a `fork`, asks again.
pub(crate) fn prepare_ids() {
    NUMBERS.part();
    CallIds::of_process().part();
}

impl TraceId {
    /// A new random one.
    pub fn random() -> Self {
        let [high, low] = NUMBERS.next();
        Self((u128::from(high) << 64 | u128::from(low.max(1))).to_be_bytes())
    }
}

impl SpanId {
    /// A new random one.
    pub fn random() -> Self {
        let [number, _] = NUMBERS.next();
        Self(number.max(1).to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_call_ids_in_one_millisecond_increase_strictly() {
        let ids = CallIds::default();
        let made: Vec<CallId> = (0..10_000).map(|_| ids.next(1_700_000_000_000_000_000)).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(made.windows(2).all(|pair| pair[0].to_string() < pair[1].to_string()));
    }

    #[test]
    fn random_ids_differ() {
        let spans: std::collections::HashSet<_> = (0..100_000).map(|_| SpanId::random()).collect();
        let traces: std::collections::HashSet<_> = (0..100_000).map(|_| TraceId::random()).collect();
        assert_eq!((spans.len(), traces.len()), (100_000, 100_000));
        let ones: u32 = traces.iter().map(|id| u128::from_be_bytes(*id.as_bytes()).count_ones()).sum();
        assert!((63..=65).contains(&(ones / 100_000)), "{ones}");
    }

    #[test]
    fn random_ids_of_several_threads_differ() {
        let made = |_| std::thread::spawn(|| (0..3 * BLOCK).map(|_| SpanId::random()).collect::<Vec<_>>());
        let threads: Vec<_> = (0..4).map(made).collect();
        let spans = threads.into_iter().flat_map(|thread| thread.join().unwrap());
        assert_eq!(spans.collect::<std::collections::HashSet<_>>().len(), 12 * BLOCK as usize);
    }

    #[test]
    fn call_ids_increase_when_the_clock_steps_back() {
        let ids = CallIds::default();
        let before = ids.next(2_000_000_000_000);
        assert!(ids.next(1_000_000_000_000) > before);
    }

    #[test]
    fn call_ids_sort_by_their_millisecond() {
        let ids = CallIds::default();
        let early = ids.next(1_700_000_000_000_000_000);
        let late = ids.next(1_700_000_000_001_000_000);
        assert_eq!(early.as_u128() >> 80, 1_700_000_000_000);
        assert_eq!(late.as_u128() >> 80, 1_700_000_000_001);
    }

    #[test]
    fn only_upper_case_ulids_without_overflow_are_read() {
        let id = CallIds::default().next(1_700_000_000_000_000_000);
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        let zs = "Z".repeat(26);
        for wrong in [text.to_lowercase().as_str(), text.get(1..).unwrap(), "not-a-ulid", zs.as_str(), ""] {
            assert!(wrong.parse::<CallId>().is_err(), "{wrong}");
        }
        assert_eq!("7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse(), Ok(CallId::from(u128::MAX)));
    }

    #[test]
    fn ids_of_all_zeros_and_upper_case_hex_are_refused() {
        assert!("00000000000000000000000000000000".parse::<TraceId>().is_err());
        assert!("0123456789ABCDEF".parse::<SpanId>().is_err());
        let id: SpanId = "0123456789abcdef".parse().unwrap();
        assert_eq!(id.to_string(), "0123456789abcdef");
    }
}
