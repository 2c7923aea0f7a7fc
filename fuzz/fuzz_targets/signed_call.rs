#![no_main]
//! See `signed_call` in the shared checks.

#[path = "../../x402-model/tests/fuzz/checks.rs"]
#[allow(dead_code)]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::signed_call(data));
