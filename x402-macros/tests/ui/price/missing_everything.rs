//! A price is missing even where nothing is written.
use x402_runtime::paid;

#[paid]
async fn weather() {}

fn main() {}
