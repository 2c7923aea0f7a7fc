//! The marketplace example as a library, so that its binary and the tests run the same seller.

pub mod marketplace;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
