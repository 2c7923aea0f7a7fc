//! The `x402` program as the interop tests start it; cargo builds it beside them, which it does not for another package's.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    x402_cli::run(x402_cli::Cli::parse())
}
