//! Credit and the rest of the gate: what the seller's hooks hear of it, and how long a call may take.
#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    dead_code,
    reason = "a test fails by panicking, and shares its stand with others"
)]

#[path = "common/all.rs"]
mod common;
#[path = "gate_plans/stand.rs"]
mod stand;
#[path = "common/witness.rs"]
mod witness;

use std::sync::Arc;
use std::time::Duration;

use common::shop::until;
use stand::Stand;
use witness::Witness;
use x402_runtime::ledger::MemoryLedger;

#[tokio::test]
async fn hooks_hear_of_the_purchase_and_of_no_call_from_credit() {
    let witness = Arc::new(Witness::default());
    let hooks = Arc::clone(&witness);
    let ledger = Arc::new(MemoryLedger::new());
    let stand = Stand::open_built(ledger, |builder| builder.hooks(hooks)).await;
    assert_eq!(stand.buy("", 7).await.status, 200);
    until(|| witness.settled().len() == 1).await;
    assert_eq!(stand.spend("/calls/x", 7).await.status, 200);
    assert_eq!(stand.spend("/calls/panic", 7).await.status, 500);
    assert_eq!(stand.buy("?plan=tiny", 7).await.status, 200);
    until(|| witness.settled().len() >= 2).await;
    let told = witness.settled();
    let networks: Vec<_> = told.iter().map(|one| one.network.to_string()).collect();
    assert_eq!(networks, ["eip155:84532", "eip155:84532"]);
    assert!(witness.failed().is_empty(), "{:?}", witness.failed());
}

/// What a plan costs, says and pays into is what the manifest says of it; so is what a call costs without it.
#[tokio::test]
async fn each_live_402_of_a_plan_equals_its_manifest_entry() {
    let stand = Stand::open(Arc::new(MemoryLedger::new())).await;
    let manifest = stand.paywall.manifest().manifest();
    assert!(manifest.plans.len() > 1);
    for plan in &manifest.plans {
        let (method, path) = (&plan.purchase["method"], &plan.purchase["path"]);
        let target = format!("{path}?plan={}", plan.id);
        let answer = stand.send(method, &target, ("", ""), "").await;
        assert_eq!(answer.status, 402, "{target}");
        let terms = answer.terms();
        let offer = terms.accepts[0].view().unwrap();
        let due = plan.amount.0.to_atomic(6).unwrap();
        assert_eq!(offer.amount, due.to_string(), "{target}");
        let rail = manifest.rails.values().next().unwrap();
        let asset = &manifest.assets[&rail.asset];
        assert_eq!(
            (&offer.asset, &offer.pay_to),
            (&asset.address, &rail.pay_to)
        );
        for id in &plan.endpoints {
            let mut all = manifest.endpoints.iter();
            let entry = all.find(|entry| entry.id == *id).expect("an endpoint");
            assert!(entry.plans.contains(&plan.id), "{id}");
        }
    }
}

#[tokio::test]
async fn a_stream_from_credit_has_the_time_of_one_handler() {
    let ledger = Arc::new(MemoryLedger::new());
    let stand = Stand::open_built(ledger, |builder| {
        builder.handler_timeout(Duration::from_millis(900))
    })
    .await;
    assert_eq!(stand.buy("", 7).await.status, 200);
    // Half a second until the head, and half a second until the end.
    let answer = stand.spend("/slow", 7).await;
    assert_eq!(answer.status, 504, "{answer:?}");
    assert_eq!(answer.json()["code"], "handler_timeout");
    let left = stand.balance(7).await;
    assert_eq!(
        (&left["balance"], &left["held"]),
        (&"1.1".into(), &"0".into())
    );
}
