//! The `x402` program as a library, so that its tests and its documentation see the same commands as its users.

mod args;
mod call;
mod exit;
mod facilitator;
mod shell;
mod wallet;

use std::process::ExitCode;

pub use args::{Cli, Command};
pub use exit::{Exit, Failure};

/// Runs one command and gives the exit code of the process.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let ended = match cli.command {
        Command::Call(args) => call::run(args),
        Command::Wallet(args) => wallet::run(args),
        Command::Facilitator(args) => facilitator::run(args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}
