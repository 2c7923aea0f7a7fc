//! Prices: the strict grammar `"<decimal> <unit>"` and the models by which an endpoint charges.
//!
//! One parser serves the `#[paid]` macro, start-up and code generation. It never guesses: what it refuses, it explains
//! with the place in the literal and, where there is one reading, the literal written right.
//!
//! ```
//! use x402_model::price::{Price, PriceErrorCode};
//!
//! let price: Price = "0.01 USDC".parse()?;
//! assert_eq!(price.to_string(), "0.01 USDC");
//!
//! let wrong = "$0.01".parse::<Price>().unwrap_err();
//! assert_eq!(wrong.code, PriceErrorCode::CurrencyGlyph);
//! assert_eq!(wrong.suggestion.as_deref(), Some("0.01 USD"));
//! # Ok::<(), x402_model::price::PriceParseError>(())
//! ```

mod check;
mod error;
mod evaluate;
mod expr;
mod facts;
mod fault;
mod guess;
mod json;
mod metered;
mod model;
mod offer;
mod outcomes;
mod parse;
mod probe;
mod read;
mod refusal;
mod selector;

pub use check::tiered_bounds;
pub use error::{PriceErrorCode, PriceParseError};
pub use evaluate::{Due, Needs, evaluate};
pub use expr::{Price, PriceUnit};
pub use facts::{Facts, Volume};
pub use fault::PriceModelError;
pub use metered::Ceiling;
pub use model::{
    Band, Bounds, Case, CaseValue, Charge, Combine, Dimension, DimensionTable, PriceModel, Quote,
    Rebate, RebateBand, RebateBy, Rounding, UsageUnit,
};
pub use offer::{Allowance, AllowanceKind, Identify, OfferError, Plan, PlanKind, Scope};
pub use outcomes::{Inexact, MAX_OUTCOMES};
pub use parse::{MAX_LITERAL_BYTES, is_symbol, known_symbol_suggestion};
pub use refusal::{PriceError, Wanted};
pub use selector::{Measure, Selector, Source};
