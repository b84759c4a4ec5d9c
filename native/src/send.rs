//! The sending half of a stream: bytes go straight into quinn from the calling thread; what quinn refuses waits in a
//! short queue here, and the connection's task moves it on when quinn says so.

use crate::events::Kind;
use crate::owner::{Half, Owner};
use bytes::Bytes;
use quinn::{StoppedError, VarInt, WriteError};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};

type Stopped = Pin<Box<dyn Future<Output = Result<Option<VarInt>, StoppedError>> + Send + Sync>>;

pub struct SendSide {
    pub handle: u64,
    pub conn: Arc<dyn Owner>,
    /// In the connection's work list already.
    queued_for_work: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// None until the peer's stream credit allows it, and after the end.
    stream: Option<quinn::SendStream>,
    stopped: Option<Stopped>,
    queue: VecDeque<Bytes>,
    queued: usize,
    /// The queue is only the head of the stream, which waits for what is written first.
    corked: bool,
    /// quinn takes no more, and will say when.
    blocked: bool,
    priority: i32,
    finishing: bool,
    finished: bool,
    ended: bool,
    refused: bool,
}

enum Outcome {
    Open,
    /// Ended, and JavaScript is told with this.
    Ended(Kind, u64),
    /// Ended with the connection, which says so itself.
    Lost,
}

impl SendSide {
    /// `head`: the first bytes; they leave with what is written next.
    pub fn new(handle: u64, conn: Arc<dyn Owner>, priority: i32, head: Bytes) -> Arc<Self> {
        let mut state = State { priority, ..State::default() };
        if !head.is_empty() {
            state.corked = true;
            state.queued = head.len();
            state.queue.push_back(head);
        }
        Arc::new(SendSide { handle, conn, queued_for_work: AtomicBool::new(false), state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Gives the side its quinn stream. False: it was reset before it could be opened.
    pub fn attach(self: &Arc<Self>, stream: quinn::SendStream) -> bool {
        {
            let mut state = self.lock();
            if state.ended {
                drop(state);
                let mut stream = stream;
                let _ = stream.reset(VarInt::from_u32(0));
                return false;
            }
            if state.priority != 0 {
                let _ = stream.set_priority(state.priority);
            }
            state.stopped = Some(Box::pin(stream.stopped()));
            state.stream = Some(stream);
        }
        self.clone().work();
        true
    }

    pub fn is_ended(&self) -> bool {
        self.lock().ended
    }

    /// All of the bytes or none; see SendStream.write in src/transport/transport.ts.
    pub fn write(self: &Arc<Self>, bytes: Bytes) -> bool {
        let mut state = self.lock();
        if state.ended || state.finishing {
            return false;
        }
        if state.queued >= self.conn.high_water() {
            state.refused = true;
            return false;
        }
        if bytes.is_empty() {
            return true;
        }
        state.queued += bytes.len();
        state.queue.push_back(bytes);
        state.corked = false;
        if !state.blocked && state.stream.is_some() {
            let outcome = self.flush(&mut state);
            self.settle(state, outcome);
        }
        true
    }

    /// Whether `write` would take bytes; when not, a Writable event will follow.
    pub fn writable(&self) -> bool {
        let mut state = self.lock();
        state.refused = !state.ended && state.queued >= self.conn.high_water();
        !state.refused
    }

    pub fn queued(&self) -> usize {
        self.lock().queued
    }

    pub fn finish(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.ended || state.finishing {
            return;
        }
        state.finishing = true;
        state.corked = false;
        let outcome = self.flush(&mut state);
        self.settle(state, outcome);
    }

    pub fn reset(&self, code: VarInt) {
        let mut state = self.lock();
        if state.ended {
            return;
        }
        if let Some(stream) = state.stream.as_mut() {
            let _ = stream.reset(code);
        }
        self.end(state);
        self.conn.forget_send(self.handle);
    }

    pub fn set_priority(&self, priority: i32) {
        let mut state = self.lock();
        state.priority = priority;
        if let Some(stream) = state.stream.as_ref() {
            let _ = stream.set_priority(priority);
        }
    }

    pub fn priority(&self) -> i32 {
        self.lock().priority
    }

    /// The connection is gone.
    pub fn lost(&self) {
        let state = self.lock();
        self.end(state);
    }

    fn flush(self: &Arc<Self>, state: &mut State) -> Outcome {
        let State { stream, queue, queued, corked, blocked, .. } = state;
        let Some(stream) = stream.as_mut() else { return Outcome::Open };
        if *corked {
            return Outcome::Open;
        }
        while !queue.is_empty() {
            let waker = Waker::from(self.clone());
            let mut context = Context::from_waker(&waker);
            let written = {
                let write = stream.write_chunks(queue.make_contiguous());
                std::pin::pin!(write).poll(&mut context)
            };
            match written {
                Poll::Pending if self.conn.widen_send_window() => continue,
                Poll::Pending => {
                    *blocked = true;
                    return Outcome::Open;
                }
                Poll::Ready(Ok(written)) => {
                    *queued -= written.bytes;
                    queue.drain(..written.chunks);
                }
                Poll::Ready(Err(WriteError::Stopped(code))) => {
                    return Outcome::Ended(Kind::Stopped, code.into_inner());
                }
                Poll::Ready(Err(_)) => return Outcome::Lost,
            }
        }
        if state.finishing && !state.finished {
            state.finished = true;
            if let Some(stream) = state.stream.as_mut() {
                let _ = stream.finish();
            }
        }
        Outcome::Open
    }

    fn settle(&self, mut state: MutexGuard<'_, State>, outcome: Outcome) {
        match outcome {
            Outcome::Open => {
                if state.refused && state.queued <= self.conn.high_water() / 2 {
                    state.refused = false;
                    drop(state);
                    self.conn.events().push(Kind::Writable, self.handle, 0, &[]);
                }
            }
            Outcome::Ended(kind, code) => {
                self.end(state);
                self.conn.forget_send(self.handle);
                self.conn.events().push(kind, self.handle, code, &[]);
            }
            Outcome::Lost => {
                self.end(state);
                self.conn.forget_send(self.handle);
            }
        }
    }

    fn end(&self, mut state: MutexGuard<'_, State>) {
        state.ended = true;
        state.queued = 0;
        let queue = std::mem::take(&mut state.queue);
        // Dropped outside of the lock: both take quinn's own.
        let stream = state.stream.take();
        let stopped = state.stopped.take();
        drop(state);
        drop((queue, stopped, stream));
    }
}

impl Half for SendSide {
    fn send_priority(&self) -> Option<i32> {
        Some(self.priority())
    }

    fn work(self: Arc<Self>) {
        self.queued_for_work.store(false, Ordering::Release);
        let mut state = self.lock();
        if state.ended || state.stream.is_none() {
            return;
        }
        state.blocked = false;
        let mut outcome = self.flush(&mut state);
        if let (Outcome::Open, Some(stopped)) = (&outcome, state.stopped.as_mut()) {
            let waker = Waker::from(self.clone());
            outcome = match stopped.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Pending => Outcome::Open,
                Poll::Ready(Ok(Some(code))) => Outcome::Ended(Kind::Stopped, code.into_inner()),
                Poll::Ready(Ok(None)) => Outcome::Ended(Kind::SendDone, 0),
                Poll::Ready(Err(_)) => Outcome::Lost,
            };
        }
        self.settle(state, outcome);
    }
}

/// Called by quinn with its lock held: only notes the work.
impl Wake for SendSide {
    fn wake(self: Arc<Self>) {
        if !self.queued_for_work.swap(true, Ordering::AcqRel) {
            let conn = self.conn.clone();
            conn.add_work(self);
        }
    }
}
