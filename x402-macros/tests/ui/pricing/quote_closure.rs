//! A quote function is named, not written here.
use x402_runtime::paid;

#[paid(GET "/weather", price = dynamic(|request| async { todo!() }, max = "1 USDC"))]
async fn weather() {}

fn main() {}
