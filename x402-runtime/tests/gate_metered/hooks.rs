//! What the seller's hooks hear of metered calls: the ceiling before, and what was charged after.

use std::sync::Arc;

use x402_runtime::hooks::Stage;
use x402_runtime::ledger::MemoryLedger;

use crate::common::Stand;
use crate::common::shop::until;
use crate::shop::{CEILING, pay, settled, stand_with};
use crate::witness::{Act, Witness};

async fn stand() -> (Stand, Arc<Witness>) {
    let witness = Arc::new(Witness::default());
    let hooks = Arc::clone(&witness);
    let ledger = Arc::new(MemoryLedger::default());
    let stand = stand_with(ledger, |builder| builder.hooks(hooks)).await;
    (stand, witness)
}

#[tokio::test]
async fn a_hook_is_asked_about_the_ceiling_and_told_the_charge() {
    let (stand, witness) = stand().await;
    let path = "/count?n=1000";
    let payment = pay(&stand, "POST", path, "", 1).await;
    let answer = stand.call("POST", path, Some(&payment), "").await;
    assert_eq!(answer.status, 200);
    until(|| witness.settled().len() == 1).await;
    let told = witness.settled().remove(0);
    assert_eq!(told.amount.to_string(), "3000");
    assert_eq!(told.transaction, answer.settlement().unwrap().transaction);
    let seen = witness.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 2);
    for call in seen {
        assert_eq!(call.amount, CEILING.to_string());
        assert_eq!((&*call.kind, &*call.path), ("Permit2Upto", "/count"));
    }
}

#[tokio::test]
async fn a_call_that_used_nothing_is_told_with_nothing() {
    let (stand, witness) = stand().await;
    let payment = pay(&stand, "GET", "/tell?n=0", "", 1).await;
    assert_eq!(stand.get("/tell?n=0", Some(&payment)).await.status, 200);
    until(|| witness.settled().len() == 1).await;
    let told = witness.settled().remove(0);
    assert_eq!(
        (told.amount.to_string().as_str(), &*told.transaction),
        ("0", "")
    );
    assert_eq!(stand.double.settles(), 0);
}

#[tokio::test]
async fn a_stream_is_refused_before_it_begins_and_told_when_it_ends() {
    let (stand, witness) = stand().await;
    let path = "/words?n=3";
    witness.says(Act::Yes, Act::Refuse);
    let payment = pay(&stand, "GET", path, "", 1).await;
    let answer = stand.get(path, Some(&payment)).await;
    assert_eq!(answer.brief(), (403, "refused_by_seller".to_owned()));
    assert_eq!((stand.runs(), stand.double.settles()), (0, 0));
    witness.says(Act::Yes, Act::Yes);
    assert_eq!(stand.get(path, Some(&payment)).await.status, 200);
    until(|| witness.settled().len() == 1).await;
    assert_eq!(witness.settled()[0].amount.to_string(), "7000");
    assert_eq!(settled(&stand), [7_000]);
}

#[tokio::test]
async fn a_call_or_stream_that_fails_is_told_as_served_for_nothing() {
    let (stand, witness) = stand().await;
    for (method, path, code) in [
        ("GET", "/tell?n=10&how=forget", "usage_unmetered"),
        ("GET", "/words?n=2&how=break", "handler_panicked"),
    ] {
        witness.failures.lock().unwrap().clear();
        let payment = pay(&stand, method, path, "", code.len() as u64).await;
        stand.call(method, path, Some(&payment), "").await;
        until(|| !witness.failed().is_empty()).await;
        assert_eq!(witness.failed(), [(Stage::Serve, code, None)], "{path}");
    }
    assert!(settled(&stand).is_empty());
}
