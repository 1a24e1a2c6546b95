//! Data about people.

use super::super::checks;
use super::{Spec, Trigger, after};

pub(super) const RULES: &[Spec] = &[
    Spec {
        name: "email",
        trigger: Trigger::At,
        pattern: r"(?:[A-Za-z0-9_%+'-]|[\xc3-\xd4][\x80-\xbf])(?:[A-Za-z0-9._%+'-]|[\xc3-\xd4][\x80-\xbf])*@(?:[A-Za-z0-9.-]|[\xc3-\xd4][\x80-\xbf])+",
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
    after(
        "iban",
        &["iban"],
        r#"(?i:iban)(?i:[ _-]?(?:number|no\.?|nr\.?))?["'\\]{0,3}\s?(?i:is|ist|[:=])?\s{0,3}["'\\]{0,3}([A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30})"#,
        checks::iban,
    ),
    Spec {
        name: "card-number",
        trigger: Trigger::Digits,
        pattern: r"\d(?:[ .-]?\d){12,18}\b",
        check: Some(checks::card),
        glued: false,
    },
    Spec {
        name: "ssn",
        trigger: Trigger::Digits,
        pattern: r"\d{3}-\d{2}-\d{4}\b",
        check: Some(checks::ssn),
        glued: false,
    },
    after(
        "ssn",
        &["ssn", "social security"],
        r#"(?i:ssn|social security(?: (?:number|no\.?|#))?)["'\\]{0,3}\s{0,3}(?:number|no\.?|#|is)?\s{0,3}[:=]?\s{0,3}["'\\]{0,3}(\d{3}[ -]?\d{2}[ -]?\d{4})\b"#,
        checks::ssn,
    ),
    Spec {
        name: "phone-number",
        trigger: Trigger::Digits,
        pattern: r"(?:\(\+[1-9]\d{0,2}\)|(?:\+|00)\(?[1-9]\d{0,3}\)?)(?:(?:[ ./-]|\xc2\xa0|\xe2\x80\x91|\xe2\x80\x93){0,2}\(?\d{1,5}\)?){1,8}",
        check: Some(checks::international),
        glued: false,
    },
    Spec {
        name: "phone-number",
        trigger: Trigger::Digits,
        // North America; Brazil; France; Germany; Britain; Japan and Korea; Australia; the Netherlands; India; Italy and Spain.
        pattern: r"(?:(?:1[ .-])?\(\d{3}\) ?\d{3}[ .-]\d{4}|(?:1-)?\d{3}-\d{3}-\d{4}|(?:1\.)?\d{3}\.\d{3}\.\d{4}|\(\d\d\) ?9?\d{4}-\d{4}|0[1-9](?: \d\d){4}|0[1-9](?:\.\d\d){4}|0[1-9](?:-\d\d){4}|01[567]\d[ /-]?\d{3,4}[ ]?\d{3,5}|0[2-9]\d{1,4}[/][ ]?\d{3,4}[ -]?\d{2,5}|0[2-9]\d{1,3} - ?\d{5,8}|0[2-9]\d{1,2} \d{6,8}|\(0\d{1,5}\) ?\d{3,4}[ -]?\d{3,6}|07\d{3} ?\d{3} ?\d{3}|0[12]\d{1,3} \d{3,4} \d{3,4}|01\d{3} \d{5,6}|0\d{1,3}-\d{3,4}-\d{4}|04\d\d \d{3} \d{3}|06[ -]\d{8}|0[2-9]0-\d{7}|[6-9]\d{4}[ -]\d{5})\b",
        check: Some(checks::national),
        glued: false,
    },
    after(
        "phone-number",
        &[
            "phone",
            "tel:",
            "tel.",
            "tel ",
            "tel\"",
            "tel=",
            "telefon",
            "mobile",
            "mobil:",
            "cell:",
            "cell ",
            "fax",
            "handy",
            "whatsapp",
            "teléfono",
            "telefone",
            "móvil",
            "celular",
            "téléphone",
            "portable",
            "电话",
            "手机",
            "電話",
            "携帯",
            "телефон",
            "тел.",
            "전화",
            "call me",
            "reach me",
            "sms",
            "msisdn",
            "call us",
            "text me",
            "numéro",
        ],
        r#"(?i:(?:tele)?phone|tel|telefon[eo]?|mobile?|cell|fax|handy|whatsapp|tel\xc3\xa9fono|m\xc3\xb3vil|celular|t\xc3\xa9l\xc3\xa9phone|portable|\xe7\x94\xb5\xe8\xaf\x9d|\xe6\x89\x8b\xe6\x9c\xba|\xe9\x9b\xbb\xe8\xa9\xb1|\xe6\x90\xba\xe5\xb8\xaf|\xd1\x82\xd0\xb5\xd0\xbb(?:\xd0\xb5\xd1\x84\xd0\xbe\xd0\xbd)?|\xec\xa0\x84\xed\x99\x94|(?:call|reach|text) (?:me|us)|sms|msisdn|num\xc3\xa9ro)(?i:[ _.-]?(?:number|no\.?|nr\.?|num|nummer|\xe5\x8f\xb7(?:\xe7\xa0\x81)?|\xe7\x95\xaa\xe5\x8f\xb7|#|work|home|mobile|phone))?[."'\\\])*]{0,4}[ \t]{0,3}(?:[:=]|\xef\xbc\x9a|(?i:is|at|on|to|ist|es|est|under|unter|au|al|\xe6\x98\xaf|\xe3\x81\xaf)\b)?[ \t]{0,3}["'\\\[]{0,3}((?:\+|\(\+?|00)?\d(?:[ ()./-]{0,2}\d){6,14})"#,
        checks::named,
    ),
];

/// Rules that are there and off: a file of rules can switch them on.
pub(super) const OFF: &[Spec] = &[Spec {
    name: "ip-address",
    trigger: Trigger::Digits,
    pattern: r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b",
    check: Some(checks::ipv4),
    glued: false,
}];
