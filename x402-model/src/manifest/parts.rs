//! The rules of a manifest that endpoints inherit or override: when money moves, retries, limits, refusals.

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

use super::amount::Amount;
use super::period::Period;
use crate::problem::Charged;

/// What holds for endpoints that say nothing else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Defaults {
    /// Keys of the rails.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rails: Vec<String>,
    /// When money moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge: Option<ChargeEntry>,
    /// What sending again means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<Idempotency>,
    /// How often one may call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rate_limits: Vec<RateLimit>,
    /// How much one may spend or call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<Quota>,
    /// Codes of refusals to expect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// When money moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargeEntry {
    /// `after-success`, `before` or `on-acceptance`.
    pub when: String,
    /// Statuses that are charged, such as `2xx`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<String>,
    /// `not-charged` or what else a timeout means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_timeout: Option<String>,
    /// Whether an unpaid request is answered 402 before its input is checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_before_validation: Option<bool>,
}

/// What sending the same call again means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Idempotency {
    /// How a call is recognised, such as `payment-identifier`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mechanisms: Vec<String>,
    /// Whether an id must be given.
    #[serde(default)]
    pub required: bool,
    /// Within what an id is unique.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
    /// How long an answer is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_seconds: Option<u64>,
    /// `replay`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_key_same_payload: Option<String>,
    /// The status for the same id with another request, `"409"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_key_other_payload: Option<String>,
}

/// So many calls in a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Whose calls are counted together.
    pub scope: String,
    /// How many.
    pub requests: u64,
    /// In which time.
    pub window: Period,
}

/// So much money or so many calls in a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quota {
    /// Whose calls are counted together.
    pub scope: String,
    /// How much money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<Amount>,
    /// How many calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    /// In which time.
    pub window: Period,
    /// Parts of the quota at which somebody is told: numbers between 0 and 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify_at: Vec<Value>,
    /// `soft-stop` or `reject`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_exceeded: Option<String>,
}

/// One refusal: its status, what it cost, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorEntry {
    /// HTTP status.
    pub status: u16,
    /// Whether sending the call again can help.
    pub retryable: bool,
    /// Whether it cost money.
    #[serde(deserialize_with = "charged")]
    pub charged: Charged,
    /// What to do next, one of the words of [`crate::problem::Action`] or a later one.
    pub action: String,
    /// The header that says how long to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_header: Option<String>,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// `true`, `false`, or a word: any word means that it is not known.
fn charged<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Charged, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Bool(true) => Ok(Charged::Yes),
        Value::Bool(false) => Ok(Charged::No),
        Value::String(_) => Ok(Charged::Maybe),
        _ => Err(de::Error::custom("`charged` is true, false or \"maybe\"")),
    }
}

/// Calls that are answered without payment while they last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowanceEntry {
    /// `free-quota` or `trial`.
    pub kind: String,
    /// Whose calls are counted together.
    pub scope: String,
    /// How many.
    pub calls: u64,
    /// In which time they come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Period>,
    /// How callers are told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identify: Option<String>,
}

/// What a prepaid plan is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditEntry {
    /// Its unit.
    pub currency: String,
    /// How much.
    pub value: Amount,
}
