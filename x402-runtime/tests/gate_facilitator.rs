//! How far a facilitator's word goes: what counts as a settlement, and whose signatures it vouches for.
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

use std::sync::atomic::Ordering;

use alloy_primitives::Address;
use common::buyer::encode;
use common::double::settlement;
use common::{Buyer, Change, NOW, Script, Stand};
use x402_runtime::facilitator::{FacilitatorRequest, SettleOutcome};
use x402_runtime::model::wire::SettleResponse;

#[tokio::test]
async fn g05_only_a_true_settlement_is_one() {
    let base = || SettleResponse {
        network: "eip155:84532".into(),
        transaction: "0xab".into(),
        ..SettleResponse::default()
    };
    let says = |change: &dyn Fn(&mut SettleResponse)| {
        let mut response = SettleResponse {
            success: true,
            ..base()
        };
        change(&mut response);
        SettleOutcome::Settled(response)
    };
    let odd = [
        ("success false", SettleOutcome::Settled(base())),
        ("no transaction", says(&|r| r.transaction.clear())),
        ("blank transaction", says(&|r| r.transaction = "  ".into())),
        (
            "text for a transaction",
            says(&|r| r.transaction = "<script>".into()),
        ),
        (
            "long transaction",
            says(&|r| r.transaction = "a".repeat(1000)),
        ),
        ("other network", says(&|r| r.network = "eip155:8453".into())),
        ("no network", says(&|r| r.network.clear())),
        (
            "other payer",
            says(&|r| r.payer = Some(common::PAY_TO.into())),
        ),
        (
            "payer is no address",
            says(&|r| r.payer = Some("me".into())),
        ),
        (
            "refused with success",
            SettleOutcome::Refused(SettleResponse {
                success: true,
                ..base()
            }),
        ),
        (
            "refused as pending",
            SettleOutcome::Refused(SettleResponse {
                error_reason: Some("settlement_pending".into()),
                ..base()
            }),
        ),
        (
            "unknown",
            SettleOutcome::Unknown {
                transaction: Some("0xab".into()),
                reason: "CANARY".into(),
            },
        ),
    ];
    for (what, outcome) in odd {
        let stand = Stand::open().await;
        stand.double.script([Script::Say(outcome)]);
        let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
        let answer = stand.get("/news", Some(&payment)).await;
        assert_eq!(
            answer.brief(),
            (503, "settlement_pending".to_owned()),
            "{what}"
        );
        assert_eq!(answer.json()["charged"], "maybe");
        assert!(answer.header("retry-after").is_some());
        assert!(
            answer.headers.get("payment-required").is_none(),
            "{what}: a fresh 402 would charge twice"
        );
        assert!(answer.headers.get("payment-response").is_none(), "{what}");
        answer.assert_no_canary();
    }
}

#[tokio::test]
async fn short_network_names_are_the_same_network() {
    let stand = Stand::open().await;
    let payment =
        Buyer::new(7).payment(&stand.terms("GET", "/news").await, NOW, &Change::default());
    let asked = FacilitatorRequest {
        x402_version: 2,
        requirements: (&payment["accepted"]).into(),
        payload: (&payment).into(),
    };
    let response = SettleResponse {
        network: "base-sepolia".into(),
        ..settlement(&asked)
    };
    stand
        .double
        .script([Script::Say(SettleOutcome::Settled(response))]);
    let answer = stand.get("/news", Some(&encode(&payment))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.settlement().unwrap().network, "eip155:84532");
}

#[tokio::test]
async fn g16_contract_wallets_are_the_facilitators_word() {
    let stand = Stand::open().await;
    let terms = stand.terms("GET", "/news").await;
    let wallet = Change {
        from: Some(Address::repeat_byte(0x55)),
        ..Change::default()
    };
    let payment = Buyer::new(7).pay_with(&terms, NOW, &wallet);
    // Not a contract: nobody is asked to verify.
    assert_eq!(
        stand.get("/news", Some(&payment)).await.code(),
        "invalid_signature"
    );
    assert_eq!(stand.double.verified.load(Ordering::SeqCst), 0);
    stand.double.contract.store(true, Ordering::SeqCst);
    let answer = stand.get("/news", Some(&payment)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(stand.double.verified.load(Ordering::SeqCst), 1);
    // Presented again it needs no second proof: by now its nonce is used.
    stand
        .double
        .refuse_check("invalid_exact_evm_nonce_already_used");
    assert_eq!(stand.get("/news", Some(&payment)).await, answer);
    let other = Buyer::new(7).pay_with(&terms, NOW, &wallet);
    assert_eq!(
        stand.get("/news", Some(&other)).await.code(),
        "nonce_already_used"
    );
}
