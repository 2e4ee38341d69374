//! The `dsync` program: everything is in [`dsync::cli`].

use std::process::ExitCode;

// A record is some two hundred small allocations, made and freed together.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    dsync::cli::main()
}
