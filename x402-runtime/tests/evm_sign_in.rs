//! Contract wallets sign in through their chain (ERC-1271).
#![cfg(feature = "sandbox")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail loudly"
)]

#[path = "evm_support/calls.rs"]
mod calls;
#[path = "evm_support/support.rs"]
mod support;

use std::sync::Arc;

use alloy_primitives::{Address, hex};
use alloy_signer::SignerSync;
use serde_json::json;
use x402_model::asset::checksum;
use x402_model::extension::siwx::{Challenge, KEY, personal_hash};
use x402_model::extension::{SignIn, SiwxError};
use x402_runtime::Siwx;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::sandbox::Sandbox;
use x402_runtime::siwx::{SignedIn, SiwxRefusal};

use support::sandbox;

fn siwx(sandbox: &Sandbox, chain: &str) -> Siwx {
    let ledger = Arc::new(MemoryLedger::new());
    let facilitator = sandbox.facilitator();
    Siwx::new(
        "https://api.example.com",
        &[chain],
        sandbox.clock(),
        ledger,
        facilitator,
    )
    .unwrap()
}

/// A header for `account`, signed by the sandbox's payer.
fn header(siwx: &Siwx, sandbox: &Sandbox, account: Address) -> String {
    let declared = json!({ KEY: siwx.challenge("/") });
    let challenge = Challenge::read(declared.as_object()).unwrap();
    let message = challenge
        .message(&challenge.supported_chains[0], &checksum(account))
        .unwrap();
    let hash = personal_hash(&message.text().unwrap());
    let signature = sandbox.payer_signer().sign_hash_sync(&hash).unwrap();
    let sign_in = SignIn {
        message,
        signature: hex::encode_prefixed(signature.as_bytes()),
        signature_scheme: None,
    };
    sign_in.to_header().unwrap()
}

#[tokio::test]
async fn g16_a_contract_wallet_signs_in_through_its_owner_and_nobody_else() {
    let (sandbox, _) = sandbox();
    let siwx = siwx(&sandbox, "eip155:84532");
    let own = calls::wallet(&sandbox, sandbox.payer());
    let others = calls::wallet(&sandbox, sandbox.seller());
    let verify = async |account| {
        siwx.verify(header(&siwx, &sandbox, account).as_bytes())
            .await
    };
    assert_eq!(verify(own).await, Ok(SignedIn::Evm(own)));
    let refused = Err(SiwxRefusal::Invalid(SiwxError::Signature));
    assert_eq!(verify(others).await, refused);
    assert_eq!(
        verify(sandbox.seller()).await,
        refused,
        "an account without code"
    );
    assert_eq!(
        verify(sandbox.payer()).await,
        Ok(SignedIn::Evm(sandbox.payer()))
    );
    // A chain that does not answer is no proof.
    sandbox.set_unreachable(true);
    assert_eq!(
        verify(own).await,
        Err(SiwxRefusal::Invalid(SiwxError::Verifier))
    );
    assert_eq!(
        verify(sandbox.payer()).await,
        Ok(SignedIn::Evm(sandbox.payer())),
        "needs no chain"
    );
}

#[tokio::test]
async fn a_wallet_on_a_chain_that_is_not_ours_is_not_believed() {
    let (sandbox, _) = sandbox();
    let siwx = siwx(&sandbox, "eip155:1");
    let wallet = calls::wallet(&sandbox, sandbox.payer());
    let refused = siwx
        .verify(header(&siwx, &sandbox, wallet).as_bytes())
        .await;
    assert_eq!(refused, Err(SiwxRefusal::Invalid(SiwxError::Signature)));
}
