//! An endpoint's own word on ids for purchases goes before the paywall's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use common::buyer::encode;
use common::double::Double;
use common::shop::{Shop, builder};
use common::{Answer, Buyer, Change, NOW, Stand};
use serde_json::Value;
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::model::extension::payment_identifier::{KEY, PaymentIdentifier, append, declare};
use x402_runtime::model::wire::headers;
use x402_runtime::{PaymentIds, paid};

const ID: &str = "pay_7d5d747be160e280504c099d984bcfe0";

fn count(shop: &Shop) -> String {
    shop.runs.fetch_add(1, Ordering::SeqCst).to_string()
}

#[paid(GET "/required", price = "0.01 USDC", payment_ids = "required")]
async fn required(State(shop): State<Shop>) -> String {
    count(&shop)
}

#[paid(GET "/tiers", price = tiers(by = query.size or "s", "s" => "0.01 USDC", "l" => "0.02 USDC"), payment_ids = "required")]
async fn tiered(State(shop): State<Shop>) -> String {
    count(&shop)
}

#[paid(GET "/optional", price = "0.01 USDC", payment_ids = "optional")]
async fn optional(State(shop): State<Shop>) -> String {
    count(&shop)
}

#[paid(GET "/off", price = "0.01 USDC", payment_ids = "off")]
async fn off(State(shop): State<Shop>) -> String {
    count(&shop)
}

#[paid(GET "/unset", price = "0.01 USDC")]
async fn unset(State(shop): State<Shop>) -> String {
    count(&shop)
}

/// What each path does when the paywall says `ids`.
fn table(ids: PaymentIds) -> [(&'static str, PaymentIds); 5] {
    [
        ("/required", PaymentIds::Required),
        ("/tiers", PaymentIds::Required),
        ("/optional", PaymentIds::Optional),
        ("/off", PaymentIds::Off),
        ("/unset", ids),
    ]
}

async fn stand(ids: PaymentIds) -> Stand {
    let double = Arc::new(Double::default());
    let clock = Arc::new(ManualClock::at_seconds(NOW));
    let builder = builder(&double, &clock, Arc::new(MemoryLedger::default()))
        .payment_ids(ids)
        .mount(required)
        .mount(tiered)
        .mount(optional)
        .mount(off)
        .mount(unset);
    Stand::of(builder, double, clock).await
}

/// Buys at a path, with an id of the purchase or without.
async fn buy(stand: &Stand, path: &str, id: Option<&str>) -> Answer {
    let terms = stand.terms("GET", path).await;
    let mut payment = Buyer::new(7).payment(&terms, NOW, &Change::default());
    let mut extensions = terms.extensions.clone().unwrap_or_default();
    if let Some(id) = id {
        let id = PaymentIdentifier::parse(id).unwrap();
        if !append(&mut extensions, &id) {
            // Not asked for, and said all the same.
            let mut declared = declare(false);
            declared["info"]["id"] = id.as_str().into();
            extensions.insert(KEY.to_owned(), declared);
        }
    }
    payment["extensions"] = Value::Object(extensions);
    stand.get(path, Some(&encode(&payment))).await
}

#[tokio::test]
async fn the_402_of_an_endpoint_says_what_the_endpoint_wants() {
    for paywall in PaymentIds::ALL {
        let stand = stand(*paywall).await;
        for (path, ids) in table(*paywall) {
            let terms = stand.terms("GET", path).await;
            let declared = terms.extensions.unwrap_or_default().get(KEY).cloned();
            let expected = (ids != PaymentIds::Off).then(|| declare(ids == PaymentIds::Required));
            assert_eq!(declared, expected, "{path} of a paywall with {paywall}");
        }
        let endpoints = stand.paywall.endpoints();
        let bound: Vec<_> = endpoints.iter().map(|one| one.payment_ids()).collect();
        assert_eq!(bound, table(*paywall).map(|(_, ids)| ids));
    }
}

#[tokio::test]
async fn a_payment_is_checked_by_what_the_endpoint_wants() {
    for paywall in PaymentIds::ALL {
        let stand = stand(*paywall).await;
        for (path, ids) in table(*paywall) {
            let what = format!("{path} of a paywall with {paywall}");
            let (runs, settles) = (stand.runs(), stand.double.settles());
            let without = buy(&stand, path, None).await;
            if ids == PaymentIds::Required {
                assert_eq!(
                    without.brief(),
                    (400, "payment_id_missing".to_owned()),
                    "{what}"
                );
                assert_eq!(
                    (stand.runs(), stand.double.settles()),
                    (runs, settles),
                    "{what}"
                );
            } else {
                assert_eq!(without.status, 200, "{what}");
            }
            // Two payments under one id: one purchase where ids count, and two where they do not.
            let (runs, id) = (
                stand.runs(),
                format!("{ID}{}", path.trim_start_matches('/')),
            );
            let first = buy(&stand, path, Some(&id)).await;
            let second = buy(&stand, path, Some(&id)).await;
            assert_eq!((first.status, second.status), (200, 200), "{what}");
            let bought = if ids == PaymentIds::Off { 2 } else { 1 };
            assert_eq!(stand.runs() - runs, bought, "{what}");
            assert_eq!(first.body == second.body, bought == 1, "{what}");
        }
    }
}

/// Version 1 has no place for an id.
#[tokio::test]
async fn a_version_1_buyer_is_shut_out_of_the_endpoints_that_want_one_only() {
    let stand = stand(PaymentIds::Off).await;
    for (path, status) in [("/required", 400), ("/optional", 200), ("/unset", 200)] {
        let terms = stand.terms("GET", path).await;
        let payment = Buyer::new(7).payment(&terms, NOW, &Change::default());
        let payment = serde_json::json!({
            "x402Version": 1,
            "scheme": "exact",
            "network": "base-sepolia",
            "payload": payment["payload"],
        });
        let request = axum::http::Request::get(path)
            .header("X-PAYMENT", headers::encode(&payment).unwrap())
            .body(axum::body::Body::empty())
            .unwrap();
        assert_eq!(stand.send(request).await.status, status, "{path}");
    }
}
