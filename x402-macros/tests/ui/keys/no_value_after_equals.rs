//! A key has a value after its equals sign.
use x402_runtime::paid;

#[paid(GET "/weather", price =)]
async fn weather() {}

fn main() {}
