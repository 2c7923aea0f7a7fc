//! Reads the members of payment payloads: hex in any letter case, integers in any spelling, null as absent.
//!
//! A member inside of another is named by its path (`witness.to`); the last part of the path is its key.

use alloy_primitives::{Address, B256, U256};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::address::{read_address, read_word};
use super::payload::PayloadError;
use super::signature::Signature;
use crate::wire::json::integral;

/// The longest text accepted for an integer. A 256-bit number has 78 decimal digits; the rest is for leading zeros.
const MAX_INTEGER_TEXT: usize = 128;

/// A member that is there and not null; other SDKs write null for "absent".
pub(super) fn present<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    map.get(key).filter(|value| !value.is_null())
}

fn required<'a>(
    fields: &'a Map<String, Value>,
    path: &'static str,
) -> Result<&'a Value, PayloadError> {
    let key = path.rsplit_once('.').map_or(path, |(_, key)| key);
    present(fields, key).ok_or(PayloadError::MissingField(path))
}

/// JSON text as a tree.
pub(super) fn raw(payload: &RawValue) -> Result<Value, PayloadError> {
    serde_json::from_str(payload.get()).map_err(|_| PayloadError::NotJson)
}

/// The `signature` of a payload.
pub(super) fn signature(payload: &Map<String, Value>) -> Result<Signature, PayloadError> {
    match present(payload, "signature") {
        None => Err(PayloadError::MissingSignature),
        Some(Value::String(text)) => Ok(Signature::parse(text)?),
        Some(_) => Err(PayloadError::SignatureType),
    }
}

/// The members of what a payload signs, under the name that its kind has for it.
pub(super) fn signed<'a>(
    payload: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a Map<String, Value>, PayloadError> {
    match present(payload, name) {
        None => Err(PayloadError::MissingAuthorization),
        Some(Value::Object(fields)) => Ok(fields),
        Some(_) => Err(PayloadError::AuthorizationType),
    }
}

/// A member that is an object itself.
pub(super) fn object<'a>(
    fields: &'a Map<String, Value>,
    path: &'static str,
) -> Result<&'a Map<String, Value>, PayloadError> {
    required(fields, path)?
        .as_object()
        .ok_or(PayloadError::FieldType(path))
}

pub(super) fn address(
    fields: &Map<String, Value>,
    path: &'static str,
) -> Result<Address, PayloadError> {
    required(fields, path)?
        .as_str()
        .and_then(read_address)
        .ok_or(PayloadError::Address(path))
}

/// An EIP-3009 nonce.
pub(super) fn word(fields: &Map<String, Value>, path: &'static str) -> Result<B256, PayloadError> {
    required(fields, path)?
        .as_str()
        .and_then(read_word)
        .ok_or(PayloadError::Nonce)
}

pub(super) fn integer(
    fields: &Map<String, Value>,
    path: &'static str,
) -> Result<U256, PayloadError> {
    match required(fields, path)? {
        Value::String(text) => integer_text(text, path),
        Value::Number(number) => integral(number)
            .map(U256::from)
            .ok_or(PayloadError::Integer(path)),
        _ => Err(PayloadError::Integer(path)),
    }
}

/// Decimal text, or hex text after `0x`.
pub(crate) fn integer_text(text: &str, path: &'static str) -> Result<U256, PayloadError> {
    match text.strip_prefix("0x") {
        Some(hex) => digits(hex, 16, path),
        None => digits(text, 10, path),
    }
}

fn digits(text: &str, radix: u32, path: &'static str) -> Result<U256, PayloadError> {
    let all_digits = text.chars().all(|c| c.is_digit(radix));
    if text.is_empty() || text.len() > MAX_INTEGER_TEXT || !all_digits {
        return Err(PayloadError::Integer(path));
    }
    // What fits into 64 bits, which is nearly everything, is read five times faster.
    u64::from_str_radix(text, radix)
        .map(U256::from)
        .or_else(|_| U256::from_str_radix(text, u64::from(radix)))
        .map_err(|_| PayloadError::OutOfRange(path))
}
