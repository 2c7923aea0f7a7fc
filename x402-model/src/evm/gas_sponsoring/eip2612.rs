//! What a buyer adds to `eip2612GasSponsoring`: a permit for Permit2, signed.

use alloy_primitives::{Address, U256};
use serde_json::{Map, Value, json};

use super::{MARGIN_SECONDS, SponsoringError, VERSION, check_version};
use crate::evm::eip2612::Permit;
use crate::evm::members::{address, integer, signature};
use crate::evm::permit2::PERMIT2;
use crate::evm::{PayloadError, Signature};

/// The buyer's part of the info of `eip2612GasSponsoring`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eip2612Info {
    /// The token contract.
    pub asset: Address,
    /// What was signed, in the token's own domain.
    pub permit: Permit,
    /// The owner's signature over the permit.
    pub signature: Signature,
}

impl Eip2612Info {
    /// Reads the info. Spellings are read as in payments; the seller's own members are ignored.
    ///
    /// # Errors
    /// [`SponsoringError::Eip2612Format`], also for a signature that has not the 65 bytes of ECDSA.
    pub fn parse(info: &Value) -> Result<Self, SponsoringError> {
        let read = || {
            let info = info.as_object().ok_or(PayloadError::NotAnObject)?;
            check_version(info)?;
            Ok(Self {
                asset: address(info, "asset")?,
                permit: read_permit(info)?,
                signature: ecdsa(info)?,
            })
        };
        read().map_err(SponsoringError::Eip2612Format)
    }

    /// The buyer's members, as they are added to the seller's.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let members = json!({
            "from": self.permit.owner.to_checksum(None),
            "asset": self.asset.to_checksum(None),
            "spender": self.permit.spender.to_checksum(None),
            "amount": self.permit.value.to_string(),
            "nonce": self.permit.nonce.to_string(),
            "deadline": self.permit.deadline.to_string(),
            "signature": self.signature.to_hex(),
            "version": VERSION,
        });
        match members {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    /// Checks that the permit lets Permit2 take what a payment needs. The signature is the token's to check.
    ///
    /// `permitted` is the amount that the payment permits: the proxies refuse a permit for any other. `now` is in Unix
    /// seconds; the permit has to be valid for six seconds more.
    ///
    /// # Errors
    /// The first thing that does not fit, in the order of the reference.
    pub fn check(
        &self,
        payer: Address,
        token: Address,
        permitted: U256,
        now: u64,
    ) -> Result<(), SponsoringError> {
        if self.permit.owner != payer {
            return Err(SponsoringError::Eip2612From);
        }
        if self.asset != token {
            return Err(SponsoringError::Eip2612Asset);
        }
        if self.permit.spender != PERMIT2 {
            return Err(SponsoringError::Eip2612Spender);
        }
        if self.permit.deadline < U256::from(now.saturating_add(MARGIN_SECONDS)) {
            return Err(SponsoringError::Eip2612Deadline);
        }
        if self.permit.value != permitted {
            return Err(SponsoringError::Eip2612Amount);
        }
        Ok(())
    }
}

fn read_permit(info: &Map<String, Value>) -> Result<Permit, PayloadError> {
    Ok(Permit {
        owner: address(info, "from")?,
        spender: address(info, "spender")?,
        value: integer(info, "amount")?,
        nonce: integer(info, "nonce")?,
        deadline: integer(info, "deadline")?,
    })
}

/// The proxies hand `v`, `r` and `s` to the token, so no other form is of use.
fn ecdsa(info: &Map<String, Value>) -> Result<Signature, PayloadError> {
    let signature = signature(info)?;
    match signature.split() {
        Some(_) => Ok(signature),
        None => Err(PayloadError::SignatureType),
    }
}
