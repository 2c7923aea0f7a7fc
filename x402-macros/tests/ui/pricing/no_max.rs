//! A price without a maximum tells buyers nothing.
use x402_runtime::paid;

#[paid(GET "/weather", price = dynamic(quote))]
async fn weather() {}

fn main() {}
