//! A local chain with the test token at the address of Base Sepolia's USDC, and our stand-ins for Permit2 and the x402
//! proxies at their published addresses.

mod control;
mod install;

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, Bytes, U256, hex};
use alloy_sol_types::{SolCall, SolEvent};
use serde_json::{Value, json};
use x402_model::evm::permit2::{EXACT_PERMIT2_PROXY, PERMIT2, UPTO_PERMIT2_PROXY};

use crate::accounts::{self, OTHER, PAYER};
use crate::contracts;
use crate::rpc::Rpc;
use crate::token::{CHAIN_ID, TestUsd, USDC};

/// How long a chain may take to start on a busy machine.
const START: Duration = Duration::from_secs(30);

/// What every payer holds at the start, in atomic units (5 USDC).
pub const FUNDS: u64 = 5_000_000;

/// A running chain. Dropping it ends the process.
#[derive(Debug)]
pub struct Anvil {
    process: Child,
    rpc: Rpc,
    url: String,
}

/// One `Transfer` of the test token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Who paid.
    pub from: Address,
    /// Who was paid.
    pub to: Address,
    /// Atomic units.
    pub value: U256,
    /// The transaction.
    pub transaction: B256,
}

impl Anvil {
    /// Starts a chain at the present time, places the token and gives the payer its funds.
    pub async fn start() -> Self {
        Self::start_at(None).await
    }

    /// Starts a chain whose first block has this Unix time. The chain's clock runs on from there.
    pub async fn start_at(unix_seconds: Option<u64>) -> Self {
        let chain = Self::launch(unix_seconds).await;
        for (artifact, at) in [
            ("TestPermit2", PERMIT2),
            ("TestExactProxy", EXACT_PERMIT2_PROXY),
            ("TestUptoProxy", UPTO_PERMIT2_PROXY),
        ] {
            chain.place_code(artifact, at).await;
        }
        chain.place_token("TestUsd", USDC).await;
        chain.fund(accounts::address(PAYER), FUNDS).await;
        chain
    }

    async fn launch(unix_seconds: Option<u64>) -> Self {
        for _ in 0..3 {
            // The port is free now; if somebody else takes it first, anvil ends at once and another is tried.
            let port = TcpListener::bind("127.0.0.1:0")
                .and_then(|l| l.local_addr())
                .expect("a free port")
                .port();
            let mut command = Command::new(install::program());
            command.args([
                "--quiet",
                "--host",
                "127.0.0.1",
                "--chain-id",
                &CHAIN_ID.to_string(),
            ]);
            command.args(["--port", &port.to_string()]);
            if let Some(seconds) = unix_seconds {
                command.args(["--timestamp", &seconds.to_string()]);
            }
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let process = command.spawn().expect("anvil starts");
            let url = format!("http://127.0.0.1:{port}");
            let mut chain = Self {
                process,
                rpc: Rpc::new(&url),
                url,
            };
            if chain.is_ready().await {
                return chain;
            }
        }
        panic!("anvil did not start");
    }

    async fn is_ready(&mut self) -> bool {
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            if self
                .rpc
                .try_call("eth_chainId", json!([]))
                .await
                .is_ok_and(|id| id == json!(format!("{CHAIN_ID:#x}")))
            {
                return true;
            }
            if self
                .process
                .try_wait()
                .expect("the process can be asked")
                .is_some()
            {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    /// The JSON-RPC URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `host:port` of the JSON-RPC endpoint.
    #[must_use]
    pub fn address(&self) -> std::net::SocketAddr {
        self.url
            .trim_start_matches("http://")
            .parse()
            .expect("the address of the chain")
    }

    /// The JSON-RPC client.
    #[must_use]
    pub const fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// Places the run-time code of one of our contracts.
    pub async fn place_code(&self, artifact: &str, at: Address) {
        let code = contracts::runtime(artifact);
        self.rpc.call("anvil_setCode", json!([at, code])).await;
    }

    /// Places the run-time code of one of our contracts and initialises it as 6-decimal USDC.
    pub async fn place_token(&self, artifact: &str, at: Address) {
        self.place_code(artifact, at).await;
        let call = TestUsd::initializeCall {
            name: "USDC".into(),
            symbol: "USDC".into(),
            version: "2".into(),
            decimals: 6,
        };
        self.send(OTHER, at, call.abi_encode()).await;
    }

    /// Mints test tokens.
    pub async fn fund(&self, to: Address, value: u64) {
        let call = TestUsd::mintCall {
            to,
            value: U256::from(value),
        };
        self.send(OTHER, USDC, call.abi_encode()).await;
    }

    /// Lets Permit2 move a development account's tokens, all or none.
    pub async fn approve_permit2(&self, owner: usize, all: bool) {
        let call = TestUsd::approveCall {
            spender: PERMIT2,
            value: if all { U256::MAX } else { U256::ZERO },
        };
        self.send(owner, USDC, call.abi_encode()).await;
    }

    /// Sets an account's native money, in wei.
    pub async fn set_native_balance(&self, account: Address, wei: U256) {
        self.rpc
            .call("anvil_setBalance", json!([account, wei]))
            .await;
    }

    /// Sends a transaction from a development account, mines it, and fails if it reverts.
    pub async fn send(&self, from: usize, to: Address, data: Vec<u8>) -> B256 {
        let hash = self.submit(from, to, data).await;
        let receipt = self
            .receipt(hash)
            .await
            .unwrap_or_else(|| panic!("{hash} was not mined"));
        assert_eq!(receipt["status"], "0x1", "{hash} reverted");
        hash
    }

    /// Sends a transaction from a development account without waiting.
    pub async fn submit(&self, from: usize, to: Address, data: Vec<u8>) -> B256 {
        let transaction =
            json!([{"from": accounts::address(from), "to": to, "data": Bytes::from(data)}]);
        let hash = self.rpc.call("eth_sendTransaction", transaction).await;
        serde_json::from_value(hash).expect("a transaction hash")
    }

    /// The receipt of a transaction, if it is in a block.
    pub async fn receipt(&self, hash: B256) -> Option<Value> {
        for _ in 0..200 {
            let receipt = self
                .rpc
                .call("eth_getTransactionReceipt", json!([hash]))
                .await;
            if !receipt.is_null() {
                return Some(receipt);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        None
    }

    async fn view<C: SolCall>(&self, at: Address, call: C) -> C::Return {
        let request = json!([{"to": at, "data": Bytes::from(call.abi_encode())}, "latest"]);
        let answer: Bytes =
            serde_json::from_value(self.rpc.call("eth_call", request).await).expect("bytes");
        C::abi_decode_returns(&answer).expect("the token answers")
    }

    /// The balance in atomic units.
    pub async fn balance(&self, account: Address) -> U256 {
        self.view(USDC, TestUsd::balanceOfCall { account }).await
    }

    /// Whether the nonce was used or cancelled.
    pub async fn is_spent(&self, authorizer: Address, nonce: B256) -> bool {
        self.view(USDC, TestUsd::authorizationStateCall { authorizer, nonce })
            .await
    }

    /// Every `Transfer` of USDC between accounts, oldest first; minting is left out.
    pub async fn transfers(&self) -> Vec<Transfer> {
        self.transfers_of(USDC).await
    }

    /// Every `Transfer` of a token between accounts, oldest first; minting is left out.
    pub async fn transfers_of(&self, token: Address) -> Vec<Transfer> {
        let filter = json!([{"fromBlock": "0x0", "address": token, "topics": [TestUsd::Transfer::SIGNATURE_HASH]}]);
        let logs = self.rpc.call("eth_getLogs", filter).await;
        let logs = logs.as_array().expect("a list of logs");
        let transfers = logs.iter().map(|log| Transfer {
            from: Address::from_word(
                log["topics"][1]
                    .as_str()
                    .expect("a topic")
                    .parse()
                    .expect("a word"),
            ),
            to: Address::from_word(
                log["topics"][2]
                    .as_str()
                    .expect("a topic")
                    .parse()
                    .expect("a word"),
            ),
            value: U256::from_be_slice(
                &hex::decode(log["data"].as_str().expect("data")).expect("hex"),
            ),
            transaction: log["transactionHash"]
                .as_str()
                .expect("a hash")
                .parse()
                .expect("a hash"),
        });
        transfers
            .filter(|transfer| transfer.from != Address::ZERO)
            .collect()
    }

    /// How many transfers went to this account.
    pub async fn payments_to(&self, to: Address) -> usize {
        self.transfers()
            .await
            .iter()
            .filter(|transfer| transfer.to == to)
            .count()
    }

    /// How many transactions an account has sent.
    pub async fn transaction_count(&self, account: Address) -> u64 {
        number(
            &self
                .rpc
                .call("eth_getTransactionCount", json!([account, "latest"]))
                .await,
        )
    }
}

/// A JSON-RPC quantity.
fn number(value: &Value) -> u64 {
    let text = value.as_str().expect("a quantity");
    u64::from_str_radix(text.trim_start_matches("0x"), 16).expect("a quantity")
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left running.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
