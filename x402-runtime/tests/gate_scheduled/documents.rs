//! What manifest, views and warnings say of prices that will change.

use std::sync::Arc;

use alloy_primitives::{Address, B256, keccak256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SecretKey};
use serde_json::{Value, json};
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::manifest::{ManifestSigner, Service, SigningFailed};
use x402_runtime::model::evm::{EcdsaParts, Signature};
use x402_runtime::model::manifest::{Document, WELL_KNOWN_PATH};
use x402_runtime::{Network, Paywall, PaywallBuilder, Rail, paid};

use crate::common::{NOW, PAY_TO, Stand};
use crate::{SWITCH, news, stand_at, weather};

fn service() -> Service {
    Service::new("com.example.kit", "Kit", "1.2.0").issued(7, "2026-09-20T09:00:00Z")
}

/// Signs with a key of the test's, for a service that declares it.
struct Signer;

fn key() -> SecretKey {
    SecretKey::from_secret_bytes([0x46; 32]).unwrap()
}

fn account() -> Address {
    let point = key().public_key().serialize_uncompressed();
    Address::from_word(keccak256(&point[1..]))
}

impl ManifestSigner for Signer {
    fn address(&self) -> Address {
        account()
    }

    fn sign(&self, digest: B256) -> Result<Signature, SigningFailed> {
        let message = Message::from_digest(digest.0);
        let signed = RecoverableSignature::sign_ecdsa_recoverable(message, &key());
        let (id, compact) = signed.serialize_compact();
        Ok(Signature::from_parts(&EcdsaParts {
            r: B256::from_slice(&compact[..32]),
            s: B256::from_slice(&compact[32..]),
            y_parity: id.to_u8() == 1,
        }))
    }
}

fn recover(digest: B256, parts: &EcdsaParts) -> Option<Address> {
    let compact = [parts.r.0, parts.s.0].concat();
    let id = if parts.y_parity {
        RecoveryId::One
    } else {
        RecoveryId::Zero
    };
    let signature = RecoverableSignature::from_compact(&compact, id).ok()?;
    let key = signature.recover(Message::from_digest(digest.0)).ok()?;
    Some(Address::from_word(keccak256(
        &key.serialize_uncompressed()[1..],
    )))
}

async fn read(stand: &Stand) -> (Document, String) {
    let answer = stand.get(WELL_KNOWN_PATH, None).await;
    let etag = answer.header("etag").unwrap().to_owned();
    (Document::read(&answer.body).unwrap(), etag)
}

fn scheduled(document: &Document) -> Value {
    let mut endpoints = document.manifest().endpoints.iter();
    let weather = endpoints.find(|one| one.id == "weather").unwrap();
    json!([weather.price.bounds.max, weather.scheduled])
}

#[tokio::test]
async fn the_manifest_announces_the_price_and_then_has_it() {
    let signed = |builder: PaywallBuilder<_>| {
        let service = service().signer(account().to_string());
        builder.service(service).sign_manifest(Signer)
    };
    let stand = stand_at(NOW, Arc::new(MemoryLedger::default()), signed).await;
    let (before, etag) = read(&stand).await;
    let later = json!({
        "effectiveFrom": "2026-10-21T00:00:00Z",
        "announcedAt": "2026-09-01T00:00:00Z",
        "class": "price-increase",
        "price": {"model": "flat", "amount": "0.03", "bounds": {"min": "0.03", "max": "0.03"}},
    });
    let next = json!({
        "effectiveFrom": "2026-09-21T14:15:00Z",
        "announcedAt": "2026-09-01T00:00:00Z",
        "class": "price-increase",
        "reason": "Data costs more",
        "price": {"model": "flat", "amount": "0.02", "bounds": {"min": "0.02", "max": "0.02"}},
    });
    assert_eq!(scheduled(&before), json!(["0.01", [next, later]]));
    assert!(before.signed_by(NOW, recover).is_ok());
    stand.clock.set_ms(SWITCH * 1000);
    let (after, new_etag) = read(&stand).await;
    assert_eq!(scheduled(&after), json!(["0.02", [later]]));
    assert_ne!(etag, new_etag);
    // It is another content of the same release: of the time at which the price changed, and signed as such.
    let of = |document: &Document| {
        let service = &document.manifest().service;
        (service.revision, service.issued_at.clone())
    };
    assert_eq!(of(&before), (7, "2026-09-20T09:00:00Z".to_owned()));
    assert_eq!(of(&after), (7, "2026-09-21T14:15:00Z".to_owned()));
    let (signer, statement) = after.signed_by(SWITCH, recover).unwrap();
    assert_eq!((signer, statement.issued_at), (account(), SWITCH));
    assert_eq!(
        stand.paywall.manifest().bytes(),
        &stand.get(WELL_KNOWN_PATH, None).await.body
    );
    // The views go with it.
    let openapi = stand.get("/openapi.json", None).await.json();
    let weather = &openapi["paths"]["/weather"]["get"];
    assert_eq!(weather["x-payment-info"]["price"]["amount"], "0.02");
    assert_eq!(
        openapi["x-x402-manifest"]["contentHash"],
        after.content_hash_text()
    );
    stand.clock.set_ms((SWITCH - 1) * 1000);
    assert_eq!(read(&stand).await.1, etag);
    let openapi = stand.get("/openapi.json", None).await.json();
    let weather = &openapi["paths"]["/weather"]["get"];
    assert_eq!(weather["x-payment-info"]["price"]["amount"], "0.01");
    assert_eq!(
        weather["x-x402-price"]["scheduled"][0]["reason"],
        "Data costs more"
    );
}

fn offline(now: u64) -> PaywallBuilder<()> {
    Paywall::builder()
        .origin("https://api.example.com")
        .pay_to(PAY_TO)
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .clock(ManualClock::at_seconds(now))
        .mount(weather)
        .mount(news)
}

#[test]
fn the_same_release_has_the_same_manifest_whenever_it_is_asked() {
    let at = |now| offline(now).service(service()).manifest().unwrap();
    assert_eq!(at(NOW).bytes(), at(SWITCH + 1_000_000).bytes());
    // Without a time of issue it is that of now.
    let max = |now| {
        let published = offline(now).manifest().unwrap();
        published.manifest().endpoints[0]
            .price
            .bounds
            .max
            .to_string()
    };
    assert_eq!((&*max(NOW), &*max(SWITCH)), ("0.01", "0.02"));
}

/// Rises without a word.
#[paid(GET "/sudden", price = "0.01 USDC", scheduled = [price("0.02 USDC", from = "2026-09-25")])]
async fn sudden() {}

/// Falls without a word.
#[paid(GET "/cheap", price = "0.02 USDC", scheduled = [price("0.01 USDC", from = "2026-09-22")])]
async fn cheap() {}

/// Rose before anybody asks.
#[paid(GET "/past", price = "0.01 USDC", scheduled = [price("0.02 USDC", from = "2026-09-20")])]
async fn past() {}

#[tokio::test]
async fn a_rise_without_notice_is_warned_of() {
    let of = |issued: Option<&'static str>| async move {
        let ledger = Arc::new(MemoryLedger::default());
        let stand = stand_at(NOW, ledger, |builder| {
            let builder = builder.mount(sudden).mount(cheap).mount(past);
            match issued {
                Some(at) => builder.service(Service::new("a.b", "B", "1.0.0").issued(2, at)),
                None => builder,
            }
        })
        .await;
        let warnings = stand.paywall.warnings().iter();
        warnings
            .map(|one| (one.code(), one.to_string()))
            .collect::<Vec<_>>()
    };
    let warnings = of(None).await;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let (code, text) = &warnings[0];
    assert_eq!(*code, "price_soon");
    assert!(
        text.contains("`sudden` changes at 2026-09-25T00:00:00Z, 3 days"),
        "{text}"
    );
    // A manifest of a week ago told it.
    assert_eq!(of(Some("2026-09-18T00:00:00Z")).await, []);
    assert_eq!(of(Some("2026-09-19T00:00:00Z")).await.len(), 1);
}

#[tokio::test]
async fn a_price_that_rose_before_the_start_is_the_price() {
    let ledger = Arc::new(MemoryLedger::default());
    let stand = stand_at(NOW, ledger, |builder| builder.mount(past)).await;
    assert_eq!(crate::price(&stand, "/past").await, "20000");
    let (document, _) = read(&stand).await;
    let endpoints = &document.manifest().endpoints;
    let past = endpoints.iter().find(|one| one.id == "past").unwrap();
    assert!(past.scheduled.is_empty());
    assert_eq!(past.price.bounds.max.to_string(), "0.02");
}
