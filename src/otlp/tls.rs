//! Certificates for `https://`, from files.

use std::path::PathBuf;

/// Files in PEM form (RFC 7468): whom to trust, and who we are. `Debug` shows paths, never what is in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates to trust instead of the operating system's.
    pub certificate: Option<PathBuf>,
    /// Our own certificate, for peers that ask for one.
    pub client_certificate: Option<PathBuf>,
    /// Its key.
    pub client_key: Option<PathBuf>,
}

/// Files in PEM form for a listener: who we are, and whose clients are let in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg(feature = "collector")]
pub(crate) struct ServerTlsFiles {
    /// Our own certificate.
    pub(crate) certificate: PathBuf,
    /// Its key.
    pub(crate) key: PathBuf,
    /// With it every client has to show a certificate that one of these has signed.
    pub(crate) client_authorities: Option<PathBuf>,
}

#[cfg(all(feature = "collector", feature = "tls"))]
pub(crate) use read::Acceptor;
/// There is none in a build without TLS.
#[cfg(all(feature = "collector", not(feature = "tls")))]
pub(crate) type Acceptor = std::convert::Infallible;

#[cfg(all(feature = "collector", not(feature = "tls")))]
impl ServerTlsFiles {
    pub(crate) fn acceptor(&self, _: &[u8]) -> Result<Acceptor, super::endpoint::ConfigError> {
        Err(super::endpoint::ConfigError::no_tls())
    }
}

#[cfg(feature = "tls")]
mod read {
    use std::io;
    use std::path::Path;
    use std::sync::Arc;

    use hyper_rustls::ConfigBuilderExt;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
    use secrecy::zeroize::Zeroizing;
    use tonic::transport::{Certificate, ClientTlsConfig, Identity};

    use super::TlsFiles;
    use crate::otlp::endpoint::ConfigError;

    /// A file of certificates or of a key is a few kilobytes.
    const MAX_BYTES: u64 = 1 << 20;

    /// What stands in a file: wiped, since it may be a key.
    type File = Zeroizing<Vec<u8>>;

    struct Pem {
        roots: Option<File>,
        identity: Option<(File, File)>,
    }

    impl TlsFiles {
        /// For gRPC.
        pub(in crate::otlp) fn for_grpc(&self) -> Result<ClientTlsConfig, ConfigError> {
            let pem = self.read().map_err(ConfigError::tls_file)?;
            let config = match pem.roots {
                Some(roots) => {
                    // tonic leaves out what it cannot read, and would trust nobody without a word.
                    root_store(&roots)?;
                    ClientTlsConfig::new().ca_certificate(Certificate::from_pem(roots))
                }
                None => ClientTlsConfig::new().with_native_roots(),
            };
            Ok(match pem.identity {
                Some((certificate, key)) => config.identity(Identity::from_pem(certificate, key)),
                None => config,
            })
        }

        /// For HTTP.
        pub(in crate::otlp) fn for_http(&self) -> Result<ClientConfig, ConfigError> {
            let pem = self.read().map_err(ConfigError::tls_file)?;
            let config = match pem.roots {
                Some(roots) => builder()?.with_root_certificates(root_store(&roots)?),
                None => builder()?.with_native_roots().map_err(ConfigError::tls)?,
            };
            let Some((certificate, key)) = pem.identity else { return Ok(config.with_no_client_auth()) };
            let chain = certificates(&certificate)?;
            let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| not_pem())?;
            config.with_client_auth_cert(chain, key).map_err(ConfigError::tls)
        }

        /// For HTTP without TLS: trusts nobody.
        pub(in crate::otlp) fn for_nobody() -> Result<ClientConfig, ConfigError> {
            Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
        }

        fn read(&self) -> io::Result<Pem> {
            let roots = self.certificate.as_deref().map(read).transpose()?;
            let identity = match (&self.client_certificate, &self.client_key) {
                (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
                (None, None) => None,
                _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "a certificate needs its key")),
            };
            Ok(Pem { roots, identity })
        }
    }

    fn read(file: &Path) -> io::Result<File> {
        use std::io::Read;
        let mut bytes = Zeroizing::new(Vec::new());
        std::fs::File::open(file)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Lets connections in over TLS.
    #[cfg(feature = "collector")]
    pub(crate) type Acceptor = tokio_rustls::TlsAcceptor;

    #[cfg(feature = "collector")]
    impl super::ServerTlsFiles {
        /// An acceptor of one protocol: `h2` or `http/1.1`.
        pub(crate) fn acceptor(&self, protocol: &[u8]) -> Result<Acceptor, ConfigError> {
            use rustls::server::{NoClientAuth, WebPkiClientVerifier};
            let open = |file: &Path| read(file).map_err(ConfigError::tls_file);
            let chain = certificates(&open(&self.certificate)?)?;
            let key = PrivateKeyDer::from_pem_slice(&open(&self.key)?).map_err(|_| not_pem())?;
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let verifier = match &self.client_authorities {
                Some(file) => {
                    let roots = Arc::new(root_store(&open(file)?)?);
                    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
                    verifier.build().map_err(ConfigError::tls)?
                }
                None => Arc::new(NoClientAuth),
            };
            let mut config = rustls::ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(ConfigError::tls)?
                .with_client_cert_verifier(verifier)
                .with_single_cert(chain, key)
                .map_err(ConfigError::tls)?;
            config.alpn_protocols = vec![protocol.to_vec()];
            Ok(Acceptor::from(Arc::new(config)))
        }
    }

    /// With ring, whichever provider the host may have made the default of its process.
    fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, ConfigError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(ConfigError::tls)
    }

    fn root_store(pem: &[u8]) -> Result<RootCertStore, ConfigError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots.add(certificate).map_err(ConfigError::tls)?;
        }
        Ok(roots)
    }

    fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| not_pem())?;
        if certificates.is_empty() { Err(not_pem()) } else { Ok(certificates) }
    }

    /// What the parser says of it may quote the file.
    fn not_pem() -> ConfigError {
        ConfigError::tls_file(io::Error::new(io::ErrorKind::InvalidData, "not what was expected in PEM form"))
    }
}
