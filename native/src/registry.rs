//! Everything alive, by the plain numbers JavaScript holds.

use crate::connection::Conn;
use crate::events::Events;
use crate::server::Server;
use crate::streams::Streams;
use crate::table::Table;
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;

pub struct Registry {
    pub runtime: &'static Runtime,
    pub streams: Arc<Streams>,
    pub servers: Table<Server>,
    pub connections: Table<Conn>,
    /// The one socket all outgoing connections share, made on first use.
    pub client: Mutex<Option<quinn::Endpoint>>,
}

impl Registry {
    pub fn new(events: Events, runtime: &'static Runtime) -> Self {
        Registry {
            runtime,
            streams: Arc::new(Streams::new(events)),
            servers: Table::new(),
            connections: Table::new(),
            client: Mutex::new(None),
        }
    }
}
