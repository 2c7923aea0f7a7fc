//! A seller of credit, and a buyer that signs in.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alloy_primitives::{Address, hex, keccak256};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use x402_runtime::clock::ManualClock;
use x402_runtime::extract::Paid;
use x402_runtime::ledger::Ledger;
use x402_runtime::model::asset::checksum;
use x402_runtime::model::extension::SignIn;
use x402_runtime::model::extension::siwx::{Challenge, personal_hash};
use x402_runtime::model::network::Network;
use x402_runtime::model::wire::{PaymentRequired, SupportedKind};
use x402_runtime::paywall::{Paywall, PaywallBuilder, Rail};
use x402_runtime::{Meter, paid};

use crate::common::shop::{Shared, send};
use crate::common::{Answer, Buyer, Double, NOW, PAY_TO};

pub const BUY: &str = "/x402/credits";

#[derive(Clone)]
pub struct Runs {
    pub count: Arc<AtomicUsize>,
    pub door: Arc<Semaphore>,
}

/// Answers as asked.
#[paid(
    GET "/calls/{how}",
    price = "0.01 USDC",
    plans = [
        prepaid("1 USDC", credit = "1.1 USDC", expires = "180d"),
        prepaid("0.005 USDC", id = "tiny"),
        prepaid("0.005 USDC", id = "soon", expires = "1h"),
    ],
)]
async fn call(
    State(runs): State<Runs>,
    Path(how): Path<String>,
    paid: Paid,
    headers: HeaderMap,
) -> Response {
    let run = runs.count.fetch_add(1, Ordering::SeqCst);
    assert!(
        !headers.contains_key("sign-in-with-x"),
        "the gate's business"
    );
    match how.as_str() {
        "panic" => panic!("CANARY"),
        "bad" => (StatusCode::BAD_REQUEST, "the handler's own").into_response(),
        "hang" => std::future::pending().await,
        "wait" => {
            runs.door.acquire().await.unwrap().forget();
            "waited".into_response()
        }
        _ => (
            [("X402-Credit", "forged")],
            format!("run {run} of {}", paid.payer),
        )
            .into_response(),
    }
}

/// Another endpoint of the same purse.
#[paid(POST "/others", price = "0.1 USDC", plans = [prepaid("1 USDC", credit = "1.1 USDC", expires = "180d")])]
async fn other(State(runs): State<Runs>, body: String) -> String {
    runs.count.fetch_add(1, Ordering::SeqCst);
    body
}

/// Free for a while, then from credit.
#[paid(GET "/mixed", price = "0.01 USDC", free = "1/day per payer", plans = [prepaid("0.005 USDC", id = "tiny")])]
async fn mixed(State(runs): State<Runs>) -> &'static str {
    runs.count.fetch_add(1, Ordering::SeqCst);
    "mixed"
}

#[derive(serde::Deserialize)]
struct Size {
    size: String,
}

/// At a price that depends on the request.
#[paid(
    GET "/sized",
    price = tiers(by = query.size, "small" => "0.01 USDC", "large" => "0.03 USDC"),
    plans = [prepaid("0.005 USDC", id = "tiny")],
)]
async fn sized(State(runs): State<Runs>, Query(size): Query<Size>) -> String {
    runs.count.fetch_add(1, Ordering::SeqCst);
    size.size
}

/// Says what it was told, at a price that depends on the request.
#[paid(
    POST "/echo",
    price = tiers(by = query.size, "small" => "0.01 USDC", "large" => "0.03 USDC"),
)]
async fn echo(
    State(runs): State<Runs>,
    Query(size): Query<Size>,
    said: String,
) -> ([(&'static str, &'static str); 1], String) {
    runs.count.fetch_add(1, Ordering::SeqCst);
    assert!(!size.size.is_empty());
    ([("content-type", "application/json")], said)
}

/// A stream whose head comes late, and whose end later.
#[paid(
    GET "/slow",
    price = upto("0.02 USDC", units(words = "0.001 USDC")),
    plans = [prepaid("1 USDC", credit = "1.1 USDC", expires = "180d")],
)]
async fn slow(State(runs): State<Runs>, meter: Meter) -> Response {
    runs.count.fetch_add(1, Ordering::SeqCst);
    meter.add("words", 1);
    let half = || tokio::time::sleep(Duration::from_millis(500));
    half().await;
    let events = stream::once(half()).map(|()| Ok::<_, Infallible>("data: x\n\n"));
    (
        [("content-type", "text/event-stream")],
        Body::from_stream(events),
    )
        .into_response()
}

#[derive(serde::Deserialize)]
struct Words {
    n: u64,
    #[serde(default)]
    how: String,
}

/// By what it used, whole or as a stream.
#[paid(
    GET "/metered",
    price = upto("0.02 USDC", units(words = "0.001 USDC")),
    plans = [prepaid("1 USDC", credit = "1.1 USDC", expires = "180d")],
)]
async fn metered(State(runs): State<Runs>, meter: Meter, Query(words): Query<Words>) -> Response {
    runs.count.fetch_add(1, Ordering::SeqCst);
    meter.add("words", words.n);
    let kind = match words.how.as_str() {
        "stream" => "text/event-stream",
        _ => "text/plain",
    };
    ([("content-type", kind)], "data: x\n\n").into_response()
}

pub struct Stand {
    pub app: Router,
    pub paywall: Paywall<Runs>,
    pub runs: Runs,
    pub double: Arc<Double>,
    pub clock: Arc<ManualClock>,
}

impl Stand {
    pub async fn open(ledger: Arc<dyn Ledger>) -> Self {
        Self::open_with(ledger, Duration::from_secs(60)).await
    }

    pub async fn open_with(ledger: Arc<dyn Ledger>, handler_timeout: Duration) -> Self {
        Self::open_built(ledger, |builder| builder.handler_timeout(handler_timeout)).await
    }

    pub async fn open_built(
        ledger: Arc<dyn Ledger>,
        change: impl FnOnce(PaywallBuilder<Runs>) -> PaywallBuilder<Runs>,
    ) -> Self {
        let (double, clock) = (
            Arc::new(Double::default()),
            Arc::new(ManualClock::at_seconds(NOW)),
        );
        let named = Map::from_iter([(
            "facilitatorAddress".to_owned(),
            json!("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
        )]);
        let mut supported = double.supported.lock().unwrap().clone().unwrap();
        supported.kinds.push(SupportedKind {
            x402_version: 2,
            scheme: "upto".into(),
            network: "eip155:84532".into(),
            extra: Some(named),
        });
        *double.supported.lock().unwrap() = Ok(supported);
        let builder = Paywall::builder()
            .origin("https://api.example.com")
            .pay_to(PAY_TO)
            .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
            .facilitator(Arc::clone(&double))
            .ledger_arc(ledger)
            .clock(Shared(Arc::clone(&clock)))
            // The tests look at what was left themselves.
            .resolve_every(Duration::from_secs(3600))
            .mount(call)
            .mount(other)
            .mount(mixed)
            .mount(sized)
            .mount(metered)
            .mount(slow)
            .mount(echo);
        let paywall = change(builder)
            .build()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let runs = Runs {
            count: Arc::default(),
            door: Arc::new(Semaphore::new(0)),
        };
        Self {
            app: paywall.router().with_state(runs.clone()),
            paywall,
            runs,
            double,
            clock,
        }
    }

    pub async fn send(&self, method: &str, path: &str, header: (&str, &str), body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !header.1.is_empty() {
            request = request.header(header.0, header.1);
        }
        send(
            &self.app,
            request.body(Body::from(body.to_owned())).unwrap(),
        )
        .await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, ("", ""), "").await
    }

    /// Presents a signed message.
    pub async fn show(&self, path: &str, message: &str) -> Answer {
        self.send("GET", path, ("SIGN-IN-WITH-X", message), "")
            .await
    }

    /// A message that the terms of a path ask for.
    pub async fn message(&self, path: &str, seed: u8) -> String {
        sign(&self.get(path).await.terms(), seed)
    }

    /// One call from credit.
    pub async fn spend(&self, path: &str, seed: u8) -> Answer {
        let message = self.message(path, seed).await;
        self.show(path, &message).await
    }

    /// Buys the plan of a query (`?plan=…`, or nothing) and says what the answer is.
    pub async fn buy(&self, query: &str, seed: u8) -> Answer {
        let path = format!("{BUY}{query}");
        let terms = self.send("POST", &path, ("", ""), "").await.terms();
        let payment = Buyer::new(seed).pay(&terms, self.now());
        self.send("POST", &path, ("PAYMENT-SIGNATURE", &payment), "")
            .await
    }

    /// What is left, as the seller tells whoever signs in.
    pub async fn balance(&self, seed: u8) -> Value {
        let told = self.spend(BUY, seed).await;
        assert_eq!(told.status, 200, "{told:?}");
        told.json()["balances"][0].clone()
    }

    pub fn runs(&self) -> usize {
        self.runs.count.load(Ordering::SeqCst)
    }

    pub fn now(&self) -> u64 {
        use x402_runtime::clock::Clock as _;
        self.clock.now_seconds()
    }
}

pub fn address(seed: u8) -> Address {
    Buyer::new(seed).address
}

/// Signs what terms ask for.
pub fn sign(terms: &PaymentRequired, seed: u8) -> String {
    let challenge = Challenge::read(terms.extensions.as_ref()).expect("a challenge");
    let key = SecretKey::from_secret_bytes([seed; 32]).unwrap();
    let point = key.public_key().serialize_uncompressed();
    let address = checksum(Address::from_word(keccak256(&point[1..])));
    let message = challenge
        .message(&challenge.supported_chains[0], &address)
        .unwrap();
    let digest = Message::from_digest(personal_hash(&message.text().unwrap()).0);
    let (id, compact) =
        RecoverableSignature::sign_ecdsa_recoverable(digest, &key).serialize_compact();
    let signature = format!("0x{}{:02x}", hex::encode(compact), 27 + id.to_u8());
    let sign_in = SignIn {
        message,
        signature,
        signature_scheme: None,
    };
    sign_in.to_header().unwrap()
}

/// What an answer says it took, and what is left.
pub fn taken(answer: &Answer) -> (String, String) {
    let header = answer
        .header("x402-credit")
        .unwrap_or_else(|| panic!("{answer:?}"));
    let value: Value = serde_json::from_str(header).unwrap();
    let text = |name: &str| value[name].as_str().unwrap().to_owned();
    assert_eq!(text("unit"), "USDC");
    (text("charged"), text("left"))
}
