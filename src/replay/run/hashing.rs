//! What digests must have in common before they may be compared.

use bytestring::ByteString;

use crate::event::{Algorithm, Digest};

/// How a step's digests were made, as the policy in force said (`veilspan.policy`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::replay) struct Hashing {
    form: Option<ByteString>,
    key: Option<ByteString>,
    /// Each tenant has a key of its own under one key id.
    tenant: Option<ByteString>,
}

impl Hashing {
    pub(super) fn new(policy: Option<&str>, tenant: Option<&ByteString>) -> Self {
        let pairs = || policy.into_iter().flat_map(|policy| policy.split(';')).filter_map(|pair| pair.split_once('='));
        let value = |name| pairs().find(|(key, _)| *key == name).map(|(_, value)| ByteString::from(value));
        Self { form: value("form"), key: value("key"), tenant: tenant.cloned() }
    }

    /// Whether a digest of the one and a digest of the other can be equal or different at all.
    pub(in crate::replay) fn compares(&self, digest: &Digest, other: &Self, of_other: &Digest) -> bool {
        digest.algorithm == of_other.algorithm && self.form == other.form && self.same_key(other, digest.algorithm)
    }

    /// Whether their labels that were replaced by a digest can be compared.
    pub(in crate::replay) fn compares_labels(&self, other: &Self) -> bool {
        self == other
    }

    fn same_key(&self, other: &Self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::Sha256 => true,
            Algorithm::HmacSha256 => self.key.is_some() && self.key == other.key && self.tenant == other.tenant,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_compare_under_one_form_key_and_tenant_alone() {
        let keyed = Digest { algorithm: Algorithm::HmacSha256, bytes: [1; 32] };
        let plain = Digest { algorithm: Algorithm::Sha256, bytes: [1; 32] };
        let tenant = ByteString::from_static("t");
        let with = |policy, tenant| Hashing::new(Some(policy), tenant);
        let one = with("content=digest;hash=hmac-sha256;form=c1;key=a", None);
        assert!(one.compares(&keyed, &one.clone(), &keyed));
        for other in [
            with("content=digest;hash=hmac-sha256;form=c1;key=b", None),
            with("content=digest;hash=hmac-sha256;form=c2;key=a", None),
            with("content=digest;hash=hmac-sha256;form=c1;key=a", Some(&tenant)),
            with("content=digest", None),
        ] {
            assert!(!one.compares(&keyed, &other, &keyed), "{other:?}");
        }
        assert!(!one.compares(&keyed, &one, &plain));
        let nobody = Hashing::default();
        assert!(!nobody.compares(&keyed, &nobody, &keyed), "a key without a name is nobody's");
        let unkeyed = with("content=digest;hash=sha256;form=c1", None);
        assert!(unkeyed.compares(&plain, &with("content=none;hash=sha256;form=c1", Some(&tenant)), &plain));
    }
}
