//! One id, one purchase: a buyer that signs again gets the first answer and is charged once.
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
use std::time::Duration;

use common::buyer::encode;
use common::double::{Script, refusal};
use common::shop::until;
use common::{Buyer, Change, NOW, Stand};
use serde_json::{Value, json};
use x402_runtime::PaymentIds;
use x402_runtime::facilitator::{Evidence, SettleOutcome};
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::extension::payment_identifier::{KEY, PaymentIdentifier, append, declare};
use x402_runtime::model::wire::PaymentRequired;

const ID: &str = "pay_7d5d747be160e280504c099d984bcfe0";

async fn stand(ids: PaymentIds) -> Stand {
    Stand::open_with(Arc::new(MemoryLedger::default()), |builder| {
        builder.payment_ids(ids)
    })
    .await
}

/// A payment as JSON with the extensions of the terms, and an id in them.
fn named(buyer: &Buyer, terms: &PaymentRequired, now: u64, id: &str) -> Value {
    let mut payment = buyer.payment(terms, now, &Change::default());
    let mut extensions = terms.extensions.clone().unwrap();
    assert!(append(
        &mut extensions,
        &PaymentIdentifier::parse(id).unwrap()
    ));
    payment["extensions"] = Value::Object(extensions);
    payment
}

async fn pay(stand: &Stand, buyer: &Buyer, path: &str, id: &str) -> common::shop::Answer {
    let terms = stand.terms("GET", path).await;
    let payment = named(buyer, &terms, stand.now(), id);
    stand.get(path, Some(&encode(&payment))).await
}

#[tokio::test]
async fn terms_declare_the_extension_as_the_paywall_was_told() {
    for (ids, required) in [(PaymentIds::Optional, false), (PaymentIds::Required, true)] {
        let stand = stand(ids).await;
        let terms = stand.terms("GET", "/news").await;
        assert_eq!(terms.extensions.unwrap()[KEY], declare(required));
        // Where a path is patched in, and where a payment is refused, too.
        let terms = stand.terms("GET", "/weather/oslo").await;
        assert_eq!(terms.extensions.unwrap()[KEY], declare(required));
        let answer = stand.get("/news", Some("?")).await;
        assert_eq!(answer.terms().extensions.unwrap()[KEY], declare(required));
    }
    assert!(
        stand(PaymentIds::Off)
            .await
            .terms("GET", "/news")
            .await
            .extensions
            .is_none_or(|all| !all.contains_key(KEY))
    );
    assert!(
        Stand::open()
            .await
            .terms("GET", "/news")
            .await
            .extensions
            .is_none_or(|all| !all.contains_key(KEY)),
        "off unless turned on"
    );
}

/// The case it is for: the answer was lost with the payment, and the buyer signs another one.
#[tokio::test]
async fn a6_a_new_payment_for_the_same_purchase_gets_the_first_answer_and_is_not_charged() {
    for ids in [PaymentIds::Optional, PaymentIds::Required] {
        let stand = stand(ids).await;
        let buyer = Buyer::new(7);
        let first = pay(&stand, &buyer, "/weather/oslo", ID).await;
        assert_eq!(first.status, 200, "{first:?}");
        for _ in 0..3 {
            // Also when the first payment has long expired.
            stand.clock.advance_ms(200_000);
            assert_eq!(
                pay(&stand, &buyer, "/weather/oslo", ID).await,
                first,
                "the same bytes and the same settlement"
            );
        }
        assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
        // Another id is another purchase.
        let other = pay(&stand, &buyer, "/weather/oslo", "another-purchase").await;
        assert_eq!(
            (other.status, stand.runs(), stand.double.settles()),
            (200, 2, 2)
        );
    }
}

#[tokio::test]
async fn the_same_payment_with_its_id_is_answered_as_ever() {
    let stand = stand(PaymentIds::Optional).await;
    let terms = stand.terms("GET", "/news").await;
    let payment = named(&Buyer::new(7), &terms, NOW, ID);
    let first = stand.get("/news", Some(&encode(&payment))).await;
    assert_eq!(first.status, 200);
    assert_eq!(stand.get("/news", Some(&encode(&payment))).await, first);
    // In any spelling, and without the extension.
    let mut spelt = payment.clone();
    spelt["accepted"]["maxTimeoutSeconds"] = json!(300.0);
    assert_eq!(stand.get("/news", Some(&encode(&spelt))).await, first);
    spelt.as_object_mut().unwrap().remove("extensions");
    assert_eq!(stand.get("/news", Some(&encode(&spelt))).await, first);
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

#[tokio::test]
async fn g3_the_same_id_with_another_request_is_refused_and_not_charged() {
    let stand = stand(PaymentIds::Optional).await;
    let buyer = Buyer::new(7);
    assert_eq!(pay(&stand, &buyer, "/weather/oslo", ID).await.status, 200);
    let answer = pay(&stand, &buyer, "/weather/rome", ID).await;
    assert_eq!(answer.brief(), (409, "payment_id_reused".to_owned()));
    assert_eq!(
        (&answer.json()["charged"], &answer.json()["action"]),
        (&json!(false), &json!("new-id"))
    );
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
    // Another endpoint's ids are its own.
    assert_eq!(pay(&stand, &buyer, "/news", ID).await.status, 200);
}

#[tokio::test]
async fn nobody_reads_anothers_answer_by_its_id() {
    let stand = stand(PaymentIds::Optional).await;
    let owner = pay(&stand, &Buyer::new(7), "/weather/oslo", ID).await;
    let other = pay(&stand, &Buyer::new(8), "/weather/oslo", ID).await;
    assert_eq!(other.status, 200);
    assert_ne!(other.body, owner.body);
    assert_eq!(
        (stand.runs(), stand.double.settles()),
        (2, 2),
        "each paid for its own"
    );
    // Nor with a payment that somebody else signed for the owner.
    let terms = stand.terms("GET", "/weather/oslo").await;
    let change = Change {
        from: Some(Buyer::new(7).address),
        ..Change::default()
    };
    let mut forged = Buyer::new(8).payment(&terms, NOW, &change);
    forged["extensions"] = named(&Buyer::new(8), &terms, NOW, ID)["extensions"].clone();
    let answer = stand.get("/weather/oslo", Some(&encode(&forged))).await;
    assert_eq!(answer.brief(), (402, "invalid_signature".to_owned()));
}

#[tokio::test]
async fn what_is_no_id_or_none_where_one_is_demanded_is_refused() {
    let stand = stand(PaymentIds::Required).await;
    let buyer = Buyer::new(7);
    let terms = stand.terms("GET", "/news").await;
    let good = named(&buyer, &terms, NOW, ID);
    let with = |extension: Value| {
        let mut payment = good.clone();
        payment["extensions"] = extension;
        encode(&payment)
    };
    let of = |info: Value| with(json!({ KEY: { "info": info } }));
    let mut bare = good.clone();
    bare.as_object_mut().unwrap().remove("extensions");
    let missing = (400, "payment_id_missing".to_owned());
    let malformed = (400, "payment_id_malformed".to_owned());
    let echo = (402, "extension_echo_mismatch".to_owned());
    for (payment, wanted) in [
        (encode(&bare), &missing),
        (with(Value::Null), &missing),
        (with(json!({})), &missing),
        (with(json!({"other": {"info": {"id": ID}}})), &missing),
        (of(json!({"required": true})), &missing),
        (of(json!({"required": true, "id": null})), &missing),
        (of(json!({"required": true, "id": "short"})), &malformed),
        (of(json!({"required": true, "id": 7})), &malformed),
        (
            of(json!({"required": true, "id": "x".repeat(129)})),
            &malformed,
        ),
        (
            of(json!({"required": true, "id": "has space 1234567"})),
            &malformed,
        ),
        // What was advertised comes back unchanged, whatever the id (protocol 1.9).
        (of(json!({"required": false, "id": ID})), &echo),
        (of(json!({"id": ID})), &echo),
        (with(json!({ KEY: "x" })), &echo),
    ] {
        let answer = stand.get("/news", Some(&payment)).await;
        assert_eq!(answer.brief(), *wanted);
        assert_eq!(
            (&answer.json()["charged"], &answer.json()["action"]),
            (&json!(false), &json!("fix-payment"))
        );
    }
    stand.assert_untouched("refused");
    assert_eq!(stand.get("/news", Some(&encode(&good))).await.status, 200);
}

/// Version 1 has no extensions: it is served where an id may be given, and not where one must.
#[tokio::test]
async fn version_1_cannot_give_an_id() {
    for (ids, wanted) in [
        (PaymentIds::Optional, (200, String::new())),
        (PaymentIds::Required, (400, "payment_id_missing".to_owned())),
    ] {
        let stand = stand(ids).await;
        let terms = stand.terms("GET", "/news").await;
        let payment = Buyer::new(7).payment(&terms, NOW, &Change::default());
        let v1 = json!({"x402Version": 1, "scheme": "exact", "network": "base-sepolia", "payload": payment["payload"]});
        let request = axum::http::Request::get("/news").header("X-PAYMENT", encode(&v1));
        let answer = stand
            .send(request.body(axum::body::Body::empty()).unwrap())
            .await;
        assert_eq!(answer.brief(), wanted);
    }
}

#[tokio::test]
async fn where_ids_are_off_they_are_not_looked_at() {
    let stand = stand(PaymentIds::Off).await;
    let buyer = Buyer::new(7);
    let terms = stand.terms("GET", "/news").await;
    for id in [json!(ID), json!(ID), json!("short"), json!(7)] {
        let mut payment = buyer.payment(&terms, NOW, &Change::default());
        payment["extensions"] = json!({ KEY: { "info": { "id": id } } });
        assert_eq!(
            stand.get("/news", Some(&encode(&payment))).await.status,
            200
        );
    }
    assert_eq!(stand.double.settles(), 4);
}

/// While the first payment runs, the second is told to come again: it is not begun.
#[tokio::test]
async fn a_purchase_under_way_is_not_begun_again() {
    let stand = stand(PaymentIds::Optional).await;
    let buyer = Buyer::new(7);
    let terms = stand.terms("GET", "/behave/wait").await;
    let first = encode(&named(&buyer, &terms, NOW, ID));
    let app = stand.app.clone();
    let running = tokio::spawn(async move {
        common::shop::send(
            &app,
            common::shop::request("GET", "/behave/wait", Some(&first), ""),
        )
        .await
    });
    until(|| stand.runs() == 1).await;
    let answer = pay(&stand, &buyer, "/behave/wait", ID).await;
    assert_eq!(answer.brief(), (409, "payment_in_progress".to_owned()));
    assert_eq!(answer.header("retry-after"), Some("1"));
    stand.shop.door.add_permits(1);
    let first = running.await.unwrap();
    assert_eq!(first.status, 200);
    assert_eq!(pay(&stand, &buyer, "/behave/wait", ID).await, first);
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g1_of_many_payments_of_one_purchase_one_is_charged() {
    let stand = Arc::new(stand(PaymentIds::Optional).await);
    let terms = stand.terms("GET", "/weather/oslo").await;
    let payments: Vec<String> = (0..64)
        .map(|_| encode(&named(&Buyer::new(7), &terms, NOW, ID)))
        .collect();
    let tasks: Vec<_> = payments
        .into_iter()
        .map(|payment| {
            let stand = Arc::clone(&stand);
            tokio::spawn(async move { stand.get("/weather/oslo", Some(&payment)).await })
        })
        .collect();
    let mut served = Vec::new();
    for task in tasks {
        let answer = task.await.unwrap();
        match answer.status {
            200 => served.push(answer.body),
            status => assert_eq!(
                (status, answer.code()),
                (409, "payment_in_progress".to_owned())
            ),
        }
    }
    assert!(!served.is_empty() && served.iter().all(|body| *body == served[0]));
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

/// S1: while nobody knows whether the first payment is charged, no second one is made of it.
#[tokio::test]
async fn s1_a_purchase_whose_outcome_is_open_stays_with_its_payment() {
    let stand = stand(PaymentIds::Optional).await;
    stand.double.script([Script::Say(SettleOutcome::Unknown {
        transaction: None,
        reason: "lost".to_owned(),
    })]);
    let buyer = Buyer::new(7);
    let pending = (503, "settlement_pending".to_owned());
    assert_eq!(pay(&stand, &buyer, "/news", ID).await.brief(), pending);
    assert_eq!(pay(&stand, &buyer, "/news", ID).await.brief(), pending);
    stand.double.show(Evidence::Paid {
        transaction: "0xaa".to_owned(),
        confirmations: 1,
    });
    stand.clock.advance_ms(60_000);
    stand.paywall.recover().await;
    let answer = pay(&stand, &buyer, "/news", ID).await;
    assert_eq!(
        (
            answer.status,
            answer.settlement().unwrap().transaction.as_str()
        ),
        (200, "0xaa")
    );
    assert_eq!((stand.runs(), stand.double.settles()), (1, 1));
}

/// A payment that was certainly not charged leaves its purchase to the next one.
#[tokio::test]
async fn a_purchase_that_was_not_charged_can_be_paid_anew() {
    let stand = stand(PaymentIds::Optional).await;
    let buyer = Buyer::new(7);
    assert_eq!(
        pay(&stand, &buyer, "/behave/503", ID).await.status,
        503,
        "the handler's own"
    );
    assert_eq!(
        pay(&stand, &buyer, "/behave/204", ID).await.status,
        204,
        "nothing was bought before"
    );
    let id = "refused-0123456789";
    stand
        .double
        .script([Script::Say(refusal("insufficient_funds"))]);
    assert_eq!(pay(&stand, &buyer, "/news", id).await.status, 402);
    assert_eq!(pay(&stand, &buyer, "/news", id).await.status, 200);
    assert_eq!(stand.double.settles(), 3);
}

/// The seller of a payment died while its handler ran: a new payment of the same purchase takes over when the lease is over.
#[tokio::test]
async fn a_purchase_whose_seller_died_is_taken_over() {
    let ledger = Arc::new(MemoryLedger::default());
    let dead = Stand::open_with(ledger.clone(), |builder| {
        builder.payment_ids(PaymentIds::Optional)
    })
    .await;
    let buyer = Buyer::new(7);
    let terms = dead.terms("GET", "/behave/wait").await;
    let first = encode(&named(&buyer, &terms, NOW, ID));
    let app = dead.app.clone();
    let running = tokio::spawn(async move {
        common::shop::send(
            &app,
            common::shop::request("GET", "/behave/wait", Some(&first), ""),
        )
        .await
    });
    until(|| dead.runs() == 1).await;
    let stand = Stand::open_with(ledger, |builder| builder.payment_ids(PaymentIds::Optional)).await;
    stand.shop.door.add_permits(1);
    assert_eq!(pay(&stand, &buyer, "/behave/wait", ID).await.status, 409);
    stand.clock.advance_ms(90_000);
    let answer = pay(&stand, &buyer, "/behave/wait", ID).await;
    assert_eq!((answer.status, stand.double.settles()), (200, 1));
    // The first one wakes up: what it made is not the answer, and it is not charged.
    dead.shop.door.add_permits(1);
    assert_eq!(running.await.unwrap().code(), "payment_in_progress");
    assert_eq!(dead.double.settles(), 0);
}

/// Ids are known as long as closed payments are, and no longer.
#[tokio::test]
async fn an_id_is_forgotten_with_its_time() {
    let stand = Stand::open_with(Arc::new(MemoryLedger::default()), |builder| {
        builder
            .payment_ids(PaymentIds::Optional)
            .retention(Duration::from_secs(3_600))
    })
    .await;
    let buyer = Buyer::new(7);
    assert_eq!(pay(&stand, &buyer, "/news", ID).await.status, 200);
    stand.clock.advance_ms(3_599_999);
    assert_eq!(pay(&stand, &buyer, "/news", ID).await.status, 200);
    assert_eq!(stand.double.settles(), 1);
    stand.clock.advance_ms(1);
    assert_eq!(pay(&stand, &buyer, "/news", ID).await.status, 200);
    assert_eq!(stand.double.settles(), 2, "a new purchase");
}
