//! What a ledger keeps beside payments: counters, balances, names of purchases, and what may be used once.

mod count;
mod money;
mod name;
mod pour;

use super::record::{NewPayment, Record};
use super::store::{Begin, LedgerError};
use crate::facilitator::BoxFuture;
use alloy_primitives::Address;
use std::ops::Range;
use x402_model::money::AtomicAmount;

pub(super) use count::Count;
pub use count::{Counter, Spend, Taken, Volume};
#[cfg(feature = "sqlite")]
pub(super) use money::EntryState;
pub use money::{Account, Balance, OpenHold, PostRefusal, Posted, Posting};
pub(super) use money::{Entry, Ruling, rule};
pub use name::Identity;
pub(super) use name::{Named, Purchase};
pub use pour::Pouring;
pub(super) use pour::{Poured, pour};

/// The second half of a store, for calls that are not simply paid one by one: free quotas, volume rebates, credit bought
/// beforehand, ids for purchases, sign-ins.
///
/// Everything is exact, for any number of callers and processes: of a counter's last unit exactly one caller gets it, and no
/// money is spent twice. What is answered with yes is durable as far as the store is
/// ([`Ledger::durability`](super::Ledger::durability)) when the future ends.
///
/// # Errors
///
/// Every method fails with [`LedgerError`] when the store cannot be read or written, and the callers must not serve then.
/// [`LedgerError::Full`] refuses what would need a new row; what exists can always be finished.
pub trait Accounts: Send + Sync + 'static {
    /// Takes one unit of a counter, if there is one left.
    fn take<'a>(
        &'a self,
        counter: &'a Counter,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Taken, LedgerError>>;

    /// Puts back a unit that was taken in the window that ends at `until_ms` (as [`Taken::Yes`] said) and bought nothing.
    /// Nothing happens when that window is over.
    fn give_back<'a>(
        &'a self,
        counter: &'a str,
        until_ms: Option<u64>,
    ) -> BoxFuture<'a, Result<(), LedgerError>>;

    /// Makes sure that a settled payment of this endpoint is counted by [`volume`](Self::volume) for as long as `window_ms` after
    /// it was presented, also when its record is purged before. Payments that were purged earlier are not known any more.
    ///
    /// Kept by the store, for every process that uses it. Said again with a longer time, the longer one counts.
    fn keep_volume<'a>(
        &'a self,
        endpoint: &'a str,
        window_ms: u64,
    ) -> BoxFuture<'a, Result<(), LedgerError>>;

    /// What a payer has paid for an endpoint: the settled payments that were presented within `presented_ms`, unix
    /// milliseconds, each once. A payment whose settlement vanished does not count. What was presented longer ago than
    /// [`keep_volume`](Self::keep_volume) and the retention ask for need not be known any more.
    fn volume<'a>(
        &'a self,
        payer: Address,
        endpoint: &'a str,
        presented_ms: Range<u64>,
    ) -> BoxFuture<'a, Result<Volume, LedgerError>>;

    /// Moves money between the parts of an account. A reference names one movement in the whole store, so that doing it again
    /// changes nothing ([`Posted::Repeated`]).
    fn post<'a>(
        &'a self,
        reference: &'a str,
        posting: Posting,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Posted, LedgerError>>;

    /// What is on an account; zero for one that nothing was ever credited to.
    fn balance<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Balance, LedgerError>>;

    /// All accounts of a holder, ordered by unit, with what is on them: as it is at one moment.
    fn accounts_of<'a>(
        &'a self,
        holder: &'a str,
    ) -> BoxFuture<'a, Result<Vec<(Account, Balance)>, LedgerError>>;

    /// Moves all that is available on one account to another, in one step. Says how much that was; nothing when there is not
    /// less than [`Pouring::below`] there.
    ///
    /// With a reference it happens once: whoever pours under the same reference again moves nothing, and hears how much it
    /// was the first time.
    fn pour<'a>(
        &'a self,
        reference: Option<&'a str>,
        pouring: Pouring,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<AtomicAmount, LedgerError>>;

    /// Up to `max` holds from before `before_ms` that were neither captured nor released, oldest first: their callers are
    /// gone, and somebody has to decide.
    fn open_holds(
        &self,
        before_ms: u64,
        max: usize,
    ) -> BoxFuture<'_, Result<Vec<OpenHold>, LedgerError>>;

    /// Uses a name up: `true` for exactly one caller until `until_ms`, after which the name may be forgotten.
    fn use_once<'a>(
        &'a self,
        name: &'a str,
        until_ms: u64,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<bool, LedgerError>>;

    /// [`Ledger::begin`](super::Ledger::begin) for a payment of a purchase that the buyer has named.
    ///
    /// If an earlier payment of the same payer at the same endpoint has that name, and can still be or become paid
    /// ([`Identity::keeps`]), its record is the answer and the new payment is not touched. Otherwise the name now stands for
    /// the new payment. Both happen in one step.
    fn begin_identified(
        &self,
        new: NewPayment,
        identity: Identity,
    ) -> BoxFuture<'_, Result<Begin, LedgerError>>;

    /// The payment that a name stands for, if it has a record.
    fn identified<'a>(
        &'a self,
        payer: Address,
        endpoint: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Record>, LedgerError>>;

    /// Removes up to `max` of each: windows, names and used-up names that ended before `now_ms`, purged payments that count
    /// no longer, and holds that were closed before `closed_ms`. Says how many.
    fn sweep(
        &self,
        now_ms: u64,
        closed_ms: u64,
        max: usize,
    ) -> BoxFuture<'_, Result<u64, LedgerError>>;
}

#[cfg(test)]
mod tests;
