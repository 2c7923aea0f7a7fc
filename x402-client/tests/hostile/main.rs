//! The client against sellers that cheat, break and stall, over real connections.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod approvals;
mod asking;
mod calls;
mod hooks;
mod identity;
mod live;
mod ordinary;
mod permit2;
mod race;
mod redirects;
mod retries;
mod secrets;
mod seller;
mod signer;
mod terms;
