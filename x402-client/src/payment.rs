//! A signed payment and the request it belongs to: presented as often as needed, never signed again.

use std::fmt;

use alloy_primitives::{B256, Bytes as HexBytes};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use url::Url;
use x402_model::evm::EvmPayload;
use x402_model::wire::headers::{PAYMENT_SIGNATURE, X_PAYMENT, encode, encode_v1};
use x402_model::wire::json::to_raw;
use x402_model::wire::{CodecError, PaymentPayload, v1};
use zeroize::Zeroizing;

pub(crate) mod purchase;

use crate::error::RequestFault;
use crate::receipt::Receipt;
use crate::select::Choice;
use crate::target;
use crate::terms::{Terms, Version};

/// A signed payment whose outcome is open, with the request it pays for.
///
/// # Handle with care
/// It contains the payment header, which anybody could present until it expires, and the headers and body of the
/// request. `Debug` shows neither. The serde form contains **all of it** in the clear, because that is what
/// continuing after a restart takes: store it like a key.
#[derive(Clone, Serialize, Deserialize)]
pub struct PendingPayment {
    headers: Vec<(String, HexBytes)>,
    body: HexBytes,
    payment_header: String,
    payment: Bearer,
    receipt: Receipt,
}

impl PendingPayment {
    pub(crate) fn new(
        request: &PlainRequest,
        header: &'static str,
        payment: Bearer,
        receipt: Receipt,
    ) -> Self {
        Self {
            headers: headers_of(request),
            body: HexBytes(request.body.clone()),
            payment_header: header.to_owned(),
            payment,
            receipt,
        }
    }

    /// What the payment is for and how much it is, with the last known report about its settlement.
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// The nonce that identifies the authorization on chain.
    pub const fn nonce(&self) -> B256 {
        self.receipt.nonce
    }

    /// Unix seconds after which the authorization cannot be used.
    pub const fn valid_before(&self) -> u64 {
        self.receipt.valid_before
    }

    /// The same payment for a call that is made again.
    pub(crate) fn for_request(self, request: &PlainRequest) -> Self {
        Self {
            headers: headers_of(request),
            body: HexBytes(request.body.clone()),
            ..self
        }
    }

    pub(crate) fn with_receipt(&self, receipt: Receipt) -> Self {
        Self {
            receipt,
            ..self.clone()
        }
    }

    /// The paid request, to the place that the receipt names. Checked in full each time, because the payment may come
    /// from storage.
    pub(crate) fn request(&self, allow_http: bool) -> Result<Request<Bytes>, RequestFault> {
        let url = target::read(&self.receipt.url, allow_http)?;
        let method =
            Method::from_bytes(self.receipt.method.as_bytes()).map_err(|_| RequestFault::Header)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| RequestFault::Header)?;
            let value = HeaderValue::from_bytes(value).map_err(|_| RequestFault::Header)?;
            headers.append(name, value);
        }
        let name = match self.payment_header.as_str() {
            PAYMENT_SIGNATURE => HeaderName::from_static("payment-signature"),
            X_PAYMENT => HeaderName::from_static("x-payment"),
            _ => return Err(RequestFault::Header),
        };
        let mut payment =
            HeaderValue::from_str(&self.payment.0).map_err(|_| RequestFault::Header)?;
        payment.set_sensitive(true);
        headers.insert(name, payment);
        PlainRequest {
            method,
            url,
            headers,
            body: self.body.0.clone(),
        }
        .to_http()
    }
}

fn headers_of(request: &PlainRequest) -> Vec<(String, HexBytes)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = HexBytes::copy_from_slice(value.as_bytes());
        (name.as_str().to_owned(), value)
    };
    request.headers.iter().map(text).collect()
}

impl fmt::Debug for PendingPayment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingPayment")
            .field("receipt", &self.receipt)
            .finish_non_exhaustive()
    }
}

/// A request without payment.
#[derive(Clone)]
pub(crate) struct PlainRequest {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl PlainRequest {
    pub(crate) fn to_http(&self) -> Result<Request<Bytes>, RequestFault> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(self.url.as_str())
            .body(self.body.clone())
            .map_err(|_| RequestFault::Url)?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }
}

/// The value of a payment header: a bearer instrument. Never shown, wiped when dropped.
#[derive(Clone)]
pub(crate) struct Bearer(Zeroizing<String>);

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(<redacted>)")
    }
}

impl Serialize for Bearer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bearer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// Writes the payment header. The chosen option goes back byte for byte, resource and extensions as they were read:
/// sellers compare them. Only what the buyer adds to an extension comes on top, in `extensions`.
pub(crate) fn encode_payment(
    terms: &Terms,
    choice: &Choice,
    payload: &EvmPayload,
    extensions: Option<Map<String, Value>>,
) -> Result<(&'static str, Bearer), CodecError> {
    let payload = to_raw(&payload.to_json()).map_err(|_| CodecError::Shape)?;
    let (name, text) = match choice.version {
        Version::V2 => {
            let payment = PaymentPayload {
                x402_version: 2,
                accepted: choice.accepted.clone(),
                payload,
                resource: terms.resource.clone(),
                extensions,
            };
            (PAYMENT_SIGNATURE, encode(&payment)?)
        }
        Version::V1 => {
            let payment = v1::PaymentPayload {
                x402_version: 1,
                scheme: "exact".to_owned(),
                network: choice.network_text.clone(),
                payload,
            };
            (X_PAYMENT, encode_v1(&payment)?)
        }
    };
    Ok((name, Bearer(Zeroizing::new(text))))
}

#[cfg(test)]
pub(crate) mod tests;
