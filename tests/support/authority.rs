//! Certificates of our own.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// A certificate authority of our own, and what it has signed, in files.
pub struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        Self { folder, issuer: Issuer::new(params, key) }
    }

    /// The PEM of a certificate for `name`, and of its key; in files too.
    pub fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let pair = (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem());
        std::fs::write(self.folder.path().join(format!("{name}.pem")), &pair.0).unwrap();
        std::fs::write(self.folder.path().join(format!("{name}.key")), &pair.1).unwrap();
        pair
    }

    pub fn path(&self, file: &str) -> String {
        self.folder.path().join(file).to_string_lossy().into_owned()
    }

    pub fn pem(&self) -> String {
        std::fs::read_to_string(Path::new(&self.path("ca.pem"))).unwrap()
    }
}
