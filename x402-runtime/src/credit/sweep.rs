//! Holds whose call is gone: released, so that the credit is the buyer's again.

use crate::gate::{Core, credit_lease_ms};
use crate::ledger::{LedgerError, Posting, State};

use super::rail::key_of;

/// Holds looked at in one go.
const BATCH: usize = 64;

/// Releases holds of calls that have no record any more: their process died, or their record ended without them. Whoever might
/// still run such a call cannot store its answer without a record, so nothing is captured and nothing is shown for it.
///
/// So are holds of calls for which nothing turned out to be due.
///
/// A record outlives its call's lease, and a hold is made after its record; so a hold that is older than a lease and has no
/// record never gets one.
pub(crate) async fn sweep(core: &Core) -> Result<(), LedgerError> {
    let now_ms = core.clock.now_ms();
    let before_ms = now_ms.saturating_sub(credit_lease_ms(core));
    let books = core.ledger.accounts();
    for hold in books.open_holds(before_ms, BATCH).await? {
        let Some(key) = key_of(&hold.reference) else {
            continue;
        };
        let record = core.ledger.get(&key).await?;
        let gone = record.is_none_or(|record| {
            let nothing_due = record.state.is_paid() && record.amount.is_zero();
            record.state == State::Failed || nothing_due
        });
        if gone {
            books
                .post(&hold.reference, Posting::Release, now_ms)
                .await?;
        }
    }
    Ok(())
}
