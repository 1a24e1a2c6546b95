//! Delegated tool calls: made by a peer at the other end of a connection, who answers later.

use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use super::tool::{ToolBuilder, ToolCall};
use crate::event::{CallId, CallIds, ProducerId};
use crate::semconv::CONNECTION_ID;

/// A connection to a peer that makes tool calls. It has a random id (`veilspan.connection.id`), never an address.
///
/// What is delegated over it can be resolved over it alone, and is `disconnected` when it closes: explicitly, or by being
/// dropped. All that holds without a recorder too, so that a host can rely on it.
pub struct Connection {
    id: ProducerId,
}

/// Why a result was refused. What waits for a result goes on waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing waits under this id: it was resolved before, or its connection has closed.
    #[error("no call waits under this id")]
    Unknown,
    /// The call was delegated over another connection. Counted as `foreign_connection`.
    #[error("the call was delegated over another connection")]
    ForeignConnection,
    /// The call is of another tool. Counted as `tool_mismatch`.
    #[error("the call is of another tool")]
    ToolMismatch,
}

/// A call that waits for its peer.
struct Pending {
    connection: ProducerId,
    tool: String,
    call: ToolCall,
}

/// The most calls that wait for a peer. One over it is not waited for: it is told as `abandoned`, and its result is refused
/// as of an unknown call.
const MAX_PENDING: usize = 1 << 18;

/// All of the process: only so can a result over a foreign connection be told from one that nothing waits for.
static PENDING: LazyLock<Mutex<HashMap<CallId, Pending>>> = LazyLock::new(Mutex::default);

fn pending() -> MutexGuard<'static, HashMap<CallId, Pending>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connection {
    /// A new connection.
    pub fn new() -> Self {
        Self { id: ProducerId::generate(0) }
    }

    /// Starts a call that the peer is to make, and gives it an id that no other call has. The provider's own id repeats, and
    /// stays a mere attribute ([`ToolBuilder::call_id`]): give both to the peer.
    pub fn delegate(&self, call: ToolBuilder, tool: &str) -> CallId {
        let call = call.text(CONNECTION_ID, self.id.encode(&mut [0; 26])).start();
        let id = CallIds::of_process().next(0);
        let mut all = pending();
        if all.len() < MAX_PENDING {
            all.insert(id, Pending { connection: self.id, tool: tool.to_owned(), call });
        }
        id
    }

    /// The peer has answered: gives the call back, for its result to be told and the call to be finished.
    ///
    /// # Errors
    ///
    /// [`Refusal`]. What waits is looked at before it is taken, so that a wrong answer uses up nothing.
    pub fn resolve(&self, id: CallId, tool: &str) -> Result<ToolCall, Refusal> {
        let mut all = pending();
        let waiting = all.get(&id).ok_or(Refusal::Unknown)?;
        let refusal = match waiting {
            waiting if waiting.connection != self.id => Refusal::ForeignConnection,
            waiting if waiting.tool != tool => Refusal::ToolMismatch,
            _ => return all.remove(&id).map(|waiting| waiting.call).ok_or(Refusal::Unknown),
        };
        if let Some(origin) = waiting.call.lent() {
            origin.desk.count_refused_result(refusal == Refusal::ForeignConnection);
        }
        Err(refusal)
    }

    /// The connection has closed: what waits for its peer is `disconnected`.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut all = pending();
        let gone: Vec<_> = all.extract_if(|_, waiting| waiting.connection == self.id).collect();
        drop(all);
        gone.into_iter().for_each(|(_, waiting)| waiting.call.disconnect());
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("id", &self.id).finish()
    }
}
