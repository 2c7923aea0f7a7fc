//! What payments through Permit2 need: the contracts on the chain, a token without permits, and a buyer that knows it.

use alloy_primitives::{Address, Bytes, U256, address};
use alloy_sol_types::{SolCall, sol};
use serde_json::json;
use x402_client::{Approvals, Budget, Client, ClientBuilder, Policy, Wallet};
use x402_model::asset::{Asset, TransferMethod};
use x402_model::evm::permit2::{EXACT_PERMIT2_PROXY, PERMIT2, UPTO_PERMIT2_PROXY};
use x402_model::network::Network;

use crate::accounts::{self, OTHER, PAYER};
use crate::anvil::Anvil;

/// A token without permits and without signed transfers, like WETH.
pub const WRAPPED: Address = address!("0x0000000000000000000000000000000000003e74");

/// A token with permits and without signed transfers.
pub const PERMITTING: Address = address!("0x0000000000000000000000000000000000002612");

sol! {
    function approve(address spender, uint256 amount) external returns (bool);
    function balanceOf(address account) external view returns (uint256);
    function mint(address to, uint256 amount) external;
}

/// Permit2 on a test chain.
#[allow(async_fn_in_trait, reason = "tests await it where they call it")]
pub trait Rails {
    /// Places Permit2, the two proxies, [`WRAPPED`] and [`PERMITTING`], of which the payer gets 5 units each.
    async fn place_permit2(&self);
    /// Approves Permit2 for an amount of a token of the payer's, by a transaction.
    async fn allow_permit2(&self, token: Address, amount: u64);
    /// What an account holds of any token.
    async fn balance_of(&self, token: Address, account: Address) -> U256;
}

impl Rails for Anvil {
    async fn place_permit2(&self) {
        for (at, contract) in [
            (PERMIT2, "TestPermit2"),
            (EXACT_PERMIT2_PROXY, "TestExactProxy"),
            (UPTO_PERMIT2_PROXY, "TestUptoProxy"),
        ] {
            self.place_code(contract, at).await;
        }
        let mint = mintCall {
            to: accounts::address(PAYER),
            amount: U256::from(5_000_000),
        };
        for (token, at) in [("WethLikeToken", WRAPPED), ("TestPermitToken", PERMITTING)] {
            self.place_token(token, at).await;
            self.send(OTHER, at, mint.abi_encode()).await;
        }
    }

    async fn allow_permit2(&self, token: Address, amount: u64) {
        let call = approveCall {
            spender: PERMIT2,
            amount: U256::from(amount),
        };
        self.send(PAYER, token, call.abi_encode()).await;
    }

    async fn balance_of(&self, token: Address, account: Address) -> U256 {
        let data = Bytes::from(balanceOfCall { account }.abi_encode());
        let params = json!([{"to": token, "data": data}, "latest"]);
        let word = self.rpc().call("eth_call", params).await;
        serde_json::from_value(word).expect("a balance")
    }
}

/// The payer's client, with a dollar, which takes [`WRAPPED`] for a dollar too.
pub fn builder() -> ClientBuilder<Wallet, Budget> {
    let wrapped = Asset {
        network: Network::BASE_SEPOLIA,
        address: WRAPPED,
        symbol: "WRAP".into(),
        decimals: 6,
        eip712: None,
        transfer: TransferMethod::Permit2,
        eip2612: false,
        usd_pegged: true,
    };
    // A token without permits is approved by a transaction without limit, which a buyer has to allow.
    let policy = Policy::default()
        .approvals(Approvals::Any)
        .allow_asset(wrapped);
    Client::builder()
        .wallet(Wallet::from_local_key(accounts::signer(PAYER)))
        .budget(Budget::new("1 USD", "1 USD").expect("a budget"))
        .policy(policy.expect("a new asset"))
}
