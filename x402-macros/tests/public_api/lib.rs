//! A library with public paid functions, under every lint a strict author turns on. That it compiles is the test.
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unnameable_types,
    unused,
    unused_qualifications,
    rust_2018_idioms,
    clippy::pedantic
)]
#![forbid(
    unsafe_code,
    non_camel_case_types,
    dead_code,
    private_interfaces,
    private_bounds
)]

/// Handlers that others mount.
pub mod api {
    use axum::Json;
    use axum::extract::Path;
    use axum::response::IntoResponse;
    use x402_runtime::paid;

    #[paid(GET "/weather/{city}", price = "0.01 USDC")]
    pub async fn weather(Path(city): Path<String>) -> Json<String> {
        Json(city)
    }

    /// Documented, and answers with an unnamed type.
    #[paid(GET "/climate", price = "0.01 USDC")]
    pub async fn climate() -> impl IntoResponse {
        inside::only_here().await
    }

    mod inside {
        use x402_runtime::paid;

        #[paid(GET "/inside", price = "0.01 USDC")]
        pub(super) async fn only_here() -> &'static str {
            "warm"
        }
    }
}

pub use api::{climate, weather as forecast};
