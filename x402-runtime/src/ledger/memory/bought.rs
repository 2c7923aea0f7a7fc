//! What payers bought of the endpoints whose prices depend on it, by payer and time.

use super::locked;
use crate::ledger::account::Volume;
use crate::ledger::{LedgerError, PaymentKey, Record};
use alloy_primitives::Address;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use x402_model::money::AtomicAmount;

/// The settled payments of some endpoints. They stay here when their records are purged.
#[derive(Default)]
pub(super) struct Bought {
    /// Whether there is any such endpoint: without one, no payment has to wait for the others here.
    any: AtomicBool,
    count: AtomicUsize,
    /// Locked after a shard, never before one.
    endpoints: Mutex<HashMap<String, Endpoint>>,
}

struct Endpoint {
    /// How long a payment counts.
    window_ms: u64,
    payers: HashMap<Address, BTreeMap<(u64, PaymentKey), AtomicAmount>>,
}

impl Bought {
    /// Counts what is bought of an endpoint from now on.
    pub(super) fn keep(&self, endpoint: &str, window_ms: u64) {
        let mut endpoints = locked(&self.endpoints);
        let kept = endpoints
            .entry(endpoint.to_owned())
            .or_insert_with(|| Endpoint {
                window_ms,
                payers: HashMap::new(),
            });
        kept.window_ms = kept.window_ms.max(window_ms);
        self.any.store(true, Ordering::Release);
    }

    /// Notes what a record has become, under the lock of its shard.
    pub(super) fn note(&self, record: &Record) {
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        let mut endpoints = locked(&self.endpoints);
        let Some(endpoint) = endpoints.get_mut(&*record.endpoint) else {
            return;
        };
        let payer = record.key.payer;
        let place = (record.created_ms, record.key.clone());
        if record.state.is_paid() {
            let payments = endpoint.payers.entry(payer).or_default();
            if payments.insert(place, record.amount).is_none() {
                self.count.fetch_add(1, Ordering::Relaxed);
            }
        } else if let Some(payments) = endpoint.payers.get_mut(&payer)
            && payments.remove(&place).is_some()
        {
            // Its settlement has vanished.
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// What a payer bought of an endpoint; `None` for one that is not counted here.
    pub(super) fn volume(
        &self,
        payer: Address,
        endpoint: &str,
        presented_ms: &Range<u64>,
    ) -> Option<Result<Volume, LedgerError>> {
        let endpoints = locked(&self.endpoints);
        let payments = endpoints.get(endpoint)?.payers.get(&payer);
        let mut volume = Volume::default();
        // Keys order by time first. The first of a time is not known, so those before are passed over.
        for ((presented, key), amount) in payments.into_iter().flatten().rev() {
            if *presented < presented_ms.start {
                break;
            }
            if *presented < presented_ms.end
                && volume
                    .add(key.network.clone(), key.asset, *amount)
                    .is_none()
            {
                return Some(Err(LedgerError::Store("a sum is too large".to_owned())));
            }
        }
        Some(Ok(volume))
    }

    /// How many payments are kept.
    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Forgets up to `max` payments that count no more.
    pub(super) fn sweep(&self, now_ms: u64, max: usize) -> u64 {
        let mut removed = 0;
        for endpoint in locked(&self.endpoints).values_mut() {
            let window_ms = endpoint.window_ms;
            endpoint.payers.retain(|_, payments| {
                while let Some(first) = payments.first_entry()
                    && first.key().0.saturating_add(window_ms) <= now_ms
                    && removed < max
                {
                    first.remove();
                    removed += 1;
                }
                !payments.is_empty()
            });
        }
        self.count.fetch_sub(removed, Ordering::Relaxed);
        u64::try_from(removed).unwrap_or(u64::MAX)
    }
}
