//! Money keeps every digit: printing and parsing are inverse, conversions are exact or refused.

use alloy_primitives::U256;
use proptest::prelude::*;
use x402_model::money::{AtomicAmount, Decimal, DecimalFault as F, MoneyError};

fn decimals() -> impl Strategy<Value = Decimal> {
    (0..10_u128.pow(38), 0..=38_u8, 0..=38_u32).prop_filter_map(
        "at most 38 digits",
        |(mantissa, scale, cut)| {
            let decimal = Decimal::checked_new(mantissa / 10_u128.pow(cut), scale)?;
            decimal.to_string().parse().ok()
        },
    )
}

proptest! {
    #[test]
    fn printing_and_parsing_are_inverse(value in decimals()) {
        let text = value.to_string();
        let read: Decimal = text.parse().unwrap();
        prop_assert_eq!(read, value);
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn atomic_amounts_survive_the_way_to_text_and_back(units in 0..10_u128.pow(38), decimals in 0..=37_u8) {
        let amount = AtomicAmount::from_u128(units);
        let text = amount.to_decimal(decimals);
        // Small amounts of many decimals need more digits than a decimal has; all others come back unchanged.
        if let Ok(decimal) = text.parse::<Decimal>() {
            prop_assert_eq!(decimal.to_atomic(decimals), Ok(amount));
        }
    }

    #[test]
    fn conversions_lose_nothing(value in decimals(), decimals in 0..=77_u8) {
        match value.to_atomic(decimals) {
            Ok(amount) => {
                let back = amount.to_decimal(decimals);
                prop_assert_eq!(back.parse::<Decimal>(), Ok(value));
            }
            Err(MoneyError::TooPrecise { .. }) => {
                prop_assert!(value.normalized().scale() > decimals);
            }
            Err(error) => prop_assert!(matches!(error, MoneyError::Overflow { .. }), "{}", error),
        }
    }

    #[test]
    fn order_is_that_of_numbers(left in decimals(), right in decimals()) {
        let wide = |value: Decimal| U256::from(value.mantissa()) * U256::from(10).pow(U256::from(38 - value.scale()));
        prop_assert_eq!(left.cmp(&right), wide(left).cmp(&wide(right)));
    }

    #[test]
    fn arithmetic_is_exact(left in 0..10_u128.pow(18), right in 0..10_u128.pow(18), a in 0..=9_u8, b in 0..=9_u8) {
        let (x, y) = (Decimal::new(left, a), Decimal::new(right, b));
        let sum = x.checked_add(y).unwrap();
        prop_assert_eq!(sum.checked_sub(y), Some(x));
        let product = x.checked_mul(y).unwrap();
        prop_assert_eq!(product, Decimal::new(left * right, a + b));
    }

    #[test]
    fn no_text_makes_the_parsers_panic(text in ".{0,200}") {
        let decimal = text.parse::<Decimal>();
        let amount = text.parse::<AtomicAmount>();
        if let Ok(decimal) = decimal {
            prop_assert_eq!(&decimal.to_string(), &text);
        }
        if let Ok(amount) = amount {
            prop_assert_eq!(amount.to_string(), text);
        }
    }

    #[test]
    fn near_decimals_never_panic_and_suggestions_are_right(text in "[-+$]?[0-9.,_e ]{0,48}") {
        if let Err(MoneyError::Malformed { suggestion: Some(right), .. }) = text.parse::<Decimal>() {
            prop_assert!(right.parse::<Decimal>().is_ok(), "{} -> {}", text, right);
        }
    }

    #[test]
    fn serde_is_the_canonical_string(units in any::<[u64; 4]>()) {
        let amount = AtomicAmount::new(U256::from_limbs(units));
        let json = serde_json::to_string(&amount).unwrap();
        prop_assert_eq!(&json, &format!("\"{amount}\""));
        prop_assert_eq!(serde_json::from_str::<AtomicAmount>(&json).unwrap(), amount);
    }
}

const REFUSED: &[(&str, F, Option<&str>)] = &[
    ("", F::Empty, None),
    (" ", F::Empty, None),
    ("1e-2", F::Exponent, Some("0.01")),
    ("1E3", F::Exponent, Some("1000")),
    ("2.5e1", F::Exponent, Some("25")),
    ("-1", F::Sign, Some("1")),
    ("+1", F::Sign, Some("1")),
    ("\u{2212}1", F::Sign, Some("1")),
    ("NaN", F::NotANumber, None),
    ("inf", F::NotANumber, None),
    ("1_000", F::Separator, Some("1000")),
    ("1'000", F::Separator, Some("1000")),
    ("1,000", F::Comma, None),
    ("0,01", F::Comma, Some("0.01")),
    ("0,010", F::Comma, Some("0.010")),
    ("1,000.50", F::Comma, Some("1000.50")),
    ("1,000,000", F::Comma, Some("1000000")),
    (".5", F::LeadingDot, Some("0.5")),
    ("5.", F::TrailingDot, Some("5")),
    (".", F::NotANumber, None),
    ("1.2.3", F::ManyDots, None),
    ("00.1", F::LeadingZeros, Some("0.1")),
    ("01", F::LeadingZeros, Some("1")),
    ("\u{0661}\u{0662}", F::NotANumber, None),
    ("\u{ff11}", F::NotANumber, None),
    (" 1", F::Whitespace, Some("1")),
    ("1 ", F::Whitespace, Some("1")),
    ("1\u{a0}", F::Whitespace, Some("1")),
    ("1 000", F::Whitespace, None),
    ("0x10", F::NotANumber, None),
    ("$1", F::CurrencyGlyph, Some("1")),
    (
        "123456789012345678901234567890123456789",
        F::TooManyDigits,
        None,
    ),
    (
        "0.00000000000000000000000000000000000001",
        F::TooManyDigits,
        None,
    ),
];

#[test]
fn g08_strict_literals_are_refused_by_name_with_a_fix() {
    for (literal, expected, fix) in REFUSED {
        let Err(error) = literal.parse::<Decimal>() else {
            panic!("{literal:?} was read")
        };
        let MoneyError::Malformed {
            fault, suggestion, ..
        } = &error
        else {
            panic!("{error}")
        };
        assert_eq!(
            (fault, suggestion.as_deref()),
            (expected, *fix),
            "{literal:?}"
        );
        if !literal.trim().is_empty() && literal.is_ascii() {
            assert!(error.to_string().contains(literal), "{error}");
        }
    }
    assert!(
        "99999999999999999999999999999999999999"
            .parse::<Decimal>()
            .is_ok()
    );
}

#[test]
fn g08_conversions_never_round() {
    let atomic = |text: &str, decimals| {
        text.parse::<Decimal>()
            .unwrap()
            .to_atomic(decimals)
            .map(|amount| amount.to_string())
    };
    assert_eq!(atomic("0.01", 6).as_deref(), Ok("10000"));
    assert_eq!(
        atomic("0.0100000000", 6).as_deref(),
        Ok("10000"),
        "zeros after the last place lose nothing"
    );
    assert_eq!(atomic("1", 18).as_deref(), Ok("1000000000000000000"));
    assert_eq!(atomic("0", 255).as_deref(), Ok("0"));
    assert!(
        matches!(atomic("0.0000001", 6), Err(MoneyError::TooPrecise { smallest, .. }) if smallest == "0.000001")
    );
    assert!(matches!(atomic("1", 78), Err(MoneyError::Overflow { .. })));
    assert!(matches!(
        atomic("99999999999999999999999999999999999999", 77),
        Err(MoneyError::Overflow { .. })
    ));
    assert_eq!(atomic("1", 77).map(|text| text.len()), Ok(78));
}

#[test]
fn g08_atomic_amounts_are_canonical() {
    let max = AtomicAmount::MAX.to_string();
    assert_eq!(max.parse(), Ok(AtomicAmount::MAX));
    for bad in [
        "", "-1", "+1", "01", "1.0", " 1", "1 ", "0x1", "1e3", "\u{0661}", "1_0",
    ] {
        assert!(
            matches!(
                bad.parse::<AtomicAmount>(),
                Err(MoneyError::NotAtomic { .. })
            ),
            "{bad:?}"
        );
    }
    let above = format!("{}6", &max[..max.len() - 1]);
    for bad in [above.as_str(), &"9".repeat(78), &"9".repeat(100_000)] {
        let error = bad.parse::<AtomicAmount>().unwrap_err();
        assert!(matches!(error, MoneyError::Overflow { .. }) && error.to_string().len() < 400);
    }
    for json in ["1", "1.0", "null", "\"1.0\"", "[]"] {
        assert!(
            serde_json::from_str::<AtomicAmount>(json).is_err(),
            "{json}"
        );
    }
    assert_eq!(
        AtomicAmount::MAX.checked_add(AtomicAmount::from_u128(1)),
        None
    );
    assert_eq!(
        AtomicAmount::ZERO.checked_sub(AtomicAmount::from_u128(1)),
        None
    );
    assert_eq!(AtomicAmount::from_u128(1).to_decimal(0), "1");
    assert_eq!(
        AtomicAmount::from_u128(1).to_decimal(18),
        "0.000000000000000001"
    );
    assert_eq!(AtomicAmount::from_u128(1_500_000).to_decimal(6), "1.5");
}

#[test]
fn equal_numbers_hash_alike() {
    let set: std::collections::HashSet<Decimal> = ["1", "1.0", "1.00", "0", "0.0"]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    assert_eq!(set.len(), 2);
}
