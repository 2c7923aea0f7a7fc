//! What a buyer adds to `erc20ApprovalGasSponsoring`: an `approve` transaction for Permit2, signed but not sent.

use core::fmt;

use alloy_primitives::{Address, B256, Bytes, U256};
use serde_json::{Map, Value, json};

use super::{SponsoringError, VERSION, check_version};
use crate::evm::address::read_bytes;
use crate::evm::members::{address, integer, present};
use crate::evm::permit2::PERMIT2;
use crate::evm::transaction::{
    APPROVE_SELECTOR, MAX_TRANSACTION_BYTES, SignedCall, read_approve_call, to_hex,
};
use crate::evm::{EcdsaParts, PayloadError};

/// The gas limit that buyers give an approval.
pub const APPROVAL_GAS_LIMIT: u64 = 70_000;

/// The buyer's part of the info of `erc20ApprovalGasSponsoring`.
#[derive(Clone, PartialEq, Eq)]
pub struct Erc20ApprovalInfo {
    /// The account that approves.
    pub from: Address,
    /// The token contract.
    pub asset: Address,
    /// The account that is approved.
    pub spender: Address,
    /// The allowance, in atomic units of the token.
    pub amount: U256,
    /// The signed transaction, not read yet.
    pub signed_transaction: Bytes,
}

/// Whoever has the transaction can send it, so it is not shown.
impl fmt::Debug for Erc20ApprovalInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Erc20ApprovalInfo")
            .field("from", &self.from)
            .field("asset", &self.asset)
            .field("spender", &self.spender)
            .field("amount", &self.amount)
            .finish_non_exhaustive()
    }
}

impl Erc20ApprovalInfo {
    /// Reads the info. Spellings are read as in payments; the seller's own members are ignored.
    ///
    /// # Errors
    /// [`SponsoringError::Erc20Format`].
    pub fn parse(info: &Value) -> Result<Self, SponsoringError> {
        let read = || {
            let info = info.as_object().ok_or(PayloadError::NotAnObject)?;
            check_version(info)?;
            Ok(Self {
                from: address(info, "from")?,
                asset: address(info, "asset")?,
                spender: address(info, "spender")?,
                amount: integer(info, "amount")?,
                signed_transaction: transaction(info)?,
            })
        };
        read().map_err(SponsoringError::Erc20Format)
    }

    /// The buyer's members, as they are added to the seller's.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let members = json!({
            "from": self.from.to_checksum(None),
            "asset": self.asset.to_checksum(None),
            "spender": self.spender.to_checksum(None),
            "amount": self.amount.to_string(),
            "signedTransaction": to_hex(&self.signed_transaction),
            "version": VERSION,
        });
        match members {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    /// Checks that the transaction is the payer's approval of Permit2 for the token, and nothing else.
    ///
    /// `recover` finds the account that made a signature over a digest. What the transaction approves, and whether its nonce
    /// and fees are good on the chain, is left to the caller.
    ///
    /// # Errors
    /// The first thing that does not fit, in the order of the reference.
    pub fn check(
        &self,
        payer: Address,
        token: Address,
        chain_id: u64,
        recover: impl FnOnce(B256, &EcdsaParts) -> Option<Address>,
    ) -> Result<SignedCall, SponsoringError> {
        if self.from != payer {
            return Err(SponsoringError::Erc20From);
        }
        if self.asset != token {
            return Err(SponsoringError::Erc20Asset);
        }
        if self.spender != PERMIT2 {
            return Err(SponsoringError::Erc20Spender);
        }
        let signed =
            SignedCall::decode(&self.signed_transaction).map_err(SponsoringError::Transaction)?;
        let call = &signed.transaction;
        if call.chain_id != chain_id {
            return Err(SponsoringError::TransactionChain);
        }
        if call.to != token {
            return Err(SponsoringError::TransactionTarget);
        }
        if !call.data.starts_with(&APPROVE_SELECTOR) {
            return Err(SponsoringError::TransactionSelector);
        }
        let (spender, _) =
            read_approve_call(&call.data).ok_or(SponsoringError::TransactionCalldata)?;
        if spender != PERMIT2 {
            return Err(SponsoringError::TransactionSpender);
        }
        let signer = recover(call.signing_hash(), &signed.signature)
            .ok_or(SponsoringError::TransactionSignature)?;
        if signer != payer {
            return Err(SponsoringError::TransactionSigner);
        }
        Ok(signed)
    }
}

/// The transaction as bytes of any content; longer ones than any that is taken are no transaction.
fn transaction(info: &Map<String, Value>) -> Result<Bytes, PayloadError> {
    const NAME: &str = "signedTransaction";
    let value = present(info, NAME).ok_or(PayloadError::MissingField(NAME))?;
    value
        .as_str()
        .and_then(|text| read_bytes(text, MAX_TRANSACTION_BYTES).ok())
        .filter(|bytes| !bytes.is_empty())
        .map(Bytes::from)
        .ok_or(PayloadError::FieldType(NAME))
}
