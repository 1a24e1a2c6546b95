//! What is written to a connection in small pieces leaves in large ones.
//!
//! HTTP/2 sends a message in frames of 16 KiB unless the peer says otherwise, which few do, and h2 writes each by itself: a
//! request of a megabyte is sixty system calls, and as many packets on a loopback. A copy costs a small part of one of them.
//!
//! h2 also asks for a flush behind each frame, so a flush is no sign that nothing more comes. It is taken as a wish to have
//! the connection's task run once more: each run begins with a read, and before that everything leaves. What is short waits
//! for one run more: a request's head is written in one and its body, which another task brings, in the next. A connection
//! that has sent long messages keeps as much memory as is gathered at the most.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tonic::codegen::{BoxFuture, Service};

/// So much is gathered at the most.
const MOST: usize = 128 << 10;
/// What is shorter may be a head whose body is about to come.
const SHORT: usize = 4 << 10;

/// Makes connections whose writes are gathered.
#[derive(Clone, Debug)]
pub(in crate::otlp) struct Gathering(HttpConnector);

impl Gathering {
    pub(super) const fn new(tcp: HttpConnector) -> Self {
        Self(tcp)
    }
}

impl Service<Uri> for Gathering {
    type Response = TokioIo<Gathered<TcpStream>>;
    type Error = <HttpConnector as Service<Uri>>::Error;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, peer: Uri) -> Self::Future {
        let connecting = self.0.call(peer);
        Box::pin(async move { Ok(TokioIo::new(Gathered::new(connecting.await?.into_inner()))) })
    }
}

/// A connection whose writes are gathered. Its reader has to be its writer: without another read nothing leaves.
#[derive(Debug)]
pub(in crate::otlp) struct Gathered<T> {
    io: T,
    waiting: Vec<u8>,
    /// So many bytes of these have left.
    left: usize,
    /// Its task runs again by itself: it was asked to, or the connection will wake it when it can be written.
    is_awaited: bool,
    /// What waits has waited for a run although it could have left.
    is_late: bool,
}

impl<T> Gathered<T> {
    const fn new(io: T) -> Self {
        Self { io, waiting: Vec::new(), left: 0, is_awaited: false, is_late: false }
    }
}

impl<T: AsyncWrite + Unpin> Gathered<T> {
    /// Writes everything that waits.
    fn let_go(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.waiting.get(self.left..).filter(|rest| !rest.is_empty()) {
            // From here on the connection wakes the task, where it is not done by then.
            self.is_awaited = true;
            match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.left += written,
            }
        }
        self.waiting.clear();
        (self.left, self.is_awaited, self.is_late) = (0, false, false);
        Poll::Ready(Ok(()))
    }

    /// The same, unless it is to wait for one run more, which is asked for.
    fn let_go_or_wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let may_wait = !self.is_late && (1..SHORT).contains(&self.waiting.len());
        if !may_wait {
            return self.let_go(cx);
        }
        (self.is_late, self.is_awaited) = (true, true);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Makes room for so many bytes more, as far as there may be room.
    fn make_room(&mut self, cx: &mut Context<'_>, length: usize) -> Poll<io::Result<()>> {
        if self.waiting.len() + length > MOST { self.let_go(cx) } else { Poll::Ready(Ok(())) }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Gathered<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.make_room(cx, bytes.len()))?;
        let taken = bytes.get(..bytes.len().min(MOST)).unwrap_or_default();
        self.waiting.extend_from_slice(taken);
        Poll::Ready(Ok(taken.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.make_room(cx, pieces.iter().map(|piece| piece.len()).sum()))?;
        let mut taken = 0;
        for piece in pieces {
            let room = MOST.saturating_sub(self.waiting.len());
            let piece = piece.get(..piece.len().min(room)).unwrap_or_default();
            self.waiting.extend_from_slice(piece);
            taken += piece.len();
        }
        Poll::Ready(Ok(taken))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.waiting.is_empty() && !self.is_awaited {
            self.is_awaited = true;
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.let_go(cx))?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Gathered<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Where it cannot be written now it may well be read: a peer that is busy answering reads nothing.
        if let Poll::Ready(Err(error)) = self.let_go_or_wait(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::task::{Wake, Waker};

    use super::*;

    /// Takes so many bytes at a time while it is open, and has nothing to say.
    #[derive(Clone, Debug, Default)]
    struct Wire(Arc<Mutex<State>>);

    #[derive(Debug, Default)]
    struct State {
        room: usize,
        writes: Vec<usize>,
        taken: Vec<u8>,
        is_shut: bool,
    }

    impl AsyncWrite for Wire {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let mut state = self.0.lock().unwrap();
            let taken = bytes.len().min(state.room);
            if taken == 0 {
                return Poll::Pending;
            }
            state.room -= taken;
            state.writes.push(taken);
            state.taken.extend_from_slice(&bytes[..taken]);
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.0.lock().unwrap().is_shut = true;
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncRead for Wire {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// A connection, its wire, and how often its task was woken.
    struct Scene {
        wire: Wire,
        gathered: Gathered<Wire>,
        wakes: Arc<Wakes>,
        waker: Waker,
    }

    impl Scene {
        fn with_room(room: usize) -> Self {
            let wire = Wire::default();
            wire.0.lock().unwrap().room = room;
            let wakes = Arc::new(Wakes::default());
            Self { gathered: Gathered::new(wire.clone()), wire, waker: Waker::from(Arc::clone(&wakes)), wakes }
        }

        /// One frame, as h2 writes it.
        fn frame(&mut self, head: &[u8], payload: &[u8]) -> Poll<usize> {
            let cx = &mut Context::from_waker(&self.waker);
            let pieces = [IoSlice::new(head), IoSlice::new(payload)];
            let written = Pin::new(&mut self.gathered).poll_write_vectored(cx, &pieces).map(Result::unwrap);
            assert!(Pin::new(&mut self.gathered).poll_flush(cx).is_ready());
            written
        }

        fn read(&mut self) {
            let cx = &mut Context::from_waker(&self.waker);
            assert!(Pin::new(&mut self.gathered).poll_read(cx, &mut ReadBuf::new(&mut [0; 8])).is_pending());
        }

        fn writes(&self) -> Vec<usize> {
            self.wire.0.lock().unwrap().writes.clone()
        }

        fn wakes(&self) -> usize {
            self.wakes.0.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn frames_leave_together_before_the_next_read_and_the_task_is_woken_once_for_it() {
        let mut scene = Scene::with_room(usize::MAX);
        let frames: Vec<Vec<u8>> = (0..5).map(|n| vec![n; 16_384]).collect();
        for frame in &frames {
            assert_eq!(scene.frame(b"123456789", frame), Poll::Ready(16_393));
        }
        assert_eq!((scene.writes(), scene.wakes()), (vec![], 1));
        scene.read();
        assert_eq!(scene.writes(), [5 * 16_393]);
        let expected: Vec<u8> = frames.iter().flat_map(|frame| [&b"123456789"[..], frame].concat()).collect();
        assert!(scene.wire.0.lock().unwrap().taken == expected);
        scene.read();
        assert_eq!((scene.writes().len(), scene.wakes()), (1, 1), "nothing is left");
        assert_eq!(scene.frame(b"", b"more"), Poll::Ready(4));
        assert_eq!(scene.wakes(), 2);
    }

    #[test]
    fn a_head_waits_for_its_body_and_for_no_more_than_one_run() {
        let mut scene = Scene::with_room(usize::MAX);
        for (run, body) in [(1, 16_384), (2, 10)] {
            assert_eq!(scene.frame(b"123456789", b"head"), Poll::Ready(13));
            scene.read();
            assert_eq!((scene.writes().len(), scene.wakes()), (run - 1, 2 * run), "it was asked to run once more");
            assert_eq!(scene.frame(b"123456789", &vec![7; body]), Poll::Ready(9 + body));
            assert_eq!(scene.wakes(), 2 * run, "it will");
            scene.read();
            assert_eq!(scene.writes().last(), Some(&(13 + 9 + body)));
        }
        // Nothing comes behind it.
        assert_eq!(scene.frame(b"123456789", b"alone"), Poll::Ready(14));
        scene.read();
        scene.read();
        assert_eq!((scene.writes().last(), scene.wakes()), (Some(&14), 6));
        scene.read();
        assert_eq!(scene.wakes(), 6, "nothing is left");
    }

    #[test]
    fn no_more_is_gathered_than_may_be() {
        let mut scene = Scene::with_room(usize::MAX);
        for _ in 0..20 {
            assert_eq!(scene.frame(&[], &[7; 16_384]), Poll::Ready(16_384));
        }
        assert_eq!(scene.writes(), [MOST, MOST]);
        assert_eq!(scene.frame(&[1; 10], &[7; 2 * MOST]), Poll::Ready(MOST), "as much as there is room for");
        assert_eq!(scene.writes(), [MOST, MOST, 4 * 16_384]);
    }

    #[test]
    fn a_connection_that_takes_no_more_is_waited_for_and_nobody_turns_in_circles() {
        let mut scene = Scene::with_room(10);
        assert_eq!(scene.frame(&[], &[7; SHORT]), Poll::Ready(SHORT));
        scene.read();
        assert_eq!((scene.writes(), scene.wakes()), (vec![10], 1));
        // It is the connection that wakes the task now.
        assert_eq!(scene.frame(&[], &[8; 100]), Poll::Ready(100));
        scene.read();
        assert_eq!(scene.wakes(), 1);
        assert_eq!(scene.frame(&[], &[9; MOST]), Poll::Pending);
        scene.wire.0.lock().unwrap().room = usize::MAX;
        assert_eq!(scene.frame(&[], &[9; MOST]), Poll::Ready(MOST));
        scene.read();
        assert_eq!(scene.writes(), [10, SHORT + 90, MOST]);
    }

    #[test]
    fn what_waits_leaves_before_the_connection_is_shut() {
        let mut scene = Scene::with_room(usize::MAX);
        assert_eq!(scene.frame(b"go", b"away"), Poll::Ready(6));
        let cx = &mut Context::from_waker(&scene.waker);
        assert!(Pin::new(&mut scene.gathered).poll_shutdown(cx).is_ready());
        let state = scene.wire.0.lock().unwrap();
        assert!(state.is_shut && state.taken == b"goaway");
    }
}
