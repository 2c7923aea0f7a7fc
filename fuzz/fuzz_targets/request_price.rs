#![no_main]
//! See `request_price` in the shared checks.

#[path = "../../x402-model/tests/fuzz/checks.rs"]
#[allow(dead_code)]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::request_price(data));
