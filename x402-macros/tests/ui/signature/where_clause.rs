//! A paid function has nothing to constrain.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather()
where
    String: Clone,
{
}

fn main() {}
