//! The development accounts that every anvil chain starts with. Their keys are public: never fund them.

use alloy_primitives::Address;
use alloy_signer_local::PrivateKeySigner;

/// Pays in most tests.
pub const PAYER: usize = 0;
/// Receives in most tests.
pub const PAYEE: usize = 1;
/// Sends settlement transactions.
pub const SETTLER: usize = 2;
/// Anybody else.
pub const OTHER: usize = 3;

/// The private keys, as anvil prints them.
pub const KEYS: [&str; 10] = [
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
    "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
    "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
    "0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
    "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
];

/// The signer of one of the ten accounts.
#[must_use]
pub fn signer(index: usize) -> PrivateKeySigner {
    KEYS[index].parse().expect("a development key")
}

/// The address of one of the ten accounts.
#[must_use]
pub fn address(index: usize) -> Address {
    signer(index).address()
}

/// The address as text with its checksum, as it stands on the wire.
#[must_use]
pub fn text(index: usize) -> String {
    address(index).to_checksum(None)
}
