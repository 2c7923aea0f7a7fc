//! What facilitators answer, and what a seller tells the buyer about settlement.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::json::{integer, null_as_default, object_only};

object_only!(
    VerifyResponse,
    SettleResponse,
    SupportedKind,
    SupportedResponse
);

/// A facilitator's answer to `/verify`.
///
/// `isValid` must be a JSON boolean: the text `"true"` is not an answer.
///
/// ```
/// use x402_model::wire::VerifyResponse;
/// assert!(serde_json::from_str::<VerifyResponse>(r#"{"isValid":"true"}"#).is_err());
/// assert!(serde_json::from_str::<VerifyResponse>(r#"{"isValid":true,"payer":null}"#).is_ok());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct VerifyResponse {
    /// Whether the payment would settle now.
    pub is_valid: bool,
    /// A reason code. The set is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_reason: Option<String>,
    /// Text for the log, never for the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_message: Option<String>,
    /// The account that pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
    /// Extension data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Map<String, Value>>,
    /// Scheme data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Map<String, Value>>,
}

/// The outcome of a settlement: a facilitator's answer to `/settle` and the content of `PAYMENT-RESPONSE`.
///
/// A facilitator's private `extensionResponses` member has no place in this type, so it can never reach a buyer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct SettleResponse {
    /// Whether the money moved. A JSON boolean.
    pub success: bool,
    /// A reason code. The set is open and may hold free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_reason: Option<String>,
    /// Text for the log, never for the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// The account that paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
    /// The transaction hash; empty when there is none.
    pub transaction: String,
    /// CAIP-2 network, or a short name in version 1.
    pub network: String,
    /// The amount charged, in atomic units, where it can differ from the amount offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Extension data for the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Map<String, Value>>,
    /// Scheme data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Map<String, Value>>,
}

impl SettleResponse {
    /// Whether this proves settlement: success **and** a transaction. Success without one is a claim nobody can check.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.success && !self.transaction.trim().is_empty()
    }
}

/// A kind of payment a facilitator handles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct SupportedKind {
    /// 1 or 2.
    #[serde(deserialize_with = "integer")]
    pub x402_version: u8,
    /// `exact`, `upto`, …
    pub scheme: String,
    /// CAIP-2 network (version 2) or short name (version 1).
    pub network: String,
    /// Scheme data to be copied into offers, for example a fee payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Map<String, Value>>,
}

/// A facilitator's answer to `/supported`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct SupportedResponse {
    /// What it handles.
    pub kinds: Vec<SupportedKind>,
    /// Extension keys it knows.
    #[serde(default, deserialize_with = "null_as_default")]
    pub extensions: Vec<String>,
    /// Settling accounts by CAIP-2 pattern.
    #[serde(default, deserialize_with = "null_as_default")]
    pub signers: BTreeMap<String, Vec<String>>,
}

impl SupportedResponse {
    /// Whether a kind is listed under exactly this network.
    #[must_use]
    pub fn supports(&self, version: u8, scheme: &str, network: &str) -> bool {
        self.kinds.iter().any(|kind| {
            kind.x402_version == version && kind.scheme == scheme && kind.network == network
        })
    }
}
