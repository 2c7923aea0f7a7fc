//! Warns of prices that cost more to settle than they earn.
//!
//! What settling costs is known where the facilitator pays the gas itself: gas of the way in which a rail is paid, times what a unit
//! costs when the paywall starts. It is compared in US dollars, at the price of the network's coin that the seller gave; a price
//! feed would be one more party to trust, and a start-up warning needs no precision. The data fee that some roll-ups add is not
//! counted.

use std::time::Duration;

use alloy_primitives::U256;
use futures_util::future::join_all;
use tokio::time::timeout;
use x402_model::asset::Asset;
use x402_model::evm::EvmKind;
use x402_model::money::{AtomicAmount, Decimal};
use x402_model::network::Network;
use x402_model::price::{Price, PriceUnit};

use super::rail::rail_id;
use super::warning::Warning;
use crate::bind::{BoundEndpoint, is_main};
use crate::facilitator::{Facilitator, SettleCost};

/// Decimals of a network's coin.
const NATIVE_DECIMALS: u8 = 18;
/// Digits of a cost that are worth reading.
const DIGITS: usize = 4;

/// The price of a network's coin, such as `3000 USD`.
pub(crate) fn native_price(text: &str) -> Result<Price, String> {
    let price: Price = text.parse().map_err(|error| format!("{error}"))?;
    if price.unit == PriceUnit::Usd && !price.amount.is_zero() {
        Ok(price)
    } else {
        Err(format!(
            "`{text}` is no price of a coin: write US dollars, such as `3000 USD`"
        ))
    }
}

/// What one kind of settlement costs on one network.
struct Asked<'a> {
    network: &'a Network,
    kind: EvmKind,
    cost: Result<Option<SettleCost>, String>,
}

/// Looks at every price on every rail, asking for no longer than `time`.
pub(super) async fn look(
    facilitator: &dyn Facilitator,
    endpoints: &[BoundEndpoint],
    native: &[(Network, Decimal)],
    time: Duration,
) -> Vec<Warning> {
    let mut ways: Vec<(&Network, EvmKind)> = Vec::new();
    for terms in endpoints.iter().flat_map(BoundEndpoint::terms) {
        let way = (terms.network(), terms.kind());
        // Gas of test networks costs nothing that matters, unless the seller says what.
        let matters = is_main(way.0) || native.iter().any(|(network, _)| network == way.0);
        if matters && !ways.contains(&way) {
            ways.push(way);
        }
    }
    let asked = join_all(ways.into_iter().map(|(network, kind)| async move {
        let cost = match timeout(time, facilitator.settle_cost(network, kind)).await {
            Ok(cost) => cost.map_err(|error| error.to_string()),
            Err(_) => Err("the chain gave no answer in time".to_owned()),
        };
        Asked {
            network,
            kind,
            cost,
        }
    }))
    .await;
    let mut warnings = Vec::new();
    for one in &asked {
        let native = native.iter().find(|(network, _)| network == one.network);
        one.warn(endpoints, native.map(|(_, price)| *price), &mut warnings);
    }
    warnings
}

impl Asked<'_> {
    fn warn(
        &self,
        endpoints: &[BoundEndpoint],
        native: Option<Decimal>,
        warnings: &mut Vec<Warning>,
    ) {
        let paid = endpoints.iter().flat_map(|endpoint| {
            let terms = endpoint.terms().iter();
            let mine =
                terms.filter(|terms| terms.network() == self.network && terms.kind() == self.kind);
            mine.map(move |terms| (endpoint, terms.asset()))
        });
        let mut paid = paid.peekable();
        let Some((_, first)) = paid.peek() else {
            return;
        };
        let rail = rail_id(first);
        match (&self.cost, native) {
            (Ok(None), _) => {}
            (Ok(Some(cost)), Some(native)) => {
                warnings.extend(
                    paid.filter_map(|(endpoint, asset)| loss(endpoint, asset, *cost, native)),
                );
            }
            (Ok(Some(cost)), None) => warnings.push(Warning::CostUncompared {
                rail,
                network: self.network.to_string(),
                gas: cost.gas,
                wei_per_gas: cost.wei_per_gas,
            }),
            (Err(reason), _) => warnings.push(Warning::CostUnread {
                rail,
                reason: reason.clone(),
            }),
        }
    }
}

/// The warning about an endpoint on one rail. Tokens that are not worth a dollar cannot be compared.
fn loss(
    endpoint: &BoundEndpoint,
    asset: &Asset,
    cost: SettleCost,
    native: Decimal,
) -> Option<Warning> {
    if !asset.usd_pegged {
        return None;
    }
    let least = endpoint.spec().price.bounds().min.amount;
    let least = if least.is_zero() {
        endpoint.price().amount
    } else {
        least
    };
    let earned = asset.to_atomic(least).ok()?;
    let spent = Spent::new(cost, native)?;
    spent
        .exceeds(earned, asset.decimals)?
        .then(|| Warning::Loss {
            endpoint: endpoint.id().to_owned(),
            rail: rail_id(asset),
            price: format!("{} {}", earned.to_decimal(asset.decimals), asset.symbol),
            cost: spent.text(),
            gas: cost.gas,
            wei_per_gas: cost.wei_per_gas,
        })
}

/// An exact amount of US dollars: `units` with `scale` decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spent {
    units: U256,
    scale: u8,
}

impl Spent {
    fn new(cost: SettleCost, native: Decimal) -> Option<Self> {
        let wei = U256::from(cost.gas).checked_mul(U256::from(cost.wei_per_gas))?;
        Some(Self {
            units: wei.checked_mul(U256::from(native.mantissa()))?,
            scale: native.scale().checked_add(NATIVE_DECIMALS)?,
        })
    }

    /// Whether it is more than an amount of a token that is worth a dollar. `None` for sums that nobody has.
    fn exceeds(self, earned: AtomicAmount, decimals: u8) -> Option<bool> {
        let ten = |power: u8| U256::from(10).checked_pow(U256::from(power));
        let spent = self.units.checked_mul(ten(decimals)?)?;
        let earned = earned.get().checked_mul(ten(self.scale)?)?;
        Some(spent > earned)
    }

    /// The first digits that are not zero.
    fn text(self) -> String {
        let exact = AtomicAmount::new(self.units).to_decimal(self.scale);
        let Some((whole, fraction)) = exact.split_once('.') else {
            return exact;
        };
        let zeros = if whole == "0" {
            fraction.len() - fraction.trim_start_matches('0').len()
        } else {
            0
        };
        let kept: String = fraction.chars().take(zeros + DIGITS).collect();
        format!("{whole}.{kept}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(gas: u64, wei_per_gas: u128, native: &str) -> Spent {
        let cost = SettleCost { gas, wei_per_gas };
        Spent::new(cost, native_price(native).unwrap().amount).unwrap()
    }

    /// The figures of the table in the security notes: a lone settlement at three gas prices, ether at 3,000 dollars.
    #[test]
    fn costs_are_those_of_the_table() {
        for (wei, cost) in [
            (5_000_000, "0.001286"),
            (20_000_000, "0.005145"),
            (100_000_000, "0.02572"),
        ] {
            assert_eq!(spent(85_752, wei, "3000 USD").text(), cost);
        }
        assert_eq!(
            spent(1_000_000, 1_000_000_000_000, "3000 USD").text(),
            "3000"
        );
    }

    #[test]
    fn a_price_is_a_loss_from_the_first_unit_on_that_is_missing() {
        // 100,000 gas at 10 gwei and 1 USD for a coin: 0.001 USD.
        let spent = spent(100_000, 10_000_000_000, "1 USD");
        for (units, decimals, is_loss) in [
            (1_000_u128, 6, false),
            (999, 6, true),
            (1_000_000_000_000_000, 18, false),
            (999_999_999_999_999, 18, true),
        ] {
            let earned = AtomicAmount::from_u128(units);
            assert_eq!(spent.exceeds(earned, decimals), Some(is_loss), "{units}");
        }
        assert_eq!(spent.exceeds(AtomicAmount::new(U256::MAX), 6), None);
    }

    #[test]
    fn a_price_of_a_coin_is_in_dollars_and_more_than_nothing() {
        assert!(native_price("0.31 USD").is_ok());
        for wrong in ["3000", "$3000", "3000 EUR", "0 USD", "-1 USD", ""] {
            assert!(native_price(wrong).is_err(), "{wrong}");
        }
    }
}
