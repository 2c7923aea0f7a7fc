//! Whether buyers can know what they need in time: warnings about what endpoints say will change, and in which unit.

use x402_model::endpoint::{MIN_PRICE_DAYS, MIN_SUNSET_DAYS, class_of_change};
use x402_model::extension::timestamp::print_seconds;

use super::warning::Warning;
use crate::bind::BoundEndpoint;
use crate::manifest::currency;

/// What is probably not meant, at this time, in a manifest that was issued at that one.
pub(super) fn warnings(
    endpoint: &BoundEndpoint,
    now_seconds: u64,
    issued_seconds: Option<u64>,
) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = sunset(endpoint, now_seconds).into_iter().collect();
    warnings.extend(prices(endpoint, now_seconds, issued_seconds));
    warnings.extend(unit(endpoint));
    warnings
}

/// Prices that no manifest in dollars can tell.
fn unit(endpoint: &BoundEndpoint) -> Option<Warning> {
    let symbol = endpoint.assets().first()?.symbol.to_string();
    (!currency::in_dollars(endpoint)).then(|| Warning::NoDollar {
        endpoint: endpoint.id().to_owned(),
        symbol,
    })
}

fn sunset(endpoint: &BoundEndpoint, now_seconds: u64) -> Option<Warning> {
    let deprecation = endpoint.spec().lifecycle.deprecation?;
    let (sunset, days) = (deprecation.sunset?, deprecation.notice_days()?);
    let endpoint = endpoint.id().to_owned();
    if sunset <= now_seconds {
        let sunset = print_seconds(sunset);
        return Some(Warning::SunsetPassed { endpoint, sunset });
    }
    (days < MIN_SUNSET_DAYS).then_some(Warning::SunsetSoon { endpoint, days })
}

/// Prices to come that are not lower, and that nobody could know of for long.
fn prices(
    endpoint: &BoundEndpoint,
    now_seconds: u64,
    issued_seconds: Option<u64>,
) -> impl Iterator<Item = Warning> {
    let spec = endpoint.spec();
    let to_come = spec.lifecycle.scheduled.iter();
    let mut before = &spec.price;
    to_come
        .filter(move |next| next.from > now_seconds)
        .filter_map(move |next| {
            let class = class_of_change(before, &next.price);
            before = &next.price;
            let known = next.announced.or(issued_seconds).unwrap_or(now_seconds);
            let days = next.notice_days(known);
            let soon = class != "price-decrease" && days < MIN_PRICE_DAYS;
            soon.then(|| Warning::PriceSoon {
                endpoint: endpoint.id().to_owned(),
                from: print_seconds(next.from),
                days,
            })
        })
}
