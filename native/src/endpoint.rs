//! Sockets: the listening ones, and the one that outgoing connections share.

use crate::connection::Conn;
use crate::drive::drive;
use crate::events::Kind;
use crate::limits::Limits;
use crate::registry::Registry;
use crate::server::Server;
use crate::tls::Reason;
use quinn::crypto::rustls::{HandshakeData, QuicClientConfig, QuicServerConfig};
use quinn::{ConnectionError, EndpointConfig, VarInt};
use quinn_proto::HashedConnectionIdGenerator;
use ring::hmac;
use socket2::{Domain, Protocol, Socket, Type};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Duration;

/// Kernel buffers of this many bytes, as far as the system allows: a burst to 200 viewers fits.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;

fn bind(address: SocketAddr) -> std::io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        let _ = socket.set_only_v6(!address.ip().is_unspecified());
    }
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

pub fn server_config(limits: &Limits, tls: rustls::ServerConfig) -> Result<quinn::ServerConfig, Reason> {
    let crypto = QuicServerConfig::try_from(tls).map_err(|e| e.to_string())?;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(limits.transport());
    Ok(config)
}

/// Errors are the system's, so that JavaScript can tell EADDRINUSE from the rest.
pub fn open(
    address: SocketAddr,
    config: Option<quinn::ServerConfig>,
    reset_key: Option<[u8; 64]>,
) -> std::io::Result<quinn::Endpoint> {
    let runtime = Arc::new(quinn::TokioRuntime);
    let endpoint = reset_key.map_or_else(EndpointConfig::default, |key| lasting_config(&key));
    quinn::Endpoint::new(endpoint, config, bind(address)?, runtime)
}

/// One reset at most in this time, for whole endpoints: a relay has many viewers to tell. A reset is smaller than its cause.
const RESET_INTERVAL: Duration = Duration::from_millis(1);

/// With the key of its predecessor an endpoint resets the connections that died with it (RFC 9000, 10.3): the tokens come
/// out the same, and it knows its predecessor's connection ids from noise.
fn lasting_config(reset_key: &[u8; 64]) -> EndpointConfig {
    let key = hmac::Key::new(hmac::HMAC_SHA256, reset_key);
    let tag = hmac::sign(&key, b"connection ids");
    let id_key = tag.as_ref().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let mut config = EndpointConfig::new(Arc::new(key));
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(id_key)));
    config.min_reset_interval(RESET_INTERVAL);
    config
}

/// The accept loop of a listener; ends when the endpoint is closed.
pub async fn serve(registry: Arc<Registry>, server: Arc<Server>) {
    while let Some(incoming) = server.endpoint.accept().await {
        let handshaking = server.handshaking.load(Ordering::Relaxed);
        if server.open.load(Ordering::Relaxed) + handshaking >= server.max_connections {
            server.refused.fetch_add(1, Ordering::Relaxed);
            incoming.refuse();
            continue;
        }
        // Under load an address must prove itself before it costs a handshake (RFC 9000, 8.1.2).
        if handshaking >= server.retry_above && !incoming.remote_address_validated() && incoming.may_retry() {
            server.retried.fetch_add(1, Ordering::Relaxed);
            let _ = incoming.retry();
            continue;
        }
        server.handshaking.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(handshake(registry.clone(), server.clone(), incoming));
    }
}

async fn handshake(registry: Arc<Registry>, server: Arc<Server>, incoming: quinn::Incoming) {
    let result = tokio::time::timeout(server.handshake_timeout, async { incoming.accept()?.await }).await;
    let Ok(Ok(quinn)) = result else {
        server.failed.fetch_add(1, Ordering::Relaxed);
        server.handshaking.fetch_sub(1, Ordering::Relaxed);
        return;
    };
    server.open.fetch_add(1, Ordering::Relaxed);
    server.handshaking.fetch_sub(1, Ordering::Relaxed);
    let handle = registry.streams.handle();
    let conn = Conn::new(handle, registry.streams.clone(), quinn.clone(), server.limits.high_water);
    registry.connections.insert(handle, conn.clone());
    registry.streams.events.push(Kind::Accepted, server.handle, handle, &introduction(&quinn));
    drive(conn, quinn, || forget(&registry, handle)).await;
    server.open.fetch_sub(1, Ordering::Relaxed);
}

fn forget(registry: &Registry, connection: u64) {
    registry.connections.remove(connection);
}

/// Closes the listener and its connections, and waits a moment for the peers to hear of it.
pub async fn shut(registry: Arc<Registry>, server: Arc<Server>, code: VarInt, reason: Vec<u8>) {
    server.endpoint.close(code, &reason);
    let _ = tokio::time::timeout(Duration::from_secs(1), server.endpoint.wait_idle()).await;
    registry.servers.remove(server.handle);
    let handle = server.handle;
    drop(server);
    registry.streams.events.push(Kind::EndpointClosed, handle, 0, &[]);
}

pub struct Dial {
    pub handle: u64,
    pub address: SocketAddr,
    pub server_name: String,
    pub limits: Limits,
    pub tls: rustls::ClientConfig,
    pub timeout: Duration,
}

/// Starts an outgoing connection; its outcome is an event. Must run inside the runtime.
pub fn dial(registry: Arc<Registry>, dial: Dial) -> Result<(), Reason> {
    let endpoint = client_endpoint(&registry).map_err(|e| format!("no UDP socket: {e}"))?;
    let crypto = QuicClientConfig::try_from(dial.tls).map_err(|e| e.to_string())?;
    let mut config = quinn::ClientConfig::new(Arc::new(crypto));
    config.transport_config(dial.limits.transport());
    let connecting = endpoint.connect_with(config, dial.address, &dial.server_name).map_err(|e| e.to_string())?;
    tokio::spawn(async move {
        let failed =
            |b: u64, words: &str| registry.streams.events.push(Kind::ConnectFailed, dial.handle, b, words.as_bytes());
        match tokio::time::timeout(dial.timeout, connecting).await {
            Err(_) | Ok(Err(ConnectionError::TimedOut)) => failed(1, "no answer in time"),
            Ok(Err(error)) => failed(failure(&error), &error.to_string()),
            Ok(Ok(quinn)) => {
                let conn = Conn::new(dial.handle, registry.streams.clone(), quinn.clone(), dial.limits.high_water);
                registry.connections.insert(dial.handle, conn.clone());
                registry.streams.events.push(Kind::Connected, dial.handle, 0, &introduction(&quinn));
                drive(conn, quinn, || forget(&registry, dial.handle)).await;
            }
        }
    });
    Ok(())
}

/// The `b` of ConnectFailed.
fn failure(error: &ConnectionError) -> u64 {
    let code = match error {
        ConnectionError::TransportError(error) => error.code,
        ConnectionError::ConnectionClosed(close) => close.error_code,
        _ => return 5,
    };
    // RFC 9001, 4.8: TLS alerts are 0x100 and up; 120 is no_application_protocol.
    match u64::from(code) {
        0x02 => 2,
        0x178 => 3,
        0x100..=0x1ff => 4,
        _ => 5,
    }
}

fn client_endpoint(registry: &Registry) -> std::io::Result<quinn::Endpoint> {
    let mut client = registry.client.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(endpoint) = client.as_ref() {
        return Ok(endpoint.clone());
    }
    let endpoint = open(SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0), None, None)
        .or_else(|_| open(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0), None, None))?;
    *client = Some(endpoint.clone());
    Ok(endpoint)
}

/// ALPN NUL address.
fn introduction(quinn: &quinn::Connection) -> Vec<u8> {
    let alpn = quinn
        .handshake_data()
        .and_then(|data| data.downcast::<HandshakeData>().ok())
        .and_then(|data| data.protocol)
        .unwrap_or_default();
    let remote = quinn.remote_address();
    let address = SocketAddr::new(remote.ip().to_canonical(), remote.port());
    let mut out = alpn;
    out.push(0);
    out.extend_from_slice(address.to_string().as_bytes());
    out
}
