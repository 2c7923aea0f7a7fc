//! A paid function has a body.
use x402_runtime::paid;

trait Weather {
    #[paid(GET "/weather", price = "0.01 USDC")]
    async fn weather();
}

fn main() {}
