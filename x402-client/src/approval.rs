//! Approvals of Permit2 that go along with a payment where the seller pays for their gas (protocol 3.6).

use alloy_primitives::{Address, U256};
use serde_json::{Map, Value};
use x402_model::asset::TransferMethod;
use x402_model::evm::gas_sponsoring::{
    APPROVAL_GAS_LIMIT, EIP2612_GAS_SPONSORING, ERC20_APPROVAL_GAS_SPONSORING, VERSION,
};
use x402_model::evm::permit2::PERMIT2;
use x402_model::evm::transaction::approve_call;
use x402_model::evm::{CallTransaction, DomainSeparator, Eip2612Info, Erc20ApprovalInfo, Permit};

use crate::chain::{ChainReadError, ChainReader, Fees};
use crate::select::{Approvals, Choice, token_domain};
use crate::terms::Terms;
use crate::wallet::{SigningError, Wallet, valid_before};

/// An approval that a payment needs and nobody has signed yet.
#[derive(Debug)]
pub(crate) enum Approval {
    /// For the amount of the payment, until its end.
    Permit {
        /// The payer's permit nonce.
        nonce: U256,
        /// The token's domain.
        separator: DomainSeparator,
    },
    /// Without limit.
    Transaction(CallTransaction),
}

/// The members that a buyer adds to the info of one extension.
pub(crate) struct Added {
    key: &'static str,
    members: Map<String, Value>,
}

/// The kind of approval that the seller sponsors, the buyer allows and the token takes; permits come first.
fn sponsored(terms: &Terms, choice: &Choice, allowed: Approvals) -> Option<&'static str> {
    if choice.kind().method() != TransferMethod::Permit2 || allowed == Approvals::Never {
        return None;
    }
    if choice.asset.eip2612 && is_declared(terms, EIP2612_GAS_SPONSORING) {
        return Some(EIP2612_GAS_SPONSORING);
    }
    let by_transaction =
        allowed == Approvals::Any && is_declared(terms, ERC20_APPROVAL_GAS_SPONSORING);
    by_transaction.then_some(ERC20_APPROVAL_GAS_SPONSORING)
}

/// Whether the seller declares an extension in the version that is known here.
fn is_declared(terms: &Terms, key: &str) -> bool {
    let declared = terms.extensions.as_ref().and_then(|map| map.get(key));
    let info = declared.and_then(|extension| extension.get("info"));
    info.and_then(Value::as_object).is_some_and(|info| {
        let version = info.get("version");
        version.is_none_or(|version| version.is_null() || version == VERSION)
    })
}

/// Finds out whether a payment needs an approval that the seller sponsors. A chain that cannot be read says nothing, and the
/// payment then goes out as if there were an allowance.
pub(crate) async fn needed(
    reader: &dyn ChainReader,
    terms: &Terms,
    choice: &Choice,
    allowed: Approvals,
    payer: Address,
) -> Option<Approval> {
    let key = sponsored(terms, choice, allowed)?;
    let approval = missing(reader, key, choice, payer).await;
    approval.ok().flatten()
}

async fn missing(
    reader: &dyn ChainReader,
    key: &str,
    choice: &Choice,
    payer: Address,
) -> Result<Option<Approval>, ChainReadError> {
    let (network, token) = (&choice.asset.network, choice.asset.address);
    let allowance = reader.allowance(network, token, payer, PERMIT2).await?;
    if allowance >= choice.amount.get() {
        return Ok(None);
    }
    if key == EIP2612_GAS_SPONSORING {
        let Some(domain) = token_domain(&choice.asset, choice.chain_id) else {
            return Ok(None);
        };
        return Ok(Some(Approval::Permit {
            nonce: reader.permit_nonce(network, token, payer).await?,
            separator: domain.separator(),
        }));
    }
    let nonce = reader.transaction_count(network, payer).await?;
    let fees = reader.fees(network).await.unwrap_or(Fees::FALLBACK);
    Ok(Some(Approval::Transaction(CallTransaction {
        chain_id: choice.chain_id,
        nonce,
        max_priority_fee_per_gas: fees.max_priority_fee_per_gas,
        max_fee_per_gas: fees.max_fee_per_gas,
        gas_limit: APPROVAL_GAS_LIMIT,
        to: token,
        data: approve_call(PERMIT2, U256::MAX),
    })))
}

impl Approval {
    /// Signs the approval for a payment that is signed at the same time.
    pub(crate) async fn sign(
        self,
        wallet: &Wallet,
        choice: &Choice,
        now_seconds: u64,
    ) -> Result<Added, SigningError> {
        let token = choice.asset.address;
        match self {
            Self::Permit { nonce, separator } => {
                let permit = Permit {
                    owner: wallet.address(),
                    spender: PERMIT2,
                    // The proxies demand a permit for exactly what the payment permits.
                    value: choice.amount.get(),
                    nonce,
                    deadline: U256::from(valid_before(choice, now_seconds)),
                };
                let info = Eip2612Info {
                    asset: token,
                    permit,
                    signature: wallet.sign_digest(permit.digest(&separator)).await?,
                };
                Ok(Added {
                    key: EIP2612_GAS_SPONSORING,
                    members: info.to_json(),
                })
            }
            Self::Transaction(call) => {
                let signature = wallet.sign_digest(call.signing_hash()).await?;
                let parts = signature.split().ok_or(SigningError::Encoding)?;
                let info = Erc20ApprovalInfo {
                    from: wallet.address(),
                    asset: token,
                    spender: PERMIT2,
                    amount: U256::MAX,
                    signed_transaction: call.encode_signed(&parts).into(),
                };
                Ok(Added {
                    key: ERC20_APPROVAL_GAS_SPONSORING,
                    members: info.to_json(),
                })
            }
        }
    }
}

/// The seller's extensions as they were read, with what the buyer adds to one of them.
pub(crate) fn extensions(terms: &Terms, added: Option<Added>) -> Option<Map<String, Value>> {
    let mut extensions = terms.extensions.clone();
    if let Some(Added { key, members }) = added {
        let info = extensions
            .as_mut()
            .and_then(|map| map.get_mut(key)?.get_mut("info")?.as_object_mut());
        if let Some(info) = info {
            info.extend(members);
        }
    }
    extensions
}
