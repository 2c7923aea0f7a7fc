//! What a provider's answer means. Pure: no IO.

use serde::de::DeserializeOwned;
use x402_model::wire::{SettleResponse, SupportedResponse, VerifyResponse};

use super::asked::Asked;
use super::wire::Reply;
use crate::facilitator::FacilitatorError;
use crate::telemetry::event;

/// Longest text of a provider that is kept, in characters.
const MAX_TEXT: usize = 500;
/// How much of an answer that is none of this protocol is logged, in characters.
const MAX_EXCERPT: usize = 200;
/// Longest transaction that is kept, in bytes. EVM hashes have 66, Solana signatures 88.
const MAX_TRANSACTION: usize = 128;

/// Words in reasons of refusals after which money may have moved all the same. Reason codes are an open set with free text
/// among them, so they are told apart by words (protocol 1.11).
const NOT_A_NO: &[&str] = &[
    // Something is under way.
    "pending",
    "in_progress",
    "in_flight",
    "busy",
    "duplicate",
    // The nonce is used: by an earlier call, by somebody else with the same authorization, or by a cancellation.
    "already",
    "replay",
    "nonce_used",
    "used_nonce",
    "nonce_is_used",
    "nonce_has_been_used",
    "authorization_is_used",
    "used_or_cancel",
    "invalid_nonce",
    // Something was sent, and what became of it is not known, or not for every copy of it.
    "transaction_failed",
    "transaction_state",
    "transaction_reverted",
    "transfer_event_mismatch",
    "confirmation",
    "broadcast",
    "receipt",
    "nonce_too_low",
    // The provider does not know itself.
    "unexpected",
    "unknown_error",
    "internal",
    "timeout",
    "timed_out",
];

/// How a settle call ended.
#[derive(Debug)]
pub(super) enum Settling {
    /// The money moved.
    Settled(SettleResponse),
    /// Nothing was sent.
    Refused(SettleResponse),
    /// Sent, not seen yet: to be asked once more.
    Pending { transaction: String },
    /// Nobody can say.
    Open {
        transaction: Option<String>,
        reason: String,
    },
}

/// Reads the answer to `verify`. Only a 2xx can say yes; a well-formed no may come with any other status but a redirect.
pub(super) fn verification(reply: &Reply) -> Result<VerifyResponse, FacilitatorError> {
    match parse::<VerifyResponse>(reply) {
        Some(mut response) if is_ok(reply) || (!response.is_valid && is_error(reply)) => {
            shorten(&mut response.invalid_reason);
            shorten(&mut response.invalid_message);
            Ok(response)
        }
        _ => Err(unusable(reply)),
    }
}

/// Reads the answer to `supported`.
pub(super) fn supported(reply: &Reply) -> Result<SupportedResponse, FacilitatorError> {
    match parse(reply) {
        Some(response) if is_ok(reply) => Ok(response),
        _ => Err(unusable(reply)),
    }
}

/// Reads the answer to `settle`.
pub(super) fn settlement(reply: &Reply, asked: &Asked<'_>) -> Settling {
    let Some(mut response) = parse::<SettleResponse>(reply) else {
        return open(None, unusable(reply).to_string());
    };
    shorten(&mut response.error_reason);
    shorten(&mut response.error_message);
    let transaction = Some(response.transaction.trim())
        .filter(|text| !text.is_empty() && text.len() <= MAX_TRANSACTION);
    if response.success {
        return match doubtful(reply, &response, transaction.is_some(), asked) {
            Some(doubt) => open(transaction.map(str::to_owned), doubt),
            None => Settling::Settled(response),
        };
    }
    let transaction = transaction.map(str::to_owned);
    let reason = response.error_reason.clone().unwrap_or_default();
    match transaction {
        Some(transaction) if is_pending(&reason) => Settling::Pending { transaction },
        // Whatever was sent may have been mined, or lost a race against another copy of the same authorization.
        Some(_) => open(transaction, reason),
        None if !is_error(reply) && !is_ok(reply) => open(None, status_text(reply)),
        None if is_no(&response) => Settling::Refused(response),
        None => open(None, reason),
    }
}

/// Why an answer that says "success" does not prove a settlement.
fn doubtful(
    reply: &Reply,
    response: &SettleResponse,
    has_transaction: bool,
    asked: &Asked<'_>,
) -> Option<String> {
    if !is_ok(reply) {
        return Some(format!("success with {}", status_text(reply)));
    }
    // A payer that is not named is not wrong.
    let payer = response.payer.as_deref();
    let doubt = if !has_transaction {
        "success without a transaction"
    } else if !asked.is_on(&response.network) {
        "success on another network"
    } else if payer.is_some_and(|payer| !asked.is_paid_by(payer)) {
        "success for another payer"
    } else {
        return None;
    };
    Some(doubt.to_owned())
}

fn open(transaction: Option<String>, reason: String) -> Settling {
    Settling::Open {
        transaction,
        reason,
    }
}

fn is_pending(reason: &str) -> bool {
    words(reason).starts_with("settlement_pending")
}

/// Whether a refusal was decided before anything was sent.
fn is_no(response: &SettleResponse) -> bool {
    [&response.error_reason, &response.error_message]
        .into_iter()
        .flatten()
        .all(|text| {
            let text = words(text);
            !NOT_A_NO.iter().any(|word| text.contains(word))
        })
}

/// Lower case, with one spelling of what separates words.
fn words(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            ' ' | '-' | '\t' | '\n' => '_',
            c => c.to_ascii_lowercase(),
        })
        .collect()
}

fn parse<T: DeserializeOwned>(reply: &Reply) -> Option<T> {
    serde_json::from_slice(&reply.body).ok()
}

fn is_ok(reply: &Reply) -> bool {
    (200..300).contains(&reply.status)
}

fn is_error(reply: &Reply) -> bool {
    (400..600).contains(&reply.status)
}

fn status_text(reply: &Reply) -> String {
    format!("HTTP status {}", reply.status)
}

/// Logs the beginning of an answer that cannot be used, and says so without its text.
fn unusable(reply: &Reply) -> FacilitatorError {
    let beginning = String::from_utf8_lossy(&reply.body);
    let excerpt: String = beginning
        .chars()
        .take(MAX_EXCERPT)
        .flat_map(char::escape_debug)
        .collect();
    tracing::warn!(
        name: event::FACILITATOR_ANSWER,
        operation = reply.operation.as_str(),
        status = reply.status,
        excerpt,
        "the facilitator gave an unusable answer"
    );
    let what = status_text(reply);
    if reply.status == 429 || reply.status >= 500 {
        FacilitatorError::Unreachable(what)
    } else if is_ok(reply) {
        FacilitatorError::BadAnswer(format!("not an answer to {}", reply.operation.as_str()))
    } else {
        FacilitatorError::BadAnswer(what)
    }
}

fn shorten(text: &mut Option<String>) {
    if let Some(text) = text
        && let Some((end, _)) = text.char_indices().nth(MAX_TEXT)
    {
        text.truncate(end);
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
