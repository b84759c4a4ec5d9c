//! The receiving half of a stream. Nothing is read from quinn beyond the credit JavaScript gave, so that a reader who
//! stops reading closes QUIC's flow control window and stalls the sender.

use crate::events::Kind;
use crate::owner::{Half, Owner};
use quinn::{ReadError, VarInt};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};

pub struct ReceiveSide {
    pub handle: u64,
    pub conn: Arc<dyn Owner>,
    queued_for_work: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stream: Option<quinn::RecvStream>,
    /// Bytes that may still be handed to JavaScript.
    credit: usize,
    /// Stopped before the stream was open.
    stop: Option<VarInt>,
    ended: bool,
}

/// A chunk taken at once; small enough that one stream cannot keep the task to itself.
const MAX_BURST: usize = 256 * 1024;

impl ReceiveSide {
    pub fn new(handle: u64, conn: Arc<dyn Owner>, stream: Option<quinn::RecvStream>) -> Arc<Self> {
        Arc::new(ReceiveSide {
            handle,
            conn,
            queued_for_work: AtomicBool::new(false),
            state: Mutex::new(State { stream, ..State::default() }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub fn attach(self: &Arc<Self>, mut stream: quinn::RecvStream) {
        {
            let mut state = self.lock();
            if state.ended {
                let _ = stream.stop(state.stop.unwrap_or(VarInt::from_u32(0)));
                return;
            }
            state.stream = Some(stream);
        }
        self.clone().work();
    }

    /// JavaScript has room for `bytes` more.
    pub fn give_credit(self: &Arc<Self>, bytes: usize) {
        let mut state = self.lock();
        if state.ended {
            return;
        }
        state.credit = state.credit.saturating_add(bytes);
        drop(state);
        self.wake_by_ref();
    }

    pub fn stop(&self, code: VarInt) {
        let mut state = self.lock();
        if state.ended {
            return;
        }
        state.stop = Some(code);
        if let Some(stream) = state.stream.as_mut() {
            let _ = stream.stop(code);
        }
        self.end(state);
        self.conn.forget_receive(self.handle);
    }

    pub fn lost(&self) {
        let state = self.lock();
        self.end(state);
    }

    fn end(&self, mut state: MutexGuard<'_, State>) {
        state.ended = true;
        let stream = state.stream.take();
        drop(state);
        drop(stream);
    }
}

impl Half for ReceiveSide {
    fn send_priority(&self) -> Option<i32> {
        None
    }

    /// Reads as far as credit and data go.
    fn work(self: Arc<Self>) {
        self.queued_for_work.store(false, Ordering::Release);
        let mut state = self.lock();
        let State { stream: Some(stream), credit, .. } = &mut *state else { return };
        if *credit == 0 {
            return;
        }
        let waker = Waker::from(self.clone());
        let mut context = Context::from_waker(&waker);
        let mut burst: Vec<bytes::Bytes> = Vec::new();
        let mut taken = 0;
        let end = loop {
            if *credit == 0 {
                break None;
            }
            if taken >= MAX_BURST {
                self.wake_by_ref();
                break None;
            }
            let read = pin!(stream.read_chunk(*credit, true)).poll(&mut context);
            match read {
                Poll::Pending => break None,
                Poll::Ready(Ok(Some(chunk))) => {
                    *credit -= chunk.bytes.len();
                    taken += chunk.bytes.len();
                    burst.push(chunk.bytes);
                }
                Poll::Ready(Ok(None)) => break Some((Kind::Fin, 0)),
                Poll::Ready(Err(ReadError::Reset(code))) => break Some((Kind::Reset, code.into_inner())),
                // The connection's end says the rest.
                Poll::Ready(Err(_)) => break None,
            }
        };
        let events = &self.conn.events();
        if taken > 0 {
            events.record(Kind::Data, self.handle, 0, |out| {
                out.reserve(taken);
                for chunk in &burst {
                    out.extend_from_slice(chunk);
                }
            });
        }
        if let Some((kind, code)) = end {
            self.end(state);
            self.conn.forget_receive(self.handle);
            events.push(kind, self.handle, code, &[]);
        }
    }
}

impl Wake for ReceiveSide {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued_for_work.swap(true, Ordering::AcqRel) {
            self.conn.add_work(self.clone());
        }
    }
}
