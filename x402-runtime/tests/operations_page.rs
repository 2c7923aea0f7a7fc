//! The query that `docs/operations.md` gives to operators finds a payment in a real ledger file.
#![cfg(feature = "sqlite")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "common/all.rs"]
mod common;

use std::path::Path;
use std::sync::Arc;

use common::{Buyer, NOW, Stand};
use x402_runtime::ledger::{SqliteLedger, State};
use x402_runtime::model::wire::headers::decode_value;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn the_pages_query_finds_a_payment_by_its_nonce_or_its_transaction() {
    let page = page();
    let (_, rest) = page.split_once("```sql\n").unwrap();
    let (query, _) = rest.split_once("```").unwrap();

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("payments.sqlite");
    let ledger = SqliteLedger::open(&file).unwrap();
    let stand = Stand::open_with(Arc::new(ledger), |builder| builder).await;
    let payment = Buyer::new(7).pay(&stand.terms("GET", "/news").await, NOW);
    let answer = stand.get("/news", Some(&payment)).await;
    assert_eq!(answer.status, 200);
    let transaction = answer.settlement().unwrap().transaction;
    let payload = decode_value(payment.as_bytes(), usize::MAX).unwrap();
    let authorization = &payload["payload"]["authorization"];
    let nonce = &authorization["nonce"].as_str().unwrap()[2..];

    let reader = rusqlite::Connection::open(&file).unwrap();
    for query in [
        query
            .replace("x'…'", &format!("x'{nonce}'"))
            .replace("0x…", "none"),
        query.replace("x'…'", "x''").replace("0x…", &transaction),
    ] {
        let (state, endpoint, amount, payer): (u8, String, String, String) = reader
            .query_row(&query, [], |row| {
                Ok((
                    row.get(0)?,
                    row.get("endpoint")?,
                    row.get("amount")?,
                    row.get("hex(payer)")?,
                ))
            })
            .unwrap();
        assert_eq!(
            (endpoint.as_str(), amount.trim_start_matches('0')),
            ("news", "10000")
        );
        let from = authorization["from"].as_str().unwrap();
        assert_eq!(payer.to_lowercase(), from[2..].to_lowercase());
        let name = State::ALL[usize::from(state) - 1].as_str();
        assert_eq!(name, "settled");
        assert!(
            query.contains(&format!("{state} {name}")),
            "the page numbers the states"
        );
    }
}

#[test]
fn the_page_numbers_every_state_as_the_file_does() {
    let page = page();
    let names: Vec<String> = State::ALL
        .iter()
        .enumerate()
        .map(|(index, state)| format!("{} {state}", index + 1))
        .collect();
    assert!(page.contains(&format!("-- state: {}", names.join(", "))));
}
