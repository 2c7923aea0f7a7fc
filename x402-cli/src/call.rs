//! `x402 call`: calls an API and pays for the call, within a ceiling.

mod advice;
mod contract;
#[cfg(test)]
mod contract_tests;
mod flow;
mod json;
mod kept;
mod named;
mod outcome;
mod print;
mod request;

use std::path::PathBuf;

use x402_runtime::model::network::Network;

use crate::wallet::WalletArgs;
use crate::{Exit, Failure};
use outcome::Outcome;

pub(crate) use request::fault;

/// Arguments of `x402 call`.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "x402 call [OPTIONS] [METHOD] <URL>\n       x402 call [OPTIONS] <URL> <ENDPOINT> [NAME=VALUE]...\n       x402 call [OPTIONS] --resume <FILE>",
    after_help = Exit::table(),
)]
pub struct Args {
    /// HTTP method [default: GET, or POST with a body]
    #[arg(value_name = "METHOD", required_unless_present = "resume")]
    first: Option<String>,
    /// URL to call, with https:// (http:// works on this machine only); or, after the URL of a seller, the id that its
    /// manifest gives to an endpoint
    #[arg(value_name = "URL")]
    second: Option<String>,
    /// Arguments of an endpoint, checked against the manifest: NAME=VALUE, NAME=@FILE, or NAME:=JSON
    #[arg(value_name = "NAME=VALUE")]
    arguments: Vec<String>,
    /// HTTP method, as curl writes it
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    method: Option<String>,
    /// Header to send; can be given again
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Body: text, @FILE, or @- for standard input. It is sent as it is, without a content type of its own
    #[arg(short, long, value_name = "TEXT|@FILE")]
    data: Option<String>,
    /// Body in JSON: text, @FILE, or @- for standard input. Checked, and sent as application/json
    #[arg(long, value_name = "JSON|@FILE", conflicts_with = "data")]
    data_json: Option<String>,
    /// Most seconds to wait for each answer
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Most times that one payment is presented while its outcome is open
    #[arg(long, value_name = "TIMES", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=20))]
    attempts: u32,
    /// Allow http:// to other machines: whoever is on the way can change price and payee
    #[arg(long)]
    allow_http: bool,

    /// The most that this call may cost, such as "0.05 USD" (any dollar token) or "0.05 USDC". Nothing is paid
    /// without it [env: X402_MAX]
    #[arg(long, value_name = "AMOUNT", help_heading = "Payment")]
    max: Option<String>,
    /// Show what would be paid, and sign nothing. Needs no wallet
    #[arg(long, help_heading = "Payment")]
    dry_run: bool,
    /// Pay on these networks only: CAIP-2 (`eip155:8453`), short name (`base`), or `test` or `main` for all of a kind;
    /// can be given again
    #[arg(long = "network", value_name = "NETWORK", help_heading = "Payment")]
    networks: Vec<String>,
    /// Read a network's chain through this node, such as `base=https://mainnet.base.org`: a payment through Permit2 then signs
    /// the approval along that the seller sponsors. Can be given again
    #[arg(long = "rpc", value_name = "NETWORK=URL", help_heading = "Payment")]
    nodes: Vec<String>,
    /// Pay this address only
    #[arg(long, value_name = "ADDRESS", help_heading = "Payment")]
    pay_to: Option<String>,
    /// Sign in where the seller lets known wallets call for nothing, for less, or from credit. Tells it who calls; needs --max
    #[arg(long, help_heading = "Payment")]
    sign_in: bool,
    /// Name of the thing bought: the same call with the same key cannot be paid twice, not even after a crash
    #[arg(long, value_name = "KEY", help_heading = "Payment")]
    idempotency_key: Option<String>,
    /// Present a payment again whose outcome is open. Signs nothing and needs no wallet
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Payment",
        conflicts_with_all = ["first", "arguments", "method", "headers", "data", "data_json", "max", "dry_run", "networks", "nodes", "pay_to", "sign_in", "idempotency_key"]
    )]
    resume: Option<PathBuf>,

    #[command(flatten)]
    wallet: WalletArgs,

    /// Write the answer's body to a file
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Show the answer's status and headers too
    #[arg(short, long, help_heading = "Output")]
    include: bool,
    /// Print one JSON object and nothing else: status, paid, amount, asset, network, transaction, payer, settle, body, error
    /// and more (see docs/cli.md)
    #[arg(long, help_heading = "Output")]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let json = args.json;
    let outcome = runtime().and_then(|runtime| {
        let _inside = runtime.enter();
        runtime.block_on(Box::pin(flow::call(args)))
    });
    match outcome {
        Err(failure) if json => print::print(Outcome::failed(failure), args),
        Err(failure) => Err(failure),
        Ok(outcome) => print::print(outcome, args),
    }
}

/// The runtime of commands that talk to others.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, error))
}

/// A budget for whoever only looks.
pub(crate) fn looking() -> Result<x402_client::Budget, Failure> {
    request::budget(flow::LOOKING)
}

/// Reads the name of a network.
pub(crate) fn network(text: &str) -> Result<Network, Failure> {
    Network::parse_any(text)
        .map_err(|error| Failure::usage("invalid_network", format!("--network: {error}")))
}

/// A network for people: `Base Sepolia (eip155:84532)`.
pub(crate) fn network_text(network: &Network) -> String {
    network.title().map_or_else(
        || network.to_string(),
        |title| format!("{title} ({network})"),
    )
}
