//! The `veilspan` command.

fn main() {}
