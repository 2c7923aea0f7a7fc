//! How many paid calls a ledger can record. Prints rates; run with `--ignored --nocapture`.
#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod ledger_common;

use bytes::Bytes;
use ledger_common::{START_MS, payment};
use std::sync::Arc;
use std::time::Instant;
use x402_runtime::ledger::{
    Advanced, Begin, Event, Ledger, MemoryLedger, SqliteLedger, StoredAnswer,
};
use x402_runtime::model::wire::SettleResponse;

const BUYERS: u64 = 64;
const CALLS: u64 = 200;

/// The four steps of a paid call.
async fn buy(ledger: &impl Ledger, n: u64) {
    let new = payment(n, n);
    let key = new.key.clone();
    assert_eq!(ledger.begin(new).await.unwrap(), Begin::Reserved);
    let headers = vec![("content-type".to_owned(), b"application/json".to_vec())];
    let answer = StoredAnswer {
        status: 200,
        headers,
        body: Bytes::from(vec![b'x'; 500]),
    };
    let response = SettleResponse {
        success: true,
        transaction: "0x01".to_owned(),
        ..SettleResponse::default()
    };
    for event in [
        Event::Answered {
            owner: n,
            answer: answer.into(),
            charge: None,
        },
        Event::Intend {
            owner: n,
            lease_until_ms: START_MS,
        },
        Event::Settled { response },
    ] {
        assert!(matches!(
            ledger.advance(&key, event, START_MS).await.unwrap(),
            Advanced::Done(_)
        ));
    }
}

async fn rate(name: &str, ledger: Arc<impl Ledger>) {
    let start = Instant::now();
    let buyers: Vec<_> = (0..BUYERS)
        .map(|buyer| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move {
                for call in 0..CALLS {
                    buy(&*ledger, buyer * CALLS + call).await;
                }
            })
        })
        .collect();
    for buyer in buyers {
        buyer.await.unwrap();
    }
    let calls = BUYERS * CALLS;
    let micros = start.elapsed().as_micros().max(1);
    println!(
        "{name}: {} paid calls/s, {BUYERS} at a time",
        u128::from(calls) * 1_000_000 / micros
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints a rate"]
async fn paid_calls_per_second() {
    let folder = tempfile::tempdir().unwrap();
    rate("memory", Arc::new(MemoryLedger::new())).await;
    rate(
        "sqlite",
        Arc::new(SqliteLedger::open(folder.path().join("l.sqlite")).unwrap()),
    )
    .await;
}
