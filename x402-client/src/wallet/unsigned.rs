//! A payment before it is signed: built from the checked choice and nothing else.

use alloy_primitives::{Address, B256, U256};
use x402_model::evm::permit2::{self, TokenPermissions, Witness};
use x402_model::evm::{
    Authorization, DomainSeparator, EvmPayload, ExactEvmPayload, Permit2Authorization,
    Permit2Payload, Signature,
};

use super::valid_before;
use crate::select::{Choice, Rail};
use crate::terms::Version;

/// Older sellers compare `validAfter` with their own clock; version 1 buyers start this many seconds in the past.
const V1_BACKDATE: u64 = 600;

/// What is to be signed, and in which domain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unsigned {
    message: Message,
    separator: DomainSeparator,
}

#[derive(Debug, Clone, Copy)]
enum Message {
    Eip3009(Authorization),
    Permit2(Permit2Authorization),
}

impl Unsigned {
    /// The message that pays `choice`.
    pub(super) fn new(payer: Address, choice: &Choice, nonce: B256, now_seconds: u64) -> Self {
        let to = choice.pay_to;
        let valid_after = U256::ZERO;
        match &choice.rail {
            Rail::Eip3009(domain) => Self {
                message: Message::Eip3009(authorization(payer, choice, nonce, now_seconds)),
                separator: domain.separator(),
            },
            Rail::Permit2 => {
                let witness = Witness::Exact { to, valid_after };
                Self::permit2(payer, choice, nonce, now_seconds, witness)
            }
            Rail::Upto { facilitator } => {
                let witness = Witness::Upto {
                    to,
                    facilitator: *facilitator,
                    valid_after,
                };
                Self::permit2(payer, choice, nonce, now_seconds, witness)
            }
        }
    }

    fn permit2(
        payer: Address,
        choice: &Choice,
        nonce: B256,
        now_seconds: u64,
        witness: Witness,
    ) -> Self {
        let authorization = Permit2Authorization {
            from: payer,
            permitted: TokenPermissions {
                token: choice.asset.address,
                amount: choice.amount.get(),
            },
            spender: witness.proxy(),
            nonce: U256::from_be_bytes(nonce.0),
            deadline: U256::from(valid_before(choice, now_seconds)),
            witness,
        };
        Self {
            message: Message::Permit2(authorization),
            separator: permit2::separator(choice.chain_id),
        }
    }

    /// The digest to sign.
    pub(super) fn digest(&self) -> B256 {
        match &self.message {
            Message::Eip3009(authorization) => authorization.digest(&self.separator),
            Message::Permit2(authorization) => authorization.digest(&self.separator),
        }
    }

    /// The payment with its signature.
    pub(super) fn with(self, signature: Signature) -> EvmPayload {
        match self.message {
            Message::Eip3009(authorization) => EvmPayload::Eip3009(ExactEvmPayload {
                signature,
                authorization,
            }),
            Message::Permit2(authorization) => EvmPayload::Permit2(Permit2Payload {
                signature,
                authorization,
            }),
        }
    }
}

fn authorization(payer: Address, choice: &Choice, nonce: B256, now_seconds: u64) -> Authorization {
    let valid_after = match choice.version {
        Version::V1 => now_seconds.saturating_sub(V1_BACKDATE),
        Version::V2 => 0,
    };
    Authorization {
        from: payer,
        to: choice.pay_to,
        value: choice.amount.get(),
        valid_after: U256::from(valid_after),
        valid_before: U256::from(valid_before(choice, now_seconds)),
        nonce,
    }
}
