//! Verification of payments through Permit2: every check, in its order, and the payers that are contracts.
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
#[path = "evm_support/permit2.rs"]
mod permit2;
#[path = "evm_support/support.rs"]
mod support;

use alloy_primitives::{Address, Bytes, U256};
use calls::{planned_wallet, wallet};
use permit2::{Permit2Payment, approve_all};
use serde_json::{Value, json};
use support::{NOW, Payment, artifact, balance, sandbox, settled};
use x402_model::evm::permit2::{EXACT_PERMIT2_PROXY, PERMIT2, UPTO_PERMIT2_PROXY, Witness};
use x402_model::evm::{Erc6492, Signature};
use x402_runtime::evm::EvmConfig;
use x402_runtime::facilitator::{Facilitator, FacilitatorRequest};
use x402_runtime::sandbox::{Sandbox, USDC};

const SIGNATURE: &str = "invalid_permit2_signature";
const UNSUPPORTED: &str = "unsupported_payload_type";
const NOBODY: Address = Address::repeat_byte(0xee);

async fn code_of(sandbox: &Sandbox, request: &FacilitatorRequest) -> Option<String> {
    let answer = sandbox.facilitator().verify(request).await.unwrap();
    assert_eq!(answer.is_valid, answer.invalid_reason.is_none());
    answer.invalid_reason
}

type Fault = (&'static str, fn(&mut Permit2Payment));

/// Every fault that a payment can have by itself, in the order in which they are named.
const FAULTS: &[Fault] = &[
    ("invalid_permit2_spender", |p| {
        p.authorization.spender = NOBODY
    }),
    ("invalid_permit2_recipient_mismatch", |p| p.pay_to = NOBODY),
    ("upto_facilitator_mismatch", |p| {
        if let Witness::Upto { facilitator, .. } = &mut p.authorization.witness {
            *facilitator = NOBODY;
        }
    }),
    ("permit2_deadline_expired", |p| {
        p.authorization.deadline = U256::from(NOW + 5)
    }),
    ("permit2_not_yet_valid", |p| {
        match &mut p.authorization.witness {
            Witness::Exact { valid_after, .. } | Witness::Upto { valid_after, .. } => {
                *valid_after = U256::from(NOW + 1);
            }
        }
    }),
    ("permit2_amount_mismatch", |p| p.amount += U256::ONE),
    ("permit2_token_mismatch", |p| {
        p.authorization.permitted.token = USDC
    }),
    ("asset_not_deployed_contract", |p| {
        p.asset = NOBODY;
        p.authorization.permitted.token = NOBODY;
    }),
    (SIGNATURE, |p| {
        p.signature = Some(Bytes::from(vec![0x1b; 65]))
    }),
];

#[tokio::test]
async fn the_first_fault_is_the_one_that_is_named() {
    let (sandbox, _) = sandbox();
    approve_all(&sandbox);
    for (upto, good) in [
        (false, Permit2Payment::exact(&sandbox)),
        (true, Permit2Payment::upto(&sandbox)),
    ] {
        let faults: Vec<&Fault> = FAULTS
            .iter()
            .filter(|(code, _)| upto || !code.starts_with("upto"))
            .collect();
        for first in 0..faults.len() {
            let mut payment = good.clone();
            for (_, spoil) in faults[first..].iter().rev() {
                spoil(&mut payment);
            }
            let code = code_of(&sandbox, &payment.request()).await;
            assert_eq!(code.as_deref(), Some(faults[first].0));
        }
        for (expected, spoil) in &faults {
            let mut payment = good.clone();
            if *expected == "permit2_token_mismatch" {
                payment.asset = x402_runtime::sandbox::SECOND_TOKEN;
            }
            spoil(&mut payment);
            let code = code_of(&sandbox, &payment.request()).await;
            assert_eq!(code.as_deref(), Some(*expected), "alone");
        }
        assert_eq!(code_of(&sandbox, &good.request()).await, None);
    }
}

#[tokio::test]
async fn what_the_chain_lacks_is_named_in_order() {
    let (sandbox, _) = sandbox();
    let poor = sandbox.accounts()[9].clone();
    let mut payment = Permit2Payment::exact(&sandbox);
    payment.authorization.permitted.amount = U256::from(1_000_000_001_u64);
    payment.amount = payment.authorization.permitted.amount;
    payment.authorization.from = poor.address();
    payment.payer = poor.clone();
    let proxy = sandbox.chain().code(EXACT_PERMIT2_PROXY).await.unwrap();
    sandbox.set_code(EXACT_PERMIT2_PROXY, Bytes::new()).unwrap();
    let request = payment.request();
    let lacks = |code| assert_eq!(code, Some("permit2_proxy_not_deployed".to_owned()));
    lacks(code_of(&sandbox, &request).await);
    // Nothing is sent to an account without code.
    let outcome = sandbox.facilitator().settle(&request).await;
    assert_eq!(support::refused(outcome), "permit2_proxy_not_deployed");
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
    sandbox.set_code(EXACT_PERMIT2_PROXY, proxy).unwrap();
    let code = code_of(&sandbox, &request).await;
    assert_eq!(code.as_deref(), Some("permit2_insufficient_balance"));
    sandbox.mint(USDC, poor.address(), 1).unwrap();
    let code = code_of(&sandbox, &request).await;
    assert_eq!(code.as_deref(), Some("permit2_allowance_required"));
    sandbox
        .approve_permit2(USDC, poor.address(), payment.amount)
        .unwrap();
    assert_eq!(code_of(&sandbox, &request).await, None);
    payment.invalidate(&sandbox);
    let code = code_of(&sandbox, &request).await;
    assert_eq!(code.as_deref(), Some("permit2_simulation_failed"));
}

fn changed(
    payment: &Permit2Payment,
    change: impl FnOnce(&mut Value, &mut Value),
) -> FacilitatorRequest {
    let (mut payload, mut terms) = (payment.payload(), payment.requirements());
    change(&mut payload, &mut terms);
    FacilitatorRequest {
        x402_version: 2,
        payload: payload.into(),
        requirements: terms.into(),
    }
}

#[tokio::test]
async fn scheme_network_and_shape_come_before_everything() {
    let (sandbox, _) = sandbox();
    approve_all(&sandbox);
    let (exact, upto) = (
        Permit2Payment::exact(&sandbox),
        Permit2Payment::upto(&sandbox),
    );
    let other = json!("eip155:8453");
    let cases = [
        (
            changed(&exact, |p, _| p["accepted"]["scheme"] = json!("upto")),
            UNSUPPORTED,
        ),
        (
            changed(&exact, |p, _| p["accepted"]["network"] = other.clone()),
            "invalid_exact_evm_network_mismatch",
        ),
        (
            changed(&upto, |p, _| p["accepted"]["scheme"] = json!("exact")),
            "invalid_upto_evm_scheme",
        ),
        (
            changed(&upto, |p, _| p["accepted"]["network"] = other.clone()),
            "invalid_upto_evm_network_mismatch",
        ),
        // What was signed for one scheme is never settled under the other.
        (
            changed(&exact, |p, t| {
                p["accepted"]["scheme"] = json!("upto");
                t["scheme"] = json!("upto");
            }),
            UNSUPPORTED,
        ),
        (
            changed(&upto, |p, t| {
                p["accepted"]["scheme"] = json!("exact");
                t["scheme"] = json!("exact");
            }),
            UNSUPPORTED,
        ),
        (
            changed(&exact, |p, t| {
                p["accepted"]["network"] = other.clone();
                t["network"] = other.clone();
            }),
            "invalid_network",
        ),
    ];
    for (request, expected) in cases {
        let code = code_of(&sandbox, &request).await;
        assert_eq!(code.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn a_payment_for_one_rail_is_not_taken_on_another() {
    let (sandbox, _) = sandbox();
    approve_all(&sandbox);
    let permit2 = Permit2Payment::exact(&sandbox);
    let eip3009 = Payment::new(&sandbox);
    for method in [json!("eip3009"), json!("erc7710"), Value::Null] {
        let request = changed(&permit2, |_, t| {
            t["extra"]["assetTransferMethod"] = method.clone()
        });
        let code = code_of(&sandbox, &request).await;
        assert_eq!(code.as_deref(), Some(UNSUPPORTED), "{method}");
    }
    let mut terms = eip3009.requirements();
    terms["extra"]["assetTransferMethod"] = json!("permit2");
    let request = FacilitatorRequest {
        requirements: terms.into(),
        ..eip3009.request()
    };
    assert_eq!(
        code_of(&sandbox, &request).await.as_deref(),
        Some(UNSUPPORTED)
    );
    let both = changed(&permit2, |p, _| {
        let other = eip3009.request().payload.to_value();
        p["payload"]["authorization"] = other["payload"]["authorization"].clone();
    });
    assert_eq!(
        code_of(&sandbox, &both).await.as_deref(),
        Some("invalid_payload")
    );
    let version1 = changed(&permit2, |p, t| {
        p["x402Version"] = json!(1);
        p["scheme"] = json!("exact");
        p["network"] = json!("base-sepolia");
        t["network"] = json!("base-sepolia");
    });
    let version1 = FacilitatorRequest {
        x402_version: 1,
        ..version1
    };
    assert_eq!(
        code_of(&sandbox, &version1).await.as_deref(),
        Some(UNSUPPORTED)
    );
}

#[tokio::test]
async fn a_malformed_signature_is_named_where_a_wrong_one_is() {
    let (sandbox, _) = sandbox();
    approve_all(&sandbox);
    let good = Permit2Payment::exact(&sandbox);
    for bad in [
        Value::Null,
        json!(7),
        json!("0x"),
        json!("zz"),
        json!("0x1"),
    ] {
        let request = changed(&good, |p, _| p["payload"]["signature"] = bad.clone());
        assert_eq!(
            code_of(&sandbox, &request).await.as_deref(),
            Some(SIGNATURE),
            "{bad}"
        );
        let request = changed(&good, |p, t| {
            p["payload"]["signature"] = bad.clone();
            t["amount"] = json!("1");
        });
        let code = code_of(&sandbox, &request).await;
        assert_eq!(code.as_deref(), Some("permit2_amount_mismatch"));
    }
}

#[tokio::test]
async fn any_member_may_be_junk_and_gets_a_code() {
    let (sandbox, _) = sandbox();
    approve_all(&sandbox);
    let good = Permit2Payment::upto(&sandbox);
    let places = [
        "from",
        "permitted",
        "permitted/token",
        "permitted/amount",
        "spender",
        "nonce",
        "deadline",
        "witness",
        "witness/to",
        "witness/facilitator",
        "witness/validAfter",
    ];
    let junk = [
        json!(null),
        json!([]),
        json!({}),
        json!(-1),
        json!(1.5),
        json!("x"),
        json!("0x"),
        json!(format!("0x{}", "f".repeat(65))),
    ];
    for place in places {
        for junk in &junk {
            let request = changed(&good, |p, _| {
                let at = format!("/payload/permit2Authorization/{place}");
                *p.pointer_mut(&at).unwrap() = junk.clone();
            });
            assert!(
                code_of(&sandbox, &request).await.is_some(),
                "{place} {junk}"
            );
        }
    }
}

/// A payment from another account, signed by the payer's key.
fn from(sandbox: &Sandbox, account: Address) -> Permit2Payment {
    sandbox.mint(USDC, account, 50_000).unwrap();
    sandbox.approve_permit2(USDC, account, U256::MAX).unwrap();
    let mut payment = Permit2Payment::exact(sandbox);
    payment.authorization.from = account;
    payment
}

#[tokio::test]
async fn g16_a_contract_wallet_pays_through_permit2() {
    let (sandbox, _) = sandbox();
    let wallet = wallet(&sandbox, sandbox.payer());
    let payment = from(&sandbox, wallet);
    assert_eq!(code_of(&sandbox, &payment.request()).await, None);
    settled(sandbox.facilitator().settle(&payment.request()).await);
    assert_eq!(balance(&sandbox, USDC, wallet), 40_000);
    let mut forged = from(&sandbox, wallet);
    forged.payer = sandbox.accounts()[3].clone();
    let code = code_of(&sandbox, &forged.request()).await;
    assert_eq!(code.as_deref(), Some(SIGNATURE));
}

#[tokio::test]
async fn g16_a_delegated_account_pays_through_permit2_if_its_delegate_agrees() {
    let (sandbox, _) = sandbox();
    approve_all(&sandbox);
    let delegate = Address::repeat_byte(0xd0);
    for (name, expected) in [
        ("SelfSignerDelegate", None),
        ("MuteDelegate", Some(SIGNATURE)),
    ] {
        sandbox.set_code(delegate, artifact(name).runtime).unwrap();
        sandbox.delegate(sandbox.payer(), delegate).unwrap();
        for payment in [
            Permit2Payment::exact(&sandbox),
            Permit2Payment::upto(&sandbox),
        ] {
            let code = code_of(&sandbox, &payment.request()).await;
            assert_eq!(code.as_deref(), expected, "{name}");
        }
    }
}

#[tokio::test]
async fn f02_a_wallet_is_deployed_only_by_a_factory_on_the_list() {
    let (sandbox, _) = sandbox();
    let planned = planned_wallet(&sandbox, sandbox.payer());
    sandbox.mint(USDC, planned.wallet, 50_000).unwrap();
    let mut payment = Permit2Payment::exact(&sandbox);
    payment.authorization.from = planned.wallet;
    let inner = Signature::new(payment.signature()).unwrap();
    let wrapped = Erc6492 {
        factory: planned.factory,
        calldata: planned.calldata,
        signature: inner,
    };
    payment.signature = Some(wrapped.wrap().unwrap().bytes().clone());
    let code = code_of(&sandbox, &payment.request()).await;
    assert_eq!(code.as_deref(), Some("eip6492_factory_not_allowed"));
    let mut config = EvmConfig::sandbox();
    config.allowed_factories = vec![planned.factory];
    let facilitator = sandbox.facilitator_with(config);
    // The factory is trusted now. Nobody can have approved for a wallet that is not there yet.
    let answer = facilitator.verify(&payment.request()).await.unwrap();
    let code = answer.invalid_reason.as_deref();
    assert_eq!(code, Some("permit2_allowance_required"));
    assert_eq!(sandbox.transaction_count(sandbox.settler()), 0);
}

#[tokio::test]
async fn supported_names_the_account_that_upto_is_signed_for() {
    let (sandbox, _) = sandbox();
    let supported = sandbox.facilitator().supported().await.unwrap();
    let kind = supported
        .kinds
        .iter()
        .find(|kind| kind.scheme == "upto")
        .unwrap();
    let named = &kind.extra.as_ref().unwrap()["facilitatorAddress"];
    assert_eq!(*named, json!(sandbox.settler().to_checksum(None)));
    assert_eq!(
        supported.extensions,
        ["eip2612GasSponsoring", "erc20ApprovalGasSponsoring"]
    );
    let thrifty = sandbox.facilitator_with(EvmConfig::default());
    assert_eq!(
        thrifty.supported().await.unwrap().extensions,
        ["eip2612GasSponsoring"]
    );
}

#[tokio::test]
async fn the_stand_ins_know_the_domain_and_each_other() {
    let (sandbox, _) = sandbox();
    // DOMAIN_SEPARATOR() and PERMIT2()
    let domain = sandbox.read(PERMIT2, vec![0x36, 0x44, 0xe5, 0x15]).unwrap();
    let expected = x402_model::evm::permit2::separator(x402_runtime::sandbox::CHAIN_ID);
    assert_eq!(domain.as_ref(), expected.0.as_slice());
    for proxy in [EXACT_PERMIT2_PROXY, UPTO_PERMIT2_PROXY] {
        let answer = sandbox.read(proxy, vec![0x6a, 0xfd, 0xd8, 0x50]).unwrap();
        assert_eq!(
            Address::from_word(alloy_primitives::B256::from_slice(&answer)),
            PERMIT2
        );
    }
}
