//! What the marketplace says that it sells is written down, for the clients that are made of it.
//!
//! `BLESS=1` rewrites it.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as expected"
)]

use std::fs;
use std::path::{Path, PathBuf};

use x402_examples::marketplace::{Seller, Settings, offer};

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/marketplace.manifest.json")
}

/// As `cargo run --bin marketplace` runs it: nothing of it depends on the machine.
fn settings() -> Settings {
    Settings::from_lookup(|_| None).unwrap()
}

#[test]
fn the_manifest_is_up_to_date() {
    let manifest = offer(&settings()).unwrap().manifest().unwrap();
    manifest.matches_file(committed()).unwrap();
    // The time of its issue is given, so the bytes are the same as well.
    assert_eq!(fs::read_to_string(committed()).unwrap(), manifest.pretty());
}

#[tokio::test]
async fn the_running_marketplace_serves_the_manifest_that_is_written_down() {
    let seller = Seller::open(&settings(), "http://127.0.0.1:4021")
        .await
        .unwrap();
    let served = seller.paywall.manifest();
    let written = offer(&settings()).unwrap().manifest().unwrap();
    assert_eq!(served.bytes(), written.bytes());
}
