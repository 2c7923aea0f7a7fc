//! A paid function has no type parameters.
use x402_runtime::paid;

#[paid(GET "/weather", price = "0.01 USDC")]
async fn weather<T: Default + Send>() {
    drop(T::default());
}

fn main() {}
