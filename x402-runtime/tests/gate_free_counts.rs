//! Calls that are given away are counted exactly: with many at once, and across a restart.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use alloy_primitives::{Address, hex, keccak256};
use axum::extract::State;
use axum::http::Request;
use common::shop::{builder, send};
use common::{Double, NOW, Shop, Stand};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::{Ledger, SqliteLedger};
use x402_runtime::model::asset::checksum;
use x402_runtime::model::extension::SignIn;
use x402_runtime::model::extension::siwx::{Challenge, personal_hash};
use x402_runtime::paid;

/// A sample of what is sold.
#[paid(GET "/sample", price = "0.01 USDC", free = "3/day per payer")]
async fn sample(State(shop): State<Shop>) -> &'static str {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    "sample"
}

async fn stand(ledger: Arc<dyn Ledger>) -> Stand {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    let builder = builder(&double, &clock, ledger).mount(sample);
    Stand::of(builder, double, clock).await
}

/// A `SIGN-IN-WITH-X` header for a challenge of this path.
async fn sign_in(stand: &Stand, path: &str, seed: u8) -> String {
    let terms = stand.terms("GET", path).await;
    let challenge = Challenge::read(terms.extensions.as_ref()).unwrap();
    let key = SecretKey::from_secret_bytes([seed; 32]).unwrap();
    let point = key.public_key().serialize_uncompressed();
    let address = checksum(Address::from_word(keccak256(&point[1..])));
    let message = challenge
        .message(&challenge.supported_chains[0], &address)
        .unwrap();
    let hash = personal_hash(&message.text().unwrap());
    let signed = RecoverableSignature::sign_ecdsa_recoverable(Message::from_digest(hash.0), &key);
    let (id, compact) = signed.serialize_compact();
    let sign_in = SignIn {
        message,
        signature: format!("0x{}{:02x}", hex::encode(compact), 27 + id.to_u8()),
        signature_scheme: None,
    };
    sign_in.to_header().unwrap()
}

fn with(path: &str, header: &str) -> Request<axum::body::Body> {
    let request = Request::get(path).header("SIGN-IN-WITH-X", header);
    request.body(axum::body::Body::empty()).unwrap()
}

/// T5: exact with many at once, and across a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn free_calls_are_exact_under_256_at_once_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.sqlite");
    for round in [3, 0] {
        let stand = stand(Arc::new(SqliteLedger::open(&path).unwrap())).await;
        let mut calls = Vec::new();
        for _ in 0..256 {
            let header = sign_in(&stand, "/sample", 7).await;
            let app = stand.app.clone();
            calls.push(tokio::spawn(async move {
                send(&app, with("/sample", &header)).await.status
            }));
        }
        let mut served = 0;
        for call in calls {
            served += usize::from(call.await.unwrap() == 200);
        }
        assert_eq!((served, stand.runs()), (round, round));
        assert!(stand.paywall.shutdown().await);
    }
}
