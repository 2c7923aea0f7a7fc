//! Waits for a sent transaction to be mined, and helps it along: sends it again, raises its fee, gives it up.

use std::fmt;

use alloy_primitives::B256;
use tokio::time::{Instant, sleep};

use crate::evm::chain::{BlockRef, ReceiptInfo};
use crate::evm::core::Core;
use crate::evm::nonce::{Account, Draft, Sent};
use crate::telemetry::event;

/// How the wait for a receipt ended.
#[derive(Debug)]
pub(crate) enum End {
    /// It was mined, successfully or not.
    Mined(Box<ReceiptInfo>),
    /// Another transaction of the account was mined with its nonce.
    Displaced,
    /// No receipt within the time limit; it may still be mined.
    Abandoned(B256),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mined(receipt) => write!(f, "transaction {}", receipt.transaction),
            Self::Displaced => f.write_str("losing the account's nonce"),
            Self::Abandoned(hash) => write!(f, "transaction {hash} without a receipt"),
        }
    }
}

/// One transaction under watch, under all the hashes it was sent with.
struct Watched<'a> {
    account: &'a Account,
    draft: Draft,
    nonce: u64,
    hashes: Vec<B256>,
    /// When it is looked after next.
    due: Instant,
    /// The nonce was seen used once without a receipt of ours; a second time is believed.
    displaced_once: bool,
}

/// Enough for every raise between one wei and any cap; a bound on what is asked per look.
const MAX_HASHES: usize = 32;

impl Core {
    /// Watches a transaction until its end. `on_hash` hears of every further hash it gets.
    pub(crate) async fn watch(
        &self,
        account: &Account,
        draft: Draft,
        sent: &Sent,
        on_hash: impl Fn(B256) + Send,
    ) -> End {
        let started = Instant::now();
        // A transaction that may not have arrived is sent again soon; one that has, only when it stalls.
        let patience = if sent.unsure {
            self.config.poll_interval
        } else {
            self.config.stall_after
        };
        let mut watched = Watched {
            account,
            draft,
            nonce: sent.nonce,
            hashes: vec![sent.hash],
            due: started + patience,
            displaced_once: false,
        };
        loop {
            if let Some(receipt) = self.find_receipt(&watched.hashes).await {
                account.release(watched.nonce, true).await;
                return End::Mined(Box::new(receipt));
            }
            if started.elapsed() >= self.config.abandon_after {
                return self.give_up(watched, sent.hash).await;
            }
            if Instant::now() >= watched.due {
                watched.due = Instant::now() + self.config.stall_after;
                if self.push(&mut watched, &on_hash).await {
                    account.release(watched.nonce, true).await;
                    return End::Displaced;
                }
            }
            sleep(self.config.poll_interval).await;
        }
    }

    async fn find_receipt(&self, hashes: &[B256]) -> Option<ReceiptInfo> {
        for hash in hashes {
            // An error says nothing about the transaction; the next look may.
            if let Ok(Some(receipt)) = self.chain.receipt(*hash).await
                && receipt.transaction == *hash
            {
                return Some(receipt);
            }
        }
        None
    }

    /// Looks after a transaction that has not been mined for a while. `true` when it can no longer be.
    async fn push(&self, watched: &mut Watched<'_>, on_hash: &impl Fn(B256)) -> bool {
        let mined = self
            .chain
            .transaction_count(watched.account.address(), BlockRef::Latest)
            .await;
        if mined.is_ok_and(|count| count > watched.nonce) {
            let sure = watched.displaced_once;
            watched.displaced_once = true;
            watched.due = Instant::now() + self.config.poll_interval;
            return sure;
        }
        watched
            .account
            .close_gaps(watched.nonce, watched.draft.fees)
            .await;
        let cap = self.fee_cap(watched.draft.gas);
        let quote = self.quote().await.ok();
        let market = quote.and_then(|quote| self.fees(quote, watched.draft.gas).ok());
        let market = market.unwrap_or(watched.draft.fees);
        let raised = watched
            .draft
            .fees
            .bumped(cap)
            .map(|fees| fees.at_least(market));
        let draft = Draft {
            fees: raised.unwrap_or(watched.draft.fees),
            ..watched.draft.clone()
        };
        if watched.hashes.len() < MAX_HASHES
            && let Some(hash) = watched.account.resend(watched.nonce, &draft).await
        {
            watched.draft = draft;
            if !watched.hashes.contains(&hash) {
                watched.hashes.push(hash);
                on_hash(hash);
            }
        }
        false
    }

    /// Gives a transaction up and tries to free its nonce, so that later ones do not wait behind it.
    async fn give_up(&self, watched: Watched<'_>, first: B256) -> End {
        let last = watched.hashes.last().copied().unwrap_or(first);
        tracing::warn!(name: event::EVM_GIVEN_UP, transaction = %last, nonce = watched.nonce, "no receipt; the transaction is given up");
        match watched.draft.fees.bumped(self.fee_cap(watched.draft.gas)) {
            Some(fees) => watched.account.fill(watched.nonce, fees).await,
            None => watched.account.release(watched.nonce, false).await,
        }
        End::Abandoned(last)
    }
}
