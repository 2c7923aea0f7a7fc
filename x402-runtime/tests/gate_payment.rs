//! What a paid request gets: once per payment, the same bytes again, nothing for another request.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test fails by panicking, and a table is as long as it is"
)]

#[path = "common/all.rs"]
mod common;

use std::sync::Arc;

use alloy_primitives::{B256, U256};
use common::shop::builder;
use common::{Buyer, Change, Double, NOW, Stand};
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::paid;

#[tokio::test]
async fn unpaid_request_gets_the_terms() {
    let stand = Stand::open().await;
    let answer = stand.get("/weather/oslo?units=metric", None).await;
    assert_eq!(answer.brief(), (402, "payment_required".to_owned()));
    assert_eq!(answer.json()["charged"], false);
    assert_eq!(answer.json()["action"], "pay");
    let terms = answer.terms();
    assert_eq!(terms.resource.url, "https://api.example.com/weather/oslo");
    assert_eq!(terms.error.as_deref(), Some("Payment required"));
    assert_eq!(terms.accepts[0].view().unwrap().amount, "10000");
    assert_eq!(stand.runs(), 0);
}

#[tokio::test]
async fn paid_request_is_served_and_settled_once() {
    let stand = Stand::open().await;
    let buyer = Buyer::new(7);
    let payment = buyer.pay(&stand.terms("GET", "/weather/oslo").await, NOW);
    let answer = stand.get("/weather/oslo", Some(&payment)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["payer"], buyer.checksum());
    assert!(answer.json()["id"].as_str().unwrap().starts_with("pay_"));
    let settlement = answer.settlement().unwrap();
    assert!(settlement.is_settled());
    assert_eq!(settlement.network, "eip155:84532");
    assert_eq!(settlement.payer.as_deref(), Some(buyer.checksum().as_str()));
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));

    // Again, also long after the authorization has expired: the same bytes.
    let again = stand.get("/weather/oslo", Some(&payment)).await;
    assert_eq!(again, answer);
    stand.clock.advance_ms(3_600_000);
    assert_eq!(stand.get("/weather/oslo", Some(&payment)).await, answer);
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_parallel_replay_runs_handler_once() {
    let stand = Arc::new(Stand::open().await);
    let payment = Arc::new(Buyer::new(7).pay(&stand.terms("GET", "/weather/oslo").await, NOW));
    let copies: Vec<_> = (0..256)
        .map(|_| {
            let (stand, payment) = (Arc::clone(&stand), Arc::clone(&payment));
            tokio::spawn(async move { stand.get("/weather/oslo", Some(&payment)).await })
        })
        .collect();
    let mut served = Vec::new();
    for copy in copies {
        let answer = copy.await.unwrap();
        match answer.status {
            200 => served.push(answer),
            409 => {
                assert_eq!(answer.code(), "payment_in_progress");
                assert!(answer.header("retry-after").is_some());
            }
            other => panic!("{other}: {answer:?}"),
        }
    }
    assert!(!served.is_empty());
    assert!(
        served.windows(2).all(|pair| pair[0] == pair[1]),
        "two answers for one payment"
    );
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

#[tokio::test]
async fn g01_spellings_of_one_authorization_are_one_payment() {
    let stand = Stand::open().await;
    let payment =
        Buyer::new(7).payment(&stand.terms("GET", "/news").await, NOW, &Change::default());
    let first = stand
        .get("/news", Some(&common::buyer::encode(&payment)))
        .await;
    assert_eq!(first.status, 200);
    let mut spelt = payment.clone();
    let authorization = &mut spelt["payload"]["authorization"];
    for field in ["from", "to", "nonce"] {
        authorization[field] = authorization[field].as_str().unwrap().to_lowercase().into();
    }
    assert_eq!(
        stand
            .get("/news", Some(&common::buyer::encode(&spelt)))
            .await,
        first
    );
    assert_eq!(stand.runs(), 1);
}

#[tokio::test]
async fn g03_payment_is_bound_to_its_request() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("POST", "/echo").await, NOW);
    let first = stand
        .call("POST", "/echo?b=2&a=1", Some(&payment), "hello")
        .await;
    assert_eq!((first.status, &first.body[..]), (200, &b"hello"[..]));
    // Another order of the query is the same request.
    assert_eq!(
        stand
            .call("POST", "/echo?a=1&b=2", Some(&payment), "hello")
            .await,
        first
    );
    for (method, path, body) in [
        ("POST", "/echo?b=2&a=1", "other body"),
        ("POST", "/echo?b=2&a=2", "hello"),
        ("POST", "/echo", "hello"),
        ("GET", "/news", ""),
        ("GET", "/weather/oslo", ""),
    ] {
        let answer = stand.call(method, path, Some(&payment), body).await;
        assert_eq!(
            answer.brief(),
            (409, "payment_reused_for_other_request".to_owned()),
            "{method} {path}"
        );
        assert!(answer.headers.get("payment-required").is_none());
    }
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

#[paid(GET "/quote", price = "0.02 USDC", id = "quote")]
async fn dear() -> &'static str {
    "quote"
}

#[paid(GET "/quote", price = "0.01 USDC", id = "quote")]
async fn cheap() -> &'static str {
    "quote"
}

#[tokio::test]
async fn g09_earlier_quote_is_honoured_inside_its_window() {
    let ledger = Arc::new(MemoryLedger::default());
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    let old = Stand::of(
        builder(&double, &clock, ledger.clone()).mount(dear),
        double.clone(),
        clock.clone(),
    )
    .await;
    let quoted = old.terms("GET", "/quote").await;
    let new = Stand::of(
        builder(&double, &clock, ledger).mount(cheap),
        double.clone(),
        clock.clone(),
    )
    .await;
    assert_eq!(
        new.terms("GET", "/quote").await.accepts[0]
            .view()
            .unwrap()
            .amount,
        "10000"
    );

    let buyer = Buyer::new(7);
    clock.advance_ms(100_000);
    let answer = new.get("/quote", Some(&buyer.pay(&quoted, NOW))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    // A lie about the old price matches neither.
    let lie = buyer.pay_with(
        &quoted,
        NOW,
        &Change {
            value: Some(U256::from(10_000)),
            ..Change::default()
        },
    );
    assert_eq!(new.get("/quote", Some(&lie)).await.code(), "value_mismatch");
    let late = buyer.pay(&quoted, NOW);
    clock.advance_ms(201_000);
    let answer = new.get("/quote", Some(&late)).await;
    assert_eq!(answer.brief(), (402, "no_matching_requirements".to_owned()));
    assert_eq!(
        answer.terms().error.as_deref(),
        Some("No matching payment requirements")
    );
}

#[tokio::test]
async fn g17_clock_skew() {
    let stand = Stand::open().await;
    let terms = stand.terms("GET", "/news").await;
    let buyer = Buyer::new(7);
    let signed_at = |now: u64| buyer.pay(&terms, now);
    for (buyers_now, expected) in [
        (NOW - 600, "authorization_expired"),
        (NOW - 60, ""),
        (NOW - 5, ""),
        (NOW, ""),
        (NOW + 5, ""),
        (NOW + 60, ""),
        (NOW + 61, "validity_too_long"),
        (NOW + 600, "validity_too_long"),
        (NOW - 290, ""),
        (NOW - 291, "authorization_expired"),
    ] {
        let answer = stand.get("/news", Some(&signed_at(buyers_now))).await;
        assert_eq!(answer.code(), expected, "{buyers_now}");
    }
    for (after, expected) in [(0, 200), (NOW - 600, 200), (NOW, 200), (NOW + 1, 402)] {
        let change = Change {
            valid_after: Some(after),
            ..Change::default()
        };
        assert_eq!(
            stand
                .get("/news", Some(&buyer.pay_with(&terms, NOW, &change)))
                .await
                .status,
            expected,
            "{after}"
        );
    }
    let forever = Change {
        valid_before: Some(U256::MAX),
        ..Change::default()
    };
    assert_eq!(
        stand
            .get("/news", Some(&buyer.pay_with(&terms, NOW, &forever)))
            .await
            .code(),
        "validity_too_long"
    );
}

#[tokio::test]
async fn two_payers_may_use_one_nonce() {
    let stand = Stand::open().await;
    let terms = stand.terms("GET", "/news").await;
    let change = Change {
        nonce: Some(B256::repeat_byte(1)),
        ..Change::default()
    };
    for seed in [7, 8] {
        assert_eq!(
            stand
                .get(
                    "/news",
                    Some(&Buyer::new(seed).pay_with(&terms, NOW, &change))
                )
                .await
                .status,
            200
        );
    }
    assert_eq!(stand.runs(), 2);
}

#[tokio::test]
async fn g12_paid_and_unpaid_answers_are_private() {
    let stand = Stand::open().await;
    let unpaid = stand.get("/weather/oslo", None).await;
    let paid = stand
        .get(
            "/weather/oslo",
            Some(&Buyer::new(7).pay(&unpaid.terms(), NOW)),
        )
        .await;
    let failed = stand
        .get(
            "/behave/500",
            Some(&Buyer::new(7).pay(&unpaid.terms(), NOW)),
        )
        .await;
    assert_eq!((paid.status, failed.status), (200, 500));
    for answer in [&unpaid, &paid, &failed] {
        let all: Vec<_> = answer.headers.get_all("cache-control").iter().collect();
        assert_eq!(all, ["private, no-store"]);
        let vary: Vec<_> = answer
            .headers
            .get_all("vary")
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect();
        assert!(vary.contains(&"PAYMENT-SIGNATURE, X-PAYMENT"), "{vary:?}");
    }
    assert!(
        paid.headers
            .get_all("vary")
            .iter()
            .any(|value| value == "Accept-Language")
    );
    assert_eq!(paid.header("content-type"), Some("application/json"));

    // Shared caches believe some headers more than Cache-Control.
    let payment = Buyer::new(7).pay(&unpaid.terms(), NOW);
    let cached = stand.get("/behave/cached", Some(&payment)).await;
    assert_eq!(
        (cached.status, cached.header("x-mine")),
        (200, Some("kept"))
    );
    for (name, value) in &cached.headers {
        let text = format!("{name}: {value:?}");
        assert!(!text.contains("60") && !text.contains("2099"), "{text}");
    }
}

#[tokio::test]
async fn handlers_cannot_forge_the_gates_headers() {
    let stand = Stand::open().await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    let answer = stand.get("/behave/forge", Some(&payment)).await;
    assert_eq!(answer.headers.get_all("payment-response").iter().count(), 1);
    assert!(answer.settlement().unwrap().success);
    assert!(answer.headers.get("settlement-overrides").is_none());
}
