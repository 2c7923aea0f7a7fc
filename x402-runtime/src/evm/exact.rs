//! A payment by EIP-3009: read from a request, whatever version and spelling it came in.

use alloy_primitives::{Address, B256, Keccak256, U256};
use serde_json::Value;
use x402_model::evm::{DomainSeparator, Eip712Domain, ExactEvmPayload, PayloadError};

use crate::evm::payment::PaymentId;
use crate::evm::reason::{self, Stop, refuse};
use crate::evm::request::{Parts, Terms, refusal, text};

/// A well-formed `exact` payment by EIP-3009 and the terms it must meet.
#[derive(Debug, Clone)]
pub(crate) struct Exact {
    pub(crate) version: u8,
    pub(crate) asset: Address,
    pub(crate) pay_to: Address,
    pub(crate) amount: U256,
    pub(crate) name: String,
    pub(crate) token_version: String,
    pub(crate) separator: DomainSeparator,
    pub(crate) payload: ExactEvmPayload,
}

impl Exact {
    pub(crate) const fn id(&self) -> PaymentId {
        PaymentId {
            asset: self.asset,
            payer: self.payload.authorization.from,
            nonce: self.payload.authorization.nonce,
        }
    }

    /// The digest that the payer has signed.
    pub(crate) fn digest(&self) -> B256 {
        self.payload.authorization.digest(&self.separator)
    }

    /// A digest over everything that decides the outcome, so that a changed field is never answered with the outcome
    /// of another request.
    pub(crate) fn fingerprint(&self) -> B256 {
        let mut hash = Keccak256::new();
        let authorization = self.payload.authorization.struct_hash();
        for word in [
            self.separator.0,
            authorization,
            self.asset.into_word(),
            self.pay_to.into_word(),
            self.amount.into(),
        ] {
            hash.update(word);
        }
        hash.update([self.version]);
        hash.update(self.payload.signature.as_bytes());
        hash.finalize()
    }

    /// Reads a request, in the order of protocol 3.1, steps 1 to 3, and then the payload itself.
    pub(crate) fn read(parts: &Parts<'_>, chain_id: u64) -> Result<Self, Stop> {
        if parts.schemes() != (Some("exact"), Some("exact")) {
            return refuse(reason::SCHEME, "neither exact nor upto");
        }
        let (name, token_version) = domain(parts)?;
        parts.check_network(chain_id, reason::NETWORK_MISMATCH)?;
        let terms = Terms::read(parts)?;
        let payload = read_payload(parts.payload())?;
        let domain = Eip712Domain {
            name: name.clone(),
            version: token_version.clone(),
            chain_id,
            verifying_contract: terms.asset,
        };
        Ok(Self {
            version: parts.version,
            asset: terms.asset,
            pay_to: terms.pay_to,
            amount: terms.amount,
            name,
            token_version,
            separator: domain.separator(),
            payload,
        })
    }
}

fn domain(parts: &Parts<'_>) -> Result<(String, String), Stop> {
    if parts.method().is_some_and(|method| method != "eip3009") {
        return refuse(
            reason::UNSUPPORTED_PAYLOAD,
            "the terms ask for another transfer than the payload makes",
        );
    }
    let part = |key| {
        parts
            .extra()
            .and_then(|extra| text(extra, key))
            .filter(|text| !text.is_empty() && text.len() <= 256)
    };
    match (part("name"), part("version")) {
        (Some(name), Some(version)) => Ok((name.to_owned(), version.to_owned())),
        _ => refuse(
            reason::MISSING_DOMAIN,
            "extra.name and extra.version are needed",
        ),
    }
}

fn read_payload(payload: &Value) -> Result<ExactEvmPayload, Stop> {
    ExactEvmPayload::parse(payload).map_err(|error| {
        let reason = match error {
            // These cannot be what a key has signed, and the reference answers them as a bad signature.
            PayloadError::Signature(_) | PayloadError::Address(_) | PayloadError::Nonce => {
                reason::SIGNATURE
            }
            _ => reason::INVALID_PAYLOAD,
        };
        refusal(reason, error.to_string())
    })
}
