//! The test kit: a real chain, buyers, sellers and faults for the end-to-end tests beside it.
//!
//! Everything runs on this machine. The chain is anvil, which the kit fetches through npm by itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    reason = "a test kit stops the test at the first thing that is not as expected, and says what it does"
)]

pub mod accounts;
pub mod anvil;
pub mod buyer;
pub mod chaos;
pub mod contracts;
pub mod differences;
pub mod doubles;
pub mod logs;
pub mod marketplace;
pub mod permit2;
pub mod permitted;
pub mod rpc;
pub mod rpc_double;
pub mod seller;
pub mod settler;
pub mod shop;
pub mod token;
pub mod tools;
pub mod vectors;
pub mod world;
