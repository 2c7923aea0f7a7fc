//! The recorded verdicts of the reference facilitator, against ours over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests may fail loudly"
)]

#[path = "facilitator_support/server.rs"]
mod server;
#[path = "../../x402-runtime/tests/evm_support/support.rs"]
mod support;
#[path = "../../x402-runtime/tests/evm_support/vectors.rs"]
mod vectors;

use std::sync::Arc;

use server::{Reply, Server, Setup};
use vectors::{Difference, replay};
use x402_model::wire::{SettleResponse, SupportedResponse, VerifyResponse};
use x402_runtime::facilitator::{
    BoxFuture, Facilitator, FacilitatorError, FacilitatorRequest, SettleOutcome,
};
use x402_runtime::sandbox::Sandbox;

/// A server as any client sees it: what it says, taken literally.
struct Literal(Server);

fn read<T: serde::de::DeserializeOwned>(reply: Reply) -> T {
    // The reference throws where this answers 400; both refuse.
    assert!(matches!(reply.status, 200 | 400), "{reply:?}");
    let text = reply.json.to_string();
    serde_json::from_value(reply.json).unwrap_or_else(|error| panic!("{error}: {text}"))
}

impl Facilitator for Literal {
    fn supported(&self) -> BoxFuture<'_, Result<SupportedResponse, FacilitatorError>> {
        Box::pin(async { Ok(read(self.0.get("supported").await)) })
    }

    fn verify<'a>(
        &'a self,
        request: &'a FacilitatorRequest,
    ) -> BoxFuture<'a, Result<VerifyResponse, FacilitatorError>> {
        Box::pin(async { Ok(read(self.0.verify(request).await)) })
    }

    fn settle<'a>(&'a self, request: &'a FacilitatorRequest) -> BoxFuture<'a, SettleOutcome> {
        Box::pin(async {
            let response: SettleResponse = read(self.0.settle(request).await);
            if response.is_settled() {
                SettleOutcome::Settled(response)
            } else {
                SettleOutcome::Refused(response)
            }
        })
    }
}

async fn over_http(sandbox: Sandbox) -> Arc<dyn Facilitator> {
    let mut setup = Setup::on(&sandbox);
    // The recordings ask about other contracts too.
    setup.config.allowed_assets = Vec::new();
    Arc::new(Literal(setup.start().await))
}

#[tokio::test]
async fn every_recorded_verdict_is_ours_over_http() {
    let differences = replay("facilitator_exact_eip3009.json", over_http).await;
    assert!(
        !differences.contains(&Difference::CodeInsteadOfText),
        "{differences:?}"
    );
    assert!(
        !differences.contains(&Difference::RepeatedSettleIsSuccess),
        "a caller without a key hears of one success: {differences:?}"
    );
}

#[tokio::test]
async fn every_recorded_verdict_on_version_1_is_ours_over_http() {
    replay("facilitator_v1.json", over_http).await;
}

#[tokio::test]
async fn every_recorded_verdict_on_permit2_is_ours_over_http() {
    let differences = replay("facilitator_exact_permit2.json", over_http).await;
    assert!(
        !differences.contains(&Difference::RepeatedSettleIsSuccess),
        "a caller without a key hears of one success: {differences:?}"
    );
    replay("facilitator_upto.json", over_http).await;
}
