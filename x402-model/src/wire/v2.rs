//! Version 2 terms: what a 402 answer offers.

use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::json::{integer, null_as_default, object_only};
use super::offered::Offered;

object_only!(ResourceInfo, PaymentRequirements, PaymentRequired);

/// The `x402Version` of these messages.
pub const VERSION: u8 = 2;

/// What is being sold, once per 402 answer.
///
/// Explicit nulls are read as absent and unknown members are ignored, here and in every other message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct ResourceInfo {
    /// Absolute URL of the resource.
    pub url: String,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Media type of the paid answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Name of the service, 1 to 32 printable ASCII characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    /// At most 5 tags of 1 to 32 printable ASCII characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Icon URL, at most 2048 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_url: Option<String>,
}

/// One way to pay.
///
/// A seller writes this type. A buyer reads it through [`Offered`], which keeps the seller's own text, because the
/// chosen entry has to be sent back exactly as it was offered.
///
/// ```
/// use x402_model::wire::PaymentRequirements;
/// let terms: PaymentRequirements = serde_json::from_str(
///     r#"{"scheme":"exact","network":"eip155:84532","amount":"10000","asset":"0x036C","payTo":"0x7099","maxTimeoutSeconds":300.0,"extra":null}"#,
/// )?;
/// assert_eq!(terms.max_timeout_seconds, 300);
/// assert!(terms.extra.is_empty());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct PaymentRequirements {
    /// `exact`, `upto`, …
    pub scheme: String,
    /// CAIP-2 network.
    pub network: String,
    /// Atomic units of the asset, as decimal text.
    pub amount: String,
    /// Token address or mint.
    pub asset: String,
    /// Who is paid.
    pub pay_to: String,
    /// Seconds the buyer's authorization may stay valid.
    #[serde(deserialize_with = "integer")]
    pub max_timeout_seconds: u64,
    /// Scheme data, for example the token's EIP-712 `name` and `version`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub extra: Map<String, Value>,
}

/// The content of a `PAYMENT-REQUIRED` header.
#[derive(Clone, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct PaymentRequired {
    /// Always 2.
    #[serde(deserialize_with = "integer")]
    pub x402_version: u8,
    /// A reason code or text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What is being sold.
    pub resource: ResourceInfo,
    /// The ways to pay, best first. Entries that make no sense to us are kept.
    pub accepts: Vec<Offered>,
    /// Extensions by key, usually `{info, schema}` each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Map<String, Value>>,
}

impl PaymentRequired {
    /// Terms with the version filled in.
    #[must_use]
    pub fn new(error: impl Into<String>, resource: ResourceInfo, accepts: Vec<Offered>) -> Self {
        Self {
            x402_version: VERSION,
            error: Some(error.into()),
            resource,
            accepts,
            extensions: None,
        }
    }
}

impl fmt::Debug for PaymentRequired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentRequired")
            .field("x402_version", &self.x402_version)
            .field("error", &self.error)
            .field("resource", &self.resource)
            .field("accepts", &self.accepts)
            .field(
                "extensions",
                &self
                    .extensions
                    .as_ref()
                    .map(|map| map.keys().collect::<Vec<_>>()),
            )
            .finish()
    }
}
