//! The commands of the program and their help.

use clap::{Parser, Subcommand};

use crate::{call, facilitator, shell, wallet};

/// Pay for API calls, keep a wallet, settle payments: x402 from the command line.
#[derive(Debug, Parser)]
#[command(name = "x402", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Call an API and pay for the call if it asks for money
    Call(call::Args),
    /// Make, import and look at wallets
    Wallet(wallet::Args),
    /// Verify and settle payments for others, over HTTP
    Facilitator(facilitator::Args),
    /// Print the completions of a shell
    Completions(shell::CompletionsArgs),
    /// Print a man page, or write all of them to a folder
    Man(shell::ManArgs),
}
