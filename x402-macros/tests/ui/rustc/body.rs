//! Errors in the body are rustc's, where they are.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather() -> String {
    let city: u8 = "Oslo";
    city
}

fn main() {}
