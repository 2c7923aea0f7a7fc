//! Credit that buyers bought in advance: what is left, and how the rest is paid back.
//!
//! ```text
//! one x402 payment ─▶ sale (the answer says what was bought) ─▶ settled ─▶ booked once, as a lot with its own end
//! signed request   ─▶ hold the price ─▶ handler ─▶ answer stored ─▶ capture ─▶ answer
//! ```
//!
//! A call that is paid from credit has a record in the ledger like any other payment; what moves its money is the ledger's
//! accounts instead of a chain. So everything that keeps a payment from being lost or doubled keeps credit too.

mod purse;
pub(crate) mod rail;
pub(crate) mod sale;
pub(crate) mod sweep;

use std::fmt;
use std::sync::Arc;

use alloy_primitives::Address;
use serde::Serialize;
use x402_model::extension::timestamp;
use x402_model::money::AtomicAmount;

use crate::clock::Clock;
use crate::ledger::{Ledger, LedgerError};

pub(crate) use purse::{Buyer, Held, Purse, Whose};

/// Credit is counted in units of this many decimals, whatever token it was bought with, so that every price fits.
pub const CREDIT_DECIMALS: u8 = 18;

/// The credit of a paywall's buyers, for the seller's own tools.
///
/// ```no_run
/// # async fn run(paywall: x402_runtime::Paywall, payer: alloy_primitives::Address) -> Result<(), x402_runtime::ledger::LedgerError> {
/// let credits = paywall.credits();
/// for purse in credits.balances(payer).await? {
///     println!("{} {} left at {}", purse.balance(), purse.unit, purse.path);
/// }
/// // Ends the credit; what the seller now owes is paid back by the seller.
/// for refund in credits.refund(payer, "ticket-1042").await? {
///     println!("send back {} {}", refund.amount(), refund.unit);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Credits {
    purses: Arc<[Purse]>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
}

/// What one buyer has of the credit that is sold at one place in one unit. Amounts count [`CREDIT_DECIMALS`] decimals.
///
/// All that was ever bought is `available + held + spent + expired + refunded`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PurseBalance {
    /// Where the credit is sold: plans that are sold at one place in one unit fill one purse.
    pub path: String,
    /// The unit of its prices, such as `USDC`.
    pub unit: String,
    /// What may be spent.
    pub available: AtomicAmount,
    /// What is held for calls that are under way.
    pub held: AtomicAmount,
    /// What calls took.
    pub spent: AtomicAmount,
    /// What was lost because its time was over.
    pub expired: AtomicAmount,
    /// What the seller took back, to pay it back.
    pub refunded: AtomicAmount,
    /// What may be spent, by its end, earliest first.
    pub lots: Vec<Lot>,
}

/// Credit that ends at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lot {
    /// When it is lost, unix milliseconds, if ever.
    pub until_ms: Option<u64>,
    /// What may be spent.
    pub available: AtomicAmount,
}

/// Credit that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refund {
    /// Where the credit was sold.
    pub path: String,
    /// The unit.
    pub unit: String,
    /// How much, with [`CREDIT_DECIMALS`] decimals. It is credit: what was paid for it may have been less.
    pub units: AtomicAmount,
}

impl PurseBalance {
    /// What may be spent, as people write it.
    #[must_use]
    pub fn balance(&self) -> String {
        self.available.to_decimal(CREDIT_DECIMALS)
    }
}

impl Refund {
    /// How much, as people write it.
    #[must_use]
    pub fn amount(&self) -> String {
        self.units.to_decimal(CREDIT_DECIMALS)
    }
}

impl Credits {
    pub(crate) fn new(
        purses: Arc<[Purse]>,
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            purses,
            ledger,
            clock,
        }
    }

    /// What a buyer has, by purse. Empty for a paywall without plans.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub async fn balances(&self, payer: Address) -> Result<Vec<PurseBalance>, LedgerError> {
        let mut all = Vec::with_capacity(self.purses.len());
        for purse in &*self.purses {
            all.push(
                purse
                    .balance(&*self.ledger, &Whose::anywhere(payer), self.clock.now_ms())
                    .await?,
            );
        }
        Ok(all)
    }

    /// Takes back all that a buyer may still spend, and says how much that was. From then on nothing can be spent of it; what
    /// is held for calls under way is not touched, and comes back to the buyer if they fail. The money itself is the
    /// seller's to send.
    ///
    /// The reference names the refund. Doing it again under the same reference takes nothing more of what it took before,
    /// and says the same amounts again: so a refund whose answer was lost can be asked for again.
    ///
    /// # Errors
    /// When the ledger fails. What was taken by then is told when the refund is asked for again.
    pub async fn refund(
        &self,
        payer: Address,
        reference: &str,
    ) -> Result<Vec<Refund>, LedgerError> {
        let mut all = Vec::new();
        for purse in &*self.purses {
            let now_ms = self.clock.now_ms();
            let units = purse
                .refund(&*self.ledger, payer, reference, now_ms)
                .await?;
            if !units.is_zero() {
                all.push(Refund {
                    path: purse.path().to_owned(),
                    unit: purse.unit().to_owned(),
                    units,
                });
            }
        }
        Ok(all)
    }
}

impl fmt::Debug for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credits")
            .field("purses", &self.purses)
            .finish_non_exhaustive()
    }
}

/// What a holder is told about one purse.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Told {
    path: String,
    unit: String,
    balance: String,
    held: String,
    spent: String,
    expired: String,
    refunded: String,
    lots: Vec<ToldLot>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ToldLot {
    balance: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

impl From<PurseBalance> for Told {
    fn from(purse: PurseBalance) -> Self {
        let text = |amount: AtomicAmount| amount.to_decimal(CREDIT_DECIMALS);
        Self {
            balance: text(purse.available),
            held: text(purse.held),
            spent: text(purse.spent),
            expired: text(purse.expired),
            refunded: text(purse.refunded),
            lots: purse
                .lots
                .iter()
                .map(|lot| ToldLot {
                    balance: text(lot.available),
                    expires_at: lot.until_ms.map(timestamp::print),
                })
                .collect(),
            path: purse.path,
            unit: purse.unit,
        }
    }
}

#[cfg(test)]
mod tests;
