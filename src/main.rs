//! The `dsync` program.

fn main() {}
