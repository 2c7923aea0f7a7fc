//! A client of a thousand calls is no burden to a compiler.
#![allow(
    clippy::print_stderr,
    reason = "a test that measures says what it measured"
)]

mod support;

use std::time::Duration;

/// Measured on two shared cores: half a minute, two thirds of that for type and borrow checks of what reads and writes JSON.
#[test]
#[ignore = "takes a minute: cargo test -p x402-codegen --test many -- --ignored --nocapture"]
fn a_thousand_calls_are_checked_within_a_minute() {
    let took = support::many::check(1000);
    eprintln!("cargo check of a thousand calls: {took:.1?}");
    assert!(took < Duration::from_secs(60), "{took:?}");
}
