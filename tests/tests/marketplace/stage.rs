//! A chain with a marketplace and a seller that is dearer than its document, and what must have happened there.

use alloy_primitives::U256;
use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};
use tempfile::TempDir;
use x402_model::asset::checksum;
use x402_model::money::AtomicAmount;
use x402_model::network::Network;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::paid;
use x402_runtime::paywall::{Paywall, Rail};
use x402_tests::accounts::{self, PAYEE, PAYER, SETTLER};
use x402_tests::marketplace::{key_file, start};
use x402_tests::world::{Books, World};

use crate::list::{CALLS, Call, FIRST_BUDGET, Outcome, Said, answer};

/// Weather at twice the price that the marketplace's document has.
#[paid(GET "/weather/{city}", price = "0.02 USDC")]
async fn weather(Path(city): Path<String>) -> Json<Value> {
    Json(json!({"city": city, "celsius": 21}))
}

/// Where a client buys.
#[derive(Debug)]
pub(crate) struct Stage {
    world: World,
    folder: TempDir,
    /// The origin of the marketplace.
    pub(crate) market: String,
    /// The origin of the dear seller.
    pub(crate) dear: String,
    before: Books,
    sent: u64,
    dear_seller: Paywall,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let world = World::anvil().await;
        let chain = world.as_anvil();
        let folder = tempfile::tempdir().unwrap();
        let _ = key_file(folder.path(), PAYER);
        let settler = key_file(folder.path(), SETTLER);
        let ledger = folder.path().join("payments.sqlite");
        let market = start(vec![
            ("X402_LISTEN", "127.0.0.1:0".to_owned()),
            ("X402_PAY_TO", accounts::text(PAYEE)),
            ("X402_NETWORK", "base-sepolia".to_owned()),
            ("X402_RPC_URL", chain.url().to_owned()),
            (
                "X402_SETTLER_KEY_FILE",
                settler.to_str().unwrap().to_owned(),
            ),
            ("X402_LEDGER", ledger.to_str().unwrap().to_owned()),
        ])
        .await;
        let (dear_seller, dear) = dear(&world).await;
        let before = world.books().await;
        let sent = world
            .as_anvil()
            .transaction_count(accounts::address(PAYER))
            .await;
        Self {
            world,
            folder,
            market,
            dear,
            before,
            sent,
            dear_seller,
        }
    }

    /// Where the chain is asked.
    pub(crate) fn node(&self) -> &str {
        self.world.as_anvil().url()
    }

    /// The file with the payer's key.
    pub(crate) fn key(&self) -> std::path::PathBuf {
        self.folder.path().join(format!("account-{PAYER}.key"))
    }

    /// Checks what a client says of its calls, and that the chain says the same: what was quoted is what was signed, what was charged
    /// moved in a transaction of its own, and nothing else did.
    pub(crate) async fn check(self, said: &[Said]) {
        let names: Vec<&str> = said.iter().map(|one| &*one.call).collect();
        let due: Vec<&str> = CALLS.iter().map(|call| call.name).collect();
        assert_eq!(names, due);
        let mut payments = Vec::new();
        let mut spent = U256::ZERO;
        for (place, (call, said)) in CALLS.iter().zip(said).enumerate() {
            let quoted = said
                .quote
                .as_ref()
                .map(|quote| (&*quote.kind, &*quote.most));
            assert_eq!(quoted, call.quote, "{}", call.name);
            match call.outcome {
                Outcome::Refused(code) => {
                    assert_eq!(said.refused, Some((code.to_owned(), json!(false))));
                }
                Outcome::RefusedThere(code) => {
                    assert_eq!(said.refused, Some((code.to_owned(), json!("maybe"))));
                }
                Outcome::Free => {
                    assert!(said.receipt.is_none(), "{said:?}");
                    served(call, said);
                }
                Outcome::Paid(units) => {
                    served(call, said);
                    payments.push((units, receipt(call.quote, units, said)));
                    spent += U256::from(units);
                }
            }
            if place < FIRST_BUDGET {
                assert_eq!(said.spent, dollars(spent), "{}", call.name);
            }
        }
        let last = said.last().expect("calls");
        assert_eq!(last.spent, "0.01", "what was refused is not spent");
        self.settled(&payments).await;
        self.dear_seller.shutdown().await;
    }

    /// Each payment stands on the chain as one transfer, in its order and in a settlement of its own.
    async fn settled(&self, payments: &[(u64, String)]) {
        let chain = self.world.as_anvil();
        let transfers: Vec<_> = chain
            .transfers()
            .await
            .into_iter()
            .map(|one| {
                assert_eq!(one.from, accounts::address(PAYER));
                assert_eq!(one.to, accounts::address(PAYEE));
                (one.value.to::<u64>(), one.transaction.to_string())
            })
            .collect();
        assert_eq!(transfers, payments);
        let sum = payments.iter().map(|(units, _)| units).sum();
        let settlements = payments.len() as u64;
        self.before.moved(&self.world, sum, settlements).await;
        let sent = chain.transaction_count(accounts::address(PAYER)).await;
        assert_eq!(sent, self.sent, "the payer has sent a transaction");
    }
}

fn served(call: &Call, said: &Said) {
    assert_eq!(said.refused, None, "{said:?}");
    assert_eq!(said.value, answer(call.name), "{}", call.name);
}

/// Checks a receipt against quote and charge, and gives the transaction that it names.
fn receipt(quote: Option<(&str, &str)>, units: u64, said: &Said) -> String {
    let name = &said.call;
    let receipt = said.receipt.as_ref().expect(name);
    let charged = dollars(U256::from(units));
    assert!(receipt.settled, "{said:?}");
    assert_eq!(receipt.charged.as_ref(), Some(&charged), "{name}");
    match quote.expect(name) {
        ("exact", most) => assert_eq!((&*charged, &*receipt.amount), (most, most), "{name}"),
        ("up-to", most) => assert_eq!(receipt.amount, most, "{name}"),
        (_, most) => assert!(charged.len() > 2 && receipt.amount == charged && *charged <= *most),
    }
    receipt.transaction.clone().expect(name)
}

/// Atomic units as dollars.
pub(crate) fn dollars(units: U256) -> String {
    AtomicAmount::new(units).to_decimal(6)
}

async fn dear(world: &World) -> (Paywall, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let paywall = Paywall::builder()
        .origin(&origin)
        .pay_to(checksum(accounts::address(PAYEE)))
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .facilitator_arc(world.facilitator())
        .ledger(MemoryLedger::default())
        .mount(weather)
        .build()
        .await
        .unwrap();
    let app = paywall.router();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (paywall, origin)
}
