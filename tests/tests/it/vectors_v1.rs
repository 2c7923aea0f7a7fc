//! The recorded exchanges of the legacy version 1 server, replayed against the same routes that serve version 2.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use x402_model::network::Network;
use x402_model::wire::{SettleResponse, headers};
use x402_runtime::clock::ManualClock;
use x402_runtime::facilitator::{
    BoxFuture, Facilitator, FacilitatorError, FacilitatorRequest, SettleOutcome,
};
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::wire::{SupportedResponse, VerifyResponse};
use x402_runtime::paid;
use x402_runtime::paywall::{Paywall, Rail};
use x402_tests::buyer::{Answer, Buyer};
use x402_tests::differences::CLOCK;
use x402_tests::doubles::{Double, OnSettle, OnVerify};
use x402_tests::vectors::{Exchange, exchanges};
use x402_tests::world::World;

type Runs = Arc<AtomicUsize>;

/// Weather data
#[paid(GET "/weather", price = "0.01 USDC", timeout = 60)]
async fn weather(State(runs): State<Runs>) -> Json<Value> {
    runs.fetch_add(1, Ordering::SeqCst);
    Json(json!({"ok": true}))
}

/// Weather data
#[paid(GET "/fail", price = "0.01 USDC", timeout = 60)]
async fn fail(State(runs): State<Runs>) -> Response {
    runs.fetch_add(1, Ordering::SeqCst);
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"e": 1}))).into_response()
}

/// Remembers what a facilitator was asked, as it would go over the wire.
struct Listener {
    inner: Arc<Double>,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Listener {
    fn hear(&self, request: &FacilitatorRequest) {
        let request = serde_json::to_value(request).unwrap();
        self.heard.lock().unwrap().push(request);
    }
}

impl Facilitator for Listener {
    fn supported(&self) -> BoxFuture<'_, Result<SupportedResponse, FacilitatorError>> {
        self.inner.supported()
    }

    fn verify<'a>(
        &'a self,
        request: &'a FacilitatorRequest,
    ) -> BoxFuture<'a, Result<VerifyResponse, FacilitatorError>> {
        self.hear(request);
        self.inner.verify(request)
    }

    fn settle<'a>(&'a self, request: &'a FacilitatorRequest) -> BoxFuture<'a, SettleOutcome> {
        self.hear(request);
        self.inner.settle(request)
    }

    fn check_before_serving(&self) -> bool {
        true
    }
}

/// A seller on the clock of the recordings.
struct Stage {
    buyer: Buyer,
    runs: Runs,
    double: Arc<Double>,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Stage {
    async fn set() -> Self {
        let world = World::poor_sandbox(Arc::new(ManualClock::at_seconds(CLOCK)));
        let (double, heard) = (Double::new(world.facilitator()), Arc::default());
        let listener = Listener {
            inner: Arc::clone(&double),
            heard: Arc::clone(&heard),
        };
        let paywall = Paywall::builder()
            .origin("https://api.example.com")
            .pay_to(x402_tests::accounts::text(1))
            .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
            .facilitator(listener)
            .ledger(MemoryLedger::new())
            .clock_arc(world.clock())
            .mount(weather)
            .mount(fail)
            .build()
            .await
            .unwrap();
        let runs = Runs::default();
        let app = paywall.router().with_state(Arc::clone(&runs));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let buyer = Buyer::new(&format!("http://{}", listener.local_addr().unwrap()));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            buyer,
            runs,
            double,
            heard,
        }
    }

    async fn send(&self, exchange: &Exchange) -> Answer {
        let headers: Vec<(&str, &str)> = exchange
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.buyer
            .send(Method::GET, &exchange.path, &headers, Vec::new())
            .await
    }

    /// Lets the facilitator answer as the recorded one did, which the exchange tells by its calls and its error.
    fn script(&self, exchange: &Exchange) {
        let error = exchange.expected["body"]["error"].as_str();
        let reason = error.unwrap_or_default().to_owned();
        if exchange.status() != 402 {
            return;
        }
        if exchange.ran() {
            let refusal = json!({"success": false, "errorReason": reason, "transaction": "", "network": "base-sepolia"});
            let refusal: SettleResponse = serde_json::from_value(refusal).unwrap();
            self.double.on_settle([OnSettle::Refuse(Box::new(refusal))]);
        } else if exchange.asked("POST /verify") {
            self.double.on_verify([OnVerify::Invalid(reason)]);
        }
    }
}

/// Our origins are https, whatever the recording's was.
fn secure(accepts: &Value) -> Value {
    serde_json::from_str(&accepts.to_string().replace("\"http://", "\"https://")).unwrap()
}

/// Whether the payment header is not base64 of JSON.
fn is_unreadable(exchange: &Exchange) -> bool {
    let sent = exchange
        .headers
        .iter()
        .find(|(name, _)| name == "x-payment");
    sent.is_some_and(|(_, text)| headers::decode_v1::<Value>(text.as_bytes(), 1 << 16).is_err())
}

/// The `error` that we give where the recording has another, by rule.
fn expected_error(exchange: &Exchange) -> Value {
    if is_unreadable(exchange) {
        // An undecodable payment is answered like a missing one; the code tells the difference.
        return json!("X-PAYMENT header is required");
    }
    exchange.expected["body"]["error"].clone()
}

fn compare_terms(exchange: &Exchange, answer: &Answer, terms: &Value) {
    let (name, body) = (&exchange.name, answer.json());
    assert_eq!(body["x402Version"], 1, "{name}");
    assert_eq!(body["accepts"], *terms, "{name}");
    // A browser was shown a page; ours is JSON for everybody, with the same terms.
    if exchange.expected["body"].is_object() {
        assert_eq!(body["error"], expected_error(exchange), "{name}");
        // The reference names the payer after a failed verification only; we do wherever we know who it was.
        if let Some(payer) = exchange.expected["body"].get("payer") {
            assert_eq!(body["payer"], *payer, "{name}");
        }
    }
    let code = body["code"].as_str().unwrap_or_default();
    assert_eq!(
        is_unreadable(exchange),
        code == "payment_undecodable",
        "{name}"
    );
    assert!(answer.header("x-payment-response").is_none(), "{name}");
}

async fn replay(exchange: &Exchange, terms: &Value) {
    let stage = Stage::set().await;
    stage.script(exchange);
    let answer = stage.send(exchange).await;
    let name = &exchange.name;
    assert_eq!(
        u64::from(answer.status),
        exchange.status(),
        "{name}: {}",
        answer.json()
    );
    let runs = stage.runs.load(Ordering::SeqCst);
    assert_eq!(runs, usize::from(exchange.ran()), "{name}");
    if exchange.status() == 402 {
        return compare_terms(exchange, &answer, terms);
    }
    assert_eq!(answer.json(), exchange.expected["body"], "{name}");
    let receipt = answer.header("x-payment-response").map(|header| {
        let receipt: Value = headers::decode_v1(header.as_bytes(), 1 << 16).unwrap();
        assert_eq!(receipt["transaction"].as_str().unwrap().len(), 66, "{name}");
        receipt
    });
    let expected = exchange.expected["x-payment-response"].get("decoded");
    assert_eq!(receipt.is_some(), expected.is_some(), "{name}");
    for key in ["success", "network", "payer"] {
        let told = receipt.as_ref().map(|receipt| &receipt[key]);
        assert_eq!(
            told,
            expected.map(|expected| &expected[key]),
            "{name}: {key}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_exchanges_of_the_legacy_server() {
    let cases = exchanges("http_server_v1.json");
    let (exchanges, others): (Vec<_>, Vec<_>) =
        cases.iter().partition(|case| !case.path.is_empty());
    assert!(exchanges.len() >= 8 && others.len() >= 2);
    let unpaid = exchanges
        .iter()
        .find(|case| case.expected["body"]["accepts"].is_array())
        .expect("one shows the terms");
    let terms = secure(&unpaid.expected["body"]["accepts"]);
    for exchange in &exchanges {
        replay(exchange, &terms).await;
    }
    let paid = exchanges
        .iter()
        .find(|case| case.status() == 200)
        .expect("one is paid");
    for other in others {
        if let Some(reasons) = other.expected.as_array() {
            for reason in reasons {
                passes_on(paid, reason.as_str().unwrap()).await;
            }
        } else {
            // What the facilitator is asked, member by member.
            let stage = Stage::set().await;
            assert_eq!(stage.send(paid).await.status, 200);
            for heard in &*stage.heard.lock().unwrap() {
                assert_eq!(*heard, secure(&other.expected), "{}", other.name);
            }
        }
    }
}

/// Every reason of the legacy vocabulary that a facilitator gives reaches the buyer as it is.
async fn passes_on(paid: &Exchange, reason: &str) {
    let stage = Stage::set().await;
    stage
        .double
        .on_verify([OnVerify::Invalid(reason.to_owned())]);
    let answer = stage.send(paid).await;
    assert_eq!(answer.status, 402, "{reason}");
    assert_eq!(answer.json()["error"], reason);
    assert_eq!(stage.runs.load(Ordering::SeqCst), 0, "{reason}");
}
