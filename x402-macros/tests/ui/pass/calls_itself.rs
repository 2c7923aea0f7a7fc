//! A paid function can call itself, and others, without paying.

use axum::extract::Path;
use x402_runtime::paid;

#[paid(GET "/count/{from}", price = "0.01 USDC")]
async fn count(Path(from): Path<u8>) -> String {
    if from == 0 {
        return unit().await.to_owned();
    }
    let rest: String = Box::pin(count(Path(from - 1))).await;
    format!("{from} {rest}")
}

#[paid(GET "/unit", price = "0.01 USDC")]
async fn unit() -> &'static str {
    "lift-off"
}

fn main() {
    drop(count);
}
