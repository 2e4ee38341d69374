//! The `dsync` program: everything is in [`dsync::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    dsync::cli::main()
}
