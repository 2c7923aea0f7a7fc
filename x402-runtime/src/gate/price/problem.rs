//! Requests without a price.

use x402_model::price::PriceError;
use x402_model::problem::{Problem, ProblemCode};

use crate::gate::Gate;
use crate::gate::checks::Refusal;
use crate::gate::flow::ledger_down;
use crate::ledger::LedgerError;
use crate::telemetry::event;

/// The refusal of a request whose price, or whose part of it, cannot be told.
pub(in crate::gate) fn refusal(gate: &Gate, error: &PriceError) -> Refusal {
    Refusal::from(*PriceProblem::of(gate, error).problem)
}

/// Why a request has no price.
#[derive(Debug)]
pub(super) struct PriceProblem {
    pub(super) problem: Box<Problem>,
    /// Whether what decides is merely not there.
    pub(super) missing: bool,
}

impl PriceProblem {
    pub(super) fn seller() -> Self {
        Self {
            problem: Box::new(Problem::new(ProblemCode::PriceUnavailable)),
            missing: false,
        }
    }

    /// What payers bought before cannot be read.
    pub(super) fn ledger(gate: &Gate, error: &LedgerError) -> Self {
        let refusal = ledger_down(&gate.core, error);
        Self {
            problem: Box::new(refusal.problem()),
            missing: false,
        }
    }

    pub(super) fn request(explanation: &str, missing: bool) -> Self {
        let problem = Problem::new(ProblemCode::PriceUndetermined).explanation(explanation);
        Self {
            problem: Box::new(problem),
            missing,
        }
    }

    /// Why a price model gives none.
    pub(super) fn of(gate: &Gate, error: &PriceError) -> Self {
        use PriceError::{
            Missing, NoBand, NoCase, NotExact, NotJson, Repeated, TooDeep, WrongType,
        };
        match error {
            Missing { .. } | NotJson { .. } => Self::request(&error.to_string(), true),
            WrongType { .. }
            | Repeated { .. }
            | NotExact { .. }
            | NoCase { .. }
            | NoBand { .. }
            | TooDeep { .. } => Self::request(&error.to_string(), false),
            _ => {
                tracing::error!(name: event::QUOTE_FAILED, endpoint = gate.endpoint.id(), %error, "a price could not be told");
                Self::seller()
            }
        }
    }
}
