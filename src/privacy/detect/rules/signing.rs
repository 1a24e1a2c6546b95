//! Keys by their place in code: the literal that signs, encrypts or keeps a cookie.

use super::super::checks;
use super::{Spec, after};

pub(super) const RULES: &[Spec] = &[
    // `jwt.sign(payload, "…")`: what is signed comes first, whatever it is.
    after(
        "secret",
        &["jwt.sign(", "jwt.verify(", "jwt.encode(", "jwt.decode(", "jsonwebtoken.sign(", "jsonwebtoken.verify("],
        r#"(?i:jwt|jsonwebtoken)\.(?i:sign|verify|encode|decode)\(\s{0,8}(?:[^\n(){}"',]{1,80}|\{[^\n{}]{0,160}\}|["'][^\n"']{1,1000}["']),\s{0,8}(?:key ?= ?)?b?["']([^"'\n]{8,128})["']"#,
        checks::chosen,
    ),
    after(
        "secret",
        &["createhmac(", "hmac.new(", "cookieparser(", "urlsafeserializer(", "timedserializer("],
        r#"(?i:createhmac\(\s{0,8}["'][a-z0-9-]{2,16}["'],|hmac\.new\(|cookieparser\(|(?:urlsafe|timed)serializer\()\s{0,8}(?:key ?= ?)?b?["']([^"'\n]{8,128})["']"#,
        checks::chosen,
    ),
    after("secret", &["fernet("], r#"(?i:fernet)\(\s{0,8}b?["']([A-Za-z0-9_-]{43}=)["']"#, checks::opaque),
];
