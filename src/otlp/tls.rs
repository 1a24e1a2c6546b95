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

#[cfg(feature = "tls")]
mod read {
    use std::io;
    use std::path::Path;

    use secrecy::zeroize::Zeroizing;
    use tonic::transport::{Certificate, ClientTlsConfig, Identity};

    use super::TlsFiles;

    /// A file of certificates or of a key is a few kilobytes.
    const MAX_BYTES: u64 = 1 << 20;

    impl TlsFiles {
        /// What the files say.
        pub(in crate::otlp) fn read(&self) -> io::Result<ClientTlsConfig> {
            let mut config = match &self.certificate {
                Some(file) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(file)?)),
                None => ClientTlsConfig::new().with_native_roots(),
            };
            match (&self.client_certificate, &self.client_key) {
                (Some(certificate), Some(key)) => {
                    config = config.identity(Identity::from_pem(read(certificate)?, read(key)?));
                }
                (None, None) => {}
                _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "a certificate needs its key")),
            }
            Ok(config)
        }
    }

    fn read(file: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
        use std::io::Read;
        let mut bytes = Zeroizing::new(Vec::new());
        std::fs::File::open(file)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
