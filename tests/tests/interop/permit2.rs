//! Our client at a seller of other people's packages that is paid through Permit2.

use alloy_primitives::U256;
use tokio::process::Command;
use x402_client::{EvmKind, JsonRpcReader, Receipt};
use x402_model::network::Network;
use x402_tests::accounts::{self, PAYEE, PAYER};
use x402_tests::permit2::{Rails, WRAPPED, builder};
use x402_tests::token::USDC;

use crate::install::Tools;
use crate::process::Peer;
use crate::stage::{SETTLERS, Stage};

/// `@x402/express` and `@x402/core` in one program.
struct Stall {
    stage: Stage,
    origin: String,
    process: Peer,
}

impl Stall {
    async fn open(tools: &Tools) -> Self {
        let stage = Stage::set().await;
        stage.chain.place_permit2().await;
        let mut command = Command::new("node");
        command
            .arg(tools.js.join("sell-permit2.mjs"))
            .env("PEER_RPC_URL", stage.chain.url())
            .env("PEER_KEY_FILE", stage.key(SETTLERS[0]))
            .env("PEER_PAY_TO", accounts::text(PAYEE))
            .env("PEER_ASSET", USDC.to_checksum(None))
            .env("PEER_SECOND_ASSET", WRAPPED.to_checksum(None));
        let mut process = Peer::start("@x402/express with Permit2", &mut command);
        let origin = process.line("ready ").await;
        let origin = origin.unwrap_or_else(|said| panic!("{said}"));
        Self {
            stage,
            origin,
            process,
        }
    }

    /// What the payee holds of both tokens.
    async fn earned(&self) -> (U256, U256) {
        let payee = accounts::address(PAYEE);
        let chain = &self.stage.chain;
        (
            chain.balance_of(USDC, payee).await,
            chain.balance_of(WRAPPED, payee).await,
        )
    }

    async fn buy(&self, path: &str) -> Receipt {
        let reader = JsonRpcReader::new()
            .endpoint(Network::BASE_SEPOLIA, self.stage.chain.url())
            .unwrap();
        let client = builder().chain(reader).build().unwrap();
        let answer = client.get(&format!("{}{path}", self.origin)).send().await;
        let answer = answer.unwrap_or_else(|error| panic!("{error:?}\n{}", self.process.quote()));
        assert!(answer.is_success(), "{path}: {}", self.process.quote());
        answer.receipt().expect("it was paid for").clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_client_pays_others_through_permit2() {
    let tools = Tools::fetch();
    let stall = Stall::open(&tools).await;

    let receipt = stall.buy("/exact").await;
    assert_eq!(
        (receipt.kind, receipt.is_settled()),
        (EvmKind::Permit2Exact, true)
    );
    assert_eq!(stall.earned().await, (U256::from(10_000), U256::ZERO));

    let receipt = stall.buy("/metered").await;
    assert_eq!(
        (receipt.kind, receipt.is_settled()),
        (EvmKind::Permit2Upto, true)
    );
    assert_eq!(receipt.charged_text().as_deref(), Some("0.012345 USDC"));
    assert_eq!(stall.earned().await, (U256::from(22_345), U256::ZERO));

    let sent = stall
        .stage
        .chain
        .transaction_count(accounts::address(PAYER))
        .await;
    assert_eq!(sent, 0, "permits need no transaction of the payer");
    let receipt = stall.buy("/wrapped").await;
    assert!(receipt.is_settled());
    assert_eq!(
        stall.earned().await,
        (U256::from(22_345), U256::from(10_000))
    );
}
