//! What may be spent: a total, a ceiling per call and per host, taken atomically before anything is signed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::B256;
use x402_model::asset::Asset;
use x402_model::money::AtomicAmount;
use x402_model::price::{Price, PriceParseError, PriceUnit};

use crate::receipt::Receipt;
use crate::target;

mod pot;
mod units;

pub use pot::GiveBackError;
use pot::Pot;
pub(crate) use units::Units;

/// Seconds past `validBefore` before an authorization counts as unusable: the client's clock may be ahead of the
/// chain's.
pub const DEFAULT_VOID_MARGIN: u64 = 120;

/// A spending limit. Cloning gives another handle on the same money.
///
/// - Room is **reserved** in one atomic step before anything is signed, and **charged** when the signer is asked:
///   from then on a bearer instrument may exist. Tasks that race for the last cent never both get it.
/// - A charge is **given back** only when the authorization provably was not and cannot be used: the signer failed,
///   no send of it can have left this process, or [`Budget::proven_unused`] is told so from the chain after it
///   expired. A seller's word is no proof: one that settles and then claims otherwise would otherwise be paid
///   without end. Where sellers are trusted that far, [`VoidRule::Expired`] also gives back what expired with no
///   settlement reported.
/// - Under scheme `upto` the whole ceiling is charged, and what was not used of it is given back once a settlement is
///   reported with its amount and transaction, because the authorization is used up then ([`RestRule`]). One that was served
///   for nothing is not; its ceiling stays charged by the rule above.
/// - Limits set after cloning belong to that handle alone; the total is shared. A tighter handle for a
///   sub-task is `budget.clone().per_call("0.01 USD")?`.
///
/// The unit is `USD` (any asset of the table that is pegged to the dollar counts, by its own decimals) or one symbol
/// such as `USDC` (only assets of that symbol count). All arithmetic is exact.
///
/// ```
/// use x402_client::Budget;
///
/// let budget = Budget::new("5.00 USD", "0.10 USD")?.per_host("1 USD")?;
/// assert_eq!(budget.remaining(), "5");
/// assert!(budget.clone().per_call("0.10 EURC").is_err(), "units do not mix");
/// # Ok::<(), x402_client::BudgetError>(())
/// ```
#[derive(Clone)]
pub struct Budget {
    pot: Arc<Mutex<Pot>>,
    limits: Arc<Limits>,
}

#[derive(Clone)]
struct Limits {
    unit: PriceUnit,
    per_call: Units,
    per_host: Option<Units>,
    hosts: BTreeMap<Box<str>, Units>,
    void_rule: VoidRule,
    void_margin: u64,
    rest_rule: RestRule,
}

/// When a charge whose outcome nobody proved is given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VoidRule {
    /// Never by time alone. The safe rule against a seller that takes money and stays silent.
    #[default]
    ProvenUnused,
    /// Once the authorization is expired with margin and no settlement was reported. An authorization that was used
    /// in silence is then counted as unspent: choose this only for sellers you trust.
    Expired,
}

/// When that part of an `upto` ceiling is given back which a settlement did not take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestRule {
    /// Once the seller reports an amount and a transaction. It can be looked up, but a seller that lies takes the ceiling
    /// and makes the budget think otherwise.
    #[default]
    Reported,
    /// Only by [`Budget::proven_charge`]: the safe rule against such a seller.
    Proven,
}

/// A limit that cannot be set.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// The text is not an amount and a unit, such as `5.00 USD`.
    #[error("{text:?} is not an amount of money: {source}")]
    Parse {
        /// What was written.
        text: String,
        /// What is wrong with it.
        #[source]
        source: PriceParseError,
    },
    /// More decimal places than money has.
    #[error("{text:?} has more than 36 decimal places")]
    TooFine {
        /// What was written.
        text: String,
    },
    /// The text is not a host, so its ceiling could never apply.
    #[error(
        "{text:?} is not a host: write it as in a URL, such as `api.example.com` or `localhost:4021`"
    )]
    Host {
        /// What was written.
        text: String,
    },
    /// All limits of a budget must have the unit of its total.
    #[error("the budget is in {expected}, but {text:?} is not")]
    OtherUnit {
        /// What was written.
        text: String,
        /// Unit of the total.
        expected: String,
    },
}

/// Why an amount does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetRefusal {
    /// The asset does not count in the budget's unit.
    #[error("the asset does not count in the unit of the budget")]
    OtherUnit,
    /// The asset has more than 36 decimals, or the amount is beyond any budget.
    #[error("the amount is beyond what a budget can count")]
    NotCountable,
    /// Above the ceiling per call.
    #[error("the amount is above the ceiling per call")]
    OverCall,
    /// Above what this host may still receive.
    #[error("the amount is above what is left for this host")]
    OverHost,
    /// Above what is left in total.
    #[error("the amount is above what is left of the budget")]
    OverTotal,
    /// Too many hosts to keep a sum for each.
    #[error("too many different hosts")]
    TooManyHosts,
}

impl BudgetRefusal {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OtherUnit => "asset_not_in_budget",
            Self::NotCountable => "amount_not_countable",
            Self::OverCall => "over_call_cap",
            Self::OverHost => "over_host_cap",
            Self::OverTotal => "over_budget",
            Self::TooManyHosts => "too_many_hosts",
        }
    }
}

impl Budget {
    /// A budget of `total`, for example `"5.00 USD"` or `"20 USDC"`, of which one call may use `per_call` at most.
    ///
    /// # Errors
    /// [`BudgetError`] if a text is not an exact amount with a unit, or the two units differ.
    pub fn new(total: &str, per_call: &str) -> Result<Self, BudgetError> {
        let (amount, unit) = read(total)?;
        let limits = Limits {
            unit,
            // Replaced below, once the unit of the text is compared with this budget's.
            per_call: amount,
            per_host: None,
            hosts: BTreeMap::new(),
            void_rule: VoidRule::default(),
            void_margin: DEFAULT_VOID_MARGIN,
            rest_rule: RestRule::default(),
        };
        let budget = Self {
            pot: Arc::new(Mutex::new(Pot::new(amount))),
            limits: Arc::new(limits),
        };
        budget.per_call(per_call)
    }

    /// No single payment above `ceiling`, in place of the ceiling given at first. A clone may be given a lower one of
    /// its own while it shares the money.
    ///
    /// # Errors
    /// [`BudgetError`] if the text is not an amount in this budget's unit.
    pub fn per_call(self, ceiling: &str) -> Result<Self, BudgetError> {
        let ceiling = self.read_own(ceiling)?;
        Ok(self.with_limits(|limits| limits.per_call = ceiling))
    }

    /// No host receives more than `ceiling` in all. Hosts are compared as the URL names them, with port.
    ///
    /// # Errors
    /// [`BudgetError`] if the text is not an amount in this budget's unit.
    pub fn per_host(self, ceiling: &str) -> Result<Self, BudgetError> {
        let ceiling = self.read_own(ceiling)?;
        Ok(self.with_limits(|limits| limits.per_host = Some(ceiling)))
    }

    /// `host` receives no more than `ceiling` in all, in place of [`Budget::per_host`]. Write the host as in the
    /// URL: `api.example.com`, `localhost:4021`.
    ///
    /// # Errors
    /// [`BudgetError`] if the text is not an amount in this budget's unit, or `host` is not a host.
    pub fn host(self, host: &str, ceiling: &str) -> Result<Self, BudgetError> {
        let ceiling = self.read_own(ceiling)?;
        let host = target::host_named(host)
            .ok_or_else(|| BudgetError::Host { text: short(host) })?
            .into_boxed_str();
        Ok(self.with_limits(|limits| {
            limits.hosts.insert(host, ceiling);
        }))
    }

    /// Counts `amount` as spent already, to continue a budget after a restart: what [`Budget::spent`] said, with the
    /// unit. Zero is fine.
    ///
    /// # Errors
    /// [`BudgetError`] if the text is not an amount in this budget's unit.
    pub fn already_spent(self, amount: &str) -> Result<Self, BudgetError> {
        let amount = self.own(amount, read_or_zero(amount)?)?;
        self.lock().spend_before(amount);
        Ok(self)
    }

    /// Sets when unproven charges are given back. The default is [`VoidRule::ProvenUnused`].
    #[must_use]
    pub fn void_rule(self, rule: VoidRule) -> Self {
        self.with_limits(|limits| limits.void_rule = rule)
    }

    /// Seconds past `validBefore` before an authorization counts as unusable ([`DEFAULT_VOID_MARGIN`] by default).
    #[must_use]
    pub fn void_margin(self, seconds: u64) -> Self {
        self.with_limits(|limits| limits.void_margin = seconds)
    }

    /// Sets when unused parts of `upto` ceilings are given back. The default is [`RestRule::Reported`].
    #[must_use]
    pub fn rest_rule(self, rule: RestRule) -> Self {
        self.with_limits(|limits| limits.rest_rule = rule)
    }

    /// The unit of all amounts of this budget.
    pub fn unit(&self) -> &PriceUnit {
        &self.limits.unit
    }

    /// The total, as exact decimal text in the budget's unit.
    pub fn total(&self) -> String {
        self.lock().total().to_string()
    }

    /// What was charged and not given back, as exact decimal text.
    pub fn spent(&self) -> String {
        self.lock().spent().to_string()
    }

    /// What calls in progress hold before signing, as exact decimal text.
    pub fn reserved(&self) -> String {
        self.lock().reserved().to_string()
    }

    /// What can still be reserved, as exact decimal text.
    pub fn remaining(&self) -> String {
        self.lock().remaining().to_string()
    }

    /// Whether a payment of `amount` atomic units of `asset` to `host` fits right now. Nothing is taken.
    ///
    /// # Errors
    /// [`BudgetRefusal`] with the first limit that it breaks.
    pub fn check(
        &self,
        asset: &Asset,
        amount: AtomicAmount,
        host: &str,
    ) -> Result<(), BudgetRefusal> {
        let units = self.countable(asset, amount)?;
        self.lock().check(units, host, self.ceiling(host))
    }

    /// Takes room for one payment, atomically. Dropping the reservation gives the room back.
    ///
    /// # Errors
    /// [`BudgetRefusal`] with the first limit that it breaks.
    pub fn reserve(
        &self,
        asset: &Asset,
        amount: AtomicAmount,
        host: &str,
    ) -> Result<Reservation, BudgetRefusal> {
        let units = self.countable(asset, amount)?;
        self.lock().reserve(units, host, self.ceiling(host))?;
        Ok(Reservation {
            budget: self.clone(),
            amount: units,
            host: host.into(),
            live: true,
        })
    }

    /// Gives a charge back on evidence from the chain: at a block after `validBefore`, and deep enough not to be
    /// replaced, the token's `authorizationState(payer, nonce)` was false or, for a payment through Permit2, the nonce's bit
    /// in Permit2's `nonceBitmap(payer, nonce >> 8)` was not set.
    ///
    /// # Errors
    /// [`GiveBackError`] if the nonce has no open charge, was reported settled, or is not expired (with margin) at
    /// `now_seconds`.
    pub fn proven_unused(&self, nonce: &B256, now_seconds: u64) -> Result<(), GiveBackError> {
        self.lock()
            .proven_unused(nonce, now_seconds, self.limits.void_margin)
    }

    /// Gives back what a payment did not take, on evidence from the chain: a transaction that cannot be replaced any more used
    /// this very authorization, and moved `charged` atomic units of `asset` from the payer to the payee.
    ///
    /// ```
    /// # use x402_client::{Receipt, Client};
    /// # fn looked_up(client: &Client, receipt: &Receipt, asset: &x402_model::asset::Asset, moved: x402_model::money::AtomicAmount)
    /// # -> Result<(), x402_client::GiveBackError> {
    /// client.budget().proven_charge(&receipt.nonce, asset, moved)
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`GiveBackError::NotOpen`] if the nonce has no charge, or `charged` is more than is counted for it.
    pub fn proven_charge(
        &self,
        nonce: &B256,
        asset: &Asset,
        charged: AtomicAmount,
    ) -> Result<(), GiveBackError> {
        let charged = Units::from_atomic(charged, asset.decimals).ok_or(GiveBackError::NotOpen)?;
        self.lock().proven_charge(nonce, charged)
    }

    /// Under [`VoidRule::Expired`], gives back what expired unreported by `now_seconds`; returns how many charges
    /// that were. Under the default rule it does nothing. The client calls it before every reservation.
    pub fn expire(&self, now_seconds: u64) -> usize {
        match self.limits.void_rule {
            VoidRule::ProvenUnused => 0,
            VoidRule::Expired => self.lock().expire(now_seconds, self.limits.void_margin),
        }
    }

    /// Books a settlement that was reported with its transaction.
    pub(crate) fn settled(&self, receipt: &Receipt) {
        let reported = match self.limits.rest_rule {
            RestRule::Reported => receipt.charged,
            RestRule::Proven => None,
        };
        let charged = reported.and_then(|charged| Units::from_atomic(charged, receipt.decimals));
        self.lock().settled(&receipt.nonce, charged);
    }

    pub(crate) fn never_sent(&self, nonce: &B256) {
        self.lock().never_sent(nonce);
    }

    fn countable(&self, asset: &Asset, amount: AtomicAmount) -> Result<Units, BudgetRefusal> {
        if !counts_in(&self.limits.unit, asset) {
            return Err(BudgetRefusal::OtherUnit);
        }
        let units =
            Units::from_atomic(amount, asset.decimals).ok_or(BudgetRefusal::NotCountable)?;
        if units > self.limits.per_call {
            return Err(BudgetRefusal::OverCall);
        }
        Ok(units)
    }

    fn ceiling(&self, host: &str) -> Option<Units> {
        self.limits
            .hosts
            .get(host)
            .copied()
            .or(self.limits.per_host)
    }

    fn read_own(&self, text: &str) -> Result<Units, BudgetError> {
        self.own(text, read(text)?)
    }

    fn own(&self, text: &str, (amount, unit): (Units, PriceUnit)) -> Result<Units, BudgetError> {
        if unit == self.limits.unit {
            Ok(amount)
        } else {
            let expected = self.limits.unit.to_string();
            Err(BudgetError::OtherUnit {
                text: short(text),
                expected,
            })
        }
    }

    fn with_limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(Arc::make_mut(&mut self.limits));
        self
    }

    fn lock(&self) -> MutexGuard<'_, Pot> {
        // Every method of the pot leaves it consistent, so a panic elsewhere while it was locked changes nothing.
        self.pot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn assert_invariants(&self) {
        self.lock().assert_invariants();
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pot = self.lock();
        f.debug_struct("Budget")
            .field("unit", &self.limits.unit.as_str())
            .field("total", &format_args!("{}", pot.total()))
            .field("spent", &format_args!("{}", pot.spent()))
            .field("reserved", &format_args!("{}", pot.reserved()))
            .finish_non_exhaustive()
    }
}

/// Room taken in a [`Budget`] for one payment that is not signed yet.
#[must_use = "dropping a reservation gives its room back"]
#[derive(Debug)]
pub struct Reservation {
    budget: Budget,
    amount: Units,
    host: Box<str>,
    live: bool,
}

impl Reservation {
    /// Charges the reserved room, because the authorization `nonce`, usable until `valid_before` (Unix seconds), is
    /// about to be signed. Call it **before** asking the signer.
    pub fn charge(mut self, nonce: B256, valid_before: u64) {
        self.live = false;
        self.budget
            .lock()
            .charge(self.amount, &self.host, nonce, valid_before);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.live {
            self.budget.lock().release(self.amount, &self.host);
        }
    }
}

/// Whether an amount of `asset` is an amount of `unit`.
pub(crate) fn counts_in(unit: &PriceUnit, asset: &Asset) -> bool {
    match unit {
        PriceUnit::Usd => asset.usd_pegged,
        PriceUnit::Symbol(symbol) => symbol.eq_ignore_ascii_case(&asset.symbol),
    }
}

pub(crate) fn read(text: &str) -> Result<(Units, PriceUnit), BudgetError> {
    units_of(text, text.parse())
}

fn read_or_zero(text: &str) -> Result<(Units, PriceUnit), BudgetError> {
    units_of(text, Price::parse_or_zero(text))
}

fn units_of(
    text: &str,
    price: Result<Price, PriceParseError>,
) -> Result<(Units, PriceUnit), BudgetError> {
    let price = price.map_err(|source| BudgetError::Parse {
        text: short(text),
        source,
    })?;
    let amount = Units::from_decimal(price.amount)
        .ok_or_else(|| BudgetError::TooFine { text: short(text) })?;
    Ok((amount, price.unit))
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests;
