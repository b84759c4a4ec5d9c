//! Plain objects of JavaScript, and their values in Rust.

use crate::limits::{Congestion, Limits};
use crate::tls::Trust;
use napi::bindgen_prelude::*;
use napi_derive::napi;
use quinn::VarInt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

#[napi(object)]
pub struct LimitOptions {
    pub idle_timeout_ms: f64,
    /// 0: none.
    pub keep_alive_ms: f64,
    pub max_incoming_uni: f64,
    pub max_incoming_bidi: f64,
    pub stream_receive_window: f64,
    pub connection_receive_window: f64,
    pub stream_high_water_bytes: f64,
    /// 'bbr', 'cubic' or 'newreno'
    pub congestion_control: String,
}

impl LimitOptions {
    pub fn parse(&self) -> Result<Limits> {
        Ok(Limits {
            idle_timeout: millis(self.idle_timeout_ms),
            keep_alive: (self.keep_alive_ms > 0.0).then(|| millis(self.keep_alive_ms)),
            max_uni: self.max_incoming_uni as u64,
            max_bidi: self.max_incoming_bidi as u64,
            stream_window: self.stream_receive_window as u64,
            connection_window: self.connection_receive_window as u64,
            high_water: self.stream_high_water_bytes as usize,
            congestion: Congestion::parse(&self.congestion_control)?,
        })
    }
}

impl Congestion {
    fn parse(name: &str) -> Result<Self> {
        match name {
            "bbr" => Ok(Congestion::Bbr),
            "cubic" => Ok(Congestion::Cubic),
            "newreno" => Ok(Congestion::NewReno),
            other => Err(Error::from_reason(format!("unknown congestion control {other}"))),
        }
    }
}

#[napi(object)]
pub struct ListenOptions {
    pub ip: String,
    pub port: u32,
    pub alpn: Vec<String>,
    pub certificate_pem: String,
    pub private_key_pem: String,
    pub max_connections: f64,
    pub handshake_timeout_ms: f64,
    pub retry_above_handshakes: f64,
    /// 64 bytes.
    pub reset_key: Option<Uint8Array>,
    pub limits: LimitOptions,
}

impl ListenOptions {
    pub fn reset_key(&self) -> Result<Option<[u8; 64]>> {
        let key = self.reset_key.as_ref().map(|key| <[u8; 64]>::try_from(&key[..])).transpose();
        key.map_err(|_| Error::from_reason("a reset key has 64 bytes"))
    }
}

#[napi(object)]
pub struct Listening {
    pub handle: f64,
    pub port: u32,
}

#[napi(object)]
pub struct ConnectOptions {
    pub ip: String,
    pub port: u32,
    pub server_name: String,
    pub alpn: Vec<String>,
    /// 'roots', 'hashes' or 'insecure'
    pub trust: String,
    pub ca_pem: Option<String>,
    pub hashes: Vec<Uint8Array>,
    pub timeout_ms: f64,
    pub limits: LimitOptions,
}

impl ConnectOptions {
    pub fn trust(&self) -> Result<Trust> {
        match self.trust.as_str() {
            "roots" => Ok(Trust::Roots(self.ca_pem.clone())),
            "insecure" => Ok(Trust::Insecure),
            "hashes" => {
                let hashes = self.hashes.iter().map(|hash| <[u8; 32]>::try_from(&hash[..]));
                let hashes = hashes.collect::<std::result::Result<_, _>>();
                Ok(Trust::Hashes(hashes.map_err(|_| Error::from_reason("a certificate hash has 32 bytes"))?))
            }
            other => Err(Error::from_reason(format!("unknown trust {other}"))),
        }
    }
}

#[napi(object)]
pub struct ServerCounters {
    pub open: f64,
    pub handshaking: f64,
    pub refused: f64,
    pub failed: f64,
    pub retried: f64,
}

#[napi(object)]
pub struct Counters {
    pub servers: f64,
    pub connections: f64,
    pub sends: f64,
    pub receives: f64,
}

pub fn millis(value: f64) -> Duration {
    Duration::from_millis(value.max(0.0) as u64)
}

/// Codes are 62-bit on the wire and whole numbers below 2^53 in JavaScript.
pub fn varint(code: f64) -> VarInt {
    VarInt::from_u64(code.max(0.0) as u64).unwrap_or(VarInt::MAX)
}

pub fn address(ip: &str, port: u32) -> Result<SocketAddr> {
    let ip: IpAddr = ip.parse().map_err(|_| Error::from_reason("not an IP address"))?;
    let port = u16::try_from(port).map_err(|_| Error::from_reason("not a port"))?;
    Ok(SocketAddr::new(ip, port))
}
