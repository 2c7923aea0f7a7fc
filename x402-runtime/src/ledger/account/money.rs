//! Money on accounts: credited, held for a call, spent. Pure; stores only load and save it.

use x402_model::money::AtomicAmount;

/// Whose money, counted in what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// Who holds it, for example a payer's address and a plan.
    pub holder: String,
    /// The smallest unit it is counted in, for example a token on a network.
    pub unit: String,
}

/// The parts of an account. What was ever credited is their sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// What may be held.
    pub available: AtomicAmount,
    /// What is held for calls that are under way.
    pub held: AtomicAmount,
    /// What was spent.
    pub captured: AtomicAmount,
}

impl Default for Balance {
    fn default() -> Self {
        let zero = AtomicAmount::ZERO;
        Self {
            available: zero,
            held: zero,
            captured: zero,
        }
    }
}

/// A movement of money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posting {
    /// Money came in.
    Credit {
        /// Whose.
        account: Account,
        /// How much; not zero.
        amount: AtomicAmount,
    },
    /// Sets available money aside for a call.
    Hold {
        /// Whose.
        account: Account,
        /// How much; not zero.
        amount: AtomicAmount,
    },
    /// Spends a hold, or a part of it; the rest is available again.
    Capture {
        /// How much, at most what is held.
        amount: AtomicAmount,
    },
    /// Makes a hold available again.
    Release,
}

/// The answer to [`Accounts::post`](super::Accounts::post), with the account as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It was done.
    Done(Balance),
    /// The very same was done before; nothing changed. For a hold this means that somebody else serves its call.
    Repeated(Balance),
    /// It was not done; nothing changed.
    Refused(PostRefusal),
}

/// Why money is not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PostRefusal {
    /// Less is available.
    #[error("less is available")]
    Insufficient,
    /// More than is held.
    #[error("more than is held")]
    OverHold,
    /// There is no such hold.
    #[error("there is no such hold")]
    NoHold,
    /// The reference stands for another movement.
    #[error("the reference stands for another movement")]
    Conflict,
    /// Zero cannot be credited or held.
    #[error("zero cannot be credited or held")]
    Zero,
    /// The account would pass 256 bits.
    #[error("the account would hold more than can be counted")]
    Overflow,
}

/// A hold that nobody has closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenHold {
    /// Its reference.
    pub reference: String,
    /// Whose money.
    pub account: Account,
    /// How much.
    pub amount: AtomicAmount,
    /// Since when, unix milliseconds.
    pub since_ms: u64,
}

/// What a reference stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ledger) struct Entry {
    pub(in crate::ledger) account: Account,
    pub(in crate::ledger) amount: AtomicAmount,
    pub(in crate::ledger) state: EntryState,
    /// When it last changed, unix milliseconds.
    pub(in crate::ledger) at_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ledger) enum EntryState {
    Credited,
    Held,
    /// Spent; how much of it.
    Captured(AtomicAmount),
    Released,
}

impl Entry {
    pub(in crate::ledger) const fn is_open(&self) -> bool {
        matches!(self.state, EntryState::Held)
    }

    /// Whether it may be forgotten some time after [`Entry::at_ms`]. Credits may not: their money would come in twice.
    pub(in crate::ledger) const fn is_closed(&self) -> bool {
        matches!(self.state, EntryState::Captured(_) | EntryState::Released)
    }
}

/// What a posting comes to. Pure, so that all stores keep the same books.
pub(in crate::ledger) enum Ruling {
    Write(Box<Entry>, Balance),
    Repeat,
    Refuse(PostRefusal),
}

/// Decides a posting. `entry` is what the reference stands for, `balance` the account of the entry or of the posting.
pub(in crate::ledger) fn rule(
    entry: Option<&Entry>,
    balance: Balance,
    posting: &Posting,
    now_ms: u64,
) -> Ruling {
    decide(entry, balance, posting, now_ms).unwrap_or_else(Ruling::Refuse)
}

fn decide(
    entry: Option<&Entry>,
    balance: Balance,
    posting: &Posting,
    now_ms: u64,
) -> Result<Ruling, PostRefusal> {
    let (Posting::Credit { account, amount } | Posting::Hold { account, amount }) = posting else {
        return close(entry.ok_or(PostRefusal::NoHold)?, balance, posting, now_ms);
    };
    let credit = matches!(posting, Posting::Credit { .. });
    if let Some(entry) = entry {
        let same = entry.account == *account
            && entry.amount == *amount
            && credit == (entry.state == EntryState::Credited);
        return if same {
            Ok(Ruling::Repeat)
        } else {
            Err(PostRefusal::Conflict)
        };
    }
    if amount.is_zero() {
        return Err(PostRefusal::Zero);
    }
    let (state, after) = if credit {
        let available = balance.available.checked_add(*amount);
        let available = available.ok_or(PostRefusal::Overflow)?;
        // The sum of all parts must be countable too, or a release could fail.
        let sum = available
            .checked_add(balance.held)
            .and_then(|sum| sum.checked_add(balance.captured));
        sum.ok_or(PostRefusal::Overflow)?;
        (
            EntryState::Credited,
            Balance {
                available,
                ..balance
            },
        )
    } else {
        let available = balance.available.checked_sub(*amount);
        let available = available.ok_or(PostRefusal::Insufficient)?;
        let held = balance
            .held
            .checked_add(*amount)
            .ok_or(PostRefusal::Overflow)?;
        (
            EntryState::Held,
            Balance {
                available,
                held,
                ..balance
            },
        )
    };
    let entry = Entry {
        account: account.clone(),
        amount: *amount,
        state,
        at_ms: now_ms,
    };
    Ok(Ruling::Write(Box::new(entry), after))
}

/// Captures or releases what an entry holds.
fn close(
    entry: &Entry,
    balance: Balance,
    posting: &Posting,
    now_ms: u64,
) -> Result<Ruling, PostRefusal> {
    let spent = match posting {
        Posting::Capture { amount } => *amount,
        _ => AtomicAmount::ZERO,
    };
    let captures = matches!(posting, Posting::Capture { .. });
    match entry.state {
        EntryState::Credited => return Err(PostRefusal::NoHold),
        EntryState::Captured(amount) if captures && amount == spent => return Ok(Ruling::Repeat),
        EntryState::Released if !captures => return Ok(Ruling::Repeat),
        EntryState::Captured(_) | EntryState::Released => return Err(PostRefusal::Conflict),
        EntryState::Held => {}
    }
    let rest = entry
        .amount
        .checked_sub(spent)
        .ok_or(PostRefusal::OverHold)?;
    let parts = || {
        Some(Balance {
            available: balance.available.checked_add(rest)?,
            held: balance.held.checked_sub(entry.amount)?,
            captured: balance.captured.checked_add(spent)?,
        })
    };
    let after = parts().ok_or(PostRefusal::Overflow)?;
    let state = if captures {
        EntryState::Captured(spent)
    } else {
        EntryState::Released
    };
    let entry = Entry {
        state,
        at_ms: now_ms,
        ..entry.clone()
    };
    Ok(Ruling::Write(Box::new(entry), after))
}
