//! JSON as the manifest reader takes it: no member twice, bounded in depth and size, numbers to the last bit.
//!
//! A content hash is only worth something if every reader sees the same document. Readers differ about a member that
//! stands twice, and the tree reader of `serde_json` may be off in the last bit of a float; both end here.

use core::fmt;

use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use super::error::ManifestError;
use crate::wire::json::nests_within;

/// The deepest nesting of arrays and objects in a manifest.
pub const MAX_DEPTH: usize = 64;

/// The most values, members of objects and items of arrays together, in a document.
pub const MAX_NODES: usize = 1_000_000;

/// Reads a document of at most `max_bytes`.
///
/// # Errors
/// [`ManifestError`] for anything that is not one JSON document within the limits.
pub fn read_json(bytes: &[u8], max_bytes: usize) -> Result<Value, ManifestError> {
    if bytes.len() > max_bytes {
        return Err(ManifestError::TooLarge {
            bytes: bytes.len(),
            most: max_bytes,
        });
    }
    let text = core::str::from_utf8(bytes).map_err(|_| ManifestError::NotText)?;
    if !nests_within(text, MAX_DEPTH) {
        return Err(ManifestError::TooDeep);
    }
    let root: &RawValue = serde_json::from_str(text).map_err(|error| ManifestError::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    let mut nodes = 0;
    value(root.get(), &mut nodes)
}

/// One value. The text is valid JSON within [`MAX_DEPTH`], so the recursion is bounded.
fn value(text: &str, nodes: &mut usize) -> Result<Value, ManifestError> {
    *nodes = nodes.saturating_add(1);
    if *nodes > MAX_NODES {
        return Err(ManifestError::TooManyValues);
    }
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let mut object = Map::new();
            for (name, part) in members(text)? {
                let member = value(part, nodes)?;
                if object.insert(name.clone(), member).is_some() {
                    return Err(ManifestError::MemberTwice { name: short(&name) });
                }
            }
            Value::Object(object)
        }
        Some(b'[') => {
            let mut array = Vec::new();
            for part in items(text)? {
                array.push(value(part, nodes)?);
            }
            Value::Array(array)
        }
        Some(b'"') => Value::String(serde_json::from_str(text).map_err(unreadable)?),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        _ => Value::Number(number(text)?),
    })
}

/// A number as the nearest double, as every reader of RFC 8785 sees it; integers that fit stay integers.
fn number(text: &str) -> Result<Number, ManifestError> {
    let not_a_number = || ManifestError::NumberTooLarge {
        text: text.chars().take(40).collect(),
    };
    if let Ok(whole) = text.parse::<u64>() {
        return Ok(whole.into());
    }
    if let Ok(whole) = text.parse::<i64>() {
        // "-0" is the number zero.
        return Ok(whole.into());
    }
    let double: f64 = text.parse().map_err(|_| not_a_number())?;
    Number::from_f64(double).ok_or_else(not_a_number)
}

fn unreadable(error: serde_json::Error) -> ManifestError {
    // Moved in by `map_err`; only its place is kept.
    let (line, column) = (error.line(), error.column());
    drop(error);
    ManifestError::NotJson { line, column }
}

/// A foreign name, cut for a message.
pub(super) fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

fn members(text: &str) -> Result<Vec<(String, &str)>, ManifestError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.deserialize_map(Members).map_err(unreadable)
}

fn items(text: &str) -> Result<Vec<&str>, ManifestError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.deserialize_seq(Items).map_err(unreadable)
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, &'de str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let part: &'de RawValue = map.next_value()?;
            if members.len() >= MAX_NODES {
                return Err(de::Error::custom("too many members"));
            }
            members.push((name, part.get()));
        }
        Ok(members)
    }
}

struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Vec<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(part) = seq.next_element::<&'de RawValue>()? {
            items.push(part.get());
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_as_serde_json_reads_them() {
        let text = r#" {"a":[1,-2,0.5,"x\u00e9\n",null,true,false,{}],"b":{"c":[]}} "#;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(read_json(text.as_bytes(), 1000), Ok(expected));
    }

    #[test]
    fn m07_limits_are_errors() {
        let code = |text: &str| read_json(text.as_bytes(), usize::MAX).unwrap_err().code();
        assert_eq!(
            read_json(b"[1]", 2).unwrap_err().code(),
            "manifest_too_large"
        );
        assert_eq!(code(&"[".repeat(65)), "manifest_too_deep");
        assert_eq!(
            code(&format!("[{}0]", "0,".repeat(MAX_NODES))),
            "manifest_too_many_values"
        );
        assert_eq!(
            code(r#"{"a":1,"b":{"c":1,"\u0063":2}}"#),
            "manifest_member_twice"
        );
        assert_eq!(code("[1e999]"), "manifest_number_too_large");
        assert_eq!(code("[1,]"), "manifest_not_json");
        assert_eq!(code(r#"["\ud800"]"#), "manifest_not_json");
        assert_eq!(
            read_json(b"\"\xff\"", 10).unwrap_err().code(),
            "manifest_not_text"
        );
        let deepest = "[".repeat(64) + &"]".repeat(64);
        assert!(read_json(deepest.as_bytes(), 1000).is_ok());
    }

    #[test]
    fn numbers_are_the_nearest_double() {
        let value = read_json(b"[9007199254740993.0, 333333333.33333329, -0]", 1000).unwrap();
        assert_eq!(
            value.pointer("/0").and_then(Value::as_f64),
            Some(9_007_199_254_740_992.0)
        );
        assert_eq!(
            value.pointer("/1").and_then(Value::as_f64),
            Some(333_333_333.333_333_3)
        );
        assert_eq!(value.pointer("/2"), Some(&Value::from(0)));
    }
}
