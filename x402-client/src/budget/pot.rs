//! The books behind a budget: what is reserved, what is charged, and which charges may still be given back.

use std::collections::{HashMap, VecDeque};

use alloy_primitives::B256;

use super::BudgetRefusal;
use super::units::Units;

/// Charges remembered one by one. Older ones stay charged for good: forgetting is always to the safe side.
const MAX_CHARGES: usize = 65_536;
/// Hosts with a running sum. Further hosts are refused rather than left uncounted.
const MAX_HOSTS: usize = 65_536;

/// Invariant: `spent + reserved <= total`, and the sum over `hosts` equals `spent + reserved`.
#[derive(Debug)]
pub(super) struct Pot {
    total: Units,
    spent: Units,
    reserved: Units,
    hosts: HashMap<Box<str>, Units>,
    charges: HashMap<B256, Charge>,
    order: VecDeque<B256>,
}

#[derive(Debug)]
struct Charge {
    /// What is counted as spent.
    amount: Units,
    /// What was authorized.
    authorized: Units,
    host: Box<str>,
    valid_before: u64,
    /// Calls that hold this authorization and cannot rule out that it reached the seller.
    exposed: u32,
    settled: bool,
}

/// Why a charge was not given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GiveBackError {
    /// This budget has no open charge with that nonce.
    #[error("no open charge with this nonce")]
    NotOpen,
    /// The seller reported the payment as settled.
    #[error("the payment was reported as settled")]
    Settled,
    /// The authorization can still be used.
    #[error("the authorization can be used until {until} (Unix seconds, with margin)")]
    StillUsable {
        /// First moment, in Unix seconds, at which it cannot.
        until: u64,
    },
}

impl Pot {
    pub(super) fn new(total: Units) -> Self {
        Self {
            total,
            spent: Units::ZERO,
            reserved: Units::ZERO,
            hosts: HashMap::new(),
            charges: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    pub(super) const fn total(&self) -> Units {
        self.total
    }

    pub(super) const fn spent(&self) -> Units {
        self.spent
    }

    pub(super) const fn reserved(&self) -> Units {
        self.reserved
    }

    pub(super) fn remaining(&self) -> Units {
        let taken = self.spent.checked_add(self.reserved).unwrap_or(self.total);
        self.total.saturating_sub(taken)
    }

    /// Adds what was spent elsewhere, before this pot existed. More than the total leaves nothing.
    pub(super) fn spend_before(&mut self, amount: Units) {
        let room = self.remaining();
        let spent = amount.min(room);
        self.spent = self.spent.checked_add(spent).unwrap_or(self.total);
    }

    pub(super) fn check(
        &self,
        amount: Units,
        host: &str,
        ceiling: Option<Units>,
    ) -> Result<(), BudgetRefusal> {
        if amount > self.remaining() {
            return Err(BudgetRefusal::OverTotal);
        }
        let at_host = self.hosts.get(host).copied();
        if at_host.is_none() && self.hosts.len() >= MAX_HOSTS {
            return Err(BudgetRefusal::TooManyHosts);
        }
        let at_host = at_host.unwrap_or_default().checked_add(amount);
        match (at_host, ceiling) {
            (None, _) => Err(BudgetRefusal::OverTotal),
            (Some(sum), Some(ceiling)) if sum > ceiling => Err(BudgetRefusal::OverHost),
            _ => Ok(()),
        }
    }

    pub(super) fn reserve(
        &mut self,
        amount: Units,
        host: &str,
        ceiling: Option<Units>,
    ) -> Result<(), BudgetRefusal> {
        self.check(amount, host, ceiling)?;
        let reserved = self
            .reserved
            .checked_add(amount)
            .ok_or(BudgetRefusal::OverTotal)?;
        self.reserved = reserved;
        let at_host = self.hosts.entry(host.into()).or_default();
        *at_host = at_host.checked_add(amount).unwrap_or(*at_host);
        Ok(())
    }

    pub(super) fn release(&mut self, amount: Units, host: &str) {
        self.reserved = self.reserved.saturating_sub(amount);
        self.leave_host(amount, host);
    }

    /// Turns a reservation into a charge. A nonce that is charged already (a derived nonce: same call, same terms)
    /// is one authorization and is counted once.
    pub(super) fn charge(&mut self, amount: Units, host: &str, nonce: B256, valid_before: u64) {
        if let Some(known) = self
            .charges
            .get_mut(&nonce)
            .filter(|known| known.authorized == amount)
        {
            known.exposed = known.exposed.saturating_add(1);
            known.valid_before = known.valid_before.max(valid_before);
            self.release(amount, host);
            return;
        }
        self.reserved = self.reserved.saturating_sub(amount);
        self.spent = self.spent.checked_add(amount).unwrap_or(self.total);
        let charge = Charge {
            amount,
            authorized: amount,
            host: host.into(),
            valid_before,
            exposed: 1,
            settled: false,
        };
        self.charges.insert(nonce, charge);
        self.order.push_back(nonce);
        self.forget_oldest();
    }

    /// One holder of the authorization knows that it never left. The last such holder gives the charge back.
    pub(super) fn never_sent(&mut self, nonce: &B256) {
        let Some(charge) = self.charges.get_mut(nonce) else {
            return;
        };
        charge.exposed = charge.exposed.saturating_sub(1);
        if charge.exposed == 0 && !charge.settled {
            self.give_back(nonce);
        }
    }

    /// The authorization was used, so it cannot be used again: what it was not used for is given back. Only the first report
    /// counts.
    pub(super) fn settled(&mut self, nonce: &B256, charged: Option<Units>) {
        let Some(charge) = self.charges.get_mut(nonce).filter(|known| !known.settled) else {
            return;
        };
        charge.settled = true;
        if let Some(charged) = charged {
            self.lower(nonce, charged);
        }
    }

    /// The chain says what the authorization was used for.
    pub(super) fn proven_charge(
        &mut self,
        nonce: &B256,
        charged: Units,
    ) -> Result<(), GiveBackError> {
        let known = self.charges.get_mut(nonce);
        let charge = known
            .filter(|known| charged <= known.amount)
            .ok_or(GiveBackError::NotOpen)?;
        charge.settled = true;
        self.lower(nonce, charged);
        Ok(())
    }

    /// Counts no more than `amount` for a charge.
    fn lower(&mut self, nonce: &B256, amount: Units) {
        let Some(charge) = self.charges.get_mut(nonce) else {
            return;
        };
        let rest = charge.amount.saturating_sub(amount);
        if rest.is_zero() {
            return;
        }
        charge.amount = amount;
        let host = charge.host.clone();
        self.spent = self.spent.saturating_sub(rest);
        self.leave_host(rest, &host);
    }

    pub(super) fn proven_unused(
        &mut self,
        nonce: &B256,
        now: u64,
        margin: u64,
    ) -> Result<(), GiveBackError> {
        let charge = self.charges.get(nonce).ok_or(GiveBackError::NotOpen)?;
        if charge.settled {
            return Err(GiveBackError::Settled);
        }
        let until = charge.valid_before.saturating_add(margin);
        if now < until {
            return Err(GiveBackError::StillUsable { until });
        }
        self.give_back(nonce);
        Ok(())
    }

    /// Gives back every charge that is expired by `margin` seconds and was not reported as settled.
    pub(super) fn expire(&mut self, now: u64, margin: u64) -> usize {
        let void: Vec<B256> = self
            .charges
            .iter()
            .filter(|(_, charge)| {
                !charge.settled && charge.valid_before.saturating_add(margin) <= now
            })
            .map(|(nonce, _)| *nonce)
            .collect();
        for nonce in &void {
            self.give_back(nonce);
        }
        void.len()
    }

    fn give_back(&mut self, nonce: &B256) {
        if let Some(charge) = self.charges.remove(nonce) {
            self.spent = self.spent.saturating_sub(charge.amount);
            self.leave_host(charge.amount, &charge.host);
        }
    }

    fn leave_host(&mut self, amount: Units, host: &str) {
        if let Some(at_host) = self.hosts.get_mut(host) {
            *at_host = at_host.saturating_sub(amount);
            if at_host.is_zero() {
                self.hosts.remove(host);
            }
        }
    }

    fn forget_oldest(&mut self) {
        while self.charges.len() > MAX_CHARGES {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            self.charges.remove(&oldest);
        }
        if self.order.len() > 2 * MAX_CHARGES {
            let charges = &self.charges;
            self.order.retain(|nonce| charges.contains_key(nonce));
        }
    }

    #[cfg(test)]
    pub(super) fn assert_invariants(&self) {
        let taken = self.spent.checked_add(self.reserved).unwrap();
        assert!(
            taken <= self.total,
            "spent {} + reserved {} > total {}",
            self.spent,
            self.reserved,
            self.total
        );
        let hosts = self.hosts.values().fold(Units::ZERO, |sum, at_host| {
            sum.checked_add(*at_host).unwrap()
        });
        assert_eq!(hosts, taken);
        assert!(self.hosts.values().all(|at_host| !at_host.is_zero()));
    }
}
