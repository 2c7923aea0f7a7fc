//! Prices that depend on the request: what is told, what is taken, and for how long a price that was told is kept to.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

#[path = "../common/all.rs"]
mod common;
mod depot;
mod properties;

use std::sync::Arc;
use std::time::Duration;

use common::shop::request;
use common::{Buyer, Change, NOW};
use depot::{Depot, Said};
use serde_json::json;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::wire::PaymentRequired;

const FAST: &str = r#"{"quality":"fast","text":"x"}"#;
const BEST: &str = r#"{"quality":"best","text":"x"}"#;

fn amount(terms: &PaymentRequired) -> &str {
    &terms.accepts[0].view().unwrap().amount
}

#[tokio::test]
async fn each_request_is_told_its_own_price() {
    let depot = Depot::open().await;
    let long = json!({"quality": "best", "text": "x".repeat(1_001)}).to_string();
    for (body, price, shown) in [
        (FAST, "10000", "0.01 USDC"),
        (BEST, "500000", "0.5 USDC"),
        (&long, "1000000", "1 USDC"),
    ] {
        let answer = depot.call("POST", "/summarize", None, body).await;
        assert_eq!(answer.brief(), (402, "payment_required".to_owned()));
        assert_eq!(amount(&answer.terms()), price);
        let body = answer.json();
        assert_eq!(body["price"], shown);
        assert_eq!(body["accepts"][0]["maxAmountRequired"], price);
        assert_eq!(
            body["priceBounds"],
            json!({"min": "0 USDC", "max": "1.00 USDC"})
        );
    }
    assert_eq!(depot.runs(), 0);
}

#[tokio::test]
async fn a_probe_is_told_the_most_and_a_wrong_request_what_is_wrong() {
    let depot = Depot::open().await;
    let probe = depot.call("POST", "/summarize", None, "").await;
    assert_eq!(probe.brief(), (402, "payment_required".to_owned()));
    assert_eq!(amount(&probe.terms()), "1000000");
    for (body, says) in [
        ("{", "no JSON"),
        (r#"{"text":"x"}"#, "/quality"),
        (r#"{"quality":"bets","text":"x"}"#, "bets"),
        (r#"{"quality":7,"text":"x"}"#, "/quality"),
        (
            r#"{"quality":"fast","quality":"best","text":"x"}"#,
            "more than once",
        ),
    ] {
        let answer = depot.call("POST", "/summarize", None, body).await;
        assert_eq!(
            answer.brief(),
            (400, "price_undetermined".to_owned()),
            "{body}"
        );
        assert_eq!(answer.json()["charged"], false);
        assert_eq!(answer.json()["action"], "fix-request");
        let explanation = answer.json()["explanation"].as_str().unwrap().to_owned();
        assert!(explanation.contains(says), "{body}: {explanation}");
    }
}

#[tokio::test]
async fn the_price_of_the_request_is_what_is_paid_and_settled() {
    let depot = Depot::open().await;
    let buyer = Buyer::new(7);
    for (body, price) in [(FAST, "10000"), (BEST, "500000")] {
        let terms = depot.call("POST", "/summarize", None, body).await.terms();
        let payment = buyer.pay(&terms, NOW);
        let answer = depot.call("POST", "/summarize", Some(&payment), body).await;
        assert_eq!((answer.status, &*answer.body), (200, body.as_bytes()));
        let asked = depot
            .double
            .requests
            .lock()
            .unwrap()
            .last()
            .unwrap()
            .clone();
        let paid = asked.requirements.to_value();
        assert_eq!(paid["amount"], price);
        assert_eq!(
            asked.payload.to_value()["accepted"],
            paid,
            "providers may compare them member by member"
        );
    }
    assert_eq!((depot.runs(), depot.double.settles()), (2, 2));
}

#[tokio::test]
async fn terms_of_a_cheap_request_do_not_pay_for_a_dear_one() {
    let depot = Depot::open().await;
    let terms = depot.call("POST", "/summarize", None, FAST).await.terms();
    let payment = Buyer::new(7).pay(&terms, NOW);
    let answer = depot.call("POST", "/summarize", Some(&payment), BEST).await;
    assert_eq!(answer.brief(), (402, "no_matching_requirements".to_owned()));
    assert_eq!(amount(&answer.terms()), "500000");
    // Nor do those that somebody made up.
    let mut forged = terms.accepts[0].value().clone();
    forged["amount"] = json!("1");
    let forged = json!({"x402Version": 2, "resource": terms.resource, "accepts": [forged]});
    let forged: PaymentRequired = serde_json::from_value(forged).unwrap();
    let answer = depot
        .call(
            "POST",
            "/summarize",
            Some(&Buyer::new(7).pay(&forged, NOW)),
            FAST,
        )
        .await;
    assert_eq!(answer.brief(), (402, "no_matching_requirements".to_owned()));
    assert_eq!((depot.runs(), depot.double.settles()), (0, 0));
}

#[tokio::test]
async fn terms_are_taken_without_their_token_as_long_as_the_price_is_the_same() {
    let depot = Depot::open().await;
    let mut terms = depot.call("POST", "/summarize", None, BEST).await.terms();
    let mut plain = terms.accepts[0].value().clone();
    plain["extra"]
        .as_object_mut()
        .unwrap()
        .remove("x402Quote")
        .unwrap();
    terms.accepts = vec![serde_json::from_value(plain).unwrap()];
    let payment = Buyer::new(7).pay(&terms, NOW);
    let answer = depot.call("POST", "/summarize", Some(&payment), BEST).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn what_costs_nothing_is_served_unpaid() {
    let depot = Depot::open().await;
    let body = r#"{"quality":"free","text":"x"}"#;
    let answer = depot.call("POST", "/summarize", None, body).await;
    assert_eq!((answer.status, &*answer.body), (200, body.as_bytes()));
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    // A payment for something else stays unused.
    let terms = depot.call("POST", "/summarize", None, FAST).await.terms();
    let payment = Buyer::new(7).pay(&terms, NOW);
    assert_eq!(
        depot
            .call("POST", "/summarize", Some(&payment), body)
            .await
            .status,
        200
    );
    assert_eq!(depot.double.settles(), 0);
    assert_eq!(
        depot
            .call("POST", "/summarize", Some(&payment), FAST)
            .await
            .status,
        200
    );
    assert_eq!(depot.double.settles(), 1);
}

#[tokio::test]
async fn a_quoted_price_is_kept_to_for_as_long_as_it_was_told() {
    let depot = Depot::open().await;
    let buyer = Buyer::new(7);
    depot.says(Said::Price("0.03 USDC"));
    let first = depot.get("/tours/oslo?stops=3", None).await;
    assert_eq!(amount(&first.terms()), "30000");
    let payment = buyer.pay(&first.terms(), NOW);
    depot.says(Said::Price("0.07 USDC"));
    let asked = depot.asked();
    assert_eq!(
        depot
            .get("/tours/oslo?stops=3", Some(&payment))
            .await
            .status,
        200
    );
    assert_eq!(
        depot.asked(),
        asked,
        "a price that was told need not be asked for again"
    );

    // For this request only.
    let terms = depot.get("/tours/oslo?stops=3", None).await.terms();
    let payment = buyer.pay(&terms, NOW);
    depot.says(Said::Price("0.08 USDC"));
    for path in ["/tours/oslo?stops=4", "/tours/rome?stops=3"] {
        let answer = depot.get(path, Some(&payment)).await;
        assert_eq!(
            answer.brief(),
            (402, "no_matching_requirements".to_owned()),
            "{path}"
        );
        assert_eq!(amount(&answer.terms()), "80000");
    }
    // Until it has run out.
    depot.clock.advance_ms(400_000);
    let late = buyer.pay(&terms, NOW + 400);
    let answer = depot.get("/tours/oslo?stops=3", Some(&late)).await;
    assert_eq!(answer.brief(), (402, "no_matching_requirements".to_owned()));
    assert_eq!(depot.double.settles(), 1);
}

#[tokio::test]
async fn a_quote_outlives_a_restart() {
    let ledger = Arc::new(MemoryLedger::default());
    let depot = Depot::open_with(ledger.clone(), |builder| builder).await;
    depot.says(Said::Price("0.03 USDC"));
    let terms = depot.get("/tours/oslo", None).await.terms();
    drop(depot);
    let depot = Depot::open_with(ledger.clone(), |builder| builder).await;
    depot.says(Said::Price("0.05 USDC"));
    let payment = Buyer::new(7).pay(&terms, NOW);
    assert_eq!(depot.get("/tours/oslo", Some(&payment)).await.status, 200);
    assert_eq!(depot.asked(), 0);
    // Another ledger knows other keys.
    let other = Depot::open().await;
    other.says(Said::Price("0.05 USDC"));
    let answer = other.get("/tours/oslo", Some(&payment)).await;
    assert_eq!(answer.brief(), (402, "no_matching_requirements".to_owned()));
}

#[tokio::test]
async fn a_payment_is_answered_again_whatever_the_price_is_by_then() {
    let depot = Depot::open().await;
    depot.says(Said::Price("0.03 USDC"));
    let payment = Buyer::new(7).pay(&depot.get("/tours/oslo", None).await.terms(), NOW);
    let answer = depot.get("/tours/oslo", Some(&payment)).await;
    assert_eq!(answer.status, 200);
    for said in [Said::Price("0.09 USDC"), Said::Down, Said::Panic] {
        depot.clock.advance_ms(400_000);
        depot.says(said);
        assert_eq!(depot.get("/tours/oslo", Some(&payment)).await, answer);
    }
    assert_eq!((depot.runs(), depot.double.settles()), (1, 1));
}

#[tokio::test]
async fn a_quote_function_that_fails_charges_nobody() {
    let depot = Depot::open_with(Arc::new(MemoryLedger::default()), |builder| {
        builder.verify_timeout(Duration::from_millis(300))
    })
    .await;
    depot.says(Said::Price("0.03 USDC"));
    let mut terms = depot.get("/tours/oslo", None).await.terms();
    let mut plain = terms.accepts[0].value().clone();
    plain["extra"]
        .as_object_mut()
        .unwrap()
        .remove("x402Quote")
        .unwrap();
    terms.accepts = vec![serde_json::from_value(plain).unwrap()];
    let payment = Buyer::new(7).pay(&terms, NOW);
    for said in [
        Said::Down,
        Said::Panic,
        Said::Hang,
        Said::Price("0.11 USDC"),
        Said::Price("0.005 USDC"),
        Said::Price("0.03 EURC"),
        Said::Price("0.0300001 USDC"),
    ] {
        depot.says(said);
        for payment in [None, Some(&*payment)] {
            let answer = depot.get("/tours/oslo", payment).await;
            assert_eq!(
                answer.brief(),
                (503, "price_unavailable".to_owned()),
                "{said:?}"
            );
            assert_eq!(answer.json()["charged"], false);
            assert_eq!(answer.header("retry-after"), Some("5"));
            answer.assert_no_canary();
        }
    }
    depot.says(Said::Refuse);
    let answer = depot.get("/tours/oslo", Some(&payment)).await;
    assert_eq!(answer.brief(), (400, "price_undetermined".to_owned()));
    assert_eq!(answer.json()["explanation"], "no tours there");
    assert_eq!((depot.runs(), depot.double.settles()), (0, 0));
}

#[tokio::test]
async fn g12_bodies_that_decide_about_a_price_are_bounded_before_anybody_pays() {
    let depot = Depot::open_with(Arc::new(MemoryLedger::default()), |builder| {
        builder.body_cap(64).max_in_flight(1)
    })
    .await;
    let long = "x".repeat(65);
    let answer = depot.call("POST", "/summarize", None, &long).await;
    assert_eq!(answer.brief(), (413, "body_too_large".to_owned()));
    // While one body is read, there is no room for a second.
    let slow = axum::body::Body::from_stream(futures_util::stream::pending::<
        Result<bytes::Bytes, std::io::Error>,
    >());
    let slow = axum::http::Request::post("/summarize").body(slow).unwrap();
    let app = depot.app.clone();
    let reading = tokio::spawn(async move { common::shop::send(&app, slow).await });
    loop {
        let answer = depot.call("POST", "/summarize", None, FAST).await;
        if answer.status == 503 {
            assert_eq!(answer.code(), "overloaded");
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    reading.abort();
}

#[tokio::test]
async fn bad_payments_are_told_the_price_of_their_request() {
    let depot = Depot::open().await;
    let terms = depot.call("POST", "/summarize", None, BEST).await.terms();
    let change = Change {
        value: Some(alloy_primitives::U256::from(1)),
        ..Change::default()
    };
    let payment = Buyer::new(7).pay_with(&terms, NOW, &change);
    let answer = depot.call("POST", "/summarize", Some(&payment), BEST).await;
    assert_eq!(answer.brief(), (402, "value_mismatch".to_owned()));
    assert_eq!(amount(&answer.terms()), "500000");
    for garbage in ["", "x", "e30=", "bnVsbA=="] {
        let answer = depot.call("POST", "/summarize", Some(garbage), BEST).await;
        assert_eq!(answer.status, 402, "{garbage}");
        assert_eq!(amount(&answer.terms()), "500000");
    }
    let twice = request("POST", "/summarize", Some(&payment), BEST);
    let (mut parts, body) = twice.into_parts();
    parts.headers.append("x-payment", "e30=".parse().unwrap());
    let answer = depot
        .send(axum::http::Request::from_parts(parts, body))
        .await;
    assert_eq!(answer.brief(), (400, "duplicate_payment_header".to_owned()));
    assert_eq!((depot.runs(), depot.double.settles()), (0, 0));
}

/// Version 1 repeats no terms: the payment is taken if it pays what the request costs when it arrives.
#[tokio::test]
async fn version_1_buyers_pay_the_price_of_their_request() {
    let depot = Depot::open().await;
    let version_1 = |terms: &PaymentRequired| {
        let payment = Buyer::new(7).payment(terms, NOW, &Change::default());
        let payment = json!({
            "x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": payment["payload"],
        });
        common::buyer::encode(&payment)
    };
    let send = async |method: &str, path: &str, payment: &str, body: &str| {
        let mut request = request(method, path, None, body);
        let header = payment.parse().unwrap();
        request.headers_mut().insert("X-PAYMENT", header);
        depot.send(request).await
    };
    let terms = depot.call("POST", "/summarize", None, FAST).await.terms();
    let payment = version_1(&terms);
    let dear = send("POST", "/summarize", &payment, BEST).await;
    assert_eq!(dear.brief(), (402, "value_mismatch".to_owned()));
    assert_eq!(dear.json()["accepts"][0]["maxAmountRequired"], "500000");
    assert_eq!(send("POST", "/summarize", &payment, FAST).await.status, 200);

    depot.says(Said::Price("0.03 USDC"));
    let payment = version_1(&depot.get("/tours/oslo", None).await.terms());
    depot.says(Said::Price("0.04 USDC"));
    let moved = send("GET", "/tours/oslo", &payment, "").await;
    assert_eq!(moved.brief(), (402, "value_mismatch".to_owned()));
    assert_eq!(moved.json()["accepts"][0]["maxAmountRequired"], "40000");
    depot.says(Said::Price("0.03 USDC"));
    assert_eq!(send("GET", "/tours/oslo", &payment, "").await.status, 200);
    assert_eq!((depot.runs(), depot.double.settles()), (2, 2));
}

/// A price that looks at a header holds for that header only.
#[tokio::test]
async fn a_quote_is_bound_to_the_headers_that_it_looked_at() {
    let depot = Depot::open().await;
    let send = async |class: Option<&str>, other: &str, payment: Option<&str>| {
        let mut request = request("GET", "/tours/oslo", payment, "");
        let headers = request.headers_mut();
        headers.insert("x-other", other.parse().unwrap());
        for value in class.iter().flat_map(|class| class.split('+')) {
            headers.append("x-class", value.parse().unwrap());
        }
        depot.send(request).await
    };
    depot.says(Said::Price("0.01 USDC"));
    for class in [Some("second"), None] {
        depot.says(Said::Price("0.01 USDC"));
        let terms = send(class, "a", None).await.terms();
        let payment = Buyer::new(7).pay(&terms, NOW);
        depot.says(Said::Price("0.09 USDC"));
        for dearer in [
            Some("first"),
            Some("first+second"),
            Some("second+second"),
            Some(""),
        ] {
            let answer = send(dearer, "a", Some(&payment)).await;
            assert_eq!(
                answer.brief(),
                (402, "no_matching_requirements".to_owned()),
                "{dearer:?}"
            );
            assert_eq!(amount(&answer.terms()), "90000");
        }
        // Nobody can leave the header out of the token.
        let mut bare = terms.clone();
        let mut offer = bare.accepts[0].value().clone();
        let token = offer["extra"]["x402Quote"].as_str().unwrap().to_owned();
        assert!(token.ends_with(".x-class"), "{token}");
        offer["extra"]["x402Quote"] = json!(token.strip_suffix(".x-class").unwrap());
        bare.accepts = vec![serde_json::from_value(offer).unwrap()];
        let answer = send(Some("first"), "a", Some(&Buyer::new(7).pay(&bare, NOW))).await;
        assert_eq!(answer.brief(), (402, "no_matching_requirements".to_owned()));
        // Others may change on the way.
        assert_eq!(
            send(class, "b", Some(&payment)).await.status,
            200,
            "{class:?}"
        );
    }
    assert_eq!((depot.runs(), depot.double.settles()), (2, 2));
}

/// Sends a parcel.
#[x402_runtime::paid(GET "/parcels", price = tiers(by = header("X-Size"), "small" => "0.01 USDC", "large" => "0.05 USDC"))]
async fn parcels() -> &'static str {
    "sent"
}

#[tokio::test]
async fn terms_for_a_small_parcel_do_not_send_a_large_one() {
    let depot = Depot::open_with(Arc::new(MemoryLedger::default()), |builder| {
        builder.mount(parcels)
    })
    .await;
    let send = async |size: &str, payment: Option<&str>| {
        let mut request = request("GET", "/parcels", payment, "");
        request
            .headers_mut()
            .insert("x-size", size.parse().unwrap());
        depot.send(request).await
    };
    let payment = Buyer::new(7).pay(&send("small", None).await.terms(), NOW);
    let large = send("large", Some(&payment)).await;
    assert_eq!(large.brief(), (402, "no_matching_requirements".to_owned()));
    assert_eq!(amount(&large.terms()), "50000");
    assert_eq!(send("small", Some(&payment)).await.status, 200);
}

/// What a probe is told is no promise: a request without a price is not served for it.
#[tokio::test]
async fn terms_of_a_probe_do_not_pay_for_a_request_without_a_price() {
    let depot = Depot::open().await;
    let probe = depot.call("POST", "/summarize", None, "").await.terms();
    assert!(!probe.accepts[0].raw().get().contains("x402Quote"));
    let payment = Buyer::new(7).pay(&probe, NOW);
    let answer = depot.call("POST", "/summarize", Some(&payment), "").await;
    assert_eq!(answer.brief(), (400, "price_undetermined".to_owned()));

    depot.says(Said::Refuse);
    let terms = depot.get("/tours/oslo", None).await.terms();
    let payment = Buyer::new(7).pay(&terms, NOW);
    let answer = depot.get("/tours/oslo", Some(&payment)).await;
    assert_eq!(answer.brief(), (400, "price_undetermined".to_owned()));
    assert_eq!((depot.runs(), depot.double.settles()), (0, 0));
}

/// Terms that are kept to are not told anew to a bad payment. What it is told instead is kept to as well.
#[tokio::test]
async fn a_bad_payment_of_kept_terms_is_told_the_price_of_now() {
    let depot = Depot::open().await;
    depot.says(Said::Price("0.03 USDC"));
    let terms = depot.get("/tours/oslo", None).await.terms();
    let change = Change {
        value: Some(alloy_primitives::U256::from(1)),
        ..Change::default()
    };
    let bad = Buyer::new(7).pay_with(&terms, NOW, &change);
    depot.says(Said::Price("0.05 USDC"));
    let answer = depot.get("/tours/oslo", Some(&bad)).await;
    assert_eq!(answer.brief(), (402, "value_mismatch".to_owned()));
    assert_eq!(amount(&answer.terms()), "50000");
    depot.says(Said::Price("0.07 USDC"));
    for terms in [answer.terms(), terms] {
        let payment = Buyer::new(7).pay(&terms, NOW);
        assert_eq!(depot.get("/tours/oslo", Some(&payment)).await.status, 200);
    }
    // A function that says nothing makes no promise.
    depot.says(Said::Down);
    let answer = depot.get("/tours/oslo", Some(&bad)).await;
    assert_eq!(answer.brief(), (402, "value_mismatch".to_owned()));
    assert!(!answer.terms().accepts[0].raw().get().contains("x402Quote"));
}
