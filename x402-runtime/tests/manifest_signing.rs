//! Who signs the manifest that a paywall publishes, and what the signature covers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;
#[path = "common/keys.rs"]
mod keys;

use std::ffi::OsString;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use alloy_primitives::{Address, B256, hex, keccak256};
use common::shop::{Shop, builder};
use common::{Double, NOW, Stand};
use keys::{KEY, account, key_file, recover, signature};
use proptest::prelude::*;
use serde_json::Value;
use x402_runtime::clock::ManualClock;
use x402_runtime::config::PaywallSettings;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::manifest::{ManifestKey, ManifestSigner, Published, Service, SigningFailed};
use x402_runtime::model::evm::Signature;
use x402_runtime::model::manifest::{
    Document, SignatureFault, WELL_KNOWN_PATH, canonical, origin_digest,
};
use x402_runtime::paywall::{Paywall, PaywallBuilder, Rail};
use x402_runtime::{Network, paid};

/// Current weather for a city.
#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather() -> &'static str {
    "rain"
}

/// A signer that counts, and can be made to misbehave.
#[derive(Default)]
struct Counting {
    asked: AtomicUsize,
    fails: bool,
    prefixes: bool,
}

impl ManifestSigner for Counting {
    fn address(&self) -> Address {
        account(KEY)
    }

    fn sign(&self, digest: B256) -> Result<Signature, SigningFailed> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.fails {
            return Err(SigningFailed);
        }
        let digest = if self.prefixes {
            keccak256([b"\x19Ethereum Signed Message:\n32", digest.as_slice()].concat())
        } else {
            digest
        };
        Ok(signature(KEY, digest))
    }
}

fn service() -> Service {
    Service::new("com.example.kit", "Kit", "1.2.0")
        .issued(7, "2026-09-20T09:00:00Z")
        .valid_until("2026-12-20T09:00:00Z")
}

fn seller() -> PaywallBuilder<()> {
    Paywall::builder()
        .origin("https://api.example.com")
        .pay_to(account(KEY).to_string())
        .accept(Rail::new(Network::BASE_SEPOLIA, "USDC"))
        .service(service())
        .mount(weather)
}

fn signed_document(published: &Published) -> Document {
    Document::read(published.bytes()).unwrap()
}

fn codes(builder: &PaywallBuilder<()>) -> Vec<&'static str> {
    builder.manifest().unwrap_err().codes()
}

#[test]
fn m08_the_key_that_is_paid_signs_the_manifest_and_proves_the_origin() {
    let folder = tempfile::tempdir().unwrap();
    let key = ManifestKey::from_file(key_file(&folder, KEY)).unwrap();
    let published = seller().sign_manifest(key).manifest().unwrap();
    let document = signed_document(&published);
    let (signer, statement) = document.signed_by(NOW, recover).unwrap();
    assert_eq!(signer, account(KEY));
    assert!(document.is_payee(signer));
    assert_eq!(
        (
            statement.revision,
            &*statement.service_version,
            &*statement.origin
        ),
        (7, "1.2.0", "https://api.example.com")
    );
    assert_eq!(
        (statement.issued_at, statement.valid_until),
        (1_789_894_800, 1_797_757_200)
    );
    assert_eq!(document.origin_proved_by(recover), Ok(signer));
    // Hash and so the ETag are those of the content, whoever signs it.
    let unsigned = seller().manifest().unwrap();
    assert_eq!(published.content_hash(), unsigned.content_hash());
    assert_eq!(document.states_its_hash(), Some(true));
    // The proof is where indexers look for it.
    let openapi: Value = published
        .views()
        .iter()
        .find(|view| view.path == "openapi.json")
        .map(|view| serde_json::from_slice(&view.bytes).unwrap())
        .unwrap();
    let proof = openapi["x-discovery"]["ownershipProofs"][0]
        .as_str()
        .unwrap();
    let parts = Signature::parse(proof).unwrap().split().unwrap();
    let by = recover(origin_digest("https://api.example.com"), &parts);
    assert_eq!(by, Some(account(KEY)));
}

#[tokio::test]
async fn m08_the_signature_is_made_once_and_not_by_the_request() {
    let signer = Arc::new(Counting::default());
    let (double, clock) = (
        Arc::new(Double::default()),
        Arc::new(ManualClock::at_seconds(NOW)),
    );
    let builder: PaywallBuilder<Shop> = builder(&double, &clock, Arc::new(MemoryLedger::default()))
        .pay_to(account(KEY).to_string())
        .service(service())
        .sign_manifest_arc(signer.clone())
        .mount(weather);
    let stand = Stand::of(builder, double, clock).await;
    for _ in 0..3 {
        let answer = stand.get(WELL_KNOWN_PATH, None).await;
        let document = Document::read(&answer.body).unwrap();
        assert!(document.signed_by(NOW, recover).is_ok());
        let etag = format!("\"{}\"", document.content_hash_text());
        assert_eq!(answer.header("etag"), Some(&*etag));
        stand.get("/openapi.json", None).await;
    }
    // The statement and the proof.
    assert_eq!(signer.asked.load(Ordering::SeqCst), 2);
}

#[test]
fn m08_a_signer_whom_nobody_pays_is_refused_unless_it_is_declared() {
    let other = [0x47; 32];
    let folder = tempfile::tempdir().unwrap();
    let key = || ManifestKey::from_file(key_file(&folder, other)).unwrap();
    let error = seller().sign_manifest(key()).manifest().unwrap_err();
    assert_eq!(error.codes(), ["manifest_signer_unknown"]);
    let text = error.to_string();
    for said in [account(other), account(KEY)] {
        assert!(text.contains(&said.to_string()), "{text}");
    }
    let declared = seller()
        .service(service().signer(account(other).to_string()))
        .sign_manifest(key());
    let document = signed_document(&declared.manifest().unwrap());
    let (signer, _) = document.signed_by(NOW, recover).unwrap();
    assert_eq!(signer, account(other));
    assert!(document.manifest().is_declared(signer) && !document.is_payee(signer));
    // It is not paid, so it does not prove the origin.
    assert_eq!(
        document.origin_proved_by(recover),
        Err(SignatureFault::Missing)
    );
    // A key that was rotated and is not declared any more.
    let rotated = seller()
        .service(service().signer(account([0x48; 32]).to_string()))
        .sign_manifest(key());
    assert_eq!(codes(&rotated), ["manifest_signer_unknown"]);
    let nobody = seller().service(service().signer("0x12"));
    assert_eq!(codes(&nobody), ["manifest_invalid"]);
}

#[test]
fn m08_a_signer_that_does_not_sign_stops_the_start() {
    let with = |signer: Counting| codes(&seller().sign_manifest(signer));
    let fails = Counting {
        fails: true,
        ..Counting::default()
    };
    assert_eq!(with(fails), ["manifest_signer_failed"]);
    let prefixes = Counting {
        prefixes: true,
        ..Counting::default()
    };
    assert_eq!(with(prefixes), ["manifest_signer_other_key"]);
    let odd = Service::new("com.example.kit", "Kit", "1.2.0").issued(7, "yesterday");
    let odd = seller().service(odd).sign_manifest(Counting::default());
    assert_eq!(codes(&odd), ["manifest_invalid"]);
}

#[test]
fn m08_a_published_key_signs_no_manifest_of_real_money() {
    // The first public development account.
    let key = hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    let folder = tempfile::tempdir().unwrap();
    let with = |network| {
        let declared = service().signer(account(key).to_string());
        let builder = Paywall::<()>::builder()
            .origin("https://api.example.com")
            .pay_to(account(KEY).to_string())
            .accept(Rail::new(network, "USDC"))
            .service(declared)
            .mount(weather);
        builder.sign_manifest(ManifestKey::from_file(key_file(&folder, key)).unwrap())
    };
    assert!(with(Network::BASE_SEPOLIA).manifest().is_ok());
    assert_eq!(
        codes(&with(Network::BASE)),
        ["manifest_signer_development_account"]
    );
}

#[test]
fn an_ownership_proof_from_elsewhere_is_checked_and_told() {
    let proof = |key, origin| signature(key, origin_digest(origin)).to_hex();
    let with = |proof: String| seller().service(service().ownership_proof(proof));
    let right = proof(KEY, "https://api.example.com");
    let document = signed_document(&with(right.clone()).manifest().unwrap());
    assert_eq!(document.origin_proved_by(recover), Ok(account(KEY)));
    assert_eq!(
        document.signed_by(NOW, recover).unwrap_err(),
        SignatureFault::Missing
    );
    for wrong in [
        proof([0x47; 32], "https://api.example.com"),
        proof(KEY, "https://api.example.com/"),
        "0x12".to_owned(),
        String::new(),
    ] {
        assert_eq!(codes(&with(wrong)), ["ownership_proof_invalid"]);
    }
    // Beside the signature of a declared signer.
    let other = service().signer(account([0x47; 32]).to_string());
    let folder = tempfile::tempdir().unwrap();
    let both = seller()
        .service(other.ownership_proof(right))
        .sign_manifest(ManifestKey::from_file(key_file(&folder, [0x47; 32])).unwrap());
    let document = signed_document(&both.manifest().unwrap());
    assert_eq!(
        document.signed_by(NOW, recover).unwrap().0,
        account([0x47; 32])
    );
    assert_eq!(document.origin_proved_by(recover), Ok(account(KEY)));
}

#[test]
fn a_program_signs_the_manifest_that_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_file(&folder, KEY);
    let file = folder.path().join("manifest.json");
    let (file, key) = (file.to_str().unwrap(), key.to_str().unwrap());
    let ask = |arguments: &[&str]| {
        let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
        seller().print_manifest_if_asked(arguments)
    };
    for arguments in [
        ["seller", "--manifest", file, "--manifest-key", key],
        ["seller", "--manifest-key", key, "--manifest", file],
    ] {
        assert!(ask(&arguments).unwrap());
        let document = Document::read(&std::fs::read(file).unwrap()).unwrap();
        assert_eq!(document.signed_by(NOW, recover).unwrap().0, account(KEY));
        std::fs::remove_file(file).unwrap();
    }
    assert!(!ask(&["seller", "--manifest-key", key]).unwrap());
    let error = ask(&["seller", "--manifest", file, "--manifest-key"]).unwrap_err();
    assert!(error.to_string().contains("never an argument"), "{error}");
    let leaked = hex::encode(KEY);
    let error = ask(&["seller", "--manifest", file, "--manifest-key", &leaked]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(&leaked), "{error}");
    let error = ask(&["seller", "--manifest", "--manifest-key", "/no/such/file"]).unwrap_err();
    assert!(error.to_string().contains("/no/such/file"), "{error}");
    // A committed manifest holds with and without a signature.
    assert!(ask(&["seller", "--manifest", file, "--manifest-key", key]).unwrap());
    seller().manifest().unwrap().matches_file(file).unwrap();
}

#[test]
fn settings_name_the_file_of_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_file(&folder, KEY);
    let set = |path: &str| {
        let vars = [("X402_MANIFEST_KEY_FILE".to_owned(), path.to_owned())];
        PaywallSettings::from_vars(vars).unwrap()
    };
    let signed = seller().settings(set(key.to_str().unwrap()));
    let document = signed_document(&signed.manifest().unwrap());
    assert_eq!(document.signed_by(NOW, recover).unwrap().0, account(KEY));
    let missing = seller().settings(set("/no/such/file"));
    let error = missing.manifest().unwrap_err();
    assert_eq!(error.codes(), ["setting_invalid"]);
    assert!(error.to_string().contains("/no/such/file"), "{error}");
}

/// The signed manifest of a small seller, with where its signatures begin.
static SIGNED: LazyLock<(Vec<u8>, Document)> = LazyLock::new(|| {
    let builder = seller().sign_manifest(Counting::default());
    let published = builder.manifest().unwrap();
    (published.bytes().to_vec(), signed_document(&published))
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn m08_whatever_byte_is_changed_the_signature_does_not_hold(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let (bytes, signed) = &*SIGNED;
        let mut changed = bytes.clone();
        let place = at.index(changed.len());
        prop_assume!(changed[place] != to);
        changed[place] = to;
        let Ok(document) = Document::read(&changed) else { return Ok(()) };
        let verdict = document.signed_by(NOW, recover);
        let same = |document: &Document| {
            let mut value = document.value().clone();
            // The proof is another statement, and addresses and signatures may be written in either case.
            if let Some(signatures) = value["integrity"]["signatures"].as_array_mut() {
                signatures.truncate(1);
            }
            canonical(&value).to_ascii_lowercase()
        };
        if same(&document) == same(signed) && document.content_hash() == signed.content_hash() {
            return Ok(());
        }
        prop_assert!(verdict.is_err(), "byte {place} as {to:#04x}: {verdict:?}");
    }
}
