//! A chain of its own for each side of the matrix, and what must have happened on it after a paid call.

use std::path::{Path, PathBuf};

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use x402_tests::accounts::{self, PAYEE, PAYER};
use x402_tests::anvil::Anvil;
use x402_tests::buyer::{Payment, decode};
use x402_tests::marketplace::key_file;
use x402_tests::permit2::Rails as _;
use x402_tests::token::USDC;

use crate::means::Means;

/// Settles for the facilitators: one account for each, so that none disturbs another's nonces.
pub(crate) const SETTLERS: [usize; 4] = [2, 4, 5, 6];

/// What the payer holds at the start of a side: 100 USDC.
const FUNDS: u64 = 100_000_000;

/// One call that costs money.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) body: Option<&'static str>,
    /// What is charged, in atomic units of a token with six decimals.
    pub(crate) price: u64,
    /// What the answer must contain.
    pub(crate) holds: &'static str,
    pub(crate) means: Means,
}

/// What a buyer says that it got.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// The header that the receipt came in, in lower case.
    pub(crate) header: Option<String>,
    pub(crate) receipt: Option<Value>,
}

impl Answer {
    /// The receipt of a stream: its last event, after which nothing comes. Our client has taken it off and gives it as the header
    /// that other answers have.
    pub(crate) fn last_event(&self) -> Option<Value> {
        let (_, last) = self.body.rsplit_once("event: x402-payment-response\n")?;
        let data = last.strip_prefix("data: ")?.strip_suffix("\n\n")?;
        decode(data).filter(|_| !data.contains('\n'))
    }
}

/// How a receipt comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receipt {
    pub(crate) header: &'static str,
    pub(crate) network: &'static str,
}

impl Receipt {
    /// The receipt of version 2.
    pub(crate) const V2: Self = Self {
        header: "payment-response",
        network: "eip155:84532",
    };
    /// The receipt of version 1.
    pub(crate) const V1: Self = Self {
        header: "x-payment-response",
        network: "base-sepolia",
    };
    /// What x402-axum sends for version 1.
    pub(crate) const AXUM_V1: Self = Self {
        header: "payment-response",
        network: "base-sepolia",
    };
}

/// A chain, and the keys of those who act on it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) chain: Anvil,
    folder: TempDir,
}

/// What is on the books at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Books {
    payer: U256,
    payee: U256,
    transfers: usize,
    settlements: u64,
    /// Transactions of the payer, who needs none to pay.
    sent: u64,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let chain = Anvil::start().await;
        chain.fund(accounts::address(PAYER), FUNDS).await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        for account in SETTLERS.into_iter().chain([PAYER]) {
            let _ = key_file(folder.path(), account);
        }
        Self { chain, folder }
    }

    /// The file with an account's key.
    pub(crate) fn key(&self, account: usize) -> PathBuf {
        self.folder.path().join(format!("account-{account}.key"))
    }

    /// A folder of this stage.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What is on the books of one token.
    pub(crate) async fn books(&self, settler: usize, token: Address) -> Books {
        let sent = async |account| {
            let account = accounts::address(account);
            self.chain.transaction_count(account).await
        };
        let held = async |account| {
            let account = accounts::address(account);
            self.chain.balance_of(token, account).await
        };
        Books {
            payer: held(PAYER).await,
            payee: held(PAYEE).await,
            transfers: self.chain.transfers_of(token).await.len(),
            settlements: sent(settler).await,
            sent: sent(PAYER).await,
        }
    }

    /// Checks that one call was answered, that exactly its price moved exactly once, without a transaction of the payer's, and that
    /// the receipt says so.
    pub(crate) async fn check(
        &self,
        before: &Books,
        settler: usize,
        call: &Call,
        expected: Receipt,
        answer: &Answer,
    ) -> Result<(), String> {
        let price = U256::from(call.price);
        let due = Books {
            payer: before.payer - price,
            payee: before.payee + price,
            transfers: before.transfers + 1,
            settlements: before.settlements + 1,
            sent: before.sent,
        };
        let token = call.means.token();
        let after = self.books(settler, token).await;
        if after != due {
            return Err(format!(
                "the books are {after:?} instead of {due:?}: {answer:?}"
            ));
        }
        let transfer = self.chain.transfers_of(token).await.pop();
        let transfer = transfer.expect("the payment");
        let event = answer.last_event().filter(|_| call.means.is_streamed());
        let (header, receipt) = match event {
            Some(event) => (None, Some(event)),
            None => (Some(expected.header), answer.receipt.clone()),
        };
        let receipt = receipt.unwrap_or_default();
        let payer = receipt["payer"].as_str().unwrap_or_default();
        let transaction = transfer.transaction.to_string();
        for (what, holds) in [
            ("a good status", answer.status == 200),
            ("the goods", answer.body.contains(call.holds)),
            ("the receipt's header", answer.header.as_deref() == header),
            ("success", receipt["success"] == true),
            ("the transaction", receipt["transaction"] == *transaction),
            (
                "the amount",
                !call.means.is_metered() || receipt["amount"] == *call.price.to_string(),
            ),
            ("the network", receipt["network"] == expected.network),
            // Some peers write addresses without a checksum.
            (
                "the payer",
                payer.eq_ignore_ascii_case(&accounts::text(PAYER)),
            ),
            ("the right payee", transfer.to == accounts::address(PAYEE)),
        ] {
            if !holds {
                return Err(format!(
                    "{} {} came without {what}: {answer:?}",
                    call.method, call.path
                ));
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_call_counts_only_if_its_price_moved_once_and_the_receipt_is_about_it() {
    let stage = Stage::set().await;
    let (settler, call) = (SETTLERS[0], crate::sellers::MARKET[0]);
    let mut answer = Answer {
        status: 200,
        body: r#"{"city":"oslo"}"#.to_owned(),
        header: Some("payment-response".to_owned()),
        receipt: None,
    };
    let before = stage.books(settler, USDC).await;
    let check = async |answer: &Answer| {
        let checked = stage.check(&before, settler, &call, Receipt::V2, answer);
        checked.await
    };
    assert!(check(&answer).await.unwrap_err().starts_with("the books"));

    let terms = json!({"accepts": [{
        "network": "eip155:84532", "asset": USDC, "amount": "10000", "maxTimeoutSeconds": 300,
        "payTo": accounts::text(PAYEE), "extra": {"name": "USDC", "version": "2"},
    }]});
    let pay = async || {
        let payment = Payment::new(PAYER, &terms, stage.chain.now().await);
        let call = payment.call().abi_encode();
        stage.chain.send(settler, USDC, call).await.to_string()
    };
    let transaction = pay().await;
    let receipt = |transaction: &str| {
        Some(json!({
            "success": true, "transaction": transaction, "network": "eip155:84532",
            "payer": accounts::text(PAYER),
        }))
    };
    answer.receipt = receipt("0x00");
    let why = check(&answer).await.unwrap_err();
    assert!(why.contains("without the transaction"), "{why}");
    answer.receipt = receipt(&transaction);
    assert_eq!(check(&answer).await, Ok(()));
    answer.status = 402;
    assert!(check(&answer).await.is_err());
    answer.status = 200;
    answer.receipt = receipt(&pay().await);
    assert!(check(&answer).await.unwrap_err().starts_with("the books"));
}
