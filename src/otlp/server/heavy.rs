//! Work that would keep a thread of the runtime from everybody else.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Work on more bytes than this takes longer than others should wait: a few milliseconds. Below it, finding a thread for what
/// waits, and coming back, costs more than it is worth.
const LONG: usize = 1 << 20;

/// Does work on so many bytes; where it is long, and there are other threads, these take over what waits on this one.
pub(crate) fn heavy<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let has_others = || Handle::try_current().is_ok_and(|it| it.runtime_flavor() == RuntimeFlavor::MultiThread);
    if bytes > LONG && has_others() { tokio::task::block_in_place(work) } else { work() }
}
