//! What the benchmarks share: processes beside them, clocks of processor time, and the table that they print.

#![allow(dead_code, unreachable_pub)]

pub mod arguments;
pub mod calls;
pub mod child;
pub mod cpu;
pub mod instructions;
pub mod raw;
pub mod sink;
pub mod table;
