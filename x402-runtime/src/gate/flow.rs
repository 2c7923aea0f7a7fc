//! The life of one payment inside a tracked task: reserve, run the handler, store its answer, settle.

mod reserve;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::response::Parts;
use axum::response::Response;
use futures_util::FutureExt;
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;
use tracing::field::Empty;
use x402_model::money::AtomicAmount;
use x402_model::problem::{Problem, ProblemCode};

use self::reserve::reserve;
use super::Gate;
use super::answers::{self, Outcome};
use super::body::{Unread, collect};
use super::checks::{Payment, Refusal};
use super::core::{Core, Place};
use super::decision::{Found, found, verification};
use super::metering::Metering;
use super::seller::allowed;
use super::settle::{Attempt, attempt, first_attempt};
use super::stream::{self, Running};
use crate::credit::sale;
use crate::facilitator::{BoxFuture, FacilitatorRequest};
use crate::hooks::Call;
use crate::ledger::{Event, Fingerprint, LedgerError, PaymentKey, Record, StoredAnswer};
use crate::paywall::PROTOCOL_MARGIN_SECONDS;
use crate::telemetry::{event, span};

pub(crate) use reserve::lease_ms;

/// One presentation of a verified payment.
pub(super) struct Job {
    pub(super) gate: Arc<Gate>,
    pub(super) payment: Box<Payment>,
    pub(super) fingerprint: Fingerprint,
    /// What the seller's hooks are asked about, if there are any.
    pub(super) call: Option<Arc<Call>>,
    /// The handler's answer; runs the handler when polled.
    pub(super) answer: BoxFuture<'static, Response>,
    /// Where the price is metered: how.
    pub(super) metering: Option<Metering>,
    /// Its place among the payments in flight.
    pub(super) place: Place,
}

/// The refusal when the store does not work: no service without a record.
pub(super) fn ledger_down(core: &Core, error: &LedgerError) -> Refusal {
    core.ledger_failed(error);
    match error {
        LedgerError::Overloaded => ProblemCode::Overloaded.into(),
        _ => ProblemCode::LedgerUnavailable.into(),
    }
}

/// Asks the facilitator whether a payment would settle.
pub(super) async fn verify(core: &Core, request: &FacilitatorRequest) -> Result<(), Problem> {
    let span = tracing::info_span!(span::VERIFY, outcome = Empty);
    let verified = ask(core, request).instrument(span.clone()).await;
    let outcome = match &verified {
        Ok(()) => "valid",
        Err(problem) if problem.code() == ProblemCode::FacilitatorUnavailable => "failed",
        Err(_) => "invalid",
    };
    span.record("outcome", outcome);
    verified
}

async fn ask(core: &Core, request: &FacilitatorRequest) -> Result<(), Problem> {
    let response = match timeout(core.limits.verify_timeout, core.facilitator.verify(request)).await
    {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::warn!(name: event::VERIFY_FAILED, error = %error.to_string().escape_debug(), "the facilitator did not verify");
            return Err(Problem::new(ProblemCode::FacilitatorUnavailable));
        }
        Err(_) => {
            tracing::warn!(name: event::VERIFY_FAILED, error = "no answer in time", "the facilitator did not verify");
            return Err(Problem::new(ProblemCode::FacilitatorUnavailable));
        }
    };
    verification(&response).map_err(|(code, reason)| {
        let message = response.invalid_message.as_deref().unwrap_or_default();
        tracing::info!(name: event::INVALID, reason, detail = %message.escape_debug(), "a payment was found invalid");
        Problem::new(code).with_reason(&reason)
    })
}

/// How a handler ended.
pub(super) enum Ran {
    /// With an answer worth its price, or worth what was metered.
    Answered(StoredAnswer, Option<AtomicAmount>),
    /// With the head of an answer that leaves while it is made.
    Streams(Box<(Parts, Body)>),
    /// With an answer of status 400 or more, which costs nothing.
    Failed(Response),
    /// Without an answer.
    Broken(ProblemCode),
}

impl Job {
    /// Runs the payment to its end. Dropping the connection does not stop it.
    pub(super) async fn run(self) -> Outcome {
        self.go().await.unwrap_or_else(Outcome::Refused)
    }

    async fn go(self) -> Result<Outcome, Refusal> {
        let Self {
            gate,
            payment,
            fingerprint,
            call,
            answer,
            metering,
            place,
        } = self;
        let core = &gate.core;
        let owner = core.owner();
        // The ledger takes the request; only a check before serving needs it too.
        let checks = core.facilitator.check_before_serving();
        let to_check = checks.then(|| payment.request.clone());
        let (key, valid_before) = (payment.key.clone(), payment.valid_before);
        if let Some(record) = reserve(&gate, &payment, fingerprint, owner).await? {
            return Box::pin(known(core, record, &fingerprint)).await;
        }
        drop(payment);
        crate::failpoint("c1_reserved");
        let reservation = Reservation::of(core, &key, owner);
        if (call.is_some() || to_check.is_some())
            && let Err(refusal) = Box::pin(allowed(&gate, call.as_deref(), to_check.as_ref())).await
        {
            reservation.release().await;
            return Err(refusal);
        }
        let span = tracing::info_span!(span::HANDLER, endpoint = gate.endpoint.id());
        let started = Instant::now();
        let ran = handle(&gate, valid_before, answer, metering.as_ref())
            .instrument(span)
            .await;
        gate.metrics.handled(started.elapsed());
        crate::failpoint("c2_handler_ran");
        let unpaid = match ran {
            Ran::Answered(answer, charge) => {
                let answered = Event::answered(owner, answer, charge);
                let attempt = first_attempt(core, &key, answered).await;
                return first(core, attempt, &fingerprint).await;
            }
            Ran::Streams(head) => {
                let running = Running {
                    gate: Arc::clone(&gate),
                    key,
                    owner,
                    fingerprint,
                    valid_before,
                    call,
                    place,
                };
                return Box::pin(stream::begin(running, metering, *head)).await;
            }
            Ran::Failed(response) => Ok(Outcome::Uncharged(response)),
            Ran::Broken(code) => Err(code.into()),
        };
        reservation.release().await;
        unpaid
    }
}

/// Answers a payment that the ledger knows already.
async fn known(
    core: &Core,
    record: Arc<Record>,
    fingerprint: &Fingerprint,
) -> Result<Outcome, Refusal> {
    match found(&record, fingerprint, core.clock.now_ms()) {
        Found::Show => {
            booked(core, &record).await?;
            Ok(Outcome::Paid(record))
        }
        Found::Pending => Ok(Outcome::pending(&record)),
        Found::Refuse(code) => Err(code.into()),
        Found::Reclaim => Err(ProblemCode::PaymentInProgress.into()),
        Found::Settle => after(core, attempt(core, &record.key).await, fingerprint).await,
    }
}

/// What a settled payment bought is there before its answer is shown.
pub(super) async fn booked(core: &Core, record: &Record) -> Result<(), Refusal> {
    sale::book(core, record)
        .await
        .map_err(|error| ledger_down(core, &error))
}

/// What the first attempt to settle means for the buyer; `None` where there was nothing to settle.
async fn first(
    core: &Core,
    attempt: Result<Option<Attempt>, LedgerError>,
    fingerprint: &Fingerprint,
) -> Result<Outcome, Refusal> {
    match attempt.transpose() {
        // The lease ran out and the reservation went to somebody else, or to nobody: this answer is not the one.
        None => Err(ProblemCode::PaymentInProgress.into()),
        Some(attempt) => after(core, attempt, fingerprint).await,
    }
}

/// What an attempt to settle means for the buyer.
pub(super) async fn after(
    core: &Core,
    attempt: Result<Attempt, LedgerError>,
    fingerprint: &Fingerprint,
) -> Result<Outcome, Refusal> {
    match attempt {
        Ok(Attempt::Settled(record)) => Ok(Outcome::Paid(record)),
        Ok(Attempt::Refused(record, code)) => Ok(Outcome::NotSettled(record, code)),
        Ok(Attempt::Open(record)) => Ok(Outcome::pending(&record)),
        Ok(Attempt::Lost(None)) => Err(ProblemCode::SettlementPending.into()),
        Ok(Attempt::Lost(Some(record))) => match found(&record, fingerprint, core.clock.now_ms()) {
            // Settled by somebody else, who may not have come to the booking.
            Found::Show => {
                booked(core, &record).await?;
                Ok(Outcome::Paid(record))
            }
            Found::Refuse(code) => Err(code.into()),
            Found::Pending | Found::Settle | Found::Reclaim => Ok(Outcome::pending(&record)),
        },
        // The answer may be stored, so the money may still move: by a call that was made, or later by the resolver.
        Err(error) => {
            core.ledger_failed(&error);
            Err(ProblemCode::SettlementPending.into())
        }
    }
}

/// A reservation that belongs to this task.
struct Reservation<'a> {
    core: &'a Core,
    key: &'a PaymentKey,
    owner: u64,
}

impl<'a> Reservation<'a> {
    const fn of(core: &'a Core, key: &'a PaymentKey, owner: u64) -> Self {
        Self { core, key, owner }
    }

    /// Makes the payment free again. Should the store fail, the lease's end does it.
    async fn release(&self) {
        let event = Event::HandlerFailed { owner: self.owner };
        if let Err(error) = self
            .core
            .ledger
            .advance(self.key, event, self.core.clock.now_ms())
            .await
        {
            self.core.ledger_failed(&error);
        }
    }
}

/// Runs the handler within its time and collects its answer within its size.
pub(super) async fn handle(
    gate: &Gate,
    valid_before: u64,
    answer: BoxFuture<'static, Response>,
    metering: Option<&Metering>,
) -> Ran {
    let core = &gate.core;
    let now = core.clock.now_ms() / 1000;
    // A payment that is near its end must still be there to be settled when the handler is done.
    let left = valid_before
        .saturating_sub(now)
        .saturating_sub(PROTOCOL_MARGIN_SECONDS);
    if left == 0 {
        // Reading the body or asking the facilitator took too long: nothing that is done now could be paid for.
        return Ran::Broken(ProblemCode::ValidBefore);
    }
    let time = core.limits.handler_timeout.min(Duration::from_secs(left));
    let run = async {
        let (parts, body) = answer.await.into_parts();
        if metering.is_some() && stream::is_stream(&parts) {
            return Ran::Streams(Box::new((parts, body)));
        }
        // Failed answers are read too, so that the connection sees no body that panics or never ends.
        match collect(body, core.limits.answer_cap).await {
            // No answer at all: HTTP has nothing to send for it.
            Ok(_) if parts.status.is_informational() => Ran::Broken(ProblemCode::HandlerPanicked),
            Ok(body) if parts.status.as_u16() >= 400 => {
                Ran::Failed(Response::from_parts(parts, Body::from(body)))
            }
            Ok(body) => match metering.map(|metering| metering.charge(gate, &parts, &body)) {
                None => Ran::Answered(answers::store(&parts, body), None),
                Some(Ok(charge)) => Ran::Answered(answers::store(&parts, body), Some(charge)),
                Some(Err(code)) => Ran::Broken(code),
            },
            Err(Unread::TooLarge) => Ran::Broken(ProblemCode::AnswerTooLarge),
            Err(Unread::Broken) => Ran::Broken(ProblemCode::HandlerPanicked),
        }
    };
    match timeout(time, AssertUnwindSafe(run).catch_unwind()).await {
        Ok(Ok(ran)) => ran,
        Ok(Err(_panic)) => Ran::Broken(ProblemCode::HandlerPanicked),
        Err(_) => Ran::Broken(ProblemCode::HandlerTimeout),
    }
}
