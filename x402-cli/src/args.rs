//! The commands of the program and their help.

use clap::{Parser, Subcommand};

use crate::{call, diff, facilitator, generate, manifest, shell, wallet};

/// The shortest way from nothing to a paid call. The key is one of those that every development tool prints.
const FIRST_STEPS: &str = "\
From nothing to a paid call, on a chain that lives in the seller's process:
  cargo run --bin marketplace                              # another terminal, in the repository
  x402 manifest http://127.0.0.1:4021                      # what is sold, and for how much?
  x402 call http://127.0.0.1:4021/weather/zurich           # what does it cost?
  (umask 077; echo 0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80 > sandbox.key)
  x402 call http://127.0.0.1:4021/weather/zurich --key-file sandbox.key --max \"0.01 USD\"
  x402 call http://127.0.0.1:4021 weather city=zurich      # the same by its id, checked against the manifest
  x402 wallet new                                          # a wallet of your own, for real networks

The key above is public: it has money in the sandbox only, and everybody can take what is sent to it elsewhere.
Files, variables and exit codes are in `x402 call --help` and docs/cli.md.";

/// Pay for API calls, keep a wallet, settle payments: x402 from the command line.
#[derive(Debug, Parser)]
#[command(name = "x402", version, propagate_version = true, after_help = FIRST_STEPS)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Call an API and pay for the call if it asks for money
    Call(Box<call::Args>),
    /// Read the price manifest of a service, and check who vouches for it
    Manifest(manifest::Args),
    /// Compare two price manifests: what breaks, what costs more, what a person has to look at
    Diff(diff::Args),
    /// Generate a typed client from a price manifest or an OpenAPI description
    Generate(generate::Args),
    /// Make, import and look at wallets
    Wallet(wallet::Args),
    /// Verify and settle payments for others, over HTTP
    Facilitator(facilitator::Args),
    /// Print the completions of a shell
    Completions(shell::CompletionsArgs),
    /// Print a man page, or write all of them to a folder
    Man(shell::ManArgs),
}
