//! Calls between paid functions, and modules that hide std.

use axum::extract::Path;
use x402_runtime::paid;

/// Calls itself and another without paying: a call inside the program is no request.
#[paid(GET "/count/{from}", price = "0.01 USDC")]
async fn count(Path(from): Path<u8>) -> String {
    if from == 0 {
        return lift_off().await.to_owned();
    }
    let rest: String = Box::pin(count(Path(from - 1))).await;
    format!("{from} {rest}")
}

#[paid(GET "/lift-off", price = "0.01 USDC")]
async fn lift_off() -> &'static str {
    "lift-off"
}

/// Where the names of std mean something else.
mod without_std {
    mod alloc {}
    mod core {}
    mod std {}

    #[::x402_runtime::paid(GET "/", price = "0.01 USDC")]
    pub(super) async fn works() {}
}

#[tokio::test]
async fn paid_functions_call_each_other() {
    assert_eq!(count(Path(2)).await, "2 1 lift-off");
    let () = without_std::works().await;
}
