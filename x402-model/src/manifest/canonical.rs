//! Canonical JSON (RFC 8785): one spelling of a document, so that it can be hashed and signed.

use core::fmt::Write as _;

use alloy_primitives::hex;
use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

/// The largest integer up to which a double is exact.
const EXACT: u64 = 1 << 53;

/// The canonical text of a value: members sorted by their UTF-16 code units, no space, numbers as ECMAScript prints them.
///
/// An integer that no double holds exactly is printed as the nearest double, as RFC 8785 has it; keep such numbers in
/// strings.
///
/// ```
/// use serde_json::json;
/// use x402_model::manifest::canonical;
/// assert_eq!(canonical(&json!({"b": 1.0, "a": [true, "\u{20ac}"]})), r#"{"a":[true,"€"],"b":1}"#);
/// ```
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// The SHA-256 of the canonical text.
#[must_use]
pub fn canonical_hash(value: &Value) -> [u8; 32] {
    Sha256::digest(canonical(value).as_bytes()).into()
}

/// The SHA-256 of the canonical text of a document without its `integrity`, which holds this hash.
#[must_use]
pub fn content_hash(document: &Value) -> [u8; 32] {
    let Value::Object(members) = document else {
        return canonical_hash(document);
    };
    let mut text = String::new();
    object(
        members.iter().filter(|(name, _)| *name != "integrity"),
        &mut text,
    );
    Sha256::digest(text.as_bytes()).into()
}

/// A SHA-256 as documents name it: `sha-256:` and 64 lower-case hex digits.
///
/// ```
/// use x402_model::manifest::hash_text;
/// assert_eq!(hash_text(&[0xab; 32]), format!("sha-256:{}", "ab".repeat(32)));
/// ```
#[must_use]
pub fn hash_text(hash: &[u8; 32]) -> String {
    format!("sha-256:{}", hex::encode(hash))
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&ecma_number(number)),
        Value::String(text) => string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => object(members.iter(), out),
    }
}

fn object<'v>(members: impl Iterator<Item = (&'v String, &'v Value)>, out: &mut String) {
    let mut sorted: Vec<_> = members.collect();
    sorted.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
    out.push('{');
    for (place, (name, member)) in sorted.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        string(name, out);
        out.push(':');
        write(member, out);
    }
    out.push('}');
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// A number as `Number::toString` of ECMAScript prints it.
pub(super) fn ecma_number(number: &Number) -> String {
    let small = |whole: u64| whole <= EXACT;
    match (number.as_u64(), number.as_i64()) {
        (Some(whole), _) if small(whole) => return whole.to_string(),
        (None, Some(whole)) if small(whole.unsigned_abs()) => return whole.to_string(),
        _ => {}
    }
    // An integer that large is the double nearest to it.
    match Number::from_f64(number.as_f64().unwrap_or_default()) {
        Some(double) => ecma_double(&double.to_string()),
        None => number.to_string(),
    }
}

/// A finite double in ECMAScript's form. The text is the shortest that reads back as the same double and, of several, the
/// nearest and then the even one, which is what both `serde_json` and ECMAScript print; only where the dot and the exponent
/// stand differs. (`core::fmt` rounds ties up.)
fn ecma_double(shortest: &str) -> String {
    let (sign, text) = match shortest.strip_prefix('-') {
        Some(text) => ("-", text),
        None => ("", shortest),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let leading = all.len().saturating_sub(digits.len());
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return "0".to_owned();
    }
    let places = i32::try_from(whole.len()).unwrap_or(i32::MAX);
    let point = places
        .saturating_sub(i32::try_from(leading).unwrap_or(i32::MAX))
        .saturating_add(exponent.parse().unwrap_or_default());
    format!("{sign}{}", placed(digits, point))
}

/// Digits with the dot after `point` of them (ECMA-262, Number::toString, steps 6 to 10).
fn placed(digits: &str, point: i32) -> String {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    let at = usize::try_from(point).unwrap_or_default();
    if count <= point && point <= 21 {
        return format!("{digits}{}", zeros(point.saturating_sub(count)));
    }
    if 0 < point && point <= 21 {
        let (whole, fraction) = digits.split_at_checked(at).unwrap_or((digits, ""));
        return format!("{whole}.{fraction}");
    }
    if -6 < point && point <= 0 {
        return format!("0.{}{digits}", zeros(point.saturating_neg()));
    }
    let exponent = point.saturating_sub(1);
    let sign = if exponent < 0 { '-' } else { '+' };
    let exponent = exponent.unsigned_abs();
    match digits.split_at_checked(1) {
        Some((first, rest)) if !rest.is_empty() => format!("{first}.{rest}e{sign}{exponent}"),
        _ => format!("{digits}e{sign}{exponent}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::read_json;

    /// The examples of RFC 8785, section 3.2.2 and 3.2.3.
    #[test]
    fn the_examples_of_the_standard() {
        let first = r#"{
            "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"#;
        let value = read_json(first.as_bytes(), 1000).unwrap();
        let expected = r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(canonical(&value), expected);

        let second = r#"{
            "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
        }"#;
        let value = read_json(second.as_bytes(), 1000).unwrap();
        let order: Vec<_> = [
            "Carriage Return",
            "One",
            "Control",
            "Latin Small Letter O With Diaeresis",
            "Euro Sign",
            "Emoji: Grinning Face",
            "Hebrew Letter Dalet With Dagesh",
        ]
        .into();
        let text = canonical(&value);
        let mut places: Vec<_> = order.iter().map(|word| text.find(word).unwrap()).collect();
        let found = places.clone();
        places.sort_unstable();
        assert_eq!(found, places, "{text}");
    }

    /// The table of RFC 8785, appendix B.
    #[test]
    fn doubles_print_as_in_ecmascript() {
        let table: [(u64, &str); 23] = [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ];
        for (bits, text) in table {
            let number = Number::from_f64(f64::from_bits(bits)).unwrap();
            assert_eq!(ecma_number(&number), text, "{bits:x}");
        }
    }

    #[test]
    fn integers_beyond_doubles_are_printed_as_the_nearest_one() {
        let value = read_json(
            b"[9007199254740993,-9007199254740993,18446744073709551615]",
            99,
        );
        assert_eq!(
            canonical(&value.unwrap()),
            "[9007199254740992,-9007199254740992,18446744073709552000]"
        );
    }
}
