//! The seller of the end-to-end tests: a few paid routes with counters, over any facilitator and ledger.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use x402_model::network::Network;
use x402_runtime::clock::{Clock, SystemClock};
use x402_runtime::extract::Paid;
use x402_runtime::facilitator::Facilitator;
use x402_runtime::ledger::{Ledger, MemoryLedger};
use x402_runtime::paywall::{Paywall, Rail};
use x402_runtime::{Meter, paid};

use crate::accounts::{self, PAYEE};

/// What a call of `/weather/…` and `/news/…` costs, in atomic units.
pub const PRICE: u64 = 10_000;

/// What the handlers share: counters, and a door that slow handlers wait at.
#[derive(Debug, Clone)]
pub struct Desk {
    runs: Arc<Mutex<BTreeMap<String, usize>>>,
    door: Arc<Semaphore>,
    log: Option<Arc<PathBuf>>,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            runs: Arc::default(),
            door: Arc::new(Semaphore::new(0)),
            log: None,
        }
    }
}

impl Desk {
    /// A desk that also writes a line to this file for every run, which outlives the process.
    #[must_use]
    pub fn logging_to(path: PathBuf) -> Self {
        Self {
            log: Some(Arc::new(path)),
            ..Self::default()
        }
    }

    /// Notes a run of a handler and tells which one it is, from 1.
    fn note(&self, what: &str) -> usize {
        if let Some(path) = &self.log {
            let file = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path.as_path());
            writeln!(file.expect("the log of runs"), "{what}").expect("the log of runs");
        }
        let mut runs = self.runs.lock().expect("the counters");
        let count = runs.entry(what.to_owned()).or_default();
        *count += 1;
        *count
    }

    /// How often a handler has started.
    #[must_use]
    pub fn runs(&self, what: &str) -> usize {
        self.runs
            .lock()
            .expect("the counters")
            .get(what)
            .copied()
            .unwrap_or_default()
    }

    /// Lets so many waiting handlers go on.
    pub fn open(&self, handlers: usize) {
        self.door.add_permits(handlers);
    }

    /// Waits until a handler has started so often.
    pub async fn until(&self, what: &str, times: usize) {
        for _ in 0..1000 {
            if self.runs(what) >= times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{what} did not start {times} times");
    }
}

/// Weather for a city.
#[paid(GET "/weather/{city}", price = "0.01 USDC")]
async fn weather(State(desk): State<Desk>, Path(city): Path<String>, paid: Paid) -> Json<Value> {
    let run = desk.note("weather");
    Json(json!({"city": city, "celsius": 21, "run": run, "payer": paid.payer.to_checksum(None)}))
}

/// News from a city, on the same terms as its weather.
#[paid(GET "/news/{city}", price = "0.01 USDC")]
async fn news(State(desk): State<Desk>, Path(city): Path<String>) -> Json<Value> {
    let run = desk.note("news");
    Json(json!({"city": city, "news": "none", "run": run}))
}

/// A report, dearer than the rest.
#[paid(GET "/report", price = "0.05 USDC")]
async fn report(State(desk): State<Desk>) -> Json<Value> {
    let run = desk.note("report");
    Json(json!({"report": "all well", "run": run}))
}

/// What money costs, for half after four calls.
#[paid(GET "/rates", price = "0.01 USDC", rebate = volume("1h", 4 => "x0.5"))]
async fn rates(State(desk): State<Desk>) -> Json<Value> {
    let run = desk.note("rates");
    Json(json!({"eur": "1.08", "run": run}))
}

/// The weather of long ago, from credit if there is any.
#[paid(GET "/archive/{city}", price = "0.01 USDC", plans = [prepaid("0.04 USDC", credit = "0.05 USDC", expires = "1d")])]
async fn archive(State(desk): State<Desk>, Path(city): Path<String>) -> Json<Value> {
    let run = desk.note("archive");
    Json(json!({"city": city, "run": run}))
}

/// Something to try out, three times for nothing.
#[paid(GET "/sample", price = "0.01 USDC", free = "3/day per payer")]
async fn sample(State(desk): State<Desk>) -> Json<Value> {
    let run = desk.note("sample");
    Json(json!({"sample": run}))
}

/// Sends the body back.
#[paid(POST "/echo", price = "0.01 USDC")]
async fn echo(State(desk): State<Desk>, body: axum::body::Bytes) -> Response {
    desk.note("echo");
    ([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response()
}

/// Behaves as the query says: `do=404`, `do=500`, `do=303`, `do=panic`, `do=wait`, `do=sleep`, `do=cache`, `do=big`.
#[paid(GET "/behave", price = "0.01 USDC")]
async fn behave(
    State(desk): State<Desk>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let deed = query.get("do").map_or("nothing", String::as_str);
    let run = desk.note(deed);
    match deed {
        "panic" => panic!("told to"),
        "sleep" => tokio::time::sleep(Duration::from_secs(60)).await,
        "wait" => desk
            .door
            .acquire()
            .await
            .expect("the door is never closed")
            .forget(),
        "cache" => return ([(header::CACHE_CONTROL, "max-age=60")], "kept").into_response(),
        "big" => return vec![b'x'; 9 << 20].into_response(),
        "303" => {
            return (StatusCode::SEE_OTHER, [(header::LOCATION, "/elsewhere")]).into_response();
        }
        status => {
            if let Some(status) = status
                .parse()
                .ok()
                .and_then(|code| StatusCode::from_u16(code).ok())
            {
                return (status, Json(json!({"told": deed}))).into_response();
            }
        }
    }
    Json(json!({"did": deed, "run": run})).into_response()
}

/// Tells three words and then thinks for ever, or ends: `end=true`.
#[paid(GET "/words", price = upto("0.01 USDC", base = "0.001 USDC", units(words = "0.002 USDC")))]
async fn words(
    State(desk): State<Desk>,
    meter: Meter,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    desk.note("words");
    let ends = query.contains_key("end");
    let events = stream::unfold(0, move |told| {
        let meter = meter.clone();
        async move {
            if told == 3 && ends {
                return None;
            }
            if told == 3 {
                std::future::pending::<()>().await;
            }
            meter.add("words", 1);
            Some((Ok::<_, Infallible>(format!("data: {told}\n\n")), told + 1))
        }
    });
    let kind = [(header::CONTENT_TYPE, "text/event-stream")];
    (kind, Body::from_stream(events)).into_response()
}

async fn free() -> &'static str {
    "free"
}

/// What a seller runs on.
pub struct Setup {
    /// Verifies and settles.
    pub facilitator: Arc<dyn Facilitator>,
    /// Remembers.
    pub ledger: Arc<dyn Ledger>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// How long a handler may run.
    pub handler_timeout: Duration,
    /// How long a settle call may take.
    pub settle_timeout: Duration,
    /// The origin that buyers use, if it is not where the seller listens.
    pub origin: Option<String>,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").finish_non_exhaustive()
    }
}

impl Setup {
    /// A seller in memory on the system's clock.
    #[must_use]
    pub fn new(facilitator: Arc<dyn Facilitator>) -> Self {
        Self {
            facilitator,
            ledger: Arc::new(MemoryLedger::new()),
            clock: Arc::new(SystemClock),
            handler_timeout: Duration::from_secs(20),
            settle_timeout: Duration::from_secs(8),
            origin: None,
        }
    }
}

/// A running seller. Dropping it stops listening; what it has begun goes on.
#[derive(Debug)]
pub struct Seller {
    /// What the handlers share.
    pub desk: Desk,
    /// The paywall, to recover or to shut down.
    pub paywall: Paywall<Desk>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Seller {
    /// Starts a seller on a free port.
    pub async fn start(setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::serve(setup, Desk::default(), listener).await
    }

    /// Starts a seller on this listener.
    pub async fn serve(setup: Setup, desk: Desk, listener: TcpListener) -> Self {
        let address = listener.local_addr().expect("its address");
        let origin = setup
            .origin
            .clone()
            .unwrap_or_else(|| format!("http://{address}"));
        let paywall = paywall(setup, &origin).await;
        let app = paywall
            .router()
            .merge(Router::new().route("/free", get(free)))
            .with_state(desk.clone());
        let task = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("the seller serves");
        });
        Self {
            desk,
            paywall,
            address,
            task,
        }
    }

    /// `http://host:port`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A buyer of this seller.
    #[must_use]
    pub fn buyer(&self) -> crate::buyer::Buyer {
        crate::buyer::Buyer::new(&self.origin())
    }
}

impl Drop for Seller {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn paywall(setup: Setup, origin: &str) -> Paywall<Desk> {
    // Not every facilitator of the tests settles metered payments.
    let kinds = setup.facilitator.supported().await;
    let metered = kinds.is_ok_and(|kinds| kinds.kinds.iter().any(|kind| kind.scheme == "upto"));
    let builder = Paywall::builder()
        .origin(origin)
        .pay_to(accounts::text(PAYEE))
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .facilitator_arc(setup.facilitator)
        .ledger_arc(setup.ledger)
        .clock_arc(setup.clock)
        .handler_timeout(setup.handler_timeout)
        .settle_timeout(setup.settle_timeout)
        .verify_timeout(Duration::from_secs(2))
        .resolve_every(Duration::from_millis(100))
        .mount(weather)
        .mount(news)
        .mount(report)
        .mount(rates)
        .mount(archive)
        .mount(sample)
        .mount(echo)
        .mount(behave);
    let builder = match metered {
        true => builder.mount(words),
        false => builder,
    };
    builder
        .build()
        .await
        .expect("the seller's settings are sound")
}
