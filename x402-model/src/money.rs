//! Exact money: decimals as people write them and atomic amounts as tokens count them, never floats.
//!
//! [`Decimal`] is what an author or an operator types (`0.01`), [`AtomicAmount`] is what goes over the wire and on the
//! chain (`10000` for a token of six decimals). The only way from one to the other is [`Decimal::to_atomic`], which is
//! exact or an error: nothing in this crate rounds, truncates or strips digits.
//!
//! ```
//! use x402_model::money::Decimal;
//!
//! let price: Decimal = "0.01".parse()?;
//! assert_eq!(price.to_atomic(6)?.to_string(), "10000");
//! assert!("1e-2".parse::<Decimal>().is_err());
//! # Ok::<(), x402_model::money::MoneyError>(())
//! ```

mod amount;
mod decimal;
mod error;
mod literal;

pub use amount::AtomicAmount;
pub use decimal::Decimal;
pub use error::{DecimalFault, MoneyError};

pub(crate) use error::quote;
pub(crate) use literal::{fault_in, is_currency_glyph, suggestion_for};
