//! Every key is given once.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC", 
    id = "a", id = "b",
    summary = "a", summary = "b",
    tags = [], tags = [],
    timeout = 60, timeout = "60s",
    payment_ids = "off", payment_ids = "off",
    crate = x402_runtime, crate = x402_runtime,
)]
async fn weather() {}

fn main() {}
