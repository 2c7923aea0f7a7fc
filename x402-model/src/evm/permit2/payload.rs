//! The payload of a Permit2 payment, read into one canonical form whatever spelling a buyer used.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{Permit2Authorization, TokenPermissions, Witness};
use crate::evm::members::{address, integer, object, present, raw, signature, signed};
use crate::evm::{PayloadError, Signature};

/// The scheme data of a payment through Permit2: `{signature, permit2Authorization}`.
///
/// A witness that names a facilitator is one of scheme `upto`, any other is one of scheme `exact`. Spellings are read as in
/// [`ExactEvmPayload`](crate::evm::ExactEvmPayload): all spellings of one payment become the same value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit2Payload {
    /// The payer's signature over the authorization.
    pub signature: Signature,
    /// What was signed.
    pub authorization: Permit2Authorization,
}

impl Permit2Payload {
    /// Reads a payload. Unknown members are ignored; letter case and address checksums are not judged.
    ///
    /// # Errors
    /// The first [`PayloadError`] found; the signature is looked at before the authorization.
    ///
    /// ```
    /// use serde_json::json;
    /// use x402_model::evm::{PayloadError, Permit2Payload};
    /// let mut payload = json!({
    ///     "signature": "0x01",
    ///     "permit2Authorization": {
    ///         "from": "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
    ///         "permitted": {"token": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "amount": "0x2710"},
    ///         "spender": "0x402085c248EeA27D92E8b30b2C58ed07f9E20001",
    ///         "nonce": "7", "deadline": 1790000300,
    ///         "witness": {"to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "validAfter": "0"},
    ///     },
    /// });
    /// let read = Permit2Payload::parse(&payload)?;
    /// assert_eq!(read.to_json()["permit2Authorization"]["permitted"]["amount"], "10000");
    /// payload["permit2Authorization"]["witness"] = json!({});
    /// assert_eq!(Permit2Payload::parse(&payload), Err(PayloadError::MissingField("witness.to")));
    /// # Ok::<(), PayloadError>(())
    /// ```
    pub fn parse(payload: &Value) -> Result<Self, PayloadError> {
        let payload = payload.as_object().ok_or(PayloadError::NotAnObject)?;
        let signature = signature(payload)?;
        let fields = signed(payload, "permit2Authorization")?;
        Ok(Self {
            signature,
            authorization: read_authorization(fields)?,
        })
    }

    /// Reads a payload from JSON text kept as it came.
    ///
    /// # Errors
    /// As [`Permit2Payload::parse`], and [`PayloadError::NotJson`] for text that is nested too deeply.
    pub fn parse_raw(payload: &RawValue) -> Result<Self, PayloadError> {
        Self::parse(&raw(payload)?)
    }

    /// The canonical JSON: EIP-55 addresses, decimal strings, lower-case `0x` hex.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Permit2Authorization {
            from,
            permitted: TokenPermissions { token, amount },
            spender,
            nonce,
            deadline,
            witness,
        } = &self.authorization;
        let mut witness_json = json!({
            "to": witness.to().to_checksum(None),
            "validAfter": witness.valid_after().to_string(),
        });
        if let (Some(facilitator), Some(members)) =
            (witness.facilitator(), witness_json.as_object_mut())
        {
            members.insert("facilitator".into(), facilitator.to_checksum(None).into());
        }
        json!({
            "signature": self.signature.to_hex(),
            "permit2Authorization": {
                "from": from.to_checksum(None),
                "permitted": {"token": token.to_checksum(None), "amount": amount.to_string()},
                "spender": spender.to_checksum(None),
                "nonce": nonce.to_string(),
                "deadline": deadline.to_string(),
                "witness": witness_json,
            },
        })
    }
}

fn read_authorization(fields: &Map<String, Value>) -> Result<Permit2Authorization, PayloadError> {
    let permitted = object(fields, "permitted")?;
    let witness = object(fields, "witness")?;
    Ok(Permit2Authorization {
        from: address(fields, "from")?,
        permitted: TokenPermissions {
            token: address(permitted, "permitted.token")?,
            amount: integer(permitted, "permitted.amount")?,
        },
        spender: address(fields, "spender")?,
        nonce: integer(fields, "nonce")?,
        deadline: integer(fields, "deadline")?,
        witness: read_witness(witness)?,
    })
}

fn read_witness(fields: &Map<String, Value>) -> Result<Witness, PayloadError> {
    let to = address(fields, "witness.to")?;
    let valid_after = integer(fields, "witness.validAfter")?;
    if present(fields, "facilitator").is_none() {
        return Ok(Witness::Exact { to, valid_after });
    }
    Ok(Witness::Upto {
        to,
        facilitator: address(fields, "witness.facilitator")?,
        valid_after,
    })
}

#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;
