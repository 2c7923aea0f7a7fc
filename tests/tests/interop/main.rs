//! Real packages of others against the product and each other: every cell is a paid call on a real chain.
//!
//! `docs/interop.md` has the table. Nothing of theirs is in the repository: npm, pip and cargo fetch it into target/.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken expectation is a failed test"
)]

mod buyers;
mod facilitators;
mod install;
mod means;
mod permit2;
mod process;
mod sellers;
mod sides;
mod stage;
mod table;
mod through_permit2;
mod verdicts;

use install::Tools;
use table::Table;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_pair_of_buyer_and_seller_pays_the_price_exactly_once() {
    let tools = Tools::fetch();
    let (ours, theirs, settled) = tokio::join!(
        sides::marketplace(&tools),
        sides::stalls(&tools),
        sides::providers(&tools),
    );
    Table([ours, theirs, settled].into_iter().flatten().collect()).close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_pair_pays_through_permit2_what_was_due_exactly_once() {
    let tools = Tools::fetch();
    let (ours, theirs, settled) = tokio::join!(
        through_permit2::marketplace(&tools),
        through_permit2::stalls(&tools),
        through_permit2::providers(&tools),
    );
    Table([ours, theirs, settled].into_iter().flatten().collect()).close();
}
