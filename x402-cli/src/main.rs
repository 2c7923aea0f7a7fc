//! The `x402` program.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match x402_cli::Cli::try_parse() {
        Ok(cli) => x402_cli::run(cli),
        Err(error) => x402_cli::misread(&error),
    }
}
