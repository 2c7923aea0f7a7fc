//! A library that denies every warning can have public paid functions.

#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unnameable_types,
    unused,
    rust_2018_idioms,
    elided_lifetimes_in_paths
)]
#![forbid(unsafe_code, non_camel_case_types, dead_code)]

/// Handlers that others mount.
pub mod api {
    use axum::Json;
    use axum::extract::Path;
    use x402_runtime::paid;

    #[paid(GET "/weather/{city}", price = "0.01 USDC")]
    pub async fn weather(Path(city): Path<String>) -> Json<String> {
        Json(city)
    }
}

fn main() {
    drop(api::weather);
}
