//! A real seller on a thread of its own: a paywall that settles in the sandbox, behind a network that loses what it is told to.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use x402_runtime::evm::chain::{BlockRef, CallRequest};
use x402_runtime::model::wire::headers::encode;
use x402_runtime::sandbox::Sandbox;
use x402_runtime::{MemoryLedger, Network, Paywall, Rail, paid};

/// What the network does with answers to paid requests.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Line {
    /// Brings them.
    Sound,
    /// Loses them after the seller did its part: the buyer gets a gateway error.
    Loses,
    /// Never ends.
    Hangs,
}

struct Control {
    line: AtomicU8,
    paid: AtomicUsize,
}

/// The running seller; it lives as long as the test program.
pub(crate) struct Seller {
    pub(crate) origin: String,
    pub(crate) sandbox: Sandbox,
    control: Arc<Control>,
}

#[paid(GET "/weather/{city}", price = "0.01 USDC")]
async fn weather(Path(city): Path<String>) -> Json<Value> {
    Json(json!({ "city": city, "celsius": 21 }))
}

#[paid(POST "/echo", price = "0.02 USD")]
async fn echo(headers: HeaderMap, body: String) -> Json<Value> {
    let header = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
    };
    Json(json!({ "body": body, "type": header("content-type"), "trace": header("x-trace") }))
}

/// Units of temperature.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Units {
    Metric,
    Imperial,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct ForecastQuery {
    units: Option<Units>,
    /// How many days.
    #[schemars(range(min = 1, max = 7))]
    days: Option<u8>,
    /// Whether every hour is told.
    hourly: Option<bool>,
}

#[paid(GET "/forecast/{city}", price = "0.01 USDC")]
async fn forecast(Path(city): Path<String>, Query(query): Query<ForecastQuery>) -> Json<Value> {
    Json(json!({ "city": city, "units": query.units, "days": query.days, "hourly": query.hourly }))
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct SummaryRequest {
    #[schemars(length(min = 1))]
    text: String,
    quality: String,
    /// Words that have to stay.
    #[serde(default)]
    keep: Vec<String>,
}

#[paid(
    POST "/summaries",
    price = tiers(by = body.quality, "fast" => "0.01 USDC", "best" => "0.04 USDC"),
    probe = r#"{"body": {"text": "x", "quality": "fast"}}"#,
)]
async fn summarize(Json(request): Json<SummaryRequest>) -> Json<SummaryRequest> {
    Json(request)
}

#[paid(GET "/missing", price = "0.01 USDC")]
async fn missing() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "no such thing")
}

#[paid(GET "/bytes", price = "0.01 USDC")]
async fn bytes() -> Vec<u8> {
    vec![0xff, 0x00]
}

/// Terms for real money on Base: nothing is ever settled here.
async fn main_network(request: Request) -> Response {
    let host = request.headers()[header::HOST].to_str().unwrap();
    let terms = json!({
        "x402Version": 2, "resource": { "url": format!("http://{host}/main") },
        "accepts": [{
            "scheme": "exact", "network": "eip155:8453", "amount": "10000", "maxTimeoutSeconds": 60,
            "asset": "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "payTo": crate::PAYEE,
            "extra": { "name": "USD Coin", "version": "2" },
        }],
    });
    let header = [("payment-required", encode(&terms).unwrap())];
    (StatusCode::PAYMENT_REQUIRED, header, "{}").into_response()
}

/// Sells through Permit2 as other packages do: `upto` for 12345 units of at most 50000, `exact` to whoever approved, which is
/// nobody.
async fn through_permit2(Path(scheme): Path<String>, request: Request) -> Response {
    let host = request.headers()[header::HOST].to_str().unwrap();
    let terms = json!({
        "x402Version": 2, "error": "permit2_allowance_required",
        "resource": { "url": format!("http://{host}/permit2/{scheme}") },
        "accepts": [{
            "scheme": scheme, "network": "eip155:84532", "amount": "50000", "maxTimeoutSeconds": 60,
            "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "payTo": crate::PAYEE,
            "extra": {
                "name": "USDC", "version": "2", "assetTransferMethod": "permit2",
                "facilitatorAddress": "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
            },
        }],
    });
    let required = [("payment-required", encode(&terms).unwrap())];
    let is_paid = request.headers().contains_key("payment-signature");
    match (is_paid, scheme.as_str()) {
        (false, _) => (StatusCode::PAYMENT_REQUIRED, required, "{}").into_response(),
        (true, "exact") => (StatusCode::PRECONDITION_FAILED, required, "{}").into_response(),
        (true, _) => {
            let transaction = format!("0x{}", "ab".repeat(32));
            let report = json!({
                "success": true, "transaction": transaction, "network": "eip155:84532", "amount": "12345",
            });
            ([("payment-response", encode(&report).unwrap())], "metered").into_response()
        }
    }
}

/// As much of a node's JSON-RPC as balances take, answered by the sandbox.
async fn node(State(sandbox): State<Sandbox>, Json(call): Json<Value>) -> Json<Value> {
    let result = match call["method"].as_str().unwrap() {
        "eth_chainId" => json!("0x14a34"),
        "eth_call" => {
            let call = &call["params"][0];
            let request = CallRequest {
                from: call["from"].as_str().unwrap().parse().unwrap(),
                to: call["to"].as_str().unwrap().parse().unwrap(),
                data: call["data"].as_str().unwrap().parse().unwrap(),
                gas: None,
            };
            json!(
                sandbox
                    .chain()
                    .call(request, BlockRef::Latest)
                    .await
                    .unwrap()
            )
        }
        other => panic!("{other} was asked for"),
    };
    Json(json!({ "jsonrpc": "2.0", "id": call["id"], "result": result }))
}

async fn line(State(control): State<Arc<Control>>, request: Request, next: Next) -> Response {
    if !request.headers().contains_key("payment-signature") {
        return next.run(request).await;
    }
    let answer = next.run(request).await;
    control.paid.fetch_add(1, Ordering::SeqCst);
    match control.line.load(Ordering::SeqCst) {
        line if line == Line::Loses as u8 => StatusCode::BAD_GATEWAY.into_response(),
        line if line == Line::Hangs as u8 => std::future::pending().await,
        _ => answer,
    }
}

impl Seller {
    pub(crate) fn start() -> Self {
        let sandbox = Sandbox::new().unwrap();
        let control = Arc::new(Control {
            line: AtomicU8::new(Line::Sound as u8),
            paid: AtomicUsize::new(0),
        });
        let (ready, origin) = mpsc::channel();
        let inside = (sandbox.clone(), Arc::clone(&control));
        thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(serve(inside.0, inside.1, &ready));
        });
        Self {
            origin: origin.recv().unwrap(),
            sandbox,
            control,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    pub(crate) fn set_line(&self, line: Line) {
        self.control.line.store(line as u8, Ordering::SeqCst);
    }

    /// Answers to paid requests that the seller has given.
    pub(crate) fn paid_answers(&self) -> usize {
        self.control.paid.load(Ordering::SeqCst)
    }

    /// What the seller has earned, in atomic units.
    pub(crate) fn earned(&self) -> u64 {
        let balance = self.sandbox.token_balance(self.sandbox.seller()).unwrap();
        balance.get().to::<u64>() - 1_000_000_000
    }
}

async fn serve(sandbox: Sandbox, control: Arc<Control>, ready: &mpsc::Sender<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let paywall = Paywall::builder()
        .origin(&origin)
        .pay_to(sandbox.seller().to_string())
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .facilitator_arc(sandbox.facilitator())
        .ledger(MemoryLedger::new())
        .mount(weather)
        .mount(echo)
        .mount(forecast)
        .mount(summarize)
        .mount(missing)
        .mount(bytes)
        .build()
        .await
        .unwrap();
    let free = get(|| async { "free" });
    let node = Router::new().route("/rpc", post(node)).with_state(sandbox);
    let app: Router = paywall.router();
    let app = app
        .route("/free", free)
        .route("/main", get(main_network))
        .route("/permit2/{scheme}", get(through_permit2))
        .merge(node)
        .layer(from_fn_with_state(control, line));
    ready.send(origin).unwrap();
    axum::serve(listener, app).await.unwrap();
}
