//! TLS 1.3 configurations: who we are, and whom we trust.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls13_signature, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme};
use std::sync::{Arc, OnceLock};

/// In words a person understands; crosses to JavaScript as it is.
pub type Reason = String;

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(rustls::crypto::ring::default_provider())).clone()
}

pub fn server(alpn: &[String], certificate_pem: &str, key_pem: &str) -> Result<ServerConfig, Reason> {
    let chain = certificates(certificate_pem)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|e| format!("private key: {e}"))?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| e.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| format!("certificate and key: {e}"))?;
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(config)
}

pub enum Trust {
    /// The system's and the well-known public authorities, and those of the PEM when there is one.
    Roots(Option<String>),
    /// SHA-256 over the DER of the server's own certificate, as WebTransport's serverCertificateHashes.
    Hashes(Vec<[u8; 32]>),
    Insecure,
}

pub fn client(alpn: &[String], trust: Trust) -> Result<ClientConfig, Reason> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| e.to_string())?;
    let mut config = match trust {
        Trust::Roots(extra) => {
            let mut roots = public_roots().clone();
            if let Some(pem) = extra {
                for certificate in certificates(&pem)? {
                    roots.add(certificate).map_err(|e| format!("certificate authority: {e}"))?;
                }
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
        Trust::Hashes(hashes) => pinned(builder, Some(hashes)),
        Trust::Insecure => pinned(builder, None),
    };
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(config)
}

fn pinned(
    builder: rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>,
    hashes: Option<Vec<[u8; 32]>>,
) -> ClientConfig {
    builder.dangerous().with_custom_certificate_verifier(Arc::new(Pinned { hashes })).with_no_client_auth()
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, Reason> {
    let list: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|e| format!("certificate: {e}"))?;
    if list.is_empty() {
        return Err("certificate: no PEM certificate found".into());
    }
    Ok(list)
}

/// Reading the system's store takes tens of milliseconds: once, and only when asked for.
fn public_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    })
}

/// Trusts by hash, or anyone at all. The handshake's signature is checked in both cases.
#[derive(Debug)]
struct Pinned {
    hashes: Option<Vec<[u8; 32]>>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(hashes) = &self.hashes {
            let digest = ring::digest::digest(&ring::digest::SHA256, end_entity);
            if !hashes.iter().any(|hash| hash == digest.as_ref()) {
                return Err(rustls::Error::General("the certificate is not the pinned one".into()));
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("QUIC has no TLS 1.2".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        None
    }
}
