//! Gas sponsoring: a buyer who never approved Permit2 sends the approval along with the payment (protocol 3.6).
//!
//! A seller [declares](declaration) the extensions that its facilitator takes; a buyer adds its part to the `info` of one of them.

mod declaration;
mod eip2612;
mod erc20_approval;

use serde_json::{Map, Value};

use super::members::present;
use super::payload::PayloadError;
use super::reason;
use super::transaction::TransactionError;

pub use declaration::declaration;
pub use eip2612::Eip2612Info;
pub use erc20_approval::{APPROVAL_GAS_LIMIT, Erc20ApprovalInfo};

/// Key of the extension by which an EIP-2612 permit comes along.
pub const EIP2612_GAS_SPONSORING: &str = "eip2612GasSponsoring";
/// Key of the extension by which a signed `approve` transaction comes along.
pub const ERC20_APPROVAL_GAS_SPONSORING: &str = "erc20ApprovalGasSponsoring";
/// The `version` in the info of both.
pub const VERSION: &str = "1";

/// Seconds that a signature must still be valid for, so that it can be settled.
const MARGIN_SECONDS: u64 = 6;

/// Why the approval that came with a payment cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SponsoringError {
    /// A member of `eip2612GasSponsoring.info` is missing or has the wrong form.
    #[error("eip2612GasSponsoring: {0}")]
    Eip2612Format(PayloadError),
    /// The permit is another account's.
    #[error("eip2612GasSponsoring: `from` is not the payer")]
    Eip2612From,
    /// The permit is for another token.
    #[error("eip2612GasSponsoring: `asset` is not the token of the payment")]
    Eip2612Asset,
    /// The permit is not for Permit2.
    #[error("eip2612GasSponsoring: `spender` is not Permit2")]
    Eip2612Spender,
    /// The permit has expired, or will before it can be used.
    #[error("eip2612GasSponsoring: `deadline` is over or too near")]
    Eip2612Deadline,
    /// The permit is not for the permitted amount, which the proxies demand.
    #[error("eip2612GasSponsoring: `amount` is not the permitted amount")]
    Eip2612Amount,
    /// A member of `erc20ApprovalGasSponsoring.info` is missing or has the wrong form.
    #[error("erc20ApprovalGasSponsoring: {0}")]
    Erc20Format(PayloadError),
    /// The approval is another account's.
    #[error("erc20ApprovalGasSponsoring: `from` is not the payer")]
    Erc20From,
    /// The approval is for another token.
    #[error("erc20ApprovalGasSponsoring: `asset` is not the token of the payment")]
    Erc20Asset,
    /// The approval is not for Permit2.
    #[error("erc20ApprovalGasSponsoring: `spender` is not Permit2")]
    Erc20Spender,
    /// The transaction cannot be read.
    #[error("erc20ApprovalGasSponsoring: {0}")]
    Transaction(TransactionError),
    /// The transaction is for another chain.
    #[error("erc20ApprovalGasSponsoring: the transaction is for another chain")]
    TransactionChain,
    /// The transaction calls another contract than the token.
    #[error("erc20ApprovalGasSponsoring: the transaction does not call the token")]
    TransactionTarget,
    /// The transaction calls another function than `approve`.
    #[error("erc20ApprovalGasSponsoring: the transaction does not call `approve`")]
    TransactionSelector,
    /// The arguments of `approve` are not well-formed.
    #[error("erc20ApprovalGasSponsoring: the arguments of `approve` are malformed")]
    TransactionCalldata,
    /// The transaction approves another spender than Permit2.
    #[error("erc20ApprovalGasSponsoring: the transaction does not approve Permit2")]
    TransactionSpender,
    /// No account can have made the transaction's signature.
    #[error("erc20ApprovalGasSponsoring: the transaction's signature is none")]
    TransactionSignature,
    /// The transaction was signed by another account than the payer.
    #[error("erc20ApprovalGasSponsoring: the transaction was not signed by the payer")]
    TransactionSigner,
}

impl SponsoringError {
    /// The reason code on the wire.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Eip2612Format(_) => reason::EIP2612_FORMAT,
            Self::Eip2612From => reason::EIP2612_FROM_MISMATCH,
            Self::Eip2612Asset => reason::EIP2612_ASSET_MISMATCH,
            Self::Eip2612Spender => reason::EIP2612_SPENDER_NOT_PERMIT2,
            Self::Eip2612Deadline => reason::EIP2612_DEADLINE_EXPIRED,
            Self::Eip2612Amount => reason::PERMIT2_2612_AMOUNT_MISMATCH,
            Self::Erc20Format(_) => reason::ERC20_APPROVAL_FORMAT,
            Self::Erc20From => reason::ERC20_APPROVAL_FROM_MISMATCH,
            Self::Erc20Asset => reason::ERC20_APPROVAL_ASSET_MISMATCH,
            Self::Erc20Spender => reason::ERC20_APPROVAL_SPENDER_NOT_PERMIT2,
            Self::Transaction(TransactionError::Signature) | Self::TransactionSignature => {
                reason::ERC20_APPROVAL_TX_INVALID_SIGNATURE
            }
            Self::Transaction(_) | Self::TransactionChain => reason::ERC20_APPROVAL_TX_PARSE_FAILED,
            Self::TransactionTarget => reason::ERC20_APPROVAL_TX_WRONG_TARGET,
            Self::TransactionSelector => reason::ERC20_APPROVAL_TX_WRONG_SELECTOR,
            Self::TransactionCalldata => reason::ERC20_APPROVAL_TX_INVALID_CALLDATA,
            Self::TransactionSpender => reason::ERC20_APPROVAL_TX_WRONG_SPENDER,
            Self::TransactionSigner => reason::ERC20_APPROVAL_TX_SIGNER_MISMATCH,
        }
    }
}

/// The approval that came with a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GasSponsoring {
    /// A signed permit.
    Eip2612(Eip2612Info),
    /// A signed transaction.
    Erc20Approval(Erc20ApprovalInfo),
}

impl GasSponsoring {
    /// Finds the approval in the `extensions` of a payment; the permit counts where there are both.
    ///
    /// `None` when there is none. A buyer that repeats the seller's declaration and adds nothing to it sends none: an info
    /// without `from`, signature and transaction is such a repetition.
    ///
    /// # Errors
    /// [`SponsoringError::Eip2612Format`] or [`SponsoringError::Erc20Format`].
    ///
    /// ```
    /// use x402_model::evm::gas_sponsoring::{EIP2612_GAS_SPONSORING, GasSponsoring, declaration};
    /// let declared = declaration(EIP2612_GAS_SPONSORING).ok_or("no such extension")?;
    /// let echoed = serde_json::Map::from_iter([(EIP2612_GAS_SPONSORING.to_owned(), declared)]);
    /// assert_eq!(GasSponsoring::find(Some(&echoed))?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn find(extensions: Option<&Map<String, Value>>) -> Result<Option<Self>, SponsoringError> {
        if let Some(info) = added(extensions, EIP2612_GAS_SPONSORING) {
            return Eip2612Info::parse(info).map(Self::Eip2612).map(Some);
        }
        if let Some(info) = added(extensions, ERC20_APPROVAL_GAS_SPONSORING) {
            return Erc20ApprovalInfo::parse(info)
                .map(Self::Erc20Approval)
                .map(Some);
        }
        Ok(None)
    }
}

/// The info of an extension to which a buyer added something.
fn added<'a>(extensions: Option<&'a Map<String, Value>>, key: &str) -> Option<&'a Value> {
    let info = extensions?.get(key)?.get("info")?;
    let has = |member: &str| {
        info.as_object()
            .is_some_and(|info| present(info, member).is_some())
    };
    let untouched = info.is_object()
        && !["from", "signature", "signedTransaction"]
            .into_iter()
            .any(has);
    (!untouched).then_some(info)
}

/// A version as the schemas demand it: numbers with dots between them.
fn check_version(info: &Map<String, Value>) -> Result<(), PayloadError> {
    let version = present(info, "version").ok_or(PayloadError::MissingField("version"))?;
    let numbers = |text: &str| {
        text.split('.')
            .all(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    match version.as_str() {
        Some(text) if numbers(text) => Ok(()),
        _ => Err(PayloadError::FieldType("version")),
    }
}

#[cfg(test)]
#[path = "gas_sponsoring_tests.rs"]
mod tests;
