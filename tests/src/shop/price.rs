//! What a request costs, by its manifest.

use alloy_primitives::U256;
use x402_model::manifest::{AssetEntry, EndpointEntry, Manifest};
use x402_model::money::{AtomicAmount, Decimal};
use x402_model::price::{Ceiling, Due, Facts, PriceModel, evaluate};

use super::Quote;

/// What is due for one request.
pub(super) enum Cost {
    Nothing,
    Exactly(Decimal),
    UpTo(Box<Ceiling>),
    /// The smallest unit more than this.
    Above(Decimal),
}

/// The price of a request, and what could be known of it before.
pub(super) struct Priced {
    pub(super) quote: Quote,
    pub(super) cost: Cost,
    pub(super) model: Option<PriceModel>,
}

impl Priced {
    pub(super) fn of(
        manifest: &Manifest,
        endpoint: &EndpointEntry,
        facts: &Facts<'_>,
    ) -> Result<Self, String> {
        let model = manifest.price_model(endpoint)?;
        let due = model.as_ref().map(|model| evaluate(model, facts, &[]));
        let quote = |kind: &str, least: Option<Decimal>, most: Decimal| Quote {
            kind: kind.to_owned(),
            least: least.map(|least| least.normalized().to_string()),
            most: Some(most.normalized().to_string()),
        };
        let (quote, cost) = match due.transpose().map_err(|error| error.to_string())? {
            Some(Due::Exact(price)) if price.amount.is_zero() => {
                (quote("exact", None, price.amount), Cost::Nothing)
            }
            Some(Due::Exact(price)) => (
                quote("exact", None, price.amount),
                Cost::Exactly(price.amount),
            ),
            Some(Due::UpTo(ceiling)) => {
                let decimals = manifest.assets.values().map(|asset| asset.decimals).min();
                let decimals = decimals.unwrap_or_default();
                let most = ceiling.on(decimals).map_err(|error| error.to_string())?;
                let most = most.to_decimal(decimals).parse().expect("a decimal");
                (quote("up-to", None, most), Cost::UpTo(Box::new(ceiling)))
            }
            // The seller decides, within what it has promised.
            Some(_) | None => {
                let bounds = &endpoint.price.bounds;
                let (min, max) = (bounds.min.0, bounds.max.0);
                (
                    quote("within", Some(min), max),
                    Cost::Exactly(middle(min, max)),
                )
            }
        };
        Ok(Self { quote, cost, model })
    }
}

impl Cost {
    /// The amount that is asked for in a token; none for a call that is free.
    pub(super) fn on(&self, asset: &AssetEntry) -> Result<Option<AtomicAmount>, String> {
        let one = asset
            .usd_peg
            .is_none_or(|peg| peg.0.normalized() == Decimal::ONE);
        if !one {
            return Err("only tokens that stand for one of the currency are known here".to_owned());
        }
        let amount = match self {
            Self::Nothing => return Ok(None),
            Self::Exactly(amount) => amount.to_atomic(asset.decimals).map_err(|e| e.to_string()),
            Self::Above(most) => most
                .to_atomic(asset.decimals)
                .map(more)
                .map_err(|e| e.to_string()),
            Self::UpTo(ceiling) => ceiling.on(asset.decimals).map_err(|e| e.to_string()),
        };
        amount.map(Some)
    }
}

fn more(amount: AtomicAmount) -> AtomicAmount {
    AtomicAmount::new(amount.get() + U256::ONE)
}

/// A price between two.
fn middle(min: Decimal, max: Decimal) -> Decimal {
    let [min, max] = [min, max].map(|amount| amount.to_atomic(6).expect("a price").get());
    let middle = AtomicAmount::new((min + max) / U256::from(2));
    middle.to_decimal(6).parse().expect("a decimal")
}
