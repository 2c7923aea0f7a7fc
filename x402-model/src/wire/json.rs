//! JSON rules shared by all messages: bounded depth, null as absent, integral numbers in any spelling.

use serde::de::{self, Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use super::headers::CodecError;

/// The deepest nesting of arrays and objects accepted in any message.
///
/// Below the limit of the JSON parser itself, so that every raw part of an accepted message can be parsed later.
pub const MAX_DEPTH: usize = 100;

/// Whether JSON text nests arrays and objects no deeper than [`MAX_DEPTH`]. Reads the text once; no recursion.
///
/// ```
/// use x402_model::wire::json::within_depth;
/// assert!(within_depth(r#"{"a":["[[[["]}"#));
/// assert!(!within_depth(&"[".repeat(101)));
/// ```
#[must_use]
pub fn within_depth(text: &str) -> bool {
    nests_within(text, MAX_DEPTH)
}

/// Whether JSON text nests arrays and objects no deeper than `most`.
pub(crate) fn nests_within(text: &str, most: usize) -> bool {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > most {
                    return false;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

/// Whether two JSON numbers are the same number: 300 and 300.0 are, 300 and "300" never get here.
#[must_use]
pub fn same_number(a: &Number, b: &Number) -> bool {
    a == b || ((a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64())
}

/// The value of a JSON number as an unsigned integer when it is integral: 300, 300.0 and 3e2 are all 300.
///
/// Numbers written with a dot or an exponent count below 2^32 only: JSON readers pass them through floats, and a
/// larger one may have been rounded before it got here.
///
/// ```
/// use serde_json::json;
/// use x402_model::wire::json::integral;
/// assert_eq!(json!(300.0).as_number().and_then(integral), Some(300));
/// assert_eq!(json!(300.5).as_number().and_then(integral), None);
/// ```
#[must_use]
pub fn integral(number: &Number) -> Option<u64> {
    match number.as_u64() {
        Some(value) => Some(value),
        None => number
            .to_string()
            .strip_suffix(".0")?
            .parse::<u32>()
            .ok()
            .map(u64::from),
    }
}

/// Deserialises an unsigned integer that may be spelled as an integral decimal.
pub(super) fn integer<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let number = Number::deserialize(deserializer)?;
    integral(&number)
        .and_then(|value| T::try_from(value).ok())
        .ok_or_else(|| de::Error::custom("expected a non-negative integer"))
}

/// Deserialises a member whose explicit null means its default.
pub(super) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Serialises any message of ours to raw JSON text.
///
/// # Errors
/// Only if a map inside has keys that are not strings, which no type of this crate has.
pub fn to_raw<T: serde::Serialize>(value: &T) -> Result<Box<RawValue>, serde_json::Error> {
    serde_json::value::to_raw_value(value)
}

/// Parses a raw part; `None` when it nests too deeply or holds a number out of range.
#[must_use]
pub fn parse_raw(raw: &RawValue) -> Option<Value> {
    serde_json::from_str(raw.get()).ok()
}

/// A raw part that must be a JSON object.
pub(super) fn object(raw: &RawValue) -> Option<Map<String, Value>> {
    serde_json::from_str(raw.get()).ok()
}

/// The text of a value that must be a JSON object.
pub(super) fn raw_object(value: &Value) -> Result<Box<RawValue>, CodecError> {
    match value {
        Value::Object(_) => to_raw(value).map_err(|_| CodecError::Shape),
        _ => Err(CodecError::Shape),
    }
}

/// Makes messages readable from JSON objects only.
///
/// A derived reader also takes a JSON array and fills the members by position, so `[true]` would be a valid
/// "verified" from a facilitator. The types name themselves as `remote`, which turns the derived code into plain
/// functions; the real implementations made here let nothing but an object reach them.
macro_rules! object_only {
    ($($message:ident),+) => {$(
        impl<'de> serde::Deserialize<'de> for $message {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Object;
                impl<'de> serde::de::Visitor<'de> for Object {
                    type Value = $message;
                    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$message, A::Error> {
                        $message::deserialize(serde::de::value::MapAccessDeserializer::new(map))
                    }
                }
                deserializer.deserialize_map(Object)
            }
        }

        impl serde::Serialize for $message {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }
    )+};
}
pub(super) use object_only;

#[cfg(test)]
mod tests {
    use super::{Number, integral};

    #[test]
    fn what_the_parser_rounded_is_no_integer() {
        let read = |text: &str| integral(&serde_json::from_str::<Number>(text).unwrap());
        for (text, value) in [
            ("300", Some(300)),
            ("300.0", Some(300)),
            ("3e2", Some(300)),
            ("-0.0", None),
            ("18446744073709551615", Some(u64::MAX)),
            ("4294967295.0", Some(4_294_967_295)),
            ("4294967296.0", None),
            ("9007199254740993.0", None),
            ("1.8446744073709550e19", None),
            ("18446744073709551616", None),
            ("-1", None),
            ("0.5", None),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
    }
}
