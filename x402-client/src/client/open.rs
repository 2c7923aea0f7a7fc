//! Signed payments of running and dropped calls, so that dropping a future never loses one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use alloy_primitives::B256;

use crate::payment::PendingPayment;

/// Payments kept; the oldest is forgotten first. Its money stays charged.
const MAX_OPEN: usize = 1024;

#[derive(Default)]
pub(crate) struct OpenPayments(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    payments: BTreeMap<B256, PendingPayment>,
    order: VecDeque<B256>,
}

impl OpenPayments {
    pub(crate) fn add(&self, payment: PendingPayment) {
        let nonce = payment.nonce();
        let mut inner = self.lock();
        if inner.payments.insert(nonce, payment).is_none() {
            inner.order.push_back(nonce);
        }
        if inner.payments.len() > MAX_OPEN
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.payments.remove(&oldest);
        }
    }

    /// The open payment with this nonce, while it can be used. Only derived nonces are ever met again.
    pub(crate) fn usable(&self, nonce: &B256, now_seconds: u64) -> Option<PendingPayment> {
        let inner = self.lock();
        let payment = inner.payments.get(nonce)?;
        (now_seconds < payment.valid_before()).then(|| payment.clone())
    }

    pub(crate) fn close(&self, nonce: &B256) {
        let mut inner = self.lock();
        if inner.payments.remove(nonce).is_some() {
            inner.order.retain(|other| other != nonce);
        }
    }

    pub(crate) fn list(&self) -> Vec<PendingPayment> {
        let inner = self.lock();
        inner
            .order
            .iter()
            .filter_map(|nonce| inner.payments.get(nonce))
            .cloned()
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
