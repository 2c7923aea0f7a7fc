//! A seller of summaries by quality and length, and of tours at prices that the test says.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use bytes::Bytes;
use x402_runtime::clock::ManualClock;
use x402_runtime::facilitator::BoxFuture;
use x402_runtime::handler::{
    Endpoint, MountWithPaywall, QuoteError, QuoteRequest, QuoteResult, Quotes, WithState,
};
use x402_runtime::ledger::{Ledger, MemoryLedger};
use x402_runtime::model::endpoint::{EndpointSpec, Lifecycle, Method, RouteSpec, rules};
use x402_runtime::model::money::Decimal;
use x402_runtime::model::network::Network;
use x402_runtime::model::price::{
    Band, Bounds, Case, CaseValue, Charge, Combine, Dimension, DimensionTable, Measure, Price,
    PriceModel, PriceUnit, Quote, Selector, Source,
};
use x402_runtime::paywall::{Paywall, PaywallBuilder, Rail};

use super::common::Double;
use super::common::shop::{Answer, NOW, PAY_TO, Shared, request, send};

/// What the quote function is to do.
#[derive(Debug, Clone, Copy)]
pub enum Said {
    Price(&'static str),
    Refuse,
    Down,
    Panic,
    Hang,
}

#[derive(Clone)]
pub struct Goods {
    runs: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
    said: Arc<Mutex<Said>>,
}

const fn usdc(mantissa: u128, scale: u8) -> Price {
    Price {
        amount: Decimal::new(mantissa, scale),
        unit: PriceUnit::Symbol(Cow::Borrowed("USDC")),
    }
}

const fn spec(
    id: &'static str,
    method: Method,
    path: &'static str,
    price: PriceModel,
) -> EndpointSpec {
    EndpointSpec {
        id,
        route: Some(RouteSpec { method, path }),
        price,
        summary: "",
        description: "",
        tags: &[],
        mime_type: rules::DEFAULT_MIME_TYPE,
        timeout_seconds: rules::DEFAULT_TIMEOUT_SECONDS,
        pay_to: None,
        payment_ids: None,
        lifecycle: Lifecycle::NONE,
        rails: &[],
        probe: None,
        allowances: &[],
        plans: &[],
    }
}

pub struct Summarize;

const fn case(value: &'static str, price: Price) -> Case {
    Case {
        equals: CaseValue::Text(Cow::Borrowed(value)),
        charge: Charge::Amount(price),
    }
}

const fn band(up_to: Option<Decimal>, factor: Decimal) -> Band {
    Band {
        up_to,
        charge: Charge::Factor(factor),
    }
}

const QUALITIES: &[Case] = &[
    case("free", usdc(0, 0)),
    case("fast", usdc(1, 2)),
    case("best", usdc(50, 2)),
];

const LENGTHS: &[Band] = &[
    band(Some(Decimal::new(1_000, 0)), Decimal::new(1, 0)),
    band(None, Decimal::new(2, 0)),
];

const DIMENSIONS: &[Dimension] = &[
    Dimension {
        by: Selector::at(Source::Body, "/quality"),
        table: DimensionTable::Cases(Cow::Borrowed(QUALITIES)),
    },
    Dimension {
        by: Selector::at(Source::Body, "/text").measured(Measure::Chars),
        table: DimensionTable::Bands(Cow::Borrowed(LENGTHS)),
    },
];

impl Endpoint for Summarize {
    const SPEC: EndpointSpec = spec(
        "summarize",
        Method::Post,
        "/summarize",
        PriceModel::Tiered {
            dimensions: Cow::Borrowed(DIMENSIONS),
            combine: Combine::Multiply,
            rebates: Cow::Borrowed(&[]),
            bounds: Bounds {
                min: usdc(0, 0),
                max: usdc(100, 2),
            },
        },
    );
}

fn summarize(
    state: State<Goods>,
    body: Bytes,
) -> MountWithPaywall<Summarize, impl Future<Output = Bytes> + Send> {
    MountWithPaywall::new(async move {
        state.runs.fetch_add(1, Ordering::SeqCst);
        body
    })
}

pub struct Tours;

impl Endpoint for Tours {
    const SPEC: EndpointSpec = spec(
        "tours",
        Method::Get,
        "/tours/{city}",
        PriceModel::Dynamic {
            min: Some(usdc(1, 2)),
            max: usdc(10, 2),
            quote: Quote::Required402 { ttl_seconds: 300 },
            factors: Cow::Borrowed(&[]),
        },
    );
}

impl Quotes<WithState<Goods>> for Tours {
    fn quote(
        WithState(goods): WithState<Goods>,
        request: QuoteRequest,
    ) -> BoxFuture<'static, QuoteResult> {
        Box::pin(async move {
            goods.asked.fetch_add(1, Ordering::SeqCst);
            assert!(request.capture("city").is_some());
            let _ = request.header("X-Class");
            let said = *goods.said.lock().unwrap();
            match said {
                Said::Price(text) => Ok(text.parse()?),
                Said::Refuse => Err(QuoteError::request("no tours there")),
                Said::Down => Err(QuoteError::unavailable("CANARY no connection")),
                Said::Panic => panic!("CANARY panic"),
                Said::Hang => std::future::pending().await,
            }
        })
    }
}

fn tours(
    state: State<Goods>,
) -> MountWithPaywall<Tours, impl Future<Output = &'static str> + Send, WithState<Goods>> {
    MountWithPaywall::new(async move {
        state.runs.fetch_add(1, Ordering::SeqCst);
        "a tour"
    })
}

/// The seller.
pub struct Depot {
    pub app: Router,
    pub double: Arc<Double>,
    pub clock: Arc<ManualClock>,
    goods: Goods,
}

impl Depot {
    pub async fn open() -> Self {
        Self::open_with(Arc::new(MemoryLedger::default()), |builder| builder).await
    }

    pub async fn open_with(
        ledger: Arc<dyn Ledger>,
        change: impl FnOnce(PaywallBuilder<Goods>) -> PaywallBuilder<Goods>,
    ) -> Self {
        let (double, clock) = (
            Arc::new(Double::default()),
            Arc::new(ManualClock::at_seconds(NOW)),
        );
        let builder = Paywall::builder()
            .origin("https://api.example.com")
            .pay_to(PAY_TO)
            .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
            .facilitator(Arc::clone(&double))
            .ledger_arc(ledger)
            .clock(Shared(Arc::clone(&clock)))
            .mount(summarize)
            .mount(tours);
        let paywall = change(builder)
            .build()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let goods = Goods {
            runs: Arc::default(),
            asked: Arc::default(),
            said: Arc::new(Mutex::new(Said::Down)),
        };
        Self {
            app: paywall.router().with_state(goods.clone()),
            double,
            clock,
            goods,
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

    pub fn says(&self, said: Said) {
        *self.goods.said.lock().unwrap() = said;
    }

    pub fn asked(&self) -> usize {
        self.goods.asked.load(Ordering::SeqCst)
    }

    pub fn runs(&self) -> usize {
        self.goods.runs.load(Ordering::SeqCst)
    }
}
