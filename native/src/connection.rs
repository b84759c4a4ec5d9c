//! One connection: its single task accepts streams, reads datagrams, opens streams that waited for credit, and runs the
//! streams that quinn woke. Commands from JavaScript go past the task, straight into quinn.

use crate::events::{Events, Kind};
use crate::owner::{Half, Owner};
use crate::receive::ReceiveSide;
use crate::send::SendSide;
use crate::streams::Streams;
use bytes::Bytes;
use quinn::{ConnectionError, VarInt};
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;

/// Bytes quinn may hold per connection (sent, not acknowledged, or waiting for the congestion window) at first.
pub const FIRST_SEND_WINDOW: u64 = 128 * 1024;
const MAX_SEND_WINDOW: u64 = 32 * 1024 * 1024;

/// A stream that waits for the peer's stream credit.
pub struct Waiting {
    pub send: Arc<SendSide>,
    /// Present for a bidirectional stream.
    pub receive: Option<Arc<ReceiveSide>>,
}

#[derive(Default)]
pub struct Inbox {
    pub work: Vec<Arc<dyn Half>>,
    pub waiting_uni: VecDeque<Waiting>,
    pub waiting_bidi: VecDeque<Waiting>,
    pub waker: Option<Waker>,
    pub closed: bool,
}

pub struct Conn {
    pub handle: u64,
    pub streams: Arc<Streams>,
    high_water: usize,
    /// Taken out by the task when the connection has ended; so no waker inside quinn ever owns the last reference.
    quinn: Mutex<Option<quinn::Connection>>,
    pub inbox: Mutex<Inbox>,
    sends: Mutex<HashSet<u64>>,
    receives: Mutex<HashSet<u64>>,
    send_window: AtomicU64,
}

impl Conn {
    pub fn new(handle: u64, streams: Arc<Streams>, quinn: quinn::Connection, high_water: usize) -> Arc<Self> {
        Arc::new(Conn {
            handle,
            streams,
            high_water,
            quinn: Mutex::new(Some(quinn)),
            inbox: Mutex::default(),
            sends: Mutex::default(),
            receives: Mutex::default(),
            send_window: AtomicU64::new(FIRST_SEND_WINDOW),
        })
    }

    /// Runs `f` with quinn's handle, or answers None after the end.
    pub fn with_quinn<R>(&self, f: impl FnOnce(&quinn::Connection) -> R) -> Option<R> {
        let quinn = self.quinn.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        quinn.as_ref().map(f)
    }

    pub fn lock_inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A stream opened from this side; its quinn stream may come later. None after the end of the connection.
    pub fn open(self: &Arc<Self>, bidirectional: bool, priority: i32, head: Bytes) -> u64 {
        let handle = self.streams.handle();
        let send = SendSide::new(handle, self.clone(), priority, head);
        let receive = bidirectional.then(|| ReceiveSide::new(handle, self.clone(), None));
        self.add_send(&send);
        if let Some(receive) = &receive {
            self.add_receive(receive);
        }
        let mut inbox = self.lock_inbox();
        if inbox.closed {
            drop(inbox);
            self.lose_streams();
            return handle;
        }
        let waiting = if bidirectional { &mut inbox.waiting_bidi } else { &mut inbox.waiting_uni };
        if !waiting.is_empty() {
            waiting.push_back(Waiting { send, receive });
            return handle;
        }
        drop(inbox);
        if !self.try_open(&send, receive.as_ref()) {
            let mut inbox = self.lock_inbox();
            if inbox.closed {
                return handle;
            }
            let waiting = if bidirectional { &mut inbox.waiting_bidi } else { &mut inbox.waiting_uni };
            waiting.push_back(Waiting { send, receive });
            let waker = inbox.waker.take();
            drop(inbox);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
        handle
    }

    fn try_open(&self, send: &Arc<SendSide>, receive: Option<&Arc<ReceiveSide>>) -> bool {
        use std::future::Future;
        use std::task::{Context, Poll};
        let mut context = Context::from_waker(Waker::noop());
        self.with_quinn(|quinn| match receive {
            None => match std::pin::pin!(quinn.open_uni()).poll(&mut context) {
                Poll::Ready(Ok(stream)) => {
                    send.attach(stream);
                    true
                }
                // An ended connection tells all its streams.
                _ => false,
            },
            Some(receive) => match std::pin::pin!(quinn.open_bi()).poll(&mut context) {
                Poll::Ready(Ok((out, back))) => {
                    send.attach(out);
                    receive.attach(back);
                    true
                }
                _ => false,
            },
        })
        .unwrap_or(false)
    }

    pub fn add_send(&self, side: &Arc<SendSide>) {
        self.sends.lock().unwrap().insert(side.handle);
        self.streams.sends.insert(side.handle, side.clone());
    }

    pub fn add_receive(&self, side: &Arc<ReceiveSide>) {
        self.receives.lock().unwrap().insert(side.handle);
        self.streams.receives.insert(side.handle, side.clone());
    }

    /// Streams the peer may have open from now on; what is open already stays.
    pub fn allow_streams(&self, uni: VarInt, bidi: VarInt) {
        self.with_quinn(|quinn| {
            quinn.set_max_concurrent_uni_streams(uni);
            quinn.set_max_concurrent_bi_streams(bidi);
        });
    }

    pub fn close(&self, code: VarInt, reason: &[u8]) {
        self.with_quinn(|quinn| quinn.close(code, reason));
    }

    pub fn send_datagram(&self, bytes: Bytes) -> bool {
        self.with_quinn(|quinn| {
            // quinn would throw out the oldest ones to make room; the caller should rather know.
            quinn.datagram_send_buffer_space() >= bytes.len() && quinn.send_datagram(bytes).is_ok()
        })
        .unwrap_or(false)
    }

    fn lose_streams(&self) {
        let sends = std::mem::take(&mut *self.sends.lock().unwrap());
        let receives = std::mem::take(&mut *self.receives.lock().unwrap());
        for handle in sends {
            if let Some(side) = self.streams.sends.remove(handle) {
                side.lost();
            }
        }
        for handle in receives {
            if let Some(side) = self.streams.receives.remove(handle) {
                side.lost();
            }
        }
    }

    /// The end: streams are let go, JavaScript is told why. Idempotent.
    pub fn ended(&self, error: &ConnectionError) {
        let inbox = {
            let mut inbox = self.lock_inbox();
            if inbox.closed {
                return;
            }
            let left = std::mem::take(&mut *inbox);
            inbox.closed = true;
            left
        };
        drop(inbox);
        self.lose_streams();
        let quinn = self.quinn.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        drop(quinn);
        let (by, code, reason) = describe(error);
        let mut payload = vec![by];
        payload.extend_from_slice(&reason);
        self.streams.events.push(Kind::Closed, self.handle, code, &payload);
    }
}

impl Owner for Conn {
    fn events(&self) -> &Events {
        &self.streams.events
    }

    fn high_water(&self) -> usize {
        self.high_water
    }

    fn add_work(&self, half: Arc<dyn Half>) {
        let mut inbox = self.lock_inbox();
        if inbox.closed {
            return;
        }
        inbox.work.push(half);
        let waker = inbox.waker.take();
        drop(inbox);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn forget_send(&self, handle: u64) {
        self.sends.lock().unwrap().remove(&handle);
        self.streams.sends.remove(handle);
    }

    fn forget_receive(&self, handle: u64) {
        self.receives.lock().unwrap().remove(&handle);
        self.streams.receives.remove(handle);
    }

    /// Quinn's send buffer follows the congestion window: enough to keep the path full, little to wait behind.
    fn widen_send_window(&self) -> bool {
        self.with_quinn(|quinn| {
            let wanted = quinn.stats().path.cwnd.saturating_mul(2).clamp(FIRST_SEND_WINDOW, MAX_SEND_WINDOW);
            let now = self.send_window.load(Ordering::Relaxed);
            // In steps, as each one makes a caller try again.
            let grows = wanted > now + now / 4;
            if grows || wanted < now / 2 {
                self.send_window.store(wanted, Ordering::Relaxed);
                quinn.set_send_window(wanted);
            }
            grows
        })
        .unwrap_or(false)
    }
}

/// Who ended it (0 local, 1 peer, 2 transport), the application code, and the reason.
fn describe(error: &ConnectionError) -> (u8, u64, Vec<u8>) {
    match error {
        ConnectionError::LocallyClosed => (0, 0, Vec::new()),
        ConnectionError::ApplicationClosed(close) => (1, close.error_code.into_inner(), close.reason.to_vec()),
        ConnectionError::TimedOut => (2, 0, b"idle timeout: the peer is gone".to_vec()),
        other => (2, 0, other.to_string().into_bytes()),
    }
}
