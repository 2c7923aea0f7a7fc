//! The end of a call from credit: what was taken, and the answer that tells it.

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use serde::Serialize;
use x402_model::problem::ProblemCode;

use super::{Facts, problem};
use crate::credit::rail::{CreditTerms, hold_of};
use crate::credit::{CREDIT_DECIMALS, Purse};
use crate::extract::PaymentId;
use crate::gate::decision::{Found, found};
use crate::gate::settle::Attempt;
use crate::gate::{Core, answers};
use crate::ledger::{LedgerError, PaymentKey, Posting, Record};

/// What a call from credit took, and what is left.
const X402_CREDIT: HeaderName = HeaderName::from_static("x402-credit");

/// Releases the hold of a call. Should the store fail, the lease's end does it.
pub(super) async fn free(core: &Core, key: &PaymentKey) {
    let (hold, now_ms) = (hold_of(key), core.clock.now_ms());
    let books = core.ledger.accounts();
    if let Err(error) = books.post(&hold, Posting::Release, now_ms).await {
        core.ledger_failed(&error);
    }
}

/// What an attempt to capture means for the holder.
pub(super) async fn after(facts: &Facts, attempt: Result<Attempt, LedgerError>) -> Response {
    let core = &*facts.gate.core;
    match attempt {
        Ok(Attempt::Settled(record)) => {
            if record.amount.is_zero() {
                // Nothing was due, so nothing was taken.
                free(core, &record.key).await;
            }
            show(facts, &record).await
        }
        Ok(Attempt::Refused(..)) => problem(ProblemCode::SettlementRefused),
        Ok(Attempt::Lost(Some(record)))
            if found(&record, &facts.fingerprint, core.clock.now_ms()) == Found::Show =>
        {
            show(facts, &record).await
        }
        Ok(Attempt::Open(_) | Attempt::Lost(_)) => problem(ProblemCode::SettlementPending),
        Err(error) => {
            core.ledger_failed(&error);
            problem(ProblemCode::SettlementPending)
        }
    }
}

/// The value of the header that tells what a call took.
#[derive(Serialize)]
struct Taken<'a> {
    charged: String,
    unit: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<String>,
    #[serde(rename = "paymentId")]
    payment_id: &'a str,
}

/// The stored answer of a call, with what it took and what is left now.
pub(super) async fn show(facts: &Facts, record: &Record) -> Response {
    let core = &*facts.gate.core;
    let (Some(answer), Some(terms)) = (&record.answer, CreditTerms::of(&record.request)) else {
        return problem(ProblemCode::AnswerGone);
    };
    let purse = Purse::new(&terms.path, &terms.unit);
    let left = purse
        .balance(&*core.ledger, &facts.caller.whose, core.clock.now_ms())
        .await
        .ok()
        .map(|found| found.balance());
    let id = PaymentId::of(&record.key);
    let taken = Taken {
        charged: record.amount.to_decimal(CREDIT_DECIMALS),
        unit: &terms.unit,
        left,
        payment_id: id.as_str(),
    };
    let mut response = answers::stored(answer);
    let header = serde_json::to_string(&taken).ok();
    if let Some(header) = header.and_then(|text| HeaderValue::try_from(text).ok()) {
        response.headers_mut().insert(X402_CREDIT, header);
    }
    response
}
