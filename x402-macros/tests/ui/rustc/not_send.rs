//! The future of a handler moves between threads.

use std::rc::Rc;
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather() -> String {
    let city = Rc::new("Oslo");
    std::future::ready(()).await;
    city.to_string()
}

fn main() {}
