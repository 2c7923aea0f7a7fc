//! Payments through Permit2 over HTTP: raced, metered, and with approvals that are something else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "../../x402-runtime/tests/evm_support/permit2.rs"]
mod permit2;
#[path = "facilitator_support/server.rs"]
mod server;
#[path = "../../x402-runtime/tests/evm_support/support.rs"]
mod support;

use std::sync::Arc;

use alloy_primitives::U256;
use permit2::{Permit2Payment, approval, approve_all};
use serde_json::json;
use server::{ALICE, Setup};
use support::{balance, sandbox};
use x402_model::evm::CallTransaction;
use x402_model::evm::permit2::PERMIT2;
use x402_runtime::sandbox::{PERMIT_TOKEN, SECOND_TOKEN, Sandbox, USDC};

fn ready() -> Sandbox {
    let (sandbox, _) = sandbox();
    approve_all(&sandbox);
    sandbox
}

fn earned(sandbox: &Sandbox) -> u64 {
    balance(sandbox, USDC, sandbox.seller()) - 1_000_000_000
}

#[tokio::test]
async fn f04_a_hundred_concurrent_permit2_settles_are_one_transfer_and_one_success() {
    let sandbox = ready();
    let server = Arc::new(Setup::on(&sandbox).start().await);
    let request = Permit2Payment::exact(&sandbox).request();
    let calls = (0..100).map(|_| {
        let (server, request) = (Arc::clone(&server), request.clone());
        tokio::spawn(async move { server.settle(&request).await })
    });
    let mut successes = 0;
    for call in calls.collect::<Vec<_>>() {
        let reply = call.await.unwrap();
        successes += usize::from(reply.success());
        assert!(
            reply.success() || reply.code().ends_with("nonce_already_used"),
            "{reply:?}"
        );
    }
    assert_eq!((successes, server.sent(), earned(&sandbox)), (1, 1, 10_000));
}

#[tokio::test]
async fn s09_one_payment_is_charged_once_whatever_amounts_are_asked_for() {
    let sandbox = ready();
    let server = Setup::on(&sandbox).with_tokens().start().await;
    let payment = Permit2Payment::upto(&sandbox);
    let charge = async |units| {
        server
            .settle_as(&payment.charging(units), ALICE, None)
            .await
    };
    // Nothing leaves the payment as it was.
    for _ in 0..2 {
        let free = charge(0).await;
        assert!(free.success() && free.json["transaction"] == "", "{free:?}");
    }
    let above = charge(50_001).await;
    assert_eq!(
        above.code(),
        "invalid_upto_evm_payload_settlement_exceeds_amount"
    );
    let (small, large) = tokio::join!(charge(1_000), charge(2_000));
    let (won, lost) = if small.success() {
        (small, large)
    } else {
        (large, small)
    };
    assert!(won.success(), "{won:?}");
    assert_eq!(won.json["amount"], json!(earned(&sandbox).to_string()));
    assert!(!lost.success(), "{lost:?}");
    for units in [1_000, 2_000, 3_000, 0] {
        let again = charge(units).await;
        assert!(!again.success(), "{units}: {again:?}");
    }
    assert_eq!(server.sent(), 1);
}

#[tokio::test]
async fn f03_a_signed_call_of_another_contract_is_refused_and_costs_no_gas() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let purse = sandbox.native_balance(sandbox.settler());
    for target in [SECOND_TOKEN, PERMIT2, sandbox.seller()] {
        let transaction = CallTransaction {
            to: target,
            ..approval(&sandbox, sandbox.payer(), USDC)
        };
        let payment = Permit2Payment::exact(&sandbox).with_transaction(&transaction);
        for reply in [
            server.verify(&payment.request()).await,
            server.settle(&payment.request()).await,
        ] {
            assert_eq!(reply.code(), "erc20_approval_tx_wrong_target", "{reply:?}");
        }
    }
    assert_eq!(sandbox.native_balance(sandbox.settler()), purse);
    assert_eq!(
        (server.sent(), sandbox.transaction_count(sandbox.payer())),
        (0, 0)
    );
}

#[tokio::test]
async fn f03_a_token_that_is_not_listed_is_not_settled_through_permit2_either() {
    let sandbox = ready();
    let server = Setup::on(&sandbox).start().await;
    let payment = Permit2Payment::exact(&sandbox).in_token(PERMIT_TOKEN);
    let reply = server.settle(&payment.request()).await;
    assert_eq!(reply.code(), "invalid_payment_requirements");
    assert_eq!(server.sent(), 0);
}

#[tokio::test]
async fn approvals_that_come_along_are_used() {
    let (sandbox, _) = sandbox();
    let server = Setup::on(&sandbox).start().await;
    let with_permit = Permit2Payment::exact(&sandbox).with_permit(&sandbox, "USDC", "2");
    assert!(server.settle(&with_permit.request()).await.success());
    sandbox.set_native_balance(sandbox.payer(), U256::ZERO);
    let transaction = approval(&sandbox, sandbox.payer(), USDC);
    let with_approval = Permit2Payment::upto(&sandbox).with_transaction(&transaction);
    assert!(server.settle(&with_approval.charging(5)).await.success());
    assert_eq!((server.sent(), earned(&sandbox)), (3, 10_005));
}

#[tokio::test]
async fn f08_a_charge_changed_while_the_first_is_in_flight_hears_nothing_of_it() {
    let sandbox = ready();
    let server = Setup::impatient(&sandbox).start().await;
    let payment = Permit2Payment::upto(&sandbox);
    sandbox.set_automine(false);
    let call = async |units| {
        server
            .settle_as(&payment.charging(units), ALICE, None)
            .await
    };
    let first = call(1_000).await;
    assert_eq!(first.code(), "settlement_pending");
    let other = call(2_000).await;
    assert!(
        !other.success() && other.code() == "settlement_pending",
        "{other:?}"
    );
    sandbox.mine();
    sandbox.set_automine(true);
    let mut reply = call(1_000).await;
    while reply.code() == "settlement_pending" {
        reply = call(1_000).await;
    }
    assert!(reply.success(), "{reply:?}");
    assert_eq!((server.sent(), earned(&sandbox)), (1, 1_000));
}
