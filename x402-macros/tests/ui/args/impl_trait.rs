//! Arguments have named types.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather(_: impl Send, _: Option<impl Sync>) {}

fn main() {}
