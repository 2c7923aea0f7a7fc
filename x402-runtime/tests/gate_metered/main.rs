//! Metered prices at the gate: what is offered, what is counted, what is settled, and what a stream tells at its end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../common/all.rs"]
mod common;
mod events;
mod hooks;
mod properties;
mod shop;
mod streams;
#[path = "../common/witness.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with other tests of hooks"
)]
mod witness;

use std::sync::Arc;

use alloy_primitives::{Address, U256};
use common::shop::builder;
use common::{Double, NOW, PAY_TO};
use serde_json::json;
use shop::{
    CEILING, FACILITATOR, authorization, count, ledgers, pay, settled, sign, stage, stand, stand_on,
};
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::{MemoryLedger, State as Stage};
use x402_runtime::model::evm::Permit2Authorization;
use x402_runtime::model::evm::permit2::{self, TokenPermissions, Witness};

#[tokio::test]
async fn terms_ask_for_the_ceiling_and_name_who_settles() {
    let stand = stand().await;
    let terms = stand.terms("POST", "/count").await;
    let offer = terms.accepts[0].value().clone();
    assert_eq!(offer["scheme"], "upto");
    assert_eq!(offer["amount"], CEILING.to_string());
    assert_eq!(offer["extra"]["assetTransferMethod"], "permit2");
    assert_eq!(
        offer["extra"]["facilitatorAddress"],
        json!(FACILITATOR.to_checksum(None))
    );
    let body = stand.call("POST", "/count", None, "").await.json();
    assert_eq!(
        body["priceBounds"],
        json!({"min": "0.001 USDC", "max": "0.02 USDC"})
    );
    // A flat price beside it is offered as ever.
    let flat = stand.terms("GET", "/weather/oslo").await;
    assert_eq!(flat.accepts[0].value()["scheme"], "exact");
}

#[tokio::test]
async fn what_was_counted_is_settled_and_told() {
    let stand = stand().await;
    let payment = pay(&stand, "POST", "/count?n=1000", "", 1).await;
    let answer = stand
        .call("POST", "/count?n=1000", Some(&payment), "")
        .await;
    assert_eq!((answer.status, &*answer.body), (200, b"counted".as_slice()));
    // 0.001 and a thousand times 0.000002.
    assert_eq!(settled(&stand), [3_000]);
    assert_eq!(answer.settlement().unwrap().amount.as_deref(), Some("3000"));
    let again = stand
        .call("POST", "/count?n=1000", Some(&payment), "")
        .await;
    assert_eq!(again, answer);
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

#[tokio::test]
async fn s9_never_more_than_was_signed() {
    let stand = stand().await;
    for (nonce, n) in [(1, 9_499), (2, 9_500), (3, 9_501), (4, u64::MAX)] {
        let path = format!("/count?n={n}&how=spent");
        let payment = pay(&stand, "POST", &path, "", nonce).await;
        let answer = stand.call("POST", &path, Some(&payment), "").await;
        let spent = n >= 9_500;
        assert_eq!(answer.body, spent.to_string(), "{n}");
    }
    assert_eq!(settled(&stand), [19_998, CEILING, CEILING, CEILING]);
}

#[tokio::test]
async fn a_failed_handler_costs_nothing_base_included() {
    let stand = stand().await;
    let payment = pay(&stand, "POST", "/count?n=5&how=fail", "", 1).await;
    let answer = stand
        .call("POST", "/count?n=5&how=fail", Some(&payment), "")
        .await;
    assert_eq!(answer.status, 502);
    assert_eq!(stand.double.settles(), 0);
}

#[tokio::test]
async fn counting_what_is_not_in_the_price_fails_the_call() {
    let stand = stand().await;
    let payment = pay(&stand, "POST", "/count?n=5&how=other", "", 1).await;
    let answer = stand
        .call("POST", "/count?n=5&how=other", Some(&payment), "")
        .await;
    assert_eq!(answer.brief(), (500, "usage_unmetered".to_owned()));
    assert_eq!(answer.json()["charged"], false);
    assert_eq!(stand.double.settles(), 0);
}

#[tokio::test]
async fn the_answer_tells_what_was_used_and_must() {
    let stand = stand().await;
    let payment = pay(&stand, "GET", "/tell?n=10", "", 1).await;
    assert_eq!(stand.get("/tell?n=10", Some(&payment)).await.status, 200);
    assert_eq!(settled(&stand), [20]);
    let payment = pay(&stand, "GET", "/tell?n=10&how=forget", "", 2).await;
    let answer = stand.get("/tell?n=10&how=forget", Some(&payment)).await;
    assert_eq!(answer.brief(), (500, "usage_unmetered".to_owned()));
    assert_eq!(settled(&stand), [20]);
}

#[tokio::test]
async fn what_costs_nothing_is_not_settled_and_still_answered_once() {
    for ledger in ledgers() {
        let stand = stand_on(Arc::clone(&ledger)).await;
        let payment = pay(&stand, "GET", "/tell?n=0", "", 1).await;
        let answer = stand.get("/tell?n=0", Some(&payment)).await;
        assert_eq!(answer.status, 200);
        let told = answer.settlement().unwrap();
        assert_eq!((told.success, &*told.transaction), (true, ""));
        assert_eq!(told.amount.as_deref(), Some("0"));
        assert_eq!(stand.get("/tell?n=0", Some(&payment)).await, answer);
        assert_eq!(stand.double.settles(), 0);
        let record = stage(&stand, &*ledger, "/tell", 1).await;
        assert_eq!(record, Some((Stage::Final, "0".to_owned())));
    }
}

#[tokio::test]
async fn the_request_says_how_much_is_signed_at_most() {
    let stand = stand().await;
    let body = json!({"text": "twelve chars"}).to_string();
    let terms = stand.call("POST", "/shout", None, &body).await.terms();
    assert_eq!(terms.accepts[0].value()["amount"], "1200");
    let told = stand.call("POST", "/shout", None, &body).await.json();
    assert_eq!(told["price"], "0.0012 USDC");
    assert_eq!(told["priceBounds"]["max"], "0.02 USDC");
    let payment = sign(&terms, authorization(&terms, 1));
    let answer = stand.call("POST", "/shout", Some(&payment), &body).await;
    assert_eq!(
        (answer.status, &*answer.body),
        (200, b"TWELVE CHARS".as_slice())
    );
    assert_eq!(settled(&stand), [1_200]);
    // The ceiling of a short text pays for no long one.
    let long = json!({"text": "more than twelve chars"}).to_string();
    let payment = sign(&terms, authorization(&terms, 2));
    let answer = stand.call("POST", "/shout", Some(&payment), &long).await;
    assert_eq!(answer.status, 402);
    assert_eq!(answer.terms().accepts[0].value()["amount"], "2200");
    // A request that decides nothing is told the ceiling of the price.
    let bare = stand.call("POST", "/shout", None, "").await.terms();
    assert_eq!(bare.accepts[0].value()["amount"], CEILING.to_string());
}

#[tokio::test]
async fn payments_for_another_facilitator_or_scheme_are_refused() {
    let stand = stand().await;
    let terms = stand.terms("POST", "/count?n=1").await;
    let good = authorization(&terms, 1);
    let upto = |facilitator| Witness::Upto {
        to: PAY_TO.parse().unwrap(),
        facilitator,
        valid_after: U256::ZERO,
    };
    let exact = Witness::Exact {
        to: PAY_TO.parse().unwrap(),
        valid_after: U256::ZERO,
    };
    let less = TokenPermissions {
        amount: U256::from(CEILING - 1),
        ..good.permitted
    };
    let cases = [
        (
            Permit2Authorization {
                witness: upto(Address::repeat_byte(1)),
                ..good
            },
            "payload_malformed",
        ),
        (
            Permit2Authorization {
                witness: exact,
                ..good
            },
            "payload_malformed",
        ),
        (
            Permit2Authorization {
                permitted: less,
                ..good
            },
            "value_mismatch",
        ),
        (
            Permit2Authorization {
                spender: permit2::EXACT_PERMIT2_PROXY,
                ..good
            },
            "payload_malformed",
        ),
    ];
    for (signed, code) in cases {
        let answer = stand
            .call("POST", "/count?n=1", Some(&sign(&terms, signed)), "")
            .await;
        assert_eq!(answer.brief(), (402, code.to_owned()), "{signed:?}");
    }
    stand.assert_untouched("refused payments");
}

#[tokio::test]
async fn a_facilitator_without_the_scheme_is_a_mistake_at_the_start() {
    let double = Arc::new(Double::default());
    let clock = Arc::new(ManualClock::at_seconds(NOW));
    let built = builder(&double, &clock, Arc::new(MemoryLedger::default()))
        .mount(count)
        .build()
        .await;
    let error = built.expect_err("a mistake").to_string();
    assert!(
        error.contains("`upto`") && error.contains("eip155:84532"),
        "{error}"
    );
}
