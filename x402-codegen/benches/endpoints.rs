//! How long three clients of a large manifest take, and whether twice the endpoints take twice as long.
//!
//! `cargo bench -p x402-codegen`. The bound of a second is for a thousand endpoints, read, lowered and written in three languages.
//! How long a compiler takes for the Rust client of them is told, too; `tests/many.rs` holds that under a minute.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    reason = "a benchmark tells what it measured, with ratios"
)]

use std::time::{Duration, Instant};

#[path = "../tests/support/mod.rs"]
mod support;

use support::many::{check, manifest};

fn generate(manifest: &[u8]) -> usize {
    let model = x402_codegen::read(manifest).unwrap();
    x402_codegen::rust::render(&model).len()
        + x402_codegen::typescript::render(&model).len()
        + x402_codegen::python::render(&model).len()
}

/// The best of a few runs: others use the machine, too.
fn time(endpoints: usize) -> Duration {
    let manifest = manifest(endpoints);
    let runs = (0..5).map(|_| {
        let began = Instant::now();
        assert!(generate(&manifest) > 0);
        began.elapsed()
    });
    runs.min().unwrap()
}

fn main() {
    let mut last = time(250);
    println!("{:>6} endpoints: {last:?}", 250);
    for endpoints in [500, 1000, 2000, 4000] {
        let took = time(endpoints);
        let ratio = took.as_secs_f64() / last.as_secs_f64();
        println!("{endpoints:>6} endpoints: {took:?}, {ratio:.2} times as long as half of them");
        assert!(
            endpoints != 1000 || took < Duration::from_secs(1),
            "a thousand endpoints take {took:?}"
        );
        assert!(
            ratio < 3.0,
            "twice the endpoints take {ratio:.2} times as long"
        );
        last = took;
    }
    println!(
        "  1000 endpoints: cargo check of the Rust client takes {:?}",
        check(1000)
    );
}
