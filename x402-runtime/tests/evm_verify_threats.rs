//! Threats to verification: contract wallets, factories, odd payloads, and limits of an own facilitator.
#![cfg(feature = "sandbox")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "evm_support/calls.rs"]
mod calls;
#[path = "evm_support/support.rs"]
mod support;

use alloy_primitives::{Address, Bytes, U256, address};
use calls::{planned_wallet, wallet};
use serde_json::{Value, json};
use support::{
    NOW, Payment, artifact, balance, odd_payment, odd_token, refused, sandbox, settled, unknown,
    verify_code,
};
use x402_model::evm::{Erc6492, Signature};
use x402_runtime::evm::EvmConfig;
use x402_runtime::facilitator::{Evidence, Facilitator, FacilitatorRequest, SettleOutcome};
use x402_runtime::sandbox::{Sandbox, USDC};

const SIGNATURE: &str = "invalid_exact_evm_signature";
const SIMULATION: &str = "invalid_exact_evm_transaction_simulation_failed";
const MULTICALL3: Address = address!("0xcA11bde05977b3631167028862bE2a173976CA11");

/// A payment from a contract wallet that obeys the payer's key.
fn wallet_payment(sandbox: &Sandbox, from: Address) -> Payment {
    sandbox.mint(USDC, from, 50_000).unwrap();
    Payment {
        from,
        ..Payment::new(sandbox)
    }
}

/// A signature that the test wallets take for the key's, with a byte more so that only the `bytes` form fits.
fn long_signature(payment: &Payment) -> Bytes {
    [payment.signature().as_ref(), &[0]].concat().into()
}

#[tokio::test]
async fn g16_a_wallets_approval_is_worth_nothing_to_a_token_that_knows_keys_only() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let token = odd_token(&sandbox, "EcrecoverOnlyToken");
    let wallet = wallet(&sandbox, sandbox.payer());
    sandbox.mint(token, wallet, 50_000).unwrap();
    let payment = Payment {
        from: wallet,
        ..odd_payment(&sandbox, token)
    };
    assert_eq!(
        verify_code(&*facilitator, &payment).await.as_deref(),
        Some(SIMULATION)
    );
    assert!(!refused(facilitator.settle(&payment.request()).await).is_empty());
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
}

#[tokio::test]
async fn g16_a_contract_wallet_pays_with_signatures_of_any_length() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let wallet = wallet(&sandbox, sandbox.payer());
    for long in [false, true] {
        let mut payment = wallet_payment(&sandbox, wallet);
        payment.signature = long.then(|| long_signature(&payment));
        assert_eq!(
            verify_code(&*facilitator, &payment).await,
            None,
            "long: {long}"
        );
        settled(facilitator.settle(&payment.request()).await);
    }
    let forged = Payment {
        payer: sandbox.accounts()[3].clone(),
        ..wallet_payment(&sandbox, wallet)
    };
    assert_eq!(
        verify_code(&*facilitator, &forged).await.as_deref(),
        Some(SIGNATURE)
    );
}

#[tokio::test]
async fn g16_a_delegated_account_is_asked_through_its_delegate() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    for (contract, code) in [
        ("SelfSignerDelegate", None),
        ("MuteDelegate", Some(SIGNATURE)),
    ] {
        let delegate = Address::repeat_byte(0xd1);
        sandbox
            .set_code(delegate, artifact(contract).runtime)
            .unwrap();
        sandbox.delegate(sandbox.payer(), delegate).unwrap();
        let payment = Payment::new(&sandbox);
        assert_eq!(
            verify_code(&*facilitator, &payment).await.as_deref(),
            code,
            "{contract}"
        );
        match (code, facilitator.settle(&payment.request()).await) {
            (None, outcome) => drop(settled(outcome)),
            (Some(code), outcome) => assert_eq!(refused(outcome), code),
        }
    }
}

/// A payment from a wallet that is still to be deployed.
fn undeployed(sandbox: &Sandbox) -> (Payment, Address, Address) {
    let planned = planned_wallet(sandbox, sandbox.payer());
    let mut payment = wallet_payment(sandbox, planned.wallet);
    let inner = Signature::new(long_signature(&payment)).unwrap();
    let wrapper = Erc6492 {
        factory: planned.factory,
        calldata: planned.calldata,
        signature: inner,
    };
    payment.signature = Some(wrapper.wrap().unwrap().bytes().clone());
    (payment, planned.factory, planned.wallet)
}

#[tokio::test]
async fn f02_no_factory_is_called_with_the_settlers_money_unless_it_is_listed() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let (payment, _, wallet) = undeployed(&sandbox);
    let code = "eip6492_factory_not_allowed";
    assert_eq!(
        verify_code(&*facilitator, &payment).await.as_deref(),
        Some(code)
    );
    assert_eq!(refused(facilitator.settle(&payment.request()).await), code);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
    assert!(sandbox.chain().code(wallet).await.unwrap().is_empty());
}

#[tokio::test]
async fn f02_a_listed_factory_deploys_the_wallet_and_it_pays() {
    let (sandbox, _) = sandbox();
    sandbox
        .set_code(MULTICALL3, artifact("TryAggregate").runtime)
        .unwrap();
    let (payment, factory, wallet) = undeployed(&sandbox);
    let mut config = EvmConfig::sandbox();
    config.allowed_factories = vec![factory];
    let facilitator = sandbox.facilitator_with(config);
    assert_eq!(verify_code(&facilitator, &payment).await, None);
    settled(facilitator.settle(&payment.request()).await);
    assert_eq!(balance(&sandbox, USDC, wallet), 40_000);
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 2);
    // The wallet is there now: the same wrapper is unwrapped and its inner signature asked for.
    let again = Payment {
        from: wallet,
        ..Payment::new(&sandbox)
    };
    settled(facilitator.settle(&again.request()).await);
}

#[tokio::test]
async fn f02_a_wallet_that_could_not_pay_is_not_deployed() {
    let (sandbox, _) = sandbox();
    sandbox
        .set_code(MULTICALL3, artifact("TryAggregate").runtime)
        .unwrap();
    let (mut payment, factory, _) = undeployed(&sandbox);
    payment.value = 60_000;
    let mut config = EvmConfig::sandbox();
    config.allowed_factories = vec![factory];
    let facilitator = sandbox.facilitator_with(config);
    assert!(verify_code(&facilitator, &payment).await.is_some());
    assert!(!refused(facilitator.settle(&payment.request()).await).is_empty());
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
}

#[tokio::test]
async fn f03_lists_of_assets_and_receivers_are_kept() {
    let (sandbox, _) = sandbox();
    let payment = Payment::new(&sandbox);
    for (assets, receivers, fine) in [
        (vec![USDC], vec![sandbox.seller()], true),
        (vec![Address::ZERO], Vec::new(), false),
        (Vec::new(), vec![Address::ZERO], false),
    ] {
        let mut config = EvmConfig::sandbox();
        config.allowed_assets = assets;
        config.allowed_pay_to = receivers;
        let code = verify_code(&sandbox.facilitator_with(config), &payment).await;
        assert_eq!(code.is_none(), fine);
        assert!(fine || code.as_deref() == Some("invalid_payment_requirements"));
    }
}

#[tokio::test]
async fn an_asset_without_code_is_refused_and_not_remembered() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let token = Address::repeat_byte(0xaa);
    let payment = odd_payment(&sandbox, token);
    assert_eq!(
        verify_code(&*facilitator, &payment).await.as_deref(),
        Some("asset_not_deployed_contract")
    );
    sandbox
        .place_token(token, artifact("TestUsd").runtime, "Odd", "ODD", "1")
        .unwrap();
    sandbox.mint(token, sandbox.payer(), 50_000).unwrap();
    assert_eq!(verify_code(&*facilitator, &payment).await, None);
}

#[tokio::test]
async fn an_authorization_that_ran_out_is_refused_only_when_no_block_can_hold_it() {
    let (sandbox, clock) = sandbox();
    let facilitator = sandbox.facilitator();
    let payment = Payment::new(&sandbox);
    clock.set_ms((NOW + 297) * 1000);
    assert_eq!(unknown(facilitator.settle(&payment.request()).await), None);
    clock.set_ms((NOW + 310) * 1000);
    let code = "invalid_exact_evm_payload_authorization_valid_before";
    assert_eq!(refused(facilitator.settle(&payment.request()).await), code);
}

#[tokio::test]
async fn a_payment_that_was_settled_in_time_stays_settled_when_asked_too_late() {
    let (sandbox, clock) = sandbox();
    let facilitator = sandbox.facilitator();
    let payment = Payment::new(&sandbox);
    let first = settled(facilitator.settle(&payment.request()).await);
    clock.set_ms((NOW + 1_000) * 1000);
    assert_eq!(
        settled(facilitator.settle(&payment.request()).await).transaction,
        first.transaction
    );
}

#[tokio::test]
async fn evidence_of_absence_needs_depth() {
    let (sandbox, clock) = sandbox();
    let mut config = EvmConfig::sandbox();
    config.confirmations = 3;
    let facilitator = sandbox.facilitator_with(config);
    let payment = Payment::new(&sandbox);
    sandbox.mine_blocks(5);
    sandbox
        .cancel_authorization(USDC, &payment.payer, payment.nonce)
        .unwrap();
    assert!(matches!(
        facilitator.evidence(&payment.reference()).await,
        Evidence::Unavailable { .. }
    ));
    sandbox.mine_blocks(2);
    assert!(matches!(
        facilitator.evidence(&payment.reference()).await,
        Evidence::Cancelled { .. }
    ));

    let other = Payment::new(&sandbox);
    clock.advance_ms(4_000);
    // Two empty blocks appear; the one at depth three is the old one.
    assert_eq!(
        facilitator.evidence(&other.reference()).await,
        Evidence::Unused { chain_time: NOW }
    );
    clock.advance_ms(10_000);
    assert_eq!(
        facilitator.evidence(&other.reference()).await,
        Evidence::Unused {
            chain_time: NOW + 10
        }
    );
}

#[tokio::test]
async fn two_nodes_must_agree_on_evidence() {
    let (sandbox, _) = sandbox();
    let (stale, _) = support::sandbox();
    let payment = Payment::new(&sandbox);
    settled(sandbox.facilitator().settle(&payment.request()).await);
    let torn = sandbox
        .facilitator_with(EvmConfig::sandbox())
        .with_witness(stale.chain());
    assert!(matches!(
        torn.evidence(&payment.reference()).await,
        Evidence::Unavailable { .. }
    ));
    let sure = sandbox
        .facilitator_with(EvmConfig::sandbox())
        .with_witness(sandbox.chain());
    assert!(matches!(
        sure.evidence(&payment.reference()).await,
        Evidence::Paid { .. }
    ));
}

#[tokio::test]
async fn every_spelling_of_one_payment_is_one_payment() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    let payment = Payment::new(&sandbox);
    let first = settled(facilitator.settle(&payment.request()).await);
    let mut request = payment.request();
    let mut payload = request.payload.to_value();
    let fields = &mut payload["payload"]["authorization"];
    fields["from"] = json!(fields["from"].as_str().unwrap().to_lowercase());
    fields["value"] = json!("0x2710");
    fields["nonce"] = json!(
        fields["nonce"]
            .as_str()
            .unwrap()
            .to_uppercase()
            .replacen("0X", "0x", 1)
    );
    request.payload = payload.into();
    assert_eq!(
        settled(facilitator.settle(&request).await).transaction,
        first.transaction
    );
}

/// Every way to replace, remove or retype one member at a time, at any depth.
fn mutations(value: &Value) -> Vec<Value> {
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(""),
        json!("0x"),
        json!("ÿ\u{0}"),
        json!([]),
        json!({}),
        json!("0x".to_owned() + &"f".repeat(70_000)),
        json!(U256::MAX.to_string() + "9"),
        json!("exact"),
        json!(1e300),
    ];
    let mut all: Vec<Value> = odd.to_vec();
    if let Value::Object(map) = value {
        for (key, inner) in map {
            let mut without = map.clone();
            without.remove(key);
            all.push(Value::Object(without));
            for changed in mutations(inner) {
                let mut with = map.clone();
                with.insert(key.clone(), changed);
                all.push(Value::Object(with));
            }
        }
    }
    all
}

#[tokio::test]
async fn malformed_requests_are_answered_with_a_code_and_never_settle() {
    let (sandbox, _) = sandbox();
    let facilitator = sandbox.facilitator();
    // A spent balance makes sure that nothing here can move money by being accidentally right.
    let good = Payment {
        value: 1_000_000_001,
        ..Payment::new(&sandbox)
    }
    .request();
    let payloads = mutations(&good.payload.to_value())
        .into_iter()
        .map(|payload| FacilitatorRequest {
            payload: payload.into(),
            ..good.clone()
        });
    let terms = mutations(&good.requirements.to_value()).into_iter();
    let terms = terms.map(|requirements| FacilitatorRequest {
        requirements: requirements.into(),
        ..good.clone()
    });
    let versions = [0, 1, 3, 255].map(|version| FacilitatorRequest {
        x402_version: version,
        ..good.clone()
    });
    let mut count = 0;
    for request in payloads.chain(terms).chain(versions) {
        let answer = facilitator.verify(&request).await.unwrap();
        assert!(
            !answer.is_valid && answer.invalid_reason.is_some(),
            "{:?}",
            request.payload.as_str()
        );
        assert!(answer.payer.is_none_or(|payer| payer.len() <= 42));
        let outcome = facilitator.settle(&request).await;
        assert!(matches!(outcome, SettleOutcome::Refused(_)), "{outcome:?}");
        count += 1;
    }
    assert!(count > 300, "{count}");
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
}
