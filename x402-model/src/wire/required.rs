//! Finds the terms in a 402 answer, whichever version it speaks.

use serde_json::Value;

use super::headers::{self, CodecError};
use super::json::integral;
use super::{v1, v2};

/// The longest 402 body looked at, in bytes, when the header cap is smaller.
pub const BODY_CAP: usize = 256 * 1024;

/// The terms of a 402 answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Required402 {
    /// From the `PAYMENT-REQUIRED` header.
    V2(v2::PaymentRequired),
    /// From the JSON body.
    V1(v1::PaymentRequired),
}

impl Required402 {
    /// The protocol version.
    #[must_use]
    pub const fn version(&self) -> u8 {
        match self {
            Self::V2(_) => v2::VERSION,
            Self::V1(_) => v1::VERSION,
        }
    }

    /// The seller's reason or text.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::V2(required) => required.error.as_deref(),
            Self::V1(required) => required.error.as_deref(),
        }
    }
}

/// Reads the terms of a 402 answer.
///
/// A `PAYMENT-REQUIRED` header decides alone, good or bad; the body is then not looked at. Without one, the body
/// counts only as version 1: version 2 terms in a body are not terms.
///
/// # Errors
/// A [`CodecError`] about the header if there is one; [`CodecError::NoTerms`] when there are no terms at all;
/// [`CodecError::Shape`] when the body says version 1 but is not.
///
/// ```
/// use x402_model::wire::headers::{CodecError, DEFAULT_CAP};
/// use x402_model::wire::{Required402, parse_402};
/// let body = br#"{"x402Version":1,"error":"X-PAYMENT header is required","accepts":[]}"#;
/// assert!(matches!(parse_402(None, body, DEFAULT_CAP), Ok(Required402::V1(_))));
/// assert!(matches!(parse_402(None, b"{}", DEFAULT_CAP), Err(CodecError::NoTerms)));
/// assert!(matches!(parse_402(Some(b"?"), body, DEFAULT_CAP), Err(CodecError::Base64)));
/// ```
pub fn parse_402(
    header: Option<&[u8]>,
    body: &[u8],
    cap: usize,
) -> Result<Required402, CodecError> {
    match header {
        Some(header) => {
            let text = headers::decode_text(header, cap)?;
            headers::expect_version(&text, v2::VERSION)?;
            headers::from_text(&text).map(Required402::V2)
        }
        None => from_body(body, cap.max(BODY_CAP)),
    }
}

fn from_body(body: &[u8], cap: usize) -> Result<Required402, CodecError> {
    if body.len() > cap {
        return Err(CodecError::TooLarge {
            len: body.len(),
            cap,
        });
    }
    let text = core::str::from_utf8(body).map_err(|_| CodecError::NoTerms)?;
    let value: Value = headers::from_text(text).map_err(|_| CodecError::NoTerms)?;
    let version = value
        .get("x402Version")
        .and_then(Value::as_number)
        .and_then(integral);
    if version == Some(u64::from(v1::VERSION)) {
        headers::from_text(text).map(Required402::V1)
    } else {
        Err(CodecError::NoTerms)
    }
}
