//! The currency of a manifest, and which endpoints it can tell: a manifest counts in one.

use x402_model::asset::Asset;

use crate::bind::BoundEndpoint;

/// Dollars, which tokens stand for that say so.
const DOLLARS: &str = "USD";
/// No currency (ISO 4217): amounts are those of the token, whatever it is worth.
const NONE: &str = "XXX";

/// Whether a price is one in dollars.
pub(crate) fn in_dollars(endpoint: &BoundEndpoint) -> bool {
    endpoint.assets().iter().all(|asset| asset.usd_pegged)
}

/// The currency, and the endpoints that are priced in it. A price in another token, told as one in dollars, would be another price.
pub(crate) fn of(endpoints: &[BoundEndpoint]) -> (&'static str, Vec<BoundEndpoint>) {
    if endpoints.iter().any(in_dollars) {
        let told = endpoints.iter().filter(|one| in_dollars(one));
        return (DOLLARS, told.cloned().collect());
    }
    let symbol = |endpoint: &BoundEndpoint| -> Option<String> {
        let first: Option<&Asset> = endpoint.assets().first();
        first.map(|asset| asset.symbol.to_ascii_uppercase())
    };
    let first = endpoints.first().and_then(symbol);
    let told = endpoints.iter().filter(|one| symbol(one) == first);
    (NONE, told.cloned().collect())
}
