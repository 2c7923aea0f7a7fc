//! The constant data that `#[paid]` emits.

use x402_runtime::model::endpoint::{DeprecationSpec, Method, PaymentIds};
use x402_runtime::model::money::Decimal;
use x402_runtime::model::price::{PriceModel, PriceUnit};
use x402_runtime::paid;

use crate::spec;

/// Current weather
/// for a city.
///
/// Measured every ten minutes.
///
/// # Errors
/// Nothing a buyer has to know.
#[paid(
    GET "/weather/{city}",
    price = "0.0100 USDC",
    id = "weather.v2",
    tags = ["weather", "real time"],
    mime_type = "application/geo+json",
    timeout = "90s",
    pay_to = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
    rails = ["base:USDC", "eip155:84532:usdc"],
)]
async fn weather() {}

/// The doc comment.
#[paid(
    price = "2 USD",
    summary = "One line",
    description = "Two\nlines",
    timeout = 10
)]
async fn unmounted() {}

/// What costs little.
#[paid(DELETE "/", price = "0.000001 USDC")]
async fn cheap() {}

#[paid(PATCH "/token", price = "3 GOLD", rails = ["base:GOLD"])]
async fn own_token() {}

#[paid(GET "/a", price = "1 USDC", payment_ids = "required")]
async fn with_ids() {}

#[paid(GET "/b", price = "1 USDC", payment_ids = "optional")]
async fn with_ids_or_without() {}

#[paid(GET "/c", price = "1 USDC", payment_ids = "off")]
async fn without_ids() {}

#[paid(
    GET "/old",
    price = "1 USDC",
    deprecated = since("2026-12-01", sunset = "2027-03-01T12:00:00+01:00", replacement = "weather.v2")
)]
async fn old() {}

#[paid(
    GET "/dearer",
    price = "1 USDC",
    rebate = volume("30d", 10 => "x0.5"),
    scheduled = [
        price("2 USDC", from = "2027-01-15", announced = "2026-12-20T09:00:00Z", reason = "Data costs more"),
        price(tiers(by = query.days, ..=3 => "2 USDC", ..=14 => "5 USDC"), from = "2027-02-15T12:00:00Z"),
    ],
)]
async fn dearer() {}

#[test]
fn scheduled_prices_have_the_rules_of_the_price() {
    let spec = spec(dearer);
    assert_eq!(spec.check(), []);
    let [first, second] = spec.lifecycle.scheduled else {
        panic!("two prices")
    };
    assert_eq!(
        (first.from, first.announced, first.reason),
        (1_799_971_200, Some(1_797_757_200), Some("Data costs more"))
    );
    assert_eq!((second.from, second.announced), (1_802_692_800, None));
    // The rebate holds for every price.
    let bounds = [first, second].map(|one| one.price.bounds());
    let [first, second] = bounds.map(|all| (all.min.to_string(), all.max.to_string()));
    assert_eq!(first, ("1.0 USDC".to_owned(), "2 USDC".to_owned()));
    assert_eq!(second, ("1.0 USDC".to_owned(), "5 USDC".to_owned()));
}

#[test]
fn a_deprecation_is_in_seconds() {
    let spec = spec(old);
    assert_eq!(spec.check(), []);
    let deprecation = DeprecationSpec {
        since: 1_796_083_200,
        sunset: Some(1_803_898_800),
        replacement: Some("weather.v2"),
    };
    assert_eq!(spec.lifecycle.deprecation, Some(deprecation));
}

#[test]
fn everything_written_is_kept() {
    let spec = spec(weather);
    assert_eq!(spec.check(), []);
    assert_eq!(spec.id, "weather.v2");
    let route = spec.route.expect("a route");
    assert_eq!((route.method, route.path), (Method::Get, "/weather/{city}"));
    let PriceModel::Flat { amount } = spec.price else {
        panic!("a flat price")
    };
    assert_eq!((amount.amount.mantissa(), amount.amount.scale()), (100, 4));
    assert_eq!(amount.unit.as_str(), "USDC");
    assert_eq!(spec.summary, "Current weather for a city.");
    assert_eq!(spec.description, "Measured every ten minutes.");
    assert_eq!(spec.tags, ["weather", "real time"]);
    assert_eq!(spec.mime_type, "application/geo+json");
    assert_eq!(spec.timeout_seconds, 90);
    assert_eq!(
        spec.pay_to,
        Some("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913")
    );
    assert_eq!(spec.rails, ["base:USDC", "eip155:84532:usdc"]);
}

#[test]
fn defaults_and_overrides() {
    let unmounted = spec(unmounted);
    assert_eq!(unmounted.check(), []);
    assert_eq!((unmounted.id, unmounted.route), ("unmounted", None));
    assert_eq!(
        (unmounted.summary, unmounted.description),
        ("One line", "Two\nlines")
    );
    assert_eq!((unmounted.timeout_seconds, unmounted.pay_to), (10, None));
    assert!(unmounted.tags.is_empty() && unmounted.rails.is_empty());
    let bounds = unmounted.price.bounds();
    assert_eq!(
        (bounds.min.amount, bounds.max.unit),
        (Decimal::new(2, 0), PriceUnit::Usd)
    );

    let ids = [
        spec(with_ids).payment_ids,
        spec(with_ids_or_without).payment_ids,
        spec(without_ids).payment_ids,
        unmounted.payment_ids,
    ];
    let written = PaymentIds::ALL.iter().rev().copied().map(Some);
    assert_eq!(ids.to_vec(), written.chain([None]).collect::<Vec<_>>());

    let cheap = spec(cheap);
    assert_eq!((cheap.check(), cheap.timeout_seconds), (vec![], 300));
    assert_eq!(cheap.price.bounds().max.to_string(), "0.000001 USDC");
    assert_eq!(spec(own_token).check(), []);
}
