//! Events on their way to JavaScript: packed records in one buffer, one threadsafe call per drained batch.
//!
//! Record, little-endian: kind u8, 3 bytes zero, payload length u32, a f64, b f64, payload.

use napi::bindgen_prelude::Unknown;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::Status;
use std::sync::Mutex;

/// What happened. The numbers are shared with src/transport/quic/event-reader.ts.
#[derive(Clone, Copy)]
#[repr(u8)]
pub enum Kind {
    /// a: endpoint, b: connection, payload: ALPN NUL address
    Accepted = 1,
    /// a: connection, payload: ALPN NUL address
    Connected = 2,
    /// a: connection, b: 1 no answer in time, 2 refused, 3 no common protocol, 4 TLS, 5 other, payload: words
    ConnectFailed = 3,
    /// a: connection, b: code, payload: one byte (0 local, 1 peer, 2 transport), then the reason
    Closed = 4,
    /// a: connection, b: stream
    Uni = 5,
    /// a: connection, b: stream
    Bidi = 6,
    /// a: stream, payload: bytes
    Data = 7,
    /// a: stream
    Fin = 8,
    /// a: stream, b: code
    Reset = 9,
    /// a: stream
    Writable = 10,
    /// a: stream, b: code
    Stopped = 11,
    /// a: stream; everything was acknowledged
    SendDone = 12,
    /// a: connection, payload: bytes
    Datagram = 13,
    /// a: endpoint
    EndpointClosed = 14,
}

const HEADER: usize = 24;

/// Bytes that wait for JavaScript before datagrams are dropped. Stream data is bounded by credit.
const MAX_BACKLOG: usize = 4 * 1024 * 1024;

type Wakeup = ThreadsafeFunction<(), Unknown<'static>, (), Status, false, true>;

struct Batch {
    bytes: Vec<u8>,
    announced: bool,
}

pub struct Events {
    batch: Mutex<Batch>,
    wakeup: Wakeup,
}

impl Events {
    pub fn new(wakeup: Wakeup) -> Self {
        Events { batch: Mutex::new(Batch { bytes: Vec::new(), announced: false }), wakeup }
    }

    pub fn push(&self, kind: Kind, a: u64, b: u64, payload: &[u8]) {
        self.record(kind, a, b, |bytes| bytes.extend_from_slice(payload));
    }

    /// For what may be lost: nothing when JavaScript is far behind.
    pub fn offer(&self, kind: Kind, a: u64, b: u64, payload: &[u8]) {
        let behind = self.batch.lock().unwrap().bytes.len();
        if behind < MAX_BACKLOG {
            self.push(kind, a, b, payload);
        }
    }

    /// `write` appends the payload to the batch itself; it must do nothing else.
    pub fn record<R>(&self, kind: Kind, a: u64, b: u64, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let mut batch = self.batch.lock().unwrap();
        let start = batch.bytes.len();
        let bytes = &mut batch.bytes;
        bytes.extend_from_slice(&[kind as u8, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend_from_slice(&(a as f64).to_le_bytes());
        bytes.extend_from_slice(&(b as f64).to_le_bytes());
        let result = write(bytes);
        let length = (bytes.len() - start - HEADER) as u32;
        bytes[start + 4..start + 8].copy_from_slice(&length.to_le_bytes());
        let announce = !std::mem::replace(&mut batch.announced, true);
        drop(batch);
        if announce {
            self.wakeup.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
        result
    }

    /// Everything since the last call.
    pub fn take(&self) -> Vec<u8> {
        let mut batch = self.batch.lock().unwrap();
        batch.announced = false;
        let capacity = batch.bytes.len().min(64 * 1024);
        std::mem::replace(&mut batch.bytes, Vec::with_capacity(capacity))
    }
}
