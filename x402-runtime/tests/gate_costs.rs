//! Prices that cost more to settle than they earn: found at the start, with the figures.
#![cfg(feature = "sandbox")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "a test fails by panicking, and the recorder can do more than is needed"
)]

#[path = "common/all.rs"]
mod common;
#[path = "telemetry_support/tree.rs"]
mod tree;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Double, PAY_TO, Shop};
use tree::Tree;
use x402_runtime::evm::SettlePath;
use x402_runtime::facilitator::{
    BoxFuture, Facilitator, FacilitatorError, FacilitatorRequest, SettleCost, SettleOutcome,
};
use x402_runtime::handler::{QuoteError, QuoteRequest};
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::evm::EvmKind;
use x402_runtime::model::network::Network;
use x402_runtime::model::price::Price;
use x402_runtime::model::wire::{SupportedResponse, VerifyResponse};
use x402_runtime::paid;
use x402_runtime::paywall::{Paywall, PaywallBuilder, Rail, Warning};
use x402_runtime::sandbox::Sandbox;
use x402_runtime::telemetry::event;

/// A word.
#[paid(GET "/word", price = "0.001 USD")]
async fn word() -> &'static str {
    "word"
}

/// A book.
#[paid(GET "/book", price = "0.01 USD")]
async fn book() -> &'static str {
    "book"
}

fn sells(sandbox: &Sandbox) -> PaywallBuilder<Shop> {
    Paywall::builder()
        .origin("https://api.example.com")
        .pay_to(PAY_TO)
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .accept(Rail::custom(sandbox.permit_asset()))
        .facilitator_arc(sandbox.facilitator())
        .ledger(MemoryLedger::default())
        .clock_arc(sandbox.clock())
        .mount(word)
        .mount(book)
}

async fn warnings(builder: PaywallBuilder<Shop>) -> Vec<Warning> {
    let paywall = builder
        .build()
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    paywall.warnings().to_vec()
}

/// Endpoint, rail and gas of each loss.
fn losses(warnings: &[Warning]) -> Vec<(&str, &str, u64)> {
    warnings
        .iter()
        .map(|warning| match warning {
            Warning::Loss {
                endpoint,
                rail,
                gas,
                ..
            } => (endpoint.as_str(), rail.as_str(), *gas),
            other => panic!("{other}"),
        })
        .collect()
}

#[tokio::test]
async fn a_price_below_its_settlement_is_warned_of_on_each_rail() {
    let sandbox = Sandbox::new().unwrap();
    // 74,000 gas at some 0.01 gwei, 3,000 dollars for a coin: more than 0.2 cents.
    let (tree, _guard) = Tree::record();
    let found = warnings(sells(&sandbox).native_price(Network::BASE_SEPOLIA, "3000 USD")).await;
    let (plain, permit2) = (SettlePath::Eip3009.gas(), SettlePath::Permit2Exact.gas());
    assert_eq!(
        losses(&found),
        [
            ("word", "base-sepolia:USDC", plain),
            ("word", "base-sepolia:PUSD", permit2)
        ]
    );
    let text = found[0].to_string();
    assert!(text.contains("0.001 USDC against about 0.00"), "{text}");
    assert!(text.contains("74000 gas at 1"), "{text}");
    let told = tree.named(event::START_WARNING);
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].field("code"), "settlement_loss");
    assert_eq!(told[0].field("rail"), "base-sepolia:USDC");
    assert_eq!(told[0].field("detail"), text);

    // Gas ten times as dear makes the other one a loss as well.
    sandbox.set_base_fee(100_000_000);
    sandbox.mine();
    let found = warnings(sells(&sandbox).native_price(Network::BASE_SEPOLIA, "3000 USD")).await;
    assert_eq!(losses(&found).len(), 4);
    // A cheaper coin makes both earn again.
    let found = warnings(sells(&sandbox).native_price(Network::BASE_SEPOLIA, "3 USD")).await;
    assert_eq!(found, []);
}

async fn haggle(_: QuoteRequest) -> Result<Price, QuoteError> {
    Ok("1 USD".parse().expect("a price"))
}

/// A thing.
#[paid(GET "/thing", price = dynamic(haggle, max = "1 USD", min = "0.0005 USD"))]
async fn thing() -> &'static str {
    "thing"
}

#[tokio::test]
async fn of_a_price_that_varies_the_least_counts() {
    let sandbox = Sandbox::new().unwrap();
    let varies = sells(&sandbox)
        .mount(thing)
        .native_price(Network::BASE_SEPOLIA, "1000 USD");
    let found = warnings(varies).await;
    let [thing, ..] = &*losses(&found) else {
        panic!("{found:?}");
    };
    assert_eq!(thing.0, "thing");
    assert!(
        found[0].to_string().contains("0.0005 USDC against"),
        "{}",
        found[0]
    );
}

#[tokio::test]
async fn a_coin_without_a_sensible_price_is_a_mistake() {
    let sandbox = Sandbox::new().unwrap();
    for wrong in ["3000", "3000 EUR", "0 USD", "much"] {
        let built = sells(&sandbox).native_price(Network::BASE, wrong).build();
        assert_eq!(
            built.await.unwrap_err().codes(),
            ["setting_invalid"],
            "{wrong}"
        );
    }
}

/// Settles everywhere, at a cost that the test says.
struct Settler {
    double: Double,
    cost: Result<Option<SettleCost>, FacilitatorError>,
    asked: Arc<AtomicUsize>,
}

impl Facilitator for Settler {
    fn supported(&self) -> BoxFuture<'_, Result<SupportedResponse, FacilitatorError>> {
        self.double.supported()
    }

    fn verify<'a>(
        &'a self,
        request: &'a FacilitatorRequest,
    ) -> BoxFuture<'a, Result<VerifyResponse, FacilitatorError>> {
        self.double.verify(request)
    }

    fn settle<'a>(&'a self, request: &'a FacilitatorRequest) -> BoxFuture<'a, SettleOutcome> {
        self.double.settle(request)
    }

    fn settle_cost<'a>(
        &'a self,
        _: &'a Network,
        _: EvmKind,
    ) -> BoxFuture<'a, Result<Option<SettleCost>, FacilitatorError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(self.cost.clone()))
    }
}

#[tokio::test]
async fn without_a_price_of_the_coin_the_gas_is_told_where_it_costs_money() {
    let asked = Arc::new(AtomicUsize::new(0));
    let sells = |network: Network, cost| {
        let settler = Settler {
            double: Double::default(),
            cost,
            asked: Arc::clone(&asked),
        };
        // The same facilitator behind a pointer, as it is shared.
        Paywall::<Shop>::builder()
            .origin("https://api.example.com")
            .pay_to("0x52908400098527886E0F7030069857D2E4169EE7")
            .accept(Rail::new(network, "USDC"))
            .facilitator(Arc::new(settler))
            .ledger(MemoryLedger::default())
            .allow_volatile_ledger()
            .mount(word)
            .mount(book)
    };
    let cost = SettleCost {
        gas: 74_000,
        wei_per_gas: 5_000_000,
    };
    let found = warnings(sells(Network::BASE, Ok(Some(cost)))).await;
    let [warning] = &*found else {
        panic!("{found:?}");
    };
    assert_eq!(warning.code(), "settlement_cost_uncompared");
    let text = warning.to_string();
    assert!(
        text.contains("74000 gas at 5000000 wei") && text.contains("native_price"),
        "{text}"
    );

    let priced = sells(Network::BASE, Ok(Some(cost))).native_price(Network::BASE, "3000 USD");
    let found = warnings(priced).await;
    assert_eq!(losses(&found), [("word", "base:USDC", 74_000)]);

    let found = warnings(sells(Network::BASE, Err(FacilitatorError::Timeout))).await;
    assert_eq!(found[0].code(), "settlement_cost_unread");
    assert_eq!(warnings(sells(Network::BASE, Ok(None))).await, []);
    let before = asked.load(Ordering::SeqCst);
    assert_eq!(
        warnings(sells(Network::BASE_SEPOLIA, Ok(Some(cost)))).await,
        []
    );
    assert_eq!(asked.load(Ordering::SeqCst), before, "nobody needs to know");
}
