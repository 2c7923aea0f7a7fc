//! Replays the corpora of the fuzz targets, so that everything fuzzing ever found stays fixed without a fuzzer.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

#[path = "fuzz/checks.rs"]
mod checks;

use std::fs;
use std::path::Path;

fn replay(target: &str, check: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target);
    let entries = fs::read_dir(&corpus).expect("the target has a corpus");
    let mut count = 0;
    for entry in entries {
        let path = entry.expect("the corpus can be listed").path();
        let data = fs::read(&path).expect("the corpus can be read");
        if std::panic::catch_unwind(|| check(&data)).is_err() {
            panic!("{} fails", path.display());
        }
        count += 1;
    }
    assert!(count > 0, "the corpus of {target} is empty");
}

#[test]
fn headers_v2_corpus() {
    replay("headers_v2", checks::headers_v2);
}

#[test]
fn headers_v1_corpus() {
    replay("headers_v1", checks::headers_v1);
}

#[test]
fn price_corpus() {
    replay("price", checks::price);
}

#[test]
fn facilitator_call_corpus() {
    replay("facilitator_call", checks::facilitator_call);
}

#[test]
fn exact_payload_corpus() {
    replay("exact_payload", checks::exact_payload);
}

#[test]
fn evm_payload_corpus() {
    replay("evm_payload", checks::evm_payload);
}

#[test]
fn gas_sponsoring_corpus() {
    replay("gas_sponsoring", checks::gas_sponsoring);
}

#[test]
fn signed_call_corpus() {
    replay("signed_call", checks::signed_call);
}

#[test]
fn sign_in_corpus() {
    replay("sign_in", checks::sign_in);
}

#[test]
fn request_price_corpus() {
    replay("request_price", checks::request_price);
}

#[test]
fn manifest_corpus() {
    replay("manifest", checks::manifest);
}
