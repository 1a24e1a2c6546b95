//! `veilspan.v1.RolloutService`: what the stage knows of agent runs, for programs that ask.
//!
//! ```text
//! gRPC ─▶ credential ─▶ gate ─▶ RolloutService ─┬─ live: the facts that reduction holds
//!                                               └─ recorded: a folder of OTLP JSON lines, read anew under the policy
//! ```
//!
//! Promises that what it shows has passed the policy, that an answer, the work for it and the time it takes are bounded, that a
//! question never keeps spans waiting (facts are copied and looked at elsewhere), and that no error holds a value. Two
//! questions are worked on at a time; one more is asked to come again. Whoever has the credential sees all tenants.

mod answer;
mod ask;
mod door;
mod live;
mod recorded;
mod restore;
mod schema;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Semaphore;
use tonic::{Code, Status};

use super::forward::Forward;
use super::recordings::Folder;
use crate::otlp::refusal;
use crate::reduce::proto::to_proto;

use ask::{Ask, Method};

pub(super) use door::RolloutDoor;

/// The questions that are worked on at a time.
const AT_ONCE: usize = 2;
/// How long one may take.
const LONGEST: Duration = Duration::from_secs(30);
/// The most bytes of an answer.
const MOST_BYTES: usize = 16 << 20;

/// Answers questions about rollouts.
pub(super) struct Rollouts {
    pipelines: Vec<Arc<Forward>>,
    recordings: Option<Folder>,
    room: Arc<Semaphore>,
}

impl Rollouts {
    pub(super) fn new(pipelines: Vec<Arc<Forward>>, recordings: Option<Folder>) -> Self {
        Self { pipelines, recordings, room: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    async fn answer(
        self: &Arc<Self>,
        method: Method,
        message: Bytes,
        timeout: Option<Duration>,
    ) -> Result<Bytes, Status> {
        let ask = Ask::read(method, &message)?;
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            let again = Some(Duration::from_secs(1));
            return Err(refusal(Code::ResourceExhausted, "other questions are being answered", again));
        };
        let timeout = timeout.unwrap_or(LONGEST).min(LONGEST);
        let deadline = Instant::now() + timeout;
        let this = Arc::clone(self);
        // Looking takes long; and who gives up waiting does not make room before it has ended.
        let work = tokio::task::spawn_blocking(move || {
            let answer = this.work(method, &ask, deadline);
            drop(room);
            answer
        });
        match tokio::time::timeout(timeout, work).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Status::internal("the answer could not be made")),
            Err(_) => Err(Status::deadline_exceeded("the answer takes too long")),
        }
    }

    fn work(&self, method: Method, ask: &Ask, deadline: Instant) -> Result<Bytes, Status> {
        let answer = match method {
            Method::List => self.list(ask, deadline),
            Method::Get => self.get(ask, deadline),
            Method::Restore => self.restore(ask, deadline),
            Method::Diff => self.diff(ask, deadline),
        }?;
        let message = to_proto(method.answer(), &answer);
        if message.len() > MOST_BYTES {
            return Err(Status::resource_exhausted("the answer is longer than 16 MiB; read a recording of it instead"));
        }
        Ok(Bytes::from(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollouts(recordings: Option<Folder>) -> Arc<Rollouts> {
        Arc::new(Rollouts::new(Vec::new(), recordings))
    }

    #[tokio::test]
    async fn two_questions_are_worked_on_at_a_time_and_one_more_is_asked_to_come_again() {
        let rollouts = rollouts(None);
        let ask = || rollouts.answer(Method::List, Bytes::new(), None);
        let room = || Arc::clone(&rollouts.room).try_acquire_owned().unwrap();
        let one = room();
        assert!(ask().await.is_ok());
        let other = room();
        let refused = ask().await.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(!refused.details().is_empty(), "it says when to come again");
        drop(one);
        assert!(ask().await.is_ok());
        drop(other);
    }

    #[tokio::test]
    async fn what_takes_longer_than_the_caller_waits_ends_by_then_and_makes_room() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{}\n").unwrap();
        let rollouts = rollouts(Some(Folder::at(file.path())));
        let recorded = [0x1a, 8].into_iter().chain(*b"recorded").collect::<Vec<u8>>();
        let ask = |timeout| rollouts.answer(Method::List, Bytes::from(recorded.clone()), timeout);
        assert!(ask(None).await.is_ok());
        let late = ask(Some(Duration::ZERO)).await.unwrap_err();
        assert_eq!(late.code(), Code::DeadlineExceeded);
        // Who gives up waiting does not make room before the work has ended, and that ends too.
        let _all = Arc::clone(&rollouts.room).acquire_many_owned(AT_ONCE as u32).await.unwrap();
    }
}
