//! Counters, balances and names in the ledger's file.

use super::SqliteLedger;
use crate::facilitator::BoxFuture;
use crate::ledger::account::{
    Account, Accounts, Balance, Counter, Identity, Named, OpenHold, Posted, Posting, Pouring,
    Taken, Volume,
};
use crate::ledger::{Begin, LedgerError, NewPayment, Record};
use alloy_primitives::Address;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use x402_model::money::AtomicAmount;

impl Accounts for SqliteLedger {
    fn take<'a>(
        &'a self,
        counter: &'a Counter,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Taken, LedgerError>> {
        let counter = counter.clone();
        Box::pin(self.writer.run(move |table| table.take(&counter, now_ms)))
    }

    fn give_back<'a>(
        &'a self,
        counter: &'a str,
        until_ms: Option<u64>,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        let counter = counter.to_owned();
        Box::pin(
            self.writer
                .run(move |table| table.give_back(&counter, until_ms)),
        )
    }

    fn keep_volume<'a>(
        &'a self,
        endpoint: &'a str,
        window_ms: u64,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        let endpoint = endpoint.to_owned();
        Box::pin(
            self.writer
                .run(move |table| table.keep_volume(&endpoint, window_ms)),
        )
    }

    fn volume<'a>(
        &'a self,
        payer: Address,
        endpoint: &'a str,
        presented_ms: Range<u64>,
    ) -> BoxFuture<'a, Result<Volume, LedgerError>> {
        let endpoint = endpoint.to_owned();
        Box::pin(async move {
            if !self.volume_indexed.load(Ordering::Acquire) {
                self.writer.run(|table| table.prepare_volume()).await?;
                self.volume_indexed.store(true, Ordering::Release);
            }
            self.reader
                .run(move |table| table.volume(payer, &endpoint, &presented_ms))
                .await
        })
    }

    fn post<'a>(
        &'a self,
        reference: &'a str,
        posting: Posting,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<Posted, LedgerError>> {
        let reference = reference.to_owned();
        Box::pin(
            self.writer
                .run(move |table| table.post(&reference, &posting, now_ms)),
        )
    }

    fn balance<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Balance, LedgerError>> {
        let account = account.clone();
        Box::pin(self.reader.run(move |table| table.balance(&account)))
    }

    fn accounts_of<'a>(
        &'a self,
        holder: &'a str,
    ) -> BoxFuture<'a, Result<Vec<(Account, Balance)>, LedgerError>> {
        let holder = holder.to_owned();
        Box::pin(self.reader.run(move |table| table.accounts_of(&holder)))
    }

    fn pour<'a>(
        &'a self,
        reference: Option<&'a str>,
        pouring: Pouring,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<AtomicAmount, LedgerError>> {
        let reference = reference.map(str::to_owned);
        Box::pin(
            self.writer
                .run(move |table| table.pour(reference.as_deref(), &pouring, now_ms)),
        )
    }

    fn open_holds(
        &self,
        before_ms: u64,
        max: usize,
    ) -> BoxFuture<'_, Result<Vec<OpenHold>, LedgerError>> {
        Box::pin(
            self.reader
                .run(move |table| table.open_holds(before_ms, max)),
        )
    }

    /// Not synced: a name survives the process and its death, and whatever is served for it is written after it. Only a power
    /// cut right behind it can bring it back.
    fn use_once<'a>(
        &'a self,
        name: &'a str,
        until_ms: u64,
        now_ms: u64,
    ) -> BoxFuture<'a, Result<bool, LedgerError>> {
        let name = name.to_owned();
        Box::pin(
            self.writer
                .run(move |table| table.use_once(&name, until_ms, now_ms)),
        )
    }

    fn begin_identified(
        &self,
        new: NewPayment,
        identity: Identity,
    ) -> BoxFuture<'_, Result<Begin, LedgerError>> {
        Box::pin(async move {
            let request = new.request.to_json();
            let record = Arc::new(Record::reserve(new));
            self.writer
                .run(move |table| table.begin_identified(&record, &request, &identity))
                .await
        })
    }

    fn identified<'a>(
        &'a self,
        payer: Address,
        endpoint: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Record>, LedgerError>> {
        let named = Named {
            payer,
            endpoint: endpoint.to_owned(),
            name: name.to_owned(),
        };
        Box::pin(self.reader.run(move |table| table.identified(&named)))
    }

    fn sweep(
        &self,
        now_ms: u64,
        closed_ms: u64,
        max: usize,
    ) -> BoxFuture<'_, Result<u64, LedgerError>> {
        Box::pin(
            self.writer
                .run(move |table| table.sweep(now_ms, closed_ms, max)),
        )
    }
}
