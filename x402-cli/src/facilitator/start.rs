//! Turns settings into facilitators: connects, reads keys, and refuses what would be unsafe.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, U256};
use x402_runtime::evm::{Chain, EvmConfig, EvmFacilitator, RpcChain, SettlerKey};
use x402_runtime::model::asset::{Asset, AssetTable, checksum, parse_address};
use x402_runtime::model::network::Network;
use x402_runtime::secret;

use super::settings::NetworkSettings;
use crate::{Exit, Failure};

/// A network that is ready to settle.
#[derive(Debug)]
pub struct Started {
    /// What settles on it.
    pub facilitator: Arc<EvmFacilitator>,
    /// The settling accounts and their native balances in wei; `None` where the node did not say.
    pub settlers: Vec<(Address, Option<U256>)>,
    /// The tokens, by symbol or address; empty means any.
    pub assets: Vec<String>,
}

/// Connects to a network's node and starts its facilitator.
///
/// # Errors
/// A [`Failure`] that says what to change.
pub async fn start(settings: &NetworkSettings) -> Result<Started, Failure> {
    let usage = |message: String| Failure::new(Exit::Usage, message);
    let network = Network::parse_any(&settings.name)
        .map_err(|error| usage(format!("network {:?}: {error}", settings.name)))?;
    let Some(chain_id) = network.chain_id() else {
        return Err(usage(format!("{network} is not an EVM chain")));
    };
    let tokens = Tokens::read(&network, settings).map_err(|reason| {
        usage(format!("{network}: {reason}"))
            .help("name tokens by symbol or by address: --asset USDC, or `assets = [\"0x…\"]`")
    })?;
    let keys = keys(&network, settings)?;
    let mut config = config(settings);
    config.chain_id = Some(chain_id);
    config.allowed_assets = tokens.allowed;
    config.minimum_values = tokens.minimums;
    config.allowed_pay_to = addresses("pay_to", &settings.pay_to).map_err(usage)?;
    config.allowed_factories = addresses("factories", &settings.factories).map_err(usage)?;
    let chain = connect(&network, settings).await?;
    let mut facilitator = EvmFacilitator::with_keys(chain, keys, config)
        .await
        .map_err(|error| Failure::new(Exit::Failed, format!("{network}: {error}")))?;
    if let Some(url) = &settings.witness_url {
        let witness = RpcChain::connect(url)
            .await
            .map_err(|error| Failure::new(Exit::Failed, format!("{network}, witness: {error}")))?;
        let found = witness.chain_id().await.ok();
        if found != Some(chain_id) {
            return Err(usage(format!(
                "{network}: the witness serves another chain"
            )));
        }
        facilitator = facilitator.with_witness(Arc::new(witness));
    }
    let mut settlers = Vec::new();
    for account in facilitator.settlers() {
        settlers.push((account, facilitator.native_balance(account).await.ok()));
    }
    Ok(Started {
        facilitator: Arc::new(facilitator),
        settlers,
        assets: tokens.names,
    })
}

async fn connect(network: &Network, settings: &NetworkSettings) -> Result<Arc<RpcChain>, Failure> {
    let missing = || {
        Failure::new(Exit::Usage, format!("{network} has no JSON-RPC endpoint"))
            .help("give --rpc-url, or `rpc_url_file` in the configuration")
    };
    let url = match (&settings.rpc_url, &settings.rpc_url_file) {
        (Some(url), None) => url.clone(),
        (None, Some(file)) => {
            let text = secret::read(file).map_err(|error| Failure::new(Exit::Usage, error))?;
            text.trim().to_owned()
        }
        (None, None) => return Err(missing()),
        (Some(_), Some(_)) => {
            let message = format!("{network} has both rpc_url and rpc_url_file");
            return Err(Failure::new(Exit::Usage, message));
        }
    };
    let chain = RpcChain::connect(&url).await;
    let chain = chain.map_err(|error| Failure::new(Exit::Failed, format!("{network}: {error}")))?;
    Ok(Arc::new(chain))
}

fn keys(network: &Network, settings: &NetworkSettings) -> Result<Vec<SettlerKey>, Failure> {
    let files = settings.settler_key_files.iter().map(SettlerKey::from_file);
    let stores = settings.settler_keystores.iter();
    let stores = stores.map(|store| SettlerKey::from_keystore(&store.file, &store.password_file));
    let keys: Result<Vec<_>, _> = files.chain(stores).collect();
    let keys = keys.map_err(|error| Failure::new(Exit::Usage, error))?;
    let mut accounts: Vec<Address> = keys.iter().map(SettlerKey::address).collect();
    accounts.sort_unstable();
    accounts.dedup();
    if accounts.len() != keys.len() {
        return Err(Failure::new(
            Exit::Usage,
            format!("{network}: one settling account is named twice"),
        ));
    }
    if keys.is_empty() {
        return Err(
            Failure::new(Exit::Usage, format!("{network} has no settling account"))
                .help("put a private key into a file of mode 0600 and give --settler-key-file"),
        );
    }
    Ok(keys)
}

/// Which tokens are settled, as lists of addresses.
struct Tokens {
    allowed: Vec<Address>,
    minimums: Vec<(Address, U256)>,
    names: Vec<String>,
}

impl Tokens {
    /// Without a list these are the known tokens of the network: never any contract that a stranger names.
    fn read(network: &Network, settings: &NetworkSettings) -> Result<Self, String> {
        let table = AssetTable::builtin();
        let known: Vec<&Asset> = table.on(network).collect();
        let find = |text: &str| -> Result<(Address, String), String> {
            let symbol = known
                .iter()
                .find(|asset| asset.symbol.eq_ignore_ascii_case(text));
            if let Some(asset) = symbol {
                return Ok((asset.address, asset.symbol.to_string()));
            }
            let address = parse_address(text)
                .map_err(|error| format!("{text:?} is no token known on it, and {error}"))?;
            Ok((address, checksum(address)))
        };
        let any = settings.assets.iter().any(|text| text == "any");
        let listed: Vec<(Address, String)> = if any {
            if settings.assets.len() > 1 {
                return Err("`any` stands alone".to_owned());
            }
            Vec::new()
        } else if settings.assets.is_empty() {
            let all = known.iter();
            all.map(|asset| (asset.address, asset.symbol.to_string()))
                .collect()
        } else {
            let listed: Result<_, _> = settings.assets.iter().map(|text| find(text)).collect();
            listed?
        };
        if listed.is_empty() && !any {
            return Err("no token is known on it, so none can be the default".to_owned());
        }
        let mut minimums = Vec::new();
        for (token, least) in &settings.minimum {
            minimums.push((find(token)?.0, U256::from(*least)));
        }
        let (allowed, names) = listed.into_iter().unzip();
        Ok(Self {
            allowed,
            minimums,
            names,
        })
    }
}

fn addresses(key: &str, texts: &[String]) -> Result<Vec<Address>, String> {
    let read = |text: &String| parse_address(text).map_err(|error| format!("{key}: {error}"));
    texts.iter().map(read).collect()
}

fn config(settings: &NetworkSettings) -> EvmConfig {
    fn set<T>(target: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *target = value;
        }
    }
    let seconds = |value: Option<u64>| value.map(Duration::from_secs);
    let mut config = EvmConfig::default();
    set(&mut config.max_gas, settings.max_gas);
    set(&mut config.max_deploy_gas, settings.max_deploy_gas);
    set(
        &mut config.max_fee_per_gas,
        settings.max_fee_per_gas_wei.map(u128::from),
    );
    let per_settlement = settings.max_fee_per_settlement_wei.map(u128::from);
    set(&mut config.max_fee_per_settlement, per_settlement);
    set(
        &mut config.approval_funding,
        settings.approval_funding_wei.map(u128::from),
    );
    config.max_fee_per_hour = settings.max_fee_per_hour_wei.map(u128::from);
    set(
        &mut config.settle_timeout,
        seconds(settings.settle_timeout_seconds),
    );
    set(
        &mut config.abandon_after,
        seconds(settings.abandon_after_seconds),
    );
    set(
        &mut config.stall_after,
        seconds(settings.stall_after_seconds),
    );
    let poll = settings.poll_interval_ms.map(Duration::from_millis);
    set(&mut config.poll_interval, poll);
    set(&mut config.max_in_flight, settings.max_in_flight);
    set(
        &mut config.valid_before_margin,
        settings.valid_before_margin_seconds,
    );
    config.allow_public_key = settings.allow_public_key;
    config
}
