//! Keeps accounts whose keys everybody knows away from real money.

use alloy_primitives::Address;
use x402_model::asset::{Asset, checksum};
use x402_model::evm::is_development_account;
use x402_model::money::AtomicAmount;
use x402_model::network::Network;

use crate::paywall::Mistake;

/// Whether the network is known to carry real money. Unknown chains are taken for private ones.
pub(crate) fn is_main(network: &Network) -> bool {
    network.is_testnet() == Some(false)
}

/// Refuses a receiver that everybody can empty, where money is real.
pub(super) fn check_receiver(
    endpoint: &str,
    receiver: Address,
    prices: &[(Asset, AtomicAmount)],
    mistakes: &mut Vec<Mistake>,
) {
    let real = prices.iter().find(|(asset, _)| is_main(&asset.network));
    if let (true, Some((asset, _))) = (is_development_account(receiver), real) {
        mistakes.push(Mistake::PayToDevelopment {
            whose: format!("`{endpoint}`"),
            address: checksum(receiver),
            network: asset.network.to_string(),
        });
    }
}
