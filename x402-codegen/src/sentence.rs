//! What a price says, in a sentence of our own words.

use x402_model::manifest::{BoundsEntry, EndpointEntry, Manifest, PriceEntry};
use x402_model::price::PriceModel;

/// What a call costs by one of its prices: the one that holds, or one that is announced.
///
/// ```
/// # use x402_model::manifest::Document;
/// # let text = include_bytes!("../tests/golden/example/manifest.json");
/// let document = Document::read(text)?;
/// let weather = &document.manifest().endpoints[0];
/// let sentence = x402_codegen::price_sentence(document.manifest(), weather, &weather.price);
/// assert_eq!(sentence, "Costs 0.001 USD a call.");
/// # Ok::<(), x402_model::manifest::ManifestError>(())
/// ```
#[must_use]
pub fn price_sentence(manifest: &Manifest, endpoint: &EndpointEntry, price: &PriceEntry) -> String {
    // Reading has refused a broken rule of a known model.
    let model = manifest.model_of(endpoint, price).unwrap_or_default();
    of(model.as_ref(), &price.bounds, &manifest.currency)
}

pub(crate) fn of(model: Option<&PriceModel>, bounds: &BoundsEntry, currency: &str) -> String {
    let (min, max) = (bounds.min.0.normalized(), bounds.max.0.normalized());
    match model {
        Some(PriceModel::Free) => "Free.".to_owned(),
        Some(PriceModel::Flat { .. }) => format!("Costs {max} {currency} a call."),
        Some(PriceModel::Tiered { .. }) => {
            format!("Costs {min} to {max} {currency} a call, by what is asked for.")
        }
        Some(PriceModel::Usage { .. }) => {
            format!("Costs at most {max} {currency} a call; what was used is charged.")
        }
        _ => format!("Costs {min} to {max} {currency} a call; the seller tells how much."),
    }
}
