//! The `x402` program.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    x402_cli::run(x402_cli::Cli::parse())
}
