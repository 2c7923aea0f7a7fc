//! Units are written like asset symbols.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 US$")]
async fn weather() {}

fn main() {}
