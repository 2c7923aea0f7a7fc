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
//! [`MemoryLedger`] is for tests and trials.

mod event;
mod key;
mod memory;
mod offers;
mod record;
mod store;
mod transition;

pub use event::Event;
pub use key::{Fingerprint, PaymentKey};
pub use memory::MemoryLedger;
pub use offers::SupersededOffer;
pub use record::{NewPayment, Record, State, StoredAnswer};
pub use store::{Advanced, Begin, Durability, Ledger, LedgerError};
pub use transition::{Commit, Illegal, Next, Step, step};
