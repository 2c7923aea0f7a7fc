//! The payment does not decide about its own amount.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = bytes(header("PAYMENT-SIGNATURE")) or 0, ..=0 => "0.01 USDC", .. => "0.02 USDC"))]
async fn weather() {}

fn main() {}
