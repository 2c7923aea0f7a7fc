//! Calls that are given away: to whom, how many, and what becomes of those that fail.
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
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use common::shop::{builder, send};
use common::{Buyer, Double, NOW, Shop, Stand};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::{Ledger, MemoryLedger, SqliteLedger};
use x402_runtime::model::asset::checksum;
use x402_runtime::model::extension::siwx::{Challenge, personal_hash};
use x402_runtime::model::extension::{SignIn, siwx};
use x402_runtime::paid;

/// A sample of what is sold.
#[paid(GET "/sample", price = "0.01 USDC", free = "3/day per payer")]
async fn sample(State(shop): State<Shop>) -> &'static str {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    "sample"
}

/// A sample that ends as it is told to.
#[paid(GET "/moody/{how}", price = "0.01 USDC", free = "1/day per payer")]
async fn moody(Path(how): Path<String>) -> StatusCode {
    match how.as_str() {
        "panic" => panic!("CANARY"),
        "hang" => std::future::pending().await,
        status => status.parse().unwrap(),
    }
}

async fn stand(ledger: Arc<dyn Ledger>) -> Stand {
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    let builder = builder(&double, &clock, ledger)
        .handler_timeout(std::time::Duration::from_millis(500))
        .mount(sample)
        .mount(moody);
    Stand::of(builder, double, clock).await
}

async fn open() -> Stand {
    stand(Arc::new(MemoryLedger::default())).await
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

#[tokio::test]
async fn who_signs_in_gets_what_is_free_and_then_the_terms() {
    let stand = open().await;
    for left in [2, 1, 0] {
        let header = sign_in(&stand, "/sample", 7).await;
        let answer = stand.send(with("/sample", &header)).await;
        assert_eq!(
            (answer.status, &*answer.body),
            (200, b"sample".as_slice()),
            "{left}"
        );
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        assert!(answer.settlement().is_none());
    }
    let header = sign_in(&stand, "/sample", 7).await;
    let answer = stand.send(with("/sample", &header)).await;
    assert_eq!(answer.brief(), (402, "payment_required".to_owned()));
    assert!(answer.terms().extensions.unwrap().contains_key(siwx::KEY));
    // Somebody else has calls of his own, and a day later there are new ones.
    let other = sign_in(&stand, "/sample", 8).await;
    assert_eq!(stand.send(with("/sample", &other)).await.status, 200);
    stand.clock.advance_ms(24 * 3_600_000);
    let header = sign_in(&stand, "/sample", 7).await;
    assert_eq!(stand.send(with("/sample", &header)).await.status, 200);
    assert_eq!((stand.runs(), stand.double.settles()), (5, 0));
}

#[tokio::test]
async fn whoever_is_not_known_pays() {
    let stand = open().await;
    let header = sign_in(&stand, "/sample", 7).await;
    assert_eq!(stand.send(with("/sample", &header)).await.status, 200);
    let late = sign_in(&stand, "/sample", 7).await;
    let changed = header.replace(&header[40..44], "AAAA");
    for wrong in [header.as_str(), changed.as_str(), "", "e30=", "x"] {
        let answer = stand.send(with("/sample", wrong)).await;
        assert_eq!(
            answer.brief(),
            (402, "payment_required".to_owned()),
            "{wrong}"
        );
    }
    stand.clock.advance_ms(301_000);
    let answer = stand.send(with("/sample", &late)).await;
    assert_eq!(answer.brief(), (402, "payment_required".to_owned()));
    // A sign-in for another seller is none here.
    assert_eq!(stand.runs(), 1);
    // Paying needs no sign-in, and echoing the challenge does not hurt.
    let terms = stand.terms("GET", "/sample").await;
    let mut payment = Buyer::new(7).payment(&terms, stand.now(), &common::Change::default());
    payment["extensions"] = serde_json::to_value(&terms.extensions).unwrap();
    let payment = common::buyer::encode(&payment);
    assert_eq!(stand.get("/sample", Some(&payment)).await.status, 200);
    assert_eq!(stand.double.settles(), 1);
}

#[tokio::test]
async fn what_fails_is_not_counted() {
    let stand = open().await;
    for (path, status) in [
        ("/moody/500", 500),
        ("/moody/404", 404),
        ("/moody/panic", 500),
        ("/moody/hang", 504),
        ("/moody/200", 200),
        ("/moody/200", 402),
    ] {
        let header = sign_in(&stand, "/moody/200", 7).await;
        let answer = stand.send(with(path, &header)).await;
        assert_eq!(answer.status, status, "{path}");
        answer.assert_no_canary();
    }
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
