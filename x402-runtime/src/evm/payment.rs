//! One payment, however it moves: what verification, settlement and evidence have in common for all of them.

use alloy_primitives::{Address, B256, U256};
use x402_model::evm::Signature;
use x402_model::evm::permit2::PERMIT2;

use crate::evm::exact::Exact;
use crate::evm::permitted::Permitted;
use crate::evm::reason::{self, Stop};
use crate::evm::request::Parts;
use crate::facilitator::FacilitatorRequest;

/// What identifies a payment on one chain. Not the nonce alone: two payers may use the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PaymentId {
    pub(crate) asset: Address,
    pub(crate) payer: Address,
    pub(crate) nonce: B256,
}

/// What keeps the nonces of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rail {
    /// The token itself.
    Eip3009,
    /// Permit2.
    Permit2,
    /// One of both; whoever asks does not know which.
    Either,
}

/// The codes that the same thing has on different rails.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Codes {
    pub(crate) expired: &'static str,
    pub(crate) nonce_used: &'static str,
    pub(crate) transaction_failed: &'static str,
}

const EIP3009_CODES: Codes = Codes {
    expired: reason::VALID_BEFORE,
    nonce_used: reason::NONCE_ALREADY_USED,
    transaction_failed: reason::TRANSACTION_FAILED,
};

const PERMIT2_CODES: Codes = Codes {
    expired: reason::PERMIT2_DEADLINE_EXPIRED,
    nonce_used: reason::PERMIT2_INVALID_NONCE,
    transaction_failed: reason::TRANSACTION_FAILED,
};

/// A well-formed payment and the terms it must meet.
#[derive(Debug, Clone)]
pub(crate) enum Payment {
    Eip3009(Box<Exact>),
    Permit2(Box<Permitted>),
}

impl Payment {
    /// Reads a request into the one payment it asks about.
    pub(crate) fn read(request: &FacilitatorRequest, chain_id: u64) -> Result<Self, Stop> {
        let payment = request.payload.to_value();
        let terms = request.requirements.to_value();
        let parts = Parts::read(request, &payment, &terms)?;
        let (_, scheme) = parts.schemes();
        if scheme == Some("upto") {
            return Permitted::read_upto(&parts, chain_id).map(|p| Self::Permit2(Box::new(p)));
        }
        let has = |key: &str| parts.payload().get(key).is_some_and(|v| !v.is_null());
        match (has("authorization"), has("permit2Authorization")) {
            (true, true) => reason::refuse(
                reason::INVALID_PAYLOAD,
                "a payload with two authorizations could be read as two payments",
            ),
            (false, true) => {
                Permitted::read_exact(&parts, chain_id).map(|p| Self::Permit2(Box::new(p)))
            }
            _ => Exact::read(&parts, chain_id).map(|p| Self::Eip3009(Box::new(p))),
        }
    }

    pub(crate) fn id(&self) -> PaymentId {
        match self {
            Self::Eip3009(exact) => exact.id(),
            Self::Permit2(permitted) => permitted.id(),
        }
    }

    /// What no two settlements may share at a time. Permit2 has one nonce for all tokens of a payer: two payments that
    /// share it would cost the gas of two transactions and only one can move money.
    pub(crate) fn lane(&self) -> PaymentId {
        let id = self.id();
        match self {
            Self::Eip3009(_) => id,
            Self::Permit2(_) => PaymentId {
                asset: PERMIT2,
                ..id
            },
        }
    }

    pub(crate) const fn rail(&self) -> Rail {
        match self {
            Self::Eip3009(_) => Rail::Eip3009,
            Self::Permit2(_) => Rail::Permit2,
        }
    }

    pub(crate) fn codes(&self) -> Codes {
        match self {
            Self::Eip3009(_) => EIP3009_CODES,
            Self::Permit2(permitted) if permitted.is_upto() => Codes {
                transaction_failed: reason::UPTO_TRANSACTION_FAILED,
                ..PERMIT2_CODES
            },
            Self::Permit2(_) => PERMIT2_CODES,
        }
    }

    /// A digest over everything that decides the outcome.
    pub(crate) fn fingerprint(&self) -> B256 {
        match self {
            Self::Eip3009(exact) => exact.fingerprint(),
            Self::Permit2(permitted) => permitted.fingerprint(),
        }
    }

    /// The digest that the payer has signed.
    pub(crate) fn digest(&self) -> B256 {
        match self {
            Self::Eip3009(exact) => exact.digest(),
            Self::Permit2(permitted) => permitted.digest(),
        }
    }

    /// The payer's signature; `None` when what came as one is none.
    pub(crate) fn signature(&self) -> Option<&Signature> {
        match self {
            Self::Eip3009(exact) => Some(&exact.payload.signature),
            Self::Permit2(permitted) => permitted.signature.as_ref(),
        }
    }

    /// Unix seconds after which it is worthless.
    pub(crate) fn valid_until(&self) -> U256 {
        match self {
            Self::Eip3009(exact) => exact.payload.authorization.valid_before,
            Self::Permit2(permitted) => permitted.authorization.deadline,
        }
    }

    pub(crate) const fn pay_to(&self) -> Address {
        match self {
            Self::Eip3009(exact) => exact.pay_to,
            Self::Permit2(permitted) => permitted.pay_to,
        }
    }

    /// What is charged.
    pub(crate) const fn amount(&self) -> U256 {
        match self {
            Self::Eip3009(exact) => exact.amount,
            Self::Permit2(permitted) => permitted.amount,
        }
    }

    /// The first second at which no block can take it any more.
    pub(crate) fn dead_at(&self) -> U256 {
        match self {
            // The token wants blocks before this time, Permit2 takes the second itself.
            Self::Eip3009(exact) => exact.payload.authorization.valid_before,
            Self::Permit2(permitted) => permitted.authorization.deadline.saturating_add(U256::ONE),
        }
    }

    /// The charge, where it may differ from what the terms of the 402 said.
    pub(crate) fn metered(&self) -> Option<String> {
        match self {
            Self::Permit2(permitted) if permitted.is_upto() => Some(permitted.amount.to_string()),
            _ => None,
        }
    }

    /// The only account that may settle it, if the payer has named one.
    pub(crate) fn settler(&self) -> Option<Address> {
        match self {
            Self::Eip3009(_) => None,
            Self::Permit2(permitted) => permitted.authorization.witness.facilitator(),
        }
    }
}
