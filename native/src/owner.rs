//! What the halves of a stream and their connection know of each other.

use crate::events::Events;
use std::sync::Arc;

/// What a half asks of its connection.
pub trait Owner: Send + Sync {
    fn events(&self) -> &Events;
    /// Queued bytes at which a stream refuses more.
    fn high_water(&self) -> usize;
    /// True when quinn takes more than before.
    fn widen_send_window(&self) -> bool;
    /// May be called with quinn's lock held.
    fn add_work(&self, half: Arc<dyn Half>);
    fn forget_send(&self, handle: u64);
    fn forget_receive(&self, handle: u64);
}

/// What a connection asks of a half that was woken.
pub trait Half: Send + Sync {
    /// Of what it has to write; None where it only reads.
    fn send_priority(&self) -> Option<i32>;
    /// From the connection's task, whenever quinn or a command woke this half.
    fn work(self: Arc<Self>);
}
