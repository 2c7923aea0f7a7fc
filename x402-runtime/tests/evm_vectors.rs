//! The recorded verdicts of the reference facilitator, against ours over the sandbox.
#![cfg(feature = "sandbox")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "evm_support/support.rs"]
mod support;
#[path = "evm_support/vectors.rs"]
mod vectors;

use std::sync::Arc;

use vectors::{Difference, replay};
use x402_runtime::facilitator::Facilitator;
use x402_runtime::sandbox::Sandbox;

async fn in_process(sandbox: Sandbox) -> Arc<dyn Facilitator> {
    sandbox.facilitator()
}

#[tokio::test]
async fn every_recorded_verdict_is_ours_too() {
    let differences = replay("facilitator_exact_eip3009.json", in_process).await;
    assert!(
        !differences.contains(&Difference::CodeInsteadOfText),
        "{differences:?}"
    );
}

#[tokio::test]
async fn every_recorded_verdict_on_version_1_is_ours_too() {
    replay("facilitator_v1.json", in_process).await;
}

#[tokio::test]
async fn every_recorded_verdict_on_permit2_is_ours_too() {
    let differences = replay("facilitator_exact_permit2.json", in_process).await;
    assert!(
        differences.contains(&Difference::RepeatedSettleIsSuccess),
        "{differences:?}"
    );
}

#[tokio::test]
async fn every_recorded_verdict_on_upto_is_ours_too() {
    replay("facilitator_upto.json", in_process).await;
}
