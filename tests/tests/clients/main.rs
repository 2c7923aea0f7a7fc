//! The third gate of the golden cases of the code generator: each client pays a live seller on a real chain, and pays what is due.
//!
//! A shop sells by the manifest of a case; a driver makes every documented call and some more with the generated client, and
//! reports quotes, answers and receipts. They are held against what the shop settled and what is on the chain.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken expectation is a failed test"
)]

mod doubts;
#[path = "../../../x402-codegen/tests/support/mod.rs"]
mod golden;
mod names;
mod pages;
mod plan;
mod python;
mod round;
mod rust;
mod sample;
mod shapes;
mod table;
mod typescript;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rust_client_pays_a_live_seller_what_is_due() {
    let cases = plan::cases();
    let program = || rust::program(&cases);
    round::go("Rust", &cases, None, &rust::home(), program).close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_typescript_client_pays_a_live_seller_what_is_due() {
    let cases = plan::cases();
    let texts = cases
        .iter()
        .map(|case| x402_codegen::typescript::render(&case.model));
    let texts: Vec<String> = texts.collect();
    let methods: Vec<_> = texts.iter().map(|text| names::typescript(text)).collect();
    let program = || typescript::program(&cases, &texts);
    let home = typescript::home();
    round::go("TypeScript", &cases, Some(&methods), &home, program).close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_python_client_pays_a_live_seller_what_is_due() {
    let cases = plan::cases();
    let program = || python::program(&cases);
    round::go("Python", &cases, None, &python::home(), program).close();
}
