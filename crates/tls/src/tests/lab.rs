//! A small PKI, and both ends of a handshake.

use std::io;
use std::sync::Arc;

use cmglab_clock::Clock;
use cmglab_ids::Ids;
use cmglab_pki::{Authority, KeyKind, Overrides, PrivateKey, Profiles, SubjectName};
use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::server::OneIdentity;
use crate::{Identity, LabTime, provider};

pub(super) const HOST: &str = "cmg.lab.test";
pub(super) const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

pub(super) struct Lab {
    pub(super) clock: Clock,
    pub(super) ids: Ids,
    pub(super) profiles: Profiles,
}

impl Lab {
    pub(super) fn new() -> Self {
        let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        Self { clock: Clock::running_from(start, 0.0), ids: Ids::seeded(1), profiles: Profiles::builtin() }
    }

    pub(super) fn root(&self, profile: &str) -> Authority {
        Authority::create_root(&self.profiles, profile, self.clock.now(), &self.ids).unwrap()
    }

    pub(super) fn below(&self, parent: &Authority, profile: &str) -> Authority {
        Authority::create_intermediate(parent, profile, self.clock.now(), &self.ids).unwrap()
    }

    /// A certificate for [`HOST`].
    pub(super) fn leaf(&self, authority: &Authority, profile: &str) -> cmglab_pki::Identity {
        self.leaf_with(authority, profile, &[SubjectName::dns(HOST)], &Overrides::default())
    }

    pub(super) fn leaf_with(
        &self,
        authority: &Authority,
        profile: &str,
        names: &[SubjectName],
        overrides: &Overrides,
    ) -> cmglab_pki::Identity {
        let key = PrivateKey::generate(KeyKind::P256).unwrap();
        authority.issue_with(profile, names, overrides, &key, self.clock.now(), &self.ids).unwrap()
    }

    pub(super) fn revoke(&self, authority: &Authority, identity: &cmglab_pki::Identity) {
        authority.revoke(&identity.certificate().unwrap().serial, self.clock.now());
    }

    pub(super) fn crl(&self, authority: &Authority) -> Vec<u8> {
        authority.crl(self.clock.now(), 1).unwrap()
    }

    /// A server with `identity` that speaks one version only.
    pub(super) fn server(
        &self,
        identity: &cmglab_pki::Identity,
        version: &'static SupportedProtocolVersion,
    ) -> TlsAcceptor {
        let config = ServerConfig::builder_with_details(provider(), Arc::new(LabTime(self.clock.clone())))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(OneIdentity(presented(identity).certified())));
        TlsAcceptor::from(Arc::new(config))
    }

    /// A client that trusts `root`, speaks one version only and presents what it is given.
    pub(super) fn caller(
        &self,
        root: &Authority,
        presents: Option<Arc<CertifiedKey>>,
        version: &'static SupportedProtocolVersion,
    ) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(root.cert_der().to_vec())).unwrap();
        let builder = ClientConfig::builder_with_details(provider(), Arc::new(LabTime(self.clock.clone())))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        TlsConnector::from(Arc::new(match presents {
            Some(key) => builder.with_client_cert_resolver(Arc::new(OneIdentity(key))),
            None => builder.with_no_client_auth(),
        }))
    }
}

pub(super) fn presented(identity: &cmglab_pki::Identity) -> Identity {
    Identity::new("test", identity.chain().to_vec(), identity.key().pkcs8_der()).unwrap()
}

/// The certificate of one with the key of another.
pub(super) fn stolen(certificate: &cmglab_pki::Identity, key: &PrivateKey) -> Arc<CertifiedKey> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.pkcs8_der())).clone_key();
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
    let chain = certificate.chain().iter().map(|der| CertificateDer::from(der.clone())).collect();
    Arc::new(CertifiedKey::new(chain, key))
}

pub(super) type ServerEnd = crate::stream::ServerStream<DuplexStream>;
pub(super) type ClientEnd = crate::stream::ClientStream<DuplexStream>;

/// A handshake and one byte in each direction, so that a refusal after the client's last flight shows.
pub(super) async fn shake(
    connector: &TlsConnector,
    acceptor: &TlsAcceptor,
    name: &str,
) -> (io::Result<ClientEnd>, io::Result<ServerEnd>) {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let client = async {
        let mut stream = connector.connect(name, near).await?;
        stream.write_all(b"?").await?;
        stream.read_exact(&mut [0]).await?;
        Ok(stream)
    };
    let server = async {
        let mut stream = acceptor.accept(far).await?;
        stream.read_exact(&mut [0]).await?;
        stream.write_all(b"!").await?;
        Ok(stream)
    };
    tokio::join!(client, server)
}
