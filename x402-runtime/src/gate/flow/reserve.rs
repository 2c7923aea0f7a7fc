//! The reservation of a payment, which makes its handler run once.

use std::sync::Arc;

use x402_model::problem::ProblemCode;

use super::ledger_down;
use crate::facilitator::FacilitatorRequest;
use crate::gate::Gate;
use crate::gate::checks::{Payment, Refusal};
use crate::gate::core::Core;
use crate::gate::decision::{Found, found};
use crate::gate::present::is_same_payment;
use crate::ledger::{Begin, Event, Fingerprint, Identity, NewPayment, Record};
use crate::paywall::millis;

/// Time over a handler's own before others may think that it is gone.
const LEASE_SLACK_MS: u64 = 3_000;

/// Reserves the payment. `Some` is the record of somebody who was here before.
pub(super) async fn reserve(
    gate: &Gate,
    payment: &Payment,
    fingerprint: Fingerprint,
    owner: u64,
) -> Result<Option<Arc<Record>>, Refusal> {
    let now_ms = gate.core.clock.now_ms();
    let new = || reservation(gate, payment, fingerprint, owner, now_ms);
    let Begin::Exists(record) = begin(&gate.core, payment, new()).await? else {
        return Ok(None);
    };
    let other = record.key != payment.key;
    match found(&record, &fingerprint, now_ms) {
        Found::Reclaim => {}
        // The record is that of another payment, with the same id.
        Found::Refuse(ProblemCode::PaymentReusedForOtherRequest) if other => {
            return Err(ProblemCode::PaymentIdReused.into());
        }
        _ => return Ok(Some(record)),
    }
    Box::pin(reclaim(&gate.core, payment, new(), record)).await
}

fn reservation(
    gate: &Gate,
    payment: &Payment,
    fingerprint: Fingerprint,
    owner: u64,
    now_ms: u64,
) -> NewPayment {
    let lease_ms = lease_ms(&gate.core);
    NewPayment {
        key: payment.key.clone(),
        fingerprint,
        endpoint: gate.endpoint.id().into(),
        amount: payment.terms.amount(),
        pay_to: payment.terms.pay_to(),
        valid_before: payment.valid_before,
        request: payment.request.clone(),
        owner,
        lease_until_ms: now_ms.saturating_add(lease_ms),
        now_ms,
    }
}

/// How long whoever reserved a payment may be assumed to be alive.
pub(crate) fn lease_ms(core: &Core) -> u64 {
    let limits = &core.limits;
    let lease = limits.verify_timeout.saturating_add(limits.handler_timeout);
    let lease = lease.saturating_add(core.hook_time());
    millis(lease).saturating_add(LEASE_SLACK_MS)
}

/// Reserves the payment, under the buyer's name for the purchase if it has one.
async fn begin(core: &Core, payment: &Payment, new: NewPayment) -> Result<Begin, Refusal> {
    let begun = match &payment.id {
        None => core.ledger.begin(new).await,
        Some(id) => {
            let until_ms = new.now_ms.saturating_add(millis(core.limits.retention));
            let name = id.as_str().to_owned();
            let identity = Identity { name, until_ms };
            core.ledger.accounts().begin_identified(new, identity).await
        }
    };
    begun.map_err(|error| ledger_down(core, &error))
}

/// Takes back a reservation whose owner is gone, once.
async fn reclaim(
    core: &Core,
    payment: &Payment,
    new: NewPayment,
    record: Arc<Record>,
) -> Result<Option<Arc<Record>>, Refusal> {
    let now_ms = new.now_ms;
    let over = Event::LeaseOver { now_ms };
    core.ledger
        .advance(&record.key, over, now_ms)
        .await
        .map_err(|error| ledger_down(core, &error))?;
    let other = record.key != payment.key;
    if !other && !is_same_payment(&record.request, &payment.payload) {
        // Another authorization with the same nonce. One record must not mix the two; the next presentation finds it free.
        return Err(ProblemCode::PaymentInProgress.into());
    }
    // The first bytes of a payment stay; another payment of the same purchase brings its own.
    let request = match other {
        true => new.request.clone(),
        false => FacilitatorRequest::clone(&record.request),
    };
    match begin(core, payment, NewPayment { request, ..new }).await? {
        Begin::Reserved => Ok(None),
        Begin::Exists(record) => Ok(Some(record)),
    }
}
