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
mod expr;
mod guess;
mod model;
mod offer;
mod parse;
mod selector;

pub use check::{PriceModelError, tiered_bounds};
pub use error::{PriceErrorCode, PriceParseError};
pub use expr::{Price, PriceUnit};
pub use model::{
    Band, Bounds, Case, CaseValue, Charge, Combine, Dimension, DimensionTable, PriceModel, Quote,
    Rebate, RebateBand, Rounding, UsageUnit,
};
pub use offer::{Allowance, AllowanceKind, Identify, Plan, PlanKind, Scope};
pub use parse::{MAX_LITERAL_BYTES, is_symbol, known_symbol_suggestion};
pub use selector::{Measure, Selector, Source};
