//! Functions that judge what a pattern found: check digits, headers that decode, values that are no placeholders.

mod address;
mod card;
mod entropy;
mod iban;
mod jwt;
mod pem;
mod placeholder;
mod token;
mod top_level;
mod url;

pub(super) use address::{email, ipv4};
pub(super) use card::card;
pub(super) use entropy::bits;
pub(super) use iban::iban;
pub(super) use jwt::jwt;
pub(super) use pem::private_key;
pub(super) use placeholder::is_mark;
pub(super) use token::{azure_signature, basic, bearer, opaque, token};
pub(super) use url::url_credentials;
