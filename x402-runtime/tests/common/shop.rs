//! A shop with paid handlers, on a clock and a facilitator of the test's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tower::ServiceExt;
use x402_runtime::clock::ManualClock;
use x402_runtime::extract::Paid;
use x402_runtime::ledger::{Ledger, MemoryLedger};
use x402_runtime::model::network::Network;
use x402_runtime::model::wire::{PaymentRequired, SettleResponse, headers};
use x402_runtime::paid;
use x402_runtime::paywall::{Paywall, PaywallBuilder, Rail};

use super::double::Double;

/// The clock of all recorded vectors.
pub const NOW: u64 = 1_790_000_000;
pub const PAY_TO: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/// What the handlers share with the test.
#[derive(Clone)]
pub struct Shop {
    pub runs: Arc<AtomicUsize>,
    pub extracted: Arc<AtomicUsize>,
    /// The slow handler waits for a permit.
    pub door: Arc<Semaphore>,
}

impl Default for Shop {
    fn default() -> Self {
        Self {
            runs: Arc::default(),
            extracted: Arc::default(),
            door: Arc::new(Semaphore::new(0)),
        }
    }
}

/// Counts how often extractors ran (G15).
pub struct Counted;

impl FromRequestParts<Shop> for Counted {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, shop: &Shop) -> Result<Self, Self::Rejection> {
        shop.extracted.fetch_add(1, Ordering::SeqCst);
        Ok(Self)
    }
}

/// Current weather for a city.
#[paid(GET "/weather/{city}", price = "0.01 USDC")]
pub async fn weather(
    State(shop): State<Shop>,
    _: Counted,
    Path(city): Path<String>,
    paid: Paid,
) -> impl IntoResponse {
    let run = shop.runs.fetch_add(1, Ordering::SeqCst);
    let headers = [
        (CACHE_CONTROL, "public, max-age=60"),
        (VARY, "Accept-Language"),
    ];
    (
        headers,
        Json(
            json!({ "city": city, "run": run, "payer": paid.payer.to_string(), "id": paid.payment_id.as_str() }),
        ),
    )
}

/// The same price for something else.
#[paid(GET "/news", price = "0.01 USDC")]
pub async fn news(State(shop): State<Shop>) -> &'static str {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    "news"
}

/// Repeats a text.
#[paid(POST "/echo", price = "0.01 USDC")]
pub async fn echo(State(shop): State<Shop>, headers: HeaderMap, body: Bytes) -> Response {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    // A payment is the gate's business.
    assert!(!headers.contains_key("payment-signature"));
    body.into_response()
}

/// Behaves as asked.
#[paid(GET "/behave/{how}", price = "0.01 USDC")]
pub async fn behave(State(shop): State<Shop>, Path(how): Path<String>) -> Response {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    match how.as_str() {
        "panic" => panic!("CANARY panic text"),
        "hang" => std::future::pending().await,
        "wait" => {
            shop.door.acquire().await.unwrap().forget();
            "waited".into_response()
        }
        "huge" => Body::from(vec![b'x'; 64 * 1024]).into_response(),
        "broken-body" => Body::from_stream(futures_util::stream::iter([
            Ok(Bytes::from_static(b"x")),
            Err(std::io::Error::other("CANARY io text")),
        ]))
        .into_response(),
        "endless-body" => {
            Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>())
                .into_response()
        }
        "forge" => [
            ("PAYMENT-RESPONSE", "forged"),
            ("Settlement-Overrides", "{}"),
        ]
        .into_response(),
        "cached" => [
            ("CDN-Cache-Control", "public, max-age=60"),
            ("Fancy-CDN-Cache-Control", "public, max-age=60"),
            ("Surrogate-Control", "max-age=60"),
            ("Edge-Control", "max-age=60"),
            ("X-Accel-Expires", "60"),
            ("Expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
            ("X-Mine", "kept"),
        ]
        .into_response(),
        "redirect" => (StatusCode::SEE_OTHER, [("location", "/x")]).into_response(),
        status => (
            StatusCode::from_u16(status.parse().unwrap()).unwrap(),
            "the handler's own words",
        )
            .into_response(),
    }
}

/// A shop that stands.
pub struct Stand {
    pub app: Router,
    pub paywall: Paywall<Shop>,
    pub shop: Shop,
    pub double: Arc<Double>,
    pub clock: Arc<ManualClock>,
}

/// An answer that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn terms(&self) -> PaymentRequired {
        let header = self.headers.get("payment-required").expect("terms");
        headers::decode(header.as_bytes(), usize::MAX).unwrap()
    }

    pub fn settlement(&self) -> Option<SettleResponse> {
        let header = self.headers.get("payment-response")?;
        Some(headers::decode(header.as_bytes(), usize::MAX).unwrap())
    }

    /// No text of the outside world is in the answer, encoded or not.
    pub fn assert_no_canary(&self) {
        let mut text = String::from_utf8_lossy(&self.body).into_owned();
        for (name, value) in &self.headers {
            text.push_str(name.as_str());
            text.push_str(&String::from_utf8_lossy(value.as_bytes()));
            text.push_str(&headers::decode_text(value.as_bytes(), 1 << 20).unwrap_or_default());
        }
        assert!(!text.contains("CANARY"), "{text}");
    }

    /// Status and code, for tables.
    pub fn brief(&self) -> (u16, String) {
        (self.status, self.code())
    }
}

impl Stand {
    pub async fn open() -> Self {
        Self::open_with(Arc::new(MemoryLedger::default()), |builder| builder).await
    }

    pub async fn open_with(
        ledger: Arc<dyn Ledger>,
        change: impl FnOnce(PaywallBuilder<Shop>) -> PaywallBuilder<Shop>,
    ) -> Self {
        let (double, clock) = (
            Arc::new(Double::default()),
            Arc::new(ManualClock::at_seconds(NOW)),
        );
        let builder = builder(&double, &clock, ledger)
            .mount(weather)
            .mount(news)
            .mount(echo)
            .mount(behave);
        Self::of(change(builder), double, clock).await
    }

    pub async fn of(
        builder: PaywallBuilder<Shop>,
        double: Arc<Double>,
        clock: Arc<ManualClock>,
    ) -> Self {
        let paywall = builder
            .build()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let shop = Shop::default();
        let app = paywall.router().with_state(shop.clone());
        Self {
            app,
            paywall,
            shop,
            double,
            clock,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.app, request).await
    }

    pub async fn get(&self, path: &str, payment: Option<&str>) -> Answer {
        self.call("GET", path, payment, "").await
    }

    pub async fn call(
        &self,
        method: &str,
        path: &str,
        payment: Option<&str>,
        body: &str,
    ) -> Answer {
        self.send(request(method, path, payment, body)).await
    }

    /// The terms of a path.
    pub async fn terms(&self, method: &str, path: &str) -> PaymentRequired {
        self.call(method, path, None, "").await.terms()
    }

    pub fn runs(&self) -> usize {
        self.shop.runs.load(Ordering::SeqCst)
    }

    /// Nothing of a handler ran and nothing was settled.
    pub fn assert_untouched(&self, what: &str) {
        assert_eq!((self.runs(), self.double.settles()), (0, 0), "{what}");
        assert_eq!(self.shop.extracted.load(Ordering::SeqCst), 0, "{what}");
    }

    pub fn now(&self) -> u64 {
        use x402_runtime::clock::Clock as _;
        self.clock.now_seconds()
    }
}

/// A builder with everything but handlers.
pub fn builder(
    double: &Arc<Double>,
    clock: &Arc<ManualClock>,
    ledger: Arc<dyn Ledger>,
) -> PaywallBuilder<Shop> {
    Paywall::builder()
        .origin("https://api.example.com")
        .pay_to(PAY_TO)
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .facilitator(Arc::clone(double))
        .ledger_arc(ledger)
        .clock(Shared(Arc::clone(clock)))
        // The tests look at unresolved payments themselves.
        .resolve_every(Duration::from_secs(3600))
}

/// One clock for the test and the paywall.
pub struct Shared(pub Arc<ManualClock>);

impl x402_runtime::clock::Clock for Shared {
    fn now_ms(&self) -> u64 {
        self.0.now_ms()
    }
}

pub fn request(method: &str, path: &str, payment: Option<&str>, body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(payment) = payment {
        request = request.header("PAYMENT-SIGNATURE", payment);
    }
    let body = if body.is_empty() {
        Body::empty()
    } else {
        Body::from(body.to_owned())
    };
    request.body(body).unwrap()
}

pub async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body,
    }
}

/// Waits until something holds, without depending on how fast the machine is.
pub async fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came");
}
