//! Data about people.

use super::super::checks;
use super::{Spec, Trigger};

pub(super) const RULES: &[Spec] = &[
    Spec {
        name: "email",
        trigger: Trigger::At,
        pattern: r"(?:[A-Za-z0-9_%+'-]|[\xc3-\xf4][\x80-\xbf]+)(?:[A-Za-z0-9._%+'-]|[\xc3-\xf4][\x80-\xbf]+)*@(?:[A-Za-z0-9.-]|[\xc3-\xf4][\x80-\xbf]+)+",
        check: Some(checks::email),
        glued: false,
    },
    Spec {
        name: "iban",
        trigger: Trigger::Digits,
        pattern: r"[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}",
        check: Some(checks::iban),
        glued: false,
    },
    Spec {
        name: "card-number",
        trigger: Trigger::Digits,
        pattern: r"\d(?:[ -]?\d){12,18}\b",
        check: Some(checks::card),
        glued: false,
    },
];

/// Rules that are there and off: a file of rules can switch them on.
pub(super) const OFF: &[Spec] = &[Spec {
    name: "ip-address",
    trigger: Trigger::Digits,
    pattern: r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b",
    check: Some(checks::ipv4),
    glued: false,
}];
