//! What a payer bought before, as far as a price looks at it.

use alloy_primitives::Address;
use x402_model::money::Decimal;
use x402_model::price::{PriceModel, Rebate, Volume};

use crate::bind::BoundEndpoint;
use crate::gate::Gate;
use crate::ledger::{LedgerError, Volume as Bought};

fn rebates(model: &PriceModel) -> &[Rebate] {
    match model {
        PriceModel::Tiered { rebates, .. } => rebates,
        _ => &[],
    }
}

fn window_ms(rebate: &Rebate) -> u64 {
    rebate.window_seconds.saturating_mul(1000)
}

/// How long a price looks back at most; `None` if it does not.
pub(crate) fn longest_window_ms(model: &PriceModel) -> Option<u64> {
    rebates(model).iter().map(window_ms).max()
}

/// What a payer bought within the window of each rebate of an endpoint. A payment counts for exactly as long as the window
/// after it was presented.
pub(super) async fn of(gate: &Gate, payer: Address) -> Result<Vec<Volume>, LedgerError> {
    let now_ms = gate.core.clock.now_ms();
    let books = gate.core.ledger.accounts();
    let mut volumes = Vec::new();
    for rebate in rebates(&gate.endpoint.spec().price) {
        let from = now_ms.saturating_sub(window_ms(rebate)).saturating_add(1);
        // Without an end: another process may be ahead by its clock.
        let bought = books.volume(payer, gate.endpoint.id(), from..u64::MAX);
        volumes.push(in_unit(&gate.endpoint, &bought.await?)?);
    }
    Ok(volumes)
}

/// Money counts as far as it was paid in tokens that may pay the price.
fn in_unit(endpoint: &BoundEndpoint, bought: &Bought) -> Result<Volume, LedgerError> {
    let mut volume = Volume {
        calls: bought.calls,
        spend: Decimal::ZERO,
    };
    for paid in &bought.spend {
        let mut assets = endpoint.assets().iter();
        let known =
            assets.find(|asset| asset.network == paid.network && asset.address == paid.asset);
        if let Some(asset) = known {
            let amount = paid.amount.to_decimal(asset.decimals).parse().ok();
            volume.spend = amount
                .and_then(|amount| volume.spend.checked_add(amount))
                .ok_or_else(|| LedgerError::Store("a sum is too large".to_owned()))?;
        }
    }
    Ok(volume)
}
