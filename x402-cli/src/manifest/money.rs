//! Ways to pay and spans of time of a manifest, in words.

use x402_runtime::model::manifest::{Amount, AssetEntry, Period, RailEntry};
use x402_runtime::model::network::Network;

use crate::call::network_text;
use crate::shown;

/// Most characters of a name.
const NAME: usize = 80;

/// A network of a manifest for people.
fn network_of(asset: &AssetEntry) -> String {
    match Network::parse_any(&asset.network) {
        Ok(network) => network_text(&network),
        Err(_) => shown::line(&asset.network, NAME),
    }
}

/// `exact, USDC on Base (eip155:8453) to 0x…`.
pub(super) fn rail(rail: &RailEntry, asset: &AssetEntry) -> String {
    format!(
        "{}, {} on {} to {}",
        shown::line(&rail.scheme, NAME),
        shown::line(&asset.symbol, NAME),
        network_of(asset),
        shown::line(&rail.pay_to, NAME),
    )
}

pub(super) fn bounds(min: Amount, max: Amount, currency: &str) -> String {
    let (min, max) = (min.0.normalized(), max.0.normalized());
    if min == max {
        format!("{max} {currency}")
    } else {
        format!("{min} to {max} {currency}")
    }
}

/// `1 day`, `12 hours`, `90 seconds`: the largest unit of which it is a whole number.
pub(super) fn period(period: Period) -> String {
    let seconds = period.seconds;
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute")];
    let whole = |(length, _): &(u64, &str)| seconds > 0 && seconds.is_multiple_of(*length);
    let (length, unit) = units.into_iter().find(whole).unwrap_or((1, "second"));
    let count = seconds.checked_div(length).unwrap_or_default();
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_told_in_the_largest_whole_unit() {
        for (seconds, text) in [
            (86_400, "1 day"),
            (2_592_000, "30 days"),
            (129_600, "36 hours"),
            (60, "1 minute"),
            (90, "90 seconds"),
            (0, "0 seconds"),
        ] {
            assert_eq!(period(Period { seconds }), text);
        }
    }
}
