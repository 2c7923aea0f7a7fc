//! A payment through Permit2, of scheme `exact` or `upto`: read from a request, and the calls it is settled with.

use alloy_primitives::{Address, B256, Bytes, Keccak256, U256};
use alloy_sol_types::SolCall;
use serde_json::{Map, Value};
use x402_model::evm::permit2::{self, Permit2Authorization, Witness};
use x402_model::evm::{
    DomainSeparator, Eip2612Info, EvmKind, GasSponsoring, PayloadError, Permit2Payload, Signature,
    SponsoringError,
};

use crate::evm::abi::{ExactProxy, UptoProxy};
use crate::evm::payment::PaymentId;
use crate::evm::reason::{self, Stop, refuse};
use crate::evm::request::{Parts, Terms, refusal};

/// A well-formed payment through Permit2 and the terms it must meet.
#[derive(Debug, Clone)]
pub(crate) struct Permitted {
    pub(crate) asset: Address,
    pub(crate) pay_to: Address,
    /// What is charged. Under `upto` the ceiling while it is verified, and what was used once it is settled.
    pub(crate) amount: U256,
    pub(crate) separator: DomainSeparator,
    pub(crate) authorization: Permit2Authorization,
    /// `None` when what came as a signature is none; said only when the checks before it have passed.
    pub(crate) signature: Option<Signature>,
    /// The approval that came along.
    pub(crate) sponsoring: Result<Option<GasSponsoring>, SponsoringError>,
}

impl Permitted {
    pub(crate) fn id(&self) -> PaymentId {
        PaymentId {
            asset: self.asset,
            payer: self.authorization.from,
            nonce: self.authorization.nonce.into(),
        }
    }

    /// Whether less than the permitted amount may be charged.
    pub(crate) const fn is_upto(&self) -> bool {
        matches!(self.authorization.witness, Witness::Upto { .. })
    }

    /// The digest that the payer has signed.
    pub(crate) fn digest(&self) -> B256 {
        self.authorization.digest(&self.separator)
    }

    /// A digest over everything that decides the outcome, the approval that came along included.
    pub(crate) fn fingerprint(&self) -> B256 {
        let mut hash = Keccak256::new();
        for word in [
            self.digest(),
            self.authorization.from.into_word(),
            self.asset.into_word(),
            self.pay_to.into_word(),
            self.amount.into(),
        ] {
            hash.update(word);
        }
        let signature = self.signature.as_ref().map(Signature::as_bytes);
        hash.update(alloy_primitives::keccak256(signature.unwrap_or_default()));
        let along = match &self.sponsoring {
            Ok(None) => String::new(),
            Ok(Some(GasSponsoring::Eip2612(info))) => Value::Object(info.to_json()).to_string(),
            Ok(Some(GasSponsoring::Erc20Approval(info))) => {
                Value::Object(info.to_json()).to_string()
            }
            Err(error) => error.code().to_owned(),
        };
        hash.update(along);
        hash.finalize()
    }

    /// Reads a request of scheme `upto`.
    pub(crate) fn read_upto(parts: &Parts<'_>, chain_id: u64) -> Result<Self, Stop> {
        // Like the reference, a payload of another shape is named before anything else.
        let parsed = Self::parse(parts, EvmKind::Permit2Upto)?;
        if parts.schemes() != (Some("upto"), Some("upto")) {
            return refuse(
                reason::UPTO_SCHEME,
                "payload and terms differ in the scheme",
            );
        }
        Self::read(parts, chain_id, parsed, reason::UPTO_NETWORK_MISMATCH)
    }

    /// Reads a request of scheme `exact`.
    pub(crate) fn read_exact(parts: &Parts<'_>, chain_id: u64) -> Result<Self, Stop> {
        if parts.schemes() != (Some("exact"), Some("exact")) {
            return refuse(
                reason::UNSUPPORTED_PAYLOAD,
                "a Permit2 payload of no scheme",
            );
        }
        let parsed = Self::parse(parts, EvmKind::Permit2Exact)?;
        Self::read(parts, chain_id, parsed, reason::NETWORK_MISMATCH)
    }

    fn parse(
        parts: &Parts<'_>,
        kind: EvmKind,
    ) -> Result<(Permit2Authorization, Option<Signature>), Stop> {
        let (authorization, signature) = match Permit2Payload::parse(parts.payload()) {
            Ok(payload) => (payload.authorization, Some(payload.signature)),
            Err(
                PayloadError::Signature(_)
                | PayloadError::SignatureType
                | PayloadError::MissingSignature,
            ) => (without_signature(parts.payload())?, None),
            Err(error) => return Err(refusal(reason::INVALID_PAYLOAD, error.to_string())),
        };
        let found = match authorization.witness {
            Witness::Exact { .. } => EvmKind::Permit2Exact,
            Witness::Upto { .. } => EvmKind::Permit2Upto,
        };
        // What was signed for one rail is never settled on another: the terms must have asked for this one.
        let asked = parts.version == 2
            && match parts.method() {
                None => kind == EvmKind::Permit2Upto,
                Some(method) => method == kind.method().as_str(),
            };
        if found != kind || !asked {
            return refuse(
                reason::UNSUPPORTED_PAYLOAD,
                "the terms ask for another transfer than the payload makes",
            );
        }
        Ok((authorization, signature))
    }

    fn read(
        parts: &Parts<'_>,
        chain_id: u64,
        (authorization, signature): (Permit2Authorization, Option<Signature>),
        mismatch: &'static str,
    ) -> Result<Self, Stop> {
        parts.check_network(chain_id, mismatch)?;
        let terms = Terms::read(parts)?;
        let extensions = parts.payment.get("extensions").and_then(Value::as_object);
        Ok(Self {
            asset: terms.asset,
            pay_to: terms.pay_to,
            amount: terms.amount,
            separator: permit2::separator(chain_id),
            authorization,
            signature,
            sponsoring: GasSponsoring::find(extensions),
        })
    }

    /// The proxy's input for this payment, with the signature that the payer's account is asked about.
    pub(crate) fn settle_call(&self, signature: &Bytes, permit: Option<&Eip2612Info>) -> Bytes {
        match self.authorization.witness {
            Witness::Exact { to, valid_after } => {
                let witness = ExactProxy::Witness {
                    to,
                    validAfter: valid_after,
                };
                self.exact_call(witness, signature, permit)
            }
            Witness::Upto {
                to,
                facilitator,
                valid_after,
            } => {
                let witness = UptoProxy::Witness {
                    to,
                    facilitator,
                    validAfter: valid_after,
                };
                self.upto_call(witness, signature, permit)
            }
        }
    }

    fn exact_call(
        &self,
        witness: ExactProxy::Witness,
        signature: &Bytes,
        approval: Option<&Eip2612Info>,
    ) -> Bytes {
        let a = &self.authorization;
        let permit = ExactProxy::PermitTransferFrom {
            permitted: ExactProxy::TokenPermissions {
                token: a.permitted.token,
                amount: a.permitted.amount,
            },
            nonce: a.nonce,
            deadline: a.deadline,
        };
        let (owner, signature) = (a.from, signature.clone());
        let Some((value, deadline, parts)) = approval.and_then(split) else {
            return ExactProxy::settleCall {
                permit,
                owner,
                witness,
                signature,
            }
            .abi_encode()
            .into();
        };
        ExactProxy::settleWithPermitCall {
            permit2612: ExactProxy::EIP2612Permit {
                value,
                deadline,
                r: parts.r,
                s: parts.s,
                v: parts.v(),
            },
            permit,
            owner,
            witness,
            signature,
        }
        .abi_encode()
        .into()
    }

    fn upto_call(
        &self,
        witness: UptoProxy::Witness,
        signature: &Bytes,
        approval: Option<&Eip2612Info>,
    ) -> Bytes {
        let a = &self.authorization;
        let permit = UptoProxy::PermitTransferFrom {
            permitted: UptoProxy::TokenPermissions {
                token: a.permitted.token,
                amount: a.permitted.amount,
            },
            nonce: a.nonce,
            deadline: a.deadline,
        };
        let (owner, signature, amount) = (a.from, signature.clone(), self.amount);
        let Some((value, deadline, parts)) = approval.and_then(split) else {
            return UptoProxy::settleCall {
                permit,
                amount,
                owner,
                witness,
                signature,
            }
            .abi_encode()
            .into();
        };
        UptoProxy::settleWithPermitCall {
            permit2612: UptoProxy::EIP2612Permit {
                value,
                deadline,
                r: parts.r,
                s: parts.s,
                v: parts.v(),
            },
            permit,
            amount,
            owner,
            witness,
            signature,
        }
        .abi_encode()
        .into()
    }
}

fn split(info: &Eip2612Info) -> Option<(U256, U256, x402_model::evm::EcdsaParts)> {
    let parts = info.signature.split()?;
    Some((info.permit.value, info.permit.deadline, parts))
}

/// The authorization of a payload whose signature is none.
fn without_signature(payload: &Value) -> Result<Permit2Authorization, Stop> {
    let mut copy = payload.as_object().cloned().unwrap_or_else(Map::new);
    copy.insert("signature".to_owned(), "0x00".into());
    Permit2Payload::parse(&Value::Object(copy))
        .map(|payload| payload.authorization)
        .map_err(|error| refusal(reason::INVALID_PAYLOAD, error.to_string()))
}
