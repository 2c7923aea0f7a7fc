//! The generated clients of the marketplace buy everything that it sells, on a real chain.
//!
//! Each client has a chain and a marketplace of its own and goes through the same [`list`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken expectation is a failed test"
)]

mod list;
mod newcomer;
mod python;
mod rust;
mod script;
mod stage;
mod typescript;
