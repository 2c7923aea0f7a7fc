//! Accounts whose private keys are printed in the documentation of development tools.

use alloy_primitives::{Address, address};
use x402_model::asset::{Asset, checksum};
use x402_model::money::AtomicAmount;
use x402_model::network::Network;

use crate::paywall::Mistake;

/// The ten accounts that anvil and hardhat make from `test test test … junk`.
const ACCOUNTS: [Address; 10] = [
    address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
    address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
    address!("90F79bf6EB2c4f870365E785982E1f101E93b906"),
    address!("15d34AAf54267DB7D7c367839AAf71A00a2C6A65"),
    address!("9965507D1a55bcC2695C58ba16FB37d819B0A4dc"),
    address!("976EA74026E726554dB657fA54763abd0C3a0aa9"),
    address!("14dC79964da2C08b23698B3D3cc7Ca32193d9955"),
    address!("23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"),
    address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720"),
];

/// Whether anybody can sign for this account.
pub(crate) fn is_development_account(address: Address) -> bool {
    ACCOUNTS.contains(&address)
}

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
