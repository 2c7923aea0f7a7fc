//! The end-to-end tests: one binary, because linking the product takes longer than running it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a broken expectation is a failed test"
)]

mod agent;
mod calls;
mod crash;
mod crash_stream;
mod credit;
mod failures;
mod gate;
mod kit;
mod marketplace;
mod node;
mod permit2;
mod permit2_node;
mod rails;
mod rebates;
mod secrets;
mod tokens;
mod unknown;
mod vectors;
mod vectors_v1;
mod wallets;
