//! Arguments are owned.
use x402_runtime::paid;

#[paid(GET "/weather/{city}", price = "0.01 USDC")]
async fn weather(city: &str) {
    drop(city.len());
}

fn main() {}
