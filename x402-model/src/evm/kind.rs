//! Which of the EVM ways to pay an offer asks for, and which a payload takes.

use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::address::read_address;
use super::members::{present, raw};
use super::payload::{ExactEvmPayload, PayloadError};
use super::permit2::{Permit2Payload, Witness};
use super::signature::Signature;
use crate::asset::TransferMethod;

/// A way to pay on an EVM chain. The default is what terms of scheme `exact` ask for that name no method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvmKind {
    /// Scheme `exact` by a transfer that the token itself takes.
    #[default]
    Eip3009Exact,
    /// Scheme `exact` through Permit2.
    Permit2Exact,
    /// Scheme `upto`, which only goes through Permit2.
    Permit2Upto,
}

/// Why terms ask for no [`EvmKind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KindError {
    /// The scheme is neither `exact` nor `upto`.
    #[error("the scheme is neither `exact` nor `upto`")]
    Scheme,
    /// `extra.assetTransferMethod` is not `eip3009` or `permit2`, or not one of the scheme.
    #[error("`assetTransferMethod` is none that the scheme has")]
    Method,
    /// `extra.facilitatorAddress` is missing or no address, though scheme `upto` signs it.
    #[error("`facilitatorAddress` is missing or no address")]
    Facilitator,
}

impl EvmKind {
    /// What terms ask for: their scheme and `assetTransferMethod`.
    ///
    /// Without a method, `exact` is by EIP-3009, and `upto` through Permit2, because nothing else has it.
    ///
    /// # Errors
    /// [`KindError::Scheme`] or [`KindError::Method`] for everything that is not known, so that terms are never signed as
    /// something else than what they are.
    ///
    /// ```
    /// use serde_json::{Map, json};
    /// use x402_model::evm::{EvmKind, KindError};
    /// let extra = |method: &str| Map::from_iter([("assetTransferMethod".to_owned(), json!(method))]);
    /// assert_eq!(EvmKind::of_terms("exact", &Map::new()), Ok(EvmKind::Eip3009Exact));
    /// assert_eq!(EvmKind::of_terms("exact", &extra("permit2")), Ok(EvmKind::Permit2Exact));
    /// assert_eq!(EvmKind::of_terms("upto", &extra("permit2")), Ok(EvmKind::Permit2Upto));
    /// assert_eq!(EvmKind::of_terms("exact", &extra("erc7710")), Err(KindError::Method));
    /// ```
    pub fn of_terms(scheme: &str, extra: &Map<String, Value>) -> Result<Self, KindError> {
        let method = match present(extra, "assetTransferMethod") {
            None => None,
            Some(Value::String(name)) => {
                Some(TransferMethod::from_name(name).ok_or(KindError::Method)?)
            }
            Some(_) => return Err(KindError::Method),
        };
        match (scheme, method) {
            ("exact", None | Some(TransferMethod::Eip3009)) => Ok(Self::Eip3009Exact),
            ("exact", Some(TransferMethod::Permit2)) => Ok(Self::Permit2Exact),
            ("upto", None | Some(TransferMethod::Permit2)) => Ok(Self::Permit2Upto),
            ("upto", Some(TransferMethod::Eip3009)) => Err(KindError::Method),
            _ => Err(KindError::Scheme),
        }
    }

    /// The scheme's name.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Eip3009Exact | Self::Permit2Exact => "exact",
            Self::Permit2Upto => "upto",
        }
    }

    /// How the token moves.
    #[must_use]
    pub const fn method(self) -> TransferMethod {
        match self {
            Self::Eip3009Exact => TransferMethod::Eip3009,
            Self::Permit2Exact | Self::Permit2Upto => TransferMethod::Permit2,
        }
    }
}

/// The account that may settle an `upto` payment: `extra.facilitatorAddress` of its terms.
///
/// # Errors
/// [`KindError::Facilitator`] when it is missing, no address, or zero.
pub fn facilitator_address(extra: &Map<String, Value>) -> Result<Address, KindError> {
    present(extra, "facilitatorAddress")
        .and_then(Value::as_str)
        .and_then(read_address)
        .filter(|address| !address.is_zero())
        .ok_or(KindError::Facilitator)
}

/// The scheme data of a payment on an EVM chain, whichever way it is paid.
///
/// ```
/// use serde_json::json;
/// use x402_model::evm::{EvmPayload, PayloadError};
/// let delegation = json!({"delegationManager": "0x01", "permissionContext": "0x02", "delegator": "0x03"});
/// assert_eq!(EvmPayload::parse(&delegation), Err(PayloadError::UnknownKind));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvmPayload {
    /// By EIP-3009.
    Eip3009(ExactEvmPayload),
    /// Through Permit2; the witness tells `exact` and `upto` apart.
    Permit2(Permit2Payload),
}

impl EvmPayload {
    /// Reads a payload of any kind, told by the authorization it holds.
    ///
    /// # Errors
    /// A [`PayloadError`]; [`PayloadError::TwoAuthorizations`] when it could be read as two payments, and
    /// [`PayloadError::UnknownKind`] when it holds neither authorization.
    pub fn parse(payload: &Value) -> Result<Self, PayloadError> {
        let members = payload.as_object().ok_or(PayloadError::NotAnObject)?;
        let has = |key: &str| present(members, key).is_some();
        match (has("authorization"), has("permit2Authorization")) {
            (true, true) => Err(PayloadError::TwoAuthorizations),
            (true, false) => ExactEvmPayload::parse(payload).map(Self::Eip3009),
            (false, true) => Permit2Payload::parse(payload).map(Self::Permit2),
            (false, false) => Err(PayloadError::UnknownKind),
        }
    }

    /// Reads a payload from JSON text kept as it came.
    ///
    /// # Errors
    /// As [`EvmPayload::parse`], and [`PayloadError::NotJson`] for text that is nested too deeply.
    pub fn parse_raw(payload: &RawValue) -> Result<Self, PayloadError> {
        Self::parse(&raw(payload)?)
    }

    /// The canonical JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Eip3009(payload) => payload.to_json(),
            Self::Permit2(payload) => payload.to_json(),
        }
    }

    /// The way it pays.
    #[must_use]
    pub const fn kind(&self) -> EvmKind {
        match self {
            Self::Eip3009(_) => EvmKind::Eip3009Exact,
            Self::Permit2(payload) => match payload.authorization.witness {
                Witness::Exact { .. } => EvmKind::Permit2Exact,
                Witness::Upto { .. } => EvmKind::Permit2Upto,
            },
        }
    }

    /// The payer's signature.
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        match self {
            Self::Eip3009(payload) => &payload.signature,
            Self::Permit2(payload) => &payload.signature,
        }
    }

    /// The account that pays.
    #[must_use]
    pub const fn payer(&self) -> Address {
        match self {
            Self::Eip3009(payload) => payload.authorization.from,
            Self::Permit2(payload) => payload.authorization.from,
        }
    }

    /// The account that is paid.
    #[must_use]
    pub const fn pay_to(&self) -> Address {
        match self {
            Self::Eip3009(payload) => payload.authorization.to,
            Self::Permit2(payload) => payload.authorization.witness.to(),
        }
    }

    /// The most that it can move, in atomic units.
    #[must_use]
    pub const fn amount(&self) -> U256 {
        match self {
            Self::Eip3009(payload) => payload.authorization.value,
            Self::Permit2(payload) => payload.authorization.permitted.amount,
        }
    }

    /// The nonce as 32 bytes. The nonces of a token and those of Permit2 are separate: only together with the
    /// [method](EvmKind::method) does a nonce name one payment of a payer.
    #[must_use]
    pub fn nonce(&self) -> B256 {
        match self {
            Self::Eip3009(payload) => payload.authorization.nonce,
            Self::Permit2(payload) => B256::from(payload.authorization.nonce),
        }
    }

    /// Unix seconds of the beginning of its validity.
    #[must_use]
    pub const fn valid_after(&self) -> U256 {
        match self {
            Self::Eip3009(payload) => payload.authorization.valid_after,
            Self::Permit2(payload) => payload.authorization.witness.valid_after(),
        }
    }

    /// Unix seconds of the end of its validity.
    #[must_use]
    pub const fn valid_until(&self) -> U256 {
        match self {
            Self::Eip3009(payload) => payload.authorization.valid_before,
            Self::Permit2(payload) => payload.authorization.deadline,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn extra(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn terms_of_unknown_kind_are_never_taken_for_a_known_one() {
        let table = [
            ("exact", json!({}), Ok(EvmKind::Eip3009Exact)),
            (
                "exact",
                json!({"assetTransferMethod": null}),
                Ok(EvmKind::Eip3009Exact),
            ),
            (
                "exact",
                json!({"assetTransferMethod": "eip3009"}),
                Ok(EvmKind::Eip3009Exact),
            ),
            (
                "exact",
                json!({"assetTransferMethod": "permit2"}),
                Ok(EvmKind::Permit2Exact),
            ),
            (
                "exact",
                json!({"assetTransferMethod": "Permit2"}),
                Err(KindError::Method),
            ),
            (
                "exact",
                json!({"assetTransferMethod": "erc7710"}),
                Err(KindError::Method),
            ),
            (
                "exact",
                json!({"assetTransferMethod": 1}),
                Err(KindError::Method),
            ),
            ("upto", json!({}), Ok(EvmKind::Permit2Upto)),
            (
                "upto",
                json!({"assetTransferMethod": "permit2"}),
                Ok(EvmKind::Permit2Upto),
            ),
            (
                "upto",
                json!({"assetTransferMethod": "eip3009"}),
                Err(KindError::Method),
            ),
            ("batch-settlement", json!({}), Err(KindError::Scheme)),
            ("Exact", json!({}), Err(KindError::Scheme)),
        ];
        for (scheme, value, kind) in table {
            assert_eq!(
                EvmKind::of_terms(scheme, &extra(&value)),
                kind,
                "{scheme} {value}"
            );
        }
    }

    #[test]
    fn a_kind_is_what_terms_with_its_names_ask_for() {
        for kind in [
            EvmKind::Eip3009Exact,
            EvmKind::Permit2Exact,
            EvmKind::Permit2Upto,
        ] {
            let named = extra(&json!({"assetTransferMethod": kind.method().as_str()}));
            assert_eq!(EvmKind::of_terms(kind.scheme(), &named), Ok(kind));
        }
    }

    #[test]
    fn the_facilitator_is_an_address_or_an_error() {
        let of = |value: Value| facilitator_address(&extra(&json!({"facilitatorAddress": value})));
        let address = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
        assert_eq!(
            of(json!(address)).map(|a| a.to_checksum(None)),
            Ok(address.to_owned())
        );
        for bad in [
            json!(null),
            json!(""),
            json!(7),
            json!(format!("0x{}", "0".repeat(40))),
        ] {
            assert_eq!(of(bad), Err(KindError::Facilitator));
        }
    }

    #[test]
    fn the_authorization_tells_the_kind() {
        let payment = json!({
            "signature": "0x01",
            "authorization": {
                "from": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
                "value": "1", "validAfter": "2", "validBefore": "3", "nonce": format!("0x{}", "04".repeat(32)),
            },
        });
        let through = json!({
            "signature": "0x01",
            "permit2Authorization": {
                "from": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "spender": "0x402085c248EeA27D92E8b30b2C58ed07f9E20001",
                "permitted": {"token": "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "amount": "1"},
                "nonce": format!("0x{}", "04".repeat(32)), "deadline": "3",
                "witness": {"to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "validAfter": "2"},
            },
        });
        for (value, kind) in [
            (&payment, EvmKind::Eip3009Exact),
            (&through, EvmKind::Permit2Exact),
        ] {
            let read = EvmPayload::parse(value).unwrap();
            assert_eq!(read.kind(), kind);
            assert_eq!(EvmPayload::parse(&read.to_json()).as_ref(), Ok(&read));
            assert_eq!(
                (read.amount(), read.valid_after()),
                (U256::from(1), U256::from(2))
            );
            assert_eq!(
                (read.valid_until(), read.nonce()),
                (U256::from(3), B256::repeat_byte(4))
            );
            assert_eq!(read.payer(), super::super::DEVELOPMENT_ACCOUNTS[0]);
            assert_eq!(read.pay_to(), super::super::DEVELOPMENT_ACCOUNTS[1]);
            assert_eq!(read.signature().as_bytes(), [1]);
        }
        let mut both = payment;
        both["permit2Authorization"] = through["permit2Authorization"].clone();
        assert_eq!(
            EvmPayload::parse(&both),
            Err(PayloadError::TwoAuthorizations)
        );
        both["authorization"] = Value::Null;
        assert!(EvmPayload::parse(&both).is_ok());
        assert_eq!(
            EvmPayload::parse(&json!({"signature": "0x01"})),
            Err(PayloadError::UnknownKind)
        );
        assert_eq!(
            EvmPayload::parse(&json!(null)),
            Err(PayloadError::NotAnObject)
        );
    }
}
