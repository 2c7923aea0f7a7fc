//! Without captures there is nothing to take from the path.
use axum::extract::Path;
use x402_runtime::paid;

struct Place;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather(_: Path<Place>) {}

#[paid(GET "/climate", price = "0.01 USDC")]
async fn climate(_: Path<u8>) {}

fn main() {}
