//! Where the seller has a word in the life of a payment, and where it hears of it. Without hooks none of this does anything.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use x402_model::money::AtomicAmount;
use x402_model::problem::{Charged, ProblemCode};

use super::answers::Outcome;
use super::checks::{Payment, Refusal};
use super::core::Core;
use super::decision::UNNAMED_REFUSAL;
use super::{Gate, flow};
use crate::credit::rail::is_credit;
use crate::facilitator::FacilitatorRequest;
use crate::hooks::{Call, Failure, Hooks, Stage};
use crate::ledger::{PaymentKey, Record, State};

/// What came to nothing, where and why.
type Failed = (Stage, &'static str, Option<String>);

/// The call as hooks see it, if there are any.
pub(super) fn call(
    gate: &Gate,
    method: &Method,
    path: &str,
    payment: &Payment,
) -> Option<Arc<Call>> {
    gate.core.hooks.as_ref()?;
    Some(Arc::new(Call::new(
        method.clone(),
        path,
        payment.key.clone(),
        Arc::clone(&payment.terms),
    )))
}

/// Whether seller and facilitator let a payment be served that is reserved: nobody else can be serving it, so a refusal is
/// certain to have charged nothing.
pub(super) async fn allowed(
    gate: &Gate,
    call: Option<&Call>,
    to_check: Option<&FacilitatorRequest>,
) -> Result<(), Refusal> {
    let (core, endpoint) = (&gate.core, gate.endpoint.id());
    let hooks = core.hooks.as_ref().zip(call);
    if let Some((hooks, call)) = hooks {
        hooks.before_verify(endpoint, call).await?;
    }
    if let Some(request) = to_check {
        flow::verify(core, request).await?;
    }
    if let Some((hooks, call)) = hooks {
        hooks.after_verify(endpoint, call).await?;
    }
    Ok(())
}

/// A presentation ended. What became of its settlement is told where the settlement is made.
pub(super) fn ended(gate: &Gate, call: &Call, outcome: &Outcome) {
    if let Some(failed) = failure_of(outcome) {
        tell(gate, failed, call.key(), call.terms().amount());
    }
}

/// The chain did not approve the signature of a payer that is a contract.
pub(super) fn unproven(gate: &Gate, payment: &Payment, refusal: &Refusal) {
    if let Some(failed) = refused(refusal) {
        tell(gate, failed, &payment.key, payment.terms.amount());
    }
}

fn tell(gate: &Gate, failed: Failed, key: &PaymentKey, amount: AtomicAmount) {
    if let Some(hooks) = &gate.core.hooks {
        let failure = Failure::new(failed, gate.endpoint.id(), key, amount);
        hooks.failed(&gate.core.tasks, failure);
    }
}

fn failure_of(outcome: &Outcome) -> Option<Failed> {
    match outcome {
        Outcome::Uncharged(response) => {
            let status = response.status().as_str().to_owned();
            Some((Stage::Serve, "handler_failed", Some(status)))
        }
        Outcome::Refused(refusal) => refused(refusal),
        Outcome::Paid(_) | Outcome::Streams(_) | Outcome::NotSettled(..) | Outcome::Pending(_) => {
            None
        }
    }
}

fn refused(refusal: &Refusal) -> Option<Failed> {
    let stage = stage_of(refusal.code)?;
    let reason = refusal.problem().reason().map(str::to_owned);
    Some((stage, refusal.code.as_str(), reason))
}

/// Where a payment is refused with this code; `None` where the payment is not what is wrong, or known.
fn stage_of(code: ProblemCode) -> Option<Stage> {
    match code {
        ProblemCode::RefusedBySeller | ProblemCode::SellerCheckFailed => Some(Stage::Hook),
        ProblemCode::HandlerTimeout
        | ProblemCode::HandlerPanicked
        | ProblemCode::UsageUnmetered
        | ProblemCode::AnswerTooLarge => Some(Stage::Serve),
        ProblemCode::FacilitatorUnavailable => Some(Stage::Verify),
        // Of a payment that was tried before, and told then.
        ProblemCode::PaymentExpired
        | ProblemCode::PaymentCancelled
        | ProblemCode::SettlementRefused => None,
        code if code.charged() == Charged::No && matches!(code.http_status(), 402 | 412) => {
            Some(Stage::Verify)
        }
        _ => None,
    }
}

impl Core {
    /// How much longer a payment may take because of hooks.
    pub(crate) fn hook_time(&self) -> Duration {
        let hooks = self.hooks.as_ref();
        // Both that are asked.
        hooks.map_or(Duration::ZERO, |hooks| hooks.time().saturating_mul(2))
    }

    /// The hooks, where they are to hear of this payment. They hear of the purchase of credit, and of no call that is paid from
    /// it: its money would be told twice.
    fn hooks_of(&self, key: &PaymentKey) -> Option<&Hooks> {
        let hooks = self.hooks.as_ref();
        hooks.filter(|_| !is_credit(&key.network))
    }

    /// The money of a payment moved.
    pub(crate) fn settled(&self, record: &Record) {
        self.metrics.settled(record);
        if let Some(hooks) = self.hooks_of(&record.key) {
            hooks.settled(&self.tasks, record);
        }
    }

    /// A settle call ended without a settlement.
    pub(crate) fn unsettled(&self, record: &Record, code: Option<&str>) {
        let refused = (
            ProblemCode::SettlementRefused,
            Some(code.unwrap_or(UNNAMED_REFUSAL)),
        );
        let (code, reason) = match record.state {
            State::Served => refused,
            _ => (ProblemCode::SettlementPending, None),
        };
        self.came_to_nothing(record, code, reason.map(str::to_owned));
    }

    /// The resolver looks at a payment.
    pub(crate) fn looked_at(&self, record: &Record) {
        if let Some(hooks) = self.hooks_of(&record.key) {
            hooks.settled_before(&self.tasks, record);
        }
    }

    /// The resolver moved a payment on from `before`.
    pub(crate) fn moved(&self, record: &Record, before: State) {
        if record.state.is_paid() && !before.is_paid() {
            self.settled(record);
        }
        if record.state != before {
            match record.state {
                State::Failed => self.came_to_nothing(record, self.end_of(record), None),
                // Its settler is gone in the middle of the call, or the settlement left the chain.
                State::Unknown => {
                    self.came_to_nothing(record, ProblemCode::SettlementPending, None);
                }
                _ => {}
            }
        }
        if let Some(hooks) = self.hooks.as_ref().filter(|_| record.state.is_closed()) {
            hooks.closed(&record.key);
        }
    }

    /// Why a payment can never be charged.
    fn end_of(&self, record: &Record) -> ProblemCode {
        match self.clock.now_ms() >= record.valid_before.saturating_mul(1000) {
            true => ProblemCode::PaymentExpired,
            false => ProblemCode::PaymentCancelled,
        }
    }

    fn came_to_nothing(&self, record: &Record, code: ProblemCode, reason: Option<String>) {
        if let Some(hooks) = self.hooks_of(&record.key) {
            let failed = (Stage::Settle, code.as_str(), reason);
            let endpoint = Arc::clone(&record.endpoint);
            let failure = Failure::new(failed, endpoint, &record.key, record.amount);
            hooks.failed(&self.tasks, failure);
        }
    }
}
