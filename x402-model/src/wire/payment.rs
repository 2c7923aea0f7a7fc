//! A version 2 payment as it arrives in `PAYMENT-SIGNATURE`.

use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::headers::{self, CodecError};
use super::json::{integer, object, object_only, parse_raw, raw_object};
use super::offered::Offered;
use super::v2::VERSION;

object_only!(PaymentPayload);

/// A payment: the chosen entry of `accepts`, untouched, and the scheme's data.
///
/// It carries a signature that anybody could settle, so `Debug` shows no content.
#[derive(Clone, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct PaymentPayload {
    /// 2 for payments of this type.
    #[serde(deserialize_with = "integer")]
    pub x402_version: u64,
    /// The chosen entry of `accepts`, as text.
    pub accepted: Box<RawValue>,
    /// Scheme data, as text. For `exact` on EVM see [`crate::evm::ExactEvmPayload`].
    pub payload: Box<RawValue>,
    /// The resource of the 402 answer, copied by the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Value>,
    /// The extensions of the 402 answer, copied by the buyer, plus additions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Map<String, Value>>,
}

impl PaymentPayload {
    /// A payment that accepts an offer: the offer's own text and the scheme's data, ready to be encoded.
    ///
    /// `resource` and `extensions` are those of the 402 answer, echoed.
    ///
    /// # Errors
    /// [`CodecError::Shape`] when `payload` is not an object.
    ///
    /// ```
    /// use serde_json::json;
    /// use x402_model::wire::{Offered, PaymentPayload};
    /// let offer: Offered = serde_json::from_str(r#"{"scheme":"exact", "new":1}"#)?;
    /// let payment = PaymentPayload::accepting(&offer, &json!({"signature": "0x01"}), None, None)?;
    /// assert_eq!(payment.accepted.get(), r#"{"scheme":"exact", "new":1}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn accepting<R>(
        offer: &Offered<R>,
        payload: &Value,
        resource: Option<Value>,
        extensions: Option<Map<String, Value>>,
    ) -> Result<Self, CodecError> {
        Ok(Self {
            x402_version: u64::from(VERSION),
            accepted: offer.raw().to_owned(),
            payload: raw_object(payload)?,
            resource,
            extensions,
        })
    }

    /// Decodes a `PAYMENT-SIGNATURE` header and checks its version and shape.
    ///
    /// # Errors
    /// A [`CodecError`]. [`CodecError::Version`] when `x402Version` is not 2, whatever else the message holds;
    /// [`CodecError::Shape`] when `accepted` or `payload` is not an object.
    pub fn from_header(header: &[u8], cap: usize) -> Result<Self, CodecError> {
        let text = headers::decode_text(header, cap)?;
        headers::expect_version(&text, VERSION)?;
        let payment: Self = headers::from_text(&text)?;
        if object(&payment.accepted).is_none() || object(&payment.payload).is_none() {
            return Err(CodecError::Shape);
        }
        Ok(payment)
    }

    /// The chosen entry as JSON; `Null` when it cannot be parsed.
    #[must_use]
    pub fn accepted_value(&self) -> Value {
        parse_raw(&self.accepted).unwrap_or(Value::Null)
    }

    /// The scheme data as JSON; `Null` when it cannot be parsed.
    #[must_use]
    pub fn payload_value(&self) -> Value {
        parse_raw(&self.payload).unwrap_or(Value::Null)
    }

    /// The whole payment as JSON, for a facilitator.
    ///
    /// # Errors
    /// [`CodecError::Json`] when a raw part nests too deeply or holds a number out of range, which cannot happen for
    /// a payment that came from [`PaymentPayload::from_header`].
    pub fn to_value(&self) -> Result<Value, CodecError> {
        let text = serde_json::to_string(self).map_err(|_| CodecError::Shape)?;
        serde_json::from_str(&text).map_err(|_| CodecError::Json)
    }
}

impl fmt::Debug for PaymentPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentPayload")
            .field("x402_version", &self.x402_version)
            .field("content", &"<redacted>")
            .finish()
    }
}
