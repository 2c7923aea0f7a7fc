//! Why a request is not served, as the 402 header and the problem say it.

use std::borrow::Cow;

use alloy_primitives::Address;
use x402_model::problem::{Problem, ProblemCode};

use crate::project::{FIRST_CONTACT, NO_MATCH};

/// Why a request is not served, with the `error` of the 402 header. Small, because every unpaid request makes one.
#[derive(Debug)]
pub(in crate::gate) struct Refusal {
    pub(in crate::gate) code: ProblemCode,
    pub(in crate::gate) error: Cow<'static, str>,
    /// Who tried to pay, if that could be read.
    pub(in crate::gate) payer: Option<Address>,
    /// The problem, where it says more than its code.
    more: Option<Box<Problem>>,
}

impl Refusal {
    pub(super) fn new(code: ProblemCode, error: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            error: error.into(),
            payer: None,
            more: None,
        }
    }

    /// The refusal of a payment by this account.
    pub(in crate::gate) fn by(mut self, payer: Address) -> Self {
        self.payer = Some(payer);
        self
    }

    pub(in crate::gate) fn problem(&self) -> Problem {
        self.more
            .as_deref()
            .cloned()
            .unwrap_or_else(|| Problem::new(self.code))
    }
}

impl From<ProblemCode> for Refusal {
    fn from(code: ProblemCode) -> Self {
        let error = match code {
            ProblemCode::PaymentRequired | ProblemCode::PaymentUndecodable => FIRST_CONTACT,
            ProblemCode::NoMatchingRequirements => NO_MATCH,
            other => other.reason().unwrap_or_else(|| other.as_str()),
        };
        Self::new(code, error)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let mut refusal = Self::from(problem.code());
        if let Some(reason) = problem.reason() {
            refusal.error = Cow::Owned(reason.to_owned());
        }
        refusal.more = Some(Box::new(problem));
        refusal
    }
}
