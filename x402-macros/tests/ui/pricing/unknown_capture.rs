//! A capture is one of the route.
use x402_runtime::paid;

#[paid(GET "/weather/{city}", price = tiers(by = path.ctiy, "Oslo" => "0.01 USDC"))]
async fn weather() {}

fn main() {}
