//! The life of one call that is paid from credit, inside a tracked task.

mod taken;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use alloy_primitives::Address;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::FutureExt as _;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;
use x402_model::money::AtomicAmount;
use x402_model::problem::{Problem, ProblemCode};

use self::taken::{after, free, show};
use super::{Caller, Short, counted};
use crate::credit::rail::{CreditTerms, hold_of};
use crate::credit::{Held, Purse};
use crate::extract::Proof;
use crate::facilitator::BoxFuture;
use crate::gate::body::{Unread, collect};
use crate::gate::decision::{Found, found};
use crate::gate::flow::{self, Ran, lease_ms};
use crate::gate::metering::Metering;
use crate::gate::present::Run;
use crate::gate::settle::{attempt, first_attempt};
use crate::gate::{Core, Gate, answers};
use crate::ledger::{
    Advanced, Begin, Event, Fingerprint, LedgerError, NewPayment, PaymentKey, Record, StoredAnswer,
};
use crate::telemetry::span;

/// How long a hold may be captured after its call began: by whoever finds the call's answer stored, should its process die.
const CAPTURE_SECONDS: u64 = 3_600;

/// A request and the message that is to pay for it.
pub(super) struct Call {
    pub(super) facts: Facts,
    /// Of a metered price, with the decimals in which it counts.
    pub(super) metering: Option<(Metering, u8)>,
    pub(super) request: Request,
    pub(super) run: Run,
}

/// What is known about a call, apart from the request itself, which only its handler may have.
pub(super) struct Facts {
    pub(super) gate: Arc<Gate>,
    pub(super) caller: Arc<Caller>,
    pub(super) key: PaymentKey,
    pub(super) fingerprint: Fingerprint,
    pub(super) price: AtomicAmount,
}

/// How it ended.
pub(super) enum Spent {
    Answered(Response),
    /// Credit does not pay for it, and nothing was taken.
    Not(Box<Request>),
}

/// A refusal of a call from credit. What the code says of payments is true of the signed message.
pub(super) fn problem(code: ProblemCode) -> Response {
    let problem = Problem::new(code).explanation(
        "This call is paid from credit. Where a payment is spoken of, read the signed message: sent again unchanged with the \
         same request, it takes the price once.",
    );
    answers::bare_problem(&problem)
}

/// Whether credit pays for a call.
enum Start {
    /// The price is held for this owner.
    Held(u64),
    Answered(Response),
    /// It does not, and nothing was taken.
    Not,
}

impl Call {
    pub(super) async fn go(self) -> Spent {
        let Self {
            facts,
            metering,
            request,
            run,
        } = self;
        match facts.start().await {
            Ok(Start::Held(owner)) => {
                let metering = metering.as_ref();
                Spent::Answered(facts.run(owner, metering, request, run).await)
            }
            Ok(Start::Answered(response)) => Spent::Answered(response),
            Ok(Start::Not) => Spent::Not(Box::new(request)),
            Err(error) => {
                facts.gate.core.ledger_failed(&error);
                Spent::Answered(problem(match error {
                    LedgerError::Overloaded => ProblemCode::Overloaded,
                    _ => ProblemCode::LedgerUnavailable,
                }))
            }
        }
    }
}

impl Facts {
    async fn start(&self) -> Result<Start, LedgerError> {
        let core = &*self.gate.core;
        if let Some(record) = core.ledger.get(&self.key).await? {
            return Ok(self.known(record).await);
        }
        let known = &self.caller.known;
        if known.late || !known.about_path || self.caller.claimed == Some(false) {
            // Too old, meant for something else, or used for what left nothing behind: only a new message pays.
            return Ok(Start::Not);
        }
        let Some(purse) = self.purse().await? else {
            return Ok(Start::Not);
        };
        let owner = core.owner();
        if let Begin::Exists(record) = core.ledger.begin(self.reservation(&purse, owner)).await? {
            return Ok(self.known(Record::clone(&record)).await);
        }
        match self.hold(&purse).await {
            Ok(true) => {
                crate::failpoint("c1_reserved");
                Ok(Start::Held(owner))
            }
            Ok(false) => {
                release(core, &self.key, Event::HandlerFailed { owner }).await;
                Ok(Start::Not)
            }
            Err(error) => {
                release(core, &self.key, Event::HandlerFailed { owner }).await;
                Err(error)
            }
        }
    }

    /// Uses the message up and holds the price. After the reservation, so that whoever sends the message once more finds that,
    /// and not a used up message alone.
    async fn hold(&self, purse: &Purse) -> Result<bool, LedgerError> {
        let core = &*self.gate.core;
        let claimed = match self.caller.claimed {
            Some(claimed) => claimed,
            None => {
                let known = &self.caller.known;
                self.caller.credit.claim(&self.gate, known).await
            }
        };
        if !claimed {
            return Ok(false);
        }
        let reference = hold_of(&self.key);
        let once = (reference.as_str(), core.clock.now_ms());
        let books = core.ledger.accounts();
        match purse
            .hold(books, &self.caller.whose, self.price, once)
            .await?
        {
            Held::Yes => Ok(true),
            Held::Short => {
                // Somebody else was faster.
                self.has_enough(purse).await?;
                Ok(false)
            }
        }
    }

    /// The first purse with enough in it.
    async fn purse(&self) -> Result<Option<Purse>, LedgerError> {
        for purse in &self.caller.credit.purses {
            if self.has_enough(purse).await? {
                return Ok(Some(purse.clone()));
            }
        }
        Ok(None)
    }

    /// Whether a purse has enough; if not, the holder is told how much it has.
    async fn has_enough(&self, purse: &Purse) -> Result<bool, LedgerError> {
        let core = &self.gate.core;
        let found = purse
            .balance(&*core.ledger, &self.caller.whose, core.clock.now_ms())
            .await?;
        if found.available >= self.price {
            return Ok(true);
        }
        let short = Short {
            price: self.price,
            balance: found.available,
            unit: found.unit,
        };
        // The first purse is the one to fill.
        let _ = self.caller.short.set(short);
        Ok(false)
    }

    fn reservation(&self, purse: &Purse, owner: u64) -> NewPayment {
        let core = &self.gate.core;
        let now_ms = core.clock.now_ms();
        let terms = CreditTerms::new(&self.key, self.price, purse.path(), purse.unit());
        NewPayment {
            key: self.key.clone(),
            fingerprint: self.fingerprint,
            endpoint: self.gate.endpoint.id().into(),
            amount: self.price,
            pay_to: Address::ZERO,
            valid_before: (now_ms / 1000).saturating_add(CAPTURE_SECONDS),
            request: terms.request(),
            owner,
            lease_until_ms: now_ms.saturating_add(lease_ms(core)),
            now_ms,
        }
    }

    /// Runs the handler and takes the price for its answer.
    async fn run(
        &self,
        owner: u64,
        metering: Option<&(Metering, u8)>,
        mut request: Request,
        run: Run,
    ) -> Response {
        let (core, key) = (&*self.gate.core, &self.key);
        if let Some(terms) = self.gate.endpoint.terms().first() {
            request.extensions_mut().insert(Proof {
                key: key.clone(),
                terms: Arc::clone(terms),
            });
        }
        let span = tracing::info_span!(span::HANDLER, endpoint = self.gate.endpoint.id());
        let started = Instant::now();
        let ran = self
            .handle(started, metering, run(request))
            .instrument(span)
            .await;
        self.gate.metrics.handled(started.elapsed());
        crate::failpoint("c2_handler_ran");
        let failed = match ran {
            Ok((answer, charge)) => {
                let answered = Event::answered(owner, answer, charge);
                return match first_attempt(core, key, answered).await {
                    Ok(Some(attempt)) => after(self, Ok(attempt)).await,
                    // The lease ran out: this answer is not the one.
                    Ok(None) => problem(ProblemCode::PaymentInProgress),
                    Err(error) => after(self, Err(error)).await,
                };
            }
            Err(failed) => failed,
        };
        release(core, key, Event::HandlerFailed { owner }).await;
        failed
    }

    /// The handler's answer and what it came to, if that was metered; else what to answer instead.
    async fn handle(
        &self,
        started: Instant,
        metering: Option<&(Metering, u8)>,
        answer: BoxFuture<'static, Response>,
    ) -> Result<(StoredAnswer, Option<AtomicAmount>), Response> {
        let core = &*self.gate.core;
        let until = (core.clock.now_ms() / 1000).saturating_add(CAPTURE_SECONDS);
        let meter = metering.map(|(metering, _)| metering);
        let (answer, charge) = match flow::handle(&self.gate, until, answer, meter).await {
            Ran::Answered(answer, charge) => (answer, charge),
            Ran::Streams(head) => {
                let (parts, body) = *head;
                let whole = self.whole(started, body).await.map_err(problem)?;
                let charge = meter.map(|meter| meter.so_far(&self.gate)).transpose();
                (answers::store(&parts, whole), charge.map_err(problem)?)
            }
            Ran::Failed(response) => return Err(answers::handlers_own(response)),
            Ran::Broken(code) => return Err(problem(code)),
        };
        let decimals = metering.map_or(0, |(_, decimals)| *decimals);
        let charge = charge.map(|charge| counted(charge, decimals));
        match charge {
            Some(None) => Err(problem(ProblemCode::UsageUnmetered)),
            charge => Ok((answer, charge.flatten())),
        }
    }

    /// All of an answer that would leave while it is made: credit is taken before anything leaves. It has the time of every
    /// handler, which began at `started`: the lease lasts no longer.
    async fn whole(&self, started: Instant, body: Body) -> Result<Bytes, ProblemCode> {
        let limits = &self.gate.core.limits;
        let collected = AssertUnwindSafe(collect(body, limits.answer_cap)).catch_unwind();
        match timeout_at(started + limits.handler_timeout, collected).await {
            Ok(Ok(Ok(whole))) => Ok(whole),
            Ok(Ok(Err(Unread::TooLarge))) => Err(ProblemCode::AnswerTooLarge),
            Ok(Ok(Err(Unread::Broken)) | Err(_)) => Err(ProblemCode::HandlerPanicked),
            Err(_) => Err(ProblemCode::HandlerTimeout),
        }
    }

    /// Answers a message that was used before.
    async fn known(&self, record: Record) -> Start {
        let core = &*self.gate.core;
        let now_ms = core.clock.now_ms();
        Start::Answered(match found(&record, &self.fingerprint, now_ms) {
            Found::Show => show(self, &record).await,
            Found::Pending => problem(ProblemCode::SettlementPending),
            Found::Settle => after(self, attempt(core, &record.key).await).await,
            Found::Reclaim => {
                // Whoever ran the handler is gone, and nothing was taken. Only a new message runs it again.
                release(core, &record.key, Event::LeaseOver { now_ms }).await;
                return Start::Not;
            }
            // Nothing was taken, and nothing can be any more.
            Found::Refuse(ProblemCode::PaymentExpired | ProblemCode::PaymentCancelled) => {
                return Start::Not;
            }
            Found::Refuse(code) => problem(code),
        })
    }
}

/// Makes the credit of a call available again, after its record has gone.
async fn release(core: &Core, key: &PaymentKey, event: Event) {
    match core.ledger.advance(key, event, core.clock.now_ms()).await {
        Ok(Advanced::Removed | Advanced::Lost(None)) => free(core, key).await,
        // It belongs to somebody else.
        Ok(_) => {}
        Err(error) => core.ledger_failed(&error),
    }
}
