//! One writer per settling account: gives out account nonces so that none is used twice and no gap stays open.
//!
//! A nonce is taken at the moment of signing, under a lock that is held until the node has answered. If the node
//! refuses, nothing was consumed. If nobody knows whether it took the transaction, the signed bytes are held and the
//! account is read anew before the next one: what the node does not have is sent again first, so that a lost request
//! cannot leave a gap behind which every later settlement would wait.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use tokio::sync::Mutex;

use crate::evm::chain::{BlockRef, Chain, ChainError, SendError};
use crate::evm::gas::Fees;
use crate::evm::key::SettlerKey;
use crate::evm::reason::{self, Refusal, Stop};
use crate::telemetry::event;

/// How often one transaction is signed anew because its nonce turned out to be taken.
const MAX_ATTEMPTS: usize = 4;

/// How many nonces are looked after at once when the chain lacks them.
const MAX_GAP: usize = 64;

/// A transaction without nonce and signature.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) to: Address,
    /// Native money, in wei.
    pub(crate) value: U256,
    pub(crate) data: Bytes,
    pub(crate) gas: u64,
    pub(crate) fees: Fees,
}

/// A transaction that is, or may be, with the network.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) nonce: u64,
    pub(crate) hash: B256,
    /// Nobody knows whether the node took it.
    pub(crate) unsure: bool,
}

/// The writer of one account.
pub(crate) struct Account {
    chain: Arc<dyn Chain>,
    chain_id: u64,
    key: SettlerKey,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The next nonce; `None` when the chain must be asked.
    next: Option<u64>,
    /// Every transaction whose end is not known yet, by nonce. Bounded by the settlements in flight.
    open: BTreeMap<u64, Bytes>,
}

impl Account {
    pub(crate) fn new(chain: Arc<dyn Chain>, chain_id: u64, key: SettlerKey) -> Self {
        Self {
            chain,
            chain_id,
            key,
            state: Mutex::default(),
        }
    }

    pub(crate) const fn address(&self) -> Address {
        self.key.address()
    }

    /// Signs a draft with the next nonce and broadcasts it.
    ///
    /// # Errors
    /// Only when certainly nothing of this draft is with the network.
    pub(crate) async fn send(&self, draft: &Draft) -> Result<Sent, Stop> {
        let mut state = self.state.lock().await;
        // What a node has called taken is not tried again, even if another node of the same service lags behind.
        let mut floor = 0;
        for _ in 0..MAX_ATTEMPTS {
            let nonce = match state.next {
                Some(nonce) => nonce,
                None => self.resync(&mut state).await?.max(floor),
            };
            let (hash, raw) = self.sign(draft, nonce)?;
            match self.chain.send_raw(&raw).await {
                Ok(_) | Err(SendError::AlreadyKnown) => {
                    state.open.insert(nonce, raw);
                    let next = nonce.saturating_add(1);
                    // A nonce that is held already means that the node has lost something: look before going on.
                    state.next = (!state.open.contains_key(&next)).then_some(next);
                    return Ok(Sent {
                        nonce,
                        hash,
                        unsure: false,
                    });
                }
                Err(SendError::Unsure(error)) => {
                    tracing::warn!(name: event::EVM_BROADCAST_UNCLEAR, %hash, nonce, %error, "broadcast without a clear answer");
                    state.open.insert(nonce, raw);
                    state.next = None;
                    return Ok(Sent {
                        nonce,
                        hash,
                        unsure: true,
                    });
                }
                Err(error) => {
                    state.next = None;
                    tracing::warn!(name: event::EVM_BROADCAST_REFUSED, nonce, %error, "broadcast refused");
                    floor = after_refusal(&error, nonce)?;
                }
            }
        }
        // Nothing was sent, and a later attempt may succeed: not a word about the payment itself.
        Err(
            ChainError::BadAnswer("the account's nonces are taken by another sender".to_owned())
                .into(),
        )
    }

    /// Reads the account's next nonce from the chain, after sending again whatever the node turns out not to have.
    async fn resync(&self, state: &mut State) -> Result<u64, ChainError> {
        let mut next = self
            .chain
            .transaction_count(self.address(), BlockRef::Pending)
            .await?;
        while let Some(raw) = state.open.get(&next) {
            match self.chain.send_raw(raw).await {
                Ok(_) | Err(SendError::AlreadyKnown | SendError::NonceTooLow) => {}
                Err(SendError::Unsure(error)) => return Err(error),
                Err(error) => {
                    // The node will never take it: its nonce is free for another transaction.
                    tracing::warn!(name: event::EVM_DROPPED, nonce = next, %error, "an earlier transaction is no longer accepted");
                    state.open.remove(&next);
                    break;
                }
            }
            next = next.saturating_add(1);
        }
        Ok(next)
    }

    /// Signs a draft for a nonce that was given out before, and sends it. `None` when the node refused.
    pub(crate) async fn resend(&self, nonce: u64, draft: &Draft) -> Option<B256> {
        let mut state = self.state.lock().await;
        let (hash, raw) = self.sign(draft, nonce).ok()?;
        match self.chain.send_raw(&raw).await {
            Ok(_) | Err(SendError::AlreadyKnown) => {
                state.open.insert(nonce, raw);
                Some(hash)
            }
            // It may be with the network: its hash must be watched.
            Err(SendError::Unsure(_)) => Some(hash),
            Err(error) => {
                tracing::debug!(nonce, %error, "a transaction was not taken again");
                None
            }
        }
    }

    /// The transaction of this nonce has ended, or is given up: nothing is sent again for it.
    pub(crate) async fn release(&self, nonce: u64, mined: bool) {
        let mut state = self.state.lock().await;
        state.open.remove(&nonce);
        if !mined {
            state.next = None;
        }
    }

    /// Closes the gaps between what the chain has and a nonce that was given out: what is still open is sent again, and
    /// where nothing is (a reorganisation lost a mined transaction), a transfer of nothing takes the place.
    pub(crate) async fn close_gaps(&self, below: u64, fees: Fees) {
        let mut state = self.state.lock().await;
        let Ok(first) = self
            .chain
            .transaction_count(self.address(), BlockRef::Pending)
            .await
        else {
            return;
        };
        for nonce in (first..below).take(MAX_GAP) {
            let raw = match state.open.get(&nonce) {
                Some(raw) => raw.clone(),
                None => match self.sign(&self.nothing(fees), nonce) {
                    Ok((hash, raw)) => {
                        tracing::warn!(name: event::EVM_GAP_FILLED, nonce, %hash, "filling a gap in the account's nonces");
                        raw
                    }
                    Err(_) => return,
                },
            };
            if let Err(error) = self.chain.send_raw(&raw).await {
                tracing::debug!(nonce, %error, "a nonce below could not be sent");
            }
        }
        state.next = None;
    }

    /// A transfer of nothing to the account itself.
    fn nothing(&self, fees: Fees) -> Draft {
        Draft {
            to: self.address(),
            value: U256::ZERO,
            data: Bytes::new(),
            gas: 21_000,
            fees,
        }
    }

    /// Uses a nonce up with a transfer of nothing to the account itself, so that later ones can be mined.
    pub(crate) async fn fill(&self, nonce: u64, fees: Fees) {
        if self.resend(nonce, &self.nothing(fees)).await.is_none() {
            tracing::warn!(
                name: event::EVM_STUCK,
                nonce,
                "an account nonce could not be freed; later settlements may wait behind it"
            );
        }
        self.release(nonce, false).await;
    }

    fn sign(&self, draft: &Draft, nonce: u64) -> Result<(B256, Bytes), Stop> {
        let tx = TxEip1559 {
            chain_id: self.chain_id,
            nonce,
            gas_limit: draft.gas,
            max_fee_per_gas: draft.fees.max_fee,
            max_priority_fee_per_gas: draft.fees.priority,
            to: TxKind::Call(draft.to),
            value: draft.value,
            access_list: Default::default(),
            input: draft.data.clone(),
        };
        self.key
            .sign(tx)
            .ok_or_else(|| Refusal::new(reason::TRANSACTION_FAILED, "signing failed").into())
    }
}

/// The least nonce to try after a refusal that was about the nonce.
///
/// # Errors
/// When the refusal was about the transaction or the account.
fn after_refusal(error: &SendError, nonce: u64) -> Result<u64, Stop> {
    match error {
        SendError::NonceTooLow | SendError::Underpriced(_) => Ok(nonce.saturating_add(1)),
        SendError::InsufficientFunds => {
            Err(Refusal::new(reason::SETTLER_FUNDS, error.to_string()).into())
        }
        SendError::Rejected(_) => {
            Err(Refusal::new(reason::TRANSACTION_FAILED, error.to_string()).into())
        }
        _ => Ok(0),
    }
}
