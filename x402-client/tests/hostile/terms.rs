//! Terms that must not be paid: nothing is signed, nothing is charged, and the reason is told.

use serde_json::{Value, json};
use x402_client::{Charged, Error};

use crate::seller::{Act, PAYEE, Seller, TOKEN, client, offer, option};

fn with(changes: &[(&str, Value)]) -> Value {
    let mut option = option();
    for (name, value) in changes {
        match name.split_once('.') {
            Some((outer, inner)) => option[outer][inner] = value.clone(),
            None => option[*name] = value.clone(),
        }
    }
    option
}

/// Shows the client one 402 and demands that it walks away unpaid for `reason`.
async fn refuses(option: Value, reason: &str) {
    let seller = Seller::start(|_| Act::Drop).await;
    let terms = offer(&seller.url(), std::slice::from_ref(&option));
    seller.now(move |_| terms.clone());
    let client = client();
    let error = client.get(&seller.url()).send().await.unwrap_err();
    let Error::NothingAcceptable(refusals) = &error else {
        panic!("{option}: {error:?}")
    };
    assert_eq!(refusals.0[0].code(), reason, "{option}");
    assert_eq!(
        (error.charged(), seller.payments().0),
        (Charged::No, 0),
        "{option}"
    );
    assert_eq!(
        (seller.seen().len(), client.budget().remaining().as_str()),
        (1, "1"),
        "{option}"
    );
    assert!(client.open_payments().is_empty());
}

#[tokio::test]
async fn a01_any_amount_above_the_budget_is_refused() {
    for amount in ["1000001", "4000000000000000000000000", &"9".repeat(77)] {
        let reason = if amount.len() > 40 {
            "amount_not_countable"
        } else {
            "over_call_cap"
        };
        refuses(with(&[("amount", json!(amount))]), reason).await;
    }
    for amount in ["", "-1", "1e3", "0.5", "01", "NaN", " 1"] {
        refuses(with(&[("amount", json!(amount))]), "amount_unreadable").await;
    }
    refuses(with(&[("amount", json!("0"))]), "amount_zero").await;
}

#[tokio::test]
async fn a02_money_is_never_sent_where_it_is_lost() {
    refuses(
        with(&[("payTo", json!(format!("0x{}", "0".repeat(40))))]),
        "payee_zero",
    )
    .await;
    refuses(with(&[("payTo", json!(TOKEN))]), "payee_is_asset").await;
    refuses(
        with(&[("payTo", json!("0x70997970c51812dc3A010C7d01b50e0d17dc79C8"))]),
        "payee_unreadable",
    )
    .await;
}

#[tokio::test]
async fn a02_a_swapped_payee_is_refused_when_the_caller_knows_the_right_one() {
    let seller = Seller::start(|_| Act::Drop).await;
    let terms = offer(&seller.url(), &[option()]);
    seller.now(move |_| terms.clone());
    let other = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
    let error = client()
        .get(&seller.url())
        .pay_to(other)
        .send()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("payee_unexpected"), "{error}");
    assert_eq!(seller.payments().0, 0);
}

#[tokio::test]
async fn a04_a_switched_asset_or_rail_is_refused() {
    refuses(with(&[("asset", json!(PAYEE))]), "asset_not_allowed").await;
    refuses(with(&[("network", json!("eip155:1"))]), "asset_not_allowed").await;
    refuses(
        with(&[("network", json!("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"))]),
        "network_not_supported",
    )
    .await;
    refuses(
        with(&[("scheme", json!("batch-settlement"))]),
        "scheme_not_supported",
    )
    .await;
    refuses(with(&[("scheme", json!("upto"))]), "facilitator_unreadable").await;
    refuses(
        with(&[("extra.assetTransferMethod", json!("erc7710"))]),
        "transfer_method_not_supported",
    )
    .await;
    refuses(
        with(&[("extra.paymentFlow", json!("escrow"))]),
        "payment_flow_not_supported",
    )
    .await;
    refuses(
        with(&[("extra.name", json!("USD Coin"))]),
        "signing_domain_mismatch",
    )
    .await;
}

#[tokio::test]
async fn a05_eighteen_decimals_on_a_six_decimal_token_are_a_fortune_and_refused() {
    refuses(
        with(&[
            ("amount", json!("10000000000000000")),
            ("extra.decimals", json!(18)),
        ]),
        "over_call_cap",
    )
    .await;
}

#[tokio::test]
async fn a09_a_bearer_instrument_for_a_week_is_refused() {
    refuses(
        with(&[("maxTimeoutSeconds", json!(604_800))]),
        "validity_too_long",
    )
    .await;
}

#[tokio::test]
async fn a12_terms_about_a_lookalike_origin_are_refused() {
    let seller = Seller::start(|_| Act::Drop).await;
    let port = seller.origin.rsplit_once(':').unwrap().1.to_owned();
    for url in [
        format!("http://localhost:{port}/weather"),
        format!("https://127.0.0.1:{port}/weather"),
        format!("http://127.0.0.1.evil.test:{port}/weather"),
        format!("http://127.0.0.1:{port}@evil.test/weather"),
        "https://api.example.com/weather".to_owned(),
        "//evil.test/weather".to_owned(),
    ] {
        let terms = offer(&url, &[option()]);
        seller.now(move |_| terms.clone());
        let error = client().get(&seller.url()).send().await.unwrap_err();
        assert!(
            error.to_string().contains("other_resource"),
            "{url}: {error}"
        );
    }
    assert_eq!(seller.payments().0, 0);
}

#[tokio::test]
async fn unreadable_terms_end_the_call_unpaid() {
    let seller = Seller::start(|_| Act::Drop).await;
    let client = client();
    let Act::Answer(_, good, _) = offer(&seller.url(), &[option()]) else {
        unreachable!()
    };
    let huge = ("PAYMENT-REQUIRED".to_owned(), "A".repeat(20_000));
    let doubled = vec![good[0].clone(), good[0].clone()];
    for headers in [
        vec![],
        vec![("PAYMENT-REQUIRED".into(), "%%%".into())],
        vec![("PAYMENT-REQUIRED".into(), "bnVsbA==".into())],
        vec![huge],
        doubled,
    ] {
        let answer = Act::Answer(402, headers, "{}".into());
        seller.now(move |_| answer.clone());
        let error = client.get(&seller.url()).send().await.unwrap_err();
        assert_eq!(
            (error.code(), error.charged()),
            ("terms_unreadable", Charged::No)
        );
    }
    assert_eq!(
        (seller.payments().0, client.budget().remaining().as_str()),
        (0, "1")
    );
}
