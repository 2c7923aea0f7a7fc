//! `x402 wallet`: makes, imports and looks at wallets.

mod balance;
mod keystore;
mod named;

use std::path::{Path, PathBuf};

use alloy_primitives::Address;
use alloy_signer_local::PrivateKeySigner;
use serde_json::json;
use x402_runtime::model::asset::checksum;
use x402_runtime::model::evm::is_development_account;

use crate::{Exit, Failure, output, places, secret};

pub(crate) use named::WalletArgs;

/// Arguments of `x402 wallet`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a wallet with a fresh key, encrypted with a password
    New(NewArgs),
    /// Make a wallet from a key that exists already
    ///
    /// The key comes from a file with mode 0600, from standard input, or is typed without echo: never from the command
    /// line.
    Import(ImportArgs),
    /// Print the address of a wallet
    Address(AddressArgs),
    /// Print what a wallet has of the tokens that this program can pay with
    Balance(balance::Args),
}

#[derive(Debug, clap::Args)]
struct NewArgs {
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Args)]
struct ImportArgs {
    /// File that holds the key as 64 hex digits; `-` or none for standard input
    file: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Args)]
struct AddressArgs {
    #[command(flatten)]
    wallet: WalletArgs,
    /// Print one JSON object: {"address"}
    #[arg(long)]
    json: bool,
}

/// Where a new wallet goes.
#[derive(Debug, clap::Args)]
struct Target {
    /// File to make; one that exists is never overwritten [default: x402/wallet.json in $XDG_CONFIG_HOME or ~/.config]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// File (mode 0600) whose first line is the password [env: X402_PASSWORD_FILE] [default: ask on the terminal]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Print one JSON object: {"address", "keystore", "development"}
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let (json, ended) = match &args.command {
        Command::New(args) => {
            let made = args.target.make(|| Ok(PrivateKeySigner::random()));
            (args.target.json, made)
        }
        Command::Import(args) => (args.target.json, import(args)),
        Command::Address(args) => (args.json, print_address(args)),
        Command::Balance(args) => (args.json, balance::run(args)),
    };
    match ended {
        Err(failure) if json => output::print_json(&failure.to_json()).map(|()| failure.exit),
        ended => ended,
    }
}

fn import(args: &ImportArgs) -> Result<Exit, Failure> {
    secret::refuse_key_path("the file to import", args.file.as_deref())?;
    args.target.make(|| secret::key(args.file.as_deref()))
}

impl Target {
    fn make(
        &self,
        key: impl FnOnce() -> Result<PrivateKeySigner, Failure>,
    ) -> Result<Exit, Failure> {
        secret::refuse_key_path("--out", self.out.as_deref())?;
        let path = match &self.out {
            Some(path) => path.clone(),
            None => places::default_wallet()?,
        };
        // Found out before a password is asked for, and again when the file is made.
        keystore::refuse_existing(&path)?;
        let key = key()?;
        let password = secret::new_password(self.password_file.as_deref())?;
        keystore::create(&path, &key, &password)?;
        self.announce(&path, key.address())
    }

    fn announce(&self, path: &Path, address: Address) -> Result<Exit, Failure> {
        let development = is_development_account(address);
        if development {
            output::say(
                "warning: this is a public development key: everybody can take what is sent to it.\n  \
                 It is good for test chains only; on main networks x402 refuses to pay with it.",
            );
        }
        let text = checksum(address);
        if self.json {
            let keystore = path.to_string_lossy();
            output::print_json(
                &json!({ "address": text, "keystore": keystore, "development": development }),
            )?;
            return Ok(Exit::Success);
        }
        output::print_line(&text)?;
        output::say(&format!(
            "wallet {} made; it is of no use without its password: keep a copy of both.\n\
             To buy, send it a dollar token of the network that the seller takes; it needs no native currency",
            path.display()
        ));
        Ok(Exit::Success)
    }
}

fn print_address(args: &AddressArgs) -> Result<Exit, Failure> {
    let address = checksum(args.wallet.locate()?.address()?);
    if args.json {
        output::print_json(&json!({ "address": address }))?;
    } else {
        output::print_line(&address)?;
    }
    Ok(Exit::Success)
}
