#![no_main]
//! See `manifest` in the shared checks.

#[path = "../../x402-model/tests/fuzz/checks.rs"]
#[allow(dead_code)]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::manifest(data));
