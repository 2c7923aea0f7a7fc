//! Every refusal a buyer can meet: a stable code, an HTTP status, whether it charged and what to do next.
//!
//! ```
//! use x402_model::problem::{Action, Charged, ProblemCode};
//!
//! let code = ProblemCode::SettlementPending;
//! assert_eq!((code.as_str(), code.http_status()), ("settlement_pending", 503));
//! assert_eq!((code.charged(), code.action()), (Charged::Maybe, Action::RetrySamePayment));
//! ```

mod body;
mod code;
mod table;

pub use body::Problem;
pub use code::{Action, Charged, ProblemCode};

#[cfg(test)]
mod tests;
