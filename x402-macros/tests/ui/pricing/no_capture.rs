//! A route without captures has no path to select.
use x402_runtime::paid;

#[paid(GET "/weather", price = tiers(by = path.city, "Oslo" => "0.01 USDC"))]
async fn weather() {}

fn main() {}
