//! A listening socket.

use crate::limits::Limits;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

pub struct Server {
    pub handle: u64,
    pub endpoint: quinn::Endpoint,
    pub limits: Limits,
    pub max_connections: usize,
    pub retry_above: usize,
    pub handshake_timeout: Duration,
    pub open: AtomicUsize,
    pub handshaking: AtomicUsize,
    pub refused: AtomicU64,
    pub failed: AtomicU64,
    pub retried: AtomicU64,
}
