//! A bare number is no extractor.
use x402_runtime::paid;

#[paid(GET "/weather/{days}", price = "0.01 USDC")]
async fn weather(days: u32, warm: bool) {
    drop((days, warm));
}

fn main() {}
