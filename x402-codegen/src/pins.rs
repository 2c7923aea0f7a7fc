//! The ways to pay that a manifest names, as far as a client may believe them.

use x402_model::asset::{AssetTable, parse_address};
use x402_model::manifest::{AssetEntry, Manifest};
use x402_model::money::Decimal;
use x402_model::network::Network;

use crate::model::Pin;

/// The pins of a manifest; a warning for each rail that is none.
///
/// Clients count in the currency of the manifest, by the decimals and the peg of a pin. A wrong one would let a payment of any
/// height pass for the price, so what is known of a token here wins.
pub(crate) fn of(manifest: &Manifest, warnings: &mut Vec<String>) -> Vec<Pin> {
    let mut pins = Vec::with_capacity(manifest.rails.len());
    for (key, rail) in &manifest.rails {
        let Some(asset) = manifest.assets.get(&rail.asset) else {
            continue;
        };
        let peg = match peg(asset, &manifest.currency) {
            Ok(peg) => peg,
            Err(reason) => {
                warnings.push(format!("/rails/{key}: {reason}, so it is not paid by"));
                continue;
            }
        };
        pins.push(Pin {
            rail: key.clone(),
            scheme: rail.scheme.clone(),
            network: asset.network.clone(),
            asset: asset.address.clone(),
            symbol: asset.symbol.clone(),
            decimals: asset.decimals,
            peg,
            pay_to: rail.pay_to.clone(),
        });
    }
    pins
}

/// How much of the currency a token stands for: in dollars what is stated, in others one.
fn peg(asset: &AssetEntry, currency: &str) -> Result<Option<Decimal>, String> {
    let dollars = currency == "USD";
    let table = AssetTable::builtin();
    let network = Network::parse_any(&asset.network).ok();
    let address = parse_address(&asset.address).ok();
    let known = network
        .zip(address)
        .and_then(|(network, address)| table.get(&network, address));
    let stated = asset.usd_peg.map(|peg| peg.0);
    if let Some(known) = known {
        if known.decimals != asset.decimals {
            let (is, said) = (known.decimals, asset.decimals);
            return Err(format!("its token has {is} decimals, and not {said}"));
        }
        if dollars && known.usd_pegged && stated != Some(Decimal::ONE) {
            return Err("its token stands for one dollar, and it says otherwise".to_owned());
        }
        if known.usd_pegged != dollars {
            return Err(format!("its token does not stand for {currency}"));
        }
    }
    match (dollars, stated) {
        (true, Some(stated)) if !stated.is_zero() => Ok(Some(stated)),
        (false, None) => Ok(None),
        _ => Err(format!(
            "it does not say that its token stands for {currency}"
        )),
    }
}
