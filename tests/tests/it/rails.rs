//! One endpoint, several rails: our client pays each of them in the sandbox, and exactly its price moves.

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_primitives::{Address, U256};
use alloy_sol_types::{SolCall, sol};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use x402_client::{Approvals, Budget, Client, EvmKind, Policy, Receipt, Wallet};
use x402_model::asset::{Asset, AssetTable, TransferMethod};
use x402_model::network::Network;
use x402_runtime::ledger::{Ledger, MemoryLedger, PaymentKey, State};
use x402_runtime::paid;
use x402_runtime::paywall::{Paywall, PaywallBuilder, Rail};
use x402_runtime::sandbox::{PERMIT_TOKEN, Sandbox, USDC};
use x402_tests::accounts::{self, PAYEE, PAYER};
use x402_tests::contracts;

sol! {
    function initialize(string name, string symbol, string version, uint8 decimals) external;
}

/// Where the odd token of a test is.
const ODD: Address = Address::repeat_byte(0x0d);

/// A poem.
#[paid(GET "/poem", price = "0.01 USD")]
async fn poem() -> &'static str {
    "roses are red"
}

/// A poem for an odd token.
#[paid(GET "/odd", price = "0.01 ODD", rails = ["base-sepolia:ODD"])]
async fn odd() -> &'static str {
    "violets are blue"
}

/// A seller on a chain in this process. Dropping it stops listening.
struct Shop {
    sandbox: Sandbox,
    ledger: Arc<MemoryLedger>,
    paywall: Paywall,
    origin: String,
    task: JoinHandle<()>,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shop {
    async fn open(sandbox: Sandbox, sells: impl FnOnce(PaywallBuilder) -> PaywallBuilder) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let ledger = Arc::new(MemoryLedger::new());
        let builder = Paywall::builder()
            .origin(origin.as_str())
            .pay_to(accounts::text(PAYEE))
            .facilitator_arc(sandbox.facilitator())
            .ledger_arc(Arc::clone(&ledger) as Arc<dyn Ledger>)
            .clock_arc(sandbox.clock());
        let paywall = sells(builder)
            .build()
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        let app: axum::Router = paywall.router();
        let task = tokio::spawn(async move {
            axum::serve(listener, app).await.unwrap();
        });
        Self {
            sandbox,
            ledger,
            paywall,
            origin,
            task,
        }
    }

    fn held(&self, token: Address) -> U256 {
        let payee = accounts::address(PAYEE);
        self.sandbox.balance_of(token, payee).unwrap().get()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

/// A buyer that knows these tokens beside those of the table, and pays in this way only.
fn client(kind: EvmKind, assets: impl IntoIterator<Item = Asset>) -> Client {
    let policy = Policy::default()
        .approvals(Approvals::Any)
        .networks([Network::BASE_SEPOLIA])
        .kinds([kind]);
    let policy = assets
        .into_iter()
        .try_fold(policy, Policy::allow_asset)
        .unwrap();
    Client::builder()
        .wallet(Wallet::from_local_key(accounts::signer(PAYER)))
        .budget(Budget::new("1 USD", "1 USD").unwrap())
        .policy(policy)
        .build()
        .unwrap()
}

/// A buyer that knows one token only, and so passes over the rails before it.
fn only_with(asset: &Asset) -> Client {
    let table = AssetTable::empty().with_asset(asset.clone()).unwrap();
    Client::builder()
        .wallet(Wallet::from_local_key(accounts::signer(PAYER)))
        .budget(Budget::new("1 USD", "1 USD").unwrap())
        .policy(Policy::new(table).approvals(Approvals::Any))
        .build()
        .unwrap()
}

async fn buy(client: &Client, url: &str) -> Receipt {
    let answer = client
        .get(url)
        .send()
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
    let receipt = answer.receipt().expect("a receipt").clone();
    assert!(receipt.is_settled(), "{receipt:?}");
    receipt
}

fn key_of(receipt: &Receipt) -> PaymentKey {
    PaymentKey {
        network: receipt.network.clone(),
        asset: receipt.asset,
        payer: receipt.payer,
        nonce: receipt.nonce,
    }
}

#[tokio::test]
async fn one_endpoint_is_paid_on_each_of_its_rails() {
    let sandbox = Sandbox::new().unwrap();
    let pusd = sandbox.permit_asset();
    for token in [USDC, PERMIT_TOKEN] {
        sandbox
            .approve_permit2(token, accounts::address(PAYER), U256::MAX)
            .unwrap();
    }
    let usdc = Rail::new(Network::BASE_SEPOLIA, "USDC");
    let shop = Shop::open(sandbox, |builder| {
        builder
            .accept(usdc.clone())
            .accept(usdc.permit2())
            .accept(Rail::custom(pusd.clone()))
            .mount(poem)
    })
    .await;
    assert_eq!(shop.paywall.warnings(), []);

    let cent_of_18 = U256::from(10_000_000_000_000_000_u64);
    let table = [
        (
            client(EvmKind::Eip3009Exact, []),
            EvmKind::Eip3009Exact,
            USDC,
            U256::from(10_000),
        ),
        (
            client(EvmKind::Permit2Exact, []),
            EvmKind::Permit2Exact,
            USDC,
            U256::from(10_000),
        ),
        (
            only_with(&pusd),
            EvmKind::Permit2Exact,
            PERMIT_TOKEN,
            cent_of_18,
        ),
    ];
    let mut keys = BTreeSet::new();
    for (buyer, kind, token, price) in &table {
        let before = (shop.held(USDC), shop.held(PERMIT_TOKEN));
        let receipt = buy(buyer, &shop.url("/poem")).await;
        assert_eq!((receipt.kind, receipt.asset), (*kind, *token));
        let moved = (
            shop.held(USDC) - before.0,
            shop.held(PERMIT_TOKEN) - before.1,
        );
        let expected = if *token == USDC {
            (*price, U256::ZERO)
        } else {
            (U256::ZERO, *price)
        };
        assert_eq!(moved, expected, "{kind:?}");
        let key = key_of(&receipt);
        let record = shop.ledger.get(&key).await.unwrap().expect("a record");
        assert_eq!(record.amount.get(), *price);
        assert_eq!(record.state, State::Settled);
        assert!(keys.insert(key), "each payment has a record of its own");
        // The buyer counts what moved: one cent, whatever the token's decimals.
        assert_eq!(buyer.budget().spent(), "0.01");
    }
}

/// A chain with one odd token of this many decimals, of which the payer has a thousand units and approved Permit2.
fn chain_with(contract: &str, decimals: u8) -> Sandbox {
    let sandbox = Sandbox::new().unwrap();
    sandbox.set_code(ODD, contracts::runtime(contract)).unwrap();
    let call = initializeCall {
        name: "Odd".to_owned(),
        symbol: "ODD".to_owned(),
        version: "1".to_owned(),
        decimals,
    };
    let payer = accounts::address(PAYER);
    sandbox.transact_as(payer, ODD, call.abi_encode()).unwrap();
    let units = U256::from(1_000) * U256::from(10).pow(U256::from(decimals));
    sandbox.mint_units(ODD, payer, units).unwrap();
    sandbox.approve_permit2(ODD, payer, U256::MAX).unwrap();
    sandbox
}

/// The odd token as a buyer describes it who read it from the chain.
fn described(shop: &Shop) -> Asset {
    Asset {
        // Its price is not in dollars; only so can a budget in dollars count it.
        usd_pegged: true,
        ..shop.paywall.endpoints()[0].terms()[0].asset().clone()
    }
}

async fn odd_shop(contract: &str, decimals: u8, method: TransferMethod) -> Shop {
    let rail = Rail::at(Network::BASE_SEPOLIA, ODD).by(method);
    Shop::open(chain_with(contract, decimals), |builder| {
        builder.accept(rail).mount(odd)
    })
    .await
}

#[tokio::test]
async fn a_token_like_dai_given_by_address_is_paid_through_permit2() {
    let shop = odd_shop("DaiLikeToken", 18, TransferMethod::Permit2).await;
    let buyer = client(EvmKind::Permit2Exact, [described(&shop)]);
    let receipt = buy(&buyer, &shop.url("/odd")).await;
    assert_eq!(receipt.amount_text(), "0.01 ODD");
    assert_eq!(shop.held(ODD), U256::from(10_000_000_000_000_000_u64));
}

#[tokio::test]
async fn a_token_given_by_address_is_paid_in_the_domain_that_its_contract_has() {
    for (contract, decimals) in [("TestUsd", 6), ("TestUsd", 18), ("SilentNonceToken", 6)] {
        let shop = odd_shop(contract, decimals, TransferMethod::Eip3009).await;
        let buyer = client(EvmKind::Eip3009Exact, [described(&shop)]);
        let receipt = buy(&buyer, &shop.url("/odd")).await;
        assert_eq!(receipt.amount_text(), "0.01 ODD");
        let price = U256::from(10).pow(U256::from(decimals - 2));
        assert_eq!(shop.held(ODD), price, "{contract} with {decimals} decimals");
    }
}

/// What arrives is less than what was signed for, so it is no payment, whichever way it came.
#[tokio::test]
async fn s05_a_token_that_keeps_a_fee_is_not_paid_on_any_rail() {
    for (contract, method, kind) in [
        (
            "FeeOnTransferToken",
            TransferMethod::Eip3009,
            EvmKind::Eip3009Exact,
        ),
        (
            "FeeOnTransferToken",
            TransferMethod::Permit2,
            EvmKind::Permit2Exact,
        ),
        (
            "ShortTransferToken",
            TransferMethod::Permit2,
            EvmKind::Permit2Exact,
        ),
    ] {
        let shop = odd_shop(contract, 6, method).await;
        let buyer = client(kind, [described(&shop)]);
        let failed = buyer.get(&shop.url("/odd")).send().await;
        let error = failed.expect_err("the goods stay withheld");
        assert!(shop.held(ODD) < U256::from(10_000), "{contract}: {error}");
        let receipt = error.receipt().expect("what was signed is told");
        let record = shop.ledger.get(&key_of(receipt)).await.unwrap();
        let state = record.expect("a record").state;
        assert!(!state.is_paid(), "{contract} ended as {state}");
    }
}
