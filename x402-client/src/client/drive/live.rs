//! An answer that is handed over as it comes. What was paid for it is known at its end.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::{Either, select as race};
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};
use http::{HeaderMap, StatusCode};
use x402_model::wire::headers::{PAYMENT_RESPONSE, X_PAYMENT_RESPONSE};

use super::stream::{End, is_events};
use super::tail::Tail;
use crate::client::Shared;
use crate::error::{BodyCut, Error, OutcomeUnknown, PartialBody, Refused};
use crate::flow::{PaidAnswer, PaidReply, classify_paid};
use crate::payment::PendingPayment;
use crate::receipt::Receipt;
use crate::response::Response;
use crate::seller::SellerProblem;
use crate::transport::{BodyParts, CutReason, TransportReply};

/// What a call that was opened gave.
#[derive(Debug)]
pub enum Opened {
    /// An answer that came whole, such as an error of the seller's handler.
    Whole(Response),
    /// A success that comes in parts.
    Stream(ResponseStream),
}

/// The seller's answer, part by part. The event at the end of a metered stream, which is about its payment, is no part of it: it
/// goes into the receipt, or becomes the error that it stands for.
///
/// Dropping it before its end is safe: a payment whose settlement was not reported yet stays in
/// [`Client::open_payments`](crate::Client::open_payments), its money charged to the budget.
pub struct ResponseStream {
    status: StatusCode,
    headers: HeaderMap,
    receipt: Option<Receipt>,
    steps: BoxStream<'static, Step>,
}

enum Step {
    Part(Bytes),
    End(Option<Box<Receipt>>),
    Failed(Error),
}

impl ResponseStream {
    pub(super) fn new(
        shared: Arc<Shared>,
        reply: TransportReply,
        parts: BodyParts,
        payment: Option<PendingPayment>,
    ) -> Self {
        let receipt = payment.as_ref().map(|payment| payment.receipt().clone());
        let told = |name| reply.headers.contains_key(name);
        let has_end = is_events(&reply) && !told(PAYMENT_RESPONSE) && !told(X_PAYMENT_RESPONSE);
        let cap = shared.settings.terms_cap;
        let reading = Reading {
            tail: (has_end && payment.is_some()).then(|| Tail::new(cap)),
            shared,
            parts,
            status: reply.status,
            headers: reply.headers.clone(),
            payment,
            last: None,
            over: false,
        };
        let steps = stream::unfold(reading, |mut reading| async move {
            let step = reading.step().await?;
            Some((step, reading))
        });
        Self {
            status: reply.status,
            headers: reply.headers,
            receipt,
            steps: steps.boxed(),
        }
    }

    /// Status of the answer.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Headers of the answer.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The record of the payment; `None` if the call was answered without one. What a metered stream cost is in it once the
    /// stream has ended.
    pub const fn receipt(&self) -> Option<&Receipt> {
        self.receipt.as_ref()
    }

    /// The next part of the body; `None` after the last one.
    ///
    /// # Errors
    /// [`Error::BodyCut`] if the answer ends too early, or if nothing comes for the time of one attempt, and what the seller
    /// says at the end of a stream that it could not finish: [`Error::Refused`] or [`Error::OutcomeUnknown`]. It is the last
    /// thing that is given.
    pub async fn part(&mut self) -> Option<Result<Bytes, Error>> {
        self.next().await
    }
}

impl Stream for ResponseStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let step = std::task::ready!(self.steps.poll_next_unpin(context));
        Poll::Ready(match step {
            Some(Step::Part(part)) => Some(Ok(part)),
            Some(Step::End(receipt)) => {
                self.receipt = receipt.map(|receipt| *receipt);
                None
            }
            Some(Step::Failed(error)) => {
                self.receipt = error.receipt().cloned().or_else(|| self.receipt.take());
                Some(Err(error))
            }
            None => None,
        })
    }
}

// As for a response: no paid content in a log line.
impl fmt::Debug for ResponseStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseStream")
            .field("status", &self.status)
            .field("headers", &self.headers.len())
            .field("receipt", &self.receipt)
            .finish_non_exhaustive()
    }
}

/// An answer that is being read.
struct Reading {
    shared: Arc<Shared>,
    parts: BodyParts,
    /// Only where headers do not tell the settlement.
    tail: Option<Tail>,
    status: StatusCode,
    headers: HeaderMap,
    payment: Option<PendingPayment>,
    /// What comes after the last part.
    last: Option<Step>,
    over: bool,
}

impl Reading {
    async fn step(&mut self) -> Option<Step> {
        loop {
            if let Some(last) = self.last.take() {
                return Some(last);
            }
            if self.over {
                return None;
            }
            let data = match self.next().await {
                Some(Ok(part)) => match &mut self.tail {
                    Some(tail) => tail.feed(&part),
                    None => part,
                },
                ended => {
                    self.over = true;
                    let (rest, end) = match &mut self.tail {
                        Some(tail) => tail.finish(),
                        None => (Bytes::new(), None),
                    };
                    self.last = Some(match ended {
                        Some(Err(reason)) => Step::Failed(self.cut(reason)),
                        _ => self.end(end),
                    });
                    rest
                }
            };
            if !data.is_empty() {
                return Some(Step::Part(data));
            }
        }
    }

    /// The next part. The time of one attempt is the longest pause between two of them.
    async fn next(&mut self) -> Option<Result<Bytes, CutReason>> {
        let pause = self
            .shared
            .io
            .timer
            .sleep(self.shared.settings.limits.timeout);
        match race(self.parts.next(), pause).await {
            Either::Left((part, _)) => part,
            Either::Right(_) => Some(Err(CutReason::TimedOut)),
        }
    }

    /// Closes the books of a stream that has ended.
    fn end(&mut self, end: Option<End>) -> Step {
        let Some(payment) = self.payment.take() else {
            return Step::End(None);
        };
        let mut problem = None;
        match end {
            Some(End::Settlement(value)) => {
                self.headers.insert(PAYMENT_RESPONSE, value);
            }
            Some(End::Problem(said)) => problem = Some(said),
            None => {}
        }
        let cap = self.shared.settings.terms_cap;
        let (settlement, receipt) = payment.receipt().reported(&self.headers, cap);
        if receipt.is_settled() {
            self.shared.budget.settled(&receipt);
        }
        self.shared.open.close(&payment.nonce());
        let payment = payment.with_receipt(receipt.clone());
        let Some(problem) = problem else {
            return Step::End(Some(Box::new(receipt)));
        };
        // A stream that broke off began like any success.
        let meaning = classify_paid(&PaidAnswer {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            headers: &self.headers,
            settlement: &settlement,
            problem: Some(&problem),
            terms_error: None,
        });
        Step::Failed(self.broken_off(meaning, problem, receipt, payment))
    }

    /// The error of a stream that the seller could not finish. Nothing is presented again unasked: events were handed over.
    fn broken_off(
        &self,
        meaning: PaidReply,
        problem: SellerProblem,
        receipt: Receipt,
        pending: PendingPayment,
    ) -> Error {
        if matches!(meaning, PaidReply::TryAgain { .. }) {
            return Error::OutcomeUnknown(Box::new(OutcomeUnknown {
                receipt,
                last_status: Some(self.status),
                last_failure: None,
                pending,
            }));
        }
        Error::Refused(Box::new(Refused {
            status: self.status,
            code: problem.code().to_owned(),
            problem: Some(problem),
            receipt,
            pending,
        }))
    }

    /// The error of a stream that ended too early. Its payment belongs to the caller now.
    fn cut(&mut self, reason: CutReason) -> Error {
        let pending = self.payment.take();
        if let Some(payment) = &pending {
            self.shared.open.close(&payment.nonce());
        }
        Error::BodyCut(Box::new(BodyCut {
            status: self.status,
            receipt: pending.as_ref().map(|payment| payment.receipt().clone()),
            partial: PartialBody(Bytes::new()),
            reason,
            pending,
        }))
    }
}
