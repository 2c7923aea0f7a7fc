//! Reads and calls of one EIP-3009 token.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolEvent};
use x402_model::money::AtomicAmount;

use crate::evm::abi::Eip3009Token::{
    AuthorizationUsed, Transfer, authorizationStateCall, balanceOfCall, nameCall,
    transferWithAuthorization_0Call, transferWithAuthorization_1Call, versionCall,
};
use crate::evm::abi::{is_event, single_word};
use crate::evm::chain::{BlockRef, CallError, CallRequest, Chain, ChainError, LogInfo};
use crate::evm::exact::Exact;
use crate::evm::payment::{Payment, PaymentId, Rail};

/// Gas given to a read: plenty for any honest token, and a bound for the others.
const READ_GAS: u64 = 300_000;

/// What a contract said to a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Read<T> {
    /// An answer of the right shape.
    Value(T),
    /// A revert, or an answer that does not decode: the contract has no such function.
    Unsupported,
}

pub(crate) async fn read<C: SolCall>(
    chain: &dyn Chain,
    token: Address,
    call: &C,
    at: BlockRef,
) -> Result<Read<C::Return>, ChainError> {
    let request = CallRequest {
        from: Address::ZERO,
        to: token,
        data: call.abi_encode().into(),
        gas: Some(READ_GAS),
    };
    match chain.call(request, at).await {
        Ok(answer) => {
            Ok(C::abi_decode_returns_validate(&answer).map_or(Read::Unsupported, Read::Value))
        }
        Err(CallError::Revert { .. }) => Ok(Read::Unsupported),
        Err(CallError::Chain(error)) => Err(error),
    }
}

/// `authorizationState`: true when the nonce was used **or** cancelled.
pub(crate) async fn authorization_state(
    chain: &dyn Chain,
    id: PaymentId,
    at: BlockRef,
) -> Result<Read<bool>, ChainError> {
    let call = authorizationStateCall {
        authorizer: id.payer,
        nonce: id.nonce,
    };
    read(chain, id.asset, &call, at).await
}

/// `balanceOf`.
pub(crate) async fn balance_of(
    chain: &dyn Chain,
    token: Address,
    account: Address,
) -> Result<Read<U256>, ChainError> {
    read(chain, token, &balanceOfCall { account }, BlockRef::Latest).await
}

/// What an account holds of a token, in atomic units at the newest block; `None` if there is no such token.
///
/// ```no_run
/// use x402_runtime::evm::{RpcChain, token_balance};
/// use x402_runtime::model::asset::AssetTable;
/// use x402_runtime::model::network::Network;
///
/// # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
/// let chain = RpcChain::connect("https://sepolia.base.org").await?;
/// let table = AssetTable::builtin();
/// let usdc = table.default_for(&Network::BASE_SEPOLIA).ok_or("no USDC")?;
/// let balance = token_balance(&chain, usdc.address, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".parse()?).await?;
/// println!("{}", balance.ok_or("no token")?.to_decimal(usdc.decimals));
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`ChainError`] when the node gave no clear answer.
pub async fn token_balance(
    chain: &dyn Chain,
    token: Address,
    account: Address,
) -> Result<Option<AtomicAmount>, ChainError> {
    Ok(match balance_of(chain, token, account).await? {
        Read::Value(units) => Some(AtomicAmount::new(units)),
        Read::Unsupported => None,
    })
}

/// `name`.
pub(crate) async fn name(chain: &dyn Chain, token: Address) -> Result<Read<String>, ChainError> {
    read(chain, token, &nameCall {}, BlockRef::Latest).await
}

/// `version`.
pub(crate) async fn version(chain: &dyn Chain, token: Address) -> Result<Read<String>, ChainError> {
    read(chain, token, &versionCall {}, BlockRef::Latest).await
}

/// The transfer's call data: the `(v, r, s)` form for a 65-byte signature, the `bytes` form for any other length
/// (protocol 3.2).
pub(crate) fn transfer_call(exact: &Exact, signature: &Bytes) -> Bytes {
    let a = &exact.payload.authorization;
    let (from, to, value, nonce) = (a.from, a.to, a.value, a.nonce);
    let (after, before) = (a.valid_after, a.valid_before);
    if let Some((r, s, v)) = split(signature) {
        return transferWithAuthorization_0Call {
            from,
            to,
            value,
            validAfter: after,
            validBefore: before,
            nonce,
            v,
            r,
            s,
        }
        .abi_encode()
        .into();
    }
    transferWithAuthorization_1Call {
        from,
        to,
        value,
        validAfter: after,
        validBefore: before,
        nonce,
        signature: signature.clone(),
    }
    .abi_encode()
    .into()
}

/// The parts of a 65-byte signature, its last byte as it is.
fn split(signature: &[u8]) -> Option<(B256, B256, u8)> {
    let bytes: &[u8; 65] = signature.try_into().ok()?;
    let (r, rest) = bytes.split_first_chunk::<32>()?;
    let (s, v) = rest.split_first_chunk::<32>()?;
    Some((B256::from(*r), B256::from(*s), *v.first()?))
}

/// What must have happened in one transaction for a payment to count (design 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) id: PaymentId,
    pub(crate) rail: Rail,
    pub(crate) pay_to: Address,
    pub(crate) amount: U256,
    /// Unix seconds at which no block can take the payment any more.
    pub(crate) dead_at: u64,
}

impl Wanted {
    /// Whether the logs of one transaction, in their order, show that the authorization was used for the exact transfer.
    ///
    /// One transfer must not stand for two authorizations: a payer can use up several of its nonces for nothing and send the
    /// money once, all in one transaction. Tokens announce the use and then the transfer, so the transfer that follows is the
    /// one that counts. If the payer used no other nonce of the token there, any order will do.
    pub(crate) fn paid_in(&self, logs: &[LogInfo]) -> bool {
        let of_token = || logs.iter().filter(|log| log.address == self.id.asset);
        let mut from_use = of_token().skip_while(|log| !self.is_use(log));
        if from_use.next().is_none() {
            return false;
        }
        let follows = from_use.find(|log| is_a::<AuthorizationUsed>(log) || is_a::<Transfer>(log));
        if follows.is_some_and(|log| self.is_transfer(log)) {
            return true;
        }
        let payer = self.id.payer.into_word();
        let uses = of_token()
            .filter(|log| is_a::<AuthorizationUsed>(log) && log.topics.get(1) == Some(&payer))
            .count();
        uses == 1 && of_token().any(|log| self.is_transfer(log))
    }

    fn is_use(&self, log: &LogInfo) -> bool {
        is_event::<AuthorizationUsed>(log, &[self.id.payer.into_word(), self.id.nonce])
    }

    /// Whether one of the logs is the exact transfer. Says nothing about the nonce it was for.
    pub(crate) fn is_moved_in(&self, logs: &[LogInfo]) -> bool {
        logs.iter()
            .any(|log| log.address == self.id.asset && self.is_transfer(log))
    }

    fn is_transfer(&self, log: &LogInfo) -> bool {
        is_event::<Transfer>(log, &[self.id.payer.into_word(), self.pay_to.into_word()])
            && single_word(log) == Some(self.amount)
    }
}

/// Whether a log is the event `E`, of whomever.
fn is_a<E: SolEvent>(log: &LogInfo) -> bool {
    log.topics.first() == Some(&E::SIGNATURE_HASH)
}

impl From<&Payment> for Wanted {
    fn from(payment: &Payment) -> Self {
        Self {
            id: payment.id(),
            rail: payment.rail(),
            pay_to: payment.pay_to(),
            amount: payment.amount(),
            dead_at: payment.dead_at().saturating_to(),
        }
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
