//! Free calls at the gate: for whoever signed in, as long as there are any, and never more than that.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use alloy_primitives::{Address, hex, keccak256};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use common::shop::{Shared, send};
use common::{Answer, Buyer, Double, NOW, PAY_TO};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};
use serde_json::json;
use x402_runtime::clock::{Clock, ManualClock};
use x402_runtime::handler::{Endpoint, MountWithPaywall};
use x402_runtime::ledger::{Ledger, MemoryLedger};
use x402_runtime::model::asset::checksum;
use x402_runtime::model::endpoint::{EndpointSpec, Lifecycle, Method, RouteSpec, rules};
use x402_runtime::model::extension::SignIn;
use x402_runtime::model::extension::siwx::{Challenge, personal_hash};
use x402_runtime::model::money::Decimal;
use x402_runtime::model::network::Network;
use x402_runtime::model::price::{
    Allowance, AllowanceKind, Identify, Price, PriceModel, PriceUnit, Scope,
};
use x402_runtime::paywall::{Paywall, Rail};

const DAY: AllowanceKind = AllowanceKind::FreeQuota {
    window_seconds: 86_400,
};

const fn spec(
    id: &'static str,
    path: &'static str,
    allowances: &'static [Allowance],
) -> EndpointSpec {
    EndpointSpec {
        id,
        route: Some(RouteSpec {
            method: Method::Get,
            path,
        }),
        price: PriceModel::Flat {
            amount: Price {
                amount: Decimal::new(1, 2),
                unit: PriceUnit::Symbol(Cow::Borrowed("USDC")),
            },
        },
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
        allowances,
        plans: &[],
    }
}

struct News;

impl Endpoint for News {
    const SPEC: EndpointSpec = spec(
        "news",
        "/news/{how}",
        &[Allowance {
            kind: DAY,
            scope: Scope::Payer,
            calls: 2,
            identify: Identify::SignInWithX,
        }],
    );
}

struct Teaser;

impl Endpoint for Teaser {
    const SPEC: EndpointSpec = spec(
        "teaser",
        "/teaser",
        &[Allowance {
            kind: AllowanceKind::Trial,
            scope: Scope::Client,
            calls: 1,
            identify: Identify::Nothing,
        }],
    );
}

type Runs = Arc<AtomicUsize>;

fn news(
    State(runs): State<Runs>,
    Path(how): Path<String>,
    headers: HeaderMap,
) -> MountWithPaywall<News, impl Future<Output = Response> + Send> {
    MountWithPaywall::new(async move {
        runs.fetch_add(1, Ordering::SeqCst);
        assert!(
            !headers.contains_key("sign-in-with-x"),
            "the gate's business"
        );
        match how.as_str() {
            "panic" => panic!("CANARY"),
            "bad" => (StatusCode::BAD_REQUEST, "the handler's own").into_response(),
            _ => "news".into_response(),
        }
    })
}

fn teaser(
    State(runs): State<Runs>,
) -> MountWithPaywall<Teaser, impl Future<Output = &'static str> + Send> {
    MountWithPaywall::new(async move {
        runs.fetch_add(1, Ordering::SeqCst);
        "teaser"
    })
}

struct Stand {
    app: Router,
    runs: Runs,
    double: Arc<Double>,
    clock: Arc<ManualClock>,
}

impl Stand {
    async fn open(ledger: Arc<dyn Ledger>) -> Self {
        let (double, clock) = (
            Arc::new(Double::default()),
            Arc::new(ManualClock::at_seconds(NOW)),
        );
        let paywall: Paywall<Runs> = Paywall::builder()
            .origin("https://api.example.com:443")
            .pay_to(PAY_TO)
            .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
            .facilitator(Arc::clone(&double))
            .ledger_arc(ledger)
            .clock(Shared(Arc::clone(&clock)))
            .mount(news)
            .mount(teaser)
            .build()
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let runs = Runs::default();
        Self {
            app: paywall.router().with_state(Arc::clone(&runs)),
            runs,
            double,
            clock,
        }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = headers
            .iter()
            .fold(Request::get(path), |request, (name, value)| {
                request.header(*name, *value)
            });
        send(&self.app, request.body(Body::empty()).unwrap()).await
    }

    fn counts(&self) -> (usize, usize) {
        (self.runs.load(Ordering::SeqCst), self.double.settles())
    }

    /// A signed answer to the challenge of a 402.
    async fn sign_in(&self, path: &str, seed: u8) -> String {
        let terms = self.get(path, &[]).await.terms();
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

    async fn free(&self, path: &str, seed: u8) -> Answer {
        let header = self.sign_in(path, seed).await;
        self.get(path, &[("SIGN-IN-WITH-X", &header)]).await
    }
}

#[tokio::test]
async fn whoever_signs_in_is_served_free_as_often_as_the_endpoint_says() {
    let stand = Stand::open(Arc::new(MemoryLedger::new())).await;
    for left in [1, 0] {
        let answer = stand.free("/news/today", 7).await;
        assert_eq!(
            (answer.status, &answer.body[..]),
            (200, &b"news"[..]),
            "{left} left"
        );
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        assert!(answer.settlement().is_none());
    }
    let answer = stand.free("/news/today", 7).await;
    assert_eq!(answer.brief(), (402, "payment_required".to_owned()));
    assert_eq!(
        stand.free("/news/today", 8).await.status,
        200,
        "another caller"
    );
    assert_eq!(stand.counts(), (3, 0));
    // And is served for money as ever, with the challenge copied or not.
    let terms = stand.get("/news/today", &[]).await.terms();
    let mut payment = Buyer::new(7).payment(&terms, NOW, &common::Change::default());
    payment["extensions"] = json!(terms.extensions);
    let header = common::buyer::encode(&payment);
    assert_eq!(
        stand
            .get("/news/today", &[("PAYMENT-SIGNATURE", &header)])
            .await
            .status,
        200
    );
    assert_eq!(stand.counts(), (4, 1));
    // Free calls come back.
    stand.clock.advance_ms(86_400_000);
    assert_eq!(stand.free("/news/today", 7).await.status, 200);
}

#[tokio::test]
async fn a_sign_in_that_does_not_count_is_answered_like_none() {
    let stand = Stand::open(Arc::new(MemoryLedger::new())).await;
    let good = stand.sign_in("/news/today", 7).await;
    let doubled = [
        ("SIGN-IN-WITH-X", good.as_str()),
        ("SIGN-IN-WITH-X", good.as_str()),
    ];
    let junk = [("SIGN-IN-WITH-X", "?")];
    let foreign_host = [("Host", "evil.example")];
    for headers in [&doubled[..], &junk[..], &foreign_host[..], &[][..]] {
        let answer = stand.get("/news/today", headers).await;
        assert_eq!(answer.brief(), (402, "payment_required".to_owned()));
        let terms = answer.terms();
        let challenge = Challenge::read(terms.extensions.as_ref()).expect("a challenge");
        assert_eq!(
            challenge.info.domain, "api.example.com",
            "never from the request"
        );
        assert_eq!(challenge.info.uri, "https://api.example.com/news/today");
        assert_eq!(terms.accepts.len(), 1);
    }
    assert_eq!(stand.counts(), (0, 0));
    // It counts once.
    assert_eq!(
        stand
            .get("/news/today", &[("SIGN-IN-WITH-X", &good)])
            .await
            .status,
        200
    );
    assert_eq!(
        stand
            .get("/news/today", &[("SIGN-IN-WITH-X", &good)])
            .await
            .status,
        402
    );
    // Too late it does not.
    let late = stand.sign_in("/news/today", 7).await;
    stand.clock.advance_ms(300_001);
    assert_eq!(
        stand
            .get("/news/today", &[("SIGN-IN-WITH-X", &late)])
            .await
            .status,
        402
    );
}

/// G19: whatever the path holds, the challenge is one that can be signed, and bounded.
#[tokio::test]
async fn g19_odd_paths_make_no_odd_challenges() {
    let stand = Stand::open(Arc::new(MemoryLedger::new())).await;
    for path in [
        "/news/%3Cb%3E?secret=1",
        "/news/a|b",
        "/news/%zz",
        &format!("/news/{}", "x".repeat(9_000)),
    ] {
        let terms = stand.get(path, &[]).await.terms();
        let challenge = Challenge::read(terms.extensions.as_ref()).expect("a challenge");
        assert!(challenge.info.uri.len() < 2_200 && !challenge.info.uri.contains("secret"));
        assert_eq!(stand.free(path, 7).await.status, 200, "{path}");
        stand.clock.advance_ms(86_400_000);
    }
}

/// A payment that comes along counts, and no free call is used.
#[tokio::test]
async fn a_payment_goes_before_a_sign_in() {
    let stand = Stand::open(Arc::new(MemoryLedger::new())).await;
    let sign_in = stand.sign_in("/news/today", 7).await;
    let terms = stand.get("/news/today", &[]).await.terms();
    let payment = Buyer::new(7).pay(&terms, NOW);
    let both = [
        ("SIGN-IN-WITH-X", sign_in.as_str()),
        ("PAYMENT-SIGNATURE", payment.as_str()),
    ];
    assert_eq!(stand.get("/news/today", &both[1..]).await.status, 200);
    assert_eq!(
        stand.get("/news/today", &both[..1]).await.status,
        200,
        "not used up"
    );
    assert_eq!(stand.counts(), (2, 1));
}

#[tokio::test]
async fn a_free_call_that_failed_is_not_counted() {
    let stand = Stand::open(Arc::new(MemoryLedger::new())).await;
    for _ in 0..3 {
        assert_eq!(stand.free("/news/bad", 7).await.status, 400);
        let answer = stand.free("/news/panic", 7).await;
        assert_eq!(answer.brief(), (500, "handler_panicked".to_owned()));
        answer.assert_no_canary();
    }
    for wanted in [200, 200, 402] {
        assert_eq!(stand.free("/news/today", 7).await.status, wanted);
    }
}

#[tokio::test]
async fn callers_are_told_apart_by_their_network_address_where_the_server_knows_it() {
    let stand = Stand::open(Arc::new(MemoryLedger::new())).await;
    let from = async |address: &str| {
        let address: std::net::SocketAddr = address.parse().unwrap();
        let request = Request::get("/teaser").extension(ConnectInfo(address));
        send(&stand.app, request.body(Body::empty()).unwrap())
            .await
            .status
    };
    assert_eq!(from("203.0.113.9:1").await, 200);
    assert_eq!(
        from("203.0.113.9:2").await,
        402,
        "another port is the same caller"
    );
    assert_eq!(from("203.0.113.8:1").await, 200);
    let unknown = stand.get("/teaser", &[]).await;
    assert_eq!(unknown.status, 402);
    assert!(
        Challenge::read(unknown.terms().extensions.as_ref()).is_none(),
        "nobody has to sign in"
    );
}

/// T10: what cannot be counted is not free.
#[tokio::test]
async fn t10_a_ledger_without_room_serves_nothing_free() {
    let stand = Stand::open(Arc::new(MemoryLedger::new().with_max_records(2))).await;
    stand.clock.set_ms(stand.clock.now_ms());
    assert_eq!(stand.free("/news/today", 7).await.status, 200);
    assert_eq!(stand.free("/news/today", 8).await.status, 200);
    assert_eq!(stand.free("/news/today", 9).await.status, 402);
    assert_eq!(stand.counts(), (2, 0));
}
