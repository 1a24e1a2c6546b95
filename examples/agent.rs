//! A small agent.

fn main() {}
