//! What a test may do to the chain: time, mining, reorganisations, cancelled authorizations.

use alloy_primitives::{Address, B256, Bytes};
use alloy_signer::SignerSync;
use alloy_sol_types::{SolCall, SolStruct};
use serde_json::{Value, json};

use super::{Anvil, number};
use crate::accounts::{self, OTHER};
use crate::token::{self, CHAIN_ID, CancelAuthorization, TestUsd, USDC};

impl Anvil {
    /// The time of the newest block, Unix seconds.
    pub async fn now(&self) -> u64 {
        number(
            &self
                .rpc()
                .call("eth_getBlockByNumber", json!(["latest", false]))
                .await["timestamp"],
        )
    }

    /// The number of the newest block.
    pub async fn height(&self) -> u64 {
        number(&self.rpc().call("eth_blockNumber", json!([])).await)
    }

    /// Gives the next block this time; later blocks run on from it.
    pub async fn set_next_time(&self, unix_seconds: u64) {
        self.rpc()
            .call("evm_setNextBlockTimestamp", json!([unix_seconds]))
            .await;
    }

    /// Sets the chain's clock and mines a block at that time.
    pub async fn jump_to(&self, unix_seconds: u64) {
        self.set_next_time(unix_seconds).await;
        self.mine(1).await;
    }

    /// Mines blocks.
    pub async fn mine(&self, blocks: u64) {
        self.rpc()
            .call("anvil_mine", json!([format!("{blocks:#x}")]))
            .await;
    }

    /// Turns mining of each transaction as it comes on or off.
    pub async fn set_automine(&self, on: bool) {
        self.rpc().call("evm_setAutomine", json!([on])).await;
    }

    /// Takes a transaction out of the pool.
    pub async fn drop_transaction(&self, hash: B256) {
        self.rpc()
            .call("anvil_dropTransaction", json!([hash]))
            .await;
    }

    /// The hashes of all transactions that wait in the pool.
    pub async fn waiting(&self) -> Vec<B256> {
        let pool = self.rpc().call("txpool_content", json!([])).await;
        let Some(senders) = pool["pending"].as_object() else {
            return Vec::new();
        };
        let transactions = senders
            .values()
            .filter_map(Value::as_object)
            .flat_map(|by_nonce| by_nonce.values());
        transactions
            .filter_map(|t| t["hash"].as_str()?.parse().ok())
            .collect()
    }

    /// Replaces the newest blocks by empty ones.
    pub async fn reorg(&self, depth: u64) {
        self.rpc().call("anvil_reorg", json!([depth, []])).await;
    }

    /// Remembers the state of the chain.
    pub async fn snapshot(&self) -> Value {
        self.rpc().call("evm_snapshot", json!([])).await
    }

    /// Goes back to a remembered state.
    pub async fn revert(&self, snapshot: Value) {
        assert_eq!(
            self.rpc().call("evm_revert", json!([snapshot])).await,
            json!(true)
        );
    }

    /// Lets a development account cancel its own authorization. Anybody may send that; account 3 does.
    pub async fn cancel_authorization(&self, authorizer: usize, nonce: B256) {
        let domain = token::domain("USDC", "2", CHAIN_ID, USDC);
        let message = CancelAuthorization {
            authorizer: accounts::address(authorizer),
            nonce,
        };
        let digest = message.eip712_signing_hash(&domain);
        let signature = accounts::signer(authorizer)
            .sign_hash_sync(&digest)
            .expect("a signature");
        let call = TestUsd::cancelAuthorizationCall {
            authorizer: message.authorizer,
            nonce,
            signature: Bytes::copy_from_slice(&signature.as_bytes()),
        };
        self.send(OTHER, USDC, call.abi_encode()).await;
    }

    /// Moves a development account's tokens away, so that it cannot pay any more.
    pub async fn empty(&self, account: usize, to: Address) {
        let value = self.balance(accounts::address(account)).await;
        self.send(
            account,
            USDC,
            TestUsd::transferCall { to, value }.abi_encode(),
        )
        .await;
    }
}
