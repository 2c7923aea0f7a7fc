//! The terms of a 402 answer in one form for both protocol versions.

use std::fmt;

use http::HeaderMap;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use x402_model::network::Network;
use x402_model::wire::headers::{PAYMENT_REQUIRED, decode_value};
use x402_model::wire::{CodecError, Required402, parse_402};

/// Options of one answer that are looked at; the rest is ignored.
pub(crate) const MAX_OPTIONS: usize = 32;

/// The terms of a 402 answer.
#[derive(Clone)]
pub struct Terms {
    pub(crate) version: Version,
    /// The place the terms are about, in version 2.
    pub(crate) place: Option<String>,
    /// The whole `resource` member as it was read, for the echo.
    pub(crate) resource: Option<Value>,
    pub(crate) options: Vec<Offer>,
    pub(crate) extensions: Option<Map<String, Value>>,
    pub(crate) error: Option<String>,
}

/// The protocol version that the seller speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Terms in the body, payment in `X-PAYMENT`.
    V1,
    /// Terms and payment in headers.
    V2,
}

/// One way to pay: its text for the echo, and what it says.
#[derive(Clone)]
pub(crate) struct Offer {
    pub(crate) raw: Box<RawValue>,
    pub(crate) view: Option<OfferView>,
}

#[derive(Clone, Debug)]
pub(crate) struct OfferView {
    pub(crate) scheme: String,
    pub(crate) network: Option<Network>,
    /// The network as written, for a version 1 payment.
    pub(crate) network_text: String,
    pub(crate) amount: String,
    pub(crate) asset: String,
    pub(crate) pay_to: String,
    pub(crate) max_timeout_seconds: u64,
    pub(crate) extra: Map<String, Value>,
    /// Version 1 names the resource in each entry.
    pub(crate) resource: Option<String>,
}

/// Terms that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TermsError {
    /// More than one `PAYMENT-REQUIRED` header: readers may disagree on which one counts.
    #[error("more than one PAYMENT-REQUIRED header")]
    Doubled,
    /// No terms, or not readable.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

impl Terms {
    /// Reads a 402 answer: the `PAYMENT-REQUIRED` header (at most `cap` bytes) if there is one, else a version 1 body.
    ///
    /// # Errors
    /// [`TermsError`]; nothing was paid then.
    pub fn read(headers: &HeaderMap, body: &[u8], cap: usize) -> Result<Self, TermsError> {
        let mut values = headers.get_all(PAYMENT_REQUIRED).iter();
        let header = values.next();
        if values.next().is_some() {
            return Err(TermsError::Doubled);
        }
        let header = header.map(http::HeaderValue::as_bytes);
        let mut terms = Self::from_required(parse_402(header, body, cap)?);
        if let Some(header) = header {
            // The typed resource knows only the members that the protocol names; the echo has them all.
            let mut whole = decode_value(header, cap)?;
            terms.resource = whole.get_mut("resource").map(Value::take);
        }
        Ok(terms)
    }

    pub(crate) fn from_required(required: Required402) -> Self {
        match required {
            Required402::V2(required) => Self {
                version: Version::V2,
                options: required
                    .accepts
                    .iter()
                    .take(MAX_OPTIONS)
                    .map(Offer::v2)
                    .collect(),
                resource: serde_json::to_value(&required.resource).ok(),
                place: Some(required.resource.url),
                extensions: required.extensions,
                error: required.error,
            },
            Required402::V1(required) => Self {
                version: Version::V1,
                options: required
                    .accepts
                    .iter()
                    .take(MAX_OPTIONS)
                    .map(Offer::v1)
                    .collect(),
                place: None,
                resource: None,
                extensions: None,
                error: required.error,
            },
            // A version that this crate does not know offers nothing.
            _ => Self {
                version: Version::V2,
                options: Vec::new(),
                place: None,
                resource: None,
                extensions: None,
                error: None,
            },
        }
    }

    /// The protocol version of the terms.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// How many options are looked at.
    pub fn len(&self) -> usize {
        self.options.len()
    }

    /// Whether nothing is offered.
    pub fn is_empty(&self) -> bool {
        self.options.is_empty()
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms")
            .field("version", &self.version)
            .field("options", &self.options.len())
            .finish()
    }
}

impl Offer {
    fn v2(offered: &x402_model::wire::Offered) -> Self {
        let view = offered.view().map(|view| OfferView {
            scheme: view.scheme.clone(),
            // Version 2 knows CAIP-2 names only: a short name here is not a network.
            network: view.network.parse().ok(),
            network_text: view.network.clone(),
            amount: view.amount.clone(),
            asset: view.asset.clone(),
            pay_to: view.pay_to.clone(),
            max_timeout_seconds: view.max_timeout_seconds,
            extra: view.extra.clone(),
            resource: None,
        });
        Self {
            raw: offered.raw().to_owned(),
            view,
        }
    }

    fn v1(offered: &x402_model::wire::v1::Offered) -> Self {
        let view = offered.view().map(|view| OfferView {
            scheme: view.scheme.clone(),
            network: Network::from_short_name(&view.network),
            network_text: view.network.clone(),
            amount: view.max_amount_required.clone(),
            asset: view.asset.clone(),
            pay_to: view.pay_to.clone(),
            max_timeout_seconds: view.max_timeout_seconds,
            extra: view.extra.clone().unwrap_or_default(),
            resource: Some(view.resource.clone()),
        });
        Self {
            raw: offered.raw().to_owned(),
            view,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;
    use x402_model::wire::headers::encode;

    use super::*;

    fn header(value: &Value) -> HeaderValue {
        HeaderValue::from_str(&encode(value).unwrap()).unwrap()
    }

    fn v2() -> Value {
        json!({"x402Version": 2, "resource": {"url": "https://a.example/x"}, "accepts": [{"scheme": "odd"}]})
    }

    #[test]
    fn the_header_decides_and_doubled_headers_decide_nothing() {
        let v1 = br#"{"x402Version":1,"accepts":[]}"#;
        let mut headers = HeaderMap::new();
        assert_eq!(
            Terms::read(&headers, v1, 1000).unwrap().version(),
            Version::V1
        );
        assert_eq!(
            Terms::read(&headers, b"{}", 1000).unwrap_err(),
            TermsError::Codec(CodecError::NoTerms)
        );
        headers.append(PAYMENT_REQUIRED, header(&v2()));
        let terms = Terms::read(&headers, v1, 1000).unwrap();
        assert_eq!(
            (terms.version(), terms.len(), terms.is_empty()),
            (Version::V2, 1, false)
        );
        headers.append(PAYMENT_REQUIRED, header(&v2()));
        assert_eq!(
            Terms::read(&headers, v1, 1000).unwrap_err(),
            TermsError::Doubled
        );
    }

    #[test]
    fn size_is_capped_before_decoding_and_options_are_counted() {
        let mut headers = HeaderMap::new();
        headers.insert(PAYMENT_REQUIRED, header(&v2()));
        assert!(matches!(
            Terms::read(&headers, b"", 10),
            Err(TermsError::Codec(CodecError::TooLarge { .. }))
        ));
        let many =
            json!({"x402Version": 2, "resource": {"url": ""}, "accepts": vec![json!({}); 500]});
        headers.insert(PAYMENT_REQUIRED, header(&many));
        assert_eq!(
            Terms::read(&headers, b"", 16_384).unwrap().len(),
            MAX_OPTIONS
        );
    }
}
