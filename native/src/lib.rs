//! A QUIC socket for Node: quinn and rustls behind plain numbers and batches of packed events. No protocol above QUIC.
//!
//! Every command is synchronous and never waits for the network; what happens comes back through `take()` after the
//! wake-up callback. Handles are numbers below 2^53 that are never used twice; a command on one that is gone does nothing.

mod connection;
mod drive;
mod endpoint;
mod events;
mod limits;
mod options;
mod owner;
mod receive;
mod registry;
mod send;
mod server;
mod streams;
mod table;
mod tls;

use crate::endpoint::Dial;
use crate::events::Events;
use crate::options::{varint, ConnectOptions, Counters, ListenOptions, Listening, ServerCounters};
use crate::registry::Registry;
use crate::server::Server;
use bytes::Bytes;
use napi::bindgen_prelude::*;
use napi_derive::napi;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use tokio::runtime::{Builder, Runtime};

/// A panic becomes a JavaScript exception; it must never take Node down.
fn guarded<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(Error::from_reason("internal error in the QUIC socket")))
}

fn words(reason: String) -> Error {
    Error::from_reason(reason)
}

/// Made once and never dropped: a runtime must not end on one of its own threads, nor hold up an exit.
fn runtime(workers: usize) -> std::io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let made = Builder::new_multi_thread().worker_threads(workers).thread_name("streams-quic").enable_all().build()?;
    Ok(RUNTIME.get_or_init(|| made))
}

#[napi]
pub struct QuicSocket {
    registry: Arc<Registry>,
}

/// The end of its JavaScript environment, at the latest.
impl Drop for QuicSocket {
    fn drop(&mut self) {
        for server in self.registry.servers.all() {
            server.endpoint.close(varint(0.0), b"");
        }
        for conn in self.registry.connections.all() {
            conn.close(varint(0.0), b"");
        }
    }
}

#[napi]
impl QuicSocket {
    /// `wakeup` is called when `take()` has something; it does not keep the process alive. `workers`: threads, as the
    /// first socket of the process asks.
    #[napi(constructor)]
    pub fn new(wakeup: Function<(), Unknown<'static>>, workers: u32) -> Result<Self> {
        guarded(|| {
            let wakeup = wakeup.build_threadsafe_function::<()>().weak::<true>().build()?;
            let runtime = runtime(workers.clamp(1, 64) as usize).map_err(|e| words(e.to_string()))?;
            Ok(QuicSocket { registry: Arc::new(Registry::new(Events::new(wakeup), runtime)) })
        })
    }

    /// All events since the last call, packed as events.rs says.
    #[napi]
    pub fn take(&self) -> Result<Uint8Array> {
        guarded(|| Ok(self.registry.streams.events.take().into()))
    }

    /// Throws when the socket cannot be bound (message starts with EADDRINUSE when the port is taken) or the
    /// certificate is no good.
    #[napi]
    pub fn listen(&self, options: ListenOptions) -> Result<Listening> {
        guarded(|| {
            let _inside = self.registry.runtime.enter();
            let tls = tls::server(&options.alpn, &options.certificate_pem, &options.private_key_pem).map_err(words)?;
            let limits = options.limits.parse()?;
            let config = endpoint::server_config(&limits, tls).map_err(words)?;
            let address = options::address(&options.ip, options.port)?;
            let opened = endpoint::open(address, Some(config), options.reset_key()?).map_err(|e| match e.kind() {
                std::io::ErrorKind::AddrInUse => words("EADDRINUSE".into()),
                _ => words(e.to_string()),
            })?;
            let port = opened.local_addr().map_err(|e| words(e.to_string()))?.port();
            let handle = self.registry.streams.handle();
            let server = Arc::new(Server {
                handle,
                endpoint: opened,
                limits,
                max_connections: options.max_connections as usize,
                retry_above: options.retry_above_handshakes as usize,
                handshake_timeout: options::millis(options.handshake_timeout_ms),
                open: Default::default(),
                handshaking: Default::default(),
                refused: Default::default(),
                failed: Default::default(),
                retried: Default::default(),
            });
            self.registry.servers.insert(handle, server.clone());
            self.registry.runtime.spawn(endpoint::serve(self.registry.clone(), server));
            Ok(Listening { handle: handle as f64, port: port.into() })
        })
    }

    /// New connections get this certificate; open ones keep theirs.
    #[napi]
    pub fn set_certificate(
        &self,
        server: f64,
        alpn: Vec<String>,
        certificate_pem: String,
        key_pem: String,
    ) -> Result<()> {
        guarded(|| {
            let tls = tls::server(&alpn, &certificate_pem, &key_pem).map_err(words)?;
            if let Some(server) = self.registry.servers.get(server as u64) {
                let config = endpoint::server_config(&server.limits, tls).map_err(words)?;
                server.endpoint.set_server_config(Some(config));
            }
            Ok(())
        })
    }

    #[napi]
    pub fn close_server(&self, server: f64, code: f64, reason: String) -> Result<()> {
        guarded(|| {
            if let Some(server) = self.registry.servers.get(server as u64) {
                let registry = self.registry.clone();
                self.registry.runtime.spawn(endpoint::shut(registry, server, varint(code), reason.into_bytes()));
            }
            Ok(())
        })
    }

    #[napi]
    pub fn server_counters(&self, server: f64) -> Result<Option<ServerCounters>> {
        guarded(|| {
            Ok(self.registry.servers.get(server as u64).map(|server| ServerCounters {
                open: server.open.load(Ordering::Relaxed) as f64,
                handshaking: server.handshaking.load(Ordering::Relaxed) as f64,
                refused: server.refused.load(Ordering::Relaxed) as f64,
                failed: server.failed.load(Ordering::Relaxed) as f64,
                retried: server.retried.load(Ordering::Relaxed) as f64,
            }))
        })
    }

    /// The connection's handle at once; Connected or ConnectFailed follows.
    #[napi]
    pub fn connect(&self, options: ConnectOptions) -> Result<f64> {
        guarded(|| {
            let _inside = self.registry.runtime.enter();
            let tls = tls::client(&options.alpn, options.trust()?).map_err(words)?;
            let handle = self.registry.streams.handle();
            let dial = Dial {
                handle,
                address: options::address(&options.ip, options.port)?,
                server_name: options.server_name,
                limits: options.limits.parse()?,
                tls,
                timeout: options::millis(options.timeout_ms),
            };
            endpoint::dial(self.registry.clone(), dial).map_err(words)?;
            Ok(handle as f64)
        })
    }

    #[napi]
    pub fn close(&self, connection: f64, code: f64, reason: String) -> Result<()> {
        guarded(|| {
            if let Some(conn) = self.registry.connections.get(connection as u64) {
                conn.close(varint(code), reason.as_bytes());
            }
            Ok(())
        })
    }

    /// Streams that the peer may have open at a time.
    #[napi]
    pub fn allow_streams(&self, connection: f64, uni: f64, bidi: f64) -> Result<()> {
        guarded(|| {
            if let Some(conn) = self.registry.connections.get(connection as u64) {
                conn.allow_streams(varint(uni), varint(bidi));
            }
            Ok(())
        })
    }

    /// rtt in ms, congestion window, bytes sent, bytes received, packets lost, packets sent, path MTU; empty once closed.
    #[napi]
    pub fn stats(&self, connection: f64) -> Result<Vec<f64>> {
        guarded(|| {
            let conn = self.registry.connections.get(connection as u64);
            let stats = conn.and_then(|conn| conn.with_quinn(|quinn| quinn.stats()));
            Ok(stats.map_or_else(Vec::new, |stats| {
                vec![
                    stats.path.rtt.as_secs_f64() * 1000.0,
                    stats.path.cwnd as f64,
                    stats.udp_tx.bytes as f64,
                    stats.udp_rx.bytes as f64,
                    stats.path.lost_packets as f64,
                    stats.path.sent_packets as f64,
                    stats.path.current_mtu.into(),
                ]
            }))
        })
    }

    /// The stream's handle at once, whatever credit the peer has given; 0 when the connection is gone. `head` leaves with
    /// what is written first.
    #[napi]
    pub fn open(&self, connection: f64, bidirectional: bool, priority: i32, head: Option<&[u8]>) -> Result<f64> {
        guarded(|| {
            let conn = self.registry.connections.get(connection as u64);
            let head = head.map_or_else(Bytes::new, Bytes::copy_from_slice);
            Ok(conn.map_or(0, |conn| conn.open(bidirectional, priority, head)) as f64)
        })
    }

    /// All of the bytes or nothing.
    #[napi]
    pub fn write(&self, stream: f64, bytes: &[u8]) -> Result<bool> {
        guarded(|| {
            let side = self.registry.streams.sends.get(stream as u64);
            Ok(side.is_some_and(|side| side.write(Bytes::copy_from_slice(bytes))))
        })
    }

    /// One payload to many streams: copied once, then shared. result[i] is 1 where the stream took it.
    #[napi]
    pub fn write_many(&self, streams: &[f64], bytes: &[u8]) -> Result<Uint8Array> {
        guarded(|| {
            let sides: Vec<_> = {
                let table = self.registry.streams.sends.lock();
                streams.iter().map(|&handle| table.get(&(handle as u64)).cloned()).collect()
            };
            let shared = Bytes::copy_from_slice(bytes);
            let taken = sides.iter().map(|side| side.as_ref().is_some_and(|side| side.write(shared.clone())).into());
            Ok(taken.collect::<Vec<u8>>().into())
        })
    }

    /// Whether `write` would take bytes (or the stream is gone); when not, a Writable event follows.
    #[napi]
    pub fn writable(&self, stream: f64) -> Result<bool> {
        guarded(|| Ok(self.registry.streams.sends.get(stream as u64).is_none_or(|side| side.writable())))
    }

    /// Bytes taken and not yet given to quinn.
    #[napi]
    pub fn queued(&self, stream: f64) -> Result<f64> {
        guarded(|| Ok(self.registry.streams.sends.get(stream as u64).map_or(0, |side| side.queued()) as f64))
    }

    #[napi]
    pub fn finish(&self, stream: f64) -> Result<()> {
        guarded(|| {
            if let Some(side) = self.registry.streams.sends.get(stream as u64) {
                side.finish();
            }
            Ok(())
        })
    }

    #[napi]
    pub fn reset(&self, stream: f64, code: f64) -> Result<()> {
        guarded(|| {
            if let Some(side) = self.registry.streams.sends.get(stream as u64) {
                side.reset(varint(code));
            }
            Ok(())
        })
    }

    #[napi]
    pub fn set_priority(&self, stream: f64, priority: i32) -> Result<()> {
        guarded(|| {
            if let Some(side) = self.registry.streams.sends.get(stream as u64) {
                side.set_priority(priority);
            }
            Ok(())
        })
    }

    /// Room for this many more bytes of the stream; nothing is delivered without it.
    #[napi]
    pub fn give_credit(&self, stream: f64, bytes: f64) -> Result<()> {
        guarded(|| {
            if let Some(side) = self.registry.streams.receives.get(stream as u64) {
                side.give_credit(bytes as usize);
            }
            Ok(())
        })
    }

    #[napi]
    pub fn stop(&self, stream: f64, code: f64) -> Result<()> {
        guarded(|| {
            if let Some(side) = self.registry.streams.receives.get(stream as u64) {
                side.stop(varint(code));
            }
            Ok(())
        })
    }

    #[napi]
    pub fn send_datagram(&self, connection: f64, bytes: &[u8]) -> Result<bool> {
        guarded(|| {
            let conn = self.registry.connections.get(connection as u64);
            Ok(conn.is_some_and(|conn| conn.send_datagram(Bytes::copy_from_slice(bytes))))
        })
    }

    /// What is alive: for tests that look for leaks, and for metrics.
    #[napi]
    pub fn counters(&self) -> Result<Counters> {
        guarded(|| {
            Ok(Counters {
                servers: self.registry.servers.len() as f64,
                connections: self.registry.connections.len() as f64,
                sends: self.registry.streams.sends.len() as f64,
                receives: self.registry.streams.receives.len() as f64,
            })
        })
    }
}
