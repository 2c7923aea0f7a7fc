//! An unknown key is answered with the list of keys.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", colour = "blue")]
async fn weather() {}

fn main() {}
