//! What the marketplace says that it sells is written down, for the clients that are made of it.
//!
//! `BLESS=1` rewrites it.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first thing that is not as expected"
)]

use std::fs;
use std::path::{Path, PathBuf};

use tokio::net::TcpListener;
use x402_examples::marketplace::{Seller, Settings, offer};
use x402_model::wire::{PaymentRequired, headers};

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

#[tokio::test]
async fn its_402s_say_whose_they_are() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let seller = Seller::open(&settings(), &origin).await.unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, seller.app).await });
    let answer = reqwest::get(format!("{origin}/weather/oslo"))
        .await
        .unwrap();
    let header = answer.headers().get("payment-required").unwrap();
    let terms: PaymentRequired = headers::decode(header.as_bytes(), usize::MAX).unwrap();
    assert_eq!(terms.resource.service_name.as_deref(), Some("Marketplace"));
    // It has no public host, and so no picture that anybody could look at.
    assert_eq!(terms.resource.icon_url, None);
    server.abort();
}
