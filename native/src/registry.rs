//! Everything alive, by the plain numbers JavaScript holds. A handle is never used twice.

use crate::connection::Conn;
use crate::endpoint::Server;
use crate::events::Events;
use crate::receive::ReceiveSide;
use crate::send::SendSide;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::runtime::Runtime;

/// Handles count up from 1, so they are their own hash.
#[derive(Default)]
pub struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        // hashbrown takes the top 7 bits for its tags.
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("handles are u64")
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

pub type Map<T> = HashMap<u64, Arc<T>, BuildHasherDefault<Identity>>;

/// A map of handles behind one short lock.
pub struct Table<T>(Mutex<Map<T>>);

impl<T> Table<T> {
    pub fn new() -> Self {
        Table(Mutex::new(Map::default()))
    }
    pub fn lock(&self) -> MutexGuard<'_, Map<T>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
    pub fn get(&self, handle: u64) -> Option<Arc<T>> {
        self.lock().get(&handle).cloned()
    }
    pub fn insert(&self, handle: u64, value: Arc<T>) {
        self.lock().insert(handle, value);
    }
    pub fn remove(&self, handle: u64) -> Option<Arc<T>> {
        self.lock().remove(&handle)
    }
    pub fn all(&self) -> Vec<Arc<T>> {
        self.lock().values().cloned().collect()
    }
    pub fn len(&self) -> usize {
        self.lock().len()
    }
}

pub struct Registry {
    pub events: Events,
    pub runtime: &'static Runtime,
    pub servers: Table<Server>,
    pub connections: Table<Conn>,
    pub sends: Table<SendSide>,
    pub receives: Table<ReceiveSide>,
    /// The one socket all outgoing connections share, made on first use.
    pub client: Mutex<Option<quinn::Endpoint>>,
    next: AtomicU64,
}

impl Registry {
    pub fn new(events: Events, runtime: &'static Runtime) -> Self {
        Registry {
            events,
            runtime,
            servers: Table::new(),
            connections: Table::new(),
            sends: Table::new(),
            receives: Table::new(),
            client: Mutex::new(None),
            next: AtomicU64::new(1),
        }
    }

    pub fn handle(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}
