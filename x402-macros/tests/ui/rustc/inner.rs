//! The original function cannot be named from outside.

use x402_runtime::paid;

mod api {
    use x402_runtime::paid;

    #[paid(GET "/weather", price = "0.01 USDC")]
    pub async fn weather() {}
}

#[paid(GET "/climate", price = "0.01 USDC")]
async fn climate() {}

fn main() {
    let _ = api::weather::weather();
    let _ = climate::climate();
    let _ = api::__PaidEndpoint::SPEC;
}
