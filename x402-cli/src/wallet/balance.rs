//! `x402 wallet balance`: what an address has of the tokens that this program can pay with.

use alloy_primitives::Address;
use serde::Serialize;
use x402_runtime::evm::{Chain as _, RpcChain, token_balance};
use x402_runtime::model::asset::{Asset, AssetTable, checksum, parse_address};
use x402_runtime::model::money::AtomicAmount;
use x402_runtime::model::network::Network;

use super::WalletArgs;
use crate::{Exit, Failure, call, output, places, secret};

/// Arguments of `x402 wallet balance`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// JSON-RPC endpoint of the network to ask; there is none by default [env: X402_RPC_URL]
    #[arg(long, value_name = "URL")]
    rpc_url: Option<String>,
    /// Refuse an endpoint of another network: CAIP-2 (`eip155:8453`) or short name (`base`)
    #[arg(long, value_name = "NETWORK")]
    network: Option<String>,
    /// Look at this address instead of a wallet's
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    #[command(flatten)]
    wallet: WalletArgs,
    /// Print one JSON object: {"address", "network", "balances": [{"symbol", "asset", "amount", "decimals", "amount_text"}]}
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Serialize)]
struct Balances {
    address: String,
    network: String,
    balances: Vec<Balance>,
}

#[derive(Serialize)]
struct Balance {
    symbol: String,
    asset: String,
    amount: AtomicAmount,
    decimals: u8,
    amount_text: String,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    args.wallet.check()?;
    let url = args.rpc_url.clone();
    let url = match url.map_or_else(
        || places::text_variable("X402_RPC_URL"),
        |url| Ok(Some(url)),
    )? {
        Some(url) => url,
        None => {
            let message = "no JSON-RPC endpoint: there is no default one to be trusted";
            return Err(Failure::usage("no_rpc_url", message).help(
                "name one with --rpc-url URL or X402_RPC_URL, such as https://sepolia.base.org",
            ));
        }
    };
    secret::refuse_key("--address", args.address.as_deref().unwrap_or_default())?;
    let address = match &args.address {
        Some(text) => parse_address(text)
            .map_err(|error| Failure::usage("invalid_address", format!("--address: {error}")))?,
        None => args.wallet.locate()?.address()?,
    };
    let wanted = args.network.as_deref().map(call::network).transpose()?;
    let balances = call::runtime()?.block_on(ask(&url, wanted, address))?;
    print(args.json, &balances)?;
    Ok(Exit::Success)
}

async fn ask(url: &str, wanted: Option<Network>, address: Address) -> Result<Balances, Failure> {
    let unanswered = |error| Failure::new(Exit::Failed, error).code("rpc_failed");
    let chain = RpcChain::connect(url).await.map_err(unanswered)?;
    let network = Network::evm(chain.chain_id().await.map_err(unanswered)?);
    if wanted.as_ref().is_some_and(|wanted| *wanted != network) {
        let message = format!("the endpoint serves {}", call::network_text(&network));
        return Err(Failure::new(Exit::Failed, message)
            .code("wrong_network")
            .help("leave --network out, or name an endpoint of that network"));
    }
    let assets: Vec<Asset> = AssetTable::builtin()
        .iter()
        .filter(|asset| asset.network == network)
        .cloned()
        .collect();
    if assets.is_empty() {
        let message = format!(
            "no token of {} is known to this program",
            call::network_text(&network)
        );
        return Err(Failure::new(Exit::Failed, message).code("no_known_asset"));
    }
    let mut balances = Vec::with_capacity(assets.len());
    for asset in assets {
        let amount = token_balance(&chain, asset.address, address)
            .await
            .map_err(unanswered)?
            .ok_or_else(|| {
                let token = checksum(asset.address);
                let message = format!("{} at {token} tells no balance", asset.symbol);
                Failure::new(Exit::Failed, message).code("not_a_token")
            })?;
        balances.push(Balance {
            symbol: asset.symbol.to_string(),
            asset: checksum(asset.address),
            amount,
            decimals: asset.decimals,
            amount_text: format!("{} {}", amount.to_decimal(asset.decimals), asset.symbol),
        });
    }
    Ok(Balances {
        address: checksum(address),
        network: network.to_string(),
        balances,
    })
}

fn print(json: bool, found: &Balances) -> Result<(), Failure> {
    if json {
        return output::print_json(found);
    }
    for balance in &found.balances {
        output::print_line(&balance.amount_text)?;
    }
    Ok(())
}
