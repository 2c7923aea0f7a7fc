//! What a record, an answer of a facilitator, or the chain's word means. Pure: no IO, no clock.

use x402_model::asset::{checksum, parse_address};
use x402_model::network::Network;
use x402_model::problem::{Charged, ProblemCode};
use x402_model::wire::{SettleResponse, VerifyResponse};

use crate::facilitator::SettleOutcome;
use crate::ledger::{Event, Fingerprint, Record, State};
use crate::paywall::PROTOCOL_MARGIN_SECONDS;

/// The reason of a refusal whose own reason cannot be repeated.
pub(crate) const UNNAMED_REFUSAL: &str = "settlement_refused";

/// Longest reason code that is repeated to a buyer.
const MAX_REASON: usize = 96;

/// What to do about a payment that the ledger knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// It is paid: show the stored answer.
    Show,
    /// Its answer is stored and nothing is in flight: settle, then show it.
    Settle,
    /// Whoever reserved it is gone: take the reservation back and start again.
    Reclaim,
    /// Only the chain knows whether it is paid.
    Pending,
    /// Refuse the request.
    Refuse(ProblemCode),
}

/// Decides what presenting a known payment with the request `fingerprint` means at `now_ms`.
pub(crate) fn found(record: &Record, fingerprint: &Fingerprint, now_ms: u64) -> Found {
    if record.fingerprint != *fingerprint {
        return Found::Refuse(ProblemCode::PaymentReusedForOtherRequest);
    }
    let lease_over = now_ms >= record.lease_until_ms;
    match record.state {
        State::Settled | State::Final if record.answer.is_some() => Found::Show,
        State::Settled | State::Final => Found::Refuse(ProblemCode::AnswerGone),
        State::Reserved | State::Settling if !lease_over => {
            Found::Refuse(ProblemCode::PaymentInProgress)
        }
        State::Reserved => Found::Reclaim,
        // Nobody heard the outcome, or its settler is gone in the middle of the call.
        State::Unknown | State::Settling => Found::Pending,
        // Never tried, and its owner is about to.
        State::Served if record.attempts == 0 && !lease_over => {
            Found::Refuse(ProblemCode::PaymentInProgress)
        }
        State::Served if can_settle(record, now_ms) => Found::Settle,
        // Nothing is in flight and nothing can be any more.
        State::Served => Found::Refuse(ProblemCode::PaymentExpired),
        State::Failed if now_ms >= record.valid_before.saturating_mul(1000) => {
            Found::Refuse(ProblemCode::PaymentExpired)
        }
        State::Failed => Found::Refuse(ProblemCode::PaymentCancelled),
    }
}

/// Whether the authorization lives long enough to be sent.
pub(crate) const fn can_settle(record: &Record, now_ms: u64) -> bool {
    now_ms / 1000 + PROTOCOL_MARGIN_SECONDS <= record.valid_before
}

/// What the answer to a settle call means for the record it was made for.
///
/// Only a boolean success with a transaction, on the right network and of the right payer, is a settlement. Whatever is
/// neither that nor a clear refusal leaves the outcome open.
pub(crate) fn settlement_event(record: &Record, outcome: &SettleOutcome) -> Event {
    match outcome {
        SettleOutcome::Settled(response) if is_settlement_of(record, response) => Event::Settled {
            response: record.settlement_in(&response.transaction),
        },
        SettleOutcome::Refused(response) if !response.success && !says_pending(response) => {
            Event::Refused {
                code: reason_code(response.error_reason.as_deref()),
            }
        }
        SettleOutcome::Settled(response) | SettleOutcome::Refused(response) => {
            let transaction = Some(response.transaction.clone()).filter(|hash| is_plain(hash));
            Event::Unanswered { transaction }
        }
        SettleOutcome::Unknown { transaction, .. } => Event::Unanswered {
            transaction: transaction.clone().filter(|hash| is_plain(hash)),
        },
    }
}

fn is_settlement_of(record: &Record, response: &SettleResponse) -> bool {
    let network =
        Network::parse_any(&response.network).is_ok_and(|network| network == record.key.network);
    let payer = response
        .payer
        .as_deref()
        .is_none_or(|payer| parse_address(payer).is_ok_and(|payer| payer == record.key.payer));
    response.is_settled() && network && payer && is_plain(&response.transaction)
}

/// Some facilitators call a transaction that was sent but not seen yet a failure.
fn says_pending(response: &SettleResponse) -> bool {
    response
        .error_reason
        .as_deref()
        .is_some_and(|reason| reason.contains("pending"))
}

/// Whether a text can be a transaction hash of any chain: short, and without a character that needs care anywhere.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The settlement that did not happen, as it is told to the buyer.
pub(crate) fn refusal(record: &Record, code: &str) -> SettleResponse {
    SettleResponse {
        success: false,
        error_reason: Some(code.to_owned()),
        network: record.key.network.to_string(),
        payer: Some(checksum(record.key.payer)),
        ..SettleResponse::default()
    }
}

/// A reason that is a code, or a code of our own instead of free text.
pub(crate) fn reason_code(reason: Option<&str>) -> String {
    let is_code = |reason: &&str| {
        !reason.is_empty()
            && reason.len() <= MAX_REASON
            && reason
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    // Free text often begins with the code: "invalid_…_failed: execution reverted".
    let code = reason
        .map(|reason| reason.split(':').next().unwrap_or_default())
        .filter(is_code);
    code.unwrap_or(UNNAMED_REFUSAL).to_owned()
}

/// What a facilitator's `verify` means: nothing to object to, or the refusal.
pub(crate) fn verification(response: &VerifyResponse) -> Result<(), (ProblemCode, String)> {
    if response.is_valid {
        return Ok(());
    }
    let code = reason_code(response.invalid_reason.as_deref());
    let problem = ProblemCode::from_reason(&code)
        .filter(|problem| matches!(problem.http_status(), 402 | 412))
        .filter(|problem| problem.charged() == Charged::No)
        .unwrap_or(ProblemCode::PaymentInvalid);
    Err((problem, code))
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
