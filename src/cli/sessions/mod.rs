//! Session files of coding agents: where they are, how they are read, and what was sent of them.

mod bytes;
mod copies;
mod files;
mod findings;
mod follow;
mod hooked;
mod kin;
mod ledger;
mod list;
mod progress;
mod read;
mod report;
mod send;
mod tail;

pub(super) use files::{Agent, Found, distinct};
pub(super) use follow::{bundles, follow};
pub(super) use hooked::sent_up_to;
pub(super) use ledger::{append, hidden_name, make_folder, state_folder};
pub(super) use list::{Arguments, run};
pub(super) use read::{Open, is_recorded, is_session, read};
pub(super) use report::Report;
pub(super) use send::{Since, Wire, unix_now};
