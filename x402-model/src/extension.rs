//! Protocol extensions that say who is calling: an id for a payment, and signing in with a wallet.

pub mod base58;
pub mod payment_identifier;
pub mod siwx;
pub mod timestamp;

pub use payment_identifier::{IdentifierError, PaymentIdentifier};
pub use siwx::{SignIn, SignInMessage, SiwxError};
