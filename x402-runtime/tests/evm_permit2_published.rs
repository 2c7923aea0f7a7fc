//! Permit2's published source, fetched from npm and compiled, does what our stand-in does.
//!
//! The source and its compiler come from `contracts/published`; the first run downloads some 40 MB into `target/npm`.
#![cfg(feature = "sandbox")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "evm_support/npm.rs"]
mod npm;
#[path = "evm_support/permit2.rs"]
mod permit2;
#[path = "evm_support/support.rs"]
mod support;
#[path = "evm_support/vectors.rs"]
mod vectors;

use std::process::Command;
use std::sync::{Arc, OnceLock};

use alloy_primitives::{Address, Bytes, U256};
use permit2::{Permit2Payment, approve_all};
use support::{artifact, balance, sandbox, settled};
use x402_model::evm::permit2::{PERMIT2, Witness};
use x402_runtime::evm::SettlePath;
use x402_runtime::evm::chain::{BlockRef, CallError, CallRequest};
use x402_runtime::facilitator::{Evidence, Facilitator};
use x402_runtime::sandbox::{Sandbox, USDC};

/// The run-time code that the published source compiles to.
fn published() -> Bytes {
    static CODE: OnceLock<Bytes> = OnceLock::new();
    let compile = || {
        let modules = npm::install("contracts/published");
        let out = modules.join("permit2.hex");
        npm::run(
            Command::new("node")
                .arg(npm::root().join("contracts/published/build.mjs"))
                .arg("--modules")
                .arg(&modules)
                .arg("--out")
                .arg(&out),
        );
        std::fs::read_to_string(out)
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    };
    CODE.get_or_init(compile).clone()
}

async fn with_published(sandbox: Sandbox) -> Arc<dyn Facilitator> {
    sandbox.set_code(PERMIT2, published()).unwrap();
    sandbox.facilitator()
}

#[tokio::test]
async fn the_recorded_verdicts_hold_with_the_published_contract() {
    vectors::replay("facilitator_exact_permit2.json", with_published).await;
    vectors::replay("facilitator_upto.json", with_published).await;
}

#[tokio::test]
async fn payments_settle_and_are_found_with_the_published_contract() {
    let (sandbox, _) = sandbox();
    approve_all(&sandbox);
    let facilitator = with_published(sandbox.clone()).await;
    let before = balance(&sandbox, USDC, sandbox.seller());
    let (exact, upto) = (
        Permit2Payment::exact(&sandbox),
        Permit2Payment::upto(&sandbox),
    );
    let response = settled(facilitator.settle(&exact.request()).await);
    settled(facilitator.settle(&upto.charging(77)).await);
    assert_eq!(balance(&sandbox, USDC, sandbox.seller()), before + 10_077);
    let Evidence::Paid { transaction, .. } = facilitator.evidence(&exact.reference()).await else {
        panic!("the payment is not found");
    };
    assert_eq!(transaction, response.transaction);
    let taken_back = Permit2Payment::exact(&sandbox);
    taken_back.invalidate(&sandbox);
    let evidence = facilitator.evidence(&taken_back.reference()).await;
    assert!(
        matches!(evidence, Evidence::Cancelled { .. }),
        "{evidence:?}"
    );
    let burnt = Permit2Payment::exact(&sandbox);
    burnt.burn(&sandbox, Address::repeat_byte(1), 5);
    sandbox.advance_seconds(300 + 3_602);
    let evidence = facilitator.evidence(&burnt.reference()).await;
    assert!(
        matches!(evidence, Evidence::Mismatch { .. }),
        "{evidence:?}"
    );
}

#[tokio::test]
async fn the_published_contract_costs_about_what_the_constants_say() {
    let (sandbox, _) = sandbox();
    approve_all(&sandbox);
    let facilitator = with_published(sandbox.clone()).await;
    for (path, request) in [
        (
            SettlePath::Permit2Exact,
            Permit2Payment::exact(&sandbox).request(),
        ),
        (
            SettlePath::Permit2Upto,
            Permit2Payment::upto(&sandbox).charging(77),
        ),
    ] {
        let response = settled(facilitator.settle(&request).await);
        let hash = response.transaction.parse().unwrap();
        let used = sandbox
            .chain()
            .receipt(hash)
            .await
            .unwrap()
            .unwrap()
            .gas_used;
        assert!(
            used.abs_diff(path.gas()) <= path.gas() / 20,
            "{path:?} took {used}"
        );
    }
}

/// What a settlement returns or reverts with.
async fn answer(sandbox: &Sandbox, payment: &Permit2Payment) -> Result<Bytes, Bytes> {
    let call = CallRequest {
        from: sandbox.settler(),
        to: payment.authorization.witness.proxy(),
        data: payment.settle_call().into(),
        gas: None,
    };
    match sandbox.chain().call(call, BlockRef::Latest).await {
        Ok(output) => Ok(output),
        Err(CallError::Revert { data, .. }) => Err(data),
        Err(error) => panic!("{error}"),
    }
}

/// Payments that are good or bad in every way that Permit2 tells apart.
fn odd_payments(sandbox: &Sandbox) -> Vec<Permit2Payment> {
    let good = Permit2Payment::exact(sandbox);
    let signature = good.signature();
    let with = |bytes: Vec<u8>| Permit2Payment {
        signature: Some(bytes.into()),
        ..good.clone()
    };
    let mut compact = signature[..64].to_vec();
    compact[32] |= (signature[64] - 27) << 7;
    let mut zero_v = signature.to_vec();
    zero_v[64] -= 27;
    let mut flipped = signature.to_vec();
    flipped[5] ^= 1;
    let mut all = vec![
        good.clone(),
        with(compact.clone()),
        with(zero_v),
        with(flipped),
        with(signature[..63].to_vec()),
        with([signature.as_ref(), &[0]].concat()),
        with(vec![0; 65]),
    ];
    let mut expired = good.clone();
    expired.authorization.deadline = U256::from(support::NOW - 1);
    let mut just_in_time = good.clone();
    just_in_time.authorization.deadline = U256::from(support::NOW);
    let mut greedy = good.clone();
    greedy.authorization.permitted.amount = U256::MAX;
    let mut no_token = good.clone();
    no_token.authorization.permitted.token = Address::repeat_byte(9);
    let mut early = good.clone();
    early.authorization.witness = Witness::Exact {
        to: sandbox.seller(),
        valid_after: U256::from(support::NOW + 100),
    };
    let mut nobody = good.clone();
    nobody.authorization.witness = Witness::Exact {
        to: Address::ZERO,
        valid_after: U256::ZERO,
    };
    let mut wallet = good.clone();
    wallet.authorization.from = Address::repeat_byte(0x44);
    let mut mute = good.clone();
    mute.authorization.from = Address::repeat_byte(0x45);
    all.extend([
        expired,
        just_in_time,
        greedy,
        no_token,
        early,
        nobody,
        wallet,
        mute,
    ]);
    let mut used = Permit2Payment::exact(sandbox);
    used.invalidate(sandbox);
    used.pay_to = sandbox.seller();
    all.push(used);
    all
}

#[tokio::test]
async fn both_answer_every_odd_payment_with_the_same_bytes() {
    let (sandbox, _) = sandbox();
    approve_all(&sandbox);
    let delegate = Address::repeat_byte(0x46);
    sandbox
        .set_code(delegate, artifact("SelfSignerDelegate").runtime)
        .unwrap();
    sandbox
        .delegate(Address::repeat_byte(0x44), delegate)
        .unwrap();
    sandbox
        .set_code(Address::repeat_byte(0x45), artifact("MuteDelegate").runtime)
        .unwrap();
    let ours = sandbox.chain().code(PERMIT2).await.unwrap();
    let (mut good, mut refusals) = (0, std::collections::BTreeSet::new());
    for (at, payment) in odd_payments(&sandbox).iter().enumerate() {
        sandbox.set_code(PERMIT2, ours.clone()).unwrap();
        let mine = answer(&sandbox, payment).await;
        sandbox.set_code(PERMIT2, published()).unwrap();
        let theirs = answer(&sandbox, payment).await;
        assert_eq!(mine, theirs, "payment {at}");
        match mine {
            Ok(_) => good += 1,
            Err(data) => drop(refusals.insert(data)),
        }
    }
    assert_eq!(
        good, 4,
        "65 bytes, 64 bytes, the last second, and no token at all"
    );
    assert!(refusals.len() >= 8, "{refusals:?}");
}
