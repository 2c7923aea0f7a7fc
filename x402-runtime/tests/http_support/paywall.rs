//! A paywall whose facilitator is a provider over HTTP, which settles on the sandbox chain.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use alloy_primitives::{Address, U256};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use x402_runtime::clock::ManualClock;
use x402_runtime::evm::EvmFacilitator;
use x402_runtime::facilitator::http::HttpFacilitator;
use x402_runtime::facilitator::{Facilitator, FacilitatorRequest, SettleOutcome};
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::network::Network;
use x402_runtime::paywall::{Paywall, PaywallBuilder, Rail};
use x402_runtime::sandbox::{Sandbox, USDC};

use crate::common::shop::{Shared, news, request, send};
use crate::common::{Answer, Buyer, Change, NOW, Shop};
use crate::provider::{Do, Provider};

const PRICE: u64 = 10_000;
const FUNDS: u64 = 1_000_000;

/// A small provider: the sandbox's own facilitator behind the REST API.
struct House {
    facilitator: Arc<EvmFacilitator>,
    /// Nothing works.
    down: AtomicBool,
    /// Settles, and the answer gets lost.
    forgetful: AtomicBool,
    verifies: AtomicUsize,
    settles: AtomicUsize,
    asked: AtomicUsize,
}

type Asked = State<Arc<House>>;

impl House {
    fn broken(&self) -> Option<Response> {
        let down = self.down.load(Ordering::SeqCst);
        down.then(|| (StatusCode::BAD_GATEWAY, "CANARY upstream text").into_response())
    }
}

async fn supported(State(house): Asked) -> Response {
    house.asked.fetch_add(1, Ordering::SeqCst);
    match house.broken() {
        Some(broken) => broken,
        None => Json(house.facilitator.supported().await.unwrap()).into_response(),
    }
}

async fn verify(State(house): Asked, Json(asked): Json<FacilitatorRequest>) -> Response {
    house.verifies.fetch_add(1, Ordering::SeqCst);
    match house.broken() {
        Some(broken) => broken,
        None => Json(house.facilitator.verify(&asked).await.unwrap()).into_response(),
    }
}

async fn settle(State(house): Asked, Json(asked): Json<FacilitatorRequest>) -> Response {
    house.settles.fetch_add(1, Ordering::SeqCst);
    if let Some(broken) = house.broken() {
        return broken;
    }
    let outcome = house.facilitator.settle(&asked).await;
    if house.forgetful.load(Ordering::SeqCst) {
        return (StatusCode::GATEWAY_TIMEOUT, "CANARY upstream text").into_response();
    }
    let headers = [("EXTENSION-RESPONSES", "CANARY")];
    match outcome {
        SettleOutcome::Settled(said) | SettleOutcome::Refused(said) => {
            (headers, Json(said)).into_response()
        }
        SettleOutcome::Unknown { .. } => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

struct Street {
    house: Arc<House>,
    sandbox: Sandbox,
    clock: Arc<ManualClock>,
    paywall: Paywall<Shop>,
    app: Router,
    shop: Shop,
    buyer: Buyer,
}

fn builder(sandbox: &Sandbox, facilitator: HttpFacilitator) -> PaywallBuilder<Shop> {
    Paywall::builder()
        .origin("https://api.example.com")
        .pay_to(sandbox.seller().to_string())
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .facilitator(facilitator)
        .ledger(MemoryLedger::new())
        // The tests look at unresolved payments themselves.
        .resolve_every(Duration::from_secs(3600))
        .mount(news)
}

impl Street {
    async fn open(check_before_serving: bool) -> Self {
        let clock = Arc::new(ManualClock::at_seconds(NOW));
        let sandbox = Sandbox::with_clock(Arc::new(Shared(Arc::clone(&clock)))).unwrap();
        let house = Arc::new(House {
            facilitator: sandbox.facilitator(),
            down: AtomicBool::new(false),
            forgetful: AtomicBool::new(false),
            verifies: AtomicUsize::new(0),
            settles: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
        });
        let provider = Router::new()
            .route("/supported", get(supported))
            .route("/verify", post(verify))
            .route("/settle", post(settle))
            .with_state(Arc::clone(&house));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, provider).await });
        let facilitator = HttpFacilitator::builder(&url)
            .check_before_serving(check_before_serving)
            .build()
            .unwrap();
        let paywall = builder(&sandbox, facilitator)
            .clock(Shared(Arc::clone(&clock)))
            .build()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let shop = Shop::default();
        let app = paywall.router().with_state(shop.clone());
        let buyer = Buyer::new(7);
        sandbox.mint(USDC, buyer.address, FUNDS).unwrap();
        Self {
            house,
            sandbox,
            clock,
            paywall,
            app,
            shop,
            buyer,
        }
    }

    async fn get(&self, payment: Option<&str>) -> Answer {
        send(&self.app, request("GET", "/news", payment, "")).await
    }

    async fn payment(&self) -> String {
        let terms = self.get(None).await.terms();
        self.buyer.pay(&terms, NOW)
    }

    fn balance(&self, account: Address) -> U256 {
        self.sandbox.token_balance(account).unwrap().get()
    }

    /// How much the buyer has paid, all of which the seller has.
    fn moved(&self) -> U256 {
        let moved = U256::from(FUNDS) - self.balance(self.buyer.address);
        let received = self.balance(self.sandbox.seller()) - U256::from(1_000_000_000_u64);
        assert_eq!(moved, received);
        moved
    }

    fn runs(&self) -> usize {
        self.shop.runs.load(Ordering::SeqCst)
    }

    fn settles(&self) -> usize {
        self.house.settles.load(Ordering::SeqCst)
    }

    /// Lets the resolver look after a while.
    async fn later(&self) {
        self.clock.advance_ms(20_000);
        self.paywall.recover().await;
    }
}

#[tokio::test]
async fn a_paid_call_moves_exactly_its_price_once_and_takes_one_round_trip() {
    let street = Street::open(false).await;
    let payment = street.payment().await;
    let answer = street.get(Some(&payment)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(&answer.body[..], b"news");
    assert!(answer.settlement().unwrap().success);
    answer.assert_no_canary();
    assert_eq!(street.moved(), U256::from(PRICE));
    assert_eq!(street.get(Some(&payment)).await, answer);
    assert_eq!(street.moved(), U256::from(PRICE));
    assert_eq!((street.runs(), street.settles()), (1, 1));
    assert_eq!(street.house.verifies.load(Ordering::SeqCst), 0);
    // Once at the start; never for a buyer.
    assert_eq!(street.house.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn s01_a_lost_settle_answer_is_pending_and_the_same_payment_gets_its_answer() {
    let street = Street::open(false).await;
    let payment = street.payment().await;
    street.house.forgetful.store(true, Ordering::SeqCst);
    let answer = street.get(Some(&payment)).await;
    assert_eq!(answer.brief(), (503, "settlement_pending".to_owned()));
    assert!(answer.header("retry-after").is_some());
    assert!(answer.header("payment-required").is_none());
    answer.assert_no_canary();
    assert_eq!(street.moved(), U256::from(PRICE), "it had moved");
    street.house.forgetful.store(false, Ordering::SeqCst);
    street.later().await;
    let answer = street.get(Some(&payment)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(&answer.body[..], b"news");
    assert_eq!(street.moved(), U256::from(PRICE));
    assert_eq!((street.runs(), street.settles()), (1, 2));
}

#[tokio::test]
async fn a_later_no_does_not_speak_for_the_lost_call() {
    let street = Street::open(false).await;
    let terms = street.get(None).await.terms();
    // All the buyer has: after the lost settlement the provider sees an empty account.
    let poor = Buyer::new(8);
    street.sandbox.mint(USDC, poor.address, PRICE).unwrap();
    let payment = poor.pay_with(&terms, NOW, &Change::default());
    street.house.down.store(true, Ordering::SeqCst);
    assert_eq!(
        street.get(Some(&payment)).await.code(),
        "settlement_pending"
    );
    street.house.down.store(false, Ordering::SeqCst);
    // The money goes elsewhere meanwhile, so that the provider refuses for want of it.
    let other = poor.pay_with(&terms, NOW, &Change::default());
    assert_eq!(street.get(Some(&other)).await.status, 200);
    street.later().await;
    assert_eq!(street.settles(), 3);
    let answer = street.get(Some(&payment)).await;
    assert_eq!(answer.brief(), (503, "settlement_pending".to_owned()));
}

#[tokio::test]
async fn a_provider_that_is_down_costs_nobody_anything() {
    let street = Street::open(false).await;
    let payment = street.payment().await;
    street.house.down.store(true, Ordering::SeqCst);
    assert_eq!(street.get(None).await.status, 402);
    let answer = street.get(Some(&payment)).await;
    assert_eq!(answer.brief(), (503, "settlement_pending".to_owned()));
    assert!(answer.header("retry-after").is_some());
    answer.assert_no_canary();
    street.later().await;
    assert_eq!(street.moved(), U256::ZERO);
    street.house.down.store(false, Ordering::SeqCst);
    street.later().await;
    street.later().await;
    let answer = street.get(Some(&payment)).await;
    assert_eq!((answer.status, street.runs()), (200, 1), "{answer:?}");
    assert_eq!(street.moved(), U256::from(PRICE));
}

#[tokio::test]
async fn asked_before_serving_a_provider_protects_the_work() {
    let street = Street::open(true).await;
    let terms = street.get(None).await.terms();
    let poor = Buyer::new(9).pay(&terms, NOW);
    let answer = street.get(Some(&poor)).await;
    assert_eq!(answer.brief(), (402, "insufficient_balance".to_owned()));
    let payment = street.payment().await;
    street.house.down.store(true, Ordering::SeqCst);
    let answer = street.get(Some(&payment)).await;
    assert_eq!(answer.brief(), (503, "facilitator_unavailable".to_owned()));
    assert!(answer.header("retry-after").is_some());
    assert_eq!((street.runs(), street.settles()), (0, 0));
    street.house.down.store(false, Ordering::SeqCst);
    assert_eq!(street.get(Some(&payment)).await.status, 200);
    assert_eq!(street.moved(), U256::from(PRICE));
}

#[tokio::test]
async fn a_paywall_does_not_start_without_its_provider() {
    let sandbox = Sandbox::new().unwrap();
    let dead = HttpFacilitator::new("http://127.0.0.1:1").unwrap();
    let odd = Provider::start([Do::Say(200, vec![], b"CANARY upstream text".to_vec())]);
    let odd = HttpFacilitator::new(&odd.url).unwrap();
    for facilitator in [dead, odd] {
        let error = builder(&sandbox, facilitator).build().await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("the facilitator does not say what it supports"),
            "{text}"
        );
        assert!(!text.contains("CANARY"), "{text}");
    }
}
