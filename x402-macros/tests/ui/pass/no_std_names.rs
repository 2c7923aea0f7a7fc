//! Nothing but the runtime is named by generated code.

#![no_implicit_prelude]
mod core {}
mod std {}
mod alloc {}

#[::x402_runtime::paid(GET "/weather", price = "0.01 USDC")]
async fn weather() {}

fn main() {
    let _ = weather;
}
