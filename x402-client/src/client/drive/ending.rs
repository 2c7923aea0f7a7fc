//! Turns the end of a call into what the caller gets, and closes the books.

use std::sync::{Arc, PoisonError};

use http::StatusCode;
use x402_model::asset::TransferMethod;

use super::{Drive, Ending, Opened, ResponseStream};
use crate::error::{
    ApprovalRequired, BodyCut, Error, OutcomeUnknown, PartialBody, Redirected, Refused,
};
use crate::flow::wants_approval;
use crate::payment::PendingPayment;
use crate::receipt::{Receipt, Settlement};
use crate::response::Response;
use crate::seller::{SellerProblem, clean_code};
use crate::terms::Terms;
use crate::transport::{ReplyBody, TransportReply};

impl Drive<'_> {
    /// As [`Self::finish`], with a success handed over before it has come. Its payment stays open until it has ended.
    pub(super) fn hand_over(mut self, ending: Ending) -> Result<Opened, Error> {
        let succeeded = self.error.is_none() && matches!(ending, Ending::Free | Ending::Answered);
        let live = std::mem::take(&mut self.live).into_inner();
        let live = live.unwrap_or_else(PoisonError::into_inner);
        let Some(parts) = live.filter(|_| succeeded) else {
            return self.finish(ending).map(Opened::Whole);
        };
        let (reply, payment) = (self.take_reply()?, self.payment.take());
        if let Some(payment) = payment.as_ref().filter(|one| one.receipt().is_settled()) {
            self.shared.open.close(&payment.nonce());
        }
        let shared = Arc::clone(self.shared);
        let stream = ResponseStream::new(shared, reply, parts, payment);
        Ok(Opened::Stream(stream))
    }

    pub(super) fn finish(mut self, ending: Ending) -> Result<Response, Error> {
        if let Some(payment) = &self.payment {
            self.shared.open.close(&payment.nonce());
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        match ending {
            Ending::Free => deliver(self.take_reply()?, None),
            Ending::Answered => {
                let reply = self.take_reply()?;
                deliver(reply, Some(self.take_payment()?))
            }
            Ending::Refused => self.refused(),
            Ending::Redirected => {
                let (reply, pending) = (self.take_reply()?, self.take_payment()?);
                let receipt = pending.receipt().clone();
                Err(Error::Redirected(Box::new(Redirected {
                    status: reply.status,
                    receipt,
                    pending,
                })))
            }
            Ending::NeverSent => self.never_sent(),
            Ending::Unknown => self.unknown(),
            Ending::AskFailed
            | Ending::TermsUnreadable
            | Ending::NothingAcceptable
            | Ending::Declined
            | Ending::OverBudget
            | Ending::SignFailed
            | Ending::Misuse => Err(Error::Internal("the call ended without a reason")),
        }
    }

    fn refused(mut self) -> Result<Response, Error> {
        let (reply, pending) = (self.take_reply()?, self.take_payment()?);
        let receipt = pending.receipt().clone();
        let problem = self.problem.take();
        let terms_error = terms_error(&reply, self.shared.settings.terms_cap);
        let through_permit2 = receipt.kind.method() == TransferMethod::Permit2;
        if through_permit2
            && wants_approval(
                &receipt.settlement,
                problem.as_ref(),
                terms_error.as_deref(),
            )
        {
            return Err(Error::ApprovalRequired(Box::new(ApprovalRequired {
                status: reply.status,
                problem,
                receipt,
                pending,
            })));
        }
        let code = refusal_code(problem.as_ref(), &receipt, terms_error.as_deref());
        Err(Error::Refused(Box::new(Refused {
            status: reply.status,
            code,
            problem,
            receipt,
            pending,
        })))
    }

    fn never_sent(mut self) -> Result<Response, Error> {
        let pending = self.take_payment()?;
        self.shared.budget.never_sent(&pending.nonce());
        let failure = self
            .failure
            .take()
            .ok_or(Error::Internal("unsent without a failure"))?;
        Err(Error::NeverSent(failure))
    }

    fn unknown(mut self) -> Result<Response, Error> {
        let pending = self.take_payment()?;
        Err(Error::OutcomeUnknown(Box::new(OutcomeUnknown {
            receipt: pending.receipt().clone(),
            last_status: self.reply.as_ref().map(|reply| reply.status),
            last_failure: self.failure.take(),
            pending,
        })))
    }

    fn take_reply(&mut self) -> Result<TransportReply, Error> {
        self.reply.take().ok_or(Error::Internal("no answer"))
    }

    fn take_payment(&mut self) -> Result<PendingPayment, Error> {
        self.payment.take().ok_or(Error::Internal("no payment"))
    }
}

fn deliver(reply: TransportReply, payment: Option<PendingPayment>) -> Result<Response, Error> {
    let receipt = payment.as_ref().map(|payment| payment.receipt().clone());
    match reply.body {
        ReplyBody::Whole(body) => Ok(Response::new(reply.status, reply.headers, body, receipt)),
        ReplyBody::Cut { partial, reason } => Err(Error::BodyCut(Box::new(BodyCut {
            status: reply.status,
            receipt,
            partial: PartialBody(partial),
            reason,
            pending: payment,
        }))),
    }
}

/// The most specific word of the seller: its problem, its settlement report, or the `error` of its new terms.
fn refusal_code(
    problem: Option<&SellerProblem>,
    receipt: &Receipt,
    terms_error: Option<&str>,
) -> String {
    if let Some(problem) = problem {
        return problem.code().to_owned();
    }
    if let Settlement::Failed { reason } = &receipt.settlement {
        return reason.clone();
    }
    terms_error.map_or_else(|| "payment_required".to_owned(), clean_code)
}

/// The `error` of the terms in a 402 or 412, where sellers without a settlement report say what became of a payment.
pub(super) fn terms_error(reply: &TransportReply, cap: usize) -> Option<String> {
    if !matches!(
        reply.status,
        StatusCode::PAYMENT_REQUIRED | StatusCode::PRECONDITION_FAILED
    ) {
        return None;
    }
    let terms = Terms::read(&reply.headers, reply.body.bytes(), cap);
    terms.ok().and_then(|terms| terms.error)
}
