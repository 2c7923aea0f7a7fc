//! The price grammar: what it reads, and what it says about what it does not read.

use core::ops::Range;

use proptest::prelude::*;
use x402_model::price::{
    Price, PriceErrorCode as C, PriceUnit, is_symbol, known_symbol_suggestion,
};

#[test]
fn good_prices_are_read_as_written() {
    for literal in [
        "0.01 USDC",
        "0.01 USD",
        "1 USDC.e",
        "5.00 USDT0",
        "0.5 mUSD",
        "1 USD\u{20AE}0",
        "0.0000001 USDC",
        "1 e",
    ] {
        assert_eq!(
            literal.parse::<Price>().map(|price| price.to_string()),
            Ok(literal.to_owned())
        );
    }
    assert_eq!(
        "1 usd".parse::<Price>().map(|price| price.unit),
        Ok(PriceUnit::Usd)
    );
    assert_eq!("1.0 usdc".parse::<Price>(), "1 USDC".parse());
    assert_ne!("1 USDC".parse::<Price>(), "1 USDT".parse());
    assert_eq!(
        Price::parse_or_zero("0.00 USDC").map(|price| price.amount.is_zero()),
        Ok(true)
    );
}

const REFUSED: &[(&str, C, Range<usize>, Option<&str>)] = &[
    ("", C::Empty, 0..0, None),
    ("   ", C::Empty, 0..3, None),
    ("$0.01", C::CurrencyGlyph, 0..1, Some("0.01 USD")),
    ("$0.01 USDC", C::CurrencyGlyph, 0..1, Some("0.01 USDC")),
    ("0.01$", C::CurrencyGlyph, 4..5, Some("0.01 USD")),
    ("0.01 $", C::CurrencyGlyph, 5..6, Some("0.01 USD")),
    ("$-1", C::CurrencyGlyph, 0..1, Some("1 USD")),
    ("\u{20AC}1", C::CurrencyGlyph, 0..3, None),
    ("1 \u{20AC}", C::CurrencyGlyph, 2..5, None),
    ("0.01USDC", C::MissingSpace, 4..8, Some("0.01 USDC")),
    ("0,01 USDC", C::Comma, 1..2, Some("0.01 USDC")),
    ("1,000 USDC", C::Comma, 1..2, None),
    ("1_000 USDC", C::Separator, 1..2, Some("1000 USDC")),
    ("1e-2 USDC", C::Exponent, 1..4, Some("0.01 USDC")),
    ("1e-2", C::Exponent, 1..4, Some("0.01 USD")),
    (".5 USDC", C::LeadingDot, 0..1, Some("0.5 USDC")),
    ("5. USDC", C::TrailingDot, 1..2, Some("5 USDC")),
    ("00.1 USDC", C::LeadingZeros, 0..4, Some("0.1 USDC")),
    ("1.2.3 USDC", C::ManyDots, 0..5, None),
    ("-1", C::Sign, 0..1, Some("1 USD")),
    ("-1 USDC", C::Sign, 0..1, Some("1 USDC")),
    ("USDC 1", C::UnitFirst, 0..6, Some("1 USDC")),
    ("USD1", C::MissingAmount, 0..4, None),
    ("10", C::MissingUnit, 2..2, Some("10 USD")),
    ("0.01", C::MissingUnit, 4..4, Some("0.01 USD")),
    ("USDC", C::MissingAmount, 0..4, None),
    ("NaN", C::NotANumber, 0..3, None),
    ("NaN USDC", C::NotANumber, 0..3, None),
    ("0x10 USDC", C::NotANumber, 0..4, None),
    ("\u{0661} USDC", C::NotANumber, 0..2, None),
    (" 1 USDC", C::Whitespace, 0..1, Some("1 USDC")),
    ("1 USDC\n", C::Whitespace, 6..7, Some("1 USDC")),
    ("1  USDC", C::Whitespace, 1..3, Some("1 USDC")),
    ("1\tUSDC", C::Whitespace, 1..2, Some("1 USDC")),
    ("1\u{a0}USDC", C::Whitespace, 1..3, Some("1 USDC")),
    ("1 USDC each", C::Whitespace, 2..11, None),
    ("1 US/DC", C::BadUnit, 2..7, None),
    ("1 1INCH", C::BadUnit, 2..7, None),
    ("1 ABCDEFGHIJKLMNOPQ", C::BadUnit, 2..19, None),
    ("0 USDC", C::Zero, 0..6, None),
    ("0.00 USD", C::Zero, 0..8, None),
    (
        "999999999999999999999999999999999999999 USDC",
        C::TooManyDigits,
        0..39,
        None,
    ),
];

#[test]
fn g08_wrong_prices_are_named_with_place_and_fix() {
    for (literal, code, span, suggestion) in REFUSED {
        let Err(error) = literal.parse::<Price>() else {
            panic!("{literal:?} was read")
        };
        let seen = (error.code, error.span.clone(), error.suggestion.as_deref());
        assert_eq!(seen, (*code, span.clone(), *suggestion), "{literal:?}");
        assert!(error.help.is_some(), "{literal:?}");
        if let Some(right) = suggestion {
            assert_eq!(
                right
                    .parse::<Price>()
                    .map(|price| price.to_string())
                    .as_deref(),
                Ok(*right)
            );
            assert!(error.to_string().contains(right), "{error}");
        }
    }
    let zero = "0 USDC".parse::<Price>().unwrap_err().to_string();
    assert!(zero.contains("free routes need no `#[paid]`"), "{zero}");
}

#[test]
fn mistyped_symbols_get_a_suggestion() {
    for (wrong, right) in [
        ("UDSC", "USDC"),
        ("USCD", "USDC"),
        ("usdcc", "USDC"),
        ("USDCe", "USDC.e"),
        ("USDT1", "USDT"),
    ] {
        assert_eq!(known_symbol_suggestion(wrong), Some(right), "{wrong}");
    }
    for none in ["USDC", "usdc", "USD", "usd", "WETH", "", "EURC2X"] {
        assert_eq!(known_symbol_suggestion(none), None, "{none}");
    }
}

proptest! {
    #[test]
    fn printing_and_parsing_are_inverse(
        mantissa in 1..10_u128.pow(30), scale in 0..=8_u8, unit in "[A-Za-z][A-Za-z0-9.₮-]{0,15}",
    ) {
        prop_assume!(is_symbol(&unit));
        let amount = x402_model::money::Decimal::new(mantissa, scale);
        let literal = format!("{amount} {unit}");
        let price: Price = literal.parse().unwrap();
        prop_assert_eq!(price.to_string().to_uppercase(), literal.to_uppercase());
        prop_assert_eq!(price.to_string().parse::<Price>(), Ok(price));
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_valid_place(literal in ".{0,160}") {
        refused_well(&literal)?;
    }

    #[test]
    fn near_prices_are_read_or_refused_with_a_valid_place(literal in "[-+$€]?[0-9.,_eE ]{0,10}[ \t]?[$€A-Za-z.₮0-9]{0,6} ?") {
        refused_well(&literal)?;
    }
}

fn refused_well(literal: &str) -> Result<(), TestCaseError> {
    match literal.parse::<Price>() {
        Ok(price) => prop_assert_eq!(price.to_string().to_uppercase(), literal.to_uppercase()),
        Err(error) => {
            prop_assert!(
                literal.get(error.span.clone()).is_some(),
                "{:?} in {:?}",
                error.span,
                literal
            );
            if let Some(right) = error.suggestion {
                prop_assert!(
                    right.parse::<Price>().is_ok(),
                    "{:?} -> {:?}",
                    literal,
                    right
                );
            }
        }
    }
    Ok(())
}
