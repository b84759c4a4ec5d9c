//! Maps by the plain numbers that JavaScript holds.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

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
