//! The `sign-in-with-x` extension: a wallet shows who it is by signing a message of the seller's origin (CAIP-122, protocol 6.4).
//!
//! | step | here |
//! |---|---|
//! | the seller declares it in a 402 | [`declare`], [`challenge`] |
//! | the buyer completes and signs it | [`Challenge`], [`SignInMessage::text`] |
//! | it travels in the header [`HEADER`] | [`SignIn::to_header`], [`SignIn::from_header`] |
//! | the seller checks the message | [`SignIn::check`] |
//! | the seller checks the signature | [`SignIn::proof`] says what to verify with which key |
//!
//! Signatures are verified where curves are known: in the seller's and the buyer's crates.

mod challenge;
mod check;
mod error;
mod message;
mod proof;
mod text;

pub use challenge::{Chain, Challenge, Info, challenge, declare};
pub use check::Origin;
pub use error::{SiwxError, Unreadable};
pub use message::{SignIn, SignInMessage, SignatureType};
pub use proof::{Proof, personal_hash};

/// The extension's key.
pub const KEY: &str = "sign-in-with-x";

/// The request header of a signed message.
pub const HEADER: &str = "SIGN-IN-WITH-X";

/// Members of `info` that are new in every 402, so that an echo of an older one is no mismatch.
pub const DYNAMIC_INFO: &[&str] = &["nonce", "issuedAt", "expirationTime"];

/// How old a signed message may be unless configured otherwise, in seconds.
pub const MAX_AGE_SECONDS: u64 = 300;
