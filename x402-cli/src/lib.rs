//! The `x402` program as a library, so that its tests and its documentation see the same commands as its users.

mod args;
mod call;
mod diff;
mod exit;
pub mod facilitator;
mod generate;
mod inputs;
mod manifest;
mod output;
mod places;
mod safe_file;
mod secret;
mod shell;
mod shown;
mod source;
mod vouched;
mod wallet;

use std::process::ExitCode;

pub use args::{Cli, Command};
pub use call::Args as CallArgs;
pub use diff::Args as DiffArgs;
pub use exit::{Exit, Failure};
pub use facilitator::Args as FacilitatorArgs;
pub use generate::Args as GenerateArgs;
pub use manifest::Args as ManifestArgs;
pub use shell::{CompletionsArgs, ManArgs};
pub use wallet::Args as WalletArgs;

/// Runs one command and gives the exit code of the process.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let ended = match cli.command {
        Command::Call(args) => call::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Manifest(args) => manifest::run(&args),
        Command::Wallet(args) => wallet::run(&args),
        Command::Facilitator(args) => facilitator::run(args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}

/// Reports a command line that could not be read, or prints the help that it asked for. A key or password that was written
/// there is not repeated; its author is told where it belongs.
#[must_use]
pub fn misread(error: &clap::Error) -> ExitCode {
    if error.use_stderr()
        && let Some(refusal) = secret::misplaced(error, std::env::args_os())
    {
        return refusal.report();
    }
    // A reader that has enough (`x402 --help | head`) is no failure.
    let _ = error.print();
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Success.into()
    }
}
