//! What a request costs: each kind of selector and table, each refusal, and requests that mean two things at once.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first thing that is not as expected"
)]

#[path = "support/prices.rs"]
#[allow(dead_code, reason = "shared")]
mod prices;

use std::borrow::Cow;

use prices::{amount, bands, cases, factor, text, tiered, with_body};
use x402_model::money::Decimal;
use x402_model::price::{
    CaseValue, Combine, Due, Facts, Measure, PriceError, PriceModel, Rebate, RebateBand, RebateBy,
    Selector, Source, Volume, evaluate,
};

/// A price by one value of the request: "fast" or "best".
fn by_quality(by: Selector) -> PriceModel {
    let quality = cases(
        by,
        [
            (text("fast"), amount("0.01")),
            (text("best"), amount("0.5")),
        ],
    );
    tiered(vec![quality], Combine::Multiply, vec![])
}

fn by_size(by: Selector) -> PriceModel {
    let size = bands(
        by,
        [
            (Some("3"), amount("0.01")),
            (Some("10"), amount("0.05")),
            (None, amount("0.2")),
        ],
    );
    tiered(vec![size], Combine::Sum, vec![])
}

fn price(model: &PriceModel, facts: &Facts<'_>) -> Result<String, PriceError> {
    match evaluate(model, facts, &[])? {
        Due::Exact(price) => Ok(price.amount.to_string()),
        other => panic!("{other:?}"),
    }
}

fn code(model: &PriceModel, facts: &Facts<'_>) -> &'static str {
    let error = price(model, facts).unwrap_err();
    assert!(error.is_of_the_request(), "{error}");
    error.code()
}

const QUALITY: Selector = Selector::at(Source::Body, "/quality");

#[test]
fn cases_are_looked_up_in_every_part_of_a_request() {
    let best =
        |model: &PriceModel, facts: Facts<'_>| assert_eq!(price(model, &facts).unwrap(), "0.5");
    best(&by_quality(QUALITY), with_body(r#"{"quality":"best"}"#));
    best(
        &by_quality(QUALITY),
        with_body(r#" { "other": {"quality":"fast"}, "qu\u0061lity" : "b\u0065st" } "#),
    );
    best(
        &by_quality(Selector::at(Source::Body, "/a/b~1c/1/~0")),
        with_body(r#"{"a":{"b/c":[{}, {"~":"best"}]}}"#),
    );
    best(
        &by_quality(Selector::at(Source::Body, "")),
        with_body(r#""best""#),
    );
    best(
        &by_quality(Selector::at(Source::Path, "quality")),
        Facts::new()
            .capture("city", "fast")
            .capture("quality", "best"),
    );
    best(
        &by_quality(Selector::at(Source::Query, "q l")),
        Facts::new().query("x=fast&q+l=b%65st&ql=fast"),
    );
    best(
        &by_quality(Selector::at(Source::Header, "x-quality")),
        Facts::new().header("X-Quality", b"best".as_slice()),
    );
    let number = cases(
        Selector::at(Source::Body, "/n"),
        [
            (CaseValue::Integer(-1), amount("0.5")),
            (CaseValue::Integer(2), amount("1")),
        ],
    );
    let number = tiered(vec![number], Combine::Sum, vec![]);
    best(&number, with_body(r#"{"n":-1}"#));
    best(&number, with_body(r#"{"n":-1.0}"#));
    assert_eq!(price(&number, &with_body(r#"{"n":2}"#)).unwrap(), "1");
    let truth = cases(
        Selector::at(Source::Query, "full"),
        [
            (CaseValue::Bool(true), amount("0.5")),
            (CaseValue::Bool(false), amount("1")),
        ],
    );
    let truth = tiered(vec![truth], Combine::Sum, vec![]);
    best(&truth, Facts::new().query("full=true"));
    assert_eq!(
        code(&truth, &Facts::new().query("full=1")),
        "price_value_of_wrong_type"
    );
}

#[test]
fn bands_hold_their_upper_end() {
    let model = by_size(Selector::at(Source::Body, "/n"));
    for (number, amount) in [
        ("0", "0.01"),
        ("3", "0.01"),
        ("3.0", "0.01"),
        ("3.0000000000000000000000000000000001", "0.05"),
        ("10", "0.05"),
        ("99999999999999999999999999999999999999", "0.2"),
    ] {
        let body = format!(r#"{{"n":{number}}}"#);
        assert_eq!(
            price(&model, &with_body(&body)).unwrap(),
            amount,
            "{number}"
        );
    }
}

#[test]
fn counts_and_quotients() {
    let at = |measure| Selector::at(Source::Body, "/t").measured(measure);
    let of = |selector, body: &str| price(&by_size(selector), &with_body(body)).unwrap();
    assert_eq!(of(at(Measure::Chars), r#"{"t":"äöü"}"#), "0.01");
    assert_eq!(of(at(Measure::Bytes), r#"{"t":"äöü"}"#), "0.05");
    assert_eq!(of(at(Measure::Chars), r#"{"t":"\u00e4\n\\"}"#), "0.01");
    assert_eq!(of(at(Measure::Items), r#"{"t":[1,[2,3],{"a":4}]}"#), "0.01");
    assert_eq!(of(at(Measure::Items), r#"{"t":[]}"#), "0.01");
    let whole = Selector::at(Source::Body, "").measured(Measure::Bytes);
    assert_eq!(of(whole.clone(), "xyz"), "0.01");
    assert_eq!(of(whole, "wxyz"), "0.05");
    // 10 / 3 is above 3, without any rounding on the way.
    let third = |text: &str| {
        of(
            at(Measure::Chars).divided_by(3),
            &format!(r#"{{"t":"{text}"}}"#),
        )
    };
    assert_eq!(third("123456789"), "0.01");
    assert_eq!(third("1234567890"), "0.05");
}

#[test]
fn missing_values_take_the_default_or_are_refused() {
    let default = by_quality(QUALITY.or(text("fast")));
    for body in ["{}", r#"{"quality":null}"#] {
        assert_eq!(price(&default, &with_body(body)).unwrap(), "0.01", "{body}");
        assert_eq!(
            code(&by_quality(QUALITY), &with_body(body)),
            "price_value_missing"
        );
    }
    let items = Selector::at(Source::Body, "/list").measured(Measure::Items);
    let none = by_size(items.or(CaseValue::Integer(0)));
    assert_eq!(price(&none, &with_body("{}")).unwrap(), "0.01");
    let error = price(&by_quality(QUALITY), &with_body("{}")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`/quality` of the body is missing: the price depends on it, as a string"
    );
    for source in [Source::Path, Source::Query, Source::Header] {
        let model = by_quality(Selector::at(source, "quality"));
        assert_eq!(code(&model, &Facts::new()), "price_value_missing");
    }
}

/// A struct's derived reader takes an array as well, member by member: the handler would see "best".
#[test]
fn what_the_handler_may_still_read_is_not_missing() {
    let model = by_quality(QUALITY.or(text("fast")));
    for body in [r#"["best"]"#, r#""best""#, "1", "true"] {
        assert_eq!(
            code(&model, &with_body(body)),
            "price_value_of_wrong_type",
            "{body}"
        );
    }
    let deeper = by_quality(Selector::at(Source::Body, "/options/quality").or(text("fast")));
    let array = with_body(r#"{"options":["best"]}"#);
    assert_eq!(code(&deeper, &array), "price_value_of_wrong_type");
}

#[test]
fn values_given_twice_are_refused() {
    let default = || QUALITY.or(text("fast"));
    for body in [
        r#"{"quality":"fast","quality":"best"}"#,
        r#"{"quality":"fast","qualit\u0079":"fast"}"#,
        r#"{"quality":null,"quality":"best"}"#,
    ] {
        assert_eq!(
            code(&by_quality(default()), &with_body(body)),
            "price_value_repeated"
        );
    }
    let path = by_quality(Selector::at(Source::Body, "/a/quality"));
    let outer = with_body(r#"{"a":{"quality":"fast"},"a":{"quality":"best"}}"#);
    assert_eq!(code(&path, &outer), "price_value_repeated");
    let query = by_quality(Selector::at(Source::Query, "quality"));
    let twice = Facts::new().query("quality=fast&%71uality=best");
    assert_eq!(code(&query, &twice), "price_value_repeated");
    let header = by_quality(Selector::at(Source::Header, "quality"));
    let twice = Facts::new()
        .header("quality", b"fast".as_slice())
        .header("Quality", b"best".as_slice());
    assert_eq!(code(&header, &twice), "price_value_repeated");
}

#[test]
fn values_of_another_kind_are_refused() {
    for value in ["1", "true", "[]", "{}"] {
        let body = format!(r#"{{"quality":{value}}}"#);
        let model = by_quality(QUALITY);
        assert_eq!(
            code(&model, &with_body(&body)),
            "price_value_of_wrong_type",
            "{value}"
        );
    }
    for value in [r#""1""#, "true", "[1]", "{}"] {
        let body = format!(r#"{{"quality":{value}}}"#);
        assert_eq!(
            code(&by_size(QUALITY), &with_body(&body)),
            "price_value_of_wrong_type"
        );
    }
    for (measure, value) in [
        (Measure::Chars, "1"),
        (Measure::Bytes, "[]"),
        (Measure::Items, r#""abc""#),
        (Measure::Items, "{}"),
    ] {
        let body = format!(r#"{{"quality":{value}}}"#);
        let model = by_size(QUALITY.measured(measure));
        assert_eq!(code(&model, &with_body(&body)), "price_value_of_wrong_type");
    }
    let header = by_quality(Selector::at(Source::Header, "q"));
    let bytes = Facts::new().header("q", b"\xff".as_slice());
    assert_eq!(code(&header, &bytes), "price_value_of_wrong_type");
    let query = by_size(Selector::at(Source::Query, "n"));
    for text in ["", "abc", "+1", ".5"] {
        let raw = format!("n={}", text.replace('+', "%2B"));
        assert_eq!(
            code(&query, &Facts::new().query(raw)),
            "price_value_of_wrong_type",
            "{text}"
        );
    }
}

#[test]
fn numbers_that_readers_round_are_refused() {
    let model = by_size(Selector::at(Source::Body, "/n"));
    let long = "9".repeat(39);
    for number in [
        "1e2",
        "1E-2",
        "1.0e0",
        &long,
        &"1".repeat(5000),
        "0.000000000000000000000000000000000000001",
    ] {
        let body = format!(r#"{{"n":{number}}}"#);
        assert_eq!(
            code(&model, &with_body(&body)),
            "price_value_not_exact",
            "{number}"
        );
    }
    let query = by_size(Selector::at(Source::Query, "n"));
    for number in ["1e2", "007", "1.", "1_000"] {
        let raw = format!("n={number}");
        assert_eq!(
            code(&query, &Facts::new().query(raw)),
            "price_value_not_exact",
            "{number}"
        );
    }
}

#[test]
fn values_outside_the_tables_are_refused() {
    let error = price(&by_quality(QUALITY), &with_body(r#"{"quality":"Best"}"#)).unwrap_err();
    assert_eq!(error.code(), "price_no_case");
    assert_eq!(
        error.to_string(),
        "`/quality` of the body is `Best`, which has no price: it is one of \"fast\", \"best\""
    );
    let closed = bands(
        Selector::at(Source::Body, "/n"),
        [(Some("3"), amount("0.01")), (Some("10"), amount("0.05"))],
    );
    let closed = tiered(vec![closed], Combine::Sum, vec![]);
    let error = price(&closed, &with_body(r#"{"n":10.5}"#)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`/n` of the body is 10.5, which has no price: prices are for 0 to 10"
    );
    for number in ["-1", "-0.5", "11"] {
        let body = format!(r#"{{"n":{number}}}"#);
        assert_eq!(
            code(&closed, &with_body(&body)),
            "price_no_band",
            "{number}"
        );
    }
    assert_eq!(price(&closed, &with_body(r#"{"n":-0}"#)).unwrap(), "0.01");
}

#[test]
fn bodies_that_cannot_be_looked_into_are_refused() {
    let model = by_quality(QUALITY.or(text("fast")));
    for body in [
        "",
        "{",
        "{} {}",
        "nope",
        "\u{FEFF}{}",
        r#"{"quality":"\ud800"}"#,
    ] {
        assert_eq!(
            code(&model, &with_body(body)),
            "price_body_not_json",
            "{body}"
        );
    }
    let bytes = Facts::new().body(b"{\"quality\":\"\xff\"}".as_slice());
    assert_eq!(code(&model, &bytes), "price_body_not_json");
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    assert_eq!(code(&model, &with_body(&deep)), "price_body_too_deep");
    let error = price(&model, &Facts::new()).unwrap_err();
    assert_eq!(error.code(), "price_not_read");
    assert!(
        !error.is_of_the_request(),
        "whoever evaluates has to read the body"
    );
}

#[test]
fn dimensions_multiply_or_add() {
    let quality = || {
        cases(
            QUALITY,
            [
                (text("draft"), amount("0.002")),
                (text("deep"), amount("0.02")),
            ],
        )
    };
    let whole = || Selector::at(Source::Body, "").measured(Measure::Bytes);
    let size = bands(
        whole(),
        [(Some("18"), factor("1")), (Some("1000"), factor("3"))],
    );
    let product = tiered(vec![quality(), size], Combine::Multiply, vec![]);
    assert_eq!(
        price(&product, &with_body(r#"{"quality":"deep"}"#)).unwrap(),
        "0.02"
    );
    assert_eq!(
        price(&product, &with_body(r#"{"quality": "deep"}"#)).unwrap(),
        "0.06"
    );
    let surcharge = bands(whole(), [(Some("18"), amount("0")), (None, amount("0.1"))]);
    let sum = tiered(vec![quality(), surcharge], Combine::Sum, vec![]);
    assert_eq!(
        price(&sum, &with_body(r#"{"quality":"deep"}"#)).unwrap(),
        "0.02"
    );
    assert_eq!(
        price(&sum, &with_body(r#"{"quality": "deep"}"#)).unwrap(),
        "0.12"
    );
}

#[test]
fn rebates_count_what_was_bought_before() {
    let rebate = |by, end: &str| Rebate {
        by,
        window_seconds: 30 * 86_400,
        bands: Cow::Owned(vec![
            RebateBand {
                up_to: Some(end.parse().unwrap()),
                factor: Decimal::ONE,
            },
            RebateBand {
                up_to: None,
                factor: "0.5".parse().unwrap(),
            },
        ]),
    };
    let one = bands(
        Selector::at(Source::Body, "").measured(Measure::Bytes),
        [(None, amount("0.001"))],
    );
    let rebates = vec![
        rebate(RebateBy::Calls, "1000"),
        rebate(RebateBy::Spend, "2.5"),
    ];
    let model = tiered(vec![one], Combine::Multiply, rebates);
    assert!(
        model.needs().volume && !model.needs().body,
        "one band for all is not read"
    );
    let due = |calls, spend: &str| {
        let by_calls = Volume {
            calls,
            ..Volume::default()
        };
        let by_spend = Volume {
            calls: 0,
            spend: spend.parse().unwrap(),
        };
        match evaluate(&model, &with_body(""), &[by_calls, by_spend]) {
            Ok(Due::Exact(price)) => price.amount.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(due(0, "0"), "0.001");
    assert_eq!(due(999, "2.49"), "0.001", "the thousandth call");
    assert_eq!(due(1000, "0"), "0.0005", "the call after it");
    assert_eq!(due(0, "2.5"), "0.0005");
    assert_eq!(due(u64::MAX, "99999999"), "0.00025");
    assert_eq!(
        price(&model, &with_body("")).unwrap(),
        "0.001",
        "nothing known: nothing bought"
    );
}
