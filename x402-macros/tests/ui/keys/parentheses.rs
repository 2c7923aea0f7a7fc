//! Values follow an equals sign.
use x402_runtime::paid;

#[paid(GET "/weather", price("0.01 USDC"))]
async fn weather() {}

fn main() {}
