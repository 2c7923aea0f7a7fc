//! A seller without a key: signatures over its manifest that were made elsewhere.
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
use std::sync::Arc;

use alloy_primitives::hex;
use common::shop::{Shop, builder};
use common::{Double, NOW, Stand};
use keys::{KEY, account, key_file, recover};
use x402_runtime::clock::ManualClock;
use x402_runtime::ledger::MemoryLedger;
use x402_runtime::manifest::{ManifestKey, Published, Service};
use x402_runtime::model::endpoint::read_instant;
use x402_runtime::model::manifest::{Document, WELL_KNOWN_PATH};
use x402_runtime::paywall::{Paywall, PaywallBuilder, Rail};
use x402_runtime::{Network, paid};

/// Current weather for a city.
#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather() -> &'static str {
    "rain"
}

/// At a price that will change.
#[paid(GET "/news", price = "0.01 USDC", scheduled = [price("0.02 USDC", from = "2026-12-01"), price("0.03 USDC", from = "2027-12-01")])]
async fn news() -> &'static str {
    "news"
}

fn service() -> Service {
    Service::new("com.example.kit", "Kit", "1.2.0").issued(7, "2026-09-20T09:00:00Z")
}

fn on(network: Network, paid: [u8; 32]) -> PaywallBuilder<()> {
    Paywall::builder()
        .origin("https://api.example.com")
        .pay_to(account(paid).to_string())
        .accept(Rail::new(network, "USDC"))
        .service(service())
        .mount(weather)
}

fn seller() -> PaywallBuilder<()> {
    on(Network::BASE_SEPOLIA, KEY)
}

fn key(key: [u8; 32]) -> ManifestKey {
    let folder = tempfile::tempdir().unwrap();
    ManifestKey::from_file(key_file(&folder, key)).unwrap()
}

fn document(published: &Published) -> Document {
    Document::read(published.bytes()).unwrap()
}

fn codes(builder: &PaywallBuilder<()>) -> Vec<&'static str> {
    builder.manifest().unwrap_err().codes()
}

#[test]
fn m08_signatures_made_where_the_key_is_are_served_where_it_is_not() {
    let signed = seller().sign_manifest(key(KEY)).manifest().unwrap();
    let text = seller().signatures_by(key(KEY)).unwrap();
    // The statement, and the proof of the origin.
    assert_eq!(text.lines().count(), 2);
    let served = seller().manifest_signatures(&*text).manifest().unwrap();
    assert_eq!(served.bytes(), signed.bytes());
    // Any order and any blanks will do, and what is over something else does not matter beside them.
    let mut lines: Vec<&str> = text.lines().collect();
    let other = on(Network::BASE_SEPOLIA, [0x47; 32])
        .signatures_by(key([0x47; 32]))
        .unwrap();
    lines.extend(other.lines());
    lines.reverse();
    let mixed = format!("\n  {}\r\n", lines.join(" \t"));
    let served = seller().manifest_signatures(mixed).manifest().unwrap();
    assert_eq!(served.bytes(), signed.bytes());
    // The statement alone proves no origin.
    let alone = text.lines().next().unwrap();
    let alone = document(&seller().manifest_signatures(alone).manifest().unwrap());
    assert_eq!(alone.signed_by(NOW, recover).unwrap().0, account(KEY));
    assert!(alone.origin_proved_by(recover).is_err());
    // A key that is at hand signs, whatever was given.
    let anew = seller().manifest_signatures("0x12").sign_manifest(key(KEY));
    assert_eq!(anew.manifest().unwrap().bytes(), signed.bytes());
}

#[test]
fn m08_a_declared_signer_signs_elsewhere_as_well() {
    let other = [0x47; 32];
    let declared = || {
        let service = service().signer(account(other).to_string());
        seller().service(service)
    };
    let text = declared().signatures_by(key(other)).unwrap();
    assert_eq!(
        text.lines().count(),
        1,
        "it is not paid, and proves nothing"
    );
    let served = document(&declared().manifest_signatures(&*text).manifest().unwrap());
    assert_eq!(served.signed_by(NOW, recover).unwrap().0, account(other));
    // Where it is not declared it says nothing: a stranger's signature looks like one over something else.
    let stranger = seller().manifest_signatures(text);
    assert_eq!(codes(&stranger), ["manifest_signature_other_content"]);
    let error = seller().signatures_by(key(other)).unwrap_err();
    assert_eq!(error.codes(), ["manifest_signer_unknown"]);
}

#[test]
fn m08_a_signature_that_does_not_fit_stops_the_start_and_says_what_would() {
    let text = seller().signatures_by(key(KEY)).unwrap();
    let hash = seller().manifest().unwrap().content_hash().to_owned();
    let changed = seller().mount(news).manifest_signatures(&*text);
    let error = changed.manifest().unwrap_err();
    assert_eq!(error.codes(), ["manifest_signature_other_content"]);
    let said = error.to_string();
    let unsigned = seller().mount(news).manifest().unwrap();
    assert!(said.contains(unsigned.content_hash()), "{said}");
    assert!(
        !said.contains(&hash) && said.contains("--manifest-signatures"),
        "{said}"
    );
    // The same content, issued at another time.
    let later = service().issued(8, "2026-09-21T09:00:00Z");
    let later = seller().service(later).manifest_signatures(&*text);
    assert_eq!(codes(&later), ["manifest_signature_other_content"]);
    let nothing = seller().manifest_signatures("");
    assert_eq!(codes(&nothing), ["manifest_signature_other_content"]);
    // The time of the start is nobody's to sign beforehand.
    let undated = || seller().service(Service::new("com.example.kit", "Kit", "1.2.0"));
    assert_eq!(
        codes(&undated().manifest_signatures(&*text)),
        ["manifest_signature_undated"]
    );
    let error = undated().signatures_by(key(KEY)).unwrap_err();
    assert_eq!(error.codes(), ["manifest_signature_undated"]);
}

#[test]
fn m08_what_is_no_signature_is_not_repeated() {
    let text = seller().signatures_by(key(KEY)).unwrap();
    let (first, secret) = (text.lines().next().unwrap(), hex::encode(KEY));
    let short = &first[..first.len() - 2];
    for odd in [&*secret, "0x12", short, "0x", "signature"] {
        let error = seller()
            .manifest_signatures(format!("{first} {odd}"))
            .manifest()
            .unwrap_err();
        assert_eq!(error.codes(), ["manifest_signature_malformed"], "{odd}");
        let said = format!("{error} {error:?}");
        assert!(said.contains('2') && !said.contains(&secret), "{said}");
    }
}

#[test]
fn m08_a_published_key_signs_nothing_of_real_money_elsewhere_either() {
    // The first public development account.
    let known = hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    let with = |network| {
        let service = service().signer(account(known).to_string());
        on(network, KEY).service(service)
    };
    let test = with(Network::BASE_SEPOLIA);
    let text = test.signatures_by(key(known)).unwrap();
    assert!(test.manifest_signatures(text).manifest().is_ok());
    let error = with(Network::BASE).signatures_by(key(known)).unwrap_err();
    assert_eq!(error.codes(), ["manifest_signer_development_account"]);
    let statement = document(&with(Network::BASE).manifest().unwrap());
    let statement = keys::statement(&statement, known);
    let given = with(Network::BASE).manifest_signatures(statement);
    assert_eq!(codes(&given), ["manifest_signer_development_account"]);
}

fn running(clock: &Arc<ManualClock>, double: &Arc<Double>) -> PaywallBuilder<Shop> {
    builder(double, clock, Arc::new(MemoryLedger::default()))
        .pay_to(account(KEY).to_string())
        .service(service())
        .mount(news)
}

#[tokio::test]
async fn every_price_that_will_hold_is_signed_beforehand() {
    let (double, clock) = (Arc::default(), Arc::new(ManualClock::at_seconds(NOW)));
    let text = running(&clock, &double).signatures_by(key(KEY)).unwrap();
    // Three contents and one origin.
    assert_eq!(text.lines().count(), 4);
    let signed = running(&clock, &double).manifest_signatures(&*text);
    let stand = Stand::of(signed, Arc::clone(&double), Arc::clone(&clock)).await;
    for day in ["2026-09-21", "2026-12-01", "2027-12-01"] {
        let now = read_instant(day).unwrap();
        clock.set_ms(now * 1000);
        let document = Document::read(&stand.get(WELL_KNOWN_PATH, None).await.body).unwrap();
        let (signer, statement) = document.signed_by(now, recover).unwrap();
        assert_eq!((signer, statement.revision), (account(KEY), 7), "{day}");
        assert_eq!(document.origin_proved_by(recover), Ok(account(KEY)));
    }
    // A start after the first change needs no signature of before, and one before it needs them all.
    let later: Vec<&str> = text.lines().skip(2).collect();
    clock.set_ms(read_instant("2026-12-01").unwrap() * 1000);
    let late = running(&clock, &double).manifest_signatures(later.join("\n"));
    late.build().await.unwrap();
    clock.set_ms(NOW * 1000);
    let early = running(&clock, &double).manifest_signatures(later.join("\n"));
    let error = early.build().await.unwrap_err();
    assert_eq!(error.codes(), ["manifest_signature_other_content"]);
    assert!(
        error.to_string().contains("2026-09-20T09:00:00Z"),
        "{error}"
    );
}

#[test]
fn a_program_makes_the_signatures_that_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_file(&folder, KEY);
    let file = folder.path().join("manifest.signatures");
    let (file, key) = (file.to_str().unwrap(), key.to_str().unwrap());
    let ask = |arguments: &[&str]| {
        let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
        // Those that it has are of an earlier release.
        let seller = seller().manifest_signatures("0x12");
        seller.print_manifest_if_asked(arguments)
    };
    let flag = "--manifest-signatures";
    assert!(ask(&["seller", flag, file, "--manifest-key", key]).unwrap());
    let text = std::fs::read_to_string(file).unwrap();
    let document = document(&seller().manifest_signatures(text).manifest().unwrap());
    assert_eq!(document.signed_by(NOW, recover).unwrap().0, account(KEY));
    let error = ask(&["seller", flag, file]).unwrap_err();
    assert!(error.to_string().contains("--manifest-key"), "{error}");
    let leaked = hex::encode(KEY);
    let error = ask(&["seller", flag, "--manifest-key", &leaked]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(&leaked), "{error}");
}
