//! Version 1 messages: terms in the 402 body, payment in `X-PAYMENT`, result in `X-PAYMENT-RESPONSE`.

use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::headers::{self, CodecError};
use super::json::{integer, null_as_default, object, object_only, parse_raw, raw_object};

object_only!(PaymentRequirements, PaymentRequired, PaymentPayload);

/// The `x402Version` of these messages.
pub const VERSION: u8 = 1;

/// Settlement results have the same shape in both versions; in version 1 `network` is a short name.
pub use super::response::SettleResponse;

/// One entry of `accepts`.
pub type Offered = super::offered::Offered<PaymentRequirements>;

/// One way to pay, with the resource described in every entry.
///
/// ```
/// use x402_model::wire::v1::PaymentRequirements;
/// let terms: PaymentRequirements = serde_json::from_str(
///     r#"{"scheme":"exact","network":"base","maxAmountRequired":"10000","resource":"https://a.example/x",
///         "description":"","mimeType":null,"outputSchema":null,"payTo":"0x70","maxTimeoutSeconds":60,"asset":"0x83"}"#,
/// )?;
/// assert_eq!((terms.mime_type.as_str(), terms.output_schema), ("", None));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct PaymentRequirements {
    /// `exact`.
    pub scheme: String,
    /// Short network name, for example `base-sepolia`.
    pub network: String,
    /// Atomic units of the asset, as decimal text.
    pub max_amount_required: String,
    /// Absolute URL of the resource.
    pub resource: String,
    /// What it is; may be empty. Old buyers refuse null here, so it is always written as text.
    #[serde(default, deserialize_with = "null_as_default")]
    pub description: String,
    /// Media type of the paid answer; always written as text for the same reason.
    #[serde(default, deserialize_with = "null_as_default")]
    pub mime_type: String,
    /// How to call the resource and what it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Map<String, Value>>,
    /// Who is paid.
    pub pay_to: String,
    /// Seconds the buyer's authorization may stay valid.
    #[serde(deserialize_with = "integer")]
    pub max_timeout_seconds: u64,
    /// Token address.
    pub asset: String,
    /// The token's EIP-712 `name` and `version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Map<String, Value>>,
}

/// The body of a version 1 402 answer.
#[derive(Clone, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct PaymentRequired {
    /// Always 1.
    #[serde(deserialize_with = "integer")]
    pub x402_version: u8,
    /// A reason code or text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The ways to pay.
    pub accepts: Vec<Offered>,
    /// Who tried to pay, after a failed verification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
}

impl PaymentRequired {
    /// Terms with the version filled in.
    #[must_use]
    pub fn new(error: impl Into<String>, accepts: Vec<Offered>) -> Self {
        Self {
            x402_version: VERSION,
            error: Some(error.into()),
            accepts,
            payer: None,
        }
    }
}

impl fmt::Debug for PaymentRequired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("v1::PaymentRequired")
            .field("x402_version", &self.x402_version)
            .field("error", &self.error)
            .field("accepts", &self.accepts)
            .finish_non_exhaustive()
    }
}

/// A version 1 payment. `Debug` shows no scheme data, because it carries a signature.
#[derive(Clone, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct PaymentPayload {
    /// 1 for payments of this type.
    #[serde(deserialize_with = "integer")]
    pub x402_version: u64,
    /// `exact`.
    pub scheme: String,
    /// Short network name.
    pub network: String,
    /// Scheme data, as text.
    pub payload: Box<RawValue>,
}

impl PaymentPayload {
    /// A payment for terms: version 1 names only their scheme and network.
    ///
    /// # Errors
    /// [`CodecError::Shape`] when `payload` is not an object.
    pub fn accepting(terms: &PaymentRequirements, payload: &Value) -> Result<Self, CodecError> {
        Ok(Self {
            x402_version: u64::from(VERSION),
            scheme: terms.scheme.clone(),
            network: terms.network.clone(),
            payload: raw_object(payload)?,
        })
    }

    /// Decodes an `X-PAYMENT` header and checks its version and shape. Latin-1 text is accepted.
    ///
    /// # Errors
    /// A [`CodecError`]; [`CodecError::Version`] when `x402Version` is not 1.
    pub fn from_header(header: &[u8], cap: usize) -> Result<Self, CodecError> {
        let text = headers::decode_text_v1(header, cap)?;
        headers::expect_version(&text, VERSION)?;
        let payment: Self = headers::from_text(&text)?;
        if object(&payment.payload).is_none() {
            return Err(CodecError::Shape);
        }
        Ok(payment)
    }

    /// The scheme data as JSON; `Null` when it cannot be parsed.
    #[must_use]
    pub fn payload_value(&self) -> Value {
        parse_raw(&self.payload).unwrap_or(Value::Null)
    }

    /// The whole payment as JSON, for a facilitator.
    ///
    /// # Errors
    /// As [`super::PaymentPayload::to_value`].
    pub fn to_value(&self) -> Result<Value, CodecError> {
        let text = serde_json::to_string(self).map_err(|_| CodecError::Shape)?;
        serde_json::from_str(&text).map_err(|_| CodecError::Json)
    }
}

impl fmt::Debug for PaymentPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("v1::PaymentPayload")
            .field("x402_version", &self.x402_version)
            .field("scheme", &self.scheme)
            .field("network", &self.network)
            .field("payload", &"<redacted>")
            .finish()
    }
}
