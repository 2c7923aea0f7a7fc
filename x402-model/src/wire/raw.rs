//! JSON text that is kept as it came, and shared between its copies.

use core::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::headers::CodecError;
use super::json::within_depth;

/// A JSON value as text: checked once, never rewritten, and as cheap to copy as a pointer.
///
/// A tree of [`Value`]s takes ten times the memory of its text and has to be written again whenever it is passed on. What is
/// only kept and forwarded stays text; whoever has to look inside reads it into a type of its own with [`RawJson::read`].
///
/// Two values are equal when their texts are, byte for byte. `Debug` shows the length only, because a payment is a bearer
/// secret; use [`RawJson::as_str`] for text that may be shown.
///
/// ```
/// use x402_model::wire::RawJson;
/// let terms: RawJson = serde_json::from_str(r#"{"amount": "1"}"#)?;
/// assert_eq!(terms.as_str(), r#"{"amount": "1"}"#);
/// assert_eq!(serde_json::to_string(&[&terms, &terms])?, r#"[{"amount": "1"},{"amount": "1"}]"#);
/// assert_eq!(terms.to_value()["amount"], "1");
/// assert_eq!(RawJson::from(serde_json::json!({"amount": 1})).as_str(), r#"{"amount":1}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RawJson(Arc<str>);

impl RawJson {
    /// JSON text of any kind. Space around the value is dropped.
    ///
    /// # Errors
    /// [`CodecError::TooDeep`] or [`CodecError::Json`].
    pub fn parse(text: &str) -> Result<Self, CodecError> {
        if !within_depth(text) {
            return Err(CodecError::TooDeep);
        }
        serde_json::from_str::<&RawValue>(text)
            .map(Self::from)
            .map_err(|_| CodecError::Json)
    }

    /// Text of which the caller knows that it is JSON without space around it.
    pub(super) fn known(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text read into a type, which may borrow from it; `None` when it does not fit.
    #[must_use]
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(&self.0).ok()
    }

    /// The value as a tree; `Null` when it nests too deeply or holds a number out of range.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.read().unwrap_or(Value::Null)
    }
}

/// The text `null`.
impl Default for RawJson {
    fn default() -> Self {
        Self::known("null")
    }
}

impl From<&RawValue> for RawJson {
    fn from(raw: &RawValue) -> Self {
        Self::known(raw.get())
    }
}

impl From<Value> for RawJson {
    fn from(value: Value) -> Self {
        Self::known(&value.to_string())
    }
}

impl From<&Value> for RawJson {
    fn from(value: &Value) -> Self {
        Self::known(&value.to_string())
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawJson(<{} bytes>)", self.0.len())
    }
}

impl Serialize for RawJson {
    /// Writes the text through. Writers of other formats than JSON cannot take it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self::from(&*raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_through_byte_for_byte() {
        let text = r#"{"b" : 1.0, "a":"\u00fc", "a":2}"#;
        let raw = RawJson::parse(&format!("\n {text} ")).unwrap();
        assert_eq!(raw.as_str(), text);
        assert_eq!(serde_json::to_string(&raw).unwrap(), text);
        let back: RawJson = serde_json::from_str(text).unwrap();
        assert_eq!(back, raw);
        let from_tree: RawJson = serde_json::from_value(raw.to_value()).unwrap();
        assert_eq!(from_tree.as_str(), r#"{"a":2,"b":1.0}"#);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "{", "{}{}", "nope", "[1,]"] {
            assert_eq!(RawJson::parse(text), Err(CodecError::Json), "{text}");
        }
        let deep = format!("{}{}", "[".repeat(101), "]".repeat(101));
        assert_eq!(RawJson::parse(&deep), Err(CodecError::TooDeep));
    }

    #[test]
    fn a_tree_that_is_too_deep_reads_as_null() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let raw: RawJson = serde_json::from_str(&deep).unwrap();
        assert_eq!(raw.to_value(), Value::Null);
        assert_eq!(raw.as_str(), deep);
    }

    #[test]
    fn debug_shows_no_content() {
        let raw = RawJson::from(serde_json::json!({ "signature": "0xabcdef" }));
        assert_eq!(format!("{raw:?}"), "RawJson(<24 bytes>)");
    }
}
