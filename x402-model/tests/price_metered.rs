//! Prices that are settled after the call, quoted by the seller, or offered to a request of which nothing is known.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

#[path = "support/prices.rs"]
#[allow(dead_code, reason = "shared")]
mod prices;

use std::borrow::Cow;

use prices::{amount, bands, cases, text, tiered, usd, with_body};
use x402_model::money::{AtomicAmount, Decimal};
use x402_model::price::{
    CaseValue, Combine, Due, Facts, Measure, Price, PriceModel, Quote, Rounding, Selector, Source,
    UsageUnit, evaluate,
};

/// The completion endpoint of the manifest's worked example.
fn completion() -> PriceModel {
    let unit = |id, amount, meter, estimate| UsageUnit {
        id: Cow::Borrowed(id),
        per: 1000,
        amount: usd(amount),
        meter: Selector::at(Source::ResponseBody, meter),
        estimate: Some(estimate),
    };
    let prompt = Selector::at(Source::Body, "/prompt")
        .measured(Measure::Chars)
        .divided_by(3);
    let most = Selector::at(Source::Body, "/maxOutputTokens").or(CaseValue::Integer(512));
    let model = PriceModel::Usage {
        base: Some(usd("0.0002")),
        units: Cow::Owned(vec![
            unit("inputTokens", "0.0005", "/usage/inputTokens", prompt),
            unit("outputTokens", "0.002", "/usage/outputTokens", most),
        ]),
        rounding: Rounding::UpToAtomic,
        headroom: "1.2".parse().unwrap(),
        ceiling: usd("0.02"),
    };
    assert_eq!(model.check(), Ok(()));
    model
}

fn ceiling(model: &PriceModel, facts: &Facts<'_>) -> String {
    match evaluate(model, facts, &[]) {
        Ok(Due::UpTo(ceiling)) => ceiling.on(6).unwrap().to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn metered_calls_are_signed_up_to_their_estimate() {
    let model = completion();
    let asked = r#"{"prompt":"Write a haiku about ledgers.","maxOutputTokens":64}"#;
    // (0.0002 + 28/3 × 0.0000005 + 64 × 0.000002) × 1.2 = 0.0003992: 399.2 units, and 400 hold it.
    assert_eq!(ceiling(&model, &with_body(asked)), "400");
    let much = r#"{"prompt":"x","maxOutputTokens":100000}"#;
    assert_eq!(
        ceiling(&model, &with_body(much)),
        "20000",
        "the ceiling of the model"
    );
    assert_eq!(
        ceiling(&model, &with_body(r#"{"prompt":""}"#)),
        "1469",
        "1468.8, by the default"
    );
    let negative = with_body(r#"{"prompt":"","maxOutputTokens":-1}"#);
    assert_eq!(
        evaluate(&model, &negative, &[]).unwrap_err().code(),
        "price_no_band"
    );
}

#[test]
fn metered_sums_are_rounded_once_and_capped() {
    let model = completion();
    let settled = |input, output, signed| {
        let quantities = [
            ("outputTokens", Decimal::new(output, 0)),
            ("inputTokens", Decimal::new(input, 0)),
        ];
        let signed = AtomicAmount::from_u128(signed);
        model.metered(&quantities, 6, signed).unwrap().to_string()
    };
    assert_eq!(
        settled(8, 60, 20_000),
        "324",
        "as the manifest's example says"
    );
    assert_eq!(settled(1, 0, 20_000), "201", "200.5, up");
    assert_eq!(settled(2, 0, 20_000), "201");
    assert_eq!(settled(8, 60, 300), "300", "no more than was signed");
    assert_eq!(settled(10_u128.pow(37), 10_u128.pow(37), 90_000), "20000");
    let facts = Facts::new().answer([], br#"{"usage":{"inputTokens":8,"outputTokens":60}}"#);
    let read = model.quantities(&facts).unwrap();
    let signed = AtomicAmount::from_u128(20_000);
    assert_eq!(model.metered(&read, 6, signed).unwrap().to_string(), "324");
    let short = Facts::new().answer([], br#"{"usage":{"inputTokens":8}}"#);
    let error = model.quantities(&short).unwrap_err();
    assert_eq!(
        (error.code(), error.is_of_the_request()),
        ("price_value_missing", false)
    );
    let none = model.metered(&[], 6, signed);
    assert_eq!(none.unwrap_err().code(), "price_missing_quantity");
    for id in ["inputTokens", "tokens"] {
        let one = Decimal::ONE;
        let wrong = [("inputTokens", one), ("outputTokens", one), (id, one)];
        assert_eq!(
            model.metered(&wrong, 6, signed).unwrap_err().code(),
            "price_unknown_quantity"
        );
    }
    assert_eq!(
        model.metered(&read, 1, signed).unwrap_err().code(),
        "price_inexact"
    );
    let flat = PriceModel::Flat { amount: usd("1") };
    assert_eq!(
        flat.metered(&[], 6, signed).unwrap_err().code(),
        "price_other_model"
    );
}

#[test]
fn estimates_that_tell_nothing_leave_the_ceiling() {
    let unit = |estimate| UsageUnit {
        id: Cow::Borrowed("pages"),
        per: 1,
        amount: usd("0.001"),
        meter: Selector::at(Source::ResponseHeader, "x-pages"),
        estimate,
    };
    let model = |estimate| PriceModel::Usage {
        base: None,
        units: Cow::Owned(vec![unit(estimate)]),
        rounding: Rounding::DownToAtomic,
        headroom: Decimal::ONE,
        ceiling: usd("0.02"),
    };
    assert_eq!(ceiling(&model(None), &Facts::new()), "20000");
    let estimated = model(Some(Selector::at(Source::Query, "pages")));
    assert_eq!(ceiling(&estimated, &Facts::new().query("pages=0")), "20000");
    assert_eq!(ceiling(&estimated, &Facts::new().query("pages=2")), "2000");
    let signed = AtomicAmount::from_u128(20_000);
    let half = [("pages", "0.0015".parse().unwrap())];
    assert_eq!(
        estimated.metered(&half, 6, signed).unwrap().to_string(),
        "1",
        "1.5, down"
    );
    let facts = Facts::new().answer([("X-Pages", b"7".as_slice())], b"");
    assert_eq!(
        estimated.quantities(&facts).unwrap(),
        [("pages", Decimal::new(7, 0))]
    );
}

#[test]
fn quotes_keep_their_bounds() {
    let model = PriceModel::Dynamic {
        min: Some(usd("0.01")),
        max: usd("0.1"),
        quote: Quote::Required402 { ttl_seconds: 60 },
        factors: Cow::Borrowed(&[]),
    };
    assert!(model.needs().quote);
    assert!(
        matches!(evaluate(&model, &Facts::new(), &[]), Ok(Due::Quoted(bounds)) if bounds == model.bounds())
    );
    for right in ["0.01", "0.05", "0.1"] {
        assert_eq!(model.quoted(usd(right)), Ok(usd(right)));
    }
    for wrong in ["0", "0.009999", "0.100001"] {
        assert_eq!(
            model.quoted(usd(wrong)).unwrap_err().code(),
            "price_out_of_bounds"
        );
    }
    let other: Price = "0.05 USDC".parse().unwrap();
    assert_eq!(model.quoted(other).unwrap_err().code(), "price_other_unit");
}

#[test]
fn a_bare_request_gets_the_price_of_the_example_or_the_most() {
    let quality = cases(
        Selector::at(Source::Body, "/quality"),
        [
            (text("fast"), amount("0.01")),
            (text("best"), amount("0.5")),
        ],
    );
    let model = tiered(vec![quality], Combine::Multiply, vec![]);
    assert_eq!(model.probe_price(None), Ok(usd("0.5")));
    let example = r#"{"body": {"quality": "fast"}}"#;
    assert_eq!(model.probe_price(Some(example)), Ok(usd("0.01")));
    let number = Selector::at(Source::Query, "a b");
    let number = bands(
        number,
        [(Some("3"), amount("0.01")), (None, amount("0.05"))],
    );
    let query = tiered(vec![number], Combine::Sum, vec![]);
    assert_eq!(
        query.probe_price(Some(r#"{"query": {"a b": 7}}"#)),
        Ok(usd("0.05"))
    );
    let missing = model.probe_price(Some(r#"{"body": {}}"#));
    assert_eq!(missing.unwrap_err().code(), "price_value_missing");
    for wrong in ["", "{", r#"{"x":1}"#, r#"{"path":{"a":[]}}"#] {
        assert_eq!(
            model.probe_price(Some(wrong)).unwrap_err().code(),
            "price_example"
        );
    }
    assert_eq!(
        completion().probe_price(Some("{}")).unwrap_err().code(),
        "price_body_not_json"
    );
    let asked = r#"{"body":{"prompt":"x"}}"#;
    assert_eq!(completion().probe_price(Some(asked)), Ok(usd("0.02")));
}
