//! The payment ledger: one record per authorization, moved only by compare-and-set through [`step`].
//!
//! ```text
//! none ─▶ reserved ─▶ served ─▶ settling ─▶ settled ─▶ final
//!           │           ▲ │        │  │         │
//!           ▼   refused │ ▼        │  ▼         ▼ receipt gone
//!         (free)        └─failed◀──┴─unknown◀───┘
//! ```
//!
//! What moves a record is decided by one pure function ([`step`]); a [`Ledger`] only loads, asks it, and writes the result in
//! one commit. That is why every store behaves alike, and why the same function can be model-checked.
//!
//! Two stores are included: [`MemoryLedger`] for tests and trials, and [`SqliteLedger`] (feature `sqlite`) for one machine.
//! [`conformance::run`] checks a store of your own.

mod account;
pub mod conformance;
mod event;
mod key;
mod memory;
mod offers;
mod record;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod transition;

pub use account::{
    Account, Accounts, Balance, Counter, Identity, OpenHold, PostRefusal, Posted, Posting, Pouring,
    Spend, Taken, Volume,
};
pub use event::Event;
pub use key::{Fingerprint, PaymentKey};
pub use memory::MemoryLedger;
pub use offers::SupersededOffer;
pub use record::{NewPayment, Record, State, StoredAnswer};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteLedger, SqliteOptions};
pub use store::{Advanced, Begin, Durability, Ledger, LedgerError, Twice};
pub use transition::{Commit, Illegal, Next, Step, step};
