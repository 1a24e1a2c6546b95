//! Secrets of no one provider: tokens, private keys, headers, credentials in URLs.

use super::super::checks;
use super::{Spec, Trigger, after};

pub(super) const RULES: &[Spec] = &[
    Spec {
        name: "private-key",
        trigger: Trigger::Exact(&["-----BEGIN "]),
        pattern: r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----",
        check: Some(checks::private_key),
        glued: true,
    },
    Spec {
        name: "jwt",
        trigger: Trigger::Exact(&["eyJ", "eyAi", "ewog", "ewoJ", "ewog"]),
        pattern: r"e[yw][A-Za-z0-9_-]{8}",
        check: Some(checks::jwt),
        glued: false,
    },
    after("bearer-token", &["bearer"], r"(?i:bearer)\s{1,4}([A-Za-z0-9._~+/=-]{8,})", checks::bearer),
    after("basic-auth", &["basic"], r"(?i:basic)\s{1,4}([A-Za-z0-9+/_-]{6,}={0,2})", checks::basic),
    after(
        "url-credentials",
        &["://"],
        r#"://([^\s:/@"'<>\\`]{0,100}:[^\s/"'<>\\`?#]{1,200})@[A-Za-z0-9\[$_{%-]"#,
        checks::url_credentials,
    ),
];
