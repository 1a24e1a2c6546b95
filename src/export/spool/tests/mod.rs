//! The spool over a disk that forgets, fails and is damaged.

mod forgetful;
mod lives;
mod log;
