//! What either end of a connection is held to.

use crate::connection::FIRST_SEND_WINDOW;
use quinn::congestion::{BbrConfig, ControllerFactory, CubicConfig, NewRenoConfig};
use quinn::{IdleTimeout, TransportConfig, VarInt};
use std::sync::Arc;
use std::time::Duration;

/// What both ends of a connection may set.
pub struct Limits {
    pub idle_timeout: Duration,
    pub keep_alive: Option<Duration>,
    pub max_uni: u64,
    pub max_bidi: u64,
    pub stream_window: u64,
    pub connection_window: u64,
    pub high_water: usize,
    pub congestion: Congestion,
}

/// How much may be under way, and what a loss says about it.
#[derive(Clone, Copy)]
pub enum Congestion {
    Bbr,
    Cubic,
    NewReno,
}

impl Congestion {
    fn factory(self) -> Arc<dyn ControllerFactory + Send + Sync> {
        match self {
            Congestion::Bbr => {
                let mut config = BbrConfig::default();
                config.initial_window(BBR_INITIAL_WINDOW);
                Arc::new(config)
            }
            Congestion::Cubic => Arc::new(CubicConfig::default()),
            Congestion::NewReno => Arc::new(NewRenoConfig::default()),
        }
    }
}

/// Of quinn's own, 240 kB, a slow line with a short queue loses most. RFC 9002 (7.2) has a tenth of this, browsers begin with it.
const BBR_INITIAL_WINDOW: u64 = 32 * 1200;

impl Limits {
    pub fn transport(&self) -> Arc<TransportConfig> {
        let varint = |value: u64| VarInt::from_u64(value).unwrap_or(VarInt::MAX);
        let mut config = TransportConfig::default();
        config
            .max_idle_timeout(IdleTimeout::try_from(self.idle_timeout).ok())
            .keep_alive_interval(self.keep_alive)
            .max_concurrent_uni_streams(varint(self.max_uni))
            .max_concurrent_bidi_streams(varint(self.max_bidi))
            .stream_receive_window(varint(self.stream_window))
            .receive_window(varint(self.connection_window))
            .send_window(FIRST_SEND_WINDOW)
            .congestion_controller_factory(self.congestion.factory())
            .datagram_receive_buffer_size(Some(512 * 1024))
            .datagram_send_buffer_size(256 * 1024);
        Arc::new(config)
    }
}
