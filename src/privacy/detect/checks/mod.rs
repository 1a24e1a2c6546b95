//! Functions that judge what a pattern found: check digits, headers that decode, values that are no placeholders.

mod address;
mod assigned;
mod card;
mod entropy;
mod iban;
mod jwt;
mod lower;
mod pem;
mod phone;
mod placeholder;
mod token;
mod top_level;
mod url;

pub(super) use address::{email, ipv4};
pub(super) use assigned::{key, password, secret};
pub(super) use card::card;
pub(super) use entropy::bits;
pub(super) use iban::iban;
pub(super) use jwt::jwt;
use lower::lower;
pub(super) use pem::private_key;
pub(super) use phone::{international, named, national, ssn};
pub(super) use token::{
    account_token, argument, azure_signature, basic, bearer, beside_user, chosen, cookie, data_source, discord,
    inserted, json_web_key, legacy_vault, literal, marked, opaque, random, token,
};
pub(super) use url::url_credentials;
