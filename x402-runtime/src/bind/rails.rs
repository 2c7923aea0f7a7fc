//! Turns rails into tokens that can be charged.

use x402_model::asset::{Asset, AssetTable};
use x402_model::endpoint::EndpointSpec;
use x402_model::price::PriceModel;

use crate::paywall::{Mistake, Rail, Tokens, rail_id};

/// The tokens of all usable rails, in order. A token stands once for each way in which it is accepted.
pub(super) fn resolve(rails: &[Rail], tokens: &Tokens, mistakes: &mut Vec<Mistake>) -> Vec<Asset> {
    let table = AssetTable::builtin();
    let mut assets: Vec<Asset> = Vec::new();
    for rail in rails {
        match token(rail, &table, tokens).and_then(|asset| usable(rail, asset, tokens, &assets)) {
            Ok(asset) => assets.push(asset),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if rails.is_empty() {
        mistakes.push(Mistake::NoRails);
    }
    assets
}

/// The token of a rail: from the table, from the seller, or, for one given by address only, from the chain.
fn token(rail: &Rail, table: &AssetTable, tokens: &Tokens) -> Result<Asset, Mistake> {
    match (rail.resolve(table), rail.address(table)) {
        (Some(asset), _) => Ok(asset),
        (None, Some(address)) => Ok(tokens.describe(rail, address)?),
        (None, None) => Err(unknown(rail, table)),
    }
}

fn unknown(rail: &Rail, table: &AssetTable) -> Mistake {
    let known: Vec<String> = table.on(rail.network()).map(rail_id).collect();
    let known = if known.is_empty() {
        format!("no token of {} is built in", rail.network())
    } else {
        format!("built in is {}", known.join(", "))
    };
    Mistake::RailUnknown {
        rail: rail.to_string(),
        help: format!(
            "{known}; give another token's address in place of its symbol, or describe it with `Rail::custom(Asset {{ … }})`"
        ),
    }
}

/// The token, complete, if it keeps the rules of the table and is not there yet.
fn usable(rail: &Rail, asset: Asset, tokens: &Tokens, others: &[Asset]) -> Result<Asset, Mistake> {
    let asset = tokens.complete(asset);
    let same = |other: &Asset| {
        let symbols = other.symbol.eq_ignore_ascii_case(&asset.symbol);
        other.network == asset.network
            && if other.address == asset.address {
                // Once for each way, and by one name.
                other.transfer == asset.transfer || !symbols
            } else {
                symbols
            }
    };
    if others.iter().any(same) {
        return Err(Mistake::RailTwice {
            rail: rail.to_string(),
        });
    }
    // The built-in table keeps these rules; a seller's own token may not.
    match AssetTable::empty().with_asset(asset.clone()) {
        Ok(_) => Ok(asset),
        Err(error) => Err(Mistake::RailInvalid {
            rail: rail.to_string(),
            reason: error.to_string(),
        }),
    }
}

/// The tokens an endpoint may be paid in: those it names, or all.
pub(super) fn of_endpoint(
    spec: &EndpointSpec,
    accepted: &[Rail],
    assets: &[Asset],
    mistakes: &mut Vec<Mistake>,
) -> Vec<Asset> {
    let mut wanted: Vec<Asset> = Vec::new();
    if spec.rails.is_empty() {
        wanted.extend(assets.iter().cloned());
    }
    for text in spec.rails {
        let rail = Rail::parse(text).ok();
        let named = |asset: &&Asset| rail.as_ref().is_some_and(|rail| rail.names(asset));
        if !assets.iter().any(|asset| named(&asset)) {
            mistakes.push(Mistake::RailNotAccepted {
                endpoint: spec.id.to_owned(),
                rail: (*text).to_owned(),
                help: not_accepted(text, accepted),
            });
        }
        let new = assets.iter().filter(named);
        let new: Vec<Asset> = new
            .filter(|asset| !wanted.contains(asset))
            .cloned()
            .collect();
        wanted.extend(new);
    }
    if matches!(spec.price, PriceModel::Usage { .. }) {
        // There is one way to pay what is metered, whichever ways the token has besides.
        let mut once: Vec<Asset> = Vec::new();
        for asset in wanted {
            let same =
                |other: &Asset| (&other.network, other.address) == (&asset.network, asset.address);
            if !once.iter().any(same) {
                once.push(asset);
            }
        }
        return once;
    }
    wanted
}

fn not_accepted(text: &str, accepted: &[Rail]) -> String {
    let accepted: Vec<String> = accepted.iter().map(Rail::to_string).collect();
    let near = accepted
        .iter()
        .map(|rail| {
            (
                strsim::damerau_levenshtein(&rail.to_lowercase(), &text.to_lowercase()),
                rail,
            )
        })
        .filter(|(distance, _)| *distance <= 3)
        .min();
    match near {
        Some((_, rail)) => format!("did you mean `{rail}`?"),
        None if accepted.is_empty() => "it accepts none".to_owned(),
        None => format!("it accepts {}", accepted.join(", ")),
    }
}
