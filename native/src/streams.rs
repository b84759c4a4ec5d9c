//! The streams alive, what they tell, and the numbers of everything. A handle is never used twice.

use crate::events::Events;
use crate::receive::ReceiveSide;
use crate::send::SendSide;
use crate::table::Table;
use std::sync::atomic::{AtomicU64, Ordering};

pub struct Streams {
    pub events: Events,
    pub sends: Table<SendSide>,
    pub receives: Table<ReceiveSide>,
    next: AtomicU64,
}

impl Streams {
    pub fn new(events: Events) -> Self {
        Streams { events, sends: Table::new(), receives: Table::new(), next: AtomicU64::new(1) }
    }

    pub fn handle(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}
