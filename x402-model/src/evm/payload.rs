//! The `exact` payload on EVM chains, read into one canonical form whatever spelling a buyer used.

use alloy_primitives::hex;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::eip3009::Authorization;
use super::members::{address, integer, raw, signature, signed, word};
use super::signature::{Signature, SignatureError};

/// The scheme data of an `exact` payment by EIP-3009: `{signature, authorization}`.
///
/// One payment has many spellings: hex in any case, integers as decimal text, `0x` hex text or JSON numbers. All of
/// them become the same value here, so that a ledger key made from it recognises every copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactEvmPayload {
    /// The payer's signature over the authorization.
    pub signature: Signature,
    /// What was signed.
    pub authorization: Authorization,
}

/// Why JSON is not an [`ExactEvmPayload`] or another payload of an EVM chain. Names the field, never its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The text is not JSON, or is nested too deeply.
    #[error("payload is not JSON")]
    NotJson,
    /// The payload is not an object.
    #[error("payload is not an object")]
    NotAnObject,
    /// `signature` is missing or null.
    #[error("payload has no signature")]
    MissingSignature,
    /// `signature` is not a string.
    #[error("signature is not a string")]
    SignatureType,
    /// `signature` is not acceptable as bytes.
    #[error("{0}")]
    Signature(#[from] SignatureError),
    /// `authorization` is missing or null.
    #[error("payload has no authorization")]
    MissingAuthorization,
    /// `authorization` is not an object.
    #[error("authorization is not an object")]
    AuthorizationType,
    /// There is an `authorization` and a `permit2Authorization`: two readers could see two payments.
    #[error("payload has two authorizations")]
    TwoAuthorizations,
    /// Neither an EIP-3009 nor a Permit2 payload.
    #[error("payload is of no known kind")]
    UnknownKind,
    /// A member of the authorization is missing or null.
    #[error("`{0}` is missing")]
    MissingField(&'static str),
    /// A member is not a `0x`-prefixed 20-byte address.
    #[error("`{0}` is not an address")]
    Address(&'static str),
    /// A member is not a non-negative integer in any accepted spelling.
    #[error("`{0}` is not a non-negative integer")]
    Integer(&'static str),
    /// A member does not fit into 256 bits.
    #[error("`{0}` does not fit into 256 bits")]
    OutOfRange(&'static str),
    /// A member is not an object.
    #[error("`{0}` is not an object")]
    FieldType(&'static str),
    /// `nonce` is not exactly 32 bytes of `0x`-prefixed hex.
    #[error("`nonce` is not 32 bytes of hex")]
    Nonce,
}

impl PayloadError {
    /// A stable machine-readable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotJson => "payload_not_json",
            Self::NotAnObject => "payload_not_an_object",
            Self::MissingSignature => "payload_signature_missing",
            Self::SignatureType => "payload_signature_type",
            Self::Signature(SignatureError::Empty) => "payload_signature_empty",
            Self::Signature(SignatureError::TooLong) => "payload_signature_too_long",
            Self::Signature(SignatureError::NotHex) => "payload_signature_not_hex",
            Self::MissingAuthorization => "payload_authorization_missing",
            Self::AuthorizationType => "payload_authorization_type",
            Self::TwoAuthorizations => "payload_two_authorizations",
            Self::UnknownKind => "payload_kind_unknown",
            Self::MissingField(_) => "payload_field_missing",
            Self::FieldType(_) => "payload_field_type",
            Self::Address(_) => "payload_address",
            Self::Integer(_) => "payload_integer",
            Self::OutOfRange(_) => "payload_integer_out_of_range",
            Self::Nonce => "payload_nonce",
        }
    }
}

impl ExactEvmPayload {
    /// Reads a payload. Unknown members are ignored; letter case and address checksums are not judged.
    ///
    /// Integers may be decimal text (leading zeros allowed), `0x` hex text, or a non-negative integral JSON number that
    /// no reader can have rounded (see [`integral`](crate::wire::json::integral)).
    ///
    /// # Errors
    /// The first [`PayloadError`] found; the signature is looked at before the authorization.
    ///
    /// ```
    /// use serde_json::json;
    /// use x402_model::evm::{ExactEvmPayload, PayloadError};
    /// let payload = json!({
    ///     "signature": "0x01",
    ///     "authorization": {
    ///         "from": "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
    ///         "to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    ///         "value": "0x2710", "validAfter": 0, "validBefore": "1790000300",
    ///         "nonce": format!("0x{}", "07".repeat(32)),
    ///     },
    /// });
    /// let payload = ExactEvmPayload::parse(&payload)?;
    /// assert_eq!(payload.to_json()["authorization"]["value"], "10000");
    /// assert_eq!(ExactEvmPayload::parse(&json!([])), Err(PayloadError::NotAnObject));
    /// # Ok::<(), PayloadError>(())
    /// ```
    pub fn parse(payload: &Value) -> Result<Self, PayloadError> {
        let payload = payload.as_object().ok_or(PayloadError::NotAnObject)?;
        let signature = signature(payload)?;
        let fields = signed(payload, "authorization")?;
        Ok(Self {
            signature,
            authorization: read_authorization(fields)?,
        })
    }

    /// Reads a payload from JSON text kept as it came.
    ///
    /// # Errors
    /// As [`ExactEvmPayload::parse`], and [`PayloadError::NotJson`] for text that is nested too deeply.
    pub fn parse_raw(payload: &RawValue) -> Result<Self, PayloadError> {
        Self::parse(&raw(payload)?)
    }

    /// The canonical JSON: EIP-55 addresses, decimal strings, lower-case `0x` hex.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Authorization {
            from,
            to,
            value,
            valid_after,
            valid_before,
            nonce,
        } = &self.authorization;
        json!({
            "signature": self.signature.to_hex(),
            "authorization": {
                "from": from.to_checksum(None),
                "to": to.to_checksum(None),
                "value": value.to_string(),
                "validAfter": valid_after.to_string(),
                "validBefore": valid_before.to_string(),
                "nonce": hex::encode_prefixed(nonce),
            },
        })
    }
}

fn read_authorization(fields: &Map<String, Value>) -> Result<Authorization, PayloadError> {
    Ok(Authorization {
        from: address(fields, "from")?,
        to: address(fields, "to")?,
        value: integer(fields, "value")?,
        valid_after: integer(fields, "validAfter")?,
        valid_before: integer(fields, "validBefore")?,
        nonce: word(fields, "nonce")?,
    })
}

#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;
