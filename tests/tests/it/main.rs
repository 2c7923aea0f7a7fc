//! The end-to-end tests: one binary, because linking the product takes longer than running it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a broken expectation is a failed test"
)]

mod kit;
