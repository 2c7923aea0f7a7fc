//! Payments that the seller did not take.

use std::fmt;

use alloy_primitives::Address;
use http::StatusCode;
use x402_model::asset::checksum;
use x402_model::evm::permit2::PERMIT2;
use x402_model::problem::{Action, Charged, ProblemCode};

use crate::payment::PendingPayment;
use crate::receipt::{Receipt, Settlement};
use crate::seller::SellerProblem;

/// A payment that the seller refused. The authorization stays valid until it expires, so the budget stays charged.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refused {
    /// Status of the answer.
    pub status: StatusCode,
    /// The seller's code, as bounded visible ASCII: from the problem, the settlement report or the new terms.
    pub code: String,
    /// The seller's problem, if it sent one.
    pub problem: Option<SellerProblem>,
    /// What was paid or offered.
    pub receipt: Receipt,
    /// The payment, to present it again after all.
    pub pending: PendingPayment,
}

impl Refused {
    /// What the seller says about charging; without a word from it, maybe: sellers of several packages answer 402
    /// also when a settlement succeeded and its answer was lost.
    pub fn charged(&self) -> Charged {
        let said = self.problem.as_ref().and_then(SellerProblem::charged);
        match (&self.receipt.settlement, said) {
            (Settlement::Settled, _) => Charged::Yes,
            (_, Some(said)) => said,
            _ => Charged::Maybe,
        }
    }
}

impl Refused {
    /// What the seller proposes, or what its code usually means; stop if nobody knows. A new payment is never made
    /// without the caller.
    pub fn action(&self) -> Action {
        let said = self.problem.as_ref().and_then(SellerProblem::action);
        said.or_else(|| ProblemCode::from_reason(&self.code).map(ProblemCode::action))
            .unwrap_or(Action::Stop)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the seller refused the payment of {} with {} ({})",
            self.receipt.amount_text(),
            self.code,
            self.status
        )
    }
}

/// A payment through Permit2 that cannot be charged, because the payer has not approved Permit2 for the token.
///
/// Approve once, by [`ApprovalRequired::token`]'s `approve(spender, amount)` from the payer's account, and then hand the payment
/// to [`crate::Client::resume`] while it is valid. With a [`ChainReader`](crate::chain::ChainReader) the client approves by
/// itself where the seller pays the gas. The payment stays valid until it expires, so the budget stays charged.
#[derive(Debug)]
#[non_exhaustive]
pub struct ApprovalRequired {
    /// Status of the answer.
    pub status: StatusCode,
    /// The seller's problem, if it sent one.
    pub problem: Option<SellerProblem>,
    /// What was offered: [`Receipt::amount`] is the least allowance that does.
    pub receipt: Receipt,
    /// The payment, to present it again once the approval is there.
    pub pending: PendingPayment,
}

impl ApprovalRequired {
    /// The token whose contract is to be called.
    pub const fn token(&self) -> Address {
        self.receipt.asset
    }

    /// Whom to approve: Permit2, which moves nothing without a signature of the payer.
    pub const fn spender(&self) -> Address {
        PERMIT2
    }

    /// No, as the seller's refusal means that the transfer could not be made; unless the seller says otherwise.
    pub fn charged(&self) -> Charged {
        let said = self.problem.as_ref().and_then(SellerProblem::charged);
        match &self.receipt.settlement {
            Settlement::Settled => Charged::Yes,
            _ => said.unwrap_or(Charged::No),
        }
    }
}

impl fmt::Display for ApprovalRequired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} has to approve Permit2 ({}) for {} of the token {} on {} first",
            checksum(self.receipt.payer),
            checksum(self.spender()),
            self.receipt.amount_text(),
            checksum(self.token()),
            self.receipt.network
        )
    }
}
