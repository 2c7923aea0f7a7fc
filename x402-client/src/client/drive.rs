//! Performs what the state machine decides: the only place of the crate that does IO for a call.

use std::sync::{Arc, Mutex};

use http::StatusCode;
use tracing::{Instrument as _, Span};

use super::Shared;
use super::request::Call;
use crate::budget::Reservation;
use crate::error::Error;
use crate::flow::{CallEffect, CallEvent, CallState, Ending, PaidAnswer, classify_paid, step};
use crate::payment::PendingPayment;
use crate::receipt::Settlement;
use crate::response::Response;
use crate::select::{Choice, acceptable};
use crate::seller::SellerProblem;
use crate::target;
use crate::telemetry::event;
use crate::terms::Terms;
use crate::transport::{BodyParts, TransportError, TransportReply};

mod ending;
mod exchange;
mod hook;
mod live;
mod price;
mod sign;
mod sign_in;
mod stream;
mod tail;
mod trace;

use ending::terms_error;
pub use live::{Opened, ResponseStream};

/// One call in progress: the machine's state and the things it must not know.
pub(crate) struct Drive<'a> {
    shared: &'a Arc<Shared>,
    call: Option<Call>,
    start: (CallState, CallEvent),
    terms: Option<Terms>,
    choice: Option<Choice>,
    reservation: Option<Reservation>,
    payment: Option<PendingPayment>,
    reply: Option<TransportReply>,
    problem: Option<SellerProblem>,
    failure: Option<TransportError>,
    error: Option<Error>,
    /// Whether a success is handed over as it comes.
    is_live: bool,
    /// The body of the last reply, if it is one. Never locked: a body need not be `Sync`, but a call must be.
    live: Mutex<Option<BodyParts>>,
    span: Span,
    sends: u32,
}

impl<'a> Drive<'a> {
    pub(crate) fn start(shared: &'a Arc<Shared>, call: Call) -> Self {
        Self::new(
            shared,
            Some(call),
            None,
            (CallState::Ready, CallEvent::Begin),
        )
    }

    pub(crate) fn resume(shared: &'a Arc<Shared>, payment: PendingPayment) -> Self {
        let valid_before_ms = payment.valid_before().saturating_mul(1000);
        let state = CallState::resuming(valid_before_ms, shared.settings.retry);
        Self::new(shared, None, Some(payment), (state, CallEvent::Woke))
    }

    fn new(
        shared: &'a Arc<Shared>,
        call: Option<Call>,
        payment: Option<PendingPayment>,
        start: (CallState, CallEvent),
    ) -> Self {
        Self {
            shared,
            span: trace::call_span(call.as_ref(), payment.as_ref()),
            sends: 0,
            call,
            start,
            terms: None,
            choice: None,
            reservation: None,
            payment,
            reply: None,
            problem: None,
            failure: None,
            error: None,
            is_live: false,
            live: Mutex::default(),
        }
    }

    pub(crate) async fn run(self) -> Result<Response, Error> {
        let span = self.span.clone();
        let (drive, ending) = self.steps().instrument(span).await;
        drive.finish(ending)
    }

    /// The same call; a success is handed over as soon as its headers are there.
    pub(crate) async fn open(mut self) -> Result<Opened, Error> {
        self.is_live = true;
        let span = self.span.clone();
        let (drive, ending) = self.steps().instrument(span).await;
        drive.hand_over(ending)
    }

    async fn steps(mut self) -> (Self, Ending) {
        let (mut state, mut event) = self.start;
        if let Some(payment) = &self.payment {
            self.shared.open.add(payment.clone());
        }
        loop {
            let (next, effect) = step(state, event);
            state = next;
            event = match effect {
                CallEffect::AskPrice => self.ask().await,
                CallEffect::Choose => self.choose().await,
                CallEffect::Reserve => self.reserve(),
                CallEffect::Sign => self.sign().await,
                CallEffect::Pay => self.pay().await,
                CallEffect::Pause(pause) => {
                    self.shared.io.timer.sleep(pause).await;
                    CallEvent::Woke
                }
                CallEffect::Finish(ending) => {
                    trace::ended(&self.span, ending, self.sends);
                    return (self, ending);
                }
            };
        }
    }

    async fn ask(&mut self) -> CallEvent {
        let Some(call) = &self.call else {
            return self.fail("no call", CallEvent::AskFailed);
        };
        let request = match call.request.to_http() {
            Ok(request) => request,
            Err(fault) => {
                self.error = Some(fault.into());
                return CallEvent::AskFailed;
            }
        };
        let reply = match self.exchange(request).await {
            Ok(reply) => reply,
            Err(failure) => {
                self.error = Some(Error::Unreachable(failure));
                return CallEvent::AskFailed;
            }
        };
        if reply.status != StatusCode::PAYMENT_REQUIRED {
            self.reply = Some(reply);
            return CallEvent::AnsweredFree;
        }
        match Terms::read(
            &reply.headers,
            reply.body.bytes(),
            self.shared.settings.terms_cap,
        ) {
            Ok(terms) => {
                if let Some(event) = self.try_sign_in(&terms).await {
                    return event;
                }
                self.terms = Some(terms);
                CallEvent::TermsOffered
            }
            Err(error) => {
                self.error = Some(Error::TermsUnreadable(error));
                CallEvent::TermsUnreadable
            }
        }
    }

    async fn choose(&mut self) -> CallEvent {
        let (Some(call), Some(terms)) = (&self.call, &self.terms) else {
            return self.fail("no terms", CallEvent::NothingAcceptable);
        };
        self.shared.budget.expire(self.now_seconds());
        let choices = match acceptable(terms, &call.buyer(self.shared)) {
            Ok(choices) => choices,
            Err(refusals) => {
                self.error = Some(Error::NothingAcceptable(refusals));
                return CallEvent::NothingAcceptable;
            }
        };
        match self.ask_which(call, choices).await {
            Ok(choice) => {
                tracing::debug!(
                    name: event::CHOSEN,
                    host = %target::host(&call.request.url),
                    amount = %choice.amount,
                    asset = %choice.asset.symbol,
                    network = %choice.asset.network,
                    "payment option chosen"
                );
                self.choice = Some(choice);
                CallEvent::Chosen
            }
            Err(declined) => {
                self.error = Some(Error::Declined(declined));
                CallEvent::Declined
            }
        }
    }

    fn reserve(&mut self) -> CallEvent {
        let (Some(call), Some(choice)) = (&self.call, &self.choice) else {
            return self.fail("nothing chosen", CallEvent::OverBudget);
        };
        let host = target::host(&call.request.url);
        match self
            .shared
            .budget
            .reserve(&choice.asset, choice.amount, &host)
        {
            Ok(reservation) => {
                self.reservation = Some(reservation);
                CallEvent::Reserved
            }
            Err(refusal) => {
                self.error = Some(Error::OverBudget(refusal));
                CallEvent::OverBudget
            }
        }
    }

    async fn pay(&mut self) -> CallEvent {
        let Some(payment) = &self.payment else {
            return self.fail("nothing signed", CallEvent::SignFailed);
        };
        let request = match payment.request(self.shared.settings.allow_http) {
            Ok(request) => request,
            Err(fault) => {
                // Only a payment from storage can be damaged like this.
                self.error = Some(fault.into());
                return CallEvent::SignFailed;
            }
        };
        self.sends = self.sends.saturating_add(1);
        let outcome = self.exchange(request).await;
        let now_ms = self.shared.settings.clock.now_ms();
        match outcome {
            Ok(reply) => {
                let reply = self.read_paid(reply);
                CallEvent::PaidAnswered { reply, now_ms }
            }
            Err(failure) => {
                tracing::debug!(name: event::NO_ANSWER, kind = %failure.kind(), "no answer to a paid request");
                let may_have_arrived = failure.may_have_arrived();
                self.failure = Some(failure);
                CallEvent::PayFailed {
                    may_have_arrived,
                    now_ms,
                }
            }
        }
    }

    fn read_paid(&mut self, mut reply: TransportReply) -> crate::flow::PaidReply {
        self.failure = None;
        let broke_off = stream::take_end(&mut reply, self.shared.settings.terms_cap);
        let mut settlement = Settlement::Unreported;
        if let Some(payment) = self.payment.take() {
            let cap = self.shared.settings.terms_cap;
            let receipt;
            (settlement, receipt) = payment.receipt().reported(&reply.headers, cap);
            if receipt.is_settled() {
                self.shared.budget.settled(&receipt);
            }
            self.payment = Some(payment.with_receipt(receipt));
        }
        // A stream that broke off began like any success.
        let status = match &broke_off {
            Some(_) => StatusCode::INTERNAL_SERVER_ERROR,
            None => reply.status,
        };
        let is_error = status.is_client_error() || status.is_server_error();
        self.problem = match broke_off {
            None if is_error => SellerProblem::parse(reply.body.bytes()),
            problem => problem,
        };
        let terms_error = terms_error(&reply, self.shared.settings.terms_cap);
        let meaning = classify_paid(&PaidAnswer {
            status,
            headers: &reply.headers,
            settlement: &settlement,
            problem: self.problem.as_ref(),
            terms_error: terms_error.as_deref(),
        });
        tracing::debug!(name: event::ANSWERED, status = status.as_u16(), ?meaning, "paid request answered");
        self.reply = Some(reply);
        meaning
    }

    fn now_seconds(&self) -> u64 {
        self.shared.settings.clock.now_ms() / 1000
    }

    fn fail(&mut self, what: &'static str, event: CallEvent) -> CallEvent {
        self.error = Some(Error::Internal(what));
        event
    }
}
