//! The reference package's money and network vectors, run by rule: what we accept has the reference's value, and what we
//! refuse on purpose is refused by a rule of ours that is listed here with its reason.

use serde_json::{Value, json};
use x402_model::money::{Decimal, DecimalFault, MoneyError};
use x402_model::network::Network;
use x402_model::price::{Price, PriceErrorCode, PriceUnit};

const VECTORS: &str = include_str!("data/money_and_networks.json");

/// Rules by which we refuse prices that the reference reads, and why.
const PRICE_DIFFERENCES: &[(PriceErrorCode, &str)] = &[
    (
        PriceErrorCode::CurrencyGlyph,
        "`$0.01` has two spellings in the reference; ours has one, `0.01 USD`",
    ),
    (
        PriceErrorCode::MissingUnit,
        "a bare number may be dollars, tokens or atomic units",
    ),
    (
        PriceErrorCode::Whitespace,
        "one spelling per price, so that literals can be compared and found",
    ),
    (
        PriceErrorCode::LeadingZeros,
        "one spelling per price, and `010` is another number to many readers",
    ),
    (
        PriceErrorCode::Zero,
        "a free route is declared free, never priced at zero",
    ),
    (
        PriceErrorCode::TooManyDigits,
        "amounts are exact, so their digits are bounded",
    ),
    (PriceErrorCode::TooLong, "literals are bounded"),
    (
        PriceErrorCode::BadUnit,
        "units are written like the symbols of tokens",
    ),
];

type PriceTest = fn(&Price) -> bool;

/// Prices that we read and the reference refuses, by what is in them, and why.
const WIDER_PRICES: &[(PriceTest, &str)] = &[(
    |price| price.unit.as_str().contains(['-', '\u{20AE}']),
    "tokens have such symbols on the chain",
)];

/// Rules by which we refuse conversions that the reference makes, and why.
const CONVERSION_DIFFERENCES: &[(ConversionRule, &str)] = &[
    (
        ConversionRule::SubAtomic,
        "the reference truncates, which can make a route free",
    ),
    (
        ConversionRule::Negative,
        "a negative amount has no meaning on a chain",
    ),
    (ConversionRule::Spelling, "one spelling per amount"),
    (
        ConversionRule::TooLarge,
        "an amount on a chain has at most 256 bits, a decimal at most 38 digits",
    ),
];

#[derive(Debug, PartialEq)]
enum ConversionRule {
    SubAtomic,
    Negative,
    Spelling,
    TooLarge,
    Other,
}

fn conversion_rule(error: &MoneyError) -> ConversionRule {
    use DecimalFault as F;
    match error {
        MoneyError::TooPrecise { .. } => ConversionRule::SubAtomic,
        MoneyError::Overflow { .. } => ConversionRule::TooLarge,
        MoneyError::Malformed { fault, .. } => match fault {
            F::Sign => ConversionRule::Negative,
            F::TooManyDigits => ConversionRule::TooLarge,
            F::Empty | F::Whitespace | F::LeadingDot | F::TrailingDot | F::LeadingZeros => {
                ConversionRule::Spelling
            }
            _ => ConversionRule::Other,
        },
        _ => ConversionRule::Other,
    }
}

/// What running one case showed.
#[derive(Debug, PartialEq)]
enum Outcome {
    Same,
    Differs(&'static str),
    Wrong(String),
}

fn same(is: bool, ours: impl std::fmt::Debug) -> Outcome {
    if is {
        Outcome::Same
    } else {
        Outcome::Wrong(format!("ours: {ours:?}"))
    }
}

fn accepted(expected: &Value) -> Option<&Value> {
    (expected.get("ok") == Some(&Value::Bool(true))).then(|| &expected["value"])
}

fn price_string(input: &str, expected: &Value) -> Outcome {
    match (input.parse::<Price>(), accepted(expected)) {
        (Ok(ours), Some(theirs)) => {
            let unit = match theirs.get("symbol").and_then(Value::as_str) {
                None => ours.unit == PriceUnit::Usd,
                Some(symbol) => ours.unit.as_str().to_uppercase() == symbol,
            };
            same(
                unit && theirs["amount"]
                    .as_str()
                    .is_some_and(|amount| amount.parse() == Ok(ours.amount)),
                ours,
            )
        }
        (Ok(ours), None) => WIDER_PRICES
            .iter()
            .find(|(wider, _)| wider(&ours))
            .map_or_else(
                || Outcome::Wrong(format!("the reference refuses what we read as {ours}")),
                |(_, why)| Outcome::Differs(why),
            ),
        (Err(_), None) => Outcome::Same,
        (Err(error), Some(_)) => PRICE_DIFFERENCES
            .iter()
            .find(|(code, _)| *code == error.code)
            .map_or_else(
                || Outcome::Wrong(error.to_string()),
                |(_, why)| Outcome::Differs(why),
            ),
    }
}

fn conversion(input: &Value, expected: &Value) -> Outcome {
    if input["amount"].is_number() {
        return Outcome::Differs("amounts are text: a JSON number has been a float somewhere");
    }
    let (Some(amount), Some(decimals)) = (input["amount"].as_str(), input["decimals"].as_u64())
    else {
        return Outcome::Wrong("no amount or decimals".to_owned());
    };
    let decimals = u8::try_from(decimals).unwrap_or(u8::MAX);
    let ours = amount
        .parse::<Decimal>()
        .and_then(|amount| amount.to_atomic(decimals));
    match (ours, accepted(expected)) {
        (Ok(ours), Some(theirs)) => same(theirs.as_str() == Some(&ours.to_string()), ours),
        (Ok(ours), None) => Outcome::Wrong(format!("the reference refuses what we make {ours}")),
        (Err(_), None) => Outcome::Same,
        (Err(error), Some(_)) => CONVERSION_DIFFERENCES
            .iter()
            .find(|(rule, _)| *rule == conversion_rule(&error))
            .map_or_else(
                || Outcome::Wrong(error.to_string()),
                |(_, why)| Outcome::Differs(why),
            ),
    }
}

fn pattern(input: &Value, expected: bool) -> Outcome {
    let (Some(pattern), Some(network)) = (input["pattern"].as_str(), input["network"].as_str())
    else {
        return Outcome::Wrong("no pattern or network".to_owned());
    };
    match network.parse::<Network>() {
        Ok(network) => same(network.matches(pattern) == expected, network),
        // A text that is no CAIP-2 name matches nothing of ours.
        Err(_) if !expected => Outcome::Same,
        Err(_) => Outcome::Differs("only CAIP-2 names are networks"),
    }
}

/// Chooses the rule by the shape of a case, never by its name, so that fuller files run unchanged.
fn run(case: &Value) -> Outcome {
    let (input, expected) = (&case["input"], &case["expected"]);
    match (input, expected) {
        (Value::String(text), Value::Object(_)) => price_string(text, expected),
        // `NaN` and `Infinity` are recorded as null.
        (Value::Number(_) | Value::Null | Value::Bool(_), Value::Object(_)) => {
            if accepted(expected).is_some() {
                Outcome::Differs("prices are text: a JSON number has been a float somewhere")
            } else {
                Outcome::Same
            }
        }
        (Value::Object(fields), Value::Bool(expected)) if fields.contains_key("pattern") => {
            pattern(input, *expected)
        }
        (Value::Object(fields), Value::Object(_)) if fields.contains_key("decimals") => {
            conversion(input, expected)
        }
        _ => Outcome::Wrong("a kind of case that this test does not know".to_owned()),
    }
}

#[test]
fn every_vector_agrees_or_differs_by_a_listed_rule() {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = file["cases"].as_array().unwrap();
    let outcomes: Vec<_> = cases
        .iter()
        .map(|case| (case["name"].to_string(), run(case)))
        .collect();
    let wrong: Vec<_> = outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Wrong(_)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Not every case may differ: then the test would compare nothing.
    assert!(
        outcomes
            .iter()
            .any(|(_, outcome)| *outcome == Outcome::Same),
        "{outcomes:#?}"
    );
}

/// Cases of kinds that the recording may hold elsewhere, by the grammar of protocol 3.8 and the patterns of 1.4.
#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn more_cases() {
    let ok = |value: Value| json!({"ok": true, "value": value});
    let no = || json!({"ok": false, "error": "x"});
    let refused = [
        "€1",
        "£1",
        "1,000",
        "1,000.50 USDC",
        "abc",
        "NaN",
        "Infinity",
        "0x10",
        "1 2",
        "1 USDC x",
        "$$1",
        "USD 1",
        "$",
        "+1",
        "1..5",
        "1.2.3",
        "1_000",
        "--1",
        "1 $",
        "１",
    ];
    let prices = [
        ("$1", json!({"amount": "1"})),
        ("$ 1", json!({"amount": "1"})),
        ("1 usd", json!({"amount": "1"})),
        ("1.50 USD", json!({"amount": "1.50"})),
        ("0.1 eurc", json!({"amount": "0.1", "symbol": "EURC"})),
        ("$0.01 USDC", json!({"amount": "0.01", "symbol": "USDC"})),
        ("1  USDC", json!({"amount": "1", "symbol": "USDC"})),
        ("007 USDC", json!({"amount": "007", "symbol": "USDC"})),
        ("0", json!({"amount": "0"})),
    ];
    let conversions = [
        ("0.1", 6, ok(json!("100000"))),
        ("1.1234567", 6, ok(json!("1123456"))),
        ("1", 0, ok(json!("1"))),
        ("1.9", 0, ok(json!("1"))),
        (".5", 6, ok(json!("500000"))),
        ("5.", 6, ok(json!("5000000"))),
        ("1E3", 6, no()),
        ("abc", 6, no()),
        ("", 6, no()),
        ("1.2.3", 6, no()),
    ];
    let patterns = [
        ("*", "eip155:1", true),
        ("*", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", true),
        ("*:*", "eip155:1", true),
        ("eip155:8453", "eip155:8453", true),
        ("eip155:84*", "eip155:84532", true),
        ("eip155:*2", "eip155:84532", true),
        ("eip155:*3", "eip155:84532", false),
        ("eip155:8.53", "eip155:8453", false),
        ("eip155:[0-9]+", "eip155:8453", false),
        ("eip155", "eip155:8453", false),
        ("EIP155:*", "eip155:8453", false),
        ("*", "base", true),
        ("base*", "base-sepolia", true),
        ("", "eip155:1", false),
    ];
    let mut cases: Vec<Value> = refused
        .iter()
        .map(|text| json!({"input": text, "expected": no()}))
        .collect();
    cases.extend(prices.map(|(text, value)| json!({"input": text, "expected": ok(value)})));
    cases.extend(conversions.map(|(amount, decimals, expected)| {
        json!({"input": {"amount": amount, "decimals": decimals}, "expected": expected})
    }));
    cases.extend(patterns.map(|(pattern, network, fits)| {
        json!({"input": {"pattern": pattern, "network": network}, "expected": fits})
    }));
    cases.extend([json!(null), json!(-0.5)].map(|input| json!({"input": input, "expected": no()})));
    let wrong: Vec<_> = cases
        .iter()
        .map(|case| (case, run(case)))
        .filter(|(_, outcome)| matches!(outcome, Outcome::Wrong(_)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_listed_difference_is_real() {
    let long = format!("{} USDC", "1".repeat(39));
    let longer = format!("{} USDC", "1".repeat(200));
    for (code, _) in PRICE_DIFFERENCES {
        let literal = match code {
            PriceErrorCode::CurrencyGlyph => "$0.01",
            PriceErrorCode::MissingUnit => "10",
            PriceErrorCode::Whitespace => "  2 USD",
            PriceErrorCode::LeadingZeros => "010 USD",
            PriceErrorCode::Zero => "0 USDC",
            PriceErrorCode::TooManyDigits => &long,
            PriceErrorCode::TooLong => &longer,
            PriceErrorCode::BadUnit => "1 1INCH",
            _ => panic!("{code} has no example"),
        };
        assert_eq!(
            literal.parse::<Price>().map_err(|error| error.code),
            Err(*code)
        );
    }
    for (rule, _) in CONVERSION_DIFFERENCES {
        let (amount, decimals) = match rule {
            ConversionRule::SubAtomic => ("0.0000001", 6),
            ConversionRule::Negative => ("-1", 6),
            ConversionRule::Spelling => (".5", 6),
            ConversionRule::TooLarge => ("1", 78),
            ConversionRule::Other => panic!("not a rule"),
        };
        let error = amount
            .parse::<Decimal>()
            .and_then(|amount| amount.to_atomic(decimals))
            .unwrap_err();
        assert_eq!(conversion_rule(&error), *rule);
    }
}
