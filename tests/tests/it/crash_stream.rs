//! kill -9 while a metered answer is leaving: what was recorded is settled, no more, and never again.

use std::time::{Duration, Instant};

use alloy_primitives::U256;
use x402_tests::accounts::{self, PAYEE, PAYER, SETTLER};
use x402_tests::buyer::encode;
use x402_tests::permit2::Rails as _;
use x402_tests::permitted::Payment;
use x402_tests::token::USDC;

use crate::crash::{Process, Scene};

/// A chain on which the payer may pay through Permit2.
async fn scene() -> Scene {
    let scene = Scene::new().await;
    scene.chain.place_permit2().await;
    scene.chain.allow_permit2(USDC, 1_000_000).await;
    scene
}

/// A payment of the terms of a path, as a header.
async fn payment(scene: &Scene, seller: &Process, path: &str) -> String {
    let terms = seller.buyer().terms(path).await;
    let signed = Payment::upto(&scene.chain, SETTLER).await;
    let mut payload = signed.charging(10_000).payload.to_value();
    payload["accepted"] = terms["accepts"][0].clone();
    payload["resource"] = terms["resource"].clone();
    encode(&payload)
}

async fn open(seller: &Process, path: &str, header: &str) -> reqwest::Response {
    let url = format!("{}{path}", seller.origin);
    let call = reqwest::Client::new().get(url);
    let answer = call
        .header("PAYMENT-SIGNATURE", header)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    answer
}

#[tokio::test]
async fn c3_a_stream_is_killed_and_what_was_recorded_is_settled_once() {
    let scene = scene().await;
    let before = scene.chain.balance_of(USDC, accounts::address(PAYEE)).await;
    let mut seller = scene.seller(None);
    let header = payment(&scene, &seller, "/words").await;
    let mut answer = open(&seller, "/words", &header).await;
    let mut seen = Vec::new();
    while seen.windows(7).filter(|part| *part == b"data: 2").count() == 0 {
        seen.extend_from_slice(&answer.chunk().await.unwrap().expect("three words"));
    }
    // What is due is recorded each second.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(
        scene.payments().await,
        0,
        "nothing is settled while it lives"
    );
    seller.kill();
    assert!(answer.chunk().await.is_err(), "the stream broke off");

    // It comes back, and its buyer does not.
    let second = scene.seller(None);
    let moved = || async { scene.chain.balance_of(USDC, accounts::address(PAYEE)).await - before };
    let started = Instant::now();
    while moved().await.is_zero() {
        assert!(
            started.elapsed() < Duration::from_secs(40),
            "nothing was settled"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // The base and three words.
    assert_eq!(moved().await, U256::from(7_000));
    let transfers = scene.chain.transfers().await;
    assert_eq!(transfers.len(), 1, "{transfers:?}");
    assert_eq!(transfers[0].from, accounts::address(PAYER));
    // What left is paid for; it is not kept in full, and the buyer is told both.
    let late = second.buyer().pay("/words", &header).await;
    assert_eq!((late.status, late.code().as_str()), (410, "answer_gone"));
    assert_eq!(late.json()["charged"], true);
    assert_eq!(moved().await, U256::from(7_000));
}

#[tokio::test]
async fn a_buyer_that_hangs_up_pays_for_what_came_and_fetches_it_after_a_kill() {
    let scene = scene().await;
    let mut seller = scene.seller(None);
    let header = payment(&scene, &seller, "/words").await;
    let mut answer = open(&seller, "/words", &header).await;
    while answer.chunk().await.unwrap().expect("three words") != "data: 2\n\n" {}
    drop(answer);
    let started = Instant::now();
    while scene.payments().await == 0 {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "nothing was settled"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    seller.kill();
    let second = scene.seller(None);
    let kept = crate::failures::settled_answer(&second.buyer(), "/words", &header).await;
    assert_eq!(kept.status, 200);
    assert_eq!(&*kept.body, b"data: 0\n\ndata: 1\n\ndata: 2\n\n".as_slice());
    assert_eq!(kept.receipt().unwrap()["amount"], "7000");
    assert_eq!(scene.payments().await, 1);
}
