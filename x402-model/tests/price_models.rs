//! Price models as constants: bounds, and the contradictions that are found.

use std::borrow::Cow;

use x402_model::money::Decimal;
use x402_model::price::{
    Band, Bounds, Case, CaseValue, Charge, Combine, Dimension, DimensionTable, Measure, Price,
    PriceModel, PriceModelError, PriceUnit, Quote, Rebate, RebateBand, RebateBy, Rounding,
    Selector, Source, UsageUnit, tiered_bounds,
};

const fn usd(mantissa: u128, scale: u8) -> Price {
    Price {
        amount: Decimal::new(mantissa, scale),
        unit: PriceUnit::Usd,
    }
}

const fn case(value: &'static str, price: Price) -> Case {
    Case {
        equals: CaseValue::Text(Cow::Borrowed(value)),
        charge: Charge::Amount(price),
    }
}

const fn band(up_to: u128, factor: u128) -> Band {
    Band {
        up_to: Some(Decimal::new(up_to, 0)),
        charge: Charge::Factor(Decimal::new(factor, 0)),
    }
}

const CASES: &[Case] = &[
    case("draft", usd(2, 3)),
    case("standard", usd(5, 3)),
    case("deep", usd(2, 2)),
];
const BANDS: &[Band] = &[band(16_384, 1), band(131_072, 3), band(262_144, 6)];
const DIMENSIONS: &[Dimension] = &[
    Dimension {
        by: Selector::at(Source::Body, "/quality"),
        table: DimensionTable::Cases(Cow::Borrowed(CASES)),
    },
    Dimension {
        by: Selector::at(Source::Body, "").measured(Measure::Bytes),
        table: DimensionTable::Bands(Cow::Borrowed(BANDS)),
    },
];
const REBATES: &[Rebate] = &[Rebate {
    by: RebateBy::Calls,
    window_seconds: 30 * 86_400,
    bands: Cow::Borrowed(&[
        RebateBand {
            up_to: Some(Decimal::new(1000, 0)),
            factor: Decimal::ONE,
        },
        RebateBand {
            up_to: None,
            factor: Decimal::new(8, 1),
        },
    ]),
}];
const TIERED: PriceModel = PriceModel::Tiered {
    dimensions: Cow::Borrowed(DIMENSIONS),
    combine: Combine::Multiply,
    rebates: Cow::Borrowed(REBATES),
    bounds: Bounds {
        min: usd(16, 4),
        max: usd(12, 2),
    },
};
const UNITS: &[UsageUnit] = &[UsageUnit {
    id: Cow::Borrowed("outputTokens"),
    per: 1000,
    amount: usd(2, 3),
    meter: Selector::at(Source::ResponseBody, "/usage/outputTokens"),
    estimate: Some(Selector::at(Source::Body, "/maxOutputTokens")),
}];
const USAGE: PriceModel = PriceModel::Usage {
    base: Some(usd(2, 4)),
    units: Cow::Borrowed(UNITS),
    rounding: Rounding::UpToAtomic,
    headroom: Decimal::new(12, 1),
    ceiling: usd(2, 2),
};
const DYNAMIC: PriceModel = PriceModel::Dynamic {
    min: None,
    max: usd(5, 1),
    quote: Quote::Required402 { ttl_seconds: 60 },
    factors: Cow::Borrowed(&[Cow::Borrowed("length of the route")]),
};

#[test]
fn every_model_is_a_constant_with_bounds() {
    let shown = |model: &PriceModel| {
        assert_eq!(model.check(), Ok(()), "{}", model.name());
        let bounds = model.bounds();
        format!("{} {}..{}", model.name(), bounds.min, bounds.max)
    };
    assert_eq!(shown(&PriceModel::Free), "free 0 USD..0 USD");
    assert_eq!(
        shown(&PriceModel::Flat { amount: usd(1, 2) }),
        "flat 0.01 USD..0.01 USD"
    );
    assert_eq!(shown(&TIERED), "tiered 0.0016 USD..0.12 USD");
    assert_eq!(shown(&USAGE), "usage 0.0002 USD..0.02 USD");
    assert_eq!(shown(&DYNAMIC), "dynamic 0 USD..0.5 USD");
}

fn bounds_of(dimensions: &[Dimension], combine: Combine) -> Result<Bounds, PriceModelError> {
    tiered_bounds(dimensions, combine, &[])
}

fn by(source: Source, charges: Vec<Charge>) -> Dimension {
    let cases = (0..)
        .zip(charges)
        .map(|(n, charge)| Case {
            equals: CaseValue::Integer(n),
            charge,
        })
        .collect();
    Dimension {
        by: Selector::at(source, "x"),
        table: DimensionTable::Cases(cases),
    }
}

#[test]
fn sums_add_the_ends() {
    let dimension = || {
        by(
            Source::Query,
            vec![Charge::Amount(usd(1, 2)), Charge::Amount(usd(3, 0))],
        )
    };
    let bounds = bounds_of(&[dimension(), dimension()], Combine::Sum).unwrap();
    assert_eq!((bounds.min, bounds.max), (usd(2, 2), usd(6, 0)));
}

#[test]
fn contradictions_are_found() {
    use PriceModelError as E;
    let amounts = || by(Source::Query, vec![Charge::Amount(usd(1, 2))]);
    let factors = || by(Source::Query, vec![Charge::Factor(Decimal::ONE)]);
    assert!(matches!(bounds_of(&[], Combine::Sum), Err(E::Empty { .. })));
    assert!(matches!(
        bounds_of(&[by(Source::Query, vec![])], Combine::Sum),
        Err(E::Empty { .. })
    ));
    assert_eq!(
        bounds_of(&[amounts(), factors()], Combine::Sum),
        Err(E::FactorInSum)
    );
    assert_eq!(
        bounds_of(&[amounts(), amounts()], Combine::Multiply),
        Err(E::AmountDimensions { found: 2 })
    );
    assert_eq!(
        bounds_of(&[factors()], Combine::Multiply),
        Err(E::AmountDimensions { found: 0 })
    );
    let mixed = by(
        Source::Query,
        vec![Charge::Amount(usd(1, 2)), Charge::Factor(Decimal::ONE)],
    );
    assert_eq!(
        bounds_of(&[mixed], Combine::Multiply),
        Err(E::MixedDimension)
    );
    let other: Price = "1 USDC".parse().unwrap();
    let units = by(
        Source::Query,
        vec![Charge::Amount(usd(1, 2)), Charge::Amount(other)],
    );
    assert!(matches!(
        bounds_of(&[units], Combine::Sum),
        Err(E::MixedUnits { .. })
    ));
    let late = by(Source::ResponseBody, vec![Charge::Amount(usd(1, 2))]);
    assert_eq!(bounds_of(&[late], Combine::Sum), Err(E::LooksAtAnswer));
}

#[test]
fn bands_rise() {
    use PriceModelError as E;
    let open = Band {
        up_to: None,
        charge: Charge::Amount(usd(1, 2)),
    };
    for ends in [
        vec![band(2, 1), band(1, 1)],
        vec![open, band(2, 1)],
        vec![band(1, 1), band(1, 1)],
    ] {
        let bands = Dimension {
            by: Selector::at(Source::Body, ""),
            table: DimensionTable::Bands(ends.into()),
        };
        assert_eq!(bounds_of(&[bands], Combine::Sum), Err(E::BandOrder));
    }
}

#[test]
fn ends_are_in_order_and_of_one_unit() {
    use PriceModelError as E;
    let other: Price = "1 USDC".parse().unwrap();
    assert_eq!(
        PriceModel::Flat { amount: usd(0, 0) }.check(),
        Err(E::NeverCharges)
    );
    let dynamic = |min, max| PriceModel::Dynamic {
        min: Some(min),
        max,
        quote: Quote::Required402 { ttl_seconds: 60 },
        factors: Cow::Borrowed(&[]),
    };
    assert!(matches!(
        dynamic(usd(2, 0), usd(1, 0)).check(),
        Err(E::Reversed { .. })
    ));
    assert!(matches!(
        dynamic(other, usd(2, 0)).check(),
        Err(E::MixedUnits { .. })
    ));
    let PriceModel::Tiered {
        dimensions,
        combine,
        rebates,
        ..
    } = TIERED
    else {
        panic!()
    };
    let bounds = Bounds {
        min: usd(1, 3),
        max: usd(1, 0),
    };
    let wrong = PriceModel::Tiered {
        dimensions,
        combine,
        rebates,
        bounds,
    };
    assert_eq!(
        wrong.check(),
        Err(E::WrongBounds {
            right: Box::new(Bounds {
                min: usd(16, 4),
                max: usd(12, 2)
            })
        })
    );
}

#[test]
fn bounds_too_long_for_a_decimal_are_refused_not_rounded() {
    let long = Decimal::new(10_u128.pow(37) + 1, 30);
    let dimensions = [
        by(Source::Query, vec![Charge::Amount(usd(3, 2))]),
        by(Source::Query, vec![Charge::Factor(long)]),
    ];
    assert_eq!(
        bounds_of(&dimensions, Combine::Multiply),
        Ok(Bounds {
            min: Price {
                amount: Decimal::new(3 * (10_u128.pow(37) + 1), 32),
                unit: PriceUnit::Usd
            },
            max: Price {
                amount: Decimal::new(3 * (10_u128.pow(37) + 1), 32),
                unit: PriceUnit::Usd
            },
        })
    );
    let longer = by(Source::Query, vec![Charge::Factor(Decimal::new(77, 0))]);
    let [first, second] = dimensions;
    assert_eq!(
        bounds_of(&[first, second, longer], Combine::Multiply),
        Err(PriceModelError::TooManyDigits)
    );
}

#[test]
fn selectors_that_find_nothing_and_tiers_out_of_reach_are_found() {
    use PriceModelError as E;
    let one = |by: Selector, equals: CaseValue| {
        let case = Case {
            equals,
            charge: Charge::Amount(usd(1, 2)),
        };
        let dimension = Dimension {
            by,
            table: DimensionTable::Cases(vec![case].into()),
        };
        bounds_of(&[dimension], Combine::Sum).unwrap_err()
    };
    let text = || CaseValue::Text(Cow::Borrowed("a"));
    let header = |name| Selector::at(Source::Header, name);
    for by in [
        Selector::at(Source::Body, "quality"),
        Selector::at(Source::Body, "/a~2"),
        Selector::at(Source::Body, "/a~"),
        Selector::at(Source::Query, ""),
        header("Payment-Signature"),
        header("x-payment"),
        Selector::at(Source::Path, "a").measured(Measure::Items),
        Selector::at(Source::Body, "/a")
            .measured(Measure::Chars)
            .or(text()),
    ] {
        assert!(matches!(one(by, text()), E::Selector { .. }));
    }
    let counted = || Selector::at(Source::Query, "a").measured(Measure::Bytes);
    assert_eq!(one(counted(), text()), E::CountedText);
    let minus = CaseValue::Integer(-1);
    assert_eq!(one(counted(), minus), E::NegativeCount { value: -1 });
    let default = Selector::at(Source::Query, "a").or(CaseValue::Bool(true));
    assert!(matches!(
        one(default, text()),
        E::DefaultWithoutPrice { .. }
    ));
    let undivided = Selector::at(Source::Query, "a").divided_by(0);
    assert_eq!(
        one(undivided, text()),
        E::BelowOne {
            what: "`divide_by`"
        }
    );
}

#[test]
fn quotients_are_compared_with_values_and_counts_with_bands_that_hold_one() {
    use PriceModelError as E;
    // The default stands where the value would, so it is divided like it.
    let third = |default| {
        let by = Selector::at(Source::Query, "a").divided_by(3);
        let case = Case {
            equals: CaseValue::Integer(3),
            charge: Charge::Amount(usd(1, 2)),
        };
        let dimension = Dimension {
            by: by.or(CaseValue::Integer(default)),
            table: DimensionTable::Cases(vec![case].into()),
        };
        bounds_of(&[dimension], Combine::Sum).is_ok()
    };
    assert!(third(9) && !third(3));
    let bands = |ends: &[u128]| Dimension {
        by: Selector::at(Source::Query, "a")
            .measured(Measure::Bytes)
            .divided_by(2),
        table: DimensionTable::Bands(
            ends.iter()
                .map(|end| Band {
                    up_to: Some(Decimal::new(*end, 1)),
                    charge: Charge::Amount(usd(1, 2)),
                })
                .collect(),
        ),
    };
    assert!(
        bounds_of(&[bands(&[10, 15])], Combine::Sum).is_ok(),
        "two bytes, three bytes"
    );
    let none = bounds_of(&[bands(&[10, 14])], Combine::Sum);
    assert!(matches!(none, Err(E::EmptyBand { .. })));
}
