//! Calls as written by the caller: what is refused before anything is sent, and what goes out.

use std::sync::Mutex;

use alloy_signer_local::PrivateKeySigner;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use serde_json::{Value, json};
use x402_client::transport::{
    CutReason, Transport, TransportError, TransportErrorKind, TransportReply,
};
use x402_client::{Action, Budget, Charged, Error, Wallet};
use x402_model::wire::headers::{DEFAULT_CAP, decode_value, encode};

use crate::seller::{Act, Seen, Seller, builder, client, offer, option, problem, served};

#[tokio::test]
async fn mistakes_are_reported_before_anything_is_sent() {
    let seller = Seller::start(|_| served()).await;
    let (client, url) = (client(), seller.url());
    let calls = [
        (client.get("weather"), "invalid_url"),
        (client.get("http://api.example.com/x"), "insecure_url"),
        (
            client.get("https://user:secret@api.example.com/x"),
            "credentials_in_url",
        ),
        (
            client.get(&url).header("PAYMENT-SIGNATURE", "AAAA"),
            "reserved_header",
        ),
        (
            client.get(&url).header("x-payment", "AAAA"),
            "reserved_header",
        ),
        (
            client.get(&url).header("Host", "evil.test"),
            "reserved_header",
        ),
        (client.get(&url).header("a b", "x"), "invalid_header"),
        (client.get(&url).header("a", "x\r\ny: z"), "invalid_header"),
        (client.get(&url).max("0.05"), "invalid_max"),
        (client.get(&url).pay_to("alice"), "invalid_pay_to"),
        (
            client.get(&url).idempotency_key(""),
            "invalid_idempotency_key",
        ),
        (
            client.get(&url).idempotency_key(&"k".repeat(257)),
            "invalid_idempotency_key",
        ),
    ];
    for (call, code) in calls {
        let error = call.send().await.unwrap_err();
        assert_eq!(
            (error.code(), error.charged(), error.action()),
            (code, Charged::No, Action::AskHuman)
        );
    }
    let saltless = builder(Budget::new("1 USD", "1 USD").unwrap())
        .wallet(Wallet::from_signer(PrivateKeySigner::random()))
        .build()
        .unwrap();
    let error = saltless
        .get(&url)
        .idempotency_key("k")
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), "wallet_without_salt");
    assert!(seller.seen().is_empty());
}

#[tokio::test]
async fn the_paid_request_is_the_unpaid_one_with_a_payment() {
    let seller = Seller::selling(|_| served()).await;
    let body = serde_json::json!({"text": "hello"});
    let answer = client()
        .post(&format!("{}?q=1#frag", seller.url()))
        .header("x-trace", "7")
        .json(&body)
        .send()
        .await;
    assert_eq!(answer.unwrap().text(), Ok("paid content"));
    let seen = seller.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].line, "POST /weather?q=1 HTTP/1.1");
    assert_eq!(
        (&seen[0].line, &seen[0].body),
        (&seen[1].line, &seen[1].body)
    );
    assert_eq!(seen[1].body, body.to_string().as_bytes());
    let mut paid = seen[1].headers.clone();
    assert!(paid.remove("payment-signature").is_some());
    assert_eq!(paid, seen[0].headers);
    assert_eq!(
        (paid["x-trace"].as_str(), paid["content-type"].as_str()),
        ("7", "application/json")
    );
}

/// The seller offers something else with every answer; what was checked is what is signed, field by field.
#[tokio::test]
async fn a11_what_was_checked_is_what_is_signed() {
    let seller = Seller::start(|_| Act::Drop).await;
    let (cheap, dear) = (offer(&seller.url(), &[option()]), {
        let mut dear = option();
        dear["amount"] = "900000".into();
        dear["payTo"] = "0x90F79bf6EB2c4f870365E785982E1f101E93b906".into();
        offer(&seller.url(), &[dear])
    });
    seller.now(move |seen| {
        if seen.paid.is_some() {
            dear.clone()
        } else {
            cheap.clone()
        }
    });
    let clock = x402_client::time::ManualClock::at_ms(1_790_000_000_000);
    let client = builder(Budget::new("1 USD", "1 USD").unwrap())
        .clock(clock)
        .build()
        .unwrap();
    let error = client.get(&seller.url()).send().await.unwrap_err();
    assert_eq!(error.code(), "refused");
    assert_eq!(seller.payments(), (1, 1));
    let header = seller.seen()[1].payment().unwrap().clone();
    let payment = decode_value(header.as_bytes(), DEFAULT_CAP).unwrap();
    let signed = &payment["payload"]["authorization"];
    assert_eq!(payment["accepted"], option());
    assert_eq!(
        (&signed["to"], &signed["value"]),
        (&option()["payTo"], &option()["amount"])
    );
    assert_eq!(
        (&signed["validAfter"], &signed["validBefore"]),
        (&"0".into(), &"1790000060".into())
    );
    assert_eq!(signed["from"], client.wallet().address().to_checksum(None));
    assert_eq!(signed["nonce"], error.receipt().unwrap().nonce.to_string());
    assert_eq!(client.budget().spent(), "0.01");
}

#[tokio::test]
async fn what_needs_no_payment_is_returned_as_it_is() {
    for status in [200, 204, 404, 412, 500, 503] {
        let seller = Seller::start(move |_| Act::Answer(status, vec![], String::new())).await;
        let client = client();
        let answer = client.get(&seller.url()).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.receipt()), (status, None));
        assert_eq!(
            (seller.seen().len(), client.budget().remaining().as_str()),
            (1, "1")
        );
    }
}

#[tokio::test]
async fn a_seller_that_is_not_there_costs_nothing() {
    let error = client()
        .get("http://127.0.0.1:1/x")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.charged(), error.is_retryable()),
        ("unreachable", Charged::No, true)
    );
}

#[tokio::test]
async fn the_call_cap_and_the_budget_both_hold() {
    let seller = Seller::selling(|_| served()).await;
    let client = builder(Budget::new("0.02 USD", "0.02 USD").unwrap())
        .build()
        .unwrap();
    let over = client
        .get(&seller.url())
        .max("0.009 USD")
        .send()
        .await
        .unwrap_err();
    assert!(over.to_string().contains("over_max"), "{over}");
    for _ in 0..2 {
        client
            .get(&seller.url())
            .max("0.01 USD")
            .send()
            .await
            .unwrap();
    }
    let over = client.get(&seller.url()).send().await.unwrap_err();
    assert!(over.to_string().contains("over_budget"), "{over}");
    assert_eq!(seller.payments(), (2, 2));
}

#[tokio::test]
async fn a08_many_small_payments_stop_at_the_hosts_ceiling() {
    let seller = Seller::selling(|_| served()).await;
    let client = builder(
        Budget::new("1 USD", "1 USD")
            .unwrap()
            .per_host("0.03 USD")
            .unwrap(),
    )
    .build()
    .unwrap();
    for _ in 0..3 {
        client.get(&seller.url()).send().await.unwrap();
    }
    let over = client.get(&seller.url()).send().await.unwrap_err();
    assert!(over.to_string().contains("over_host_cap"), "{over}");
    assert_eq!(client.budget().spent(), "0.03");
}

/// Answers 402, then fails every paid send in the same way.
struct Failing(TransportErrorKind, Mutex<usize>);

impl Transport for Failing {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<TransportReply, TransportError>> {
        Box::pin(async move {
            if request.headers().contains_key("payment-signature") {
                *self.1.lock().unwrap() += 1;
                return Err(TransportError::new(self.0, "scripted"));
            }
            let Act::Answer(_, headers, _) = offer("https://api.example.com/x", &[option()]) else {
                unreachable!()
            };
            let mut map = HeaderMap::new();
            map.insert(
                "payment-required",
                HeaderValue::from_str(&headers[0].1).unwrap(),
            );
            Ok(TransportReply::new(StatusCode::PAYMENT_REQUIRED, map, "{}"))
        })
    }
}

#[tokio::test]
async fn only_a_payment_that_never_left_is_given_back_at_once() {
    for (kind, code, spent) in [
        (TransportErrorKind::Connect, "never_sent", "0"),
        (TransportErrorKind::Timeout, "outcome_unknown", "0.01"),
        (TransportErrorKind::Interrupted, "outcome_unknown", "0.01"),
    ] {
        let client = builder(Budget::new("1 USD", "1 USD").unwrap())
            .transport(Failing(kind, Mutex::new(0)))
            .build()
            .unwrap();
        let error = client
            .get("https://api.example.com/x")
            .send()
            .await
            .unwrap_err();
        assert_eq!(
            (error.code(), client.budget().spent().as_str()),
            (code, spent),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn tls_is_not_talked_to_in_the_clear_nor_the_other_way_round() {
    let seller = Seller::start(|_| served()).await;
    let error = client()
        .get(&seller.url().replace("http://", "https://"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.charged()),
        ("unreachable", Charged::No)
    );
}

/// Reads more than it was told to.
struct Greedy;

impl Transport for Greedy {
    fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<TransportReply, TransportError>> {
        Box::pin(async {
            Ok(TransportReply::new(
                StatusCode::OK,
                HeaderMap::new(),
                vec![b'x'; 2_000],
            ))
        })
    }
}

#[tokio::test]
async fn the_body_cap_holds_for_transports_that_ignore_it() {
    let client = builder(Budget::new("1 USD", "1 USD").unwrap())
        .transport(Greedy)
        .max_body(1_000)
        .build()
        .unwrap();
    let error = client
        .get("https://api.example.com/x")
        .send()
        .await
        .unwrap_err();
    let Error::BodyCut(cut) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (cut.partial.0.len(), cut.reason),
        (1_000, CutReason::TooLarge)
    );
}

/// Never answers.
struct Silent;

impl Transport for Silent {
    fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<TransportReply, TransportError>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn the_deadline_holds_for_transports_without_one() {
    let client = builder(Budget::new("1 USD", "1 USD").unwrap())
        .transport(Silent)
        .timeout(std::time::Duration::from_millis(1))
        .build()
        .unwrap();
    let error = client
        .get("https://api.example.com/x")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.charged()),
        ("unreachable", Charged::No)
    );
}

/// Sellers of other makes compare the resource too: it goes back with the members that this crate has no name for.
#[tokio::test]
async fn resource_and_extensions_go_back_as_they_came() {
    let seller = Seller::start(|_| Act::Drop).await;
    let terms = json!({
        "x402Version": 2,
        "resource": {"url": seller.url(), "description": null, "mimeType": "", "sku": {"id": [1, 2.50]}},
        "accepts": [option()],
        "extensions": {"x-ext": {"info": {"a": null}, "schema": {}}},
    });
    let header = encode(&terms).unwrap();
    seller.now(move |seen| match seen.paid {
        None => Act::Answer(
            402,
            vec![("PAYMENT-REQUIRED".into(), header.clone())],
            "{}".into(),
        ),
        Some(_) => served(),
    });
    client().get(&seller.url()).send().await.unwrap();
    let seen = seller.seen();
    let payment = seen.iter().find_map(Seen::payment).unwrap();
    let payment: Value = decode_value(payment.as_bytes(), DEFAULT_CAP).unwrap();
    let offered =
        json!({"url": seller.url(), "description": null, "mimeType": "", "sku": {"id": [1, 2.50]}});
    assert_eq!(payment["resource"], offered);
    assert_eq!(
        payment["extensions"],
        json!({"x-ext": {"info": {"a": null}, "schema": {}}})
    );
}

#[tokio::test]
async fn a_handlers_error_with_a_code_is_an_answer() {
    let body = r#"{"code":"NOT_FOUND","message":"no such city"}"#;
    let seller = Seller::selling(move |_| problem(404, body)).await;
    let answer = client().get(&seller.url()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(answer.text().unwrap(), body);
    assert!(answer.receipt().is_some());
}
