//! Header names, and the base64 JSON codec of all x402 headers.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use super::json::{integral, within_depth};

/// Version 2 terms, on a 402 answer.
pub const PAYMENT_REQUIRED: &str = "PAYMENT-REQUIRED";
/// Version 2 payment, on a request.
pub const PAYMENT_SIGNATURE: &str = "PAYMENT-SIGNATURE";
/// Version 2 settlement result, on an answer.
pub const PAYMENT_RESPONSE: &str = "PAYMENT-RESPONSE";
/// Version 1 payment, on a request.
pub const X_PAYMENT: &str = "X-PAYMENT";
/// Version 1 settlement result, on an answer.
pub const X_PAYMENT_RESPONSE: &str = "X-PAYMENT-RESPONSE";

/// The longest header accepted unless configured otherwise, in bytes of base64. Buyers echo extensions back.
pub const DEFAULT_CAP: usize = 16 * 1024;

/// The alphabet with `=` handled by hand and stray low bits ignored, as browsers decode.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Why a message cannot be encoded or decoded. Never holds content, which may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// Longer than allowed; nothing was decoded.
    #[error("{len} bytes exceed the limit of {cap}")]
    TooLarge {
        /// Bytes received.
        len: usize,
        /// Bytes allowed.
        cap: usize,
    },
    /// Not standard base64.
    #[error("not standard base64")]
    Base64,
    /// The decoded bytes are not UTF-8.
    #[error("not UTF-8")]
    Utf8,
    /// The decoded text is not JSON.
    #[error("not JSON")]
    Json,
    /// The JSON nests deeper than [`super::json::MAX_DEPTH`].
    #[error("JSON is nested too deeply")]
    TooDeep,
    /// The JSON is not the message expected: a member is missing, doubled or of the wrong type.
    #[error("JSON does not have the expected shape")]
    Shape,
    /// `x402Version` is not the one this message must have.
    #[error("unexpected x402Version {found:?}")]
    Version {
        /// The version found; `None` when there is none or it is not a non-negative integer.
        found: Option<u64>,
    },
    /// A 402 answer without terms this crate understands.
    #[error("402 answer without payment terms")]
    NoTerms,
}

impl CodecError {
    /// A stable machine-readable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::Base64 => "not_base64",
            Self::Utf8 => "not_utf8",
            Self::Json => "not_json",
            Self::TooDeep => "too_deep",
            Self::Shape => "wrong_shape",
            Self::Version { .. } => "wrong_version",
            Self::NoTerms => "no_payment_terms",
        }
    }
}

/// The name of the payment header of a protocol version; `None` for versions this crate does not speak.
#[must_use]
pub const fn payment_header(version: u64) -> Option<&'static str> {
    match version {
        1 => Some(X_PAYMENT),
        2 => Some(PAYMENT_SIGNATURE),
        _ => None,
    }
}

/// Encodes a version 2 message: compact JSON in UTF-8, standard base64 with padding.
///
/// # Errors
/// [`CodecError::Shape`] when the value cannot be JSON, which no message of this crate can cause.
///
/// ```
/// use x402_model::wire::headers::{DEFAULT_CAP, decode_value, encode};
/// let header = encode(&serde_json::json!({"a": "ü"}))?;
/// assert_eq!(header, "eyJhIjoiw7wifQ==");
/// assert_eq!(decode_value(b"eyJhIjoiw7wifQ", DEFAULT_CAP)?["a"], "ü");
/// # Ok::<(), x402_model::wire::CodecError>(())
/// ```
pub fn encode<T: Serialize + ?Sized>(message: &T) -> Result<String, CodecError> {
    serde_json::to_vec(message)
        .map(|json| STANDARD.encode(json))
        .map_err(|_| CodecError::Shape)
}

/// Encodes a version 1 message: as [`encode`], but with every non-ASCII character written as a JSON escape.
///
/// Version 1 readers take the bytes for Latin-1, newer ones for UTF-8; ASCII means the same to both.
///
/// # Errors
/// As [`encode`].
pub fn encode_v1<T: Serialize + ?Sized>(message: &T) -> Result<String, CodecError> {
    let json = serde_json::to_string(message).map_err(|_| CodecError::Shape)?;
    let mut ascii = String::with_capacity(json.len());
    // Outside of strings JSON is ASCII already, so escaping every other character is safe.
    for c in json.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    Ok(STANDARD.encode(ascii))
}

/// Decodes a version 2 message.
///
/// # Errors
/// A [`CodecError`]. The length is checked before anything is decoded.
pub fn decode<T: DeserializeOwned>(header: &[u8], cap: usize) -> Result<T, CodecError> {
    from_text(&decode_text(header, cap)?)
}

/// Decodes a version 1 message; text that is not UTF-8 is taken for Latin-1.
///
/// # Errors
/// A [`CodecError`], never [`CodecError::Utf8`].
pub fn decode_v1<T: DeserializeOwned>(header: &[u8], cap: usize) -> Result<T, CodecError> {
    from_text(&decode_text_v1(header, cap)?)
}

/// Decodes to any JSON value: null, arrays and numbers come through.
///
/// # Errors
/// As [`decode`].
pub fn decode_value(header: &[u8], cap: usize) -> Result<Value, CodecError> {
    decode(header, cap)
}

/// Decodes a version 2 header to its JSON text, without parsing it.
///
/// # Errors
/// [`CodecError::TooLarge`], [`CodecError::Base64`] or [`CodecError::Utf8`].
pub fn decode_text(header: &[u8], cap: usize) -> Result<String, CodecError> {
    let bytes = decode_bytes(header, cap)?;
    let mut text = String::from_utf8(bytes).map_err(|_| CodecError::Utf8)?;
    // The reference's text decoder drops a byte order mark; some buyers' JSON writers put one.
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// Decodes a version 1 header to its JSON text: UTF-8 if it is, Latin-1 if not.
///
/// # Errors
/// [`CodecError::TooLarge`] or [`CodecError::Base64`].
pub fn decode_text_v1(header: &[u8], cap: usize) -> Result<String, CodecError> {
    let bytes = decode_bytes(header, cap)?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| error.as_bytes().iter().copied().map(char::from).collect()))
}

/// Parses JSON text into a message, with bounded depth.
///
/// # Errors
/// [`CodecError::TooDeep`], [`CodecError::Json`] or [`CodecError::Shape`].
pub fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, CodecError> {
    if !within_depth(text) {
        return Err(CodecError::TooDeep);
    }
    serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => CodecError::Shape,
        Category::Syntax | Category::Eof | Category::Io => CodecError::Json,
    })
}

/// Checks `x402Version` before the rest of a message is looked at, so that a message of another version is called
/// that and not malformed.
pub(super) fn expect_version(text: &str, version: u8) -> Result<(), CodecError> {
    let message: Value = from_text(text)?;
    let message = message.as_object().ok_or(CodecError::Shape)?;
    let found = message
        .get("x402Version")
        .and_then(Value::as_number)
        .and_then(integral);
    if found == Some(u64::from(version)) {
        Ok(())
    } else {
        Err(CodecError::Version { found })
    }
}

fn decode_bytes(header: &[u8], cap: usize) -> Result<Vec<u8>, CodecError> {
    if header.len() > cap {
        return Err(CodecError::TooLarge {
            len: header.len(),
            cap,
        });
    }
    // Padding counts only when it completes a group of four; everything else is refused by the decoder, because "="
    // is outside of its alphabet.
    let padding = header
        .iter()
        .rev()
        .take(2)
        .take_while(|byte| **byte == b'=')
        .count();
    let digits = if header.len().is_multiple_of(4) {
        header.get(..header.len() - padding).unwrap_or(header)
    } else {
        header
    };
    FORGIVING.decode(digits).map_err(|_| CodecError::Base64)
}
