//! Whether an authorization pays what the terms ask for: kind, receiver, amount, time and signature.

use std::sync::Arc;

use x402_model::evm::{EvmKind, EvmPayload, reason};
use x402_model::problem::{Problem, ProblemCode};

use super::{Payment, Presented, Refusal};
use crate::bind::Terms;
use crate::facilitator::FacilitatorRequest;
use crate::gate::Gate;
use crate::ledger::PaymentKey;
use crate::verify::{Signer, signer};

/// Why an authorization does not pay what the terms ask for, in the order of protocol 3.1 and 3.4.
pub(super) fn misfit(terms: &Terms, signed: &EvmPayload) -> Option<Refusal> {
    let by =
        |code: ProblemCode, reason: &str| Refusal::from(Problem::new(code).with_reason(reason));
    let EvmPayload::Permit2(payment) = signed else {
        return if terms.kind() != EvmKind::Eip3009Exact {
            Some(ProblemCode::PayloadMalformed.into())
        } else if signed.pay_to() != terms.pay_to() {
            Some(ProblemCode::RecipientMismatch.into())
        } else if signed.amount() != terms.amount().get() {
            Some(ProblemCode::ValueMismatch.into())
        } else {
            None
        };
    };
    let authorization = &payment.authorization;
    if signed.kind() != terms.kind() {
        Some(ProblemCode::PayloadMalformed.into())
    } else if authorization.spender != authorization.witness.proxy() {
        Some(by(ProblemCode::PayloadMalformed, reason::PERMIT2_SPENDER))
    } else if signed.pay_to() != terms.pay_to() {
        Some(by(
            ProblemCode::RecipientMismatch,
            reason::PERMIT2_RECIPIENT_MISMATCH,
        ))
    } else if signed.amount() != terms.amount().get() {
        Some(by(
            ProblemCode::ValueMismatch,
            reason::PERMIT2_AMOUNT_MISMATCH,
        ))
    } else if authorization.permitted.token != terms.asset().address {
        Some(by(
            ProblemCode::PayloadMalformed,
            reason::PERMIT2_TOKEN_MISMATCH,
        ))
    } else if authorization.witness.facilitator() != terms.facilitator() {
        Some(by(
            ProblemCode::PayloadMalformed,
            reason::UPTO_FACILITATOR_MISMATCH,
        ))
    } else {
        None
    }
}

/// The refusal of a payment out of time, in the words of its kind.
fn out_of_time(code: ProblemCode, kind: EvmKind) -> Refusal {
    let said = match (kind, code) {
        (EvmKind::Eip3009Exact, _) => return code.into(),
        (_, ProblemCode::ValidAfter) => reason::PERMIT2_NOT_YET_VALID,
        _ => reason::PERMIT2_DEADLINE_EXPIRED,
    };
    Problem::new(code).with_reason(said).into()
}

/// Checks time and signature of an authorization that pays what the terms ask for.
pub(super) fn fit(
    gate: &Gate,
    terms: Arc<Terms>,
    signed: EvmPayload,
    request: FacilitatorRequest,
    now_ms: u64,
) -> Result<Presented, Refusal> {
    let key = key_of(&terms, &signed);
    let payer = key.payer;
    let valid_before = match valid_before(gate, &terms, &signed, now_ms / 1000) {
        Ok(valid_before) => valid_before,
        Err(code) => {
            let refusal = out_of_time(code, terms.kind()).by(payer);
            return Ok(Presented::Late(Box::new((key, signed)), refusal));
        }
    };
    let signed_by = signer(&signed, terms.separator());
    let payment = Box::new(Payment {
        terms,
        payload: signed,
        key,
        valid_before,
        request,
        id: None,
    });
    match signed_by {
        Signer::Payer => Ok(Presented::Proven(payment)),
        Signer::SomebodyElse => Ok(Presented::Unproven(payment)),
        Signer::Wrapped if factory_allowed(gate, &payment.payload) => {
            Ok(Presented::Unproven(payment))
        }
        Signer::Wrapped => Err(Refusal::from(ProblemCode::Eip6492FactoryNotAllowed).by(payer)),
        // The token itself would refuse it, which is what a trial run would find out.
        Signer::PayerInRefusedForm => Err(Refusal::from(ProblemCode::SimulationFailed).by(payer)),
    }
}

pub(super) fn key_of(terms: &Terms, signed: &EvmPayload) -> PaymentKey {
    PaymentKey {
        network: terms.network().clone(),
        asset: terms.asset().address,
        payer: signed.payer(),
        nonce: signed.nonce(),
    }
}

/// `validBefore`, if the payment is valid now, long enough to be settled, and not for longer than the terms say.
fn valid_before(
    gate: &Gate,
    terms: &Terms,
    signed: &EvmPayload,
    now: u64,
) -> Result<u64, ProblemCode> {
    let limits = &gate.core.limits;
    let valid_before =
        u64::try_from(signed.valid_until()).map_err(|_| ProblemCode::ValidityTooLong)?;
    let valid_after = u64::try_from(signed.valid_after()).map_err(|_| ProblemCode::ValidAfter)?;
    let latest = now
        .saturating_add(terms.max_timeout_seconds())
        .saturating_add(limits.clock_skew_seconds);
    if valid_before < now.saturating_add(limits.min_remaining_seconds()) {
        Err(ProblemCode::ValidBefore)
    } else if valid_after > now {
        Err(ProblemCode::ValidAfter)
    } else if valid_before > latest {
        Err(ProblemCode::ValidityTooLong)
    } else {
        Ok(valid_before)
    }
}

fn factory_allowed(gate: &Gate, signed: &EvmPayload) -> bool {
    match signed.signature().unwrap_erc6492() {
        Ok(Some(wrapper)) => gate.core.factories.contains(&wrapper.factory),
        Ok(None) | Err(_) => false,
    }
}
