//! One buyer's credit in the ledger: a lot for every end (and network), spent earliest end first.
//!
//! Lots are accounts of one holder, named by their end, so that their order is that of their ends. What has ended is simply not
//! looked at any more. A call is paid from one lot: a rest that is smaller than its price goes over into the next lot, and
//! lives as long as that one, which is in the buyer's favour.

use alloy_primitives::Address;
use x402_model::asset::checksum;
use x402_model::money::AtomicAmount;
use x402_model::network::Network;

use super::{Lot, PurseBalance};
use crate::ledger::{
    Account, Accounts, Balance, Ledger, LedgerError, PostRefusal, Posted, Posting, Pouring,
};

/// Where credit goes that the seller took back. Sorts before every lot.
const REFUNDED: &str = "refunded";
const LOT: &str = "until/";
/// Sorts after every number.
const NEVER: &str = "never";

/// The credit that is sold at one place in one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Purse {
    path: String,
    unit: String,
}

/// Who bought credit, and on which network: it is part of the credit's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Buyer {
    pub(crate) payer: Address,
    pub(crate) network: Network,
}

/// Whose credit is meant. The same key has the same account on every chain; a contract at the same address may be anybody's, so
/// it has only what was bought on the chain that vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whose {
    payer: Address,
    only: Option<Network>,
}

impl Whose {
    pub(crate) const fn anywhere(payer: Address) -> Self {
        Self { payer, only: None }
    }

    /// Of an account for which a contract speaks on this network, if one does.
    pub(crate) const fn on(payer: Address, contract_on: Option<Network>) -> Self {
        Self {
            payer,
            only: contract_on,
        }
    }

    fn has(&self, account: &Account) -> bool {
        match (&self.only, account.unit.splitn(3, '/').nth(2)) {
            (None, _) => true,
            (Some(network), Some(bought)) => network.to_string() == bought,
            (Some(_), None) => false,
        }
    }
}

/// What came of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Yes,
    /// Less is there.
    Short,
}

impl Purse {
    pub(crate) fn new(path: &str, unit: &str) -> Self {
        Self {
            path: path.to_owned(),
            // Units are names of tokens, which people write in any case.
            unit: unit.to_ascii_uppercase(),
        }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn unit(&self) -> &str {
        &self.unit
    }

    fn holder(&self, payer: Address) -> String {
        format!("credit{}/{}/{}", self.path, self.unit, checksum(payer))
    }

    fn account(&self, payer: Address, unit: String) -> Account {
        Account {
            holder: self.holder(payer),
            unit,
        }
    }

    /// The account of what was bought on one network and ends at one time.
    fn lot(&self, buyer: &Buyer, until_ms: Option<u64>) -> Account {
        let end = until_ms.map_or_else(|| NEVER.to_owned(), |ms| format!("{ms:020}"));
        self.account(buyer.payer, format!("{LOT}{end}/{}", buyer.network))
    }

    /// Puts credit in, once under this reference.
    pub(crate) async fn credit(
        &self,
        books: &dyn Accounts,
        buyer: &Buyer,
        amount: AtomicAmount,
        until_ms: Option<u64>,
        (reference, now_ms): (&str, u64),
    ) -> Result<Posted, LedgerError> {
        let account = self.lot(buyer, until_ms);
        let posting = Posting::Credit { account, amount };
        books.post(reference, posting, now_ms).await
    }

    /// Holds the price of a call.
    pub(crate) async fn hold(
        &self,
        books: &dyn Accounts,
        whose: &Whose,
        amount: AtomicAmount,
        (reference, now_ms): (&str, u64),
    ) -> Result<Held, LedgerError> {
        let lots = books.accounts_of(&self.holder(whose.payer)).await?;
        let mut lots = lots
            .into_iter()
            .filter(|(account, _)| is_open(account, now_ms) && whose.has(account))
            .map(|(account, _)| account)
            .peekable();
        while let Some(account) = lots.next() {
            let posting = Posting::Hold {
                account: account.clone(),
                amount,
            };
            match books.post(reference, posting, now_ms).await? {
                Posted::Done(_) => return Ok(Held::Yes),
                Posted::Refused(PostRefusal::Insufficient) => {}
                // A reference is held once: whoever else holds it serves its call.
                Posted::Repeated(_) | Posted::Refused(_) => return Ok(Held::Short),
            }
            if let Some(next) = lots.peek() {
                let pouring = Pouring {
                    from: account,
                    to: next.clone(),
                    below: Some(amount),
                };
                books.pour(None, pouring, now_ms).await?;
            }
        }
        Ok(Held::Short)
    }

    /// What a buyer has.
    pub(crate) async fn balance(
        &self,
        ledger: &dyn Ledger,
        whose: &Whose,
        now_ms: u64,
    ) -> Result<PurseBalance, LedgerError> {
        let holder = self.holder(whose.payer);
        let mut accounts = ledger.accounts().accounts_of(&holder).await?;
        accounts.retain(|(account, _)| account.unit == REFUNDED || whose.has(account));
        self.sum(&accounts, now_ms)
            .ok_or_else(|| LedgerError::Store("a sum of credit is too large".to_owned()))
    }

    fn sum(&self, accounts: &[(Account, Balance)], now_ms: u64) -> Option<PurseBalance> {
        let zero = AtomicAmount::ZERO;
        let mut purse = PurseBalance {
            path: self.path.clone(),
            unit: self.unit.clone(),
            available: zero,
            held: zero,
            spent: zero,
            expired: zero,
            refunded: zero,
            lots: Vec::new(),
        };
        for (account, balance) in accounts {
            if account.unit == REFUNDED {
                purse.refunded = purse.refunded.checked_add(balance.available)?;
                continue;
            }
            purse.held = purse.held.checked_add(balance.held)?;
            purse.spent = purse.spent.checked_add(balance.captured)?;
            if !is_open(account, now_ms) {
                purse.expired = purse.expired.checked_add(balance.available)?;
            } else if !balance.available.is_zero() {
                purse.available = purse.available.checked_add(balance.available)?;
                purse.lots.push(Lot {
                    until_ms: end(account).flatten(),
                    available: balance.available,
                });
            }
        }
        Some(purse)
    }

    /// Takes back what may be spent, once for each lot under this reference.
    pub(crate) async fn refund(
        &self,
        ledger: &dyn Ledger,
        payer: Address,
        reference: &str,
        now_ms: u64,
    ) -> Result<AtomicAmount, LedgerError> {
        let books = ledger.accounts();
        let mut sum = AtomicAmount::ZERO;
        for (from, _) in books.accounts_of(&self.holder(payer)).await? {
            if end(&from).is_none() {
                continue;
            }
            // What ended meanwhile is not taken; what was taken under this reference before is told all the same.
            let below = (!is_open(&from, now_ms)).then_some(AtomicAmount::ZERO);
            let name = format!("refund/{}/{}/{reference}", from.holder, from.unit);
            let pouring = Pouring {
                to: self.account(payer, REFUNDED.to_owned()),
                from,
                below,
            };
            let amount = books.pour(Some(&name), pouring, now_ms).await?;
            sum = sum
                .checked_add(amount)
                .ok_or_else(|| LedgerError::Store("a sum of credit is too large".to_owned()))?;
        }
        Ok(sum)
    }
}

/// When a lot ends; `None` for an account that is no lot.
fn end(account: &Account) -> Option<Option<u64>> {
    let (end, _) = account.unit.strip_prefix(LOT)?.split_once('/')?;
    match end {
        NEVER => Some(None),
        number => number.parse().ok().map(Some),
    }
}

fn is_open(account: &Account, now_ms: u64) -> bool {
    end(account).is_some_and(|end| end.is_none_or(|end| end > now_ms))
}
