//! The test token as tests see it: its calls, its typed data and its address.

use alloy_primitives::{Address, B256, address};
use alloy_sol_types::Eip712Domain;

pub use abi::{CancelAuthorization, TestUsd, TransferWithAuthorization};

/// The contract's interface, from its Solidity source in `contracts/`.
#[allow(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    reason = "generated from Solidity"
)]
mod abi {
    alloy_sol_types::sol! {
        #[derive(Debug)]
        struct TransferWithAuthorization {
            address from;
            address to;
            uint256 value;
            uint256 validAfter;
            uint256 validBefore;
            bytes32 nonce;
        }

        #[derive(Debug)]
        struct CancelAuthorization {
            address authorizer;
            bytes32 nonce;
        }

        interface TestUsd {
            event Transfer(address indexed from, address indexed to, uint256 value);
            event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);

            function initialize(string name, string symbol, string version, uint8 decimals) external;
            function mint(address to, uint256 value) external;
            function transfer(address to, uint256 value) external returns (bool);
            function approve(address spender, uint256 value) external returns (bool);
            function balanceOf(address account) external view returns (uint256);
            function authorizationState(address authorizer, bytes32 nonce) external view returns (bool);
            function cancelAuthorization(address authorizer, bytes32 nonce, bytes signature) external;
            function transferWithAuthorization(
                address from,
                address to,
                uint256 value,
                uint256 validAfter,
                uint256 validBefore,
                bytes32 nonce,
                bytes signature
            ) external;
            function setLie(uint8 lie) external;
        }
    }
}

/// Base Sepolia, which the test chain calls itself.
pub const CHAIN_ID: u64 = 84_532;

/// The CAIP-2 name of the test chain.
pub const NETWORK: &str = "eip155:84532";

/// USDC on Base Sepolia: where the test chain has the test token.
pub const USDC: Address = address!("0x036CbD53842c5426634e7929541eC2318f3dCF7e");

/// The EIP-712 domain of the token at an address of the test chain.
#[must_use]
pub fn domain(name: &str, version: &str, chain_id: u64, contract: Address) -> Eip712Domain {
    Eip712Domain::new(
        Some(name.to_owned().into()),
        Some(version.to_owned().into()),
        Some(alloy_primitives::U256::from(chain_id)),
        Some(contract),
        None,
    )
}

/// A nonce that no other call in this process returns, and hardly one in another.
#[must_use]
pub fn fresh_nonce() -> B256 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let seed = format!(
        "{}/{count}/{:?}",
        std::process::id(),
        std::time::SystemTime::now()
    );
    alloy_primitives::keccak256(seed)
}
