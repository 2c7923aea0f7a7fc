//! Approvals that come along with a payment: used when they are exactly what the payment needs, and nothing else is sent.
#![cfg(feature = "sandbox")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "evm_support/permit2.rs"]
mod permit2;
#[path = "evm_support/support.rs"]
mod support;

use alloy_primitives::{Address, U256};
use permit2::{Permit2Payment, approval};
use serde_json::{Value, json};
use support::{NOW, artifact, balance, refused, sandbox, settled};
use x402_model::evm::CallTransaction;
use x402_model::evm::permit2::PERMIT2;
use x402_runtime::evm::{EvmConfig, EvmFacilitator};
use x402_runtime::facilitator::{Facilitator, FacilitatorRequest};
use x402_runtime::sandbox::{PERMIT_TOKEN, SECOND_TOKEN, Sandbox, USDC};

const REQUIRED: &str = "permit2_allowance_required";

async fn code_of(facilitator: &EvmFacilitator, request: &FacilitatorRequest) -> Option<String> {
    facilitator.verify(request).await.unwrap().invalid_reason
}

fn permitting(sandbox: &Sandbox) -> Permit2Payment {
    Permit2Payment::exact(sandbox).with_permit(sandbox, "USDC", "2")
}

#[tokio::test]
async fn a_permit_stands_for_the_approval_in_the_same_transaction() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let bare = Permit2Payment::exact(&sandbox);
    assert_eq!(
        code_of(&facilitator, &bare.request()).await.as_deref(),
        Some(REQUIRED)
    );
    let before = balance(&sandbox, USDC, sandbox.seller());
    let payment = permitting(&sandbox);
    assert_eq!(code_of(&facilitator, &payment.request()).await, None);
    settled(facilitator.settle(&payment.request()).await);
    assert_eq!(balance(&sandbox, USDC, sandbox.seller()), before + 10_000);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 1);
    // It is for this amount and used up with it.
    assert_eq!(
        code_of(&facilitator, &bare.request()).await.as_deref(),
        Some(REQUIRED)
    );
}

#[tokio::test]
async fn a_permit_works_with_upto_and_with_another_token() {
    let (sandbox, _) = sandbox();
    let payment = Permit2Payment::upto(&sandbox)
        .in_token(PERMIT_TOKEN)
        .with_permit(&sandbox, "Permit Test USD", "1");
    assert_eq!(
        code_of(&sandbox.facilitator(), &payment.request()).await,
        None
    );
    let response = settled(sandbox.facilitator().settle(&payment.charging(1_234)).await);
    assert_eq!(response.amount.as_deref(), Some("1234"));
}

fn spoiled(payment: &Permit2Payment, key: &str, member: &str, value: &Value) -> FacilitatorRequest {
    let mut payload = payment.payload();
    payload["extensions"][key]["info"][member] = value.clone();
    FacilitatorRequest {
        payload: payload.into(),
        ..payment.request()
    }
}

#[tokio::test]
async fn every_fault_of_a_permit_has_its_code() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let other = json!(sandbox.seller().to_checksum(None));
    let table = [
        ("from", other.clone(), "eip2612_from_mismatch"),
        ("asset", other.clone(), "eip2612_asset_mismatch"),
        ("spender", other.clone(), "eip2612_spender_not_permit2"),
        (
            "deadline",
            json!((NOW + 5).to_string()),
            "eip2612_deadline_expired",
        ),
        ("amount", json!("9999"), "permit2_2612_amount_mismatch"),
        (
            "signature",
            json!("0x1234"),
            "invalid_eip2612_extension_format",
        ),
        ("version", json!("x"), "invalid_eip2612_extension_format"),
        // The token refuses these, the proxy goes on without, and Permit2 has no allowance.
        ("nonce", json!("7"), ""),
        (
            "signature",
            json!(format!("0x{}1b", "11".repeat(64))),
            REQUIRED,
        ),
    ];
    for (member, value, expected) in table {
        let request = spoiled(
            &permitting(&sandbox),
            "eip2612GasSponsoring",
            member,
            &value,
        );
        let code = code_of(&facilitator, &request).await.unwrap_or_default();
        assert_eq!(code, expected, "{member} {value}");
        if !expected.is_empty() {
            assert_eq!(refused(facilitator.settle(&request).await), expected);
        }
    }
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
}

#[tokio::test]
async fn a_permit_that_the_token_has_no_word_for_is_worth_nothing() {
    let (sandbox, _) = sandbox();
    for name in ["DaiLikeToken", "WethLikeToken"] {
        let token = Address::repeat_byte(0xda);
        sandbox.set_code(token, artifact(name).runtime).unwrap();
        sandbox.mint(token, sandbox.payer(), 1_000_000).unwrap();
        let payment = Permit2Payment::exact(&sandbox)
            .in_token(token)
            .with_permit(&sandbox, "Odd", "1");
        let code = code_of(&sandbox.facilitator(), &payment.request()).await;
        assert_eq!(code.as_deref(), Some(REQUIRED), "{name}");
    }
}

#[tokio::test]
async fn a_signed_approval_is_sent_before_the_payment() {
    let (sandbox, _) = sandbox();
    let (facilitator, payer) = (sandbox.facilitator(), sandbox.payer());
    let before = balance(&sandbox, USDC, sandbox.seller());
    let transaction = approval(&sandbox, payer, USDC);
    for payment in [
        Permit2Payment::exact(&sandbox),
        Permit2Payment::upto(&sandbox),
    ] {
        // The second time the approval is there already, and the transaction that came along is not sent again.
        let payment = payment.with_transaction(&transaction);
        assert_eq!(code_of(&facilitator, &payment.request()).await, None);
        settled(facilitator.settle(&payment.charging(10_000)).await);
        assert_eq!(sandbox.transaction_count(payer), 1);
    }
    assert_eq!(balance(&sandbox, USDC, sandbox.seller()), before + 20_000);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 2);
}

/// Changes one thing of a good approval.
type Change = fn(&mut CallTransaction);

#[tokio::test]
async fn f03_a_signed_call_that_is_no_approval_is_refused_and_costs_nothing() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let table: [(&str, Change); 8] = [
        ("erc20_approval_tx_wrong_target", |tx| tx.to = SECOND_TOKEN),
        ("erc20_approval_tx_wrong_target", |tx| tx.to = PERMIT2),
        ("erc20_approval_tx_wrong_selector", |tx| {
            let mut data = tx.data.to_vec();
            data[0] = 0xa9;
            tx.data = data.into();
        }),
        ("erc20_approval_tx_wrong_spender", |tx| {
            let mut data = tx.data.to_vec();
            data[4 + 31] ^= 1;
            tx.data = data.into();
        }),
        ("erc20_approval_tx_invalid_calldata", |tx| {
            tx.data = tx.data.slice(..40)
        }),
        ("erc20_approval_tx_parse_failed", |tx| tx.chain_id = 1),
        ("permit2_simulation_failed", |tx| tx.gas_limit = 21_000),
        (REQUIRED, |tx| {
            let mut data = tx.data.to_vec();
            data[36..].fill(0);
            tx.data = data.into();
        }),
    ];
    let funds = sandbox.native_balance(sandbox.settler());
    for (expected, change) in table {
        let mut transaction = approval(&sandbox, sandbox.payer(), USDC);
        change(&mut transaction);
        let payment = Permit2Payment::exact(&sandbox).with_transaction(&transaction);
        let code = code_of(&facilitator, &payment.request())
            .await
            .unwrap_or_default();
        // Too little gas shows as a missing allowance, because nothing was approved.
        let expected = if expected == "permit2_simulation_failed" {
            REQUIRED
        } else {
            expected
        };
        assert_eq!(code, expected);
        assert_eq!(
            refused(facilitator.settle(&payment.request()).await),
            expected
        );
    }
    let stranger = Permit2Payment {
        payer: sandbox.accounts()[3].clone(),
        ..Permit2Payment::exact(&sandbox)
    };
    let mut payment = stranger.with_transaction(&approval(&sandbox, sandbox.payer(), USDC));
    payment.payer = sandbox.accounts()[0].clone();
    let code = code_of(&facilitator, &payment.request()).await;
    assert_eq!(code.as_deref(), Some("erc20_approval_tx_signer_mismatch"));
    assert_eq!(sandbox.native_balance(sandbox.settler()), funds);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
    assert_eq!(sandbox.transaction_count(sandbox.payer()), 0);
}

#[tokio::test]
async fn an_approval_out_of_turn_or_too_cheap_is_not_sent() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let table: [(&str, Change); 2] = [
        ("erc20_approval_tx_failed", |tx| tx.nonce += 1),
        ("erc20_approval_broadcast_failed", |tx| {
            tx.max_fee_per_gas = 1_000_000;
            tx.max_priority_fee_per_gas = 1;
        }),
    ];
    for (expected, change) in table {
        let mut transaction = approval(&sandbox, sandbox.payer(), USDC);
        change(&mut transaction);
        let payment = Permit2Payment::exact(&sandbox).with_transaction(&transaction);
        assert_eq!(
            refused(facilitator.settle(&payment.request()).await),
            expected
        );
    }
    assert_eq!(sandbox.transaction_count(sandbox.payer()), 0);
}

#[tokio::test]
async fn a_payer_without_native_money_is_given_what_its_approval_costs_and_no_more() {
    let (sandbox, _) = sandbox();
    let payer = sandbox.payer();
    sandbox.set_native_balance(payer, U256::from(5));
    let payment =
        Permit2Payment::exact(&sandbox).with_transaction(&approval(&sandbox, payer, USDC));
    let frugal = sandbox.facilitator_with(EvmConfig::default());
    let outcome = frugal.settle(&payment.request()).await;
    assert_eq!(refused(outcome), "erc20_approval_broadcast_failed");
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);

    settled(sandbox.facilitator().settle(&payment.request()).await);
    // 70,000 gas at 0.1 gwei, of which the approval used a part.
    let left = sandbox.native_balance(payer);
    assert!(
        left > U256::ZERO && left < U256::from(7_000_000_000_000_u64),
        "{left}"
    );
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 2);
}

/// Many payments of one payer come at once, each with the same approval.
#[tokio::test]
async fn f03_money_for_one_approval_is_given_once() {
    let (sandbox, _) = sandbox();
    let payer = sandbox.payer();
    sandbox.set_native_balance(payer, U256::ZERO);
    let transaction = approval(&sandbox, payer, USDC);
    let facilitator = sandbox.facilitator();
    let payments = (0..20).map(|_| {
        let payment = Permit2Payment::exact(&sandbox).with_transaction(&transaction);
        let facilitator = std::sync::Arc::clone(&facilitator);
        tokio::spawn(async move { settled(facilitator.settle(&payment.request()).await) })
    });
    for payment in payments.collect::<Vec<_>>() {
        payment.await.unwrap();
    }
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 21);
    // The payer takes the rest away, revokes its approval, and asks for more.
    sandbox.set_native_balance(payer, U256::ZERO);
    sandbox.approve_permit2(USDC, payer, U256::ZERO).unwrap();
    let payment =
        Permit2Payment::exact(&sandbox).with_transaction(&approval(&sandbox, payer, USDC));
    let outcome = facilitator.settle(&payment.request()).await;
    assert_eq!(refused(outcome), "erc20_approval_broadcast_failed");
}

#[tokio::test]
async fn f03_money_is_not_given_for_a_payment_that_would_fail() {
    let (sandbox, _) = sandbox();
    let payer = sandbox.payer();
    sandbox.set_native_balance(payer, U256::ZERO);
    let mut payment = Permit2Payment::exact(&sandbox);
    payment.authorization.permitted.amount = U256::from(10_u64).pow(U256::from(12));
    payment.amount = payment.authorization.permitted.amount;
    let payment = payment.with_transaction(&approval(&sandbox, payer, USDC));
    let outcome = sandbox.facilitator().settle(&payment.request()).await;
    assert_eq!(refused(outcome), "permit2_insufficient_balance");
    let greedy = CallTransaction {
        max_fee_per_gas: 1_000_000_000_000,
        ..approval(&sandbox, payer, USDC)
    };
    let payment = Permit2Payment::exact(&sandbox).with_transaction(&greedy);
    let outcome = sandbox.facilitator().settle(&payment.request()).await;
    assert_eq!(refused(outcome), "erc20_approval_broadcast_failed");
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
    assert_eq!(sandbox.native_balance(payer), U256::ZERO);
}

#[tokio::test]
async fn a_declaration_that_is_only_repeated_changes_nothing() {
    let (sandbox, _) = sandbox();
    let mut payment = Permit2Payment::exact(&sandbox);
    for key in ["eip2612GasSponsoring", "erc20ApprovalGasSponsoring"] {
        let declared = x402_model::evm::gas_sponsoring::declaration(key).unwrap();
        payment.extensions.insert(key.to_owned(), declared);
    }
    let code = code_of(&sandbox.facilitator(), &payment.request()).await;
    assert_eq!(code.as_deref(), Some(REQUIRED));
}
