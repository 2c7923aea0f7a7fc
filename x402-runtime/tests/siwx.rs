//! Signing in, and the free calls that it gives.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test fails by panicking, and a table is as long as it is"
)]

#[path = "common/all.rs"]
mod common;

use std::net::IpAddr;
use std::sync::Arc;

use alloy_primitives::{Address, B256, hex, keccak256};
use axum::http::{HeaderMap, HeaderValue};
use common::{Double, NOW};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};
use serde_json::{Value, json};
use x402_runtime::Siwx;
use x402_runtime::allowance::{Allowances, Declined};
use x402_runtime::clock::{Clock, ManualClock};
use x402_runtime::facilitator::Facilitator;
use x402_runtime::ledger::{Ledger, LedgerError, MemoryLedger};
use x402_runtime::model::asset::checksum;
use x402_runtime::model::extension::siwx::{Challenge, KEY, personal_hash};
use x402_runtime::model::extension::{SignIn, SignInMessage, SiwxError};
use x402_runtime::model::price::{Allowance, AllowanceKind, Identify, Scope};
use x402_runtime::model::wire::headers::encode;
use x402_runtime::siwx::{SignedIn, SiwxRefusal, SiwxSetupError};

const ORIGIN: &str = "https://api.example.com";
const CHAINS: [&str; 2] = ["eip155:84532", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"];

struct Desk {
    siwx: Siwx,
    clock: Arc<ManualClock>,
    ledger: Arc<MemoryLedger>,
}

fn siwx(clock: &Arc<ManualClock>, ledger: &Arc<MemoryLedger>) -> Siwx {
    let facilitator: Arc<dyn Facilitator> = Arc::new(Double::default());
    let chains = if cfg!(feature = "http") {
        &CHAINS[..]
    } else {
        &CHAINS[..1]
    };
    let (clock, ledger): (Arc<dyn Clock>, Arc<dyn Ledger>) = (clock.clone(), ledger.clone());
    Siwx::new(ORIGIN, chains, clock, ledger, facilitator).unwrap()
}

fn desk() -> Desk {
    let clock = Arc::new(ManualClock::at_seconds(NOW));
    let ledger = Arc::new(MemoryLedger::new());
    Desk {
        siwx: siwx(&clock, &ledger),
        clock,
        ledger,
    }
}

struct Key(SecretKey, Address);

impl Key {
    fn new(seed: u8) -> Self {
        let key = SecretKey::from_secret_bytes([seed; 32]).unwrap();
        let point = key.public_key().serialize_uncompressed();
        Self(key, Address::from_word(keccak256(&point[1..])))
    }

    fn sign(&self, hash: B256) -> String {
        let message = Message::from_digest(hash.0);
        let (id, compact) =
            RecoverableSignature::sign_ecdsa_recoverable(message, &self.0).serialize_compact();
        format!("0x{}{:02x}", hex::encode(compact), 27 + id.to_u8())
    }

    fn header(&self, message: SignInMessage) -> String {
        let signature = self.sign(personal_hash(&message.text().unwrap()));
        let sign_in = SignIn {
            message,
            signature,
            signature_scheme: None,
        };
        sign_in.to_header().unwrap()
    }
}

impl Desk {
    fn message(&self, key: &Key) -> SignInMessage {
        let declared = json!({ KEY: self.siwx.challenge("/premium?x=1") });
        let challenge = Challenge::read(declared.as_object()).unwrap();
        let chain = &challenge.supported_chains[0];
        challenge.message(chain, &checksum(key.1)).unwrap()
    }

    async fn verify(&self, header: &str) -> Result<SignedIn, SiwxRefusal> {
        self.siwx.verify(header.as_bytes()).await
    }
}

fn refused(error: SiwxError) -> Result<SignedIn, SiwxRefusal> {
    Err(SiwxRefusal::Invalid(error))
}

/// Where the verifier decides otherwise than the reference, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "solana",
        "a build without the feature `http` has no Ed25519 and refuses to be set up for such chains",
    ),
    (
        "an undeclared chain",
        "the reference takes any chain of a namespace it knows; ours those that it declared, with invalid_siwx_chain_id",
    ),
    (
        "a used nonce with a bad signature",
        "the reference looks at the nonce first; ours last, so that strangers can neither use up nonces nor fill the store",
    ),
];

/// The recorded checks of the reference package, through signature and nonce.
#[tokio::test]
async fn every_recorded_check() {
    assert!(
        DIFFERENCES
            .iter()
            .all(|(rule, why)| !rule.is_empty() && !why.is_empty())
    );
    let file: Value =
        serde_json::from_str(include_str!("../../x402-model/tests/data/siwx.json")).unwrap();
    let mut count = 0;
    for case in file["cases"].as_array().unwrap() {
        let (name, payload) = (&case["name"], &case["input"]["payload"]);
        let solana = payload["type"] == "ed25519";
        if payload.is_null() || (solana && cfg!(not(feature = "http"))) {
            continue;
        }
        let desk = desk();
        let ours = desk.verify(&encode(payload).unwrap()).await;
        let expected = &case["expected"];
        match (&ours, expected["invalidReason"].as_str()) {
            (Ok(account), None) => assert_eq!(
                account.to_string(),
                expected["payer"].as_str().unwrap(),
                "{name}"
            ),
            (Err(SiwxRefusal::Unreadable), None) => {
                assert!(expected["parseError"].is_string(), "{name}")
            }
            (Err(refusal), Some(code)) => assert_eq!(refusal.code(), code, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        count += 1;
    }
    assert!(count >= 10, "{count} cases");
}

#[tokio::test]
async fn a_signed_challenge_lets_its_signer_in_once() {
    let desk = desk();
    let key = Key::new(7);
    let header = key.header(desk.message(&key));
    assert_eq!(desk.verify(&header).await, Ok(SignedIn::Evm(key.1)));
    assert_eq!(desk.verify(&header).await, refused(SiwxError::Nonce));
    // Not after a restart, nor in another process: the ledger knows.
    let again = siwx(&desk.clock, &desk.ledger);
    assert_eq!(
        again.verify(header.as_bytes()).await,
        refused(SiwxError::Nonce)
    );
    // And not later either: it is too old when its nonce is forgotten.
    desk.clock.advance_ms(300_001);
    desk.ledger
        .accounts()
        .sweep(desk.clock.now_ms(), 0, 99)
        .await
        .unwrap();
    assert_eq!(desk.verify(&header).await, refused(SiwxError::TooOld));
}

#[tokio::test]
async fn a_message_counts_for_its_time_only() {
    let key = Key::new(7);
    for (ms, wanted) in [
        (299_999, Ok(SignedIn::Evm(key.1))),
        // Its own end comes with the last millisecond of its age.
        (300_000, refused(SiwxError::Expired)),
        (300_001, refused(SiwxError::TooOld)),
    ] {
        let desk = desk();
        let header = key.header(desk.message(&key));
        desk.clock.advance_ms(ms);
        assert_eq!(desk.verify(&header).await, wanted, "{ms}");
    }
    let desk = desk();
    let header = key.header(desk.message(&key));
    desk.clock.set_ms(NOW * 1000 - 1);
    assert_eq!(desk.verify(&header).await, refused(SiwxError::InFuture));
}

/// Strangers cannot use up the nonces of others, nor fill the store.
#[tokio::test]
async fn nothing_is_noted_for_what_is_not_signed() {
    let desk = desk();
    let (owner, stranger) = (Key::new(7), Key::new(8));
    let message = desk.message(&owner);
    let forged = stranger.header(message.clone());
    for _ in 0..3 {
        assert_eq!(desk.verify(&forged).await, refused(SiwxError::Signature));
    }
    // The same nonce, honestly signed by the stranger for himself.
    let own = SignInMessage {
        address: checksum(stranger.1),
        ..message.clone()
    };
    assert_eq!(
        desk.verify(&stranger.header(own)).await,
        Ok(SignedIn::Evm(stranger.1))
    );
    assert_eq!(
        desk.verify(&owner.header(message)).await,
        Ok(SignedIn::Evm(owner.1))
    );
    let noted = desk.ledger.accounts().sweep(u64::MAX, 0, 99).await.unwrap();
    assert_eq!(noted, 2);
}

#[tokio::test]
async fn chains_that_were_not_declared_and_headers_that_are_none_are_refused() {
    let desk = desk();
    let key = Key::new(7);
    let other_chain = SignInMessage {
        chain_id: "eip155:1".to_owned(),
        ..desk.message(&key)
    };
    assert_eq!(
        desk.verify(&key.header(other_chain)).await,
        refused(SiwxError::ChainId)
    );
    for header in ["", "?", "e30=", &"A".repeat(17_000)] {
        assert_eq!(desk.verify(header).await, Err(SiwxRefusal::Unreadable));
    }
    // What only a contract could have signed cannot be checked without a chain.
    let sign_in = SignIn {
        message: desk.message(&key),
        signature: "0x1234".to_owned(),
        signature_scheme: None,
    };
    assert_eq!(
        desk.verify(&sign_in.to_header().unwrap()).await,
        refused(SiwxError::Verifier)
    );
}

/// Keys of small order have signatures that nobody made.
#[cfg(feature = "http")]
#[tokio::test]
async fn nobody_signs_in_with_a_solana_key_of_small_order() {
    let desk = desk();
    for key in [[0_u8; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let mut message = desk.message(&Key::new(7));
        message.address = x402_runtime::model::extension::base58::encode(&key);
        message.chain_id = CHAINS[1].to_owned();
        message.kind = x402_runtime::model::extension::siwx::SignatureType::Ed25519;
        let mut signature = [0; 64];
        signature[0] = 1;
        let sign_in = SignIn {
            message,
            signature: x402_runtime::model::extension::base58::encode(&signature),
            signature_scheme: None,
        };
        assert_eq!(
            desk.verify(&sign_in.to_header().unwrap()).await,
            refused(SiwxError::Signature)
        );
    }
}

#[test]
fn a_verifier_for_what_is_no_origin_or_chain_is_not_set_up() {
    let make = |origin: &str, chain: &str| {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at_seconds(NOW));
        let (ledger, facilitator) = (Arc::new(MemoryLedger::new()), Arc::new(Double::default()));
        Siwx::new(origin, &[chain], clock, ledger, facilitator).err()
    };
    let origin = "https://API.example.com/".to_owned();
    assert_eq!(
        make(&origin, CHAINS[0]),
        Some(SiwxSetupError::Origin(origin))
    );
    assert_eq!(
        make(ORIGIN, "cosmos:hub"),
        Some(SiwxSetupError::Chain("cosmos:hub".to_owned()))
    );
    let solana = cfg!(not(feature = "http")).then(|| SiwxSetupError::Chain(CHAINS[1].to_owned()));
    assert_eq!(make(ORIGIN, CHAINS[1]), solana);
}

#[test]
fn challenges_have_nonces_of_their_own() {
    let desk = desk();
    let nonces: std::collections::HashSet<String> = (0..1_000)
        .map(|_| desk.siwx.challenge("/")["info"]["nonce"].to_string())
        .collect();
    assert_eq!(nonces.len(), 1_000);
}

fn allowance(scope: Scope, identify: Identify, calls: u64) -> Allowance {
    Allowance {
        kind: AllowanceKind::FreeQuota {
            window_seconds: 86_400,
        },
        scope,
        calls,
        identify,
    }
}

fn with(header: &str) -> HeaderMap {
    HeaderMap::from_iter([(
        axum::http::HeaderName::from_static("sign-in-with-x"),
        HeaderValue::from_str(header).unwrap(),
    )])
}

#[tokio::test]
async fn free_calls_last_as_long_as_there_are_any_and_come_back() {
    let desk = desk();
    let two = allowance(Scope::Payer, Identify::SignInWithX, 2);
    let allowances = Allowances::new(desk.ledger.clone(), desk.clock.clone())
        .with_sign_in(siwx(&desk.clock, &desk.ledger));
    let (a, b) = (Key::new(7), Key::new(8));
    let call = async |key: &Key, endpoint: &str| {
        let header = key.header(desk.message(key));
        let taken = allowances.take(endpoint, &two, &with(&header), None).await;
        taken.map_err(|declined| declined.code())
    };
    let first = call(&a, "weather").await.unwrap();
    assert_eq!(
        (first.left(), first.caller()),
        (1, Some(checksum(a.1).as_str()))
    );
    assert_eq!(call(&a, "weather").await.unwrap().left(), 0);
    assert_eq!(call(&a, "weather").await, Err("free_calls_exhausted"));
    assert_eq!(
        call(&a, "news").await.unwrap().left(),
        1,
        "another endpoint"
    );
    assert_eq!(
        call(&b, "weather").await.unwrap().left(),
        1,
        "another payer"
    );
    allowances.give_back(first).await;
    assert_eq!(
        call(&a, "weather").await.unwrap().left(),
        0,
        "one was not served"
    );
    assert_eq!(call(&a, "weather").await, Err("free_calls_exhausted"));
    desk.clock.advance_ms(86_400_000);
    assert_eq!(call(&a, "weather").await.unwrap().left(), 1, "the next day");
}

#[tokio::test]
async fn whoever_is_not_known_has_no_free_call() {
    let desk = desk();
    let per_payer = allowance(Scope::Payer, Identify::SignInWithX, 9);
    let bare = Allowances::new(desk.ledger.clone(), desk.clock.clone());
    let take =
        async |allowances: &Allowances, allowance: &Allowance, headers: &HeaderMap, client| {
            let taken = allowances.take("weather", allowance, headers, client).await;
            taken
                .map(|free| free.left())
                .map_err(|declined| declined.code())
        };
    let none = HeaderMap::new();
    assert_eq!(
        take(&bare, &per_payer, &none, None).await,
        Err("allowance_unsupported")
    );
    let allowances = Allowances::new(desk.ledger.clone(), desk.clock.clone())
        .with_sign_in(siwx(&desk.clock, &desk.ledger));
    assert_eq!(
        take(&allowances, &per_payer, &none, None).await,
        Err("caller_unknown")
    );
    assert_eq!(
        take(&allowances, &per_payer, &with("?"), None).await,
        Err("siwx_unreadable")
    );
    let key = Key::new(7);
    let mut twice = with(&key.header(desk.message(&key)));
    let second = HeaderValue::from_str(&key.header(desk.message(&key))).unwrap();
    twice.append("sign-in-with-x", second);
    assert_eq!(
        take(&allowances, &per_payer, &twice, None).await,
        Err("siwx_unreadable")
    );
    let by_key = allowance(Scope::Payer, Identify::ApiKey, 9);
    assert_eq!(
        take(&allowances, &by_key, &none, None).await,
        Err("allowance_unsupported")
    );
    let unsigned = allowance(Scope::Payer, Identify::Nothing, 9);
    assert_eq!(
        take(&allowances, &unsigned, &none, None).await,
        Err("caller_unknown")
    );
    let per_client = allowance(Scope::Client, Identify::Nothing, 1);
    assert_eq!(
        take(&allowances, &per_client, &none, None).await,
        Err("caller_unknown")
    );
    let client: IpAddr = "203.0.113.9".parse().unwrap();
    let mapped: IpAddr = "::ffff:203.0.113.9".parse().unwrap();
    assert_eq!(
        take(&allowances, &per_client, &none, Some(client)).await,
        Ok(0)
    );
    assert_eq!(
        take(&allowances, &per_client, &none, Some(mapped)).await,
        Err("free_calls_exhausted")
    );
    let all = allowance(Scope::Global, Identify::Nothing, 1);
    assert_eq!(take(&allowances, &all, &none, None).await, Ok(0));
    assert_eq!(
        take(&allowances, &all, &none, Some(client)).await,
        Err("free_calls_exhausted")
    );
    let full = Allowances::new(
        Arc::new(MemoryLedger::new().with_max_records(0)),
        desk.clock.clone(),
    );
    let declined = full.take("weather", &all, &none, None).await;
    assert_eq!(declined, Err(Declined::Ledger(LedgerError::Full)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a7_of_256_callers_at_once_as_many_are_free_as_there_are_calls() {
    let desk = desk();
    let allowances = Arc::new(Allowances::new(desk.ledger.clone(), desk.clock.clone()));
    let hundred = allowance(Scope::Global, Identify::Nothing, 100);
    let tasks: Vec<_> = (0..256)
        .map(|_| {
            let allowances = Arc::clone(&allowances);
            tokio::spawn(async move {
                allowances
                    .take("weather", &hundred, &HeaderMap::new(), None)
                    .await
                    .is_ok()
            })
        })
        .collect();
    let mut free = 0;
    for task in tasks {
        free += usize::from(task.await.unwrap());
    }
    assert_eq!(free, 100);
}
