//! Tokens: their addresses and the table of well-known dollar tokens.

mod address;

pub use address::{AddressError, checksum, parse_address};
