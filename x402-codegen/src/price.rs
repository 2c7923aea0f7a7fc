//! The rule of a price as JSON, for languages that evaluate it themselves.

use serde_json::Value;
use x402_model::manifest::PriceEntry;

use crate::model::Pricing;

/// The price part of a manifest, with the defaults of the schemas written into the selectors; `None` for a model that is
/// not known.
pub(crate) fn rule(price: &Pricing) -> Option<Value> {
    let entry = PriceEntry::of(price.model.as_ref()?).ok()?;
    serde_json::to_value(entry).ok()
}
