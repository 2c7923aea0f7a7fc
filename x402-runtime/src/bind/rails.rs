//! Turns rails into tokens that can be charged.

use x402_model::asset::{Asset, AssetTable};
use x402_model::endpoint::EndpointSpec;

use crate::paywall::{Mistake, Rail, rail_id};

/// The tokens of all usable rails, in order.
pub(super) fn resolve(rails: &[Rail], mistakes: &mut Vec<Mistake>) -> Vec<Asset> {
    let table = AssetTable::builtin();
    let mut assets: Vec<Asset> = Vec::new();
    for rail in rails {
        let Some(asset) = rail.resolve(&table) else {
            mistakes.push(unknown(rail, &table));
            continue;
        };
        let same = |other: &Asset| {
            other.network == asset.network
                && (other.address == asset.address
                    || other.symbol.eq_ignore_ascii_case(&asset.symbol))
        };
        if assets.iter().any(same) {
            mistakes.push(Mistake::RailTwice {
                rail: rail.to_string(),
            });
        } else if let Some(mistake) = unusable(rail, &asset) {
            mistakes.push(mistake);
        } else {
            assets.push(asset);
        }
    }
    if rails.is_empty() {
        mistakes.push(Mistake::NoRails);
    }
    assets
}

fn unknown(rail: &Rail, table: &AssetTable) -> Mistake {
    let known: Vec<String> = table.on(rail.network()).map(rail_id).collect();
    let help = if known.is_empty() {
        format!(
            "no token of {} is built in; describe it with `Rail::custom(Asset {{ … }})`",
            rail.network()
        )
    } else {
        format!(
            "built in is {}; describe another token with `Rail::custom(Asset {{ … }})`",
            known.join(", ")
        )
    };
    Mistake::RailUnknown {
        rail: rail.to_string(),
        help,
    }
}

fn unusable(rail: &Rail, asset: &Asset) -> Option<Mistake> {
    // The built-in table keeps these rules; a seller's own token may not.
    let checked = rail
        .is_custom()
        .then(|| AssetTable::empty().with_asset(asset.clone()))?;
    let reason = checked.err()?.to_string();
    Some(Mistake::RailInvalid {
        rail: rail.to_string(),
        reason,
    })
}

/// The tokens an endpoint may be paid in: those it names, or all.
pub(super) fn of_endpoint(
    spec: &EndpointSpec,
    accepted: &[Rail],
    assets: &[Asset],
    mistakes: &mut Vec<Mistake>,
) -> Vec<Asset> {
    if spec.rails.is_empty() {
        return assets.to_vec();
    }
    let mut wanted = Vec::new();
    for text in spec.rails {
        let found = Rail::parse(text)
            .ok()
            .and_then(|rail| assets.iter().find(|asset| rail.names(asset)));
        match found {
            Some(asset) => wanted.push(asset.clone()),
            None => mistakes.push(Mistake::RailNotAccepted {
                endpoint: spec.id.to_owned(),
                rail: (*text).to_owned(),
                help: not_accepted(text, accepted),
            }),
        }
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
